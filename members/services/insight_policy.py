"""The policy by which members are looked at as customers: published, never changed.

Source: SEG-01, SEG-02, SEG-10, SEG-15.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from config.base import money
from config.base.errors import DomainError
from members.domain.insight import Terms
from members.domain.rhythm import Dormancy
from members.domain.value import CURRENT, MODEL_VERSION, POTENTIAL, Marks
from members.models import InsightPolicy

PUBLISH_LOCK: Final = 0x49_4E_53_50
PERMISSION: Final = "members.add_insightpolicy"
RECORD: Final = frozenset(("id", "number", "reason", "created_at", "created_by"))
TERMS: Final = tuple(
    column.name for column in InsightPolicy._meta.concrete_fields if column.name not in RECORD
)
# What has to be at least as much as another.
_ORDER: Final = (
    ("frequency_high", "frequency_medium"), ("monetary_high", "monetary_medium"),
    ("dormant_most_days", "dormant_least_days"), ("grid_high", "grid_medium"),
)  # fmt: skip


class InsightPolicyError(DomainError):
    """A policy cannot be computed with, contradicts itself, or says what the one in force says."""


def in_force() -> InsightPolicy:
    """Return the newest version, or the one that ships, which is not stored and has number 0."""
    return InsightPolicy.objects.order_by("-number").first() or InsightPolicy(number=0)


def basis(policy: InsightPolicy) -> str:
    """Return what scores are comparable by: the versions of the policy and of the model."""
    return f"{policy.number}.{MODEL_VERSION}"


@transaction.atomic
def publish(*, said: Mapping[str, Any], reason: str, actor: str, at: datetime) -> InsightPolicy:
    """Add a version; the next run looks at every member by it.

    Raises: InsightPolicyError; AmountError for an amount finer than the currency.
    """
    if not reason.strip():
        raise InsightPolicyError("reason_required", _("A reason is required."), field="reason")
    _check(said)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PUBLISH_LOCK])
    last = in_force()
    if all(getattr(last, name) == said[name] for name in TERMS):
        raise InsightPolicyError(
            "nothing_changes", _("The policy in force says that already."), 409
        )
    values = {name: said[name] for name in TERMS}
    return InsightPolicy.objects.create(
        **values, number=last.number + 1, reason=reason, created_at=at, created_by=actor
    )


def terms_of(policy: InsightPolicy) -> Terms:
    """Return a policy as the rules read it."""
    marks = Marks(
        full_orders=policy.full_orders,
        full_amount=money.to_minor(policy.full_amount),
        full_margin=money.to_minor(policy.full_margin),
        full_growth_percent=policy.full_growth_percent,
        referral_points=policy.referral_points,
        review_points=policy.review_points,
        survey_points=policy.survey_points,
        full_new_groups=policy.full_new_groups,
        weights={name: getattr(policy, f"{name}_weight") for name in (*CURRENT, *POTENTIAL)},
        current_weight=policy.current_weight,
    )
    dormancy = Dormancy(
        policy.dormancy_by_rhythm, policy.dormant_days, policy.dormant_percent,
        policy.dormant_least_days, policy.dormant_most_days, policy.dormant_gaps,
    )  # fmt: skip
    return Terms(
        window_days=policy.window_days,
        growth_days=policy.growth_days,
        frequency_high=policy.frequency_high,
        frequency_medium=policy.frequency_medium,
        monetary_high=money.to_minor(policy.monetary_high),
        monetary_medium=money.to_minor(policy.monetary_medium),
        new_days=policy.new_days,
        churned_days=policy.churned_days,
        retain_orders=policy.retain_orders,
        won_back_days=policy.won_back_days,
        advocate_value=policy.advocate_value,
        dormancy=dormancy,
        marks=marks,
    )


def _check(said: Mapping[str, Any]) -> None:
    policy = InsightPolicy(**{name: said[name] for name in TERMS})
    try:
        policy.clean_fields(exclude=RECORD)
    except ValidationError as error:
        raise InsightPolicyError(
            "policy_out_of_range", _("A value is out of range."), names=sorted(error.error_dict)
        ) from error
    terms_of(policy)
    for more, less in _ORDER:
        if said[more] < said[less]:
            raise InsightPolicyError(
                "policy_out_of_order", _("High must not be below medium or least."), field=more
            )
    for names in (CURRENT, POTENTIAL):
        if not sum(said[f"{name}_weight"] for name in names):
            raise InsightPolicyError(
                "policy_without_weight", _("Some part of a value has to weigh."),
                field=f"{names[0]}_weight",
            )  # fmt: skip
