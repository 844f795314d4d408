"""Feedback in the console, on the members' own page, and in the API."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from campaigns.models import Arm, FeedbackAnswer, FeedbackForm
from campaigns.services import feedback_answers, feedback_forms, feedback_links
from config.base import clock
from members.models import Interaction, Member, Store
from tests.factories import console, feedback, members, staff

pytestmark = [pytest.mark.django_db, pytest.mark.req("CMP-11")]

EVIL = "<script>alert('ö')</script>"


@pytest.fixture(autouse=True)
def _programme() -> None:
    console.programme()


@pytest.fixture
def at() -> datetime:
    return clock.now()


@pytest.fixture
def boss(client: Client) -> User:
    user = console.staff()
    client.force_login(user)
    return user


def filled(**more: Any) -> dict[str, Any]:
    """Return a feedback form as an operator fills it in."""
    return {
        "title_zh": "试点反馈", "title_en": "Pilot", "asks_holdout": "on",
        "question-0-kind": "nps", "question-0-zh": "会推荐吗？", "question-0-is_required": "on",
        "question-2-kind": "choice", "question-2-zh": "最喜欢？",
        "question-2-options": "积分 | Points\n礼品\n\n", **more,
    }  # fmt: skip


def allow(user: User, *permissions: str) -> None:
    codes = [name.partition(".")[2] for name in permissions]
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))


def path_of(row: FeedbackAnswer) -> str:
    return feedback_links.PATH + feedback_links.token_of(row.public_id)


def test_a_form_is_built_opened_and_closed_in_the_console(
    client: Client, boss: User, at: datetime
) -> None:
    campaign, ann = feedback.pilot(at=at), members.member()
    feedback.take_in(campaign, Arm.TREATED, [ann], at=at)
    new = reverse("admin:feedback_new", args=[campaign.pk])
    wrong = client.post(new, filled(**{"question-2-options": "积分"}))
    assert wrong.status_code == 200
    assert not FeedbackForm.objects.exists()
    client.post(new, filled())
    form = FeedbackForm.objects.get()
    assert [each.to_json() for each in feedback_forms.questions_of(form)] == [
        {"code": "q1", "kind": "nps", "zh": "会推荐吗？", "en": "", "required": True},
        {"code": "q2", "kind": "choice", "zh": "最喜欢？", "en": "", "required": False, "options": [
            {"code": "o1", "zh": "积分", "en": "Points"}, {"code": "o2", "zh": "礼品", "en": ""}]},
    ]  # fmt: skip
    edit = reverse("admin:feedback_edit", args=[form.pk])
    assert "积分 | Points" in client.get(edit).text
    client.post(edit, filled(title_zh="反馈二"))
    assert "反馈二" in client.get(reverse("admin:campaign", args=[campaign.pk])).text
    for verb, state in (("open", "open"), ("ask", "open"), ("close", "closed")):
        address = reverse("admin:feedback_verb", args=[form.pk, verb])
        assert client.post(address).status_code == 200, "a reason is asked for"
        client.post(address, {"reason": "as planned"})
        form.refresh_from_db()
        assert (form.title_zh, form.state) == ("反馈二", state)
    assert FeedbackAnswer.objects.get().member == ann
    assert client.get(edit).status_code == 302


def test_the_page_compares_both_arms_and_escapes_what_was_written(
    client: Client, boss: User, at: datetime, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    who = [members.member() for _number in range(3)]
    form = feedback.opened(at=at, treated=who, title_zh=EVIL)
    for each in who:
        feedback.answer(form, each, at=at, q1=9, q3="o1", q4=EVIL)
    feedback.stored(form, Arm.TREATED, {10: 40})
    feedback.stored(form, Arm.HOLDOUT, {3: 40, 9: 10})
    address = reverse("admin:feedback_form", args=[form.pk])
    client.get(address)
    with django_assert_max_num_queries(14):
        page = client.get(address)
    assert "alert(" in page.text
    assert EVIL not in page.text
    assert page.text.count("&lt;script&gt;") >= 3 + 1
    recommend = page.context["results"].questions[0]
    assert (recommend.lines[0].treated, recommend.lines[0].holdout) == ("100.0 %", "−60.0 %")
    assert recommend.lines[0].interval.tone == "is-good"
    assert recommend.chart["type"] == "bar"


def test_texts_and_the_file_are_for_those_who_may(client: Client, at: datetime) -> None:
    ann = members.member()
    form = feedback.opened(at=at, treated=[ann])
    feedback.answer(form, ann, at=at, q1=9, q3="o2", q4="=1+1")
    page, file = (reverse(f"admin:{name}", args=[form.pk]) for name in (
        "feedback_form", "feedback_file"))  # fmt: skip

    def seen_by(name: str, *permissions: str) -> tuple[str, str, int]:
        user = staff.person(name)
        allow(user, *permissions)
        client.force_login(user)
        answer = client.get(file)
        text = b"".join(answer.streaming_content).decode() if answer.streaming else ""  # type: ignore[attr-defined]
        return client.get(page).text, text, answer.status_code

    look = "campaigns.view_feedbackform"
    text, _file, status = seen_by("looker", look)
    assert ("=1+1" in text, status) == (False, 403)
    text, lines, _status = seen_by("data", look, "campaigns.export_feedbackanswer")
    assert "=1+1" not in text + lines
    assert ann.card_number in lines
    text, lines, _status = seen_by(
        "reader", look, "campaigns.export_feedbackanswer", "campaigns.view_feedbackanswer"
    )
    assert "=1+1" in text
    assert "礼品" in lines or "Rewards" in lines
    assert "'=1+1" in lines, "no formula reaches a spreadsheet"


def test_members_answer_by_their_link_and_put_it_right(client: Client, at: datetime) -> None:
    ann = members.member()
    form = feedback.opened(at=at, treated=[ann], title_zh=EVIL)
    address = path_of(feedback.row(form, ann))
    seen = client.get(address)
    assert (seen.status_code, seen["Cache-Control"].count("no-store")) == (200, 1)
    assert EVIL not in seen.text
    assert not Interaction.objects.exists(), "looking changes nothing"

    missing = client.post(address, {"q4": EVIL})
    assert missing.status_code == 400
    assert EVIL not in missing.text
    assert "&lt;script&gt;alert" in missing.text, "what was written is not lost"

    client.post(address, {"q1": "9", "q2": "5", "q4": EVIL})
    row = feedback.row(form, ann)
    assert (row.counted, feedback_answers.texts_of(row)) == ({"q1": 9, "q2": 5}, {"q4": EVIL})
    again = client.get(address).text
    assert 'value="9" checked' in again
    assert "alert(" not in again.replace("<title>", "").split("<h1>")[1].split("</h1>")[1]

    client.post(address, {"q1": "2", "q4": ""})
    row = feedback.row(form, ann)
    assert (row.counted, feedback_answers.texts_of(row)) == ({"q1": 2}, {"q4": EVIL})
    client.post(address, {"q1": "2", "q4": "", "remove-q4": "1"})
    assert feedback_answers.texts_of(feedback.row(form, ann)) == {}
    assert Interaction.objects.count() == 1


@pytest.mark.parametrize("value", ["11", "-1", "9.5", "九", "³", "9" * 5000, "null"])
def test_the_page_refuses_what_is_no_answer(client: Client, at: datetime, value: str) -> None:
    ann = members.member()
    row = feedback.asked(ann, at=at)
    assert client.post(path_of(row), {"q1": value}).status_code == 400
    row.refresh_from_db()
    assert row.answered_at is None


def test_a_link_that_is_forged_or_too_late_leads_nowhere(client: Client, at: datetime) -> None:
    ann = members.member()
    row = feedback.asked(ann, at=at)
    address = path_of(row)
    for wrong in (address[:-1] + ("A" if address[-1] != "A" else "B"), feedback_links.PATH + "x:y"):
        assert client.get(wrong).status_code == 404
        assert client.post(wrong, {"q1": "9"}).status_code == 404
    feedback_forms.close(form_id=row.form_id, at=at)
    assert client.get(address).status_code == 200
    assert client.post(address, {"q1": "9"}).status_code == 409
    assert not Interaction.objects.exists()


@pytest.mark.req("ORG-07")
def test_staff_of_a_unit_get_no_answers_of_other_stores(client: Client, at: datetime) -> None:
    mine, foreign = members.member(), members.member()
    form = feedback.opened(at=at, treated=[mine, foreign])
    for member, code in ((mine, "sh-01"), (foreign, "bj-01")):
        store = Store.objects.get_or_create(code=code)[0]
        Member.objects.filter(pk=member.pk).update(home_store=store)
        feedback.answer(form, member, at=at + timedelta(seconds=1), q1=9, q4=f"of {code}")
    manager = staff.person("manager", org_unit=staff.district("sh-01"))
    allow(manager, "campaigns.view_feedbackanswer", "campaigns.view_feedbackform",
                "campaigns.export_feedbackanswer")  # fmt: skip
    client.force_login(manager)
    for name in ("feedback_form", "feedback_file"):
        assert client.get(reverse(f"admin:{name}", args=[form.pk])).status_code == 403
    listed = client.get(reverse("admin:campaigns_feedbackanswer_changelist")).text
    assert (mine.card_number in listed, foreign.card_number in listed) == (True, False)
