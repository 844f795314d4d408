"""The terms of the referral programme: asked for by one person, in force when another agrees.

Who has joined under earlier terms keeps them.

Source: ENG-04.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.models import ReferralProgramme, RewardKind
from config.base.admin import formats
from config.base.errors import DomainError
from config.base.names import name_of
from members.models import Approval
from members.services import approvals, drafts
from members.services.approvals import Change
from rewards.models import CouponTemplate

APPROVAL_KIND: Final = "referral.programme"
EDIT_PERMISSION: Final = "campaigns.add_referralprogramme"
APPROVE_PERMISSION: Final = "campaigns.approve_referralprogramme"
PUBLICATION_LOCK: Final = 0x52_45_46_50
CODE_IN_LINK: Final = "{code}"

TERMS: Final = (
    "is_active", "reward", "points", "coupon_template", "amount", "friend_template", "min_amount",
    "return_window_days", "valid_days", "max_per_month", "max_per_year", "friends_per_day",
    "claw_back", "claw_back_days", "link",
)  # fmt: skip
_OF_REWARD: Final[Mapping[str, str]] = {
    RewardKind.POINTS: "points", RewardKind.COUPON: "coupon_template", RewardKind.CASH: "amount",
}  # fmt: skip
_TEMPLATES: Final = frozenset({"coupon_template", "friend_template"})
_AMOUNTS: Final = frozenset({"amount", "min_amount"})


class ReferralTermsError(DomainError):
    """The referral programme cannot say this."""


def in_force(at: datetime) -> ReferralProgramme | None:
    """Return the terms that hold at an instant, None where there are none or they are off."""
    rows = ReferralProgramme.objects.filter(from_at__lte=at).order_by("-from_at", "-number")
    newest = rows.select_related("coupon_template", "friend_template").first()
    return newest if newest is not None and newest.is_active else None


def latest() -> ReferralProgramme | None:
    """Return the newest version, whether it is switched on or not."""
    return ReferralProgramme.objects.order_by("-number").first()


def ask(*, terms: Mapping[str, Any], reason: str, actor: str, at: datetime) -> Approval:
    """Ask a second person to put terms in force.

    Raises: ReferralTermsError, ApprovalError.
    """
    said = _checked(terms)
    return approvals.request(
        kind=APPROVAL_KIND, member_id=None, payload={"terms": said}, reason=reason, actor=actor,
        at=at,
    )  # fmt: skip


@transaction.atomic
def publish(approval: Approval, at: datetime) -> None:
    """Put the terms in force that were asked for. Raises: ReferralTermsError."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PUBLICATION_LOCK])
    programme = _programme(approval.payload["terms"])
    programme.number = (ReferralProgramme.objects.aggregate(last=Max("number"))["last"] or 0) + 1
    programme.from_at = programme.created_at = at
    programme.created_by = approval.requested_by
    programme.save(force_insert=True)


def summarise(approval: Approval) -> str:
    """Return what the referrer would be given, for people."""
    return reward_text(_programme(approval.payload["terms"]))


def effects(approval: Approval) -> Sequence[Change]:
    """Return what the terms that are asked for say otherwise than the newest ones."""
    before = latest()
    after = _facets(_programme(approval.payload["terms"]))
    return drafts.changes(None if before is None else _facets(before), after)


def reward_text(programme: ReferralProgramme) -> str:
    """Return what the referrer is given, for people."""
    if programme.reward == RewardKind.POINTS:
        return gettext("%(points)s points") % {"points": formats.points(programme.points or 0)}
    if programme.coupon_template is not None:
        return name_of(programme.coupon_template)
    return formats.money(programme.amount)


def _facets(programme: ReferralProgramme) -> list[tuple[str, str]]:
    return [(_name(term), _shown(programme, term)) for term in TERMS]


def _name(term: str) -> str:
    return str(getattr(ReferralProgramme._meta.get_field(term), "verbose_name", term))


def _shown(programme: ReferralProgramme, term: str) -> str:
    value = getattr(programme, f"get_{term}_display", lambda: getattr(programme, term))()
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, CouponTemplate):
        return name_of(value)
    return "" if value is None else formats.plain(value)


def _checked(terms: Mapping[str, Any]) -> dict[str, Any]:
    """Return terms as a request keeps them, with the one reward that they name.

    Raises: ReferralTermsError.
    """
    wanted = _OF_REWARD[terms["reward"]]
    if not terms[wanted]:
        raise ReferralTermsError(
            "reward_missing", _("Say what the referrer is given."), field=wanted
        )
    if terms["link"] and CODE_IN_LINK not in terms["link"]:
        message = _("The link has to hold {code} where the code belongs.")
        raise ReferralTermsError("link_without_code", message, field="link")
    dropped = set(_OF_REWARD.values()) - {wanted}
    return {term: None if term in dropped else _plain(term, terms[term]) for term in TERMS}


def _plain(term: str, value: Any) -> Any:
    if isinstance(value, CouponTemplate):
        return value.code
    return str(value) if term in _AMOUNTS and value is not None else value


def _programme(said: Mapping[str, Any]) -> ReferralProgramme:
    codes = [said[term] for term in _TEMPLATES if said[term]]
    templates = {row.code: row for row in CouponTemplate.objects.filter(code__in=codes)}
    values = {
        term: templates[value] if term in _TEMPLATES and value
        else Decimal(value) if term in _AMOUNTS and value is not None
        else value
        for term, value in said.items()
    }  # fmt: skip
    return ReferralProgramme(**values)
