"""The marketing app's part of the console."""

from campaigns.admin import (
    campaign_models,
    feedback_models,
    messages,
    models,
    payouts,
    prospect_offers,
    referrals,
    trigger_models,
)

__all__ = [
    "campaign_models", "feedback_models", "messages", "models", "payouts", "prospect_offers",
    "referrals", "trigger_models",
]  # fmt: skip
