"""Models of the marketing app: campaigns, goals, measured figures and reports."""

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
from campaigns.models.report import (
    DeliveryState,
    Report,
    ReportDelivery,
    ReportKind,
    ReportRecipient,
)

__all__ = [
    "Arm",
    "Campaign",
    "CampaignAct",
    "CampaignBudget",
    "CampaignMember",
    "CampaignState",
    "CampaignVersion",
    "DeliveryState",
    "GlobalHoldout",
    "Goal",
    "LimitPeriod",
    "MetricValue",
    "OverBudget",
    "Report",
    "ReportDelivery",
    "ReportKind",
    "ReportRecipient",
    "UnitCost",
    "VersionState",
]
