"""Feedback forms for tests, written and opened by the services that do it in production."""

import itertools
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from campaigns.domain.feedback import Kind, Option, Question
from campaigns.models import (
    Arm,
    Campaign,
    CampaignMember,
    CampaignState,
    CampaignVersion,
    FeedbackAnswer,
    FeedbackForm,
)
from campaigns.services import feedback_answers, feedback_forms
from campaigns.services.feedback_forms import FormTerms
from members.domain.public_id import new_public_id
from members.models import Member, ReceivedFact
from tests.factories import campaigns

_numbers = itertools.count(1)

QUESTIONS = (
    Question("q1", Kind.NPS, "您会推荐我们吗？", "Would you recommend us?"),
    Question("q2", Kind.RATING, "您有多满意？", "How satisfied are you?", is_required=False),
    Question(
        "q3", Kind.CHOICE, "您最喜欢什么？", "What do you like best?", is_required=False,
        options=(Option("o1", "积分", "Points"), Option("o2", "礼品", "Rewards")),
    ),
    Question("q4", Kind.TEXT, "还有什么想说的？", "What else?", is_required=False),
)  # fmt: skip


def pilot(*, at: datetime) -> Campaign:
    """Return a pilot into which nobody has been taken yet."""
    campaign = Campaign.objects.create(
        code=f"pilot-{next(_numbers)}", name_zh="试点", name_en="Pilot", created_at=at,
        created_by="maker",
    )  # fmt: skip
    campaign.running = CampaignVersion.objects.create(
        campaign=campaign, number=1, state="published", published_at=at, created_at=at,
        created_by="maker", trigger=campaigns.ORDER,
    )  # fmt: skip
    campaign.state, campaign.started_at, campaign.stage_percent = CampaignState.PILOT, at, 10
    campaign.save()
    return campaign


def form(campaign: Campaign, *, at: datetime, **terms: Any) -> FeedbackForm:
    """Write a form."""
    said = {"title_zh": "试点反馈", "title_en": "Pilot feedback", "questions": QUESTIONS, **terms}
    return feedback_forms.create(
        campaign_id=campaign.pk, terms=FormTerms(**said), actor="maker", at=at
    )


def take_in(campaign: Campaign, arm: Arm, who: Collection[Member], *, at: datetime) -> None:
    """Put members into an arm of a campaign."""
    CampaignMember.objects.bulk_create(
        CampaignMember(
            campaign=campaign, member=member, arm=arm, position=0.5, entered_at=at,
            treated_at=at if arm == Arm.TREATED else None,
        )
        for member in who
    )  # fmt: skip


def opened(
    *, at: datetime, treated: Collection[Member] = (), holdout: Collection[Member] = (),
    **terms: Any,
) -> FeedbackForm:  # fmt: skip
    """Return an open form of a pilot that has addressed some members and held out others."""
    campaign = pilot(at=at)
    take_in(campaign, Arm.TREATED, treated, at=at)
    take_in(campaign, Arm.HOLDOUT, holdout, at=at)
    made = form(campaign, at=at, **terms)
    feedback_forms.open_form(form_id=made.pk, at=at)
    made.refresh_from_db()
    return made


def asked(member: Member, *, at: datetime) -> FeedbackAnswer:
    """Ask a member by a form of a new pilot."""
    return row(opened(at=at, treated=[member]), member)


def row(of: FeedbackForm, member: Member) -> FeedbackAnswer:
    """Return what a member was asked by a form and has answered, as it stands."""
    return FeedbackAnswer.objects.select_related("form").get(form=of, member=member)


def answer(of: FeedbackForm, member: Member, *, at: datetime, **given: Any) -> FeedbackAnswer:
    """Answer a form for a member."""
    return feedback_answers.answer(row=row(of, member), given=given, actor="test", at=at)


def stored(of: FeedbackForm, arm: Arm, scores: Mapping[int, int]) -> None:
    """Store the answers of so many members of an arm for each score, row by row."""
    at, first = of.created_at, Member.objects.count()
    given = [score for score, count in scores.items() for _number in range(count)]
    who = Member.objects.bulk_create(
        Member(
            public_id=new_public_id(at), card_number=f"F{first + number:09}", joined_at=at,
            channel="pos", created_at=at,
        )
        for number in range(len(given))
    )  # fmt: skip
    facts = ReceivedFact.objects.bulk_create(
        ReceivedFact(
            source="feedback", kind="interaction", ref=str(each.pk), digest=bytes(32), member=each,
            acts_at=at, received_at=at, body={},
        )
        for each in who
    )  # fmt: skip
    FeedbackAnswer.objects.bulk_create(
        FeedbackAnswer(
            form=of, member=each, arm=arm, asked_at=at, answered_at=at, fact=fact,
            counted={"q1": score, "q2": 1 + score // 3, "q3": "o1" if score > 5 else "o2"},
        )
        for each, fact, score in zip(who, facts, given, strict=True)
    )  # fmt: skip
