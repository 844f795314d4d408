"""What a quote said, signed, so that the order can be held against it and nothing is stored."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from django.core import signing

SALT: Final = "loyalty.quote"
MAX_LENGTH: Final = 2_000


@dataclass(frozen=True, slots=True)
class Quoted:
    """What was quoted: to whom, the tier and its discount, the points earned, coupons and points.

    Units: `bp` hundredths of a percent; `coupons` are codes with what each took off in minor units.
    """

    member: str
    tier: str
    bp: int
    earned: int
    coupons: tuple[tuple[str, int], ...]
    points_used: int


def sign(quoted: Quoted) -> str:
    """Return the token of a quote."""
    return signing.dumps(asdict(quoted), salt=SALT, compress=True)


def read(token: str) -> dict[str, Any] | None:
    """Return what a token says, ready to be stored with the order; None if it is not one of ours.

    It does not grow old: what has changed since is found by comparing.
    """
    try:
        content = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    return content if isinstance(content, dict) else None
