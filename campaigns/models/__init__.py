"""Models of the marketing app: goals, measured figures and reports."""

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
    "DeliveryState",
    "Goal",
    "MetricValue",
    "Report",
    "ReportDelivery",
    "ReportKind",
    "ReportRecipient",
    "UnitCost",
]
