"""What offers to prospects say to people."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NOT_GIVEN: Final[Mapping[str, Promise]] = {
    "joined_before": _("Joined before the message"),
    "too_late": _("Joined too late"),
    "given_before": _("Given already"),
    "budget_spent": _("Given as often as the offer allows"),
    "member_frozen": _("The member is not active"),
    "member_not_active": _("The member is not active"),
    "coupon_template_inactive": _("The coupon is not given out any more"),
    "coupon_template_exhausted": _("The coupons have run out"),
}


def not_given(code: str) -> str:
    """Return why joining gave nothing; the code itself where nobody named it."""
    return str(NOT_GIVEN.get(code, code))
