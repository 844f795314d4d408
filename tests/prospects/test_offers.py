"""An offer to prospects: each is written to once, by consent, and given once for joining."""

import re

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from campaigns.channels import Outcome, Result
from campaigns.kpis import prospect_results
from campaigns.models import ProspectAddress, ProspectOffer, Referral
from campaigns.services import (
    prospect_audience,
    prospect_joining,
    prospect_offers,
    receipts,
)
from campaigns.services.receipts import Kind, Receipt
from config.wiring import prospects as wiring
from members.models import Consent, ForgottenBecause, MemberEvent, Prospect
from members.services import prospect_erasure, prospects
from rewards.models import Coupon, Entry
from rewards.services import own_data
from tests.engine.shop import Shop, day
from tests.factories import coupons, members
from tests.factories import referrals as people
from tests.messages import world as messages
from tests.prospects.world import (
    GIFT,
    Recorder,
    address,
    agreed,
    enrol,
    follow,
    join,
    number_of,
    of,
    offer,
    phone,
    prospect,
    state,
)

pytestmark = [pytest.mark.django_db, pytest.mark.req("CMP-13")]


def given() -> list[tuple[int, int]]:
    """Return what members were given by offers: whom, how many points."""
    rows = Entry.objects.filter(reason="prospect_offer", source="issuance")
    return list(rows.order_by("pk").values_list("member_id", "points"))


def told(member_id: int) -> list[tuple[str, object]]:
    rows = MemberEvent.objects.filter(member=member_id, kind__startswith="prospect.")
    return [
        (each.kind, each.payload.get("reason") or each.payload.get("points"))
        for each in rows.order_by("id")
    ]


def test_each_prospect_is_written_to_once_and_the_text_names_nobody(
    shop: Shop, sms: Recorder
) -> None:
    one, other = prospect(), prospect(language="en")
    offer(product="p-1")
    assert address() == 2
    assert address(1) == 0
    assert sorted(each.to for each in sms.got) == sorted([number_of(one), number_of(other)])
    assert [state(each) for each in (one, other)] == [("sent", "")] * 2
    text = sms.got[0].text.body
    assert text.startswith("- 尝新 p-1 200")
    assert "2026年4月1日" in text
    assert "/m/prospect/" in sms.got[0].opt_out_url
    assert of(one).good_until == day(30.5)


@pytest.mark.req("MEM-11")
def test_nobody_is_written_to_without_consent(shop: Shop, sms: Recorder) -> None:
    silent, refused, later = prospect(consent=None), prospect(), prospect()
    prospects.opt_out(prospect_id=refused.pk, at=day(0.1))
    running = offer()
    prospect_audience.take_in(at=day(0.2))
    prospects.opt_out(prospect_id=later.pk, at=day(0.3))
    address(1)
    assert sms.got == []
    assert not ProspectAddress.objects.filter(prospect__in=[silent, refused]).exists()
    assert state(later) == ("skipped", "no_consent")
    assert list(prospect_audience.of(running, day(1))) == []


def test_the_audience_is_by_source_interest_age_and_referrer(shop: Shop) -> None:
    ann = shop.join("ann")
    values = {"interest_kind": "product", "interest": "p-1"}
    fits = prospect(at=5, referred_by=ann.pk, **values)
    prospect(at=5, source="other", **values)
    prospect(at=5, referred_by=ann.pk, interest_kind="category", interest="p-1")
    prospect(at=5, interest_kind="product", interest="p-2")
    prospect(at=1, referred_by=ann.pk, **values)
    prospect(at=9, referred_by=ann.pk, **values)
    prospect(at=5, **values)
    wanted = offer(
        kind="recommendation", sources=["landing"], min_days=2, max_days=6,
        interest_kind="product", interest="p-1",
    )  # fmt: skip
    assert list(prospect_audience.of(wanted, day(10))) == [fits]
    ProspectOffer.objects.update(kind="limited_time")
    wanted.refresh_from_db()
    assert prospect_audience.of(wanted, day(10)).count() == 2


def test_the_whole_audience_is_accounted_for(shop: Shop, sms: Recorder) -> None:
    everybody = [prospect() for _number in range(6)]
    mail = prospect(("email", "", "someone@example.com"))
    running = offer()
    prospect_audience.take_in(at=day(0))
    prospect_erasure.forget(
        prospect_ids=[everybody[0].pk], because=ForgottenBecause.ASKED, at=day(0)
    )
    enrol(("phone", "", number_of(everybody[1])))
    sms.answers = [Result(Outcome.REFUSED, "blocked"), Result(Outcome.UNKNOWN), OSError("x")]
    assert address(1) == 7
    found = prospect_results.read(running)
    assert found.states == {"sent": 1, "failed": 1, "unknown": 2, "skipped": 3}
    assert sum(found.states.values()) == found.audience == 7
    assert state(everybody[0]) == ("skipped", "forgotten")
    assert state(everybody[1]) == ("skipped", "joined")
    assert state(mail) == ("skipped", "no_channel")
    assert set(found.reasons) == {
        "forgotten", "joined", "no_channel", "blocked", "unknown", "OSError"
    }  # fmt: skip


