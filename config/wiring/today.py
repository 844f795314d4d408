"""What the start page shows, and what is to be done there."""

from collections.abc import Callable

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from campaigns.admin import goals, today
from config.base.admin import site
from config.base.panels import Page, Panel, Place, Todo, Visit, register
from members.admin import case_page
from rewards.admin import reports
from tiers import panels as tiers


def install() -> None:
    """Register the panels, the page of those that come late, and the to-dos."""
    register(
        Panel(
            "today.outstanding", Place.DASHBOARD_FIGURES, "admin/campaigns/today_figure.html",
            today.outstanding, 10, "rewards.view_pointsaccount",
        ),
        Panel(
            "today.active", Place.DASHBOARD_FIGURES, "admin/campaigns/today_figure.html",
            today.active_members, 20, "members.view_order",
        ),
        Panel(
            "today.points", Place.DASHBOARD_FIGURES, "admin/campaigns/today_points.html",
            today.points_today, 30, "rewards.view_entry",
        ),
        Panel(
            "today.approvals", Place.DASHBOARD_FIGURES, "admin/campaigns/today_approvals.html",
            today.approvals_waiting, 40, "members.view_approval",
        ),
        Panel(
            "today.rules", Place.DASHBOARD_WORK, "admin/campaigns/running_rules.html",
            today.running_rules, 10, "rewards.view_rule",
        ),
        Panel(
            "campaigns.goals", Place.DASHBOARD_ASIDE, "admin/campaigns/goals_panel.html",
            goals.goals_panel, 10, goals.VIEW,
        ),
        Panel(
            "today.audit", Place.DASHBOARD_ASIDE, "admin/campaigns/self_audit.html",
            today.self_audit, 20, "config.view_jobrun",
        ),
        Panel(
            "rewards.monthly", Place.DASHBOARD_CHARTS, "admin/rewards/monthly.html",
            reports.monthly, 10, "rewards.view_entry",
        ),
        Panel(
            "tiers.distribution", Place.DASHBOARD_CHARTS, "admin/tiers/distribution.html",
            tiers.distribution, 20, "tiers.view_standing",
        ),
    )  # fmt: skip
    register(Page("today/charts/", "today_charts", site.charts_page))
    _install_todos()


def _list_of(name: str, query: str = "") -> Callable[[Visit], str]:
    return lambda _visit: reverse(f"admin:{name}_changelist") + query


def _install_todos() -> None:
    register(
        Todo(
            "approvals", _("Requests that you may decide"), "approval_delegation",
            today.approvals_to_decide, lambda _visit: reverse("admin:approvals_inbox"), 10,
            "members.view_approval",
        ),
        Todo(
            "cases", _("Open cases"), "support_agent", today.open_cases,
            lambda _visit: reverse("admin:case_desk"), 20, case_page.VIEW, "info",
        ),
        Todo(
            "late_cases", _("Cases that are late"), "alarm", today.late_cases,
            lambda _visit: reverse("admin:case_desk"), 15, case_page.VIEW, "danger",
        ),
        Todo(
            "stock", _("Rewards that run out"), "inventory_2", today.rewards_low,
            lambda _visit: reverse("admin:dashboard", args=["rewards"]), 30, "rewards.view_stock",
        ),
        Todo(
            "budgets", _("Staff who have nearly used up their day"), "data_usage",
            today.budgets_nearly_used, _list_of("rewards_staffbudget"), 35,
            "rewards.view_staffbudget",
        ),
        Todo(
            "expiring", _("Points that end within 30 days"), "event_busy", today.points_expiring,
            lambda _visit: reverse("admin:dashboard", args=["points"]), 40, "rewards.view_lot",
            "info",
        ),
        Todo(
            "goals", _("Goals at risk or missed"), "flag", today.goals_behind,
            lambda _visit: reverse("admin:goals"), 50, goals.VIEW,
        ),
        Todo(
            "mails", _("Reports that were not mailed"), "mail", today.mails_not_sent,
            _list_of("campaigns_reportdelivery"), 60, "campaigns.view_report", "danger",
        ),
        Todo(
            "webhooks", _("Webhooks that fail"), "webhook", today.webhooks_failing,
            _list_of("members_webhook"), 70, "members.view_webhook", "danger",
        ),
        Todo(
            "jobs", _("Jobs that failed"), "running_with_errors", today.jobs_failed,
            _list_of("config_jobrun", "?state__exact=failed"), 80, "config.view_jobrun", "danger",
        ),
    )  # fmt: skip
