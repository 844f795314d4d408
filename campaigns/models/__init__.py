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
    "GlobalHoldout",
    "Goal",
    "LimitPeriod",
    "Message",
    "MessagePolicy",
    "MessageReceipt",
    "MessageState",
    "MessageTemplate",
    "MetricValue",
    "OverBudget",
    "Purpose",
    "Report",
    "ReportDelivery",
    "ReportKind",
    "ReportRecipient",
    "TemplateVersion",
    "UnitCost",
    "VersionState",
    "Via",
]
