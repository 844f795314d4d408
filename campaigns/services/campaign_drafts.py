"""Drafts of campaigns: written, copied from what is running, thrown away. Only drafts change.

Source: CMP-12, CMP-14.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.db.models import Max
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from campaigns.domain import effects
from campaigns.domain.effects import EffectKind
from campaigns.models import Campaign, CampaignState, CampaignVersion, MessageTemplate, VersionState
from campaigns.services import campaign_rules, giving
from config.base.errors import DomainError
from members.models import Segment
from members.models.segment import SegmentKind
from members.services import drafts

PUBLISH: Final = "campaign.publish"
EDIT_PERMISSION: Final = "campaigns.change_campaign"
PUBLISH_PERMISSION: Final = "campaigns.publish_campaign"
RUN_PERMISSION: Final = "campaigns.run_campaign"
CODE_LENGTH: Final = 30

TERMS: Final = (
    "audience", "excluded", "holdout_percent", "trigger", "effects", "messages", "variants",
    "limit_acts", "limit_period", "budget_points", "budget_money", "budget_acts", "budget_period",
    "over_budget", "returns_to_budget", "group", "priority", "starts_at", "ends_at",
    "terms_version", "terms_zh", "terms_en",
)  # fmt: skip


class CampaignError(DomainError):
    """A campaign cannot be written or run in this way."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a campaign is called, what it is for and who answers for it."""

    zh: str
    en: str = ""
    objective: str = ""
    owner_id: int | None = None


def terms_of(version: CampaignVersion) -> dict[str, Any]:
    """Return what a version says, as its columns hold it."""
    return {name: getattr(version, name) for name in TERMS}


def content(version: CampaignVersion) -> dict[str, Any]:
    """Return all that would be published, as plain JSON: what a review is about."""
    campaign = version.campaign
    said = {name: _plain(value) for name, value in terms_of(version).items()}
    names = {"code": campaign.code, "name_zh": campaign.name_zh, "name_en": campaign.name_en}
    return {**names, **said}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


@transaction.atomic
def create(
    *,
    names: Names,
    terms: Mapping[str, Any],
    actor: str,
    at: datetime,
    code: str = "",
    is_preset: bool = False,
) -> CampaignVersion:
    """Write the first draft of a new campaign.

    Raises: CampaignError, EffectError.
    """
    campaign = Campaign.objects.create(
        code=code or _free_code(names), name_zh=names.zh, name_en=names.en,
        objective=names.objective, owner_id=names.owner_id, is_preset=is_preset, created_at=at,
        created_by=actor,
    )  # fmt: skip
    return _write(CampaignVersion(campaign=campaign, number=1), terms, actor, at)


@transaction.atomic
def save(
    *, version_id: int, names: Names, terms: Mapping[str, Any], actor: str, at: datetime
) -> CampaignVersion:
    """Change a draft; one that is in review is taken back from it.

    Raises: CampaignError where it is no draft; EffectError.
    """
    draft = locked(version_id)
    before = content(draft)
    for name, value in terms.items():
        setattr(draft, name, value)
    check(draft, at)
    campaign = draft.campaign
    campaign.name_zh, campaign.name_en = names.zh, names.en
    campaign.objective, campaign.owner_id = names.objective, names.owner_id
    campaign.save(update_fields=["name_zh", "name_en", "objective", "owner"])
    draft.save(update_fields=list(terms))
    if content(draft) != before:
        take_back(draft, actor=actor, at=at)
    return draft


def take_back(draft: CampaignVersion, *, actor: str, at: datetime) -> bool:
    """Take a draft back from review, if it is there."""
    approval = drafts.withdraw(kind=PUBLISH, draft_id=draft.pk, actor=actor, at=at)
    Campaign.objects.filter(pk=draft.campaign_id, state=CampaignState.REVIEW).update(
        state=CampaignState.DRAFT
    )
    return approval is not None


