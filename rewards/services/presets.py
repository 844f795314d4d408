"""Load a preset: set the programme up, or bring it up to date, by new versions only.

As long as no fact has been received a version may be replaced, and it is effective since ever;
afterwards a difference makes a new version that is effective from now on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

from django.db import connection, transaction
from django.db.models import F, Max, Model, Q
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.models import InteractionKind, Member, ReceivedFact
from members.services import brand, segments, service_levels
from rewards.models import CouponTemplate, PointsPolicy, Rule, RuleVersion
from rewards.models.rule import RuleState
from rewards.presets.shape import CouponPreset, Preset, RulePreset, TierPreset
from rewards.services import preset_gifts, programme
from rewards.services.coupon_terms import terms_of
from tiers.models import LadderVersion, Purpose, QualificationRule, Tier, TierTerm
from tiers.services import rollout

Kept = TypeVar("Kept", Tier, InteractionKind, CouponTemplate)
Version = LadderVersion | PointsPolicy

ACTOR: Final = "system"
PRESET_LOCK: Final = 0x50_52_45_53
ROLLING_DAYS: Final = "rolling_days"

# What says when a version holds and who wrote it, not what it says.
_NOT_CONTENT: Final = frozenset(
    {
        "id", "number", "effective_from", "rule", "state", "valid_from", "valid_until",
        "created_at", "created_by",
    }
)  # fmt: skip


_Requirement = tuple[str, str, int, str, str, int, Any, str, str, str]


class PresetConflictError(DomainError):
    """The tiers that exist have ranks that the preset gives to others."""

    def __init__(self, tiers: Iterable[str]) -> None:
        super().__init__(
            "preset_conflict",
            _("Other tiers hold the ranks that this preset needs."),
            409,
            tiers=sorted(tiers),
        )


@dataclass(slots=True)
class Loaded:
    """What loading a preset has changed, by code; nothing when it was loaded already."""

    changes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Loading:
    """One load: the preset, and from when its new versions are effective (None = since ever)."""

    preset: Preset
    at: datetime
    effective_from: datetime | None
    loaded: Loaded

    @property
    def replaces(self) -> bool:
        """Tell whether versions may be replaced: nothing has been decided by them yet."""
        return self.effective_from is None

    def note(self, what: str) -> None:
        self.loaded.changes.append(what)


@transaction.atomic
def load(*, preset: Preset, at: datetime) -> Loaded:
    """Make the stored programme what the preset says; a second time changes nothing.

    Raises: PresetConflictError; LadderError, RuleError, ConditionError for a preset that
    contradicts itself or what else is configured.
    Source: design §5.5.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PRESET_LOCK])
    is_used = ReceivedFact.objects.exists()
    loading = _Loading(preset, at, at if is_used else None, Loaded())
    _load_kinds(loading)
    _load_ladder(loading, _load_tiers(loading))
    _load_policy(loading)
    for rule in preset.rules:
        _load_rule(loading, rule)
    for coupon in preset.coupons:
        _load_coupon(loading, coupon)
    _end_rules_of_other_presets(loading)
    preset_gifts.load(preset.gifts, at=at, effective_from=loading.effective_from, note=loading.note)
    programme.current_book()
    if (made := brand.publish_default(content=preset.brand, at=at)) is not None:
        loading.note(f"brand:{made.number}")
    for each in service_levels.load_defaults():
        loading.note(each)
    _load_segments(loading)
    if not Member.objects.exists():
        # Whoever enrols is given what there is; later changes reach the others by the due run.
        rollout.sync_all(at=at, recorded_at=at)
    return loading.loaded


def _load_segments(loading: _Loading) -> None:
    wanted = {
        each.code: segments.Content(
            each.name_zh, each.name_en, each.description, each.conditions, each.alert_percent
        )
        for each in loading.preset.segments
    }
    for code in segments.add_missing(wanted, at=loading.at, actor=ACTOR):
        loading.note(f"segment:{code}")


