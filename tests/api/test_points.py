"""Balances, entries, statements, explanations, adjustments and tiers over the API."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine

from config.base import clock
from config.wiring import panels
from members.domain.status import Verb
from members.models import Approval, Member, MemberEvent
from members.services import approvals
from rewards.models import AdjustmentBudget, Entry, PointsAccount
from rewards.services import membership
from tests.api import bodies
from tests.api.conftest import Answer, Caller
from tests.factories import members

pytestmark = pytest.mark.django_db

MARCH = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)


def buy(till: Caller, member: Member, amount: str, at: datetime) -> Answer:
    """Report an order at its own instant."""
    with time_machine.travel(at, tick=False):
        return till.put(
            f"/orders/till/{bodies.number()}",
            bodies.order(
                bodies.line(amount=amount),
                member=str(member.public_id),
                placed_at=at.isoformat(),
            ),
        )


def read(till: Caller, member: Member, what: str, at: datetime) -> Any:
    """Read something of a member at an instant."""
    with time_machine.travel(at, tick=False):
        answer = till.get(f"/members/{member.public_id}/{what}")
    assert answer.status == 200, answer.body
    return answer.body


def enrol(at: datetime) -> Member:
    """Enrol a member at an instant."""
    with time_machine.travel(at, tick=False):
        return members.member(at=at)


def test_balance_takes_off_what_is_due_and_writes_nothing(till: Caller) -> None:
    member = enrol(MARCH)
    buy(till, member, "128.50", MARCH)
    entries = Entry.objects.count()

    last = read(till, member, "points", datetime(2027, 3, 31, 15, 59, tzinfo=UTC))
    over = read(till, member, "points", datetime(2027, 3, 31, 16, 0, tzinfo=UTC))

    assert last["available"] == 128
    assert last["expiring"] == [{"on": "2027-03-31", "points": 128}]
    assert (over["available"], over["expiring"], over["lifetime"]["expired"]) == (0, [], 128)
    assert Entry.objects.count() == entries


def test_balance_as_of_and_as_known(till: Caller) -> None:
    member = enrol(MARCH)
    buy(till, member, "100.00", MARCH)
    late = MARCH + timedelta(days=20)
    with time_machine.travel(late, tick=False):
        till.put(
            f"/orders/till/{bodies.number()}",
            bodies.order(
                bodies.line(amount="50.00"),
                member=str(member.public_id),
                placed_at=(MARCH + timedelta(days=5)).isoformat(),
            ),
        )
    now = late + timedelta(days=1)
    tenth = (MARCH + timedelta(days=10)).isoformat().replace("+00:00", "Z")

    assert read(till, member, "points", now)["available"] == 150
    assert read(till, member, f"points?as_of={tenth}", now)["available"] == 150
    before = f"points?as_of={tenth}&known_at={tenth}"
    assert read(till, member, before, now)["available"] == 100
    assert read(till, member, f"points?known_at={tenth}", now)["available"] == 100
    first = MARCH.isoformat().replace("+00:00", "Z")
    as_of_first = read(till, member, f"points?as_of={first}", now)
    assert (as_of_first["available"], as_of_first["expiring"]) == (
        100,
        [{"on": "2027-03-31", "points": 100}],
    )
    over = read(till, member, "points?as_of=2027-04-01T00:00:00%2B08:00", now)
    assert (over["available"], over["lifetime"]["expired"]) == (0, 150)


def test_balance_in_the_past_counts_what_nobody_has_posted(till: Caller) -> None:
    member = enrol(MARCH)
    buy(till, member, "100.00", MARCH)
    now = datetime(2027, 6, 1, tzinfo=UTC)
    read_then = read(till, member, "points?as_of=2027-05-01T00:00:00Z", now)
    assert (read_then["available"], read_then["lifetime"]["expired"]) == (0, 100)
    assert read(till, member, "points?as_of=2027-03-01T00:00:00Z", now)["available"] == 100


@pytest.mark.parametrize(
    "query",
    [
        "as_of=2026-03-01",
        "as_of=2026-03-01T00:00:00",
        "known_at=x",
        "as_of=9000-01-01T00:00:00Z",
        "when=now",
        "as_of=2026-03-01T00:00:00Z&as_of=2026-03-02T00:00:00Z",
    ],
)
def test_instant_that_is_none_is_refused(till: Caller, query: str) -> None:
    answer = till.get(f"/members/{members.member().public_id}/points?{query}")
    assert (answer.status, answer.code) == (400, "parameter_invalid")


@pytest.mark.req("PTS-14")
def test_statement_adds_up_month_after_month(till: Caller) -> None:
    member = enrol(MARCH - timedelta(days=40))
    order = f"/orders/till/{bodies.number()}"
    buy(till, member, "70.00", MARCH - timedelta(days=30))
    with time_machine.travel(MARCH, tick=False):
        body = bodies.order(
            bodies.line(amount="100.00"),
            member=str(member.public_id),
            placed_at=MARCH.isoformat(),
        )
        till.put(order, body)
        adjust(till, member, 30, "k1")
        adjust(till, member, -5, "k2")
    with time_machine.travel(MARCH + timedelta(days=1), tick=False):
        refunded = (MARCH + timedelta(days=1)).isoformat()
        till.post(f"{order}/refunds", bodies.refund(amount="40.00", refunded_at=refunded))

    now = datetime(2027, 6, 1, tzinfo=UTC)
    march = read(till, member, "statements?month=2026-03", now)
    assert march == {
        "month": "2026-03",
        "opening": 70,
        "earned": 60,
        "spent": 0,
        "expired": 0,
        "adjusted": 25,
        "closing": 155,
        "issued": 100,
        "reversed": 40,
    }
    closing = 0
    for month in months(date(2026, 1, 1), date(2027, 6, 1)):
        found = read(till, member, f"statements?month={month:%Y-%m}", now)
        assert found["opening"] == closing
        sums = found["earned"] - found["spent"] - found["expired"] + found["adjusted"]
        assert found["opening"] + sums == found["closing"]
        closing = found["closing"]
    assert closing == 0
    account = PointsAccount.objects.get(member=member)
    assert account.available == 155


def months(first: date, last: date) -> list[date]:
    found = [first]
    while found[-1] < last:
        found.append(clock.add_months(found[-1], 1))
    return found


@pytest.mark.parametrize("month", ["", "2026", "2026-13", "2026-3", "9999-01", "1900-01"])
def test_month_that_is_none_is_refused(till: Caller, month: str) -> None:
    answer = till.get(f"/members/{members.member().public_id}/statements?month={month}")
    assert (answer.status, answer.code) == (400, "parameter_invalid")


def adjust(till: Caller, member: Member, points: int, key: str, **headers: str) -> Answer:
    return till.post(
        f"/members/{member.public_id}/adjustments",
        {"points": points, "reason": "goodwill"},
        Idempotency_Key=key,
        **headers,
    )


@pytest.mark.req("PTS-15")
def test_adjustment_moves_points_once_and_within_the_limit(till: Caller) -> None:
    member = members.member()

    first, second = adjust(till, member, 50, "k"), adjust(till, member, 50, "k")
    over = adjust(till, member, 501, "k2")
    short = adjust(till, member, -60, "k3")

    assert (first.status, first.body["balance"]["available"]) == (201, 50)
    assert (second.status, second.body) == (201, first.body)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert (over.status, over.code) == (202, "approval_required")
    assert (short.status, short.code) == (409, "insufficient_points")
    assert (short.body["needed"], short.body["available"]) == (60, 50)
    assert Entry.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"points": 0, "reason": "x"}, "/points"),
        ({"points": "5", "reason": "x"}, "/points"),
        ({"points": 5}, "/reason"),
        ({"points": 5, "reason": "  "}, "/reason"),
        ({"points": 5, "reason": "x", "limit": 9}, "/limit"),
    ],
)
def test_mistake_in_an_adjustment_is_named(
    till: Caller, body: dict[str, Any], pointer: str
) -> None:
    path = f"/members/{members.member().public_id}/adjustments"
    answer = till.post(path, body, Idempotency_Key="k")
    assert answer.status == 400
    assert pointer in {error["pointer"] for error in answer.body["errors"]}


def test_frozen_member_gets_no_points_by_hand(till: Caller) -> None:
    member = members.member()
    Member.objects.filter(pk=member.pk).update(status="frozen")
    assert adjust(till, member, 5, "k").code == "member_frozen"


@pytest.mark.req("PTS-04")
def test_entries_say_why_in_both_languages(till: Caller) -> None:
    member = members.member()
    till.put(
        f"/orders/till/{bodies.number()}",
        bodies.order(
            bodies.line(1, "128.50"),
            bodies.line(2, "10.00", kind="shipping"),
            member=str(member.public_id),
        ),
    )
    (entry,) = till.get(f"/members/{member.public_id}/entries").body["items"]
    assert (entry["from"], entry["to"], entry["points"]) == ("issuance", "available", 128)
    assert entry["rule"]["code"] == "base"

    path = f"/entries/{entry['id']}/explanation"
    english = till.get(path, Accept_Language="en").body
    chinese = till.get(path, Accept_Language="zh-CN").body

    assert [item["code"] for item in english["explanation"]][:2] == ["excluded_kind", "earned"]
    assert english["explanation"][0]["text"] == "Line 2 earns nothing: shipping."
    assert "128.50" in english["explanation"][1]["text"]
    assert "128.50" in chinese["explanation"][1]["text"]
    assert english["member"] == str(member.public_id)
    assert till.get("/entries/999999999/explanation").code == "entry_not_found"
    assert till.get(f"/entries/{10**30}/explanation").code == "entry_not_found"


def test_entries_go_on_from_their_cursor(till: Caller) -> None:
    member = members.member()
    for number in range(5):
        adjust(till, member, 10 + number, f"k{number}")
    path = f"/members/{member.public_id}/entries?limit=2"

    first = till.get(path).body
    adjust(till, member, 99, "k99")
    second = till.get(f"{path}&cursor={first['next_cursor']}").body
    third = till.get(f"{path}&cursor={second['next_cursor']}").body

    seen = [entry["seq"] for page in (first, second, third) for entry in page["items"]]
    assert seen == [5, 4, 3, 2, 1]
    assert third["next_cursor"] is None


@pytest.mark.req("TIR-07")
def test_tier_tells_how_far_the_next_one_is(till: Caller) -> None:
    member = enrol(MARCH)
    buy(till, member, "1200.50", MARCH)

    tier = read(till, member, "tier", MARCH + timedelta(hours=1))

    assert tier["current"]["code"] == "silver"
    assert tier["current"]["until"] == "2027-03-10"
    gaps = {gap["metric"]: gap for gap in tier["progress"]}
    assert gaps["spend"]["needed"] == "1799.50"
    assert (gaps["spend"]["value"], gaps["spend"]["next_tier"]) == ("1200.50", "gold")
    assert gaps["interactions"]["needed"] == 36
    assert tier["opportunities"][0]["tier"] == "gold"
    assert tier["risks"][0]["on"] == "2027-03-10"
    assert {"code": "points_multiplier", "value": "1.1"} in tier["benefits"]

    buy(till, member, "1799.49", MARCH + timedelta(hours=2))
    assert read(till, member, "tier", MARCH + timedelta(hours=3))["current"]["code"] == "silver"
    buy(till, member, "0.01", MARCH + timedelta(hours=4))
    assert read(till, member, "tier", MARCH + timedelta(hours=5))["current"]["code"] == "gold"


def test_tier_takes_off_a_review_that_is_due(till: Caller) -> None:
    member = enrol(MARCH)
    buy(till, member, "1200.00", MARCH)
    last = datetime(2027, 3, 10, 15, 59, tzinfo=UTC)

    assert read(till, member, "tier", last)["current"]["code"] == "silver"
    after = read(till, member, "tier", last + timedelta(minutes=1))["current"]

    assert (after["code"], after["reason"]) == ("basic", "review_downgrade")
    assert after["since"] == "2027-03-11T00:00:00+08:00"
    with time_machine.travel(last + timedelta(minutes=1), tick=False):
        assert till.get(f"/members/{member.public_id}").body["tier"]["code"] == "basic"


@pytest.mark.req("PTS-10")
def test_every_touchpoint_reads_the_same(caller: Callable[..., Caller]) -> None:
    till, web, desk = caller(), caller(channel="web"), caller(channel="cs")
    member = enrol(MARCH)
    buy(till, member, "1200.00", MARCH)
    later = MARCH + timedelta(hours=1)
    for what in ("points", "tier", "entries"):
        answers = {str(read(each, member, what, later)) for each in (till, web, desk)}
        assert len(answers) == 1


@pytest.mark.req("PTS-15")
@pytest.mark.parametrize(
    ("limits", "limit", "done"),
    [
        ({"adjustment_limit_points": 49}, "call", 0),
        ({"adjustment_daily_limit_points": 120}, "day", 2),
        ({"adjustment_member_month_limit_points": 70}, "member_month", 1),
    ],
)
def test_above_a_limit_a_second_person_is_asked_and_decides(
    caller: Callable[..., Caller], limits: dict[str, int], limit: str, done: int
) -> None:
    panels.install()
    till, member = caller(**limits), members.member()
    answers = [adjust(till, member, 50, f"k{number}") for number in range(3)]

    asked = answers[-1]
    assert [each.status for each in answers] == [201] * done + [202] * (3 - done)
    assert asked.body["limit"] == limit
    assert Entry.objects.count() == done
    assert MemberEvent.objects.filter(kind="points.adjusted").count() == done

    approvals.approve(approval_id=asked.body["approval"], actor="staff:boss", at=clock.now())
    (newest, *_rest) = till.get(f"/members/{member.public_id}/entries").body["items"]
    assert (newest["points"], newest["actor"]) == (50, f"touchpoint:{till.touchpoint.code}")
    assert Entry.objects.count() == done + 1


def test_what_cannot_be_done_is_refused_before_anybody_is_asked(
    caller: Callable[..., Caller],
) -> None:
    till, member = caller(adjustment_limit_points=10), members.member()
    short = adjust(till, member, -50, "k")
    assert (short.status, short.code) == (409, "insufficient_points")
    membership.change_status(
        verb=Verb.FREEZE, member=member.pk, reason="investigation", note="", actor="s",
        at=clock.now(),
    )  # fmt: skip
    assert adjust(till, member, 50, "k2").code == "member_frozen"
    assert not Approval.objects.exists()
    assert not AdjustmentBudget.objects.exists()


def test_taken_points_use_the_budget_as_given_ones_do(caller: Callable[..., Caller]) -> None:
    till, member = caller(adjustment_daily_limit_points=100), members.member()
    panels.install()
    statuses = [adjust(till, member, points, f"k{points}").status for points in (60, -40, 1)]
    assert statuses == [201, 201, 202]
