"""Codes that lead nowhere are counted, so that nobody finds codes by trying.

Counted in the database before the answer is given: however many processes ask at once, no more
misses of an hour are told than the setting allows.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from rewards.models import CouponMisses

HOUR: Final = timedelta(hours=1)
KEPT_FOR: Final = timedelta(days=7)

_COUNT: Final = """
INSERT INTO rewards_couponmisses AS m (touchpoint_id, member_id, hour, count)
VALUES (%s, %s, %s, %s)
ON CONFLICT (touchpoint_id, member_id, hour) DO UPDATE SET count = m.count + EXCLUDED.count
RETURNING count
"""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: a touchpoint, or one member through it, whose guesses lock nobody else out."""

    touchpoint: int
    member: int | None = None


class TooManyUnknownCodesError(DomainError):
    """Whoever asks has sent too many codes that lead nowhere; for the rest of the hour it waits.

    Codes that exist are not told from others meanwhile.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(
            "too_many_unknown_codes",
            _("Too many unknown coupon codes; try again later."),
            429,
            retry_after_seconds=seconds,
        )
        self.headers = {"Retry-After": str(seconds)}


def check(asker: Asker, at: datetime) -> None:
    """Refuse who has tried too many codes within this hour.

    Raises: TooManyUnknownCodesError.
    """
    rows = CouponMisses.objects.filter(
        touchpoint=asker.touchpoint, member=asker.member, hour=_hour(at)
    )
    count = rows.values_list("count", flat=True).first() or 0
    if count >= settings.LOYALTY_UNKNOWN_COUPONS_PER_HOUR:
        raise TooManyUnknownCodesError(_seconds_left(at))


def count(asker: Asker, misses: int, at: datetime) -> None:
    """Count codes that lead nowhere.

    Raises: TooManyUnknownCodesError once there are more than may be told.
    """
    if not misses:
        return
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [asker.touchpoint, asker.member, _hour(at), misses])
        (total,) = cursor.fetchone()
    if total > settings.LOYALTY_UNKNOWN_COUPONS_PER_HOUR:
        raise TooManyUnknownCodesError(_seconds_left(at))


def forget_old(*, at: datetime) -> int:
    """Delete counts that no longer matter; returns how many there were."""
    deleted, _details = CouponMisses.objects.filter(hour__lt=at - KEPT_FOR).delete()
    return deleted


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _seconds_left(at: datetime) -> int:
    return max(1, round((_hour(at) + HOUR - at).total_seconds()))
