"""What keeps a referrer from being rewarded: for good, or until somebody has looked at it.

Pure. Source: ENG-04.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """What was found about a referral."""

    SAME_PERSON = "same_person"
    LOOP = "loop"
    KNOWN_BEFORE = "known_before"
    SAME_IDENTIFIER = "same_identifier"
    SAME_DEVICE = "same_device"
    SAME_ADDRESS = "same_address"
    BOUGHT_BEFORE = "bought_before"
    OWN_STAFF = "own_staff"
    TOO_MANY = "too_many"
    CAP_MONTH = "cap_month"
    CAP_YEAR = "cap_year"
    REFERRER_INACTIVE = "referrer_inactive"
    FRIEND_INACTIVE = "friend_inactive"
    ORDER_NOT_KEPT = "order_not_kept"


NEVER_CLEARED: Final = frozenset(
    {Reason.SAME_PERSON, Reason.REFERRER_INACTIVE, Reason.FRIEND_INACTIVE}
)
"""Nobody's word helps here: they are looked at anew each time."""

CAPS: Final = frozenset({Reason.CAP_MONTH, Reason.CAP_YEAR})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is left of what was found, and whether that ends the referral or asks for a look."""

    reasons: tuple[str, ...]
    is_refused: bool = False

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing keeps the referral from going on."""
        return not self.reasons


def judge(found: Collection[str], cleared: Collection[str]) -> Verdict:
    """Return what found reasons mean, after those that somebody has let pass.

    One person, or nothing but caps that are reached: refused. Anything else is looked at.
    """
    let_pass = set(cleared) - NEVER_CLEARED
    left = tuple(sorted(set(found) - let_pass))
    is_refused = Reason.SAME_PERSON in left or (bool(left) and CAPS.issuperset(left))
    return Verdict(left, is_refused)
