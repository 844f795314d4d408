"""Sending what is due: one row per message, whatever became of it, and each only once."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from campaigns import channels
from campaigns.channels import Outbound, Outcome, Result
from campaigns.domain.delivery import Policy
from campaigns.models import Message, MessageState, Purpose, TemplateVersion
from campaigns.services import (
    message_policy,
    message_rows,
    message_templates,
    messages,
    retention,
    sending,
)
from campaigns.services.message_templates import TemplateTerms
from campaigns.services.messages import TemplateUnknownError, Wanted
from members.models import Member, MemberKey
from members.services import profile
from rewards.services import merging
from tests.factories import console
from tests.messages.world import NOON, allow, ended, owe, reader, send, template

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


class Recorder(channels.Channel):
    """A provider that keeps what it is given, and answers as it is told."""

    def __init__(self, code: str, kind: str) -> None:
        self.code, self.address_kind = code, kind
        self.got: list[Outbound] = []
        self.answers: list[Result | Exception] = []

    def is_open(self) -> bool:
        return True

    def send(self, outbound: Outbound) -> Result:
        self.got.append(outbound)
        answer = self.answers.pop(0) if self.answers else Result(Outcome.SENT)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def sms(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder("sms", "phone")
    monkeypatch.setitem(channels._installed, "sms", recorder)
    return recorder


@pytest.fixture(autouse=True)
def _template(db: None) -> None:
    template()


@pytest.mark.req("CMP-04")
def test_an_occurrence_is_owed_once() -> None:
    member = reader("")
    wanted = [Wanted(member.pk, "hello", "campaign:x", f"day:{day}", NOON) for day in (1, 2, 1)]
    assert messages.enqueue(wanted, at=NOON, recorded_at=NOON) == 2
    assert messages.enqueue(wanted, at=NOON, recorded_at=NOON) == 0
    assert Message.objects.count() == 2
    with pytest.raises(TemplateUnknownError):
        messages.enqueue([Wanted(member.pk, "no", "t", "1", NOON)], at=NOON, recorded_at=NOON)


@pytest.mark.req("CMP-04", "MEM-07", "MEM-11")
def test_a_message_is_sent_once_and_says_how(sms: Recorder) -> None:
    member = reader("sms")
    message = owe(member)
    assert send() == 1
    assert send() == 0
    assert ended(message) == ("sent", "sms", "")
    (got,) = sms.got
    assert got.text.body == "张小明，您好 拒收请回复R"
    assert got.to.startswith("+86139")
    assert message.sent_at == NOON
    assert message.tries == 1


def test_what_is_not_due_waits(sms: Recorder) -> None:
    message = owe(reader("sms"), due_at=NOON + HOUR)
    assert send() == 0
    assert send(NOON + HOUR) == 1
    assert ended(message)[0] == "sent"


@pytest.mark.req("MEM-11")
def test_consent_is_asked_for_when_a_message_is_sent(sms: Recorder) -> None:
    agreed, withdrew, never = reader("sms"), reader("sms"), reader()
    owed = [owe(each) for each in (agreed, withdrew, never)]
    allow(withdrew, "sms", granted=False)
    send()
    assert [ended(each) for each in owed] == [
        ("sent", "sms", ""), ("suppressed", "", "no_consent"), ("suppressed", "", "no_consent"),
    ]  # fmt: skip


@pytest.mark.req("MEM-07")
def test_a_member_who_allows_no_way_gets_a_row_that_says_so(sms: Recorder) -> None:
    member = reader("")
    profile.update(
        member_id=member.pk, at=NOON, actor="test", attributes={"preferred_channels": ["email"]}
    )
    message = owe(member)
    send()
    assert ended(message) == ("suppressed", "", "no_channel")
    assert not sms.got


def test_members_hear_only_what_is_for_them(sms: Recorder) -> None:
    frozen, closed, child = reader("sms"), reader("sms"), reader("sms", birthday=date(2014, 1, 1))
    template("notice", Purpose.SERVICE)
    for each, state in ((frozen, "frozen"), (closed, "closed")):
        Member.objects.filter(pk=each.pk).update(status=state)
    offers = [owe(each) for each in (frozen, closed, child)]
    notices = [owe(each, "notice", "2") for each in (frozen, closed, child)]
    send()
    assert [ended(each)[2] for each in offers] == ["member_not_active"] * 2 + ["minor"]
    assert [ended(each)[2] for each in notices] == ["", "member_not_active", ""]


@pytest.mark.req("CMP-08")
def test_quiet_hours_postpone_and_no_try_is_counted(sms: Recorder) -> None:
    night = datetime(2026, 3, 20, 15, 0, tzinfo=UTC)  # 23:00
    message = owe(reader("sms"), due_at=night)
    send(night)
    assert ended(message) == ("queued", "", "quiet_hours")
    assert (message.due_at, message.tries) == (datetime(2026, 3, 21, 1, 0, tzinfo=UTC), 0)
    send(night + 9 * HOUR)
    assert not sms.got
    send(night + 10 * HOUR)
    assert ended(message) == ("sent", "sms", "")


def test_under_a_leaping_clock_each_message_acts_when_it_was_due(sms: Recorder) -> None:
    night = datetime(2026, 3, 20, 15, 0, tzinfo=UTC)
    message = owe(reader("sms"), due_at=night)
    send(night + 24 * HOUR, as_of_due=True)
    assert ended(message) == ("sent", "sms", "")
    assert message.sent_at == datetime(2026, 3, 21, 1, 0, tzinfo=UTC)


@pytest.mark.req("CMP-08")
def test_no_member_gets_more_offers_than_the_caps_allow(sms: Recorder) -> None:
    policy = Policy(marketing_per_day=2, marketing_per_week=3)
    message_policy.change(policy=policy, reason="test", actor="test", at=NOON)
    member, other = reader("sms"), reader("sms")
    first = [owe(member, occurrence=str(number)) for number in range(4)]
    owe(other)
    send()
    assert [ended(each)[2] for each in first] == ["", "", "frequency_cap", "frequency_cap"]
    later = [owe(member, occurrence=f"b{n}", due_at=NOON + 25 * HOUR) for n in range(2)]
    send(NOON + 25 * HOUR)
    assert [ended(each)[2] for each in later] == ["", "frequency_cap"]
    assert len(sms.got) == 4


def test_stale_news_is_not_sent(sms: Recorder) -> None:
    message = owe(reader("sms"), expires_at=NOON + HOUR)
    send(NOON + HOUR)
    assert ended(message) == ("suppressed", "", "stale")


def test_a_template_without_published_texts_sends_nothing(sms: Recorder) -> None:
    terms = TemplateTerms("bare", "无", "Bare", Purpose.MARKETING)
    message_templates.create(terms=terms, actor="test", at=NOON)
    message = owe(reader("sms"), "bare")
    send()
    assert ended(message) == ("suppressed", "", "no_text")


@pytest.mark.parametrize(
    ("purpose", "answer", "state", "reason", "again"),
    [
        ("marketing", Result(Outcome.REFUSED, "bad_number"), "failed", "bad_number", 1),
        ("marketing", Result(Outcome.UNKNOWN, "timeout"), "unknown", "timeout", 1),
        ("marketing", OSError("x"), "unknown", "OSError", 1),
        ("marketing", Result(Outcome.NOT_REACHED, "x"), "queued", "provider_not_reached", 2),
        ("security", Result(Outcome.UNKNOWN, "timeout"), "queued", "timeout", 2),
    ],
)
@pytest.mark.req("CMP-04")
def test_only_what_surely_did_not_arrive_is_tried_again(
    sms: Recorder, purpose: str, answer: Any, state: str, reason: str, again: int
) -> None:
    template("other", Purpose(purpose))
    message = owe(reader("sms"), "other")
    sms.answers = [answer]
    send()
    assert (ended(message)[0], message.reason) == (state, reason)
    send(NOON + HOUR)
    assert len(sms.got) == again
    assert len({got.message_id for got in sms.got}) == 1


def test_a_provider_that_is_down_is_given_up_in_the_end(sms: Recorder) -> None:
    message = owe(reader("sms"))
    sms.answers = [Result(Outcome.NOT_REACHED, "x")] * 9
    for hours in range(0, 30, 3):
        send(NOON + timedelta(days=hours))
    assert ended(message) == ("failed", "sms", "x")
    assert len(sms.got) == sending.MAX_TRIES


def test_who_sends_dies_and_nothing_is_sent_twice(sms: Recorder) -> None:
    template("alarm", Purpose.SECURITY)
    offer, alarm = owe(reader("sms")), owe(reader("sms"), "alarm")
    works = sending._take(NOON, as_of_due=False)
    assert len(works) == 2
    assert send() == 0
    Message.objects.update(lease_until=datetime.now(UTC) - timedelta(seconds=1))
    send()
    assert ended(offer) == ("unknown", "sms", "broke_off")
    assert ended(alarm) == ("sent", "sms", "")
    # Who comes back from the dead writes nothing: others hold the claim now.
    message_rows.write([sending._ended(work, Result(Outcome.REFUSED, "x"), NOON) for work in works])
    assert ended(offer)[0] == "unknown"
    assert ended(alarm)[0] == "sent"
    assert len(sms.got) == 1


@pytest.mark.req("CMP-04")
@pytest.mark.parametrize("damage", [{"wrapped": b"\x01" + bytes(60)}, {"master_version": 99}])
def test_a_member_whose_key_does_not_open_keeps_no_other_from_it(
    sms: Recorder, damage: dict[str, Any]
) -> None:
    whole, broken, other = (reader("sms") for _number in range(3))
    owed = [owe(each) for each in (whole, broken, other)]
    key = MemberKey.objects.get(member=broken)
    MemberKey.objects.filter(member=broken).update(**damage)

    assert send() == 3
    assert [ended(each) for each in owed] == [
        ("sent", "sms", ""), ("queued", "", "unreadable"), ("sent", "sms", ""),
    ]  # fmt: skip
    for days in range(1, 9):
        send(NOON + timedelta(days=days))
    assert ended(owed[1]) == ("failed", "", "unreadable")
    assert owed[1].tries == sending.MAX_TRIES

    key.save()
    owe(broken, occurrence="2")
    send()
    assert len(sms.got) == 3


def test_unknown_outcomes_are_sent_again_by_a_person_only(sms: Recorder) -> None:
    message = owe(reader("sms"))
    sms.answers = [Result(Outcome.UNKNOWN, "timeout")]
    send()
    messages.retry(message_id=message.pk, reason="asked the provider", actor="li.na", at=NOON)
    send()
    assert ended(message) == ("sent", "sms", "")
    with pytest.raises(messages.NotUnknownError):
        messages.retry(message_id=message.pk, reason="x", actor="li.na", at=NOON)


def test_the_number_of_statements_does_not_depend_on_the_batch(sms: Recorder) -> None:
    console.programme()
    name = {"name": "points.available", "type": "integer", "fallback": {"zh": "0"}}
    tier = {"name": "member.tier", "type": "text", "fallback": {"zh": ""}}
    body = {"subject": "", "body": "{{ points.available }} {{ member.tier }}"}
    template("rich", Purpose.SERVICE, {"zh": {"sms": body}}, (name, tier))
    counts = []
    for size in (1, 20):
        for _number in range(size):
            owe(reader("sms"), "rich")
        with CaptureQueriesContext(connection) as captured:
            assert sending.send_due(at=NOON) == size
        counts.append(len([q for q in captured if "SAVEPOINT" not in q["sql"]]))
    assert counts[0] == counts[1]
    assert counts[0] <= 22


@pytest.mark.req("CMP-04")
def test_the_sum_is_the_audience(sms: Recorder) -> None:
    people = [reader(*(("sms",) if number % 3 else ())) for number in range(30)]
    for each in people:
        owe(each, trigger="campaign:spring")
    sms.answers = [Result(Outcome.REFUSED, "x"), Result(Outcome.UNKNOWN, "y")]
    send()
    counted = messages.counts_of("campaign:spring")
    assert counted == {"sent": 18, "failed": 1, "unknown": 1, "suppressed": 10}
    assert sum(counted.values()) == len(people)
    reasons = messages.reasons_of("campaign:spring")
    assert reasons == {("suppressed", "no_consent"): 10, ("failed", "x"): 1, ("unknown", "y"): 1}


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"state": "sent"}, "message_ended_has_instant"),
        ({"state": "sending"}, "message_leased_while_sending"),
        ({"state": "gone", "ended_at": NOON}, "message_state_known"),
        ({"state": "failed", "ended_at": NOON}, "message_not_sent_has_reason"),
        ({"state": "sent", "ended_at": NOON}, "message_sent_has_channel_and_instant"),
        (
            {"state": "delivered", "ended_at": NOON, "sent_at": NOON, "channel": "sms"},
            "message_delivered_has_instant",
        ),
    ],
)
def test_the_database_knows_what_a_state_needs(values: dict[str, Any], name: str) -> None:
    message = owe(reader())
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Message.objects.filter(pk=message.pk).update(**values)
    with pytest.raises(IntegrityError, match="message_once_per_occurrence"), transaction.atomic():
        Message.objects.create(
            member=message.member, template=message.template, purpose="marketing",
            trigger=message.trigger, occurrence=message.occurrence, due_at=NOON, created_at=NOON,
        )  # fmt: skip


def test_published_texts_are_never_altered() -> None:
    version = TemplateVersion.objects.get()
    version.contents = {"zh": {"sms": {"body": "other"}}}
    with pytest.raises(IntegrityError, match="published texts"), transaction.atomic():
        version.save()
    with pytest.raises(IntegrityError, match="published texts"), transaction.atomic():
        version.delete()


def test_values_are_forgotten_after_a_time(sms: Recorder, settings: Settings) -> None:
    settings.LOYALTY_MESSAGES_KEPT_DAYS = 180
    message = owe(reader("sms"), context={"order.points": 7})
    send()
    assert retention.forget_contexts(at=NOON + timedelta(days=179), limit=10) == 0
    assert retention.forget_contexts(at=NOON + timedelta(days=181), limit=10) == 1
    message.refresh_from_db()
    assert (message.context, message.sealed, message.state) == (None, None, MessageState.SENT)


@pytest.mark.req("MEM-04", "CMP-04")
def test_what_a_merged_member_is_owed_goes_to_who_stays_and_only_once(sms: Recorder) -> None:
    console.programme()
    away, into = (reader("sms", name=name) for name in ("李雷", "韩梅"))
    both, alone = owe(away, occurrence="both"), owe(away, occurrence="alone")
    owe(into, occurrence="both")
    merging.merge(away=away.pk, into=into.pk, note="same", actor="t", at=NOON - HOUR)

    send()

    assert ended(both) == ("suppressed", "", "survivor_has_it")
    assert ended(alone) == ("sent", "sms", "")
    assert alone.member == into
    assert len(sms.got) == 2
    assert len({each.to for each in sms.got}) == 1
    assert not any("李雷" in str(each.text) for each in sms.got)


@pytest.mark.req("MEM-04")
def test_what_still_waits_is_the_members_own_again_when_the_merge_is_undone(sms: Recorder) -> None:
    console.programme()
    away, into = reader("sms"), reader("sms")
    message = owe(away, due_at=NOON + timedelta(hours=2))
    merging.merge(away=away.pk, into=into.pk, note="same", actor="t", at=NOON - HOUR)
    send()
    merging.unmerge(away=away.pk, note="not", actor="t", at=NOON + HOUR)

    send(NOON + 3 * HOUR)

    assert (ended(message)[0], message.member) == ("sent", away)
    assert sms.got[0].member == str(away.public_id)


@pytest.mark.req("MEM-04")
def test_a_chain_of_merges_is_followed_and_who_is_not_reached_waits(sms: Recorder) -> None:
    console.programme()
    first, second, last = reader("sms"), reader("sms"), reader("sms")
    message = owe(first)
    for away, into in ((first, second), (second, last)):
        merging.merge(away=away.pk, into=into.pk, note="same", actor="t", at=NOON - HOUR)
    sms.answers.append(Result(Outcome.NOT_REACHED))
    send()
    assert (ended(message)[0], message.member) == ("queued", last)
    send(NOON + HOUR)
    assert ended(message)[0] == "sent"
