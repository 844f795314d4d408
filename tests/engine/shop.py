"""Short sentences for worked examples: a shop, its members, and what they do, day by day.

Everything goes through the services on a real database. Amounts are whole units of the currency
unless they are text ("9.99"); days count from 2 March 2026, a Monday, at local noon.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from config.base import money
from members.models import Case, Channel, Member, MemberStatus, ReceivedFact, Touchpoint
from rewards.domain.cart import Line, RefundLine
from rewards.domain.submission import InteractionFact, MemberRef, OrderFact, RefundFact, Tender
from rewards.models import Entry, Lot, PointsAccount, Reservation
from rewards.presets import PRESETS
from rewards.services import adjustment, due, enrolment, intake, presets, reservation
from rewards.services.answers import Outcome
from rewards.services.joining_requests import EnrolmentRequest
from tests.factories import members as people
from tiers.models import ProgressEntry, Standing

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
Amount = int | str
Who = Member | MemberRef | None


def day(number: float) -> datetime:
    """Return local noon of a day."""
    return NOON + timedelta(days=number)


def minor(amount: Amount) -> int:
    """Return an amount in minor units."""
    return money.to_minor(str(amount))


def line(number: int, amount: Amount, kind: str = "goods", **values: Any) -> Line:
    """Return a line of one piece."""
    return Line(number, f"sku-{number}", kind, None, None, 1000, minor(amount), **values)


def back(number: int, amount: Amount) -> RefundLine:
    """Return what comes back of one line."""
    return RefundLine(number, 1000, minor(amount))


def unknown(value: str) -> MemberRef:
    """Name somebody by an identifier that may lead to nobody."""
    return MemberRef(kind="external", value=value)


class Shop:
    """A shop with a programme; `now` is when things are received."""

    def __init__(self, preset: str = "classic", channel: str = Channel.POS) -> None:
        self.now = day(0)
        presets.load(preset=PRESETS[preset], at=self.now)
        self.touchpoint: Touchpoint | None = people.touchpoint(channel=channel, created_at=self.now)

    def join(self, name: str, at: float = 0) -> Member:
        """Enrol a member under an external id, on a day."""
        request = EnrolmentRequest(identifiers=(("external", name, ""),))
        (made,) = enrolment.enrol_members([request], touchpoint=self.touchpoint, at=day(at))
        assert made.member_id is not None
        return Member.objects.get(pk=made.member_id)

    # Facts

    def send(self, *facts: Any, at: float | None = None, history: bool = False) -> list[Outcome]:
        """Send facts as one batch, received on a day; the shop's day never goes back."""
        self.now = max(self.now, self.now if at is None else day(at))
        return intake.receive(facts, touchpoint=self.touchpoint, at=self.now, history=history)

    def buy(self, who: Who, number: str, *amounts: Amount, on: float, **values: Any) -> Outcome:
        """Send an order of goods; received on the day it was placed or changed, or `at`."""
        at = values.pop("at", values.get("changed", on))
        (outcome,) = self.send(order(who, number, *amounts, on=on, **values), at=at)
        return outcome

    def give_back(self, number: str, refund_no: str, *, on: float, **values: Any) -> Outcome:
        """Send a refund, of all that is left if nothing is said; received that day, or `at`."""
        at = values.pop("at", on)
        (outcome,) = self.send(refund(number, refund_no, on=on, **values), at=at)
        return outcome

    def do(self, who: Who, ref: str, kind: str, *, on: float) -> Outcome:
        """Send an interaction."""
        (outcome,) = self.send(interaction(who, ref, kind, on=on), at=on)
        return outcome

    # Commands and time

    def pass_time(self, to: float) -> None:
        """Let the scheduler do everything that is due by a day."""
        self.now = max(self.now, day(to))
        due.settle_due(at=self.now, recorded_at=self.now)

    def hold(self, who: Member, points: int, *, on: float, days: float = 1) -> Reservation:
        """Hold points."""
        self.now = max(self.now, day(on))
        ttl = timedelta(days=days)
        return reservation.hold(member=who.pk, points=points, ttl=ttl, at=self.now, actor="till")

    def adjust(self, who: Member, points: int, *, on: float) -> None:
        """Give or take points by hand."""
        self.now = max(self.now, day(on))
        adjustment.adjust(
            member=who.pk, points=points, reason="sorry", at=self.now, actor="staff:eve",
            limit_points=None,
        )  # fmt: skip

    def set_status(self, who: Member, status: MemberStatus) -> None:
        """Freeze or close a member."""
        Member.objects.filter(pk=who.pk).update(status=status)

    # What has become of it

    def points(self, who: Member) -> dict[str, int]:
        """Return what the ledger has posted, net, per order (or interaction) and rule."""
        posted: dict[str, int] = {}
        for entry in Entry.objects.filter(member=who).select_related("order", "rule__rule"):
            if entry.rule is None or (entry.source != "issuance" and entry.target != "reversed"):
                continue
            whose = entry.order.order_no if entry.order else f"#{entry.interaction_id}"
            key = f"{whose} {entry.rule.rule.code}"
            sign = 1 if entry.source == "issuance" else -1
            posted[key] = posted.get(key, 0) + sign * entry.points
        return {key: points for key, points in sorted(posted.items()) if points}

    def balance(self, who: Member) -> tuple[int, int, int, int]:
        """Return pending, available, reserved, debt."""
        account = PointsAccount.objects.get(member=who)
        return account.pending, account.available, account.reserved, account.debt

    def counters(self, who: Member) -> dict[str, int]:
        """Return the lifetime counters that are not 0."""
        account = PointsAccount.objects.get(member=who)
        names = ("earned", "redeemed", "expired", "reversed", "adjusted")
        return {name: value for name in names if (value := getattr(account, name))}

    def lots(self, who: Member) -> list[tuple[str, int]]:
        """Return the last valid day and what is left of every lot with something left."""
        lots = Lot.objects.filter(member=who, remaining__gt=0).order_by("expires_at", "earned_at")
        ends = [(lot.expires_at - timedelta(hours=1), lot) for lot in lots if lot.expires_at]
        return [((end + timedelta(hours=8)).date().isoformat(), lot.remaining) for end, lot in ends]

    def tier(self, who: Member) -> str:
        """Return the code of the open standing's tier."""
        return Standing.objects.get(member=who, ended_at=None).tier.code

    def standings(self, who: Member) -> list[tuple[str, str, str]]:
        """Return tier, local day of the beginning and reason of every standing."""
        rows = Standing.objects.filter(member=who).order_by("from_at", "id").select_related("tier")
        return [
            (
                row.tier.code,
                (row.from_at + timedelta(hours=8)).date().isoformat(),
                str(row.reason),
            )
            for row in rows
        ]

    def kept_until(self, who: Member) -> str:
        """Return the last day that the open standing is kept for."""
        return str(Standing.objects.get(member=who, ended_at=None).kept_until_on)

    def progress(self, who: Member) -> dict[str, str]:
        """Return the sums of progress by metric, those that are not 0."""
        sums: dict[str, Any] = {}
        for entry in ProgressEntry.objects.filter(member=who):
            sums[entry.metric] = sums.get(entry.metric, 0) + entry.amount
        return {metric: f"{amount:.2f}" for metric, amount in sums.items() if amount}

    def cases(self) -> list[str]:
        """Return the codes of all cases."""
        return list(Case.objects.order_by("id").values_list("code", flat=True))

    def facts_in(self, state: str) -> int:
        """Return how many facts are in a state."""
        return ReceivedFact.objects.filter(state=state).count()


