"""Bulk imports, so that one that was cut off goes on where it was."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ImportState(models.TextChoices):
    """Where an import stands."""

    RUNNING = "running", _("Running")
    FINISHED = "finished", _("Finished")
    FAILED = "failed", _("Failed")


class ImportJob(models.Model):
    """One file, recognised by its digest, and how far it has been loaded."""

    kind = models.CharField(_("kind"), max_length=24)
    file_name = models.CharField(_("file"), max_length=200)
    digest = models.BinaryField(_("digest"), max_length=32)
    options = models.JSONField(_("options"), default=dict)
    state = models.CharField(
        _("state"), max_length=10, choices=ImportState, default=ImportState.RUNNING
    )
    position = models.BigIntegerField(_("rows done"), default=0)
    total = models.BigIntegerField(_("rows"), default=0)
    report = models.JSONField(_("report"), default=dict)
    started_at = models.DateTimeField(_("started at"))
    heartbeat_at = models.DateTimeField(_("last progress"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        indexes = [models.Index(fields=["kind", "digest"], name="import_digest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.file_name}"
