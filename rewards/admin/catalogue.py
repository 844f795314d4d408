"""The console's pages of rewards, their stock, and redemptions."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from config.base.admin.decorators import labelled
from config.base.admin.options import ReadOnlyAdmin
from members.admin.base import MemberOwnedAdmin
from rewards.models import (
    Redemption,
    Reward,
    RewardAccess,
    RewardCode,
    RewardSlot,
    Stock,
    StockMovement,
)

STATUS_COLOURS = {
    "held": "warning", "requested": "warning", "approved": "info", "fulfilled": "success",
    "returned": "danger", "cancelled": "danger",
}  # fmt: skip


@admin.register(Reward)
class RewardAdmin(ReadOnlyAdmin):
    """What points buy and gifts are made of."""

    list_display = ("code", "name_zh", "kind", "points", "is_listed", "is_active")
    list_filter = ("kind", "is_listed", "is_active")
    search_fields = ("code", "name_zh", "name_en")


@admin.register(RewardAccess)
class RewardAccessAdmin(ReadOnlyAdmin):
    """Who may have a reward before others."""

    list_display = ("reward", "tier", "opens_at")
    list_select_related = ("reward", "tier")


@admin.register(RewardSlot)
class RewardSlotAdmin(ReadOnlyAdmin):
    """Dates of experiences and activities."""

    list_display = ("reward", "code", "place", "starts_at", "ends_at", "cancelled_at")
    list_select_related = ("reward",)


@admin.register(Stock)
class StockAdmin(ReadOnlyAdmin):
    """What there is of each reward."""

    list_display = ("reward", "slot", "tier", "on_hand", "held")
    list_select_related = ("reward", "slot", "tier")


@admin.register(StockMovement)
class StockMovementAdmin(ReadOnlyAdmin):
    """How stocks came and went."""

    list_display = ("at", "stock", "quantity", "reason", "actor")
    list_select_related = ("stock__reward",)


@admin.register(RewardCode)
class RewardCodeAdmin(ReadOnlyAdmin):
    """Codes bought in advance, and to whom they were given."""

    list_display = ("reward", "batch", "expires_at", "given_at")
    list_select_related = ("reward",)


@admin.register(Redemption)
class RedemptionAdmin(MemberOwnedAdmin):
    """What members have redeemed or were given."""

    list_display = (
        "requested_at", "member_card", "reward", "quantity", "points", "status_label",
        "fulfilled_at",
    )  # fmt: skip
    list_select_related = ("member", "reward")
    list_filter = ("status",)

    @labelled(_("status"), STATUS_COLOURS)
    def status_label(self, redemption: Redemption) -> tuple[str, str]:
        """Return where the redemption stands, with its colour."""
        return redemption.status, redemption.get_status_display()
