"""Everything that is kept of one person, for that person: readable by people and by machines.

Source: MEM-12; PIPL art. 45.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import orjson
from django.db.models import F, QuerySet

from members.models import (
    Case,
    Consent,
    Interaction,
    Member,
    MemberEvent,
    MemberProfile,
    Order,
    OrderLine,
    Refund,
)
from members.services import identity, profile
from rewards.models import Coupon, Entry, Lot, PointsAccount, Redemption
from rewards.services import redeeming
from tiers.models import Entitlement, Standing

FORMAT: Final = "loyalty-own-data/1"

Rows = QuerySet[Any, dict[str, Any]]
Reader = Callable[[Sequence[int]], Rows]


def _of(model: Any, *columns: str, order: str = "id", **renamed: str) -> Reader:
    """Return what reads these columns of a person's rows."""

    def read(line: Sequence[int]) -> Rows:
        rows: Rows = (
            model.objects.filter(member__in=line)
            .order_by(order)
            .values(*columns, **{new: F(old) for new, old in renamed.items()})
        )
        return rows

    return read


PARTS: Final[Mapping[str, Reader]] = {
    "consents": _of(Consent, "purpose", "channel", "granted", "text_version", "given_at"),
    "orders": _of(
        Order, "source", "order_no", "placed_at", "status", "channel", "currency", "net_amount",
        in_store="store__code",
    ),
    "order_lines": _of(
        OrderLine, "line_no", "sku", "category", "brand", "quantity", "amount",
        of_order="order__order_no",
    ),
    "refunds": _of(Refund, "refund_no", "refunded_at", "amount", of_order="order__order_no"),
    "interactions": _of(
        Interaction, "source", "ref", "kind", "occurred_at", "data", order="occurred_at"
    ),
    "points_accounts": _of(
        PointsAccount, "kind", "pending", "available", "reserved", "debt", "earned", "redeemed",
        "expired", "reversed",
    ),
    "points_lots": _of(Lot, "points", "remaining", "available_at", "expires_at"),
    "points_entries": _of(
        Entry, "seq", "target", "points", "reason", "occurred_at", "recorded_at",
        of_order="order__order_no", by_rule="rule__rule__code", from_bucket="source",
    ),
    "tiers": _of(Standing, "from_at", "ended_at", "kept_until_on", "reason", in_tier="tier__code"),
    "benefits": _of(
        Entitlement, "quota", "period", "from_at", "until_at", of_benefit="benefit__code"
    ),
    "coupons": _of(
        Coupon, "code", "issued_at", "expires_at", "used", "revoked_at",
        of_template="template__code",
    ),
    "cases": _of(Case, "code", "state", "opened_at", "closed_at"),
    "events": _of(MemberEvent, "kind", "occurred_at", "recorded_at"),
}  # fmt: skip


Part = Callable[[Sequence[int]], Sequence[Mapping[str, Any]]]
_more: dict[str, Part] = {}


def register(name: str, read: Part) -> None:
    """Let an app above add what it keeps of a person; a second time replaces the first.

    It is given the member and all that were merged into it.
    """
    _more[name] = read


def gather(*, member: Member, at: datetime) -> dict[str, Any]:
    """Return everything of a member, and of those who were merged into them."""
    line = identity.lineage(member.pk)
    return {
        "format": FORMAT,
        "made_at": at,
        "member": {
            "id": member.public_id,
            "card_number": member.card_number,
            "status": member.status,
            "joined_at": member.joined_at,
            "channel": member.channel,
        },
        "person": asdict(profile.read(member.pk)),
        "attributes": dict(
            MemberProfile.objects.filter(member__in=line).values_list("member_id", "attributes")
        ).get(member.pk, {}),
        "identifiers": [
            {"kind": each.kind, "app": each.app, "value": each.value, "since": each.since}
            for found in profile.read_identifiers(line).values()
            for each in found
        ],
        "redemptions": _redemptions(line),
        **{name: list(read(line)) for name, read in PARTS.items()},
        **{name: list(read(line)) for name, read in _more.items()},
    }


def _redemptions(line: Sequence[int]) -> list[dict[str, Any]]:
    rows = list(Redemption.objects.filter(member__in=line).select_related("reward").order_by("id"))
    addresses = redeeming.addresses_of(rows)
    return [
        {
            "id": row.public_id, "reward": row.reward.code, "quantity": row.quantity,
            "points": row.points, "status": row.status, "requested_at": row.requested_at,
            "address": addresses.get(row.pk),
        }
        for row in rows
    ]  # fmt: skip


def as_json(data: Mapping[str, Any]) -> bytes:
    """Return the data as a file: JSON, with indentation, in UTF-8."""
    return orjson.dumps(data, default=_plain, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)


def _plain(value: object) -> str:
    if isinstance(value, Decimal | UUID | date):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in the file")
