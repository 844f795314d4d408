"""Six digits sent to a member's mailbox, to be repeated within minutes and few tries."""

import logging
import secrets
import smtplib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.errors import DomainError
from members.domain import sealing
from members.domain.masking import mask_value
from members.models import Identifier, IdentifierKind, Member, MemberStatus, OneTimePassword
from members.services import crypto
from members.services.member_tokens import MemberInactiveError

LIFETIME: Final = timedelta(minutes=5)
MOST_TRIES: Final = 5
MOST_A_DAY: Final = 10
DIGITS: Final = 6
EMAIL: Final = "email"
FORGET_AFTER: Final = timedelta(days=2)

logger = logging.getLogger(__name__)

_COUNT_TRY = """
UPDATE members_onetimepassword SET tries = tries + 1
WHERE id = (
    SELECT o.id FROM members_onetimepassword o JOIN members_member m ON m.id = o.member_id
    WHERE m.public_id = %(member)s AND o.used_at IS NULL AND o.expires_at > %(at)s
    ORDER BY o.made_at DESC, o.id DESC LIMIT 1)
"""
_CONSUME = """
UPDATE members_onetimepassword SET used_at = %(at)s
WHERE id = (
    SELECT o.id FROM members_onetimepassword o JOIN members_member m ON m.id = o.member_id
    WHERE m.id = %(member)s AND m.public_id = %(public_id)s
      AND o.used_at IS NULL AND o.expires_at > %(at)s
    ORDER BY o.made_at DESC, o.id DESC LIMIT 1)
  AND code_hash = ANY(%(hashes)s::bytea[]) AND used_at IS NULL AND tries <= %(most)s
RETURNING id
"""


class OtpChannelError(DomainError):
    """Nothing leads to the member that a password could be sent to."""

    def __init__(self) -> None:
        super().__init__(
            "otp_no_channel", _("There is no way to send the member a one-time password."), 409
        )


class OtpTooManyError(DomainError):
    """The member was sent as many passwords today as anybody may be."""

    def __init__(self, limit: int) -> None:
        super().__init__("otp_too_many", _("Too many one-time passwords today."), 429, limit=limit)


class OtpNotSentError(DomainError):
    """The mail server did not take the message; the password is void."""

    def __init__(self) -> None:
        super().__init__("otp_not_sent", _("The one-time password could not be sent."), 503)


@dataclass(frozen=True, slots=True)
class SentPassword:
    """Where a password went, masked, and until when it holds."""

    channel: str
    to: str
    expires_at: datetime


def send(*, member: Member, at: datetime) -> SentPassword:
    """Send a new password to the member's mailbox; the one before ends. Not in a transaction.

    Raises: OtpChannelError, OtpTooManyError, OtpNotSentError, MemberInactiveError.
    """
    if member.status != MemberStatus.ACTIVE:
        raise MemberInactiveError(member.status)
    address = _address(member)
    if address is None or not settings.EMAIL_HOST:
        raise OtpChannelError
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    made = _make(member.pk, code, at)
    try:
        send_mail(
            gettext("Your one-time password"),
            gettext("%(code)s is your one-time password. It holds for 5 minutes; tell it nobody.")
            % {"code": code},
            None,
            [address],
        )
    except (smtplib.SMTPException, OSError) as error:
        # What a mail server says back may hold the address.
        logger.warning("a one-time password could not be sent: %s", type(error).__name__)
        OneTimePassword.objects.filter(pk=made.pk).update(expires_at=at)
        raise OtpNotSentError from None
    return SentPassword(EMAIL, mask_value(EMAIL, address), made.expires_at)


@dataclass(frozen=True, slots=True)
class CountedTry:
    """Digits that somebody has sent, counted as a try. Only `count_try` makes one."""

    code: str
    public_id: UUID


def count_try(code: str, *, public_id: UUID, at: datetime) -> CountedTry:
    """Count a try at the member's password before anybody looks at it.

    Committed on its own: the command that is refused for it must not undo it. Of tries that come at
    one moment each is counted before it is looked at, so no more of them than allowed can be right.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_TRY, {"member": public_id, "at": at})
    return CountedTry(code, public_id)


def consume(attempt: CountedTry, *, member: int, at: datetime) -> bool:
    """Use the password up in the caller's transaction; tell whether it was the right one."""
    hashes = _hashes(member, attempt.code)
    with connection.cursor() as cursor:
        cursor.execute(
            _CONSUME,
            {
                "member": member,
                "public_id": attempt.public_id,
                "at": at,
                "hashes": hashes,
                "most": MOST_TRIES,
            },
        )
        return cursor.fetchone() is not None


def forget_old(*, at: datetime, limit: int) -> int:
    """Delete passwords that ended long ago, up to a limit; return how many there were."""
    old = OneTimePassword.objects.filter(expires_at__lt=at - FORGET_AFTER).order_by("expires_at")
    ids = list(old.values_list("pk", flat=True)[:limit])
    count, _details = OneTimePassword.objects.filter(pk__in=ids).delete()
    return count


@transaction.atomic
def _make(member: int, code: str, at: datetime) -> OneTimePassword:
    """Store the password within the day's cap; the member's row keeps others from counting too."""
    list(Member.objects.select_for_update(of=("self",), no_key=True).filter(pk=member))
    today = clock.day_start(clock.local_day(at))
    mine = OneTimePassword.objects.filter(member_id=member)
    if mine.filter(made_at__gte=today).count() >= MOST_A_DAY:
        raise OtpTooManyError(MOST_A_DAY)
    mine.filter(used_at__isnull=True, expires_at__gt=at).update(expires_at=at)
    return OneTimePassword.objects.create(
        member_id=member,
        code_hash=_hashes(member, code)[0],
        channel=EMAIL,
        made_at=at,
        expires_at=at + LIFETIME,
    )


def _address(member: Member) -> str | None:
    """Return the member's mailbox: a verified one first, then the newest."""
    rows = Identifier.objects.filter(
        member=member, kind=IdentifierKind.EMAIL, ended_at__isnull=True
    ).order_by(F("verified_at").desc(nulls_last=True), "-from_at", "-id")
    row = rows.select_related("member").first()
    keys = crypto.data_keys([member.pk])
    if row is None or member.pk not in keys:
        return None
    return crypto.value_of(row, *keys[member.pk])


def _hashes(member: int, code: str) -> list[bytes]:
    """Return the hashes under every configured key, the current one first."""
    keys = crypto.keyring().newest_first
    return [sealing.keyed_hash(key, "otp", str(member), code.replace("\0", "")) for key in keys]