@pytest.mark.req("CMP-09")
def test_the_held_out_hear_nothing_get_nothing_and_are_compared(shop: Shop, sms: Recorder) -> None:
    everybody = [prospect() for _number in range(40)]
    running = offer(holdout_percent=50)
    address()
    held = [each for each in everybody if of(each).state == "held_out"]
    assert 0 < len(held) < 40
    assert {each.to for each in sms.got} == {
        number_of(each) for each in everybody if each not in held
    }
    assert all(prospect_audience.is_held_out(running, each) for each in held)
    treated = [each for each in everybody if each not in held]
    for each in (held[0], *treated[:3]):
        join(each)
    found = prospect_results.read(running)
    assert (found.treated.members, found.treated.successes) == (40 - len(held), 3)
    assert (found.holdout.members, found.holdout.successes) == (len(held), 1)
    assert found.added is not None
    assert found.added.low < found.added.value < found.added.high
    assert len(given()) == found.given == 3


def test_joining_gives_points_once_and_says_why(shop: Shop, sms: Recorder) -> None:
    one = prospect(phone(), ("email", "", "lee@example.com"))
    running = offer()
    address()
    member = join(one)
    assert given() == [(member.pk, GIFT)]
    row = of(one)
    assert (row.member_id, row.entry and row.entry.points) == (member.pk, GIFT)
    assert told(member.pk) == [("prospect.joined", None), ("prospect.rewarded", GIFT)]
    running.refresh_from_db()
    assert running.given == 1
    # The same again, and another member with the other contact.
    for again in (member, enrol(("email", "", "lee@example.com"), on=2)):
        prospect_joining.join(member_id=again.pk, occurred_at=day(2), at=day(2))
    follow()
    assert given() == [(member.pk, GIFT)]


@pytest.mark.req("MEM-12")
def test_a_copy_of_ones_own_data_has_what_was_left_before_joining(
    shop: Shop, sms: Recorder
) -> None:
    wiring.install()
    one = prospect(source="fair")
    offer()
    address()
    number = number_of(one)
    data = own_data.gather(member=join(one), at=day(2))
    (row,), (told_of,) = data["prospects"], data["prospect_offers"]
    assert (row["source"], row["contacts"], row["agreed_at"]) == ("fair", {"phone": number}, day(0))
    assert (told_of["of_offer"], told_of["state"]) == ("try-it", "sent")
    assert told_of["given_at"] is not None


def test_joining_gives_a_coupon_where_the_offer_is_one(shop: Shop, sms: Recorder) -> None:
    one = prospect()
    offer(coupon_template=coupons.template("welcome"))
    address()
    member = join(one)
    (coupon,) = Coupon.objects.filter(member=member)
    assert of(one).coupon == coupon
    assert given() == []


@pytest.mark.parametrize(("on", "why"), [(-3, "joined_before"), (31, "too_late")])
def test_who_joined_before_or_too_late_is_told_and_given_nothing(
    shop: Shop, sms: Recorder, on: float, why: str
) -> None:
    one = prospect()
    number = number_of(one)
    offer()
    address()
    member = enrol(("external", "", "x-1"), on=on)
    prospect_joining.join(member_id=member.pk, occurred_at=day(on), at=day(40))
    assert told(member.pk) == []
    (again,) = [enrol(("phone", "", number), ("external", "", "x-1"), on=on)]
    assert again == member
    follow()
    assert given() == []
    assert told(member.pk) == [("prospect.joined", None), ("prospect.not_rewarded", why)]
    assert of(one).not_given == why


def test_the_budget_holds_and_is_told(shop: Shop, sms: Recorder) -> None:
    one, other = prospect(), prospect()
    running = offer(most_given=1)
    address()
    join(one)
    late = join(other)
    assert len(given()) == 1
    assert told(late.pk)[-1] == ("prospect.not_rewarded", "budget_spent")
    assert prospect_results.read(running).not_given == {"budget_spent": 1}
    with pytest.raises(IntegrityError, match="prospect_offer_within_budget"), transaction.atomic():
        ProspectOffer.objects.update(given=2)


def test_what_was_promised_is_given_after_the_offer_was_ended(shop: Shop, sms: Recorder) -> None:
    one = prospect()
    running = offer()
    address()
    prospect_offers.end(offer_id=running.pk, reason="enough", at=day(0.1))
    join(one)
    assert len(given()) == 1


def test_two_prospects_of_one_person_are_given_once(shop: Shop, sms: Recorder) -> None:
    one, other = prospect(), prospect(("email", "", "lee@example.com"), consent=agreed())
    offer()
    address()
    ProspectAddress.objects.filter(prospect=other).update(
        state="sent", reason="", channel="sms", sent_at=day(0), good_until=day(9)
    )
    member = enrol(("phone", "", number_of(one)), ("email", "", "lee@example.com"))
    follow()
    assert given() == [(member.pk, GIFT)]
    assert of(other).not_given == "given_before"


