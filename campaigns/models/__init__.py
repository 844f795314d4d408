"""Models of the marketing app: campaigns, messages, referrals, goals, figures and reports."""

from campaigns.models.campaign import (
    Arm,
    Campaign,
    CampaignAct,
    CampaignBudget,
    CampaignMember,
    CampaignState,
    CampaignVersion,
    GlobalHoldout,
    LimitPeriod,
    OverBudget,
    VersionState,
)
from campaigns.models.feedback import FeedbackAnswer, FeedbackForm, FeedbackState
from campaigns.models.figures import MetricValue, UnitCost
from campaigns.models.goal import Goal
from campaigns.models.message import (
    AssetKind,
    ContentAsset,
    Message,
    MessagePolicy,
    MessageReceipt,
    MessageState,
    MessageTemplate,
    Purpose,
    TemplateVersion,
    Via,
)
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
from campaigns.models.trigger import Festival, OccurrenceState, TriggerMark, TriggerOccurrence

__all__ = [
    "Arm",
    "AssetKind",
    "Campaign",
    "CampaignAct",
    "CampaignBudget",
    "CampaignMember",
    "CampaignState",
    "CampaignVersion",
    "ClawBack",
    "ContentAsset",
    "DeliveryState",
    "FeedbackAnswer",
    "FeedbackForm",
    "FeedbackState",
    "Festival",
    "GlobalHoldout",
    "Goal",
    "LimitPeriod",
    "Message",
    "MessagePolicy",
    "MessageReceipt",
    "MessageState",
    "MessageTemplate",
    "MetricValue",
    "OccurrenceState",
    "OverBudget",
    "Payout",
    "PayoutState",
    "Purpose",
    "Referral",
    "ReferralCode",
    "ReferralProgramme",
    "ReferralState",
    "Report",
    "ReportDelivery",
    "ReportKind",
    "ReportRecipient",
    "RewardKind",
    "TemplateVersion",
    "TriggerMark",
    "TriggerOccurrence",
    "UnitCost",
    "VersionState",
    "Via",
]
