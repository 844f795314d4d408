"""Which members, and which of their rows, a visitor with an organisation unit sees.

A row belongs to the store that it names as an order or a member, else to the member or order that
it points to; so a new model is narrowed without being told.
Source: ORG-07.
"""

from functools import cache
from typing import Any, Final

from django.db import models
from django.http import HttpRequest

from members.models import Member, Order, OrgUnit, StaffAuthority
from members.services import organisation

_KEPT: Final = "_stores_in_scope"
# What belongs to nobody, though it points to somebody.
_OPEN: Final = frozenset({StaffAuthority, OrgUnit})
_OWN: Final[dict[type[models.Model], str]] = {Member: "home_store", Order: "store"}


def is_limited(request: HttpRequest) -> bool:
    """Tell whether the visitor sees the stores of their unit only."""
    return stores_of(request) is not None


def stores_of(request: HttpRequest) -> frozenset[int] | None:
    """Return the stores whose members and orders the visitor sees; None: all. Read once."""
    user = request.user
    if user.is_superuser or user.pk is None:
        return None
    if not hasattr(request, _KEPT):
        setattr(request, _KEPT, organisation.stores_of_staff(user.pk))
    stores: frozenset[int] | None = getattr(request, _KEPT)
    return stores


def narrow(request: HttpRequest, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """Return those of the rows that belong to the visitor's stores; all where none belongs."""
    model: type[models.Model] = rows.model
    stores, path = stores_of(request), store_path(model)
    return rows if stores is None or path is None else rows.filter(**{f"{path}__in": stores})


@cache
def store_path(model: type[models.Model]) -> str | None:
    """Return how a model's rows lead to a store, None where they belong to nobody."""
    return _path(model, frozenset())


def _path(model: type[models.Model], seen: frozenset[type[models.Model]]) -> str | None:
    """Look for the way; what was `seen` on it leads back, not on."""
    if model in _OWN or model in _OPEN:
        return _OWN.get(model)
    keys = [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and field.related_model not in {model, *seen}
    ]
    for owner in (Order, Member):
        # An order of a member is its store's; lines and refunds are as their order.
        if owner is Order and not _has_required(keys, Order):
            continue
        for field in keys:
            if field.related_model is owner:
                return f"{field.name}__{_OWN[owner]}"
    for field in keys:
        path = _path(field.related_model, seen | {model})
        if path is not None:
            return f"{field.name}__{path}"
    return None


def _has_required(keys: "list[models.ForeignKey[Any, Any]]", model: type[models.Model]) -> bool:
    return any(field.related_model is model and not field.null for field in keys)
