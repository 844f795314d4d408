"""What members are as customers: the lists, and the panel of the member page.

Source: SEG-08, SEG-09, SEG-13, SEG-20.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.admin import charts, formats
from config.base.admin.decorators import labelled
from config.base.admin.options import ReadOnlyAdmin
from config.base.panels import Visit
from members import insight_words
from members.admin.base import MemberOwnedAdmin
from members.domain import rhythm
from members.models import InsightMark, InsightPolicy, MemberInsight, StageDay, ValueScore
from members.services import insight_policy

VIEW = "members.view_memberinsight"
SCORES_SHOWN = 60


@admin.register(MemberInsight)
class MemberInsightAdmin(MemberOwnedAdmin):
    """Members with their stage, class, bands and value."""

    list_display = (
        "member_card", "stage_label", "class_label", "frequency_band", "monetary_band",
        "value_current", "value_potential", "orders", "spend", "lifetime", "last_order_on",
    )  # fmt: skip
    list_filter = ("stage", "customer_class", "frequency_band", "monetary_band")
    concealed = ("spent", "spent_total", "margin_total", "average_order", "stage", "customer_class")
    shown_last = ("stage_label", "class_label", "spend", "lifetime", "lifetime_margin", "aov")

    @labelled(_("lifecycle stage"), insight_words.STAGE_COLOURS)
    def stage_label(self, row: MemberInsight) -> tuple[str, str]:
        """Return the stage with its colour."""
        return row.stage, row.get_stage_display()

    @labelled(_("customer class"), insight_words.CLASS_COLOURS)
    def class_label(self, row: MemberInsight) -> tuple[str, str]:
        """Return the class with its colour."""
        return row.customer_class, row.get_customer_class_display()

    @admin.display(description=_("spent"))
    def spend(self, row: MemberInsight) -> str:
        """Return what was spent in the window."""
        return formats.money(row.spent)

    @admin.display(description=_("spent so far"))
    def lifetime(self, row: MemberInsight) -> str:
        """Return what was spent in all: the historic lifetime value."""
        return formats.money(row.spent_total)

    @admin.display(description=_("margin so far"))
    def lifetime_margin(self, row: MemberInsight) -> str:
        """Return the margin of all orders of known cost."""
        return formats.money(row.margin_total)

    @admin.display(description=_("AOV"))
    def aov(self, row: MemberInsight) -> str:
        """Return the average order of the window."""
        return formats.money(row.average_order)


@admin.register(ValueScore)
class ValueScoreAdmin(MemberOwnedAdmin):
    """How members' value has changed."""

    list_display = ("on", "member_card", "current", "potential", "total", "policy", "model")


@admin.register(InsightPolicy)
class InsightPolicyAdmin(ReadOnlyAdmin):
    """Versions of the thresholds and weights; a change is a further version."""

    list_display = ("number", "created_at", "created_by", "reason")


@admin.register(StageDay)
class StageDayAdmin(ReadOnlyAdmin):
    """How many members were in each stage."""

    list_display = ("on", "stage", "members", "entered", "left")


@admin.register(InsightMark)
class InsightMarkAdmin(ReadOnlyAdmin):
    """How far the job has come."""

    list_display = ("basis", "looked_at", "safe_event", "seen_event", "swept_to")


def insight_of(visit: Visit) -> MemberInsight | None:
    """Return what is said of the member whose page this is."""
    rows = MemberInsight.objects.filter(pk=visit.subject.pk)
    return visit.once("insight", rows.first)


def stage_badge(visit: Visit) -> Mapping[str, Any] | None:
    """Show the lifecycle stage beside the name."""
    row = insight_of(visit)
    return None if row is None else {"row": row, "colour": insight_words.STAGE_COLOURS[row.stage]}


def insight_panel(visit: Visit) -> Mapping[str, Any] | None:
    """Show what the member is as a customer, and why."""
    row = insight_of(visit)
    if row is None:
        return None
    policy = insight_policy.in_force()
    found = ValueScore.objects.filter(member_id=row.pk).order_by("-on")[:SCORES_SHOWN]
    history = list(reversed(found))
    return {
        "row": row,
        "risk": rhythm.churn_risk(row.last_order_on, row.dormant_from, clock.local_day(visit.at)),
        "stage_colour": insight_words.STAGE_COLOURS[row.stage],
        "class_colour": insight_words.CLASS_COLOURS[row.customer_class],
        "scores": [(text, row.scores.get(code)) for code, text in insight_words.SCORES.items()],
        "why": insight_words.why(row, policy),
        "chart": _chart(history) if len(history) > 1 else None,
    }


def stage_details(_visit: Visit, payload: Mapping[str, Any]) -> Sequence[str]:
    """Say from which stage to which."""
    return [f"{insight_words.stage(payload['from'])} → {insight_words.stage(payload['to'])}"]


def class_details(_visit: Visit, payload: Mapping[str, Any]) -> Sequence[str]:
    """Say from which class to which."""
    word = insight_words.customer_class
    return [f"{word(payload['from'])} → {word(payload['to'])}"]


def _chart(history: list[ValueScore]) -> Mapping[str, str]:
    return charts.lines(
        [score.on.isoformat() for score in history],
        [
            (str(_("current value")), [s.current for s in history], charts.PALETTE[0]),
            (str(_("potential value")), [s.potential for s in history], charts.PALETTE[1]),
        ],
    )
