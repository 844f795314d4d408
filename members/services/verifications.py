"""Enrolments that wait until somebody says whether a phone is still the same person's.

Kept sealed, each under a key of its own: it belongs to no member yet.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.domain import sealing
from members.domain.public_id import new_public_id
from members.models import Channel, Touchpoint, Verification
from members.services import crypto

LIFETIME: Final = timedelta(hours=24)
FORGET_AFTER: Final = timedelta(days=30)
_FIELD: Final = "enrolment"


class VerificationNotFoundError(DomainError):
    """No verification of this touchpoint has this id."""

    def __init__(self) -> None:
        super().__init__("verification_not_found", _("There is no such verification."), 404)


class VerificationClosedError(DomainError):
    """The question was answered, has waited for too long, or does not arise any more."""

    def __init__(self) -> None:
        super().__init__("verification_closed", _("The verification is over."), 409)


def keep(
    *,
    member: int,
    phone_hash: bytes,
    content: dict[str, Any],
    touchpoint: Touchpoint,
    at: datetime,
) -> UUID:
    """Keep what was sent until it is known whose the phone is; an earlier question of it ends."""
    asked = Verification.objects.filter(
        member_id=member, phone_hash=phone_hash, touchpoint=touchpoint, resolved_at__isnull=True
    )
    asked.delete()
    public_id = new_public_id(at)
    data_key, wrapped = crypto.new_key(public_id)
    Verification.objects.create(
        public_id=public_id,
        member_id=member,
        touchpoint=touchpoint,
        phone_hash=phone_hash,
        wrapped=wrapped.wrapped,
        master_version=wrapped.master_version,
        sealed=sealing.seal(data_key, orjson.dumps(content), public_id, _FIELD),
        made_at=at,
        expires_at=at + LIFETIME,
    )
    return public_id


def take(
    *, public_id: UUID, same_person: bool, touchpoint: Touchpoint, at: datetime
) -> tuple[Verification, dict[str, Any]]:
    """Close a verification with its answer; return it and what was sent, which is forgotten.

    In the caller's transaction, so that an answer that cannot be carried out closes nothing. The
    touchpoint that asked may answer, and customer service.
    Raises: VerificationNotFoundError, VerificationClosedError.
    """
    rows = Verification.objects.select_for_update(of=("self",), no_key=True)
    row = rows.select_related("touchpoint").filter(public_id=public_id).first()
    may_answer = row is not None and (
        row.touchpoint_id == touchpoint.pk or touchpoint.channel == Channel.CS
    )
    if row is None or not may_answer:
        raise VerificationNotFoundError
    if row.resolved_at is not None or row.expires_at <= at:
        raise VerificationClosedError
    key = crypto.keyring().of(row.master_version)
    data_key = sealing.unwrap(key, bytes(row.wrapped or b""), public_id)
    content = sealing.unseal(data_key, bytes(row.sealed or b""), public_id, _FIELD)
    row.wrapped = row.sealed = None
    row.resolved_at, row.same_person = at, same_person
    row.save(update_fields=["wrapped", "sealed", "resolved_at", "same_person"])
    return row, orjson.loads(content)


def forget_old(*, at: datetime, limit: int) -> int:
    """Delete unanswered verifications that are over, and all old ones; return how many."""
    over = Verification.objects.filter(expires_at__lt=at).order_by("expires_at")
    unanswered = over.filter(resolved_at__isnull=True)
    old = over.filter(expires_at__lt=at - FORGET_AFTER)
    ids = list((unanswered | old).values_list("pk", flat=True)[:limit])
    count, _details = Verification.objects.filter(pk__in=ids).delete()
    return count
