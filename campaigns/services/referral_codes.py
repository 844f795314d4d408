"""Codes that members hand on to their friends."""

from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction

from campaigns.domain import referral_codes
from campaigns.models import ReferralCode

MAX_TRIES: Final = 8


def code_of(*, member_id: int, at: datetime) -> ReferralCode:
    """Return the member's code, made where there is none yet; two at once get the same.

    Source: ENG-04.
    """
    rows = ReferralCode.objects.filter(member_id=member_id, ended_at=None)
    for _try in range(MAX_TRIES):
        if (known := rows.first()) is not None:
            return known
        try:
            with transaction.atomic():
                return ReferralCode.objects.create(
                    member_id=member_id, code=referral_codes.generate(), from_at=at
                )
        except IntegrityError:
            # Somebody has asked for the same member, or the code is taken.
            continue
    raise AssertionError("the last try returns or raises")


def replace(*, member_id: int, at: datetime) -> ReferralCode:
    """End the member's code and give another one; the old one leads to nobody from now on."""
    with transaction.atomic():
        ReferralCode.objects.filter(member_id=member_id, ended_at=None).update(ended_at=at)
        return code_of(member_id=member_id, at=at)


def find(text: str) -> ReferralCode | None:
    """Return the code that a friend has typed, None for one that leads to nobody."""
    code = referral_codes.normalise(text)
    return ReferralCode.objects.filter(code=code, ended_at=None).first() if code else None
