"""The Complete Journey lived through day by day: tills report, the scheduler runs, time passes."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

from campaigns.domain.automations import AUTOMATIONS
from campaigns.models import CampaignAct, Message
from campaigns.services import (
    automations,
    sending,
    trigger_calendar,
    trigger_waiting,
    triggering,
)
from config.base import clock
from config.wiring import followers
from members.models import Order
from members.services import consents, delivery, events, insight_due
from members.services.consents import ConsentDecision
from rewards.domain.submission import OrderFact
from rewards.presets import PRESETS
from rewards.services import complete_journey, due, enrolment, intake, presets
from rewards.services.complete_journey import Journey
from rewards.services.joining_requests import EnrolmentRequest
from tests.triggers.fates import Outcome
from tests.triggers.real_people import CHINA, SINCE, WITHDRAWN_AT, Household
from tiers.services import lapse_warnings

AT_ONCE: Final = 200
HOURS: Final = (time(12), time(21, 30))
"""When the scheduler runs: by day, and in hours in which nothing is sold."""


def slots(first: date, last: date) -> list[datetime]:
    """Return the instants of some days at which the scheduler is to run."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [datetime.combine(day, hour, tzinfo=CHINA) for day in days for hour in HOURS]


class RealYear:
    """A shop whose customers are households of the year; every automation is on from `SINCE`."""

    def __init__(self, people: Sequence[Household]) -> None:
        followers.install()
        clock.advance_programme_time(SINCE)
        presets.load(preset=PRESETS["classic"], at=SINCE)
        automations.install(actor="t", at=SINCE)
        self.joining = sorted(people, key=lambda each: each.joined)
        self.households: dict[int, int] = {}
        self.withdrawing = [each.number for each in people if each.withdraws]
        self._orders = _orders(len(people))
        self._coming = next(self._orders, None)
        self.report(SINCE)
        for each in AUTOMATIONS:
            automations.switch_on(code=each.code, actor="t", at=SINCE)

    def report(self, at: datetime) -> None:
        """Let the tills report what has happened up to an instant, and nothing after it."""
        clock.advance_programme_time(at)
        self._enrol([each for each in self.joining if each.joined <= at], at)
        self.joining = [each for each in self.joining if each.joined > at]
        orders = []
        while self._coming is not None and self._coming.placed_at <= at:
            orders.append(self._coming)
            self._coming = next(self._orders, None)
        for start in range(0, len(orders), AT_ONCE):
            part = orders[start : start + AT_ONCE]
            outcomes = intake.receive(part, touchpoint=None, at=at)
            assert all(outcome.code is None for outcome in outcomes), outcomes
        if self.withdrawing and at >= WITHDRAWN_AT:
            self._withdraw(at)

    def _enrol(self, people: Sequence[Household], at: datetime) -> None:
        requests = [_request(each) for each in people]
        made = enrolment.enrol_members(requests, touchpoint=None, at=at) if requests else []
        for each, done in zip(people, made, strict=True):
            assert done.member_id is not None, done.error
            self.households[done.member_id] = each.number

    def _withdraw(self, at: datetime) -> None:
        refusal = ConsentDecision("marketing", granted=False, given_at=WITHDRAWN_AT)
        wanted = {
            m: [refusal] for m, number in self.households.items() if number in self.withdrawing
        }
        consents.record(wanted, touchpoint=None, at=at)
        self.withdrawing = []

    def run(self, at: datetime, *, after_death: bool = False) -> None:
        """Run what the scheduler runs; after a death, what was claimed is free by then."""
        due.settle_due(at=at, recorded_at=at)
        lapse_warnings.warn_of_lapses(at=at, recorded_at=at, progress=_unheard)
        insight_due.refresh_due(at=at, recorded_at=at, progress=_unheard)
        self.follow(at + events.LEASE if after_death else at)
        trigger_waiting.fire_waiting(at=at, recorded_at=at)
        trigger_calendar.fire_calendar(at=at, recorded_at=at)
        while sending.send_due(at=at, as_of_due=True):
            pass

    @staticmethod
    def follow(at: datetime) -> None:
        """Hand campaigns the events that are waiting."""
        while delivery.deliver(follower=triggering.FOLLOWER, at=at):
            pass

    def told(self) -> list[Outcome]:
        """Return every message in the words of the reading."""
        orders = dict(Order.objects.values_list("pk", "order_no"))
        rows = Message.objects.values_list(
            "member_id", "purpose", "trigger", "occurrence", "state", "channel", "reason",
            "sent_at", "ended_at",
        )  # fmt: skip
        return [
            Outcome(
                self.households[member], trigger.removeprefix("campaign:auto-"), _said(key, orders),
                purpose, _day(sent_at or ended_at),
                channel if state in {"sent", "delivered"} else reason or state,
            )
            for member, purpose, trigger, key, state, channel, reason, sent_at, ended_at in rows
        ]  # fmt: skip

    def called(self) -> list[tuple[int, str]]:
        """Return for which orders of which households a case for staff was opened."""
        orders = dict(Order.objects.values_list("pk", "order_no"))
        rows = CampaignAct.objects.filter(campaign__code="auto-follow-up-call", skipped="")
        return [
            (self.households[member], _said(key, orders))
            for member, key in rows.values_list("member_id", "key")
        ]


def _unheard(_done: int, _total: int) -> None:
    """Take no note of progress."""


def _orders(households: int) -> Iterator[OrderFact]:
    for batch in Journey(households=households).batches():
        yield from batch.items


def _day(at: datetime | None) -> date | None:
    return at.astimezone(CHINA).date() if at else None


def _said(key: str, orders: dict[int, str]) -> str:
    """Return an occurrence as the table names it, without our own numbers."""
    kind, _colon, name = key.partition(":")
    if kind == "order":
        return f"order:{orders[int(name)]}"
    return "change" if kind == "event" else key


def _request(each: Household) -> EnrolmentRequest:
    external = (complete_journey.IDENTIFIER_KIND, complete_journey.external_id(each.number), "")
    phone = [("phone", str(1_390_000_0000 + each.number), "")] if each.has_phone else []
    return EnrolmentRequest(
        identifiers=(external, *phone), name=f"顾客{each.number}", birthday=each.born,
        channel="pos", joined_at=each.joined,
        consents=tuple(
            ConsentDecision(purpose, granted=granted, channel=channel)
            for purpose, channel, granted in each.said
        ),
        attributes={"preferred_channels": list(each.prefers)} if each.prefers else {},
    )  # fmt: skip
