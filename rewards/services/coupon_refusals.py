"""Refusals of coupons."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from rewards import coupon_words
from rewards.domain import coupon_codes


class CouponUnknownError(DomainError):
    """No coupon that was given out has this code; which of both it is, is not told."""

    def __init__(self, coupon: str) -> None:
        super().__init__("coupon_unknown", _("There is no such coupon."), 404, coupon=coupon)


class CouponMistypedError(DomainError):
    """The code cannot be one of ours: its check character is another."""

    def __init__(self, coupon: str) -> None:
        super().__init__(
            "coupon_code_mistyped",
            _("The code is mistyped; please check it."),
            404,
            coupon=coupon,
        )


class CouponNotUsableError(DomainError):
    """The coupon cannot be used; `reasons` say why, each with a sentence."""

    def __init__(self, coupon: str, reasons: Sequence[Mapping[str, object]]) -> None:
        super().__init__(
            "coupon_not_usable",
            _("The coupon cannot be used."),
            409,
            coupon=coupon,
            reasons=coupon_words.rendered(reasons),
        )


def unknown(sent: str) -> CouponUnknownError | CouponMistypedError:
    """Return the refusal of a code that leads nowhere."""
    if coupon_codes.is_mistyped(coupon_codes.normalise(sent)):
        return CouponMistypedError(sent)
    return CouponUnknownError(sent)
