"""The start page: four figures with their trend, what is to be done, what runs, and the audit.

Source: KPI-13, ORG-06.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import F, Q
from django.urls import reverse

from campaigns import words
from campaigns.admin import figures
from campaigns.kpis import goals, reading, registry, waiting
from campaigns.kpis.metrics import Value
from campaigns.models import DeliveryState, ReportDelivery
from config.base import clock
from config.base.admin.actors import actor_of
from config.base.admin.kept import kept
from config.base.names import name_of
from config.base.panels import Visit
from config.models import JobRun, JobState
from members.models import Approval, Case
from members.models.staff import ApprovalState
from members.services import approvals
from rewards import programme_words, supply
from rewards.models import RuleVersion
from rewards.models.rule import RuleState

AUDIT_JOB: Final = "self_audit"
BROKEN: Final = "broken"
"""With this word begins the error of a run that found invariants broken."""
AUDIT_LATE: Final = timedelta(hours=26)
CODES: Final = registry.ON_START_PAGE
TREND_DAYS: Final = 30
WEEK: Final = 7
RULES_SHOWN: Final = 8
_BEGINS_SOON: Final = timedelta(days=14)


def outstanding(visit: Visit) -> Mapping[str, Any]:
    """Show the points outstanding against a week ago."""
    return _figure(visit, "points_outstanding", WEEK, reverse("admin:dashboard", args=["points"]))


def active_members(visit: Visit) -> Mapping[str, Any]:
    """Show the active members against a week ago."""
    return _figure(visit, "active_members", WEEK, reverse("admin:dashboard", args=["members"]))


def points_today(visit: Visit) -> Mapping[str, Any]:
    """Show the points issued and used today against the whole of yesterday."""
    known = _known(visit)
    issued, used = (
        _build(known, code, 1, reverse("admin:dashboard", args=["points"]))
        for code in ("issued_today", "used_today")
    )
    definition = f"{issued.metric.definition} {used.metric.definition}"
    return {"issued": issued, "used": used, "definition": definition}


def approvals_waiting(visit: Visit) -> Mapping[str, Any]:
    """Show how many requests wait, against a week ago."""
    now = waiting.approvals_at(visit.at + reading.INSTANT)
    before = waiting.approvals_at(visit.at - timedelta(days=WEEK))
    return {
        "shown": f"{now:,}",
        "change": f"{now - before:+d}".replace("-", "−") if now != before else "",
        "url": reverse("admin:approvals_inbox"),
    }


def _known(visit: Visit) -> Mapping[str, Any]:
    """Return the figures of the page and their past, read once for all its cards."""

    def read() -> Mapping[str, Any]:
        today = clock.local_day(visit.at)
        now = registry.on_start_page(at=visit.at)
        past = kept(
            f"trends:{today}", lambda: goals.trends(CODES, today=today, days=TREND_DAYS),
            seconds=registry.KEPT_SECONDS,
        )  # fmt: skip
        return {"now": now, "past": past}

    return visit.once("today", read)


def _figure(visit: Visit, code: str, days: int, url: str) -> Mapping[str, Any]:
    return {"figure": _build(_known(visit), code, days, url), "days": days}


def _build(known: Mapping[str, Any], code: str, days: int, url: str) -> figures.Figure:
    measured: list[Value] = known["past"][code]
    before = {code: measured[-days]} if len(measured) >= days else {}
    spark = figures.spark_of([*measured, known["now"][code]])
    return figures.figure(registry.METRICS[code], known["now"], before, spark=spark, url=url)


def running_rules(visit: Visit) -> Mapping[str, Any]:
    """Show the earning rules that run for a time, and those that begin soon."""
    at = visit.at
    open_end = Q(valid_until=None) | Q(valid_until__gt=at)
    begun = Q(valid_from=None) | Q(valid_from__lte=at + _BEGINS_SOON)
    for_a_time = Q(valid_until__isnull=False) | Q(valid_from__gt=at)
    rows = RuleVersion.objects.filter(open_end, begun, for_a_time, state=RuleState.ACTIVE)
    rows = rows.select_related("rule").order_by(F("valid_until").asc(nulls_last=True), "id")
    return {
        "rules": [
            {
                "version": row,
                "name": name_of(row.rule),
                "says": _says(row),
                "is_running": row.valid_from is None or row.valid_from <= at,
            }
            for row in rows[:RULES_SHOWN]
        ]
    }


def _says(version: RuleVersion) -> str:
    return programme_words.rule(version)["text"]


def self_audit(visit: Visit) -> Mapping[str, Any]:
    """Show whether all invariants held when they were last proved, and when that was."""
    runs = JobRun.objects.filter(name=AUDIT_JOB)
    last = runs.exclude(finished_at=None).order_by("-finished_at").first()
    is_running = runs.filter(state=JobState.RUNNING).exists()
    if last is None or last.finished_at is None:
        return {"run": None, "is_running": is_running, "tone": "info"}
    is_whole = last.state == JobState.FINISHED
    # The machine's own instants: the wall's, whatever the programme's clock says.
    is_late = datetime.now(last.finished_at.tzinfo) - last.finished_at > AUDIT_LATE
    tone = "danger" if not is_whole else "warning" if is_late else "success"
    return {
        "run": last, "is_whole": is_whole, "is_broken": last.error_code.startswith(BROKEN),
        "is_late": is_late, "is_running": is_running,
        "tone": tone,
    }  # fmt: skip


def approvals_to_decide(visit: Visit) -> int:
    """Count the requests that the visitor may decide: not their own, of kinds that are theirs."""
    rows = Approval.objects.filter(state=ApprovalState.REQUESTED)
    kinds = rows.exclude(requested_by=actor_of(visit.request)).values_list("kind", flat=True)
    return sum(visit.may(approvals.permission_of(kind)) for kind in kinds)


def open_cases(_visit: Visit) -> int:
    """Count the cases that wait for somebody."""
    return Case.objects.undone().count()


def late_cases(visit: Visit) -> int:
    """Count the cases whose answer or solution is late."""
    return Case.objects.breached(visit.at).count()


def points_expiring(visit: Visit) -> int:
    """Return the points that end within 30 days."""
    return kept(
        f"expiring:{clock.local_day(visit.at)}", lambda: waiting.points_expiring(visit.at),
        seconds=registry.KEPT_SECONDS,
    )  # fmt: skip


def budgets_nearly_used(visit: Visit) -> int:
    """Count the staff who may hardly move any more points today."""
    return waiting.budgets_nearly_used(clock.local_day(visit.at))


def rewards_low(visit: Visit) -> int:
    """Count the rewards whose stock is low or does not last."""
    return len(supply.running_out(visit.at))


def jobs_failed(_visit: Visit) -> int:
    """Count the jobs that failed when they last ran."""
    return waiting.jobs_failed()


def webhooks_failing(_visit: Visit) -> int:
    """Count the receivers that do not take what they are sent."""
    return waiting.webhooks_failing()


def mails_not_sent(_visit: Visit) -> int:
    """Count the mails of reports that need a person."""
    troubled = (DeliveryState.FAILED, DeliveryState.UNCLEAR)
    return ReportDelivery.objects.filter(state__in=troubled).count()


def goals_behind(visit: Visit) -> int:
    """Count the goals that are at risk or missed."""
    return sum(
        words.STATUSES[standing.status][1] in {"warning", "danger"}
        for standing in goals.current(at=visit.at)
    )
