"""What shows that a member is there, or that a phone is theirs. All of it lives for minutes."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class MemberCode(models.Model):
    """A code that a member shows at a till: used once, within a minute. Only its hash is kept."""

    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="codes", verbose_name=_("member")
    )
    code_hash = models.BinaryField(_("code hash"), unique=True, max_length=32)
    made_at = models.DateTimeField(_("made at"))
    expires_at = models.DateTimeField(_("expires at"))
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)

    class Meta:
        verbose_name = _("member code")
        verbose_name_plural = _("member codes")
        constraints = [
            models.CheckConstraint(
                condition=Q(used_at__isnull=True) | Q(used_at__lt=F("expires_at")),
                name="member_code_used_in_time",
            )
        ]
        indexes = [models.Index(fields=["expires_at"], name="member_code_expires")]

    def __str__(self) -> str:
        return f"{self.member_id}"


class OneTimePassword(models.Model):
    """Digits sent to a member, to be repeated within minutes and few tries. Only a hash is kept.

    A try is counted before it is looked at, and stays counted when the command is refused.
    """

    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="one_time_passwords",
        verbose_name=_("member"),
    )  # fmt: skip
    code_hash = models.BinaryField(_("code hash"), max_length=32)
    channel = models.CharField(_("sent by"), max_length=16)
    made_at = models.DateTimeField(_("made at"))
    expires_at = models.DateTimeField(_("expires at"))
    tries = models.PositiveIntegerField(_("tries"), default=0)
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)

    class Meta:
        verbose_name = _("one-time password")
        verbose_name_plural = _("one-time passwords")
        indexes = [
            models.Index(fields=["member", "made_at"], name="otp_member_made"),
            models.Index(fields=["expires_at"], name="otp_expires"),
        ]

    def __str__(self) -> str:
        return f"{self.member_id}"


class Verification(models.Model):
    """An enrolment that waits until somebody says whether a phone still is the same person's.

    What was sent is sealed under a key of its own, which goes when the question is answered or has
    waited for too long.
    """

    public_id = models.UUIDField(_("verification id"), unique=True, editable=False)
    member = models.ForeignKey(
        "members.Member", models.PROTECT, related_name="verifications", verbose_name=_("member")
    )
    touchpoint = models.ForeignKey(
        "members.Touchpoint", models.PROTECT, verbose_name=_("touchpoint")
    )
    phone_hash = models.BinaryField(_("phone hash"))
    wrapped = models.BinaryField(_("wrapped key"), null=True, blank=True)
    master_version = models.PositiveSmallIntegerField(_("master key version"))
    sealed = models.BinaryField(_("sealed values"), null=True, blank=True)
    made_at = models.DateTimeField(_("made at"))
    expires_at = models.DateTimeField(_("expires at"))
    resolved_at = models.DateTimeField(_("resolved at"), null=True, blank=True)
    same_person = models.BooleanField(_("same person"), null=True, blank=True)

    class Meta:
        verbose_name = _("phone verification")
        verbose_name_plural = _("phone verifications")
        constraints = [
            models.CheckConstraint(
                condition=Q(resolved_at__isnull=True, same_person__isnull=True)
                | Q(resolved_at__isnull=False, same_person__isnull=False),
                name="verification_resolved_with_answer",
            ),
            models.CheckConstraint(
                condition=Q(resolved_at__isnull=True)
                | Q(wrapped__isnull=True, sealed__isnull=True),
                name="verification_resolved_forgets",
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="verification_expires")]

    def __str__(self) -> str:
        return f"{self.public_id}"
