"""The share of members that no campaign addresses, so that all campaigns can be measured."""

import secrets
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.models import GlobalHoldout
from campaigns.services.campaign_drafts import CampaignError

MOST_PERCENT = 50


@transaction.atomic
def set_percent(*, percent: Decimal, reason: str, actor: str, at: datetime) -> GlobalHoldout:
    """Set the share; a larger one keeps all who were in it, since the salt stays.

    Raises: CampaignError.
    """
    if not reason.strip():
        raise CampaignError("reason_required", _("A reason is required."))
    if not 0 <= percent <= MOST_PERCENT:
        raise CampaignError("holdout_out_of_range", _("The share is between 0 and 50 per cent."))
    row, _made = GlobalHoldout.objects.update_or_create(
        pk=1,
        defaults={"percent": percent, "reason": reason.strip(), "set_by": actor, "set_at": at},
        create_defaults={
            "percent": percent, "reason": reason.strip(), "set_by": actor, "set_at": at,
            "salt": secrets.token_hex(16),
        },
    )  # fmt: skip
    return row
