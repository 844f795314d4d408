"""Models of the site itself."""

import hashlib
import re
import secrets
from typing import ClassVar

from django.contrib.auth.models import Group
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device, ThrottlingMixin


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


class ActSource(models.TextChoices):
    """How somebody came in who acted."""

    CONSOLE = "console", _("Console")
    COMMAND = "command", _("Command line")
    SHELL = "shell", _("Shell")
    API = "api", _("API")


class ActOperation(models.TextChoices):
    """What an act did: something as a whole, or one row that it changed."""

    ACT = "act", _("Act")
    INSERT = "insert", _("Added")
    UPDATE = "update", _("Changed")
    DELETE = "delete", _("Removed")


class StaffAct(models.Model):
    """One thing that a member of staff did, or one row that it changed.

    The database writes these rows: `config/sql/staff_acts.sql` numbers and chains them, triggers on
    the tables that staff can change add one per changed row, and `config.base.acts` adds one per
    request or command. Personal and secret columns are left out; who is meant is in `member_id`.

    Source: MEM-10, LEG-09.
    """

    append_only = True

    seq = models.BigIntegerField(_("number"), primary_key=True)
    at = models.DateTimeField(_("at"))
    actor = models.CharField(_("actor"), max_length=64)
    roles = models.CharField(_("roles"), max_length=200, blank=True)
    source = models.CharField(_("source"), max_length=8, choices=ActSource)
    address = models.CharField(_("address"), max_length=45, blank=True)
    act = models.CharField(_("act"), max_length=100)
    operation = models.CharField(_("operation"), max_length=6, choices=ActOperation)
    table = models.CharField(_("table"), max_length=63, blank=True)
    row_id = models.CharField(_("row"), max_length=64, blank=True)
    # No key: the row outlives the member.
    member_id = models.BigIntegerField(_("member"), null=True, blank=True)
    before = models.JSONField(_("before"), null=True, blank=True)
    after = models.JSONField(_("after"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    approval_id = models.BigIntegerField(_("approval"), null=True, blank=True)
    prev_hash = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        verbose_name = _("staff act")
        verbose_name_plural = _("staff acts")
        indexes = [
            models.Index(fields=["at"], name="staff_act_at"),
            models.Index(fields=["actor", "-seq"], name="staff_act_actor"),
            models.Index(fields=["act", "-seq"], name="staff_act_act"),
            models.Index(fields=["table", "row_id", "-seq"], name="staff_act_row"),
            models.Index(
                fields=["member_id", "-seq"],
                condition=models.Q(member_id__isnull=False),
                name="staff_act_member",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.act}"


class StaffActHead(models.Model):
    """One row: the last act's number and hash, so that acts lost at the end are missed."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    seq = models.BigIntegerField(_("number"))
    hash = models.BinaryField()

    class Meta:
        verbose_name = _("head of staff acts")
        verbose_name_plural = _("head of staff acts")
        constraints = [
            models.CheckConstraint(name="staff_act_head_one_row", condition=models.Q(id=1)),
        ]

    def __str__(self) -> str:
        return str(self.seq)


class StaffActAnchor(models.Model):
    """Where the chain of acts stood at an instant; the same stands in the log, out of reach."""

    append_only = True

    seq = models.BigIntegerField(_("number"), primary_key=True)
    at = models.DateTimeField(_("at"))
    hash = models.BinaryField()

    class Meta:
        verbose_name = _("anchor of staff acts")
        verbose_name_plural = _("anchors of staff acts")

    def __str__(self) -> str:
        return str(self.seq)


class RoleSafety(models.Model):
    """Whether the people of a role have to log in with a second factor.

    Source: MEM-10.
    """

    group = models.OneToOneField(
        Group, models.CASCADE, related_name="safety", verbose_name=_("group")
    )
    requires_second_factor = models.BooleanField(_("requires a second factor"), default=True)

    class Meta:
        verbose_name = _("role safety")
        verbose_name_plural = _("role safety")

    def __str__(self) -> str:
        return str(self.group)


class RecoverySheet(ThrottlingMixin, Device):  # type: ignore[misc]  # no types there
    """The recovery codes of a member of staff: shown once, kept as hashes, each good once."""

    CODES: ClassVar = 10
    CODE_BYTES: ClassVar = 10

    hashes = ArrayField(models.BinaryField(), verbose_name=_("codes left"), default=list)

    class Meta:
        verbose_name = _("recovery sheet")
        verbose_name_plural = _("recovery sheets")
        constraints = [models.UniqueConstraint(fields=["user"], name="recovery_sheet_once")]

    def __str__(self) -> str:
        return str(self.user)

    def renew(self) -> list[str]:
        """Replace all codes and return the new ones. They have 80 bits: a plain hash is enough."""
        codes = [secrets.token_hex(self.CODE_BYTES) for _place in range(self.CODES)]
        self.hashes = [self._digest(code) for code in codes]
        self.throttle_reset(commit=False)
        self.save()
        return ["-".join(re.findall(".{5}", code)) for code in codes]

    def verify_token(self, token: str) -> bool:
        """Tell whether it is one of the codes, and use it up. Call it with the row locked."""
        is_allowed, _why = self.verify_is_allowed()
        digest = self._digest(token)
        left = [bytes(found) for found in self.hashes if bytes(found) != digest]
        if not is_allowed or len(left) == len(self.hashes):
            if is_allowed:
                self.throttle_increment()
            return False
        self.hashes = left
        self.throttle_reset(commit=False)
        self.save()
        return True

    def get_throttle_factor(self) -> int:
        """Return the seconds to wait after the first wrong code; they double with each."""
        return 1

    @staticmethod
    def _digest(code: str) -> bytes:
        return hashlib.sha256(re.sub(r"[^0-9a-f]", "", code.lower()).encode()).digest()
