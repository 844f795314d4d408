"""The connected systems, their keys, and the organisation."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.base.admin.decorators import labelled
from config.base.admin.options import ConsoleAdmin, ReadOnlyAdmin
from members.models import ApiKey, IdempotencyKey, OrgUnit, Source, Store, Touchpoint


class KeptAdmin(ConsoleAdmin):
    """Rows that others refer to: edited, never deleted."""

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Refuse: facts refer to these rows for ever."""
        return False


@admin.register(Touchpoint)
class TouchpointAdmin(KeptAdmin):
    """Systems that report facts and give commands; the command line makes them and their keys."""

    list_display = ("name", "code", "channel", "store", "on_unknown", "is_active")
    list_select_related = ("store",)
    list_filter = ("channel", "is_active")
    search_fields = ("code", "name")
    readonly_fields = ("code", "channel", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: a touchpoint without its key would be of no use."""
        return False


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Keys by the prefix that is shown to people."""

    list_display = ("prefix", "touchpoint", "scope_list", "created_at", "expires_at", "state")
    list_select_related = ("touchpoint",)

    @admin.display(description=_("scopes"))
    def scope_list(self, key: ApiKey) -> str:
        """Return the scopes in one line."""
        return ", ".join(key.scopes)

    @labelled(_("state"), {"live": "success", "revoked": "danger"})
    def state(self, key: ApiKey) -> tuple[str, Any]:
        """Return whether the key still opens anything."""
        return ("revoked", _("Revoked")) if key.revoked_at else ("live", _("In use"))


@admin.register(Source)
class SourceAdmin(ReadOnlyAdmin):
    """Whose the order numbers are."""

    list_display = ("code", "touchpoint")
    list_select_related = ("touchpoint",)


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    """Commands that have been answered; the answers are not shown."""

    list_display = ("key", "touchpoint", "status", "created_at")
    list_select_related = ("touchpoint",)


@admin.register(Store)
class StoreAdmin(KeptAdmin):
    """Shops."""

    list_display = ("code", "name", "org_unit")
    list_select_related = ("org_unit",)
    search_fields = ("code", "name")


@admin.register(OrgUnit)
class OrgUnitAdmin(KeptAdmin):
    """The retailer's organisation."""

    list_display = ("code", "name", "parent")
    list_select_related = ("parent",)
    search_fields = ("code", "name")
