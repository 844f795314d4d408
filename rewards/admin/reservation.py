"""Points held for purchases."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from config.base.admin.decorators import labelled
from members.admin.base import MemberOwnedAdmin
from rewards.models import Reservation


@admin.register(Reservation)
class ReservationAdmin(MemberOwnedAdmin):
    """Reservations and how they ended."""

    list_display = (
        "member_card", "points", "status_label", "captured_points", "given_back_points", "held_at",
        "expires_at", "closed_at",
    )  # fmt: skip

    @labelled(
        _("status"),
        {"held": "warning", "captured": "success", "released": "info", "lapsed": "danger"},
    )
    def status_label(self, reservation: Reservation) -> tuple[str, str]:
        """Return how the reservation stands, with its colour."""
        return reservation.status, reservation.get_status_display()
