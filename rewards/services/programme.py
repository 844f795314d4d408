"""The stored programme, compiled: ladders, rules and policies.

Compiled once per process and kept until any of it changes; the stamp that tells is read with the
batch, so that keeping it costs no statement of its own.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Final
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext_lazy as _

from config.base import bulk, conditions, money
from config.base.errors import DomainError
from members.models import InteractionKind
from rewards.domain import grants, rules, validity
from rewards.domain.grants import GrantBook, GrantSpec
from rewards.domain.paying import PayTerms
from rewards.domain.programme import Policy, ProgrammeBook
from rewards.models import GrantRuleVersion, PointsPolicy, RuleVersion
from rewards.models.rule import ActivateOn, FactorSource, RuleEffect, RuleState
from tiers.models import Tier
from tiers.services.ladders import load_ladder_book

# Who wrote a row last says whether it has changed, whatever its columns: cheap to read, and never
# the same again after a rollback or in another database of the server.
STAMP: Final = """
    (SELECT md5(string_agg(t || id || ':' || xmin, ';' ORDER BY t, id)) FROM (
        SELECT 'r' t, id, xmin::text xmin FROM rewards_ruleversion WHERE state = 'active'
        UNION ALL SELECT 'p', id, xmin::text FROM rewards_pointspolicy
        UNION ALL SELECT 'l', id, xmin::text FROM tiers_ladderversion
        UNION ALL SELECT 'm', id, xmin::text FROM tiers_tierterm
        UNION ALL SELECT 'q', id, xmin::text FROM tiers_qualificationrule
        UNION ALL SELECT 't', id, xmin::text FROM tiers_tier
        UNION ALL SELECT 'i', id, xmin::text FROM members_interactionkind
        UNION ALL SELECT 'g', id, xmin::text FROM rewards_grantruleversion WHERE state = 'active'
        UNION ALL SELECT 's', id, xmin::text FROM rewards_grantstep
    ) written)
"""

# What an order and an entry into a tier say of the member by themselves.
_KNOWN_OF_MEMBER: Final = frozenset({"member.tier", "member.rank"})

_books: dict[str, ProgrammeBook] = {}


class ProgrammeMissingError(DomainError):
    """Neither ladder nor policy has been set up."""

    def __init__(self) -> None:
        super().__init__(
            "programme_missing", _("The programme has not been set up: load a preset."), 503
        )


def book_for(stamp: str) -> ProgrammeBook:
    """Return the programme compiled under this stamp, compiling it when it is new.

    Raises: ProgrammeMissingError.
    """
    book = _books.get(stamp)
    if book is None:
        book = _load()
        _books.clear()
        _books[stamp] = book
    return book


def current_book() -> ProgrammeBook:
    """Return the programme as stored now, with one statement to see whether it changed."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {STAMP}")
        (stamp,) = cursor.fetchone()
    return book_for(stamp)


def member_and_book(public_id: UUID) -> tuple[int, str, ProgrammeBook] | None:
    """Return a member's key and status with the programme as stored now, in one statement."""
    statement = f"SELECT m.id, m.status, {STAMP} FROM members_member m WHERE m.public_id = %s"  # noqa: S608
    rows = bulk.fetch(statement, [public_id])
    return (rows[0][0], rows[0][1], book_for(rows[0][2])) if rows else None


def _load() -> ProgrammeBook:
    policies = sorted(
        PointsPolicy.objects.all(),
        key=lambda policy: (policy.effective_from is not None, policy.effective_from),
    )
    ladders = load_ladder_book()
    if not policies or ladders is None:
        raise ProgrammeMissingError
    versions = RuleVersion.objects.filter(state=RuleState.ACTIVE).select_related("rule")
    return ProgrammeBook(
        ladders,
        [rule_spec(version) for version in versions],
        [policy_spec(p) for p in policies],
        dict(Tier.objects.values_list("code", "id")),
        InteractionKind.objects.filter(is_behaviour=True).values_list("code", flat=True),
        GrantBook(grant_specs()),
        moderated=InteractionKind.objects.filter(needs_moderation=True).values_list(
            "code", flat=True
        ),
    )


def grant_specs() -> list[GrantSpec]:
    """Return the active versions of grant rules as the engine evaluates them.

    Raises: ConditionError.
    """
    versions = GrantRuleVersion.objects.filter(state=RuleState.ACTIVE).select_related(
        "rule", "tier"
    )
    return [grant_spec(version) for version in versions.prefetch_related("steps")]


