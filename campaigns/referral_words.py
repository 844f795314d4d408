"""What is said to people about referrals."""

from collections.abc import Iterable, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.domain.referrals import Reason

REASONS: Mapping[str, Promise] = {
    Reason.SAME_PERSON: _("Referrer and friend are one person"),
    Reason.LOOP: _("The friend has brought the referrer"),
    Reason.KNOWN_BEFORE: _("The friend's phone or card was a member's before"),
    Reason.SAME_IDENTIFIER: _("The friend has a phone or card that was the referrer's"),
    Reason.SAME_DEVICE: _("Same device as the referrer or another friend"),
    Reason.SAME_ADDRESS: _("Same delivery address as the referrer"),
    Reason.BOUGHT_BEFORE: _("The friend had bought before joining"),
    Reason.OWN_STAFF: _("Enrolled by the referrer, or by the friend, as a member of staff"),
    Reason.TOO_MANY: _("Too many friends within a day"),
    Reason.CAP_MONTH: _("Rewards of the month are used up"),
    Reason.CAP_YEAR: _("Rewards of the year are used up"),
    Reason.REFERRER_INACTIVE: _("The referrer is not active"),
    Reason.FRIEND_INACTIVE: _("The friend is not active"),
    Reason.ORDER_NOT_KEPT: _("The order was given up"),
    "coupon_template_exhausted": _("All coupons of the template have been given out"),
    "coupon_template_inactive": _("Coupons of the template are not given out"),
    "unknown": _("The code leads to nobody"),
    "own_code": _("The code is the member's own"),
}

TONES: Mapping[str, str] = {
    "registered": "info", "waiting": "info", "rewarded": "success", "held": "warning",
    "refused": "danger", "lapsed": "", "taken_back": "danger",
}  # fmt: skip


def reasons(codes: Iterable[str]) -> list[str]:
    """Return reasons for people; a code that nobody has words for as it is."""
    return [str(REASONS.get(code, code)) for code in codes]
