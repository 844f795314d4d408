"""Models of the site itself."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ProgrammeClock(models.Model):
    """One row: the instant up to which a programme under the `due` clock has been run."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("programme clock")
        verbose_name_plural = _("programme clock")
        constraints = [
            models.CheckConstraint(name="config_programmeclock_one_row", condition=models.Q(id=1)),
        ]

    def __str__(self) -> str:
        return self.at.isoformat()


class JobState(models.TextChoices):
    """How a run of a job stands."""

    RUNNING = "running", _("Running")
    FINISHED = "finished", _("Finished")
    FAILED = "failed", _("Failed")


class JobRun(models.Model):
    """One run of a job for one period; the pair is unique, so no two schedulers run it twice.

    Times are the wall's, whatever the programme's clock says: they are about the machine.
    """

    name = models.CharField(_("job"), max_length=64)
    period = models.CharField(_("period"), max_length=64)
    state = models.CharField(_("state"), max_length=8, choices=JobState, default=JobState.RUNNING)
    started_at = models.DateTimeField(_("started at"))
    heartbeat_at = models.DateTimeField(_("last sign of life"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    done = models.PositiveBigIntegerField(_("done"), default=0)
    error_code = models.CharField(_("error"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("job run")
        verbose_name_plural = _("job runs")
        constraints = [
            models.UniqueConstraint(fields=["name", "period"], name="job_run_once"),
            models.CheckConstraint(
                name="job_run_finished_has_instant",
                condition=models.Q(state="running", finished_at__isnull=True)
                | (~models.Q(state="running") & models.Q(finished_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="job_run_failed_has_error",
                condition=models.Q(state="failed") ^ models.Q(error_code=""),
            ),
        ]
        indexes = [
            models.Index(fields=["name", "-finished_at"], name="job_run_newest"),
            models.Index(
                fields=["heartbeat_at"],
                condition=models.Q(state="running"),
                name="job_run_running",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.period}"


class Heartbeat(models.Model):
    """When a process that has to run was last seen running."""

    name = models.CharField(_("process"), max_length=32, primary_key=True)
    at = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return self.name
