"""Versions of the ladder: written as drafts, reviewed by a second person, then in force.

A version is met by members at its instant, so it may only begin where nobody has met the present:
tills may be some minutes ahead of the clock.

Source: TIR-06, TIR-13; design §4 (a version is frozen once effective).
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.errors import DomainError
from members.models import Approval
from members.services import drafts
from members.services.approvals import Change
from tiers import ladder_words, lint
from tiers.models import LadderDraft, LadderVersion, QualificationRule, TierTerm
from tiers.services.ladder_content import Content, Rows, content_of, rows_of
from tiers.services.ladders import load_ladder_book

PUBLISH: Final = "ladder.publish"
PUBLISH_PERMISSION: Final = "tiers.publish_ladder"
EDIT_PERMISSION: Final = "tiers.add_ladderversion"
MARGIN: Final = timedelta(minutes=10)
# One publication at a time: each is checked against all that is published.
PUBLICATION_LOCK: Final = 0x4C_41_44_52


class LadderDraftError(DomainError):
    """A draft of the ladder cannot be changed, sent or published like this."""


def in_force(at: datetime) -> LadderVersion | None:
    """Return the version that holds at an instant."""
    rows = LadderVersion.objects.order_by("-effective_from", "-number")
    dated = rows.filter(effective_from__lte=at).first()
    return dated or rows.filter(effective_from=None).first()


def begin(at: datetime) -> dict[str, Any]:
    """Return what a new draft says at first: what the version in force says.

    Raises: LadderDraftError where there is no ladder yet.
    """
    base = in_force(at)
    if base is None:
        raise LadderDraftError("no_ladder", _("There is no ladder yet: load a preset."), 409)
    return content_of(base)


@transaction.atomic
def create(
    *, name: str, content: Content, starts_at: datetime | None, actor: str, at: datetime
) -> LadderDraft:
    """Write a new draft.

    Raises: LadderContentError, LadderError.
    """
    rows_of(content).ladder()
    return LadderDraft.objects.create(
        name=name, content=dict(content), starts_at=starts_at, created_by=actor, created_at=at,
        changed_at=at,
    )  # fmt: skip


@transaction.atomic
def save(
    *,
    draft_id: int,
    name: str,
    content: Content,
    starts_at: datetime | None,
    actor: str,
    at: datetime,
) -> LadderDraft:
    """Change a draft; one that is in review is taken back from it.

    Raises: LadderDraftError where it is published; LadderContentError, LadderError.
    """
    draft = locked(draft_id)
    before = said(draft)
    rows_of(content).ladder()
    draft.name, draft.content, draft.starts_at = name, dict(content), starts_at
    draft.changed_at = at
    draft.save(update_fields=["name", "content", "starts_at", "changed_at"])
    if said(draft) != before:
        drafts.withdraw(kind=PUBLISH, draft_id=draft.pk, actor=actor, at=at)
    return draft


@transaction.atomic
def discard(*, draft_id: int, actor: str, at: datetime) -> None:
    """Throw a draft away. Raises: LadderDraftError where it is published."""
    draft = locked(draft_id)
    drafts.withdraw(kind=PUBLISH, draft_id=draft.pk, actor=actor, at=at)
    draft.delete()


@transaction.atomic
def withdraw(*, draft_id: int, actor: str, at: datetime) -> None:
    """Take a draft back from review. Raises: DraftError where it is not there."""
    locked(draft_id)
    if drafts.withdraw(kind=PUBLISH, draft_id=draft_id, actor=actor, at=at) is None:
        raise drafts.DraftError("draft_not_in_review", _("This draft is not in review."), 409)


@transaction.atomic
def submit(*, draft_id: int, reason: str, actor: str, at: datetime) -> Approval:
    """Send a draft for review as it stands.

    Raises: LadderDraftError, LadderContentError, LadderError, DraftError, ApprovalError.
    """
    draft = locked(draft_id)
    rows = rows_of(draft.content)
    rows.ladder()
    _check_order(rows)
    _begins(draft, at)
    return drafts.submit(
        kind=PUBLISH, draft_id=draft.pk, content=said(draft), reason=reason, actor=actor, at=at
    )


@transaction.atomic
def publish(approval: Approval, at: datetime) -> LadderVersion:
    """Write the version that a draft stands for, in force from its instant on.

    Raises: LadderDraftError, DraftChangedError, LadderError.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PUBLICATION_LOCK])
    draft = locked(int(approval.payload[drafts.SUBJECT]))
    drafts.check_unchanged(approval, said(draft))
    last = LadderVersion.objects.aggregate(last=Max("number"))["last"] or 0
    rows = rows_of(draft.content, number=last + 1)
    _check_order(rows)
    rows.version.effective_from = _begins(draft, at)
    rows.version.save(force_insert=True)
    TierTerm.objects.bulk_create(rows.terms)
    QualificationRule.objects.bulk_create(rows.rules)
    load_ladder_book()
    draft.published = rows.version
    draft.save(update_fields=["published"])
    return rows.version


