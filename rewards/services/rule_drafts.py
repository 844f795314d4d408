"""Drafts of earning rules: written, copied, sent for review, taken back. Only drafts change.

Source: PTS-04, PTS-06; design §4 (a version is frozen once active).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.db.models import Max
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.models import Approval
from members.services import approvals, drafts
from rewards.models import Rule, RuleVersion
from rewards.models.rule import RuleState
from rewards.services.programme import rule_spec

PUBLISH: Final = "rule.publish"
RETIRE: Final = "rule.retire"
PUBLISH_PERMISSION: Final = "rewards.publish_rule"
EDIT_PERMISSION: Final = "rewards.add_ruleversion"
CODE_LENGTH: Final = 40

_DECIMALS: Final = frozenset({"per_amount", "factor"})
TERMS: Final = (
    "trigger", "valid_from", "valid_until", "conditions", "line_conditions", "effect", "points",
    "per_amount", "factor", "factor_source", "max_points", "group", "group_mode", "priority",
    "cap_points", "cap_period",
)  # fmt: skip


class RuleDraftError(DomainError):
    """A rule cannot be changed in this way."""


@dataclass(frozen=True, slots=True)
class RuleNames:
    """What a rule is called on receipts and statements."""

    zh: str
    en: str


def terms_of(version: RuleVersion) -> dict[str, Any]:
    """Return what a version says, as its columns hold it."""
    return {name: getattr(version, name) for name in TERMS}


def content(version: RuleVersion) -> dict[str, Any]:
    """Return all that would be published, as plain JSON: what a review is about."""
    terms = {name: _plain(name, value) for name, value in terms_of(version).items()}
    rule = version.rule
    return {"rule": rule.code, "name_zh": rule.name_zh, "name_en": rule.name_en, **terms}


def _plain(name: str, value: Any) -> Any:
    """Return what a column says, the same whether it was stored yet or not."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return f"{Decimal(value).normalize():f}" if name in _DECIMALS else value


@transaction.atomic
def create(*, names: RuleNames, terms: Mapping[str, Any], actor: str, at: datetime) -> RuleVersion:
    """Write the first draft of a new rule.

    Raises: ConditionError, RuleError.
    """
    rule = Rule.objects.create(code=_free_code(names.en), name_zh=names.zh, name_en=names.en)
    return _write(RuleVersion(rule=rule, number=1), terms, actor, at)


@transaction.atomic
def copy(*, version_id: int, actor: str, at: datetime) -> RuleVersion:
    """Write a new draft that says what a version says; it begins when it is published."""
    said = RuleVersion.objects.select_related("rule").get(pk=version_id)
    Rule.objects.select_for_update(no_key=True).get(pk=said.rule_id)
    last = said.rule.versions.aggregate(last=Max("number"))["last"] or 0
    terms = {**terms_of(said), "valid_from": None}
    if said.valid_until is not None and said.valid_until <= at:
        terms["valid_until"] = None
    return _write(RuleVersion(rule=said.rule, number=last + 1), terms, actor, at)


@transaction.atomic
def save(
    *, draft_id: int, names: RuleNames, terms: Mapping[str, Any], actor: str, at: datetime
) -> RuleVersion:
    """Change a draft; one that is in review is taken back from it.

    The names can change until something of the rule has been published.
    Raises: RuleDraftError where it is no draft; ConditionError, RuleError.
    """
    draft = locked(draft_id)
    before = content(draft)
    for name, value in terms.items():
        setattr(draft, name, value)
    if not draft.rule.versions.filter(state=RuleState.ACTIVE).exists():
        draft.rule.name_zh, draft.rule.name_en = names.zh, names.en
        draft.rule.save(update_fields=["name_zh", "name_en"])
    rule_spec(draft)
    draft.save(update_fields=list(terms))
    if content(draft) != before:
        drafts.withdraw(kind=PUBLISH, draft_id=draft.pk, actor=actor, at=at)
    return draft


