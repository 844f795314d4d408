"""What one reservation has set aside, read for its answer."""

from dataclasses import dataclass, field

from rewards.models import CouponUse, Redemption, Reservation
from tiers.models import EntitlementUse


@dataclass(slots=True)
class Holdings:
    """The rewards, coupons (by code) and uses of benefits of one reservation."""

    redemptions: list[Redemption] = field(default_factory=list)
    coupons: list[str] = field(default_factory=list)
    benefits: list[tuple[str, int]] = field(default_factory=list)


def holdings_of(reservation: Reservation) -> Holdings:
    """Return what is, or was, set aside beside the points."""
    rewards = Redemption.objects.filter(reservation__parent=reservation)
    coupons = CouponUse.objects.filter(reservation=reservation)
    uses = EntitlementUse.objects.filter(reservation=reservation.public_id)
    benefits: dict[str, int] = {}
    for code, count in uses.order_by("id").values_list(
        "period__entitlement__benefit__code", "uses"
    ):
        benefits[code] = benefits.get(code, 0) + count
    return Holdings(
        list(rewards.select_related("reward", "slot").order_by("reservation_id")),
        list(coupons.order_by("id").values_list("coupon__code", flat=True)),
        list(benefits.items()),
    )