@transaction.atomic
def copy(*, campaign_id: int, actor: str, at: datetime) -> CampaignVersion:
    """Write a new draft that says what the newest version says; the one there is, if there is one.

    Raises: CampaignError where the campaign is over.
    """
    campaign = Campaign.objects.select_for_update(no_key=True, of=("self",)).get(pk=campaign_id)
    if campaign.state == CampaignState.ENDED:
        raise CampaignError("campaign_ended", _("This campaign is over."), 409)
    draft = campaign.versions.filter(state=VersionState.DRAFT).first()
    if draft is not None:
        return draft
    newest = campaign.versions.order_by("-number")[0]
    last = campaign.versions.aggregate(last=Max("number"))["last"] or 0
    return _write(CampaignVersion(campaign=campaign, number=last + 1), terms_of(newest), actor, at)


@transaction.atomic
def discard(*, version_id: int, actor: str, at: datetime) -> None:
    """Throw a draft away, and its campaign with it if that never ran.

    Raises: CampaignError where it is no draft.
    """
    draft = locked(version_id)
    take_back(draft, actor=actor, at=at)
    draft.delete()
    if not draft.campaign.versions.exists():
        draft.campaign.delete()


def locked(version_id: int) -> CampaignVersion:
    """Return a draft, locked, with its campaign.

    Raises: CampaignError where the version is published: it is frozen.
    """
    rows = CampaignVersion.objects.select_related("campaign")
    draft = rows.select_for_update(of=("self",), no_key=True).filter(pk=version_id).first()
    if draft is None:
        raise CampaignError("draft_gone", _("This draft has been thrown away."), 404)
    if draft.state != VersionState.DRAFT:
        raise CampaignError(
            "version_frozen", _("A published version never changes: make a new draft of it."), 409
        )
    return draft


def check(version: CampaignVersion, at: datetime) -> None:
    """Refuse what could not run.

    Raises: CampaignError, EffectError, ConditionError, RuleError.
    """
    parsed = effects.parse(version.effects)
    variants = effects.parse_variants(version.variants)
    _check_segments([*version.audience, *version.excluded, *(v.segment for v in variants)])
    known = giving.catalogue(parsed)
    for kind, found in (
        (EffectKind.COUPON, known.templates),
        (EffectKind.REWARD, known.rewards),
        (EffectKind.BENEFIT, known.benefits),
    ):
        _check_known([each.name for each in parsed if each.kind is kind], found, "effects")
    if unknown := {v for each in parsed for v in each.variants} - {v.code for v in variants}:
        raise _unknown("variants", unknown)
    said = [item["template"] if isinstance(item, dict) else item for item in version.messages]
    templates = MessageTemplate.objects.filter(code__in=said).values_list("code", flat=True)
    _check_known(said, set(templates), "messages")
    if not isinstance(version.trigger, dict) or not version.trigger.get("kind"):
        raise CampaignError("trigger_missing", _("Say what starts this campaign."))
    campaign_rules.check(version.campaign, version, at)


def _check_segments(codes: Sequence[str]) -> None:
    wanted = {code for code in codes if code}
    rows = Segment.objects.filter(code__in=wanted).exclude(kind=SegmentKind.CAMPAIGN)
    _check_known(sorted(wanted), set(rows.values_list("code", flat=True)), "audience")


def _check_known(wanted: Sequence[str], known: Any, where: str) -> None:
    if unknown := {each for each in wanted if each not in known}:
        raise _unknown(where, unknown)


def _unknown(where: str, codes: set[str]) -> CampaignError:
    return CampaignError(
        "campaign_names_unknown",
        _("The campaign names something that does not exist: %(codes)s.")
        % {"codes": ", ".join(sorted(codes))},
        field=where,
        codes=sorted(codes),
    )


def _write(
    version: CampaignVersion, terms: Mapping[str, Any], actor: str, at: datetime
) -> CampaignVersion:
    for name, value in terms.items():
        setattr(version, name, value)
    version.state, version.created_at, version.created_by = VersionState.DRAFT, at, actor
    check(version, at)
    version.save(force_insert=True)
    return version


def _free_code(names: Names) -> str:
    """Return a code that no campaign has: it names the campaign in events and segments for ever."""
    base = slugify(names.en)[: CODE_LENGTH - 4].strip("-") or "campaign"
    taken = set(Campaign.objects.filter(code__startswith=base).values_list("code", flat=True))
    numbered = (f"{base}-{number}" for number in range(2, len(taken) + 3))
    return next(code for code in (base, *numbered) if code not in taken)
