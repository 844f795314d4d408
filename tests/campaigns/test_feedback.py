"""A pilot asks its members and its hold-out: one answer each, sealed, compared, forgotten."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F

from campaigns.domain import feedback as domain
from campaigns.domain.feedback import FeedbackInvalidError, Kind, Question
from campaigns.kpis import feedback as kpi
from campaigns.models import (
    Arm,
    CampaignAct,
    FeedbackAnswer,
    FeedbackForm,
    FeedbackState,
    Message,
    MessageTemplate,
    Purpose,
)
from campaigns.services import (
    feedback_answers,
    feedback_forms,
    feedback_links,
    sealed_texts,
    sending,
)
from campaigns.services.feedback_answers import FeedbackClosedError, FeedbackNotFoundError
from campaigns.services.feedback_forms import FeedbackError
from campaigns.services.messages import enqueue
from config.base import clock
from config.wiring import feedback as wiring
from members.models import Interaction, MemberEvent, MemberStatus
from members.services import erasure
from rewards.services import own_data
from tests.campaigns.test_referrals import broken
from tests.engine.shop import Shop, day
from tests.factories import campaigns, feedback
from tests.flows.test_merge_story import merge
from tests.messages import world as messages
from tests.triggers.world import World, keys

pytestmark = [pytest.mark.django_db, pytest.mark.req("CMP-11")]

WORDS = "排队太久了，店员很好 <b>"
LINK = {"name": feedback_links.VARIABLE, "type": "text", "fallback": {"zh": ""}}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr(clock, "now", lambda: world.now)
    return world


def asking(code: str = "ask") -> MessageTemplate:
    text = {"subject": "反馈", "body": "请看 {{ feedback.link }}"}
    contents = {"zh": {"inbox": text}}
    return messages.template(code, Purpose.SERVICE, contents, (LINK,))


def test_a_form_asks_both_arms_once_by_a_link_of_their_own(world: World) -> None:
    ann, ben, tom, eve = (world.join(name) for name in ("ann", "ben", "tom", "eve"))
    world.set_status(eve, MemberStatus.FROZEN)
    template = asking()
    form = feedback.opened(
        at=world.now, treated=[ann, eve], holdout=[ben], template_id=template.pk
    )  # fmt: skip
    feedback.take_in(form.campaign, Arm.TREATED, [tom], at=world.now)
    assert feedback_forms.ask_more(form_id=form.pk, at=world.now) == 1
    assert feedback_forms.ask_more(form_id=form.pk, at=world.now) == 0
    arms = dict(FeedbackAnswer.objects.values_list("member_id", "arm"))
    assert arms == {ann.pk: "treated", ben.pk: "holdout", tom.pk: "treated"}
    owed = Message.objects.filter(trigger=f"feedback:{form.pk}")
    assert sorted(owed.values_list("member_id", flat=True)) == sorted(arms)

    sending.send_due(at=world.now + timedelta(hours=1))
    said = sealed_texts.read(list(owed))
    bodies = {message.member_id: said[message.pk].body for message in owed}
    for member, body in bodies.items():
        token = body.rpartition(feedback_links.PATH)[2]
        assert feedback_links.answer_of(token).member_id == member
    assert len(set(bodies.values())) == 3
    public = {str(each.public_id) for each in (ann, ben, tom)}
    assert not any(name in body for body in bodies.values() for name in public)


def test_asking_that_broke_off_is_gone_on_with(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = [world.join(name) for name in ("ann", "ben", "tom")]
    form = feedback.opened(at=world.now, template_id=asking().pk)
    feedback.take_in(form.campaign, Arm.TREATED, who, at=world.now)
    monkeypatch.setattr(feedback_forms, "ASKED_AT_ONCE", 1)
    told: list[Any] = []

    def breaking(wanted: Any, **values: Any) -> int:
        told.append(wanted)
        if len(told) == 2:
            raise OSError("gone")
        return enqueue(wanted, **values)

    monkeypatch.setattr("campaigns.services.messages.enqueue", breaking)
    with pytest.raises(OSError, match="gone"):
        feedback_forms.ask_more(form_id=form.pk, at=world.now)
    assert FeedbackAnswer.objects.count() == Message.objects.count() == 1
    assert feedback_forms.ask_more(form_id=form.pk, at=world.now) == 2
    assert FeedbackAnswer.objects.count() == Message.objects.count() == 3


def test_a_form_is_written_opened_and_closed_in_this_order_only(world: World) -> None:
    campaign = campaigns.draft(at=world.now).campaign
    form = feedback.form(campaign, at=world.now)
    with pytest.raises(FeedbackError, match="feedback_campaign_not_started"):
        feedback_forms.open_form(form_id=form.pk, at=world.now)
    with pytest.raises(FeedbackError, match="feedback_wrong_state"):
        feedback_forms.close(form_id=form.pk, at=world.now)
    with pytest.raises(FeedbackError, match="feedback_template_without_link"):
        feedback.form(campaign, at=world.now, template_id=MessageTemplate.objects.get().pk)
    opened = feedback.opened(at=world.now)
    for act in (feedback_forms.discard, feedback_forms.save):
        more: dict[str, Any] = {}
        if act is feedback_forms.save:
            more["terms"] = feedback_forms.FormTerms("x", "", feedback.QUESTIONS)
        with pytest.raises(FeedbackError, match="feedback_wrong_state"):
            act(form_id=opened.pk, **more)
    feedback_forms.discard(form_id=form.pk)
    assert FeedbackForm.objects.get() == opened


@pytest.mark.parametrize(
    ("given", "field", "reason"),
    [
        ({}, "q1", "required"),
        ({"q1": 11}, "q1", "value"),
        ({"q1": True}, "q1", "value"),
        ({"q1": "9"}, "q1", "value"),
        ({"q1": 9, "q2": 0}, "q2", "value"),
        ({"q1": 9, "q3": "o9"}, "q3", "value"),
        ({"q1": 9, "q4": "x" * 1001}, "q4", "too_long"),
        ({"q1": 9, "q4": "\x00"}, "q4", "value"),
        ({"q1": 9, "q9": 1}, "q9", "unknown"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(
    given: dict[str, Any], field: str, reason: str
) -> None:
    with pytest.raises(FeedbackInvalidError) as refused:
        domain.read(feedback.QUESTIONS, given)
    assert (refused.value.details["field"], refused.value.details["reason"]) == (field, reason)


def test_there_is_one_answer_which_is_put_right_and_earns_once() -> None:
    """50 points for a survey, once, whatever is corrected."""
    world = Shop("retail_cn")
    ann = world.join("ann")
    form = feedback.opened(at=world.now, treated=[ann])
    first = feedback.answer(form, ann, at=day(1), q1=9, q4=WORDS)
    earned = world.points(ann)
    assert list(earned.values()) == [50]
    feedback.answer(form, ann, at=day(2), q1=9, q4=WORDS)
    assert feedback.row(form, ann).changed_at is None
    feedback.answer(form, ann, at=day(3), q1=3, q2=2)
    (row,) = FeedbackAnswer.objects.all()
    assert (row.counted, row.answered_at, row.changed_at) == ({"q1": 3, "q2": 2}, day(1), day(3))
    assert feedback_answers.texts_of(row) == {}
    (said,) = Interaction.objects.all()
    assert (said.pk, said.kind, said.data) == (first.fact_id, "survey", {
        "q1": 3, "q2": 2, "score": 3})  # fmt: skip
    assert said.fact.body["data"] == said.data
    assert world.points(ann) == earned
    assert broken() == []
    kinds = MemberEvent.objects.filter(member=ann, kind__startswith="interaction.")
    assert list(kinds.order_by("id").values_list("kind", flat=True)) == [
        "interaction.recorded", "interaction.corrected",
    ]  # fmt: skip
    with pytest.raises(IntegrityError, match="feedback_answer_once"), transaction.atomic():
        FeedbackAnswer.objects.create(form=form, member=ann, arm="treated", asked_at=day(1))


def test_what_was_written_is_sealed_and_nowhere_else(world: World) -> None:
    ann = world.join("ann")
    form = feedback.opened(at=world.now, treated=[ann])
    row = feedback.answer(form, ann, at=day(1), q1=9, q4=WORDS)
    assert feedback_answers.texts_of(row) == {"q4": WORDS}
    assert WORDS not in str(FeedbackAnswer.objects.values().get())
    assert WORDS not in str(list(MemberEvent.objects.values_list("payload", flat=True)))
    assert "q4" not in Interaction.objects.get().data


def test_nobody_answers_a_form_that_is_closed_or_does_not_ask_them(world: World) -> None:
    ann, ben = world.join("ann"), world.join("ben")
    form = feedback.opened(at=world.now, treated=[ann])
    with pytest.raises(FeedbackNotFoundError):
        feedback_answers.find(member=ben, form=form.public_id)
    row = feedback.row(form, ann)
    world.set_status(ann, MemberStatus.FROZEN)
    with pytest.raises(FeedbackNotFoundError):
        feedback_answers.answer(row=row, given={"q1": 9}, actor="t", at=day(1))
    world.set_status(ann, MemberStatus.ACTIVE)
    feedback_forms.close(form_id=form.pk, at=day(1))
    with pytest.raises(FeedbackClosedError):
        feedback_answers.answer(row=row, given={"q1": 9}, actor="t", at=day(2))
    assert feedback_answers.asked(ann) == []
    assert not Interaction.objects.exists()


def test_low_scores_start_a_campaign_once_also_when_put_right(world: World) -> None:
    ann = world.join("ann")
    low = world.run({"kind": "survey", "max_score": 6}, at=1)
    by_question = world.run({"kind": "survey", "field": "q2", "max_score": 2}, at=1)
    form = feedback.opened(at=world.now, treated=[ann])
    for number, (score, rating) in enumerate([(9, 5), (4, 5), (3, 1), (9, 2)], 2):
        world.now = day(number)
        feedback.answer(form, ann, at=world.now, q1=score, q2=rating)
        world.follow()
    (said,) = Interaction.objects.all()
    assert keys(low) == keys(by_question) == [f"fact:{said.pk}"]
    assert CampaignAct.objects.get(campaign=low).occurred_at == day(3)


def test_an_erasure_empties_the_answers_and_keeps_their_number(world: World) -> None:
    ann, ben = world.join("ann"), world.join("ben")
    form = feedback.opened(at=world.now, treated=[ann, ben])
    for who in (ann, ben):
        feedback.answer(form, who, at=day(1), q1=9, q4=WORDS)
    erasure.erase(member=ann, at=day(2), actor="staff:li", reason="request")
    row, other = feedback.row(form, ann), feedback.row(form, ben)
    assert (row.counted, row.sealed, row.answered_at) == ({}, "", day(1))
    assert feedback_answers.texts_of(other) == {"q4": WORDS}
    results = kpi.assess(form)
    assert (results.treated.answered, results.questions[0].treated) == (2, {"9": 1})
    with pytest.raises(FeedbackNotFoundError):
        feedback_answers.answer(row=row, given={"q1": 1}, actor="t", at=day(3))


def test_a_copy_of_ones_own_data_has_the_answers_in_words(world: World) -> None:
    ann = world.join("ann")
    wiring.install()
    why = tuple(Question(code, Kind.TEXT, "为什么？") for code in ("q5", "q6"))
    form = feedback.opened(
        at=world.now, treated=[ann], questions=(*feedback.QUESTIONS, *why)
    )  # fmt: skip
    feedback.answer(form, ann, at=day(1), q1=8, q3="o2", q4=WORDS, q5="a", q6="b")
    data = own_data.gather(member=ann, at=day(2))["feedback"]
    (row,) = data
    assert [tuple(each.values()) for each in row["answers"]] == [
        ("您会推荐我们吗？", 8),
        ("您最喜欢什么？", "礼品"),
        ("还有什么想说的？", WORDS),
        ("为什么？", "a"),
        ("为什么？", "b"),
    ]
    assert (row["form"], row["answered_at"]) == ("试点反馈", day(1))
    assert WORDS in own_data.as_json({"feedback": data}).decode()


def test_whoever_was_merged_answers_as_the_member_that_stays(world: World) -> None:
    ann, both = world.join("ann"), world.join("both")
    form = feedback.opened(at=world.now, treated=[ann])
    row = feedback.row(form, ann)
    merge(world, ann, both, on=1)
    assert [each.pk for each in feedback_answers.asked(both)] == [row.pk]
    feedback_answers.answer(row=row, given={"q1": 10, "q4": WORDS}, actor="t", at=day(2))
    assert Interaction.objects.get(kind="survey").member_id == both.pk
    assert feedback_answers.texts_of(feedback.row(form, ann)) == {"q4": WORDS}


def test_a_person_of_several_merged_members_answers_once(world: World) -> None:
    ann, eve, both = (world.join(name) for name in ("ann", "eve", "both"))
    form = feedback.opened(at=world.now, treated=[ann, eve, both])
    first = feedback.answer(form, eve, at=day(1), q1=9)
    asked = [feedback.row(form, who) for who in (ann, both)]
    merge(world, ann, both, on=2)
    merge(world, eve, both, on=2)
    assert [each.pk for each in feedback_answers.asked(both)] == [first.pk]
    assert feedback_answers.find(member=both, form=form.public_id).pk == first.pk
    for row in asked:
        feedback_answers.answer(row=row, given={"q1": 4}, actor="t", at=day(3))
    (said,) = Interaction.objects.filter(kind="survey")
    assert (said.pk, said.data["score"]) == (first.fact_id, 4)


# Results


def test_results_are_those_of_a_plain_reading(world: World, django_assert_num_queries: Any) -> None:
    """Treated: 20×10, 15×7, 5×2. Held out: 10×9, 20×5. Net 15/40 and −10/30."""
    form = feedback.opened(at=world.now)
    feedback.stored(form, Arm.TREATED, {10: 20, 7: 15, 2: 5})
    feedback.stored(form, Arm.HOLDOUT, {9: 10, 5: 20})
    ann = world.join("ann")
    FeedbackAnswer.objects.create(form=form, member=ann, arm="treated", asked_at=world.now)
    with django_assert_num_queries(2):
        results = kpi.assess(form)
    assert (results.treated.asked, results.treated.answered) == (41, 40)
    recommend, rating, choice = results.questions
    assert recommend.treated == {"10": 20, "7": 15, "2": 5}
    assert recommend.mean is not None
    assert recommend.net is not None
    assert recommend.mean.treated == pytest.approx((200 + 105 + 10) / 40)
    assert recommend.mean.holdout == pytest.approx((90 + 100) / 30)
    assert (recommend.net.treated, recommend.net.holdout) == pytest.approx((15 / 40, -10 / 30))
    estimate = recommend.net.estimate
    assert estimate is not None
    # Welch by hand: variances of the means (0.4844 and 0.2299 with n − 1) over 40 and 30.
    sides = [1.0] * 20 + [0.0] * 15 + [-1.0] * 5, [1.0] * 10 + [-1.0] * 20
    spread = sum(
        sum((x - sum(arm) / len(arm)) ** 2 for x in arm) / (len(arm) - 1) / len(arm)
        for arm in sides
    )
    assert estimate.high - estimate.low == pytest.approx(2 * 1.959964 * spread**0.5)
    assert estimate.is_certain
    assert rating.net is None
    assert choice.options is not None
    assert choice.options["o1"].treated == pytest.approx(35 / 40)
    assert choice.options["o1"].holdout == pytest.approx(10 / 30)
    assert choice.options["o2"].estimate is not None
    assert choice.options["o2"].estimate.high < 0
    assert results.turnout.treated == pytest.approx(40 / 41)


def test_too_few_answers_say_nothing_of_a_difference(world: World) -> None:
    form = feedback.opened(at=world.now)
    feedback.stored(form, Arm.TREATED, {10: 29})
    feedback.stored(form, Arm.HOLDOUT, {1: 40})
    (recommend, _rating, _choice) = kpi.assess(form).questions
    assert recommend.mean is not None
    assert recommend.mean.treated == 10
    assert recommend.mean.estimate is None


def test_only_an_open_form_has_no_closing_instant(world: World) -> None:
    form = feedback.opened(at=world.now)
    rows = FeedbackForm.objects.filter(pk=form.pk)
    for wrong in ({"state": FeedbackState.CLOSED}, {"closed_at": F("opened_at")}):
        with (
            pytest.raises(IntegrityError, match="feedback_form_state_has_instants"),
            transaction.atomic(),
        ):
            rows.update(**wrong)


def test_a_form_without_sense_is_refused(world: World) -> None:
    campaign = feedback.pilot(at=world.now)
    two = Question("q1", Kind.CHOICE, "?")
    faults = {
        "feedback_no_questions": (), "feedback_options_missing": (two,),
        "feedback_question_unnamed": (Question("q1", Kind.NPS, " "),),
        "feedback_too_many_questions": (Question("q", Kind.NPS, "x"),) * 11,
    }  # fmt: skip
    for code, questions in faults.items():
        with pytest.raises(Exception, match=code):
            feedback.form(campaign, at=world.now, questions=questions)
    assert not FeedbackForm.objects.exists()
