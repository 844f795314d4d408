"""Tiers set by staff for a time (人工定级), always by two people."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.models import Approval, Member, MemberStatus
from members.services import approvals, events
from tiers.models import StandingOverride, Tier
from tiers.services.following import follow_tiers

APPROVAL_KIND = "tier_override"


class OverrideError(DomainError):
    """A tier cannot be set, or not by these people."""


@dataclass(frozen=True, slots=True)
class OverrideTerms:
    """Which tier a member gets, until when, and why."""

    member_id: int
    tier_id: int
    until_at: datetime
    reason: str


def request_override(*, terms: OverrideTerms, actor: str, at: datetime) -> Approval:
    """Ask for a tier override; nothing changes before a second person agrees.

    Raises: OverrideError, ApprovalError.
    Source: TIR-11.
    """
    _check_terms(terms, at)
    tier = Tier.objects.get(pk=terms.tier_id)
    return approvals.request(
        kind=APPROVAL_KIND,
        member_id=terms.member_id,
        payload={
            "tier": tier.code,
            "name_zh": tier.name_zh,
            "name_en": tier.name_en,
            "until_at": terms.until_at.isoformat(),
        },
        reason=terms.reason,
        actor=actor,
        at=at,
    )


@transaction.atomic
def set_override(
    *, terms: OverrideTerms, actor: str, approver: str, at: datetime
) -> StandingOverride:
    """Set a member's tier until an instant; an override that still runs ends with it.

    The computed standing goes on underneath and counts again afterwards.

    Raises: OverrideError where the two people are one, no reason is given, the end is past, or
    the member stands for nobody.
    Source: TIR-11.
    """
    _check_terms(terms, at)
    if actor == approver:
        raise OverrideError("four_eyes", _("A second person has to agree."), status=403)
    member = Member.objects.select_for_update(no_key=True).get(pk=terms.member_id)
    _check_living(member)
    running = StandingOverride.objects.filter(
        member=member, is_floor=False, revoked_at__isnull=True, until_at__gt=at
    )
    running.update(revoked_at=at, follow_at=None)
    override = StandingOverride.objects.create(
        member=member,
        tier_id=terms.tier_id,
        from_at=at,
        until_at=terms.until_at,
        reason=terms.reason.strip(),
        set_by=actor,
        approved_by=approver,
        created_at=at,
        follow_at=terms.until_at,
    )
    _append_event(override, at=at, actor=approver)
    follow_tiers(members=[member.pk], at=at, actor=approver)
    return override


@transaction.atomic
def revoke_override(*, override_id: int, actor: str, at: datetime) -> StandingOverride:
    """End an override before its time; the computed standing counts again.

    Raises: OverrideError where it has ended already.
    """
    member = StandingOverride.objects.values_list("member_id", flat=True).get(pk=override_id)
    Member.objects.select_for_update(no_key=True).get(pk=member)
    override = StandingOverride.objects.select_related("tier").get(pk=override_id)
    if override.revoked_at is not None or override.until_at <= at:
        raise OverrideError("override_ended", _("This override has ended."), status=409)
    override.revoked_at, override.follow_at = at, None
    override.save(update_fields=["revoked_at", "follow_at"])
    _append_event(override, at=at, actor=actor)
    follow_tiers(members=[member], at=at, actor=actor)
    return override


def execute_approved(approval: Approval, at: datetime) -> None:
    """Carry out an approved request for an override.

    Raises: OverrideError.
    """
    if approval.member_id is None:
        raise OverrideError("member_required", _("The request names no member."))
    terms = OverrideTerms(
        member_id=approval.member_id,
        tier_id=Tier.objects.get(code=approval.payload["tier"]).pk,
        until_at=datetime.fromisoformat(approval.payload["until_at"]),
        reason=approval.reason,
    )
    set_override(terms=terms, actor=approval.requested_by, approver=approval.decided_by, at=at)


def _check_terms(terms: OverrideTerms, at: datetime) -> None:
    if not terms.reason.strip():
        raise OverrideError("reason_required", _("A reason is required."))
    if terms.until_at <= at:
        raise OverrideError("override_end_past", _("The end has to be in the future."))


def _check_living(member: Member) -> None:
    if member.status in {MemberStatus.ERASED, MemberStatus.MERGED}:
        raise OverrideError("member_gone", _("This member has been merged or erased."), status=409)


def _append_event(override: StandingOverride, *, at: datetime, actor: str) -> None:
    events.append(
        [
            events.NewEvent(
                member_id=override.member_id,
                kind="tier.override",
                occurred_at=at,
                recorded_at=at,
                payload={
                    "tier": override.tier.code,
                    "until": override.until_at.isoformat(),
                    "revoked": override.revoked_at is not None,
                },
                caused_by=actor,
            )
        ]
    )
