"""What permissions are called where people give them, in the language of the console.

The rows keep the names that Django stored for them; nothing reads those but lists of other tools.
"""

from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.db import models
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base.admin.reauth import FreshLoginMixin

VERBS: Final[dict[str, "str | Promise"]] = {
    "view": _("View"), "add": _("Add"), "change": _("Change"), "delete": _("Delete"),
}  # fmt: skip
FIELDS: Final = frozenset(("permissions", "user_permissions"))


def label_of(permission: Permission) -> str:
    """Return what a permission is called: the app, what it is about, and what it allows."""
    kind = permission.content_type
    model = kind.model_class()
    if model is None:
        return f"{kind.app_label} · {permission.name}"
    verb = VERBS.get(permission.codename.removesuffix(f"_{kind.model}"))
    # Libraries say in English what they are; the catalogue of libraries' words has it.
    app = gettext(str(apps.get_app_config(kind.app_label).verbose_name))
    act = gettext(permission.name) if verb is None else verb
    return f"{app} · {gettext(str(model._meta.verbose_name))} · {act}"


class PermissionsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Permissions to choose from."""

    def label_from_instance(self, obj: Any) -> str:
        """Return what the permission is called."""
        return label_of(obj)


class PermissionsMixin(FreshLoginMixin):
    """A page on which permissions are given: asked for who gives them, and named for people.

    Rows of tables that only link are not listed when one is deleted.
    """

    def formfield_for_manytomany(
        self, db_field: "models.ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> "forms.ModelMultipleChoiceField[Any] | None":
        """Return the field of permissions with our names for them."""
        if db_field.name in FIELDS:
            kwargs["form_class"] = PermissionsField
        field: forms.ModelMultipleChoiceField[Any] | None
        field = super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]
        return field

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        """Return the fields, the permissions once: their names take their place where needed."""
        found = super().get_fields(request, obj)  # type: ignore[misc]
        return [name for name in found if name != "permissions_by_name"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields; who may only look reads our names as well."""
        found = super().get_fieldsets(request, obj)  # type: ignore[misc]
        if obj is None or self.has_change_permission(request, obj):  # type: ignore[attr-defined]
            return found
        return [
            (title, {**parts, "fields": [_read_name(name) for name in parts["fields"]]})
            for title, parts in found
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        """Return what nobody changes here, and the names for who may only look."""
        return (*super().get_readonly_fields(request, obj), "permissions_by_name")  # type: ignore[misc]

    @admin.display(description=_("permissions"))
    def permissions_by_name(self, holder: User | Group) -> str:
        """Return what the permissions of a user or group are called."""
        held = holder.permissions if isinstance(holder, Group) else holder.user_permissions
        names = sorted(map(label_of, held.select_related("content_type")))
        return ", ".join(names) or "–"

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Return what goes with a user or group, leaving out the rows that only link them."""
        rows, counts, wanted, kept = super().get_deleted_objects(objs, request)  # type: ignore[misc]
        found: list[type[models.Model]] = list(apps.get_models(include_auto_created=True))
        links = [model._meta for model in found if model._meta.auto_created]
        plural = {str(link.verbose_name_plural) for link in links}
        counts = {name: count for name, count in counts.items() if str(name) not in plural}
        beginnings = tuple(f"{capfirst(str(link.verbose_name))}: " for link in links)
        return _without(rows, beginnings), counts, wanted, kept


def _read_name(name: Any) -> Any:
    return "permissions_by_name" if name in FIELDS else name


def _without(rows: Sequence[Any], beginnings: tuple[str, ...]) -> list[Any]:
    """Return nested lists of texts without those that begin like this."""
    kept: list[Any] = []
    for row in rows:
        if isinstance(row, str):
            kept += [] if row.startswith(beginnings) else [row]
        elif below := _without(row, beginnings):
            kept.append(below)
    return kept
