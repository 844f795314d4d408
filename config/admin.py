"""The console's pages of the site itself: its clock and its scheduled work."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_celery_beat import admin as beat
from django_celery_beat import models
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from config.base.admin.decorators import labelled
from config.base.admin.options import ReadOnlyAdmin
from config.models import Heartbeat, JobRun, ProgrammeClock
from config.safety import admin as safety

__all__ = ["safety"]

for _model in (
    models.PeriodicTask,
    models.IntervalSchedule,
    models.CrontabSchedule,
    models.SolarSchedule,
    models.ClockedSchedule,
):
    admin.site.unregister(_model)


class TaskSelectWidget(UnfoldAdminSelectWidget, beat.TaskSelectWidget):  # type: ignore[misc]
    """The list of tasks, as the console looks."""


class PeriodicTaskForm(beat.PeriodicTaskForm):  # type: ignore[misc]  # no types there
    """The scheduler's form with the console's widgets."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = TaskSelectWidget()


@admin.register(models.PeriodicTask)
class PeriodicTaskAdmin(beat.PeriodicTaskAdmin, ModelAdmin):  # type: ignore[misc]
    """What the scheduler starts, and when."""

    form = PeriodicTaskForm
    list_display = ("name", "enabled", "interval", "start_time", "last_run_at", "one_off")
    list_filter = ("enabled", "one_off", "start_time", "last_run_at")
    # What the scheduler says of a crontab in words is English only.
    readonly_fields = ("last_run_at",)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out what is English only."""
        return [
            (
                title,
                {**options, "fields": [f for f in options["fields"] if f != "crontab_translation"]},
            )
            for title, options in super().get_fieldsets(request, obj)
        ]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer what starts or stops tasks to those only who may change them."""
        offered: dict[str, Any] = super().get_actions(request)
        return offered if self.has_change_permission(request) else {}


@admin.register(models.IntervalSchedule)
class IntervalScheduleAdmin(ModelAdmin):  # type: ignore[misc]  # Unfold has no types
    """Every so often."""


@admin.register(models.CrontabSchedule)
class CrontabScheduleAdmin(beat.CrontabScheduleAdmin, ModelAdmin):  # type: ignore[misc]
    """At certain times of certain days."""

    # The scheduler's own form of tasks speaks English only.
    inlines = ()
    list_display = ("__str__",)
    fields = ("month_of_year", "day_of_month", "day_of_week", "hour", "minute", "timezone")
    readonly_fields = ()


@admin.register(models.SolarSchedule)
class SolarScheduleAdmin(ModelAdmin):  # type: ignore[misc]  # Unfold has no types
    """With the sun."""


@admin.register(models.ClockedSchedule)
class ClockedScheduleAdmin(beat.ClockedScheduleAdmin, ModelAdmin):  # type: ignore[misc]
    """Once."""

    inlines = ()


@admin.register(ProgrammeClock)
class ProgrammeClockAdmin(ReadOnlyAdmin):
    """The instant up to which a programme under the `due` clock has been run."""

    list_display = ("at",)


@admin.register(JobRun)
class JobRunAdmin(ReadOnlyAdmin):
    """Runs of scheduled work and how they ended."""

    list_display = (
        "name", "period", "state_label", "started_at", "finished_at", "done", "error_code",
    )  # fmt: skip
    list_filter = ("state",)

    @labelled(_("state"), {"running": "info", "finished": "success", "failed": "danger"})
    def state_label(self, run: JobRun) -> tuple[str, str]:
        """Return how the run stands, with its colour."""
        return run.state, run.get_state_display()


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    """When the processes that have to run were last seen."""

    list_display = ("name", "at")
