"""Reviews earn when a moderator approves them, once per order line, and lose it when removed."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from config.base import audit
from config.wiring import audits
from members.models import Interaction, InteractionKind, Member, Moderation, ModerationState
from rewards.domain.cart import Line
from rewards.domain.submission import InteractionFact, MemberRef, OrderFact
from rewards.models import Entry, PointsAccount
from rewards.presets import PRESETS
from rewards.services import adjustment, intake, moderation, presets
from rewards.services.moderation import ModerationError
from rewards.services.recompute import recompute
from tests.factories import members
from tests.faults.crowd import at_once, failures, results
from tiers.models import ProgressEntry

START = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
REWARD = 20


@pytest.fixture
def member(own_database: str) -> Member:
    presets.load(preset=PRESETS["retail_cn"], at=START)
    InteractionKind.objects.filter(code="review").update(needs_moderation=True)
    return members.member(at=START - timedelta(days=9))


def write(member: Member, ref: str, *, day: float = 0, line: int | None = None) -> dict[str, Any]:
    """Let the storefront report a review; returns the answer."""
    order = {"source": "app", "order_no": "A", "line_no": line}
    data: dict[str, Any] = {} if line is None else {"order": order}
    named = MemberRef(public_id=member.public_id)
    at = START + timedelta(days=day)
    fact = InteractionFact("app", ref, named, "review", at, data)
    (outcome,) = intake.receive([fact], touchpoint=None, at=at, actor="app")
    return outcome.data


def buy(member: Member, lines: int = 2) -> None:
    """Let the member have an order `app/A` of so many lines, for nothing."""
    goods = tuple(
        Line(number, f"S{number}", "goods", None, None, 1000, 100) for number in range(1, lines + 1)
    )
    named = MemberRef(public_id=member.public_id)
    fact = OrderFact("app", "A", None, None, named, "paid", START, "CNY", goods)
    (outcome,) = intake.receive([fact], touchpoint=None, at=START, actor="app")
    assert outcome.status == 200, outcome


def decide(verb: str, *reviews: Moderation, day: float = 1) -> Any:
    known: dict[str, Any] = {
        "reviews": [review.pk for review in reviews], "at": START + timedelta(days=day),
        "actor": "staff:m",
    }  # fmt: skip
    if verb != "approve":
        known["reason"] = "off_topic"
    return getattr(moderation, verb)(**known)


def available(member: Member) -> int:
    return PointsAccount.objects.get(member=member).available


def counted() -> int:
    return sum(int(each.amount) for each in ProgressEntry.objects.filter(metric="interactions"))


def broken() -> list[str]:
    audits.install()
    found = [
        f"{result.check.code} {violation}"
        for result in audit.run(audit.registered())
        for violation in result.violations
    ]
    ids = list(Member.objects.values_list("pk", flat=True))
    return found + [str(each) for _count, each in recompute(members=ids) if each]


@pytest.mark.req("ENG-03")
def test_a_review_earns_once_it_is_approved(member: Member) -> None:
    told = write(member, "r1")
    review = Moderation.objects.get()
    assert (told["points"]["earned"], available(member), counted()) == (0, 0, 0)
    assert told["explanation"][0]["code"] == "awaits_moderation"
    assert review.state == ModerationState.PENDING

    assert decide("approve", review).approved == 1
    assert (available(member), counted()) == (REWARD, 1)
    assert decide("approve", review).approved == 0, "twice is once"
    assert available(member) == REWARD
    assert broken() == []


@pytest.mark.req("ENG-03")
def test_a_removed_review_gives_back_what_it_earned(member: Member) -> None:
    write(member, "r1")
    review = Moderation.objects.get()
    decide("approve", review)
    write(member, "r2", day=2)
    assert decide("remove", review, day=3) == 1
    assert decide("remove", review, day=4) == 0
    assert (available(member), counted()) == (0, 0)
    last = Entry.objects.latest("seq")
    assert (last.source, last.target, last.reason) == (
        "available", "reversed", "interaction_withdrawn",
    )  # fmt: skip
    review.refresh_from_db()
    assert review.state == ModerationState.REMOVED
    assert broken() == []

    decide("approve", review, day=5)
    assert (available(member), counted()) == (REWARD, 1)
    assert broken() == []


@pytest.mark.req("ENG-03")
def test_what_was_spent_before_the_removal_becomes_debt(member: Member) -> None:
    write(member, "r1")
    review = Moderation.objects.get()
    decide("approve", review)
    adjustment.adjust(
        member=member.pk, points=-REWARD, reason="spent", at=START + timedelta(days=2),
        actor="system", limit_points=None,
    )  # fmt: skip
    decide("remove", review, day=3)
    account = PointsAccount.objects.get(member=member)
    assert (account.available, account.debt) == (0, REWARD)
    assert broken() == []


def test_the_cap_has_room_again_after_a_removal(member: Member) -> None:
    """Ten rewards a month are the cap; the eleventh earns once one of the ten is gone."""
    for number in range(12):
        write(member, f"r{number}")
    reviews = list(Moderation.objects.order_by("pk"))
    decide("approve", *reviews[:11])
    assert available(member) == 200
    decide("remove", reviews[0], day=2)
    decide("approve", reviews[11], day=3)
    assert available(member) == 200
    assert broken() == []


@pytest.mark.req("ENG-03")
def test_a_rejected_review_never_earns(member: Member) -> None:
    write(member, "r1")
    review = Moderation.objects.get()
    assert decide("reject", review) == 1
    assert decide("remove", review) == 0
    assert Interaction.objects.count() == 1
    with pytest.raises(ModerationError, match="reason_unknown"):
        moderation.reject(reviews=[review.pk], reason="whim", at=START, actor="staff:m")
    assert available(member) == 0


@pytest.mark.req("ENG-03")
def test_an_order_line_is_rewarded_once(member: Member) -> None:
    buy(member)
    for number, line in enumerate((1, 1, 2, 3)):
        write(member, f"r{number}", line=line)
    before = available(member)
    first, second, other, unknown = Moderation.objects.order_by("pk")
    done = decide("approve", first, second, other, unknown)
    assert done.approved == 2
    assert done.refused == {
        second.pk: moderation.REFUSED_SECOND, unknown.pk: moderation.REFUSED_LINE,
    }  # fmt: skip
    assert available(member) == before + 2 * REWARD
    assert decide("approve", second).refused == {second.pk: moderation.REFUSED_SECOND}
    decide("remove", first, day=2)
    assert decide("approve", second, day=3).approved == 1
    assert broken() == []


def test_what_was_received_before_is_left_as_it_was(member: Member) -> None:
    kinds = InteractionKind.objects.filter(code="review")
    kinds.update(needs_moderation=False)
    write(member, "r1")
    kinds.update(needs_moderation=True)
    write(member, "r2", day=1)
    assert available(member) == REWARD
    assert Moderation.objects.count() == 1
    kinds.update(needs_moderation=False)
    assert broken() == [], "a change of the setting rewrites nothing"


def test_moderators_source_is_the_programmes_own(member: Member) -> None:
    till = members.touchpoint()
    named = MemberRef(public_id=member.public_id)
    fact = InteractionFact("moderation", "1/1", named, "review", START)
    (outcome,) = intake.receive([fact], touchpoint=till, at=START, actor="till")
    assert (outcome.status, outcome.code) == (403, "source_not_owned")


def approving(before: Any = lambda: None) -> list[str]:
    """Let moderators approve reviews of one order line at one moment; return what is wrong."""
    presets.load(preset=PRESETS["retail_cn"], at=START)
    InteractionKind.objects.filter(code="review").update(needs_moderation=True)
    member = members.member(at=START - timedelta(days=9))
    buy(member, lines=1)
    for number in range(8):
        write(member, f"r{number}", line=1)
    reviews = list(Moderation.objects.order_by("pk"))
    points = available(member)

    def work(number: int) -> int:
        before()
        return int(decide("approve", reviews[number]).approved)

    reports = at_once(work, processes=8)
    wrong = failures(reports)
    if not wrong and (sum(results(reports)), available(member)) != (1, points + REWARD):
        wrong.append(f"{results(reports)} {available(member)}")
    return wrong


@pytest.mark.req("ENG-03")
def test_moderators_at_one_moment_reward_a_line_once(own_database: str) -> None:
    assert approving() == []
    assert broken() == []


@pytest.mark.chance
def test_without_the_lock_the_second_moderator_fails(own_database: str) -> None:
    def unlock() -> None:
        nothing = SimpleNamespace(lock=lambda members: {})
        setattr(moderation, "loading", nothing)  # noqa: B010 - in a process of its own

    assert approving(unlock) != []
