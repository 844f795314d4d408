"""Cases that members open at touchpoints: promised by tier, readable by whom they concern."""

from collections.abc import Callable
from typing import Any

import pytest

from members.models import Case, CaseKind, Member
from members.services import account_managers, notes, service_levels
from tests.api.conftest import Caller
from tests.factories import console, members

pytestmark = pytest.mark.django_db


def body(member: Member, **values: Any) -> dict[str, Any]:
    said = {"kind": "complaint", "title": "包裹破损", "text": "盒子压扁了。\n订单 12"}
    return {"member": str(member.public_id), **said, **values}


@pytest.mark.req("SVC-02", "SVC-10")
def test_a_case_is_opened_with_clocks_and_listed(caller: Callable[..., Caller]) -> None:
    service_levels.load_defaults()
    member = members.member()
    Member.objects.filter(pk=member.pk).update(service_level=3)
    writer = caller("cases:write", "cases:read")
    answer = writer.post("/cases", body(member), Idempotency_Key="k")
    assert answer.status == 201, answer.body
    assert (answer.body["state"], answer.body["priority"]) == ("open", "urgent")
    assert answer.body["first_response_due_at"] < answer.body["resolve_due_at"]
    again = writer.post("/cases", body(member), Idempotency_Key="k")
    assert again.body == answer.body
    case = Case.objects.get()
    assert (case.channel, case.opened_by) == ("pos", f"touchpoint:{writer.touchpoint.code}")
    said = notes.read(member=member.pk, sealed=case.sealed)
    assert said == "包裹破损\n盒子压扁了。\n订单 12"

    Case.objects.create(member=member, code="points_debt", opened_at=members.AT)
    second = writer.post("/cases", body(member, kind="enquiry", channel="app"), Idempotency_Key="l")
    path = f"/members/{member.public_id}/cases"
    first_page = writer.get(f"{path}?limit=1").body
    assert [each["id"] for each in first_page["items"]] == [second.body["id"]]
    assert first_page["items"][0]["title"] is None, "the key may not read what is personal"
    rest = writer.get(f"{path}?limit=1&cursor={first_page['next_cursor']}").body
    assert [each["id"] for each in rest["items"]] == [case.pk]
    personal = caller("cases:read", "members:read_personal").get(path).body
    assert [each["title"] for each in personal["items"]] == ["包裹破损"] * 2


@pytest.mark.parametrize(
    ("values", "status", "code"),
    [
        ({"kind": CaseKind.SYSTEM.value}, 400, "request_invalid"),
        ({"kind": CaseKind.SERVICE_REQUEST.value}, 400, "request_invalid"),
        ({"title": "   "}, 400, "case_title_needed"),
        ({"title": "a\nb"}, 400, "request_invalid"),
        ({"text": "a\x00b"}, 400, ""),
        ({"text": "x" * 4_001}, 400, "request_invalid"),
        ({"text": 7}, 400, "request_invalid"),
        ({"member": "0198c6a2-7d3e-7c41-8a55-2f1d3b9c6e10"}, 404, "member_not_found"),
    ],
)
def test_what_is_no_case_is_refused(
    caller: Callable[..., Caller], values: dict[str, Any], status: int, code: str
) -> None:
    answer = caller("cases:write").post(
        "/cases", body(members.member()) | values, Idempotency_Key="k"
    )
    assert answer.status == status
    assert code in ("", answer.code)
    assert not Case.objects.exists()


@pytest.mark.req("BEN-09", "SVC-02")
def test_the_summary_counts_open_cases_and_names_the_agent(till: Caller) -> None:
    member = members.member()
    path = f"/members/{member.public_id}/summary"
    assert (till.get(path).body["account_manager"], till.get(path).body["open_cases"]) == (None, 0)
    agent = console.staff("li.na")
    agent.last_name, agent.first_name = "李", "娜"
    agent.save()
    account_managers.assign(member_id=member.pk, agent_id=agent.pk, at=members.AT, actor="s")
    for state in ("open", "in_progress", "waiting_member", "resolved", "closed"):
        Case.objects.create(
            member=member, code="points_debt", opened_at=members.AT, state=state,
            waiting_since_at=members.AT if state == "waiting_member" else None,
            resolved_at=members.AT if state == "resolved" else None,
            closed_at=members.AT if state == "closed" else None,
        )  # fmt: skip
    found = till.get(path).body
    assert (found["account_manager"], found["open_cases"]) == ({"name": "李娜"}, 3)