@transaction.atomic
def discard(*, draft_id: int, actor: str, at: datetime) -> None:
    """Throw a draft away, and its rule with it if that never said anything else.

    Raises: RuleDraftError where it is no draft.
    """
    draft = locked(draft_id)
    drafts.withdraw(kind=PUBLISH, draft_id=draft.pk, actor=actor, at=at)
    draft.delete()
    if not draft.rule.versions.exists():
        draft.rule.delete()


@transaction.atomic
def submit(*, draft_id: int, reason: str, actor: str, at: datetime) -> Approval:
    """Send a draft for review as it stands.

    Raises: RuleDraftError where it is no draft; DraftError, ApprovalError, RuleError.
    """
    draft = locked(draft_id)
    if draft.valid_until is not None and draft.valid_until <= at:
        raise RuleDraftError("rule_already_over", _("The period of this draft is over already."))
    rule_spec(draft)
    return drafts.submit(
        kind=PUBLISH, draft_id=draft.pk, content=content(draft), reason=reason, actor=actor, at=at
    )


@transaction.atomic
def withdraw(*, draft_id: int, actor: str, at: datetime) -> None:
    """Take a draft back from review.

    Raises: DraftError where it is not there.
    """
    locked(draft_id)
    if drafts.withdraw(kind=PUBLISH, draft_id=draft_id, actor=actor, at=at) is None:
        raise drafts.DraftError("draft_not_in_review", _("This draft is not in review."), 409)


@transaction.atomic
def ask_to_end(
    *, version_id: int, until: datetime | None, reason: str, actor: str, at: datetime
) -> Approval:
    """Ask for a version to end, at an instant or as soon as possible.

    Raises: RuleDraftError where it is not in force or to come; ApprovalError.
    """
    version = RuleVersion.objects.select_for_update(no_key=True).get(pk=version_id)
    if version.state != RuleState.ACTIVE or (version.valid_until or at) < at:
        raise RuleDraftError(
            "version_not_in_force", _("Only a version in force or to come can end."), 409
        )
    if drafts.pending(kind=RETIRE, draft_ids=[version_id]):
        raise drafts.DraftError("draft_in_review", _("This request waits already."), 409)
    payload = {
        drafts.SUBJECT: version.pk,
        "until": None if until is None else until.astimezone(UTC).isoformat(),
    }
    return approvals.request(
        kind=RETIRE, member_id=None, payload=payload, reason=reason, actor=actor, at=at
    )


def locked(draft_id: int) -> RuleVersion:
    """Return a draft, locked, with its rule.

    Raises: RuleDraftError where the version is active: it is frozen.
    """
    rows = RuleVersion.objects.select_related("rule").select_for_update(of=("self",), no_key=True)
    draft = rows.filter(pk=draft_id).first()
    if draft is None:
        raise RuleDraftError("draft_gone", _("This draft has been thrown away."), 404)
    if draft.state != RuleState.DRAFT:
        raise RuleDraftError(
            "version_frozen", _("A published version never changes: make a new draft of it."), 409
        )
    return draft


def _write(version: RuleVersion, terms: Mapping[str, Any], actor: str, at: datetime) -> RuleVersion:
    for name, value in terms.items():
        setattr(version, name, value)
    version.state = RuleState.DRAFT
    version.created_at, version.created_by = at, actor
    rule_spec(version)
    version.save(force_insert=True)
    return version


def _free_code(name: str) -> str:
    """Return a code that no rule has: it names the rule in journals and interfaces for ever."""
    base = slugify(name).replace("-", "_")[: CODE_LENGTH - 4].strip("_") or "rule"
    taken = set(Rule.objects.filter(code__startswith=base).values_list("code", flat=True))
    numbered = (f"{base}_{number}" for number in range(2, len(taken) + 3))
    return next(code for code in (base, *numbered) if code not in taken)
