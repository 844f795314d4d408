"""Enrolment, look-up and profiles over the API."""

from collections.abc import Callable

import pytest

from members.models import Consent, Member, MemberEvent
from tests.api import bodies
from tests.api.conftest import Answer, Caller
from tests.factories import members

pytestmark = pytest.mark.django_db


@pytest.mark.req("MEM-01", "MEM-02")
def test_enrolment_makes_a_member_once(till: Caller) -> None:
    person = bodies.enrolment(name="张三", birthday="1990-05-01", store="SH-1")

    first = till.post("/members", person)
    second = till.post("/members", person)

    assert (first.status, second.status) == (201, 200)
    assert first.body["id"] == second.body["id"]
    assert first.body["tier"]["code"] == "basic"
    assert first.body["channel"] == "pos"
    assert Member.objects.count() == 1


@pytest.mark.req("MEM-03")
def test_same_phone_at_till_and_web_is_one_member(caller: Callable[..., Caller]) -> None:
    pos, web = caller(channel="pos"), caller(channel="web")
    one = pos.post(
        "/members", bodies.enrolment(identifiers=[{"kind": "phone", "value": "13800138000"}])
    )
    two = web.post(
        "/members",
        bodies.enrolment(
            identifiers=[{"kind": "phone", "value": "+86 138-0013-8000"}], channel="web"
        ),
    )
    assert (one.body["id"], two.status) == (two.body["id"], 200)
    assert two.body["channel"] == "pos"


def test_personal_values_are_masked_unless_the_key_may_read_them(
    caller: Callable[..., Caller],
) -> None:
    masked = caller("members:read", "members:write")
    clear = caller("members:read", "members:read_personal")
    person = bodies.enrolment(
        identifiers=[{"kind": "phone", "value": "13800138000"}],
        name="欧阳娜娜",
        birthday="1990-05-01",
    )
    made = masked.post("/members", person)
    path = f"/members/{made.body['id']}"

    for answer in (
        made,
        masked.get(path),
        masked.post("/members/lookup", person["identifiers"][0]),
    ):
        assert answer.body["name"] == "欧***"
        assert identifiers(answer)["phone"] == "138****8000"
        assert "birthday" not in answer.body
        assert b"13800138000" not in answer.raw
    answer = clear.get(path)
    seen = answer.body
    assert (seen["name"], seen["birthday"]) == ("欧阳娜娜", "1990-05-01")
    assert identifiers(answer)["phone"] == "+8613800138000"


def identifiers(answer: Answer) -> dict[str, str]:
    return {found["kind"]: found["value"] for found in answer.body["identifiers"]}


def test_two_identifiers_of_two_members_are_a_conflict(till: Caller) -> None:
    one, two = ({"kind": "phone", "value": members.phone()} for _ in range(2))
    till.post("/members", bodies.enrolment(identifiers=[one]))
    till.post("/members", bodies.enrolment(identifiers=[two]))

    answer = till.post("/members", bodies.enrolment(identifiers=[one, two]))

    assert (answer.status, answer.code) == (409, "identifiers_conflict")
    assert Member.objects.count() == 2


@pytest.mark.req("MEM-13")
def test_batch_answers_each_request_and_changes_nothing_again(till: Caller) -> None:
    people = [bodies.enrolment(), {"identifiers": []}, bodies.enrolment(colour="red")]
    people.append(bodies.enrolment(identifiers=people[0]["identifiers"]))

    first = till.post("/members/batch", {"members": people})
    second = till.post("/members/batch", {"members": people})

    assert [result["status"] for result in first.body["results"]] == [201, 400, 400, 200]
    assert first.body["results"][1]["errors"][0]["pointer"] == "/identifiers"
    assert first.body["results"][2]["errors"][0]["code"] == "unknown_key"
    assert [result["status"] for result in second.body["results"]] == [200, 400, 400, 200]
    assert Member.objects.count() == 1


def test_look_up_leads_to_nobody(till: Caller) -> None:
    answer = till.post("/members/lookup", {"kind": "phone", "value": members.phone()})
    assert (answer.status, answer.code) == (404, "member_not_found")


