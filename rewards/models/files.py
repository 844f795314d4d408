"""Files that staff bring in and take out through the console."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class UploadKind(models.TextChoices):
    """What the rows of a file are."""

    MEMBERS = "members", _("Members")
    ORDERS = "orders", _("Orders")
    BALANCES = "balances", _("Opening balances")
    COUPONS = "coupons", _("Coupon codes")
    STOCK = "stock", _("Stock")
    PROSPECTS = "prospects", _("Prospects")


class UploadState(models.TextChoices):
    """How far a file has come: its columns are told, it is rehearsed, and then it is loaded."""

    UPLOADED = "uploaded", _("Uploaded")
    CHECKING = "checking", _("Being checked")
    CHECKED = "checked", _("Checked")
    LOADING = "loading", _("Being loaded")
    LOADED = "loaded", _("Loaded")
    FAILED = "failed", _("Failed")


AT_WORK = (UploadState.CHECKING, UploadState.LOADING)


class Upload(models.Model):
    """One file brought in by staff, and what a worker has made of it.

    `done` and `total` are of the phase it is in. Units: lines, or orders while orders are loaded.
    `stored` is where the file is kept; empty once it is forgotten.
    """

    kind = models.CharField(_("kind"), max_length=12, choices=UploadKind)
    file_name = models.CharField(_("file"), max_length=200)
    stored = models.CharField(_("kept as"), max_length=300, blank=True)
    mapping = models.JSONField(_("columns"), default=dict)
    coupon_template = models.ForeignKey(
        "rewards.CouponTemplate", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("coupon template"),
    )  # fmt: skip
    enrols = models.BooleanField(_("enrol unknown identifiers"), default=False)
    is_history = models.BooleanField(_("history: no gifts and no messages"), default=False)
    state = models.CharField(
        _("state"), max_length=8, choices=UploadState, default=UploadState.UPLOADED
    )
    done = models.PositiveBigIntegerField(_("rows done"), default=0)
    total = models.PositiveBigIntegerField(_("rows"), default=0)
    report = models.JSONField(_("report"), default=dict)
    error = models.CharField(_("error"), max_length=300, blank=True)
    uploaded_by = models.CharField(_("uploaded by"), max_length=80)
    uploaded_at = models.DateTimeField(_("uploaded at"))
    heartbeat_at = models.DateTimeField(_("last progress"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("uploaded file")
        verbose_name_plural = _("uploaded files")
        indexes = [
            models.Index(
                fields=["heartbeat_at"], condition=Q(state__in=["checking", "loading"]),
                name="upload_at_work",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.file_name


class ExportState(models.TextChoices):
    """How far an export has come."""

    REQUESTED = "requested", pgettext_lazy("export", "Requested")
    RUNNING = "running", _("Running")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")


class ExportFormat(models.TextChoices):
    """The formats that spreadsheets read."""

    CSV = "csv", "CSV"
    XLSX = "xlsx", "Excel (xlsx)"


class Export(models.Model):
    """One list taken out by staff: who, why, how many rows. The file is kept for some days."""

    kind = models.CharField(_("kind"), max_length=24)
    format = models.CharField(
        _("format"), max_length=4, choices=ExportFormat, default=ExportFormat.XLSX
    )
    language = models.CharField(_("language"), max_length=12)
    since_on = models.DateField(_("from"), null=True, blank=True)
    until_on = models.DateField(_("until"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=200)
    state = models.CharField(
        _("state"), max_length=9, choices=ExportState, default=ExportState.REQUESTED
    )
    rows = models.PositiveBigIntegerField(_("rows"), default=0)
    total = models.PositiveBigIntegerField(_("rows to write"), default=0)
    stored = models.CharField(_("kept as"), max_length=300, blank=True)
    downloads = models.PositiveIntegerField(_("downloads"), default=0)
    requested_by = models.CharField(_("requested by"), max_length=80)
    requested_at = models.DateTimeField(_("requested at"))
    heartbeat_at = models.DateTimeField(_("last progress"), null=True, blank=True)
    ready_at = models.DateTimeField(_("ready at"), null=True, blank=True)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")

    def __str__(self) -> str:
        return f"{self.kind} {self.requested_at:%Y-%m-%d}"