def said(draft: LadderDraft) -> dict[str, Any]:
    """Return all that would be published, as plain JSON: what a review is about."""
    starts = draft.starts_at
    return {
        **draft.content,
        "starts": None if starts is None else starts.astimezone(UTC).isoformat(),
    }


def effects(approval: Approval, at: datetime) -> Sequence[Change]:
    """Return what publishing a draft would change against the version before it."""
    draft = LadderDraft.objects.filter(pk=approval.payload[drafts.SUBJECT]).first()
    return () if draft is None else changes(draft, at)


def changes(draft: LadderDraft, at: datetime) -> Sequence[Change]:
    """Return in what a draft differs from the version in force, for people."""
    base = in_force(at)
    before = None if base is None else ladder_words.facets(rows_of(content_of(base)))
    return drafts.changes(before, ladder_words.facets(rows_of(draft.content)))


def difference(version: LadderVersion) -> Sequence[Change]:
    """Return in what a version differs from the one before it, for people; nothing of the first."""
    before = LadderVersion.objects.filter(number__lt=version.number).order_by("-number").first()
    if before is None:
        return ()
    old, new = (ladder_words.facets(rows_of(content_of(each))) for each in (before, version))
    return drafts.changes(old, new)


def pending(draft_ids: Collection[int]) -> dict[int, Approval]:
    """Return the open request of each of these drafts that has one."""
    return drafts.pending(kind=PUBLISH, draft_ids=draft_ids)


def locked(draft_id: int) -> LadderDraft:
    """Return a draft, locked.

    Raises: LadderDraftError where it is gone or published.
    """
    draft = LadderDraft.objects.select_for_update(no_key=True).filter(pk=draft_id).first()
    if draft is None:
        raise LadderDraftError("draft_gone", _("This draft has been thrown away."), 404)
    if draft.published_id is not None:
        raise LadderDraftError(
            "version_frozen", _("A published version never changes: make a new draft of it."), 409
        )
    return draft


def _check_order(rows: Rows) -> None:
    """Refuse a ladder in which a higher tier asks for no more than a lower one."""
    found = list(lint.not_increasing(rows.rules))
    if found:
        raise LadderDraftError("thresholds_not_increasing", " ".join(found))


def _begins(draft: LadderDraft, at: datetime) -> datetime:
    """Return when a draft takes effect if it is approved now.

    Raises: LadderDraftError where that is over, or a later version is published already.
    """
    midnight = clock.day_start(clock.local_day(at + MARGIN) + timedelta(days=1))
    begins = draft.starts_at or midnight
    if begins < at + MARGIN:
        raise LadderDraftError(
            "ladder_start_passed", _("It has to take effect at least ten minutes from now."), 409
        )
    if LadderVersion.objects.filter(effective_from__gte=begins).exists():
        raise LadderDraftError(
            "later_version_published", _("A version that begins later is published already."), 409
        )
    return begins
