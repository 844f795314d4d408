"""Webhooks as Standard Webhooks describes them: kinds, secrets, signatures, when to try again.

Source: Standard Webhooks 1.0; INT-02.
"""

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Final

from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 (the prefix that the standard gives to secrets)
SECRET_BYTES: Final = 32
SHORTEST_SECRET, LONGEST_SECRET = 24, 64
TOLERANCE: Final = timedelta(minutes=5)
EVERYTHING: Final = "*"
TEST_KIND: Final = "webhook.test"

# How long to wait after the first, second … failed attempt; after the last one it is given up.
WAITS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
# Up to this share is added, so that what failed together does not come back together.
JITTER: Final = 0.2

_TIMESTAMP: Final = re.compile("[0-9]{1,12}", re.ASCII)


class WebhookKindsError(DomainError):
    """Kinds were asked for that no event has."""

    def __init__(self, unknown: Iterable[str], known: Iterable[str]) -> None:
        super().__init__(
            "webhook_kind_unknown",
            _("There are no events of this kind."),
            unknown=sorted(unknown),
            known=sorted(known),
        )


class SecretInvalidError(DomainError):
    """The secret is not one of Standard Webhooks."""

    def __init__(self) -> None:
        super().__init__("webhook_secret_invalid", _("The secret is not of the form whsec_…"))


def checked_kinds(wanted: Iterable[str], known: Collection[str]) -> list[str]:
    """Return the kinds sorted and each once; `points.*` stands for all that begin with `points.`.

    Raises: WebhookKindsError.
    """
    families = {f"{kind.partition('.')[0]}.*" for kind in known}
    found = set(wanted)
    if unknown := found - set(known) - families - {EVERYTHING}:
        raise WebhookKindsError(unknown, {*known, *families, EVERYTHING})
    return sorted(found)


def expanded(kinds: Iterable[str], known: Collection[str]) -> set[str]:
    """Return the kinds of event that are meant."""
    found: set[str] = set()
    for kind in kinds:
        if kind == EVERYTHING:
            return set(known)
        if kind.endswith(".*"):
            found |= {each for each in known if each.startswith(kind[:-1])}
        else:
            found.add(kind)
    return found


def new_secret() -> str:
    """Return a new secret."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def secret_key(secret: str) -> bytes:
    """Return the key that a secret holds.

    Raises: SecretInvalidError.
    """
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SecretInvalidError from error
    if not SHORTEST_SECRET <= len(key) <= LONGEST_SECRET:
        raise SecretInvalidError
    return key


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the signature of a message under a secret."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret_key(secret), signed, "sha256")).decode()


def headers(
    secrets_in_force: Iterable[str], message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """Return the headers of a message, signed under every secret in force."""
    signatures = [sign(secret, message_id, timestamp, body) for secret in secrets_in_force]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def is_signed(secret: str, given: Mapping[str, str], body: bytes) -> bool:
    """Tell whether a message carries a signature under the secret."""
    timestamp = given.get("webhook-timestamp", "")
    if not _TIMESTAMP.fullmatch(timestamp):
        return False
    expected = sign(secret, given.get("webhook-id", ""), int(timestamp), body)
    found = given.get("webhook-signature", "").split(" ")
    matches = [hmac.compare_digest(each.encode(), expected.encode()) for each in found]
    return any(matches)


def wait_after(attempt: int, luck: float) -> timedelta | None:
    """Return how long to wait after a failed attempt, counted from 1; None: give up.

    `luck` from 0 to 1 spreads what failed together.
    """
    if attempt > len(WAITS):
        return None
    return WAITS[attempt - 1] * (1 + JITTER * luck)
