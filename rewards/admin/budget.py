"""How much of what touchpoints and staff may adjust alone is used up."""

from django.contrib import admin

from config.base.admin.options import ReadOnlyAdmin
from rewards.models import AdjustmentBudget, StaffBudget


@admin.register(AdjustmentBudget)
class AdjustmentBudgetAdmin(ReadOnlyAdmin):
    """Points moved by hand per touchpoint and day, and per member and month."""

    list_display = ("touchpoint", "member", "period", "points")
    list_select_related = ("touchpoint", "member")
    ordering = ("-id",)


@admin.register(StaffBudget)
class StaffBudgetAdmin(ReadOnlyAdmin):
    """Points moved or asked for per member of staff and day, and per member and month."""

    list_display = ("user", "member", "period", "points")
    list_select_related = ("user", "member")
    ordering = ("-id",)
