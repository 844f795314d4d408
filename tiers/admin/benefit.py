"""The console's pages of benefits, entitlements and paid memberships."""

from django.contrib import admin

from config.base.admin.options import ConsoleAdmin, ReadOnlyAdmin
from members.admin.base import MemberOwnedAdmin
from tiers.models import (
    Benefit,
    BenefitRollout,
    Entitlement,
    EntitlementPeriod,
    EntitlementUse,
    MembershipPlan,
    PaidMembership,
    TierBenefit,
)


@admin.register(Benefit)
class BenefitAdmin(ReadOnlyAdmin):
    """What members can have besides points."""

    list_display = ("code", "name_zh", "name_en", "is_active")
    search_fields = ("code", "name_zh", "name_en")


@admin.register(TierBenefit)
class TierBenefitAdmin(ReadOnlyAdmin):
    """What each tier gives, in versions."""

    list_display = ("tier", "benefit", "number", "quota", "period", "on_leave", "effective_from")
    list_select_related = ("tier", "benefit")
    list_filter = ("tier",)


@admin.register(BenefitRollout)
class BenefitRolloutAdmin(ReadOnlyAdmin):
    """How far members have met what tiers give since that was changed."""

    list_display = ("begun_at", "last_member_id", "done_at")


@admin.register(Entitlement)
class EntitlementAdmin(MemberOwnedAdmin):
    """Members' claims to benefits."""

    list_display = ("member_card", "benefit", "source", "quota", "from_at", "until_at", "ended_at")
    list_select_related = ("member", "benefit")


@admin.register(EntitlementPeriod)
class EntitlementPeriodAdmin(ReadOnlyAdmin):
    """What is used of each quota."""

    list_display = ("entitlement", "starts_on", "quota", "held", "used")


@admin.register(EntitlementUse)
class EntitlementUseAdmin(MemberOwnedAdmin):
    """Every use of a benefit."""

    list_display = ("used_at", "member_card", "uses", "status", "actor")


@admin.register(MembershipPlan)
class MembershipPlanAdmin(ConsoleAdmin):
    """What paid membership there is to buy; what was sold keeps its terms."""

    list_display = ("code", "name_zh", "tier", "months", "price", "is_active")
    list_select_related = ("tier",)


@admin.register(PaidMembership)
class PaidMembershipAdmin(MemberOwnedAdmin):
    """Who has bought a membership."""

    list_display = ("member_card", "plan", "status", "price", "from_at", "until_at")
    list_select_related = ("member", "plan")
