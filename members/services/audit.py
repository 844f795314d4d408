"""What the audit proves of members, their facts and orders, and of append-only tables.

Source: design §4, §5.1, §5.6; ORG-06.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.base import audit, clock, money, pg

FOLDER: Final = Path(__file__).resolve().parent.parent / "sql" / "audit"

TEXTS: Final[dict[str, Promise]] = {
    "append_only_rights": _("The application may only read and add to append-only tables."),
    "append_only_triggers": _("Append-only tables refuse UPDATE, DELETE and TRUNCATE."),
    "constraints_in_force": _("Every declared constraint is in force."),
    "event_delivered": _("Every event is owed to everyone who follows its kind."),
    "fact_applied": _("An applied fact has its member and its order, refund or interaction."),
    "fact_waiting": _("A fact waits only for an order or a member that is missing."),
    "insight_row": _("Every living member has one row of customer value, others have none."),
    "insight_spent": _("What a member has spent so far is the sum of their orders."),
    "interaction_fact": _("An interaction says what its fact says."),
    "member_key": _("Every member has a data key, erased ones have none."),
    "member_merged": _("A merged member leads to one that still stands for a person."),
    "merge_recorded": _("A member is merged while a merge that is not undone says so."),
    "order_amounts": _("The amounts of an order follow from its lines and refunds."),
    "order_owner": _("Lines and refunds belong to the member of their order."),
    "order_version": _("An order stands at the highest version received."),
    "segment_intervals": _(
        "Nobody is in a segment twice at once, and a segment is as large as it says."
    ),
    "webhook_message": _(
        "A message to a webhook is of its event, and delivered when it was taken."
    ),
}


def minor_units() -> dict[str, int]:
    """Return how many minor units make one of the programme's currency."""
    return {"minor_units": 10 ** money.exponent()}


def _append_only() -> Mapping[str, Any]:
    return {"tables": pg.append_only_tables(), "role": connection.settings_dict["USER"]}


def _constraint_names() -> Mapping[str, Any]:
    models: list[type[Model]] = list(apps.get_models())
    ours = {"config", "members", "tiers", "rewards", "campaigns"}
    return {
        "names": sorted(
            constraint.name
            for model in models
            if model._meta.app_label in ours
            for constraint in model._meta.constraints
        )
    }


def _deliveries() -> Mapping[str, Any]:
    """Return since when no delivery can have been forgotten: what is due was done up to an instant.

    That one may lie ahead of the wall clock.
    """
    latest = max(clock.now(), clock.programme_time() or clock.now())
    return {"kept_since": latest - timedelta(days=settings.LOYALTY_DELIVERIES_KEPT_DAYS)}


def _zone() -> Mapping[str, Any]:
    return {"zone": settings.LOYALTY_TIME_ZONE}


def checks() -> list[audit.Check]:
    """Return the checks of this app."""
    return audit.load(
        FOLDER,
        TEXTS,
        {
            "append_only_rights": _append_only,
            "append_only_triggers": _append_only,
            "constraints_in_force": _constraint_names,
            "event_delivered": _deliveries,
            "insight_spent": _zone,
            "order_amounts": minor_units,
            "order_version": minor_units,
        },
    )
