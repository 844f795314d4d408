"""Cases: promised by the tier, worked on by one table, escalated once per clock, always sealed."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from members.domain import cases as domain
from members.domain.cases import TRANSITIONS, State, Verb
from members.models import (
    Case,
    CaseNote,
    CasePriority,
    CaseState,
    Member,
    MemberEvent,
    ServiceHours,
    SpecialDay,
)
from members.models.case import CaseQuerySet
from members.services import cases, erasure, notes, service_levels
from members.services.cases import CaseError, NewCase
from tests.factories import console, members
from tests.faults.crowd import at_once, failures, results

MORNING = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # ten o'clock, and the desk is there from nine
WORDS = "王先生 13800138000 的包裹破损"


@pytest.fixture
def member(db: None) -> Member:
    service_levels.load_defaults()
    return members.member()


@pytest.fixture
def agent(db: None) -> User:
    return console.staff("agent")


def at(hours: float = 0) -> datetime:
    return MORNING + timedelta(hours=hours)


def opened(member: Member, kind: str = "complaint", hours: float = 0, **values: Any) -> Case:
    new = NewCase(
        member_id=member.pk, kind=kind, channel="cs", title="包裹破损", text=WORDS, **values
    )
    return cases.register(new=new, at=at(hours), actor="staff:agent")


def work(case: Case, verb: Verb, hours: float, **values: int) -> Case:
    return cases.work(
        case_id=case.pk, verb=verb, at=at(hours), actor="staff:agent", text="好的", **values
    )


@pytest.mark.req("BEN-05", "SVC-02", "SVC-10")
@pytest.mark.parametrize(
    ("kind", "level", "priority", "answer", "solution"),
    [
        ("complaint", 0, CasePriority.NORMAL, 4, 3 * 24),
        ("complaint", 1, CasePriority.NORMAL, 4, 3 * 24),
        ("complaint", 2, CasePriority.HIGH, 2, 2 * 24),
        ("complaint", 3, CasePriority.URGENT, 0.5, 24),
        ("enquiry", 1, CasePriority.NORMAL, 4, 2 * 24),
        ("enquiry", 7, CasePriority.HIGH, 0.5, 8),
        ("suggestion", 0, CasePriority.LOW, 2 * 24, 10 * 24),
    ],
)
def test_priority_and_clocks_follow_the_service_level(
    member: Member, kind: str, level: int, priority: int, answer: float, solution: float
) -> None:
    Member.objects.filter(pk=member.pk).update(service_level=level)
    case = opened(member, kind)
    assert (case.priority, case.service_level) == (priority, level)
    assert case.first_response_due_at == at(answer)
    assert case.resolve_due_at == at(solution)
    assert case.escalates_at == at(answer)


@pytest.mark.req("BEN-05")
def test_the_queue_takes_the_higher_tier_first(member: Member, agent: User) -> None:
    first = opened(member)
    gold, diamond = members.member(), members.member()
    Member.objects.filter(pk=gold.pk).update(service_level=2)
    Member.objects.filter(pk=diamond.pk).update(service_level=3)
    third, second = opened(gold, hours=1), opened(diamond, hours=2)
    order = [second.pk, third.pk, first.pk]
    assert list(Case.objects.undone().in_queue_order().values_list("pk", flat=True)) == order
    taken = [cases.take_next(owner_id=agent.pk, at=at(3), actor="staff:agent") for _ in range(4)]
    assert [case and case.pk for case in taken] == [*order, None]


@pytest.mark.req("SVC-02")
def test_the_desks_night_and_holidays_do_not_count(member: Member) -> None:
    SpecialDay.objects.create(on="2026-03-03", name="盘点")
    case = opened(member, hours=10)  # eight in the evening, one hour before it closes
    assert case.first_response_due_at == at(2 * 24 + 2)  # noon of the day after the holiday


def test_what_the_member_said_is_sealed_and_goes_with_the_member(member: Member) -> None:
    case = opened(member)
    cases.note(case_id=case.pk, text=WORDS, at=at(1), actor="staff:agent")
    stored = [case.sealed, CaseNote.objects.get().body]
    assert not any("138" in text or "破损" in text for text in stored)
    assert notes.read_many([(member.pk, text) for text in stored]) == [f"包裹破损\n{WORDS}", WORDS]
    events = MemberEvent.objects.filter(kind__startswith="case.")
    assert [event.payload for event in events] == [
        {"case": case.pk, "kind": "complaint", "priority": 3}
    ]
    erasure.erase(member=member, at=at(2), actor="s", reason="member_request")
    assert notes.read_many([(member.pk, text) for text in stored]) == ["", ""]


@pytest.mark.req("SVC-02")
def test_a_breach_escalates_once_per_clock_and_at_its_own_instant(member: Member) -> None:
    case = opened(member)
    assert cases.escalate_due(at=at(3.9), recorded_at=at(3.9)) == 0
    assert cases.escalate_due(at=at(200), recorded_at=at(200)) == 2
    assert cases.escalate_due(at=at(200), recorded_at=at(200)) == 0
    case.refresh_from_db()
    assert (case.priority, case.escalated_at) == (CasePriority.URGENT, at(72))
    events = MemberEvent.objects.filter(kind="case.escalated").order_by("occurred_at")
    assert [event.occurred_at for event in events] == [at(4), at(72)]


def test_an_answer_in_time_leaves_only_the_solutions_clock(member: Member, agent: User) -> None:
    case = work(opened(member), Verb.REPLY, 1, owner_id=agent.pk)
    assert (case.state, case.owner_id, case.first_responded_at) == (
        CaseState.IN_PROGRESS, agent.pk, at(1),
    )  # fmt: skip
    assert cases.escalate_due(at=at(10), recorded_at=at(10)) == 0
    assert work(case, Verb.RESOLVE, 11).escalates_at is None
    assert cases.escalate_due(at=at(999), recorded_at=at(999)) == 0


def test_the_clock_stands_still_while_the_member_is_waited_for(member: Member) -> None:
    case = work(opened(member), Verb.WAIT, 1)
    assert (case.waiting_since_at, case.escalates_at) == (at(1), None)
    case = work(case, Verb.HEAR, 6)
    assert (case.state, case.waiting_since_at) == (CaseState.IN_PROGRESS, None)
    assert case.resolve_due_at == at(72 + 5)


def test_a_reopened_case_gets_a_new_clock(member: Member) -> None:
    case = work(opened(member), Verb.RESOLVE, 5)
    assert case.resolved_at == at(5)
    case = work(work(case, Verb.CLOSE, 6), Verb.REOPEN, 24)
    assert (case.state, case.reopened, case.resolved_at, case.closed_at) == (
        CaseState.OPEN, 1, None, None,
    )  # fmt: skip
    assert case.resolve_due_at == case.escalates_at == at(24 + 72)


@pytest.mark.parametrize("state", list(State))
def test_only_the_table_changes_states(member: Member, state: State) -> None:
    for verb in Verb:
        case = opened(member)
        Case.objects.filter(pk=case.pk).update(
            state=state,
            waiting_since_at=at() if state is State.WAITING_MEMBER else None,
            resolved_at=at() if state is State.RESOLVED else None,
            closed_at=at() if state is State.CLOSED else None,
            escalates_at=case.escalates_at if state in domain.UNDONE else None,
        )
        if state in TRANSITIONS[verb].before:
            assert work(case, verb, 1).state == TRANSITIONS[verb].after
            continue
        with pytest.raises(CaseError, match="case_state_refused"):
            work(case, verb, 1)
        case.refresh_from_db()
        assert case.state == state
        assert not case.notes.exists()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"kind": "system"}, "case_kind_unknown"),
        ({"kind": "rant"}, "case_kind_unknown"),
        ({"title": "  "}, "case_title_needed"),
        ({"title": "a\nb"}, "case_title_needed"),
        ({"text": "x" * 4_001}, "case_text_too_long"),
    ],
)
def test_what_cannot_be_a_case_is_refused(
    member: Member, values: dict[str, str], code: str
) -> None:
    known: dict[str, Any] = {"kind": "enquiry", "channel": "cs", "title": "t", **values}
    with pytest.raises(CaseError, match=code):
        cases.register(new=NewCase(member_id=member.pk, **known), at=at(), actor="s")
    assert not Case.objects.exists()


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"state": "closed", "escalates_at": None}, "case_closed_at"),
        ({"state": "resolved", "escalates_at": None}, "case_resolved_at"),
        ({"state": "waiting_member"}, "case_waiting_since"),
        ({"state": "odd", "escalates_at": None}, "case_resolved_at"),
        ({"kind": "odd"}, "case_kind_known"),
        ({"priority": 9}, "case_priority_known"),
        ({"member": None}, "case_has_member"),
        (
            {"state": "resolved", "resolved_at": MORNING, "escalates_at": MORNING},
            "case_clock_stops",
        ),
    ],
)
def test_the_database_ties_states_to_their_instants(
    member: Member, values: dict[str, object], name: str
) -> None:
    case = opened(member)
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(**values)


def test_a_case_of_the_system_has_no_clock_and_can_be_closed(member: Member) -> None:
    case = Case.objects.create(member=None, code="order_unclaimed", opened_at=at())
    work(case, Verb.CLOSE, 1)
    assert CaseNote.objects.get().body == "好的"
    assert Case.objects.get().closed_at == at(1)


def test_defaults_are_loaded_once(member: Member) -> None:
    ServiceHours.objects.filter(weekday=7).delete()
    ServiceHours.objects.filter(weekday=1).update(opens=time(8))
    assert service_levels.load_defaults() == []
    assert ServiceHours.objects.get(weekday=1).opens == time(8)


def taking(before: object = None) -> list[str]:
    """Let eight agents take the next of eight cases at one moment; return what is wrong."""
    service_levels.load_defaults()
    member = members.member()
    agents = [console.staff(f"a{number}") for number in range(8)]
    for _agent in agents:
        opened(member)

    def work_one(number: int) -> int:
        if callable(before):
            before()
        taken = cases.take_next(owner_id=agents[number].pk, at=at(1), actor="staff:a")
        return taken.pk if taken else 0

    reports = at_once(work_one, processes=8)
    wrong = failures(reports)
    if not wrong and len(set(results(reports)) - {0}) != len(agents):
        wrong.append(str(results(reports)))
    return wrong


def test_agents_at_one_moment_take_different_cases(own_database: str) -> None:
    assert taking() == []


@pytest.mark.chance
def test_without_the_lock_agents_take_the_same_case(own_database: str) -> None:
    def unlock() -> None:
        CaseQuerySet.select_for_update = lambda rows, **_how: rows  # type: ignore[method-assign]

    assert taking(unlock) != []
