"""Giving what grant rules give, and taking it back: the unique row of the grant decides.

Whoever calls holds the members' locks. What a grant holds is given all or not at all: a gift whose
goods or coupons have run out waits, and is tried again by the due run.

Source: RWD-10, ENG-06, RWD-04, design §3 (grants).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from django.db import connection, transaction

from config.base.errors import DomainError
from members.domain.public_id import new_public_id
from members.models import Case
from members.services import events
from members.services.events import NewEvent
from rewards.domain.grants import Wanted
from rewards.models import GiftItem, Grant
from rewards.models.grant import GiftKind, GrantStatus
from rewards.services import accounts, coupons, gifts, redemption
from tiers.models import EntitlementSource
from tiers.services import entitlements

Item = dict[str, Any]

WAITING: Final = "waiting"
KEPT: Final = "kept"
TO_RETURN: Final = "gift_to_return"

# A grant that was taken back whole may be given again when what it follows from is true again; one
# of which something was used is never given twice.
_GRANT = f"""
INSERT INTO rewards_grant AS g (public_id, member_id, rule_id, version_id, step_id, occurrence,
                                status, order_id, evidence, given_at, revoke_reason)
SELECT t.public_id, t.member, t.rule, t.version, t.step, t.occurrence, 'given', t."order",
       t.evidence::jsonb, %(at)s, ''
FROM json_to_recordset(%(rows)s::json) AS t (
    public_id uuid, member bigint, rule bigint, version bigint, step bigint, occurrence text,
    "order" bigint, evidence text)
ON CONFLICT (member_id, rule_id, occurrence) DO UPDATE
SET status = 'given', revoked_at = NULL, revoke_reason = '', version_id = EXCLUDED.version_id,
    step_id = EXCLUDED.step_id, order_id = EXCLUDED.order_id, evidence = EXCLUDED.evidence,
    given_at = EXCLUDED.given_at
WHERE g.status = 'revoked' AND NOT g.evidence ? '{KEPT}'
RETURNING id
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Given:
    """A grant that has just been given, with what its answer says was issued."""

    grant: Grant
    issued: list[Item]

    @property
    def moved_points(self) -> bool:
        """Say whether points were given."""
        return any(item["kind"] == GiftKind.POINTS for item in self.issued)


def give(wanted: Sequence[Wanted], *, at: datetime, actor: str) -> list[Given]:
    """Give what is wanted and was not given before, in a fixed order."""
    unique = {(each.member, each.spec.rule, each.occurrence): each for each in wanted}
    if not unique:
        return []
    rows = [_row(each, at) for each in unique.values()]
    with connection.cursor() as cursor:
        cursor.execute(_GRANT, {"rows": orjson.dumps(rows).decode(), "at": at})
        ids = [row[0] for row in cursor.fetchall()]
    grants = Grant.objects.filter(pk__in=ids).select_related("rule")
    return give_items(list(grants.order_by("rule_id", "step__threshold", "member_id")), at, actor)


def _row(wanted: Wanted, at: datetime) -> dict[str, Any]:
    return {
        "public_id": str(new_public_id(at)),
        "member": wanted.member,
        "rule": wanted.spec.rule,
        "version": wanted.spec.key,
        "step": wanted.step.key,
        "occurrence": wanted.occurrence,
        "order": wanted.order,
        "evidence": orjson.dumps(dict(wanted.evidence)).decode(),
    }


def give_items(grants: Sequence[Grant], at: datetime, actor: str) -> list[Given]:
    """Give what the grants hold; what cannot be given now waits."""
    items = _items_of(grants)
    given = [
        Given(grant, _give_one(grant, items.get(grant.step_id, []), at, actor)) for grant in grants
    ]
    events.append([_event("grant.given", each.grant, at, actor) for each in given])
    return given


def _items_of(grants: Iterable[Grant]) -> dict[int | None, list[GiftItem]]:
    found: dict[int | None, list[GiftItem]] = {}
    steps = {grant.step_id for grant in grants}
    rows = GiftItem.objects.filter(step_id__in=steps).order_by("id") if steps else ()
    for item in rows and rows.select_related("coupon_template", "reward", "benefit"):
        found.setdefault(item.step_id, []).append(item)
    return found


def _give_one(grant: Grant, items: Sequence[GiftItem], at: datetime, actor: str) -> list[Item]:
    needs_account = any(item.kind == GiftKind.POINTS for item in items)
    account = accounts.in_hand(member=grant.member_id, at=at, actor=actor)
    try:
        with transaction.atomic(), account if needs_account else nullcontext() as hand:
            return gifts.give_items(
                items=items, member=grant.member_id, at=at, actor=actor, account_command=hand,
                grant=grant,
            )  # fmt: skip
    except DomainError as error:
        grant.evidence = {**grant.evidence, WAITING: error.code}
        grant.save(update_fields=["evidence"])
        return []