def _load_kinds(loading: _Loading) -> None:
    for kind in loading.preset.kinds:
        values = {
            "name_zh": kind.name_zh, "name_en": kind.name_en,
            "is_behaviour": kind.is_behaviour, "keep_days": kind.keep_days,
        }  # fmt: skip
        _keep(loading, InteractionKind, kind.code, values)


def _load_tiers(loading: _Loading) -> dict[str, Tier]:
    presets = loading.preset.tiers
    codes = {tier.code: rank for rank, tier in enumerate(presets)}
    strangers = {
        tier.code
        for tier in Tier.objects.filter(rank__lt=len(presets))
        if codes.get(tier.code) != tier.rank
    }
    if strangers:
        raise PresetConflictError(strangers)
    return {
        tier.code: _keep(
            loading,
            Tier,
            tier.code,
            {"rank": rank, "name_zh": tier.name_zh, "name_en": tier.name_en},
        )
        for rank, tier in enumerate(presets)
    }


def _keep(loading: _Loading, model: type[Kept], code: str, values: Mapping[str, Any]) -> Kept:
    """Return the row of this code with these values, made or changed if need be."""
    row, created = model._default_manager.get_or_create(code=code, defaults=dict(values))
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    if changed:
        row.save(update_fields=changed)
    if changed or created:
        loading.note(f"{model._meta.model_name}:{code}")
    return row


def _load_ladder(loading: _Loading, tiers: Mapping[str, Tier]) -> None:
    wanted = LadderVersion(**loading.preset.ladder)
    current = _in_force(LadderVersion, loading.at)
    if isinstance(current, LadderVersion):
        is_same = _content(current) == _content(wanted) and _stored_terms(current) == _terms(
            loading.preset
        )
        if is_same:
            return
    if loading.replaces:
        for model in (QualificationRule, TierTerm, LadderVersion):
            model._default_manager.all().delete()
    _save_version(loading, wanted)
    TierTerm.objects.bulk_create(
        TierTerm(
            ladder=wanted,
            tier=tiers[tier.code],
            multiplier=tier.multiplier,
            discount_percent=tier.discount_percent,
        )
        for tier in loading.preset.tiers
    )
    QualificationRule.objects.bulk_create(
        QualificationRule(
            ladder=wanted, tier=tiers[code], purpose=purpose, group=group, metric=metric,
            window=window, window_days=days, threshold=threshold,
        )
        for code, purpose, group, metric, window, days, threshold, *_ in _terms(loading.preset)[1]
    )  # fmt: skip


_Terms = tuple[list[tuple[str, Any, Any]], list[_Requirement]]


def _terms(preset: Preset) -> _Terms:
    """Return what the preset's ladder says of its tiers, in a form to compare and to store."""
    worth = [(tier.code, tier.multiplier, tier.discount_percent) for tier in preset.tiers]
    return sorted(worth), sorted(row for tier in preset.tiers for row in _requirements(tier))


def _requirements(tier: TierPreset) -> Iterable[_Requirement]:
    for purpose, ways in ((Purpose.ENTRY, tier.entry), (Purpose.RETENTION, tier.retention)):
        for group, way in enumerate(ways, start=1):
            yield (
                tier.code, purpose.value, group, way.metric, ROLLING_DAYS, way.window_days,
                way.threshold, "", "", "",
            )  # fmt: skip


def _stored_terms(version: LadderVersion) -> _Terms:
    worth = version.terms.values_list("tier__code", "multiplier", "discount_percent")
    rules = (
        (
            rule.tier.code, rule.purpose, rule.group, rule.metric, rule.window,
            rule.window_days or 0, rule.threshold, rule.from_tier.code if rule.from_tier else "",
            rule.attribute, rule.value,
        )
        for rule in version.rules.select_related("tier", "from_tier")
    )  # fmt: skip
    return sorted(worth), sorted(rules)