def order(who: Who, number: str, *amounts: Amount, on: float, **values: Any) -> OrderFact:
    """Return a version of an order; `changed` is the day of the change."""
    ref = MemberRef(public_id=who.public_id) if isinstance(who, Member) else who
    changed = values.pop("changed", None)
    paid = values.pop("in_points", None)
    lines = tuple(line(index + 1, amount) for index, amount in enumerate(amounts))
    held = values.pop("held", None)
    defaults: dict[str, Any] = {
        "source": "shop", "order_no": number, "version": 1,
        "changed_at": None if changed is None else day(changed), "member": ref, "status": "paid",
        "placed_at": day(on), "currency": "CNY", "lines": lines,
        "tenders": () if paid is None else (Tender("points", minor(paid)),),
        "reservation": None if held is None else held.public_id,
    }  # fmt: skip
    return OrderFact(**{**defaults, **values})


def refund(number: str, refund_no: str, *, on: float, **values: Any) -> RefundFact:
    """Return a refund; `amount` in units of the currency."""
    if "amount" in values:
        values["amount"] = minor(values["amount"])
    return RefundFact("shop", number, refund_no, day(on), **values)


def interaction(who: Who, ref: str, kind: str, *, on: float) -> InteractionFact:
    """Return an interaction."""
    member = MemberRef(public_id=who.public_id) if isinstance(who, Member) else who
    return InteractionFact("app", ref, member, kind, day(on))


def counts(outcome: Outcome) -> tuple[int, int, int]:
    """Return what an answer says: status, earned now, delta of the call."""
    points = outcome.data["points"]
    return outcome.status, points["earned"], points["delta"]
