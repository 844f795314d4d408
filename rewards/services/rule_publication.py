"""Publish and end versions of earning rules, once two people agree.

A version holds by the instant of the purchase, so it may only begin or end where no purchase can
have been decided yet: tills may be some minutes ahead of the clock.

Source: design §5.1 (2), (3), §5.3 (2); PTS-04.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models import Approval
from members.services import drafts
from members.services.approvals import Change
from rewards import rule_words
from rewards.domain.evaluation import compile_rulebook
from rewards.domain.receipt import FUTURE_TOLERANCE
from rewards.models import RuleVersion
from rewards.models.rule import RuleState
from rewards.services.programme import rule_spec
from rewards.services.rule_drafts import RuleDraftError, content, locked

# One publication at a time: each is checked against all that is published.
PUBLICATION_LOCK: Final = 0x52_55_4C_45
_WHOLE: Final = timedelta(minutes=1)


def earliest(at: datetime) -> datetime:
    """Return the first whole minute that no purchase decided by now can lie in."""
    after = at + FUTURE_TOLERANCE + 2 * _WHOLE
    return after.replace(second=0, microsecond=0)


@transaction.atomic
def publish(approval: Approval, at: datetime) -> None:
    """Put a draft in force as it was sent for review; the version before it ends there.

    Raises: RuleDraftError, DraftChangedError, RuleError where it contradicts what is published.
    """
    _alone()
    draft = locked(int(approval.payload[drafts.SUBJECT]))
    drafts.check_unchanged(approval, content(draft))
    put_in_force(draft=draft, at=at)


@transaction.atomic
def put_in_force(*, draft: RuleVersion, at: datetime) -> None:
    """Let a draft begin, that somebody has agreed to; the version before it ends there.

    Raises: RuleDraftError, RuleError where it contradicts what is published.
    """
    _alone()
    begins = max(draft.valid_from or at, earliest(at))
    if draft.valid_until is not None and draft.valid_until <= begins:
        raise RuleDraftError("rule_already_over", _("The period of this draft is over already."))
    _make_room(draft, begins)
    draft.state, draft.valid_from = RuleState.ACTIVE, begins
    draft.save(update_fields=["state", "valid_from"])
    _check_all()


@transaction.atomic
def end(approval: Approval, at: datetime) -> None:
    """End a version; one that has not begun goes back to being a draft.

    Raises: RuleDraftError where it is over already.
    """
    _alone()
    version = RuleVersion.objects.select_for_update(no_key=True).get(
        pk=approval.payload[drafts.SUBJECT]
    )
    asked = approval.payload["until"]
    until = max(datetime.fromisoformat(asked) if asked else at, earliest(at))
    let_end(version=version, until=until)


def let_end(*, version: RuleVersion, until: datetime) -> None:
    """Let a version end, not before `earliest`; one that has not begun is a draft again.

    Raises: RuleDraftError where it is over already.
    """
    is_over = version.valid_until is not None and version.valid_until <= until
    if version.state != RuleState.ACTIVE or is_over:
        raise RuleDraftError("version_not_in_force", _("This version ends before that."), 409)
    if version.valid_from is not None and version.valid_from >= until:
        version.state = RuleState.DRAFT
        version.save(update_fields=["state"])
        return
    version.valid_until = until
    version.save(update_fields=["valid_until"])


def in_force(rule_id: int, at: datetime) -> RuleVersion | None:
    """Return the version of a rule that holds at an instant."""
    active = RuleVersion.objects.filter(rule_id=rule_id, state=RuleState.ACTIVE)
    holding = (v for v in active.select_related("rule") if _holds(v, at))
    return next(holding, None)


def effects(approval: Approval, at: datetime, labels: rule_words.Labels) -> Sequence[Change]:
    """Return what publishing a draft, or ending a version, would change."""
    version = RuleVersion.objects.select_related("rule").filter(
        pk=approval.payload[drafts.SUBJECT]
    ).first()  # fmt: skip
    if version is None:
        return ()
    before = version if _is_end(approval) else in_force(version.rule_id, at)
    after = None if _is_end(approval) else version
    return [
        Change(gettext("In words"), _sentence(before, labels), _sentence(after, labels)),
        *drafts.changes(_facets(before, labels), _facets(after, labels)),
    ]


def _is_end(approval: Approval) -> bool:
    return "digest" not in approval.payload


def _sentence(version: RuleVersion | None, labels: rule_words.Labels) -> str:
    return "" if version is None else rule_words.sentence(version, labels)


def _facets(version: RuleVersion | None, labels: rule_words.Labels) -> drafts.Facets | None:
    return None if version is None else rule_words.facets(version, labels)


def _alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PUBLICATION_LOCK])


def _make_room(draft: RuleVersion, begins: datetime) -> None:
    """End what holds of the same rule where the draft begins.

    Raises: RuleDraftError where a later version is already published for the draft's period.
    """
    active = RuleVersion.objects.filter(rule_id=draft.rule_id, state=RuleState.ACTIVE)
    for version in active.select_for_update(no_key=True).order_by("id"):
        if version.valid_until is not None and version.valid_until <= begins:
            continue
        if version.valid_from is None or version.valid_from < begins:
            version.valid_until = begins
            version.save(update_fields=["valid_until"])
        elif draft.valid_until is None or version.valid_from < draft.valid_until:
            raise RuleDraftError(
                "later_version_published",
                _("A later version of this rule is published already: let it end first."),
                409,
                version=version.number,
            )


def _check_all() -> None:
    """Refuse what would leave the programme undecidable: every order would fail.

    Raises: RuleError, ConditionError.
    """
    active = RuleVersion.objects.filter(state=RuleState.ACTIVE).select_related("rule")
    compile_rulebook([rule_spec(version) for version in active])


def _holds(version: RuleVersion, at: datetime) -> bool:
    begun = version.valid_from is None or version.valid_from <= at
    return begun and (version.valid_until is None or at < version.valid_until)
