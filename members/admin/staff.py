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
from config.base.admin.options import ConsoleAdmin
from config.base.admin.reauth import FreshLoginMixin
from members.models import StaffAuthority

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(FreshLoginMixin, BaseUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]
    """Members of staff who may log in."""

    actions_detail = ("second_factors",)

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm

    @detail_action(
        _("Remove second factors"),
        url_path="second-factors",
        permissions=["change"],
        icon="phonelink_erase",
    )
    def second_factors(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead to the page that removes them, for who has lost their device."""
        return redirect("console_reset_second_factors", object_id)


@admin.register(Group)
class GroupAdmin(FreshLoginMixin, BaseGroupAdmin, ModelAdmin):  # type: ignore[misc]
    """Roles as sets of permissions."""


@admin.register(StaffAuthority)
class StaffAuthorityAdmin(FreshLoginMixin, ConsoleAdmin):
    """The limits within which a member of staff acts alone."""

    list_display = ("user", "org_unit", "adjustment_limit_points")
    list_select_related = ("user", "org_unit")
    autocomplete_fields = ("user", "org_unit")
