"""Prospects, offers and joining, step by step as the product does it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from campaigns import followers
from campaigns.channels import Outbound, Outcome, Result
from campaigns.channels.base import Channel, Send
from campaigns.models import OfferState, ProspectAddress, ProspectOffer
from campaigns.services import prospect_audience, prospect_sending
from members.domain.enrolment import Key
from members.models import Member, Prospect
from members.services import delivery, events, prospects
from members.services.consents import ConsentDecision
from members.services.prospects import Entered, NewProspect
from rewards.services import enrolment
from rewards.services.joining_requests import EnrolmentRequest
from tests.engine.shop import day
from tests.factories import members
from tests.messages import world as messages

GIFT = 200
VARIABLES = [
    {"name": name, "type": kind, "fallback": {"zh": "-", "en": "-"}}
    for name, kind in (
        ("offer.name", "text"), ("offer.product", "text"), ("offer.gift", "text"),
        ("offer.until", "date"), ("member.name", "text"),
    )
]  # fmt: skip
TEXT = {
    "subject": "邀请",
    "body": "{{ member.name }} {{ offer.name }} {{ offer.product }} {{ offer.gift }}"
    " {{ offer.until }}",
}


class Recorder(Channel):
    """A provider that keeps what it is given, and answers as it is told."""

    code, address_kind = "sms", "phone"

    def __init__(self) -> None:
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

    @contextmanager
    def talk(self) -> Iterator[Send]:
        yield self.send


def agreed(*, granted: bool = True, **values: Any) -> ConsentDecision:
    return ConsentDecision("marketing", granted=granted, **values)


def phone() -> Key:
    """Return a phone of nobody, in its normal form."""
    return ("phone", "", f"+86{members.phone()}")


def prospect(*contacts: Key, at: float = 0, **values: Any) -> Prospect:
    """Enter a prospect who agrees to marketing, if nothing else is said."""
    wanted = NewProspect(
        contacts or (phone(),), **{"source": "landing", "consent": agreed(), **values}
    )
    assert enter(wanted, at=at) is not Entered.MEMBER
    found = prospects.find(wanted.contacts[0])
    return Prospect.objects.get(pk=found or 0)


def enter(wanted: NewProspect, at: float = 0) -> Entered:
    return prospects.enter(wanted=wanted, touchpoint=None, actor="test", at=day(at))


def number_of(prospect: Prospect) -> str:
    """Return the prospect's phone, readable."""
    return prospects.contacts_of([prospect])[prospect.pk]["phone"]


def offer(code: str = "try-it", **values: Any) -> ProspectOffer:
    """Return an offer that runs: 200 points to everybody, ten of them at most."""
    name = f"t-{code}"
    if "template" not in values:
        values["template"] = messages.template(
            name, contents={"zh": {"sms": TEXT, "email": TEXT}}, variables=VARIABLES
        )
    defaults: dict[str, Any] = {
        "code": code, "name_zh": "尝新", "name_en": "Try it", "kind": "limited_time",
        "points": None if "coupon_template" in values else GIFT, "starts_at": day(-1),
        "ends_at": day(60), "holdout_percent": 0, "most_given": 10, "created_at": day(-2),
        "created_by": "staff:eve", "state": OfferState.RUNNING, "started_at": day(-1),
    }  # fmt: skip
    return ProspectOffer.objects.create(**{**defaults, **values})


def address(at: float = 0) -> int:
    """Let the job take newcomers in and write to them; return how many it looked at."""
    return address_at(day(at))


def address_at(at: datetime) -> int:
    prospect_audience.take_in(at=at)
    done = 0
    while count := prospect_sending.send_due(at=at):
        done += count
    return done


def of(prospect: Prospect) -> ProspectAddress:
    return ProspectAddress.objects.get(prospect=prospect)


def state(prospect: Prospect) -> tuple[str, str]:
    found = of(prospect)
    return found.state, found.reason


def subscribe() -> None:
    """Owe enrolments to the followers from now on."""
    events.sync_subscriptions({
        followers.PROSPECTS: followers.PROSPECT_KINDS,
        followers.REFERRALS: followers.REFERRAL_KINDS,
    })  # fmt: skip
    known = {each.name for each in delivery.registered()}
    for name, kinds, handle in (
        (followers.PROSPECTS, followers.PROSPECT_KINDS, followers.let_prospects_join),
        (followers.REFERRALS, followers.REFERRAL_KINDS, followers.register_referral),
    ):
        if name not in known:
            delivery.register(delivery.Follower(name, kinds, handle))


def follow() -> None:
    """Let the followers do their work; a second time finds nothing."""
    for name in (followers.REFERRALS, followers.PROSPECTS):
        while delivery.deliver(follower=name, at=day(9_999)):
            pass


def enrol(*identifiers: Key, on: float = 1, **attributes: Any) -> Member:
    """Enrol somebody, without the followers."""
    plain = tuple((kind, value, app) for kind, app, value in identifiers)
    request = EnrolmentRequest(identifiers=plain, attributes=attributes)
    (made,) = enrolment.enrol_members([request], touchpoint=None, at=day(on))
    assert made.member_id is not None, made.error
    return Member.objects.get(pk=made.member_id)


def join(prospect: Prospect, *, on: float = 1, **attributes: Any) -> Member:
    """Enrol a prospect by the phone, and let the followers see it."""
    member = enrol(("phone", "", number_of(prospect)), on=on, **attributes)
    follow()
    return member


DAYS = timedelta(days=1)
