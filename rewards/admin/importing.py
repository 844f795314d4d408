"""Bulk imports."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from config.base.admin import formats
from config.base.admin.decorators import labelled
from config.base.admin.options import ReadOnlyAdmin
from rewards.models import ImportJob


@admin.register(ImportJob)
class ImportJobAdmin(ReadOnlyAdmin):
    """Files and how far they have been loaded."""

    list_display = ("file_name", "kind", "state_label", "progress", "started_at", "finished_at")
    list_filter = ("state",)

    @labelled(_("state"), {"running": "info", "finished": "success", "failed": "danger"})
    def state_label(self, job: ImportJob) -> tuple[str, str]:
        """Return where the import stands, with its colour."""
        return job.state, job.get_state_display()

    @admin.display(description=_("rows"))
    def progress(self, job: ImportJob) -> str:
        """Return the rows done of all rows."""
        return f"{formats.points(job.position)} / {formats.points(job.total)}"
