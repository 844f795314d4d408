"""What finance reckons a point to cost, from a day on."""

from datetime import date, datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from campaigns.models import UnitCost
from config.base.errors import DomainError


class UnitCostError(DomainError):
    """A unit cost cannot be set like this."""


def set_unit_cost(
    *, effective_on: date, amount: Decimal, reason: str, actor: str, at: datetime
) -> UnitCost:
    """Set the cost of a point from a day on; what was set before stays as it is.

    Units: the programme's currency per point.
    Raises: UnitCostError.
    """
    if not reason.strip():
        raise UnitCostError("reason_required", _("A reason is required."))
    if amount < 0:
        raise UnitCostError("unit_cost_negative", _("A cost is not negative."))
    try:
        with transaction.atomic():
            return UnitCost.objects.create(
                effective_on=effective_on, amount=amount, reason=reason.strip(), set_by=actor,
                set_at=at,
            )  # fmt: skip
    except IntegrityError as error:
        raise UnitCostError(
            "unit_cost_set", _("A cost is set for this day already."), status=409
        ) from error
