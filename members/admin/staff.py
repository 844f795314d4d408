"""Staff, their groups and what they may decide alone."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from config.base.admin.decorators import detail_action
from config.base.admin.options import ConsoleAdmin, ReadOnlyAdmin
from config.base.admin.reauth import REMOVE_FACTORS, FreshLoginMixin
from members.admin import agents
from members.admin.permissions import PermissionsMixin
from members.models import RevealCount, RoleAuthority, StaffAuthority

LIMITS = (
    "adjustment_limit_points", "adjustment_daily_limit_points",
    "adjustment_member_month_limit_points",
)  # fmt: skip

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(PermissionsMixin, BaseUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]
    """Members of staff who may log in."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    actions_detail = ("hand_over", "second_factors")

    def has_hand_over_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Tell whether the visitor may hand over somebody's members."""
        return request.user.has_perm(agents.PERMISSION)

    @detail_action(
        _("Hand over members and cases"), url_path="hand-over", permissions=["hand_over"],
        icon="sync_alt",
    )  # fmt: skip
    def hand_over(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Hand over the members and cases of somebody who leaves."""
        return agents.hand_over_page(request, int(object_id))

    def has_second_factors_permission(
        self, request: HttpRequest, object_id: str | None = None
    ) -> bool:
        """Tell whether the visitor may remove somebody's second factors; never their own."""
        is_own = str(object_id) == str(request.user.pk)
        return not is_own and any(map(request.user.has_perm, REMOVE_FACTORS))

    @detail_action(
        _("Remove second factors"),
        url_path="second-factors",
        permissions=["second_factors"],
        icon="phonelink_erase",
    )
    def second_factors(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead to the page that removes them, for who has lost their device."""
        return redirect("console_reset_second_factors", object_id)


@admin.register(Group)
class GroupAdmin(PermissionsMixin, BaseGroupAdmin, ModelAdmin):  # type: ignore[misc]
    """Roles as sets of permissions."""


@admin.register(StaffAuthority)
class StaffAuthorityAdmin(FreshLoginMixin, ConsoleAdmin):
    """The limits within which a member of staff acts alone."""

    list_display = (
        "user", "staff_no", "org_unit", "member", *LIMITS, "goodwill_coupons_per_day"
    )  # fmt: skip
    list_select_related = ("user", "org_unit", "member")
    autocomplete_fields = ("user", "org_unit", "member")


@admin.register(RoleAuthority)
class RoleAuthorityAdmin(FreshLoginMixin, ConsoleAdmin):
    """The limits of everybody in a role who has none of their own."""

    list_display = ("group", *LIMITS)
    list_select_related = ("group",)
    autocomplete_fields = ("group",)


@admin.register(RevealCount)
class RevealCountAdmin(ReadOnlyAdmin):
    """How often staff have looked at personal data, day by day."""

    list_display = ("day", "actor", "count")
