"""Models of the marketing app: messages, goals, measured figures and reports."""

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
    VersionState,
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
    "AssetKind",
    "ContentAsset",
    "DeliveryState",
    "Goal",
    "Message",
    "MessagePolicy",
    "MessageReceipt",
    "MessageState",
    "MessageTemplate",
    "MetricValue",
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
