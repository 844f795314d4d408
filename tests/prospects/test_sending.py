"""Writing to prospects: under the rules of marketing, and again where nothing has arrived."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.channels import Outcome, Result
from campaigns.models import ProspectAddress
from campaigns.services import prospect_audience, prospect_offers, prospect_sending
from members.models import Prospect
from tests.engine.shop import Shop, day
from tests.messages import world as messages
from tests.prospects.world import Recorder, address, address_at, offer, prospect, state

pytestmark = [pytest.mark.django_db, pytest.mark.req("CMP-13")]


def test_a_batch_reads_what_all_texts_share_once(shop: Shop, sms: Recorder) -> None:
    name = {"name": "programme.name", "type": "text", "fallback": {"zh": "-", "en": "-"}}
    text = {"subject": "邀请", "body": "{{ programme.name }}"}
    offer(template=messages.template("t", contents={"zh": {"sms": text}}, variables=[name]))
    counts = []
    for count in (1, 3):
        for _number in range(count):
            prospect()
        prospect_audience.take_in(at=day(0))
        with CaptureQueriesContext(connection) as seen:
            assert prospect_sending.send_due(at=day(0)) == count
        counts.append(len(seen))
    # What became of each message is written by itself.
    assert counts[1] == counts[0] + 2


@pytest.mark.req("CMP-08")
def test_quiet_hours_caps_and_the_end_of_an_offer_hold(shop: Shop, sms: Recorder) -> None:
    one = prospect()
    first = offer("one")
    night = day(0.5)
    address_at(night)
    assert state(one) == ("queued", "quiet_hours")
    assert sms.got == []
    address_at(night + timedelta(hours=9))
    assert state(one) == ("sent", "")
    for code in ("two", "three"):
        offer(code, template=first.template)
    address_at(night + timedelta(hours=10))
    reasons = dict(ProspectAddress.objects.values_list("offer__code", "reason"))
    assert reasons == {"one": "", "two": "", "three": "frequency_cap"}
    late = prospect(at=1)
    last = offer("four", template=first.template, starts_at=day(0), ends_at=day(5))
    prospect_audience.take_in(at=day(4))
    prospect_offers.end(offer_id=last.pk, reason="enough", at=day(4))
    address(4)
    row = ProspectAddress.objects.get(prospect=late, offer=last)
    assert (row.state, row.reason) == ("skipped", "stale")


def test_what_was_not_reached_is_tried_again_and_what_broke_off_is_not(
    shop: Shop, sms: Recorder
) -> None:
    one = prospect()
    offer()
    sms.answers = [Result(Outcome.NOT_REACHED)]
    address_at(day(0))
    assert state(one) == ("queued", "provider_not_reached")
    assert address_at(day(0)) == 0
    address_at(day(0) + timedelta(minutes=6))
    assert state(one) == ("sent", "")
    ProspectAddress.objects.update(state="sending", lease_until=day(-300))
    address_at(day(1))
    assert state(one) == ("unknown", "broke_off")
    assert len(sms.got) == 2


def test_when_nobody_answers_the_rest_of_the_batch_waits_untried(shop: Shop, sms: Recorder) -> None:
    one, other = prospect(), prospect()
    offer()
    sms.answers = [Result(Outcome.NOT_REACHED)]
    address_at(day(0))
    assert len(sms.got) == 1
    assert state(one) == state(other) == ("queued", "provider_not_reached")
    address_at(day(0) + timedelta(minutes=6))
    assert state(one) == state(other) == ("sent", "")


def test_a_broken_key_stops_the_message_of_its_prospect_only(shop: Shop, sms: Recorder) -> None:
    broken, whole = prospect(), prospect()
    offer()
    Prospect.objects.filter(pk=broken.pk).update(wrapped=bytes(60))
    address_at(day(0))
    assert state(broken) == ("queued", "unreadable")
    assert state(whole) == ("sent", "")
    for hours in range(1, 10):
        address_at(day(0) + timedelta(hours=hours))
    assert state(broken) == ("failed", "unreadable")
    assert len(sms.got) == 1
