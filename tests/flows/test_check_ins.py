"""Daily check-ins and shares: once a day, days in a row, and caps that hold whoever sends them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from config.base import audit, clock
from config.wiring import audits
from members.domain.status import Verb
from members.models import Interaction, Member, ReceivedFact
from members.services import erasure
from rewards.domain.submission import InteractionFact, MemberRef
from rewards.models import PointsAccount
from rewards.presets import PRESETS
from rewards.services import check_ins, intake, loading, membership, presets
from rewards.services.check_ins import CheckIn, CheckInDayError
from rewards.services.commands import MemberFrozenError
from rewards.services.recompute import recompute
from tests.api.conftest import Caller, caller, programme, till  # noqa: F401 - fixtures
from tests.factories import members
from tests.faults.crowd import at_once, failures, results

SHARES_EACH = 5
START = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


@pytest.fixture
def member(db: None) -> Member:
    presets.load(preset=PRESETS["retail_cn"], at=START)
    return members.member(at=START - timedelta(days=9))


def check_in(member: Member, day: float = 0, on: date | None = None) -> CheckIn:
    return check_ins.check_in(
        member=member.pk, on=on, touchpoint=None, at=START + timedelta(days=day), actor="till"
    )


def broken() -> list[str]:
    audits.install()
    found = [
        f"{result.check.code} {violation}"
        for result in audit.run(audit.registered())
        for violation in result.violations
    ]
    ids = list(Member.objects.values_list("pk", flat=True))
    return found + [str(each) for _count, each in recompute(members=ids) if each]


@pytest.mark.req("ENG-01")
def test_a_day_is_checked_in_once_and_seven_in_a_row_give_a_bonus(member: Member) -> None:
    days = [check_in(member, number) for number in range(15)]
    again = check_in(member, 14.2)
    assert [day.streak for day in days] == list(range(1, 16))
    assert [day.points for day in days] == [1] * 6 + [11] + [1] * 6 + [11] + [1]
    assert (again.is_repeated, again.streak, again.points) == (True, 15, 1)
    assert Interaction.objects.count() == 15
    assert Interaction.objects.latest("occurred_at").data == {"streak": 15}


@pytest.mark.req("ENG-01")
def test_a_day_left_out_begins_anew(member: Member) -> None:
    streaks = [check_in(member, day).streak for day in (0, 1, 2, 4, 5)]
    assert streaks == [1, 2, 3, 1, 2]


def test_a_day_is_a_local_day(member: Member) -> None:
    late = check_in(member, 11.99 / 24)  # 23:59 in Shanghai
    next_day = check_in(member, 12.01 / 24)
    assert (late.on, late.streak) == (date(2026, 3, 2), 1)
    assert (next_day.on, next_day.streak) == (date(2026, 3, 3), 2)


@pytest.mark.parametrize(("month", "day"), [(3, 5), (10, 29)])
def test_days_in_a_row_survive_the_change_of_the_clock(
    member: Member, settings: Any, month: int, day: int
) -> None:
    settings.LOYALTY_TIME_ZONE = "America/New_York"
    evening = clock.day_start(date(2026, month, day)) + timedelta(hours=23, minutes=30)
    first = (evening - START).total_seconds() / 86_400
    local = [clock.day_start(date(2026, month, day) + timedelta(days=n)) for n in range(6)]
    streaks = []
    for start in local:
        at = (start - START).total_seconds() / 86_400
        streaks.append(check_in(member, at + 22 / 24).streak)
    assert streaks == [1, 2, 3, 4, 5, 6]
    assert first > 0


def test_days_in_a_row_survive_another_time_zone(member: Member, settings: Any) -> None:
    assert check_in(member, 0).streak == 1
    settings.LOYALTY_TIME_ZONE = "America/New_York"
    assert check_in(member, 1.5).streak == 2


def test_another_day_than_today_is_refused(member: Member) -> None:
    for on in (date(2026, 3, 1), date(2026, 3, 3)):
        with pytest.raises(CheckInDayError) as refused:
            check_in(member, 0, on=on)
        assert refused.value.details == {"today": "2026-03-02"}
    assert not ReceivedFact.objects.exists()


def test_yesterday_can_be_made_up_for_where_that_is_allowed(member: Member, settings: Any) -> None:
    settings.LOYALTY_CHECK_IN_MAKE_UP = True
    for day in range(5):
        check_in(member, day)
    assert check_in(member, 6).streak == 1
    made_up = check_in(member, 6.1, on=date(2026, 3, 7))
    assert (made_up.on, made_up.streak) == (date(2026, 3, 7), 6)
    assert check_in(member, 7).streak == 8
    with pytest.raises(CheckInDayError):
        check_in(member, 8, on=date(2026, 3, 8))


def test_a_frozen_member_cannot_check_in(member: Member) -> None:
    membership.change_status(
        verb=Verb.FREEZE, member=member.pk, reason="investigation", note="", actor="s", at=START
    )
    with pytest.raises(MemberFrozenError):
        check_in(member, 0)
    assert not ReceivedFact.objects.exists()


def reported(till: Caller, member: Member, kind: str, **data: Any) -> dict[str, Any]:  # noqa: F811
    at = clock.now() - timedelta(seconds=1)
    body = {
        "source": "app", "ref": f"r{ReceivedFact.objects.count()}", "member": str(member.public_id),
        "kind": kind, "occurred_at": at.isoformat(), "data": data,
    }  # fmt: skip
    answer = till.post("/interactions", body)
    assert answer.status == 200, answer.body
    return answer.body  # type: ignore[no-any-return]


@pytest.fixture
def shop(db: None, till: Caller) -> Caller:  # noqa: F811
    presets.load(preset=PRESETS["retail_cn"], at=clock.now() - timedelta(days=1))
    return till


@pytest.mark.req("ENG-01", "CMP-15")
def test_a_check_in_reported_raw_earns_no_second_time_and_no_streak(shop: Caller) -> None:
    member = members.member()
    path = f"/members/{member.public_id}/check-ins"
    first, again = shop.post(path, {}), shop.post(path, {})
    assert (first.status, first.body["points"], first.body["already"]) == (201, 1, False)
    assert (again.status, again.body) == (200, {**first.body, "already": True})
    for _turn in range(3):
        reported(shop, member, "check_in", streak=7)
    assert shop.get(f"/members/{member.public_id}/points").body["available"] == 1
    body = {"source": "check_in", "ref": "x", "member": str(member.public_id), "kind": "check_in"}
    foreign = shop.post("/interactions", {**body, "occurred_at": clock.now().isoformat()})
    assert (foreign.status, foreign.code) == (403, "source_not_owned")


@pytest.mark.req("ENG-24", "CMP-15")
def test_shares_that_nobody_has_seen_earn_three_times_a_day(shop: Caller) -> None:
    member = members.member()
    unseen = [reported(shop, member, "share")["points"]["earned"] for _turn in range(5)]
    claimed = reported(shop, member, "share", verified="yes")["points"]["earned"]
    seen = [
        reported(shop, member, "share", verified=True)["points"]["earned"] for _turn in range(3)
    ]
    assert unseen == [2, 2, 2, 0, 0]
    assert claimed == 0
    assert seen == [2, 2, 2]


def test_what_was_counted_is_counted_again_when_the_data_is_gone(
    own_database: str, settings: Any
) -> None:
    settings.LOYALTY_CHECK_IN_MAKE_UP = True
    presets.load(preset=PRESETS["retail_cn"], at=START)
    member = members.member(at=START)
    for day in (0, 1, 2, 3, 4, 6):
        check_in(member, day)
    assert check_in(member, 6.1, on=date(2026, 3, 7)).streak == 6
    assert check_in(member, 7).points == 1
    told: list[dict[str, object]] = [{}, {}, {"verified": True}, {}, {}]
    facts = [
        InteractionFact(
            "app", f"s{number}", MemberRef(public_id=member.public_id), "share", START, data
        )
        for number, data in enumerate(told)
    ]
    intake.receive(facts, touchpoint=None, at=START + timedelta(days=8), actor="app")
    erasure.erase(member=member, at=START + timedelta(days=8), actor="s", reason="member_request")
    assert not Interaction.objects.exclude(data={}).exists()
    assert broken() == []


def crowd(before: Any = lambda: None) -> list[str]:
    """Let fifty processes check one member in at one moment; return what is wrong."""
    presets.load(preset=PRESETS["retail_cn"], at=START)
    member = members.member(at=START)
    check_in(member, 0)

    def work(_number: int) -> tuple[bool, int, int]:
        before()
        done = check_in(member, 1)
        return done.is_repeated, done.streak, done.points

    reports = at_once(work, processes=50)
    wrong = failures(reports)
    if not wrong and sorted(results(reports)) != [(False, 2, 1)] + [(True, 2, 1)] * 49:
        wrong.append(str(sorted(results(reports))))
    return wrong + broken()


@pytest.mark.req("ENG-01")
def test_fifty_check_ins_at_one_moment_are_one(own_database: str) -> None:
    assert crowd() == []
    assert Interaction.objects.count() == 2


@pytest.mark.chance
def test_without_the_lock_more_than_one_believes_to_be_first(own_database: str) -> None:
    def unlock() -> None:
        loading._LOCK = loading._LOCK.replace("FOR NO KEY UPDATE OF a", "")

    assert crowd(unlock) != []


def sharing(before: Any = lambda: None) -> tuple[int, list[str]]:
    """Let sixteen processes report shares of one member at one moment.

    Returns what the member has then, and what is wrong.
    """
    presets.load(preset=PRESETS["retail_cn"], at=START)
    member = members.member(at=START)

    def work(number: int) -> None:
        before()
        for turn in range(SHARES_EACH):
            named = MemberRef(public_id=member.public_id)
            fact = InteractionFact("app", f"s{number}-{turn}", named, "share", START)
            intake.receive([fact], touchpoint=None, at=START, actor="app")

    wrong = failures(at_once(work))
    return PointsAccount.objects.get(member=member).available, wrong + broken()


@pytest.mark.req("CMP-15")
def test_a_cap_is_exact_when_all_report_at_one_moment(own_database: str) -> None:
    assert sharing() == (6, [])


@pytest.mark.chance
def test_without_the_lock_a_cap_does_not_hold(own_database: str) -> None:
    def unlock() -> None:
        loading._LOCK = loading._LOCK.replace("FOR NO KEY UPDATE OF a", "")

    assert sharing(unlock) != (6, [])
