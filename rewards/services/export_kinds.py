"""Which lists staff may take out, and what their columns are.

No personal value is in any of them: names are masked, identifiers are not there.

Source: MEM-08, LEG-09.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from config.base import clock
from config.base.names import name_of
from members.models import Member, Order, Prospect
from members.models.identity import MemberStatus
from rewards import words
from rewards.domain.spreadsheet import Cell
from rewards.models import Coupon, Entry, PointsAccount, Redemption, Stock
from tiers.models import Standing, Tier

FETCHED_AT_ONCE: Final = 2_000

Label = str | Promise


@dataclass(frozen=True, slots=True)
class ExportKind:
    """One list: its columns, its rows as tuples, and what gives each row its day."""

    title: Label
    permission: str
    columns: Sequence[Label]
    rows: Callable[[], QuerySet[Any, tuple[Any, ...]]]
    dated_by: str
    shown: Callable[[tuple[Any, ...]], Sequence[Cell]]

    def within(self, since: date | None, until: date | None) -> QuerySet[Any, tuple[Any, ...]]:
        """Return the rows of local days, both ends included; of all days where none is said."""
        rows = self.rows()
        if self.dated_by and since is not None:
            rows = rows.filter(**{f"{self.dated_by}__gte": clock.day_start(since)})
        if self.dated_by and until is not None:
            end = clock.day_start(until + timedelta(days=1))
            rows = rows.filter(**{f"{self.dated_by}__lt": end})
        return rows

    def cells(self, rows: QuerySet[Any, tuple[Any, ...]]) -> Iterator[Sequence[Cell]]:
        """Yield the rows as cells, a few thousand in memory at most."""
        for row in rows.iterator(chunk_size=FETCHED_AT_ONCE):
            yield self.shown(row)


def _local(at: datetime | None) -> datetime | None:
    """Return a wall clock reading without a zone: spreadsheets know none."""
    return None if at is None else at.astimezone(clock.zone()).replace(tzinfo=None)


def _tier_names() -> Mapping[int, str]:
    return {tier.pk: name_of(tier) for tier in Tier.objects.all()}


def _members() -> QuerySet[Any, tuple[Any, ...]]:
    accounts = PointsAccount.objects.filter(member=OuterRef("pk"), kind="points")
    open_standing = Standing.objects.filter(member=OuterRef("pk"), ended_at__isnull=True)
    return (
        Member.objects.order_by("pk")
        .annotate(
            tier_name=Subquery(open_standing.values("tier__name_zh")[:1]),
            kept_until=Subquery(open_standing.values("kept_until_on")[:1]),
            **{
                f"points_{name}": Subquery(accounts.values(name)[:1])
                for name in ("available", "pending", "debt")
            },
        )
        .values_list(
            "card_number", "profile__name_mask", "status", "tier_name", "kept_until", "joined_at",
            "channel", "home_store__code", "points_available", "points_pending", "points_debt",
        )
    )  # fmt: skip


def _member_cells(row: tuple[Any, ...]) -> Sequence[Cell]:
    card, name, status, tier, kept_until, joined_at, *rest = row
    return (
        card, name or "", str(MemberStatus(status).label), tier, kept_until, _local(joined_at),
        *rest,
    )  # fmt: skip


def _orders() -> QuerySet[Any, tuple[Any, ...]]:
    return Order.objects.order_by("pk").values_list(
        "source", "order_no", "member__card_number", "placed_at", "status", "channel",
        "store__code", "currency", "sold_amount", "net_amount",
    )  # fmt: skip


def _dated_at(place: int) -> Callable[[tuple[Any, ...]], Sequence[Cell]]:
    def shown(row: tuple[Any, ...]) -> Sequence[Cell]:
        return (*row[:place], _local(row[place]), *row[place + 1 :])

    return shown


def _entries() -> QuerySet[Any, tuple[Any, ...]]:
    return (
        Entry.objects.order_by("pk")
        .annotate(card=F("member__card_number"))
        .values_list(
            "id", "card", "seq", "occurred_at", "recorded_at", "source", "target", "points",
            "reason", "order__order_no", "rule__rule__code", "rule__number", "actor",
        )
    )  # fmt: skip


def _entry_cells(row: tuple[Any, ...]) -> Sequence[Cell]:
    number, card, seq, occurred_at, recorded_at, source, target, points, *rest = row
    return (
        number, card, seq, _local(occurred_at), _local(recorded_at),
        str(words.movement(source, target)), words.change(source, target, points), points, *rest,
    )  # fmt: skip


def _redemptions() -> QuerySet[Any, tuple[Any, ...]]:
    return Redemption.objects.order_by("pk").values_list(
        "public_id", "member__card_number", "requested_at", "reward__code", "reward__name_zh",
        "quantity", "points", "status",
    )  # fmt: skip


def _redemption_cells(row: tuple[Any, ...]) -> Sequence[Cell]:
    return (str(row[0]), row[1], _local(row[2]), *row[3:])


def _coupons() -> QuerySet[Any, tuple[Any, ...]]:
    return Coupon.objects.order_by("pk").values_list(
        "public_id", "template__code", "template__name_zh", "member__card_number", "issued_at",
        "expires_at", "used", "max_uses", "revoked_at",
    )  # fmt: skip


def _coupon_cells(row: tuple[Any, ...]) -> Sequence[Cell]:
    return (
        str(row[0]), *row[1:4], _local(row[4]), _local(row[5]), row[6], row[7], _local(row[8])
    )  # fmt: skip


def _stock() -> QuerySet[Any, tuple[Any, ...]]:
    return Stock.objects.order_by("pk").values_list(
        "reward__code", "reward__name_zh", "slot__code", "tier__code", "on_hand", "held"
    )


def _prospects() -> QuerySet[Any, tuple[Any, ...]]:
    """Return prospects that are still known; how they can be reached is in no list."""
    return Prospect.objects.known().order_by("pk").values_list(
        "public_id", "source", "interest_kind", "interest", "language", "created_at",
        "consented_at", "consent_version", "opted_out_at", "converted_at", "expires_at",
    )  # fmt: skip


def _prospect_cells(row: tuple[Any, ...]) -> Sequence[Cell]:
    return (str(row[0]), *(_local(each) if isinstance(each, datetime) else each
                           for each in row[1:]))  # fmt: skip


_CARD, _POINTS, _STATUS = _("card number"), _("points"), _("status")

KINDS: Final[Mapping[str, ExportKind]] = {
    "members": ExportKind(
        _("Members"), "members.view_member",
        (
            _CARD, pgettext_lazy("person", "name"), _STATUS, _("tier"), _("kept until"),
            _("joined at"), _("channel"), _("store"), _("available"), _("pending"), _("debt"),
        ),
        _members, "joined_at", _member_cells,
    ),
    "orders": ExportKind(
        _("Orders"), "members.view_order",
        (
            _("source"), _("order number"), _CARD, _("placed at"), _STATUS, _("channel"),
            _("store"), _("currency"), _("sold"), _("net amount"),
        ),
        _orders, "placed_at", _dated_at(3),
    ),
    "entries": ExportKind(
        _("Entries"), "rewards.view_entry",
        (
            _("number"), _CARD, _("sequence"), _("occurred at"), _("recorded at"), _("movement"),
            _("change of the balance"), _POINTS, _("reason"), _("order number"), _("earning rule"),
            _("version"), _("actor"),
        ),
        _entries, "recorded_at", _entry_cells,
    ),
    "redemptions": ExportKind(
        _("Redemptions"), "rewards.view_redemption",
        (
            _("redemption id"), _CARD, _("requested at"), _("reward"), _("name"), _("quantity"),
            _POINTS, _STATUS,
        ),
        _redemptions, "requested_at", _redemption_cells,
    ),
    "coupons": ExportKind(
        _("Coupons"), "rewards.view_coupon",
        (
            _("coupon id"), _("coupon template"), _("name"), _CARD, _("issued at"),
            _("expires at"), _("used"), _("uses"), _("revoked at"),
        ),
        _coupons, "issued_at", _coupon_cells,
    ),
    "stock": ExportKind(
        _("Stock"), "rewards.view_stock",
        (
            _("reward"), _("name"), _("slot"), _("kept for tier"), _("on hand"), _("held"),
        ),
        _stock, "", tuple,
    ),
    "prospects": ExportKind(
        _("Prospects"), "members.view_prospect",
        (
            _("prospect id"), _("source"), _("kind of interest"), _("interest"), _("language"),
            _("entered at"), _("agreed at"), _("text version"), _("opted out at"),
            _("joined at"), _("kept until"),
        ),
        _prospects, "created_at", _prospect_cells,
    ),
}  # fmt: skip