@pytest.mark.req("ENG-04")
def test_who_came_by_a_friends_link_is_that_friends_referral(shop: Shop, sms: Recorder) -> None:
    people.programme()
    ann, ben = shop.join("ann"), shop.join("ben")
    by_link, by_code = (prospect(referred_by=ann.pk) for _number in range(2))
    people.code(ann)
    first = join(by_link)
    second = join(by_code, referral_code=people.code(ben))
    found = dict(Referral.objects.values_list("friend_id", "referrer_id"))
    assert found == {first.pk: ann.pk, second.pk: ben.pk}


@pytest.mark.req("MEM-11", "MEM-12")
def test_the_link_stops_messages_and_forgets_when_asked(
    client: Client, shop: Shop, sms: Recorder
) -> None:
    one = prospect()
    offer()
    address()
    found = re.search(r"/m/prospect/.*", sms.got[0].opt_out_url)
    assert found is not None
    assert "Stop" in client.get(found[0], headers={"accept-language": "en"}).text
    one.refresh_from_db()
    assert one.may_be_addressed
    assert client.post(found[0]).status_code == 200
    one.refresh_from_db()
    assert not one.may_be_addressed
    assert one.forgotten_at is None
    client.post(found[0], {"forget": "1"})
    one.refresh_from_db()
    assert one.forgotten_because == "asked"
    assert client.post(f"{found[0]}x").status_code == 404


@pytest.mark.req("MEM-11")
@pytest.mark.parametrize("by", ["message", "phone"])
def test_a_reply_stops_messages(shop: Shop, sms: Recorder, by: str) -> None:
    one = prospect()
    offer()
    address()
    named = {"message": of(one).public_id} if by == "message" else {"phone": number_of(one)}
    receipt = Receipt(Kind.REPLY, day(0.2), text="TD", **named)
    assert receipts.record([receipt], touchpoint=None, at=day(1)) == ["recorded"]
    assert Prospect.objects.get(pk=one.pk).opted_out_at == day(0.2)


@pytest.mark.req("MEM-11")
@pytest.mark.parametrize("by", ["link", "reply"])
def test_who_has_joined_since_stops_messages_as_a_member(
    client: Client, shop: Shop, sms: Recorder, by: str
) -> None:
    one = prospect()
    offer()
    address()
    member = join(one)
    messages.allow(member)
    if by == "link":
        link = sms.got[0].opt_out_url.partition("/m/")[2]
        assert client.post(f"/m/{link}").status_code == 200
    else:
        receipt = Receipt(Kind.REPLY, day(200), text="TD", message=of(one).public_id)
        assert receipts.record([receipt], touchpoint=None, at=day(200)) == ["recorded"]
    last = Consent.objects.filter(member=member).order_by("id").last()
    assert last is not None
    assert (last.granted, last.channel) == (False, "" if by == "link" else "sms")


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"kind": "new_product", "product": ""}, "prospect_offer_names_product"),
        ({"ends_at": None}, "prospect_offer_limited_ends"),
        ({"points": None}, "prospect_offer_gives_one_thing"),
        ({"ends_at": day(-2)}, "prospect_offer_ends_after_start"),
        ({"holdout_percent": 51}, "prospect_offer_holdout_bounded"),
        ({"kind": "mood"}, "prospect_offer_kind_known"),
        ({"state": "ended"}, "prospect_offer_state_has_instants"),
    ],
)
def test_an_offer_says_what_its_kind_needs(values: dict[str, object], name: str) -> None:
    offer()
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        ProspectOffer.objects.update(**values)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"state": "sending"}, "prospect_address_leased"),
        ({"state": "mood"}, "prospect_address_state_known"),
        ({"state": "sent"}, "prospect_address_sent_whole"),
        ({"state": "failed"}, "prospect_address_not_sent_has_reason"),
        ({"given_at": day(0)}, "prospect_address_given_whole"),
    ],
)
def test_a_row_of_an_audience_is_whole(values: dict[str, object], name: str, shop: Shop) -> None:
    prospect()
    offer()
    prospect_audience.take_in(at=day(0))
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        ProspectAddress.objects.update(**values)


def test_a_row_is_one_per_offer_and_prospect_and_given_once_per_member(
    shop: Shop, sms: Recorder
) -> None:
    one, other = prospect(), prospect()
    running = offer()
    address()
    member = join(one)
    row = of(one)
    twice = ProspectAddress(
        offer=running, prospect=one, state="queued", taken_at=day(0), due_at=day(0)
    )
    with pytest.raises(IntegrityError, match="once_per_offer"), transaction.atomic():
        twice.save()
    coupon = coupons.coupon(members.member(), at=day(0))
    with pytest.raises(IntegrityError, match="given_once"), transaction.atomic():
        ProspectAddress.objects.filter(pk=of(other).pk).update(
            member=member, given_at=row.given_at, coupon=coupon
        )
