"""The console's pages of gifts."""

from django.contrib import admin

from config.base.admin.options import ReadOnlyAdmin
from members.admin.base import MemberOwnedAdmin
from rewards.models import (
    GiftItem,
    Grant,
    GrantCalendar,
    GrantRule,
    GrantRuleVersion,
    GrantStep,
)


@admin.register(GrantRule)
class GrantRuleAdmin(ReadOnlyAdmin):
    """Gifts that follow by themselves."""

    list_display = ("code", "name_zh", "name_en")
    search_fields = ("code", "name_zh", "name_en")


@admin.register(GrantRuleVersion)
class GrantRuleVersionAdmin(ReadOnlyAdmin):
    """What a gift follows from, in versions."""

    list_display = ("rule", "number", "state", "trigger", "repeat", "valid_from", "valid_until")
    list_select_related = ("rule",)
    list_filter = ("state", "trigger")


@admin.register(GrantStep)
class GrantStepAdmin(ReadOnlyAdmin):
    """From which threshold on something is given."""

    list_display = ("version", "threshold")
    list_select_related = ("version__rule",)


@admin.register(GiftItem)
class GiftItemAdmin(ReadOnlyAdmin):
    """What gifts and packs hold."""

    list_display = ("step", "pack", "kind", "coupon_template", "reward", "benefit", "quantity")
    list_select_related = (
        "step__version__rule", "pack", "coupon_template", "reward", "benefit",
    )  # fmt: skip


@admin.register(Grant)
class GrantAdmin(MemberOwnedAdmin):
    """What members were given."""

    list_display = ("given_at", "member_card", "rule", "occurrence", "status")
    list_select_related = ("member", "rule")


@admin.register(GrantCalendar)
class GrantCalendarAdmin(ReadOnlyAdmin):
    """Up to which day the gifts of the calendar have been given."""

    list_display = ("done_on",)
