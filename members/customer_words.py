"""The words for what members are as customers; `members.domain.insight` says when which holds."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class LifecycleStage(models.TextChoices):
    """Where a member stands in the lifecycle."""

    ACQUIRE = "acquire", _("Not bought yet")
    ACTIVATE = "activate", _("First purchase")
    NURTURE = "nurture", _("Growing")
    RETAIN = "retain", _("Retained")
    ADVOCATE = "advocate", _("High value")
    DORMANT = "dormant", _("Dormant")
    WON_BACK = "won_back", _("Won back")


class CustomerClass(models.TextChoices):
    """The one class of a customer."""

    HIGH_END = "high_end", pgettext_lazy("customer", "High-end")
    LOYAL = "loyal", pgettext_lazy("customer", "Loyal")
    POTENTIAL = "potential", pgettext_lazy("customer", "Potential")
    CHURNED = "churned", pgettext_lazy("customer", "Churned")
    NEW = "new", pgettext_lazy("customer", "New")


class Band(models.TextChoices):
    """How often, or how much, a member buys."""

    HIGH = "high", pgettext_lazy("band", "High")
    MEDIUM = "medium", pgettext_lazy("band", "Medium")
    LOW = "low", pgettext_lazy("band", "Low")
