"""From draft to force: what somebody wrote takes effect as it stood when another one agreed.

Shared by all that is published in versions: earning rules, gifts, ladders, templates. Who owns the
versions says what one holds (`content`, plain JSON) and what publishing does; this keeps the
request, so that a draft which changed after it was sent has to be sent again.

Source: TIR-13, PTS-04.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.models import Approval
from members.models.staff import ApprovalState
from members.services import approvals
from members.services.approvals import Change

SUBJECT: Final = "draft"

Facets = Sequence[tuple[str, str]]
"""What a version says, part by part, for people: (what, text)."""


class DraftError(DomainError):
    """A draft cannot be sent, taken back or published."""


class DraftChangedError(DraftError):
    """The draft no longer says what was sent for review."""

    def __init__(self) -> None:
        super().__init__(
            "draft_changed",
            _("The draft has changed since it was sent for review; it has to be sent again."),
            409,
        )


def digest(content: Mapping[str, Any]) -> str:
    """Return the fingerprint of what a draft says."""
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


@transaction.atomic
def submit(
    *,
    kind: str,
    draft_id: int,
    content: Mapping[str, Any],
    reason: str,
    actor: str,
    at: datetime,
) -> Approval:
    """Send a draft for review as it stands; the caller has locked it.

    Raises: DraftError where it waits already; ApprovalError.
    """
    if pending(kind=kind, draft_ids=[draft_id]):
        raise DraftError("draft_in_review", _("This draft is in review already."), 409)
    payload = {SUBJECT: draft_id, "digest": digest(content), "content": dict(content)}
    return approvals.request(
        kind=kind, member_id=None, payload=payload, reason=reason, actor=actor, at=at
    )


def pending(*, kind: str, draft_ids: Collection[int]) -> dict[int, Approval]:
    """Return the open request of each of these drafts that has one."""
    found = Approval.objects.filter(
        kind=kind, state=ApprovalState.REQUESTED, payload__draft__in=list(draft_ids)
    )
    return {int(approval.payload[SUBJECT]): approval for approval in found}


@transaction.atomic
def withdraw(*, kind: str, draft_id: int, actor: str, at: datetime) -> Approval | None:
    """Take a draft back from review, if it is there: by who sent it, or whoever edits it."""
    approval = (
        Approval.objects.select_for_update(no_key=True)
        .filter(kind=kind, state=ApprovalState.REQUESTED, payload__draft=draft_id)
        .first()
    )
    if approval is None:
        return None
    approval.state = ApprovalState.WITHDRAWN
    approval.decided_by = actor
    approval.decided_at = at
    approval.save(update_fields=["state", "decided_by", "decided_at"])
    return approval


def check_unchanged(approval: Approval, content: Mapping[str, Any]) -> None:
    """Refuse to publish anything but what was sent for review.

    Raises: DraftChangedError.
    """
    if digest(content) != approval.payload["digest"]:
        raise DraftChangedError


def changes(before: Facets | None, after: Facets | None) -> list[Change]:
    """Return the parts in which two versions differ; None says nothing at all."""
    old, new = dict(before or ()), dict(after or ())
    names = dict.fromkeys([*new, *old])
    return [
        Change(name, old.get(name, ""), new.get(name, ""))
        for name in names
        if old.get(name, "") != new.get(name, "")
    ]
