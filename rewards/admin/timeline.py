"""Points in the member's timeline: every movement with why it was so many, fit to be read out."""

from collections.abc import Sequence
from typing import Final

from django.urls import reverse
from django.utils import formats as dates
from django.utils.translation import gettext

from config.base import clock
from config.base.admin import formats
from config.base.panels import Visit
from config.base.timeline import Item, Source, Window
from members.admin.timeline import by_staff
from rewards import balances
from rewards.admin.panels import EntryRow, rows_of
from rewards.models import Entry


def entries(visit: Visit, window: Window) -> Sequence[Item]:
    """Return the movements of the member's points by business time.

    Source: MEM-09, PTS-04.
    """
    rows = Entry.objects.filter(
        window.query("occurred_at"),
        account__member_id=visit.subject.pk,
        account__kind=balances.POINTS,
    ).select_related("fact", "rule__rule", "order", "interaction", "lot")
    found = list(rows.order_by("-occurred_at", "-pk")[: window.limit])
    return [_item(row) for row in rows_of(visit, found)]


def _item(row: EntryRow) -> Item:
    entry = row.entry
    title = f"{row.title} · {row.rule}" if row.rule else row.title
    why = why_of(row)
    return Item(
        at=entry.occurred_at,
        id=entry.pk,
        kind="points",
        title=title,
        details=[text for text in (row.reason, _order_no(entry)) if text],
        change=formats.signed(row.change) if row.change else formats.points(entry.points),
        tone="plus" if row.change > 0 else "minus" if row.change < 0 else "",
        why=why,
        copy=for_customer(row, why),
        url=reverse("admin:rewards_entry_change", args=[entry.pk]),
        actor=by_staff(entry.actor),
    )


def why_of(row: EntryRow) -> list[str]:
    """Return why so many points moved: rule, base and factor, cap, rounding, validity."""
    entry, lines = row.entry, list(row.why)
    if entry.rule is not None:
        lines.append(
            gettext("Rule “%(rule)s”, version %(number)d; rounded down to whole points.")
            % {"rule": row.rule, "number": entry.rule.number}
        )
    elif not lines:
        lines.append(gettext("%(what)s: %(reason)s.") % {"what": row.title, "reason": row.reason})
    lot = getattr(entry, "lot", None)
    if lot is not None and lot.expires_at is not None:
        day = balances.last_valid_day(lot.expires_at)
        lines.append(gettext("Valid to the end of %(day)s.") % {"day": day})
    return lines


def for_customer(row: EntryRow, why: Sequence[str]) -> str:
    """Return a text about one movement that an agent can send to the member as it is."""
    entry = row.entry
    day = dates.date_format(clock.local_day(entry.occurred_at), "Y-m-d")
    order = _order_no(entry)
    told = {
        "day": day,
        "points": formats.points(entry.points),
        "what": row.title,
        "order": gettext(" (order %(order)s)") % {"order": order} if order else "",
        "why": " ".join(why),
    }
    return (
        gettext(
            "Hello! On %(day)s, %(points)s points: %(what)s%(order)s. %(why)s"
            " If anything is unclear, we are glad to help."
        )
        % told
    )


def _order_no(entry: Entry) -> str:
    return entry.order.order_no if entry.order else ""


ENTRIES: Final = Source("entries", frozenset({"points"}), entries, "rewards.view_entry")