def test_change_of_a_profile_takes_what_is_named(caller: Callable[..., Caller]) -> None:
    desk = caller("members:read", "members:write", "members:read_personal")
    made = desk.post("/members", bodies.enrolment(name="张三", birthday="1990-05-01"))
    path = f"/members/{made.body['id']}"

    changed = desk.patch(path, {"name": "李四", "attributes": {"shoe_size": 39}})
    cleared = desk.patch(path, {"birthday": None, "attributes": {"shoe_size": None}})

    assert (changed.body["name"], changed.body["birthday"]) == ("李四", "1990-05-01")
    assert changed.body["attributes"] == {"shoe_size": 39}
    assert (cleared.body["birthday"], cleared.body["attributes"]) == (None, {})


@pytest.mark.parametrize(
    "field", ["id", "card_number", "status", "joined_at", "tier", "channel", "merged_into"]
)
def test_fields_that_are_not_for_change_are_refused(till: Caller, field: str) -> None:
    member = members.member()
    answer = till.patch(f"/members/{member.public_id}", {field: "active"})
    assert (answer.status, answer.body["errors"][0]["code"]) == (400, "unknown_key")


def test_consents_are_recorded_with_their_source(till: Caller) -> None:
    member = members.member()
    body = {"consents": [{"purpose": "marketing", "granted": True, "text_version": "1"}]}

    answer = till.put(f"/members/{member.public_id}/consents", body)
    till.put(f"/members/{member.public_id}/consents", body)

    assert answer.body["consents"][0]["granted"] is True
    row = Consent.objects.get()
    assert (row.member_id, row.touchpoint_id) == (member.pk, till.touchpoint.pk)


@pytest.mark.req("MEM-09")
def test_timeline_goes_on_from_its_cursor(till: Caller) -> None:
    member = members.member()
    path = f"/members/{member.public_id}"
    for granted in (True, False, True):
        till.put(f"{path}/consents", {"consents": [{"purpose": "sms", "granted": granted}]})

    ids, cursor = [], ""
    while True:
        page = till.get(f"{path}/timeline?limit=1{cursor}").body
        ids += [event["id"] for event in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"

    events = MemberEvent.objects.filter(member=member).order_by("-occurred_at", "-pk")
    assert ids == list(events.values_list("pk", flat=True))
    assert len(ids) >= 4


@pytest.mark.parametrize(
    "query",
    ["cursor=x", "cursor=WzFd", "cursor=WzFlOTksMV0", "limit=0", "limit=201", "limit=a", "page=2"],
)
def test_query_that_means_nothing_is_refused(till: Caller, query: str) -> None:
    member = members.member()
    answer = till.get(f"/members/{member.public_id}/timeline?{query}")
    assert answer.status == 400
    assert answer.code in {"cursor_invalid", "parameter_invalid"}


def test_erased_member_is_nobody(till: Caller) -> None:
    member = members.member()
    Member.objects.filter(pk=member.pk).update(status="erased")
    assert till.get(f"/members/{member.public_id}").status == 404


def test_merged_member_is_the_survivor(till: Caller) -> None:
    survivor, merged = members.member(), members.member()
    Member.objects.filter(pk=merged.pk).update(status="merged", merged_into=survivor)
    assert till.get(f"/members/{merged.public_id}").body["id"] == str(survivor.public_id)


@pytest.mark.parametrize(
    ("person", "pointer"),
    [
        ({"identifiers": []}, "/identifiers"),
        ({"identifiers": [{"kind": "phone", "value": "1"}]}, "/identifiers/0/value"),
        ({"identifiers": [{"kind": "wechat_openid", "value": "x"}]}, "/identifiers/0/app"),
        ({"name": "a\tb"}, "/name"),
        ({"birthday": "2990-01-01"}, "/birthday"),
        ({"birthday": "1990-02-30"}, "/birthday"),
        ({"channel": "fax"}, "/channel"),
        ({"consents": [{"purpose": "marketing"}]}, "/consents/0/granted"),
        ({"attributes": []}, "/attributes"),
    ],
)
def test_mistake_in_an_enrolment_is_named(
    till: Caller, person: dict[str, object], pointer: str
) -> None:
    answer = till.post("/members", bodies.enrolment(**person))
    assert answer.status == 400
    assert pointer in {error["pointer"] for error in answer.body["errors"]}
    assert Member.objects.count() == 0
