"""Staff, their groups and what they may decide alone."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, User
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from config.base.admin.options import ConsoleAdmin, ReadOnlyAdmin
from members.models import RevealCount, StaffAuthority

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(BaseUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]  # Unfold has no types
    """Members of staff who may log in."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, ModelAdmin):  # type: ignore[misc]  # Unfold has no types
    """Roles as sets of permissions."""


@admin.register(StaffAuthority)
class StaffAuthorityAdmin(ConsoleAdmin):
    """The limits within which a member of staff acts alone."""

    list_display = ("user", "org_unit", "adjustment_limit_points", "goodwill_coupons_per_day")
    list_select_related = ("user", "org_unit")
    autocomplete_fields = ("user", "org_unit")


@admin.register(RevealCount)
class RevealCountAdmin(ReadOnlyAdmin):
    """How often staff have looked at personal data, day by day."""

    list_display = ("day", "actor", "count")
