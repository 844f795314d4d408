"""The delivery settings: order of channels, quiet hours, caps; changed by new versions only.

Source: CMP-08.
"""

from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from campaigns.domain.delivery import CHANNELS, SECURITY, Policy
from campaigns.models import MessagePolicy, Purpose
from config.base.errors import DomainError

LOCK: Final = 0x4D_53_47_50


class PolicyInvalidError(DomainError):
    """These delivery settings cannot be."""

    def __init__(self, field: str) -> None:
        super().__init__(
            "message_policy_invalid", _("These delivery settings cannot be."), field=field
        )


def in_force() -> Policy:
    """Return the settings that hold; the shipped ones where nobody has set any."""
    row = MessagePolicy.objects.order_by("-number").first()
    if row is None:
        return Policy()
    return Policy(
        channel_order=tuple(row.channel_order),
        quiet_from=row.quiet_from,
        quiet_until=row.quiet_until,
        quiet_purposes=frozenset(row.quiet_purposes),
        marketing_per_day=row.marketing_per_day,
        marketing_per_week=row.marketing_per_week,
    )


@transaction.atomic
def change(*, policy: Policy, reason: str, actor: str, at: datetime) -> MessagePolicy:
    """Let other settings hold from now on.

    Raises: PolicyInvalidError.
    """
    _check(policy)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    last = MessagePolicy.objects.order_by("-number").first()
    return MessagePolicy.objects.create(
        number=last.number + 1 if last else 1,
        channel_order=list(policy.channel_order),
        quiet_from=policy.quiet_from,
        quiet_until=policy.quiet_until,
        quiet_purposes=sorted(policy.quiet_purposes),
        marketing_per_day=policy.marketing_per_day,
        marketing_per_week=policy.marketing_per_week,
        reason=reason,
        set_by=actor,
        set_at=at,
    )


def _check(policy: Policy) -> None:
    order = list(policy.channel_order)
    if not order or len(set(order)) != len(order) or not set(order) <= set(CHANNELS):
        raise PolicyInvalidError("channel_order")
    # A security notice never waits.
    if not set(policy.quiet_purposes) <= set(Purpose.values) - {SECURITY}:
        raise PolicyInvalidError("quiet_purposes")