def _load_policy(loading: _Loading) -> None:
    wanted = PointsPolicy(**loading.preset.policy)
    current = _in_force(PointsPolicy, loading.at)
    if current is not None and _content(current) == _content(wanted):
        return
    if loading.replaces:
        PointsPolicy.objects.all().delete()
    _save_version(loading, wanted)


def _in_force(model: type[LadderVersion] | type[PointsPolicy], at: datetime) -> Version | None:
    begun = model._default_manager.filter(Q(effective_from=None) | Q(effective_from__lte=at))
    return begun.order_by(F("effective_from").desc(nulls_last=True)).first()


def _save_version(loading: _Loading, version: Version) -> None:
    numbers = type(version)._default_manager.aggregate(last=Max("number"))
    version.number = (numbers["last"] or 0) + 1
    version.effective_from = loading.effective_from
    version.save(force_insert=True)
    loading.note(f"{version._meta.model_name}:{version.number}")


def _load_rule(loading: _Loading, preset: RulePreset) -> None:
    """Let the rule say what the preset says; one that is off is a draft to be switched on."""
    rule, _created = Rule.objects.get_or_create(
        code=preset.code, defaults={"name_zh": preset.name_zh, "name_en": preset.name_en}
    )
    state = RuleState.ACTIVE if preset.is_active else RuleState.DRAFT
    wanted = RuleVersion(rule=rule, state=state, **preset.values)
    running = _running(rule, loading.at)
    if running is not None and preset.is_active and _content(running) == _content(wanted):
        return
    if running is not None:
        _end(loading, running)
    drafts = rule.versions.filter(state=RuleState.DRAFT)
    if not preset.is_active and any(_content(draft) == _content(wanted) for draft in drafts):
        return
    last = rule.versions.aggregate(last=Max("number"))["last"] or 0
    wanted.number = last + 1
    wanted.valid_from = loading.effective_from if preset.is_active else None
    wanted.created_at, wanted.created_by = loading.at, ACTOR
    wanted.save(force_insert=True)
    loading.note(f"rule:{preset.code}:{wanted.number}:{state}")


def _load_coupon(loading: _Loading, preset: CouponPreset) -> None:
    """Let the template say what the preset says, as long as no coupon of it was issued.

    Whether one that exists is switched on is the programme's own affair.
    """
    said = {**preset.values, "name_zh": preset.name_zh, "name_en": preset.name_en}
    terms_of(CouponTemplate(code=preset.code, **said))
    row, created = CouponTemplate.objects.get_or_create(
        code=preset.code, defaults={**said, "is_active": preset.is_active}
    )
    if not created and not row.issued:
        _keep(loading, CouponTemplate, preset.code, said)
    elif created:
        loading.note(f"coupontemplate:{preset.code}")


def _end_rules_of_other_presets(loading: _Loading) -> None:
    mine = [rule.code for rule in loading.preset.rules]
    for rule in Rule.objects.exclude(code__in=mine):
        running = _running(rule, loading.at)
        if running is not None and running.created_by == ACTOR:
            _end(loading, running)


def _running(rule: Rule, at: datetime) -> RuleVersion | None:
    """Return the active version in force, or the next one to come into force."""
    active = rule.versions.filter(state=RuleState.ACTIVE)
    open_ended = active.filter(Q(valid_until=None) | Q(valid_until__gt=at))
    return open_ended.order_by(F("valid_from").asc(nulls_first=True)).first()


def _end(loading: _Loading, version: RuleVersion) -> None:
    """Take a version out of force: it goes where nothing was decided by it, else it ends now."""
    not_begun = version.valid_from is not None and version.valid_from >= loading.at
    if loading.replaces or not_begun:
        version.delete()
    else:
        version.valid_until = loading.at
        version.save(update_fields=["valid_until"])
    loading.note(f"rule:{version.rule.code}:{version.number}:ended")


def _content(row: Model) -> dict[str, Any]:
    """Return what a version says, whether stored or not yet."""
    return {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.name not in _NOT_CONTENT
    }
