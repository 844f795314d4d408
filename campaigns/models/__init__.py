"""Models of the marketing app: campaigns, messages, goals, measured figures and reports."""

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
    "ContentAsset",
    "DeliveryState",
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
    "Purpose",
    "Report",
    "ReportDelivery",
    "ReportKind",
    "ReportRecipient",
    "TemplateVersion",
    "TriggerMark",
    "TriggerOccurrence",
    "UnitCost",
    "VersionState",
    "Via",
]
