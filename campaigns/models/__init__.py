"""Models of the marketing app: goals, measured figures, reports and referrals."""

from campaigns.models.figures import MetricValue, UnitCost
from campaigns.models.goal import Goal
from campaigns.models.payout import Payout, PayoutState
from campaigns.models.referral import (
    ClawBack,
    Referral,
    ReferralCode,
    ReferralProgramme,
    ReferralState,
    RewardKind,
)
from campaigns.models.report import (
    DeliveryState,
    Report,
    ReportDelivery,
    ReportKind,
    ReportRecipient,
)

__all__ = [
    "ClawBack",
    "DeliveryState",
    "Goal",
    "MetricValue",
    "Payout",
    "PayoutState",
    "Referral",
    "ReferralCode",
    "ReferralProgramme",
    "ReferralState",
    "Report",
    "ReportDelivery",
    "ReportKind",
    "ReportRecipient",
    "RewardKind",
    "UnitCost",
]
