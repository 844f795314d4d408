"""Our signatures and the public library's agree."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as Verifier

from members.domain import webhooks as standard
from members.domain.webhooks import SecretInvalidError, WebhookKindsError

pytestmark = pytest.mark.req("INT-02")

KNOWN = ("order.recorded", "points.captured", "points.released", "tier.changed")


@given(st.binary(min_size=24, max_size=64), st.text("abc_123", min_size=1), st.text())
def test_a_signature_is_the_library_s(key: bytes, message_id: str, text: str) -> None:
    secret = standard.SECRET_PREFIX + base64.b64encode(key).decode()
    at = datetime.now(UTC)
    body = text.encode()
    theirs = Verifier(secret).sign(message_id, at, text)
    assert standard.sign(secret, message_id, int(at.timestamp()), body) == theirs
    headers = standard.headers([secret], message_id, int(at.timestamp()), body)
    assert standard.is_signed(secret, headers, body)
    assert not standard.is_signed(standard.new_secret(), headers, body)
    assert not standard.is_signed(secret, headers, body + b" ")


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_!!", "whsec_c2hvcnQ=", "whsec_" + "A" * 96]
)
def test_what_is_no_secret_is_refused(secret: str) -> None:
    with pytest.raises(SecretInvalidError):
        standard.secret_key(secret)


def test_kinds_may_be_named_by_family() -> None:
    wanted = standard.checked_kinds(["points.*", "tier.changed", "points.*"], KNOWN)
    assert wanted == ["points.*", "tier.changed"]
    expected = {"points.captured", "points.released", "tier.changed"}
    assert standard.expanded(wanted, KNOWN) == expected
    assert standard.expanded(["*"], KNOWN) == set(KNOWN)


@pytest.mark.parametrize("kind", ["points", "order.lost", "*.*", "points.captured.*", ""])
def test_unknown_kinds_are_refused_with_the_list(kind: str) -> None:
    with pytest.raises(WebhookKindsError) as refused:
        standard.checked_kinds([kind], KNOWN)
    assert refused.value.details["unknown"] == [kind]
    assert set(KNOWN) < set(refused.value.details["known"])


def test_waiting_grows_for_three_days_and_ends() -> None:
    waits = [standard.wait_after(attempt, 0.0) for attempt in range(1, 11)]
    assert waits[0] == timedelta(seconds=5)
    assert waits[-1] is None
    given_waits = [wait for wait in waits if wait]
    assert given_waits == sorted(given_waits)
    assert timedelta(days=3) < sum(given_waits, timedelta()) < timedelta(days=4)
    jittered = standard.wait_after(2, 1.0)
    assert jittered is not None
    assert timedelta(minutes=5) < jittered <= timedelta(minutes=6)