def grant_spec(version: GrantRuleVersion) -> GrantSpec:
    """Return what the engine evaluates for a stored version of a grant rule, draft or active.

    Raises: ConditionError.
    """
    applies, asks_member = _grant_conditions(version)
    return GrantSpec(
        rule=version.rule_id,
        code=version.rule.code,
        key=version.pk or 0,
        trigger=grants.Trigger(version.trigger),
        steps=tuple(
            sorted(
                (grants.Step(step.pk, step.threshold) for step in version.steps.all()),
                key=lambda step: step.threshold,
            )
        ),
        valid_from=version.valid_from,
        valid_until=version.valid_until,
        applies=applies,
        asks_member=asks_member,
        tier="" if version.tier is None else version.tier.code,
        years=tuple(int(years) for years in version.years),
        repeat=grants.Repeat(version.repeat),
        step_mode=grants.StepMode(version.step_mode),
        step_window=grants.StepWindow(version.step_window),
        step_metric=grants.StepMetric(version.step_metric),
    )


def _grant_conditions(
    version: GrantRuleVersion,
) -> tuple[Callable[[Mapping[str, object]], bool] | None, bool]:
    if not version.conditions:
        return None, False
    scopes = ("order", "member") if version.trigger == grants.Trigger.ORDER else ("member",)
    node = conditions.parse(version.conditions, scopes)
    holds = conditions.compile_python([node])
    names = {leaf.field.name for leaf in conditions.leaves(node)}
    asks_member = any(name.startswith("member.") for name in names - _KNOWN_OF_MEMBER)
    return (lambda facts: holds(facts)[0]), asks_member


def policy_spec(stored: PointsPolicy) -> Policy:
    """Return what a stored policy says, as the engine goes by it."""
    month_day = None
    if stored.expires_on:
        month, day = stored.expires_on.split("-")
        month_day = (int(month), int(day))
    return Policy(
        effective_from=stored.effective_from,
        expiry=validity.ExpiryPolicy(
            validity.ExpiryKind(stored.expiry), stored.expires_after, month_day
        ),
        programme=rules.Programme(
            earn_on_points_paid=stored.earn_on_points_paid,
            excluded_skus=frozenset(stored.excluded_skus),
            excluded_categories=frozenset(stored.excluded_categories),
            excluded_brands=frozenset(stored.excluded_brands),
        ),
        return_window_days=dict(stored.return_window_days),
        activates_on_completion=stored.activate_on == ActivateOn.COMPLETED,
        late_fact_days=stored.late_fact_days,
        claim_days=stored.claim_days,
        give_back_min_days=stored.give_back_min_days,
        paying=PayTerms(
            points=stored.pay_points,
            amount=money.to_minor(stored.pay_amount),
            min_points=stored.pay_min_points,
            step_points=stored.pay_step_points,
            max_bp=int(stored.pay_max_percent * 100),
        ),
    )


def rule_spec(version: RuleVersion) -> rules.RuleSpec:
    """Return what the engine evaluates for a stored version, draft or active.

    Raises: ConditionError, RuleError.
    """
    trigger = rules.Trigger(version.trigger)
    return rules.RuleSpec(
        code=version.rule.code,
        version=version.number,
        key=version.pk or 0,
        trigger=trigger,
        effect=_effect(version),
        valid_from=version.valid_from,
        valid_until=version.valid_until,
        conditions=version.conditions and rules.parse_conditions(trigger, version.conditions),
        line_conditions=version.line_conditions
        and rules.parse_line_conditions(version.line_conditions),
        max_points=version.max_points,
        group=version.group or None,
        group_mode=rules.GroupMode(version.group_mode),
        priority=version.priority,
        cap_points=version.cap_points,
        cap_period=rules.CapPeriod(version.cap_period) if version.cap_period else None,
    )


def _effect(version: RuleVersion) -> rules.Effect:
    if version.effect == RuleEffect.FIXED:
        return rules.Fixed(version.points)
    points, per_amount = _rate(version.points, version.per_amount)
    if version.effect == RuleEffect.PER_AMOUNT:
        return rules.PerAmount(points, per_amount)
    factor = Fraction(version.factor)
    source = rules.FactorSource.RULE
    if version.factor_source == FactorSource.TIER:
        source, factor = rules.FactorSource.TIER, Fraction(1)
    return rules.Multiplier(points, per_amount, factor.numerator, factor.denominator, source)


def _rate(points: int, per_amount: Decimal) -> tuple[int, int]:
    """Return points per minor units; an amount below the minor unit scales both."""
    rate = Fraction(points) / (Fraction(per_amount) * 10 ** money.exponent())
    return rate.numerator, rate.denominator
