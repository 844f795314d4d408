"""The small programme on a real database, told in the words of the plain reference."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from members.models import Member
from rewards.domain.cart import Line, RefundLine
from rewards.domain.submission import (
    InteractionFact,
    MemberRef,
    OrderFact,
    RefundFact,
    Submission,
    Tender,
)
from rewards.models import Entry, Lot, PointsAccount, Reservation
from rewards.services import adjustment, due, enrolment, intake, presets, reservation
from rewards.services.answers import Outcome
from rewards.services.joining_requests import EnrolmentRequest
from tests.engine.reference import PROGRAMME, Fact
from tiers.models import ProgressEntry, Standing


class StoredShop:
    """Members with an account in the database."""

    def __init__(self, people: Sequence[str], joined: datetime) -> None:
        presets.load(preset=PROGRAMME, at=joined)
        requests = [EnrolmentRequest(identifiers=(("external", name, ""),)) for name in people]
        made = enrolment.enrol_members(requests, touchpoint=None, at=joined)
        ids = [each.member_id for each in made]
        members = Member.objects.in_bulk(ids)
        self.people = {name: members[pk] for name, pk in zip(people, ids, strict=True) if pk}
        self.held: dict[int, Reservation] = {}
        self.now = joined

    def receive(self, facts: Sequence[Fact], *, history: bool = False) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for channel in dict.fromkeys(fact.channel for fact in facts):
            some = [self.submission(fact) for fact in facts if fact.channel == channel]
            outcomes += intake.receive(
                some, touchpoint=None, at=self.now, channel=channel, history=history
            )
        return outcomes

    def submission(self, fact: Fact) -> Submission:
        ref = MemberRef(public_id=self.people[fact.member].public_id) if fact.member else None
        if fact.kind == "interaction":
            return InteractionFact("app", fact.ref, ref, fact.done, fact.placed)
        if fact.kind == "refund":
            assert fact.own is not None
            back = tuple(RefundLine(number, 1000, amount) for number, amount in fact.back)
            return RefundFact(
                "shop", fact.ref, fact.refund_no, fact.own, back, fact.amount, fact.points
            )
        lines = tuple(
            Line(number, f"sku-{number}", kind, None, None, 1000, amount, earns=earns)
            for number, kind, amount, earns in fact.lines
        )
        held = self.held.get(fact.hold or 0)
        return OrderFact(
            "shop", fact.ref, fact.version, fact.own if fact.version > 1 else None, ref,
            fact.status, fact.placed, "CNY", lines,
            (Tender("points", fact.in_points),) if fact.in_points else (),
            reservation=None if held is None else held.public_id,
        )  # fmt: skip

    def run_due(self) -> None:
        due.settle_due(at=self.now, recorded_at=self.now)

    def settle(self) -> None:
        """Settle every member up to now, due or not."""
        ids = [member.pk for member in self.people.values()]
        due.settle_members(members=ids, at=self.now, recorded_at=self.now)

    def hold(self, name: str, key: int, points: int, ends_at: datetime) -> None:
        ttl: timedelta = ends_at - self.now
        self.held[key] = reservation.hold(
            member=self.people[name].pk, points=points, ttl=ttl, at=self.now, actor="till"
        )

    def capture(self, key: int, points: int | None) -> None:
        reservation.capture(
            reservation=self.held[key].public_id, points=points, at=self.now, actor="till"
        )

    def release(self, key: int) -> None:
        reservation.release(reservation=self.held[key].public_id, at=self.now, actor="till")

    def adjust(self, name: str, points: int) -> None:
        adjustment.adjust(
            member=self.people[name].pk, points=points, reason="sorry", at=self.now,
            actor="staff:eve", limit_points=None,
        )  # fmt: skip

    # What is stored

    def report(self, name: str) -> dict[str, Any]:
        member = self.people[name]
        account = PointsAccount.objects.get(member=member)
        left: dict[datetime, int] = {}
        for lot in Lot.objects.filter(member=member, remaining__gt=0):
            assert lot.expires_at is not None
            left[lot.expires_at] = left.get(lot.expires_at, 0) + lot.remaining
        return {
            "points": self.points(member),
            "balance": (account.pending, account.available, account.reserved, account.debt),
            "gone": (account.redeemed, account.expired, -account.adjusted),
            "lots": left,
            "standings": self.standings(member),
            "progress": self.progress(member),
        }

    @staticmethod
    def points(member: Member) -> dict[tuple[str, str], int]:
        posted: dict[tuple[str, str], int] = {}
        entries = Entry.objects.filter(member=member, rule__isnull=False)
        for row in entries.values_list(
            "order__order_no", "interaction__ref", "rule__rule__code", "source", "target", "points"
        ):
            order, done, rule, source, target, points = row
            key = (order or done, rule)
            if source == "issuance":
                posted[key] = posted.get(key, 0) + points
            elif target == "reversed":
                posted[key] = posted.get(key, 0) - points
        return {key: points for key, points in posted.items() if points}

    @staticmethod
    def standings(member: Member) -> list[tuple[Any, ...]]:
        rows = Standing.objects.filter(member=member).order_by("from_at", "id")
        fields = ("tier__rank", "from_at", "ended_at", "reason", "kept_until_on")
        return list(rows.values_list(*fields))

    @staticmethod
    def progress(member: Member) -> dict[str, int]:
        sums: dict[str, int] = {}
        rows = ProgressEntry.objects.filter(member=member).exclude(metric="points_earned")
        for metric, amount in rows.values_list("metric", "amount"):
            units = 100 if metric == "spend" else 1
            sums[metric] = sums.get(metric, 0) + int(amount * units)
        return {metric: amount for metric, amount in sums.items() if amount}
