"""A shop shows a member the forms that ask them, and sends what they answer."""

from collections.abc import Callable

import pytest

from campaigns.services import feedback_forms
from config.base import clock
from members.models import Interaction, Member
from tests.api.conftest import Caller
from tests.factories import feedback, members

pytestmark = [pytest.mark.django_db, pytest.mark.req("CMP-11")]


def path(member: Member) -> str:
    return f"/members/{member.public_id}/feedback"


def test_a_member_sees_what_asks_and_answers_it_again_and_again(till: Caller) -> None:
    ann, ben = members.member(), members.member()
    form = feedback.opened(at=clock.now(), treated=[ann])
    assert till.get(path(ben)).body == {"items": []}
    (item,) = till.get(path(ann)).body["items"]
    assert item["title"] == {"zh": "试点反馈", "en": "Pilot feedback"}
    assert (item["answered_at"], item["answers"]) == (None, {})
    assert [each["kind"] for each in item["questions"]] == ["nps", "rating", "choice", "text"]
    address = f"{path(ann)}/{item['id']}"
    first = till.put(address, {"answers": {"q1": 9, "q3": "o1", "q4": "好"}})
    assert (first.status, first.body["answers"]) == (200, {"q1": 9, "q3": "o1", "q4": "好"})
    second = till.put(address, {"answers": {"q1": 2}})
    assert (second.body["answers"], second.body["changed_at"] is None) == ({"q1": 2}, False)
    assert Interaction.objects.count() == 1

    refused = till.put(address, {"answers": {"q1": 11}})
    assert (refused.status, refused.code) == (400, "feedback_invalid")
    assert (
        till.put(f"{path(ben)}/{item['id']}", {"answers": {"q1": 9}}).code == "feedback_not_found"
    )
    feedback_forms.close(form_id=form.pk, at=clock.now())
    assert till.put(address, {"answers": {"q1": 9}}).code == "feedback_closed"
    assert till.get(path(ann)).body == {"items": []}


def test_free_text_is_read_by_keys_for_personal_values_only(
    caller: Callable[..., Caller],
) -> None:
    ann = members.member()
    form = feedback.opened(at=clock.now(), treated=[ann])
    masked = caller("members:read", "feedback:write")
    said = {"answers": {"q1": 9, "q4": "排队"}}
    assert masked.put(f"{path(ann)}/{form.public_id}", said).body["answers"] == {"q1": 9}
    open_key = caller("members:read", "members:read_personal")
    assert open_key.get(path(ann)).body["items"][0]["answers"] == {"q1": 9, "q4": "排队"}
