"""What imports say to people: columns, figures, and what is wrong with rows."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

# In the order in which they are told.
FIGURES: Final[Mapping[str, Promise]] = {
    "rows": _("rows"),
    "members": _("members"),
    "enrolled": _("enrolled"),
    "known": _("known"),
    "new": pgettext_lazy("import", "new"),
    "member": pgettext_lazy("import", "members already"),
    "would_enrol": _("would be enrolled"),
    "unknown_identifiers": _("unknown identifiers"),
    "orders": _("orders"),
    "lines": _("lines"),
    "applied": _("taken"),
    "would_apply": _("would be taken"),
    "unchanged": _("taken before"),
    "awaiting": _("waiting for their member"),
    "points": _("points"),
    "loaded": _("codes loaded"),
    "skipped": _("codes known before"),
    "rejected": _("rejected"),
}

COLUMNS: Final[Mapping[str, Promise]] = {
    "source": _("source"),
    "order_no": _("order number"),
    "version": _("version"),
    "status": _("status"),
    "placed_at": _("placed at"),
    "changed_at": _("changed at"),
    "currency": _("currency"),
    "store": _("store"),
    "identifier_kind": _("kind of identifier"),
    "identifier": _("identifier"),
    "identifier_app": _("app or shop"),
    "line_no": _("line number"),
    "sku": _("article number"),
    "category": _("category"),
    "brand": _("brand"),
    "quantity": _("quantity"),
    "amount": _("amount"),
    "kind": _("kind"),
    "earns": _("earns points"),
    "points": _("points"),
    "expires_on": _("expires on"),
    "tier": _("tier"),
    "tier_until": _("tier until"),
    "source_ref": _("reference in the old system"),
    "phone": _("phone"),
    "email": _("e-mail"),
    "interest_kind": _("kind of interest"),
    "interest": _("interest"),
    "language": _("language"),
    "consented_at": _("agreed at"),
    "text_version": _("text version"),
    "evidence": _("evidence"),
    "card": _("card number"),
    "wechat_unionid": _("WeChat unionid"),
    "external": _("external id"),
    "name": pgettext_lazy("person", "name"),
    "birthday": _("birthday"),
    "city": _("city"),
    "channel": _("channel"),
    "staff": _("staff"),
    "joined_at": _("joined at"),
    "reward": _("reward"),
    "slot": _("slot"),
    "reason": _("reason"),
    "code": _("code"),
}

FAULTS: Final[Mapping[str, Promise]] = {
    "missing": _("is missing"),
    "too_long": _("is too long"),
    "control_characters": _("has characters that cannot be"),
    "not_an_integer": _("is no whole number"),
    "out_of_range": _("is too large or too small"),
    "quantity_invalid": _("is no quantity"),
    "amount_invalid": _("is no amount"),
    "amount_negative": _("is negative"),
    "time_invalid": _("is no time"),
    "time_skipped": _("is a time that the clocks never showed"),
    "date_invalid": _("is no date"),
    "not_yes_or_no": _("is neither yes nor no"),
    "not_a_choice": _("is none of the possible values"),
    "kind_unknown": _("is no known kind"),
    "placed_in_future": _("lies in the future"),
    "order_placed_in_future": _("lies in the future"),
    "columns_wrong": _("The row has too many cells, or too few"),
    "row_unreadable": _("The row cannot be read"),
    "reward_unknown": _("There is no such reward"),
    "slot_unknown": _("There is no such slot"),
    "tier_unknown": _("There is no such tier"),
    "zero": _("is zero"),
    "stock_below_held": _("Less than what is set aside cannot be on hand"),
    "code_invalid": _("is no code that can be used"),
    "line_doubled": _("Two rows number their lines alike"),
    "order_incomplete": _("Another row of the order is wrong"),
    "order_rows_differ": _("The rows disagree about their order"),
    "fact_conflict": _("The order was received before with another content"),
    "order_identity_changed": _("The order was received before with another time or currency"),
    "identifiers_conflict": _("The identifiers belong to different members"),
    "member_not_found": _("There is no such member"),
    "member_not_active": _("The member is not active"),
    "expired_already": _("The points have expired already"),
    "tier_ended_already": _("The tier has ended already"),
    "nothing_to_open": _("There is neither a number of points nor a tier"),
    "source_ref_doubled": _("is there twice"),
    "opening_differs": _("The row was taken before with another content"),
}


def column(name: str) -> str:
    """Return what a column of ours holds."""
    return str(COLUMNS.get(name, name))


def fault(code: str) -> str:
    """Return what is wrong; the code itself where it has no words."""
    return str(FAULTS.get(code, code))


def figures(report: Mapping[str, object]) -> list[tuple[str, int]]:
    """Return what became of a file, by name, as far as there is something to say."""
    return [
        (str(label), value)
        for name, label in FIGURES.items()
        if isinstance(value := report.get(name), int)
    ]
