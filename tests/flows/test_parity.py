"""Every channel's key reads byte for byte the same about a member. Source: INT-08."""

from collections.abc import Callable

import pytest

from members.models import Channel
from tests.api import bodies
from tests.api.conftest import Caller, caller, language, programme, till

__all__ = ["caller", "language", "programme", "till"]

pytestmark = [pytest.mark.django_db, pytest.mark.req("INT-08")]

SCOPES = ("members:read", "points:read", "tiers:read", "coupons:read", "rewards:read")
# What every channel may read of a member; whoever adds an endpoint of this kind adds it here.
READINGS = (
    "", "/summary", "/tier", "/points", "/benefits", "/coupons", "/redemptions", "/memberships",
    "/entries", "/timeline",
)  # fmt: skip


@pytest.mark.parametrize("accept_language", ["zh-Hans", "en"])
def test_every_channel_reads_the_same_bytes(
    caller: Callable[..., Caller], till: Caller, accept_language: str
) -> None:
    enrolled = till.post("/members", bodies.enrolment(name="张三")).body["id"]
    lines = [bodies.line(1, "1500.00"), bodies.line(2, "20.00")]
    till.put(f"/orders/till/{bodies.number()}", bodies.order(*lines, member=enrolled))
    keys = {channel: caller(*SCOPES, channel=channel) for channel in Channel.values}
    assert len(keys) == 7
    for reading in READINGS:
        answers = {
            channel: key.get(f"/members/{enrolled}{reading}", Accept_Language=accept_language)
            for channel, key in keys.items()
        }
        assert {answer.status for answer in answers.values()} == {200}, reading
        assert len({answer.raw for answer in answers.values()}) == 1, reading
    assert keys["app"].get(f"/members/{enrolled}/tier").body["current"]["code"] == "silver"
    assert keys["pos"].get(f"/members/{enrolled}/points").body["available"] == 1_520


def test_what_one_channel_does_every_other_reads_at_once(
    caller: Callable[..., Caller], till: Caller
) -> None:
    member = till.post("/members", bodies.enrolment()).body["id"]
    keys = [caller(channel=channel) for channel in Channel.values]
    expected = 0
    for number, writer in enumerate(keys, start=1):
        line = bodies.line(1, f"{number}00.00")
        order = bodies.order(line, member=member)
        assert writer.put(f"/orders/parity-{number}/1", order).status == 200
        expected += number * 100
        # The tier's factor comes on top once silver is reached: read it where it was written.
        seen = [reader.get(f"/members/{member}/points").raw for reader in keys]
        assert len(set(seen)) == 1
        assert keys[0].get(f"/members/{member}/points").body["available"] >= expected