def retry_waiting(*, grants: Collection[int], at: datetime, actor: str) -> list[Given]:
    """Try again to give what grants hold that wait; their members are locked by the caller."""
    rows = Grant.objects.filter(pk__in=grants, status=GrantStatus.GIVEN, evidence__has_key=WAITING)
    waiting = list(rows.select_for_update(of=("self",), no_key=True).order_by("pk"))
    for grant in waiting:
        grant.evidence = {k: v for k, v in grant.evidence.items() if k != WAITING}
    Grant.objects.bulk_update(waiting, ["evidence"])
    return give_items(waiting, at, actor)


def revoke(
    grants: Sequence[Grant],
    *,
    reason: str,
    at: datetime,
    actor: str,
    facts: Mapping[int, int] | None = None,
    asks_return: bool = True,
) -> set[int]:
    """Take back what grants gave and is unused; what is used already opens a case.

    `facts` are what the case of a grant's member is about. Where nothing is to be returned, because
    something better took the gift's place, there is no case. Returns whose points it has moved.
    Source: RWD-04, design §5.4 (3).
    """
    if not grants:
        return set()
    used = _take_back(grants, at, actor)
    moved = _take_points_back(grants, at, actor)
    for grant in grants:
        grant.status, grant.revoked_at, grant.revoke_reason = GrantStatus.REVOKED, at, reason
        if used[grant.pk]:
            grant.evidence = {**grant.evidence, KEPT: used[grant.pk]}
    Grant.objects.bulk_update(grants, ["status", "revoked_at", "revoke_reason", "evidence"])
    events.append([_event("grant.revoked", grant, at, actor) for grant in grants])
    if asks_return:
        Case.objects.bulk_create(
            Case(
                member_id=grant.member_id,
                code=TO_RETURN,
                fact_id=(facts or {}).get(grant.member_id),
                details={"grant": str(grant.public_id), "used": used[grant.pk], "reason": reason},
                opened_at=at,
            )
            for grant in grants
            if used[grant.pk]
        )
    return moved


def _take_back(grants: Sequence[Grant], at: datetime, actor: str) -> dict[int, list[Item]]:
    """Take back what is unused of each grant; returns what was used of each."""
    ids = [grant.pk for grant in grants]
    used: dict[int, list[Item]] = {pk: [] for pk in ids}
    _count, coupons_used = coupons.revoke_of_grants(grants=ids, at=at, actor=actor)
    for coupon in coupons_used:
        used[coupon.grant_id or 0].append({"kind": "coupon", "id": coupon.pk})
    _count, fulfilled = redemption.revoke_of_grants(grants=ids, at=at, actor=actor)
    for redeemed in fulfilled:
        used[redeemed.grant_id or 0].append({"kind": "reward", "id": str(redeemed.public_id)})
    items = _items_of(grants)
    by_ref = {
        gifts.reference(item, grant=grant): grant.pk
        for grant in grants
        for item in items.get(grant.step_id, ())
        if item.kind == GiftKind.BENEFIT
    }
    _count, benefits_used = entitlements.end_of(
        source=EntitlementSource.GRANT,
        refs=list(by_ref),
        at=at,
        actor=actor,
        reason=entitlements.REVOKED,
    )
    for entitlement in benefits_used:
        used[by_ref[entitlement.source_ref]].append(
            {"kind": "benefit", "benefit": entitlement.benefit.code}
        )
    return used


def _take_points_back(grants: Sequence[Grant], at: datetime, actor: str) -> set[int]:
    """Take the points of gifts back; what has been spent becomes debt. Returns whose they were."""
    items, moved = _items_of(grants), set[int]()
    for grant in grants:
        points = _points(items.get(grant.step_id, ()))
        if points and WAITING not in grant.evidence:
            with accounts.in_hand(member=grant.member_id, at=at, actor=actor) as hand:
                hand.account.fall(hand.grounds("gift_revoked"), points, at)
            moved.add(grant.member_id)
    return moved


def _points(items: Iterable[GiftItem]) -> int:
    return sum(item.quantity or 0 for item in items if item.kind == GiftKind.POINTS)


def _event(kind: str, grant: Grant, at: datetime, actor: str) -> NewEvent:
    payload = {
        "grant": str(grant.public_id), "rule": grant.rule.code, "occurrence": grant.occurrence,
    }  # fmt: skip
    if WAITING in grant.evidence:
        payload[WAITING] = grant.evidence[WAITING]
    return NewEvent(grant.member_id, kind, at, at, payload, actor)
