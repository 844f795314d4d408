"""How much of what touchpoints may adjust alone is used up."""

from django.contrib import admin

from config.base.admin.options import ReadOnlyAdmin
from rewards.models import AdjustmentBudget


@admin.register(AdjustmentBudget)
class AdjustmentBudgetAdmin(ReadOnlyAdmin):
    """Points moved by hand per touchpoint and day, and per member and month."""

    list_display = ("touchpoint", "member", "period", "points")
    list_select_related = ("touchpoint", "member")
    ordering = ("-id",)
