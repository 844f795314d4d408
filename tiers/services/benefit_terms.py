"""What a tier gives of a benefit: a new version of it, once a second person agrees.

Members keep what they were granted while they hold the tier; who enters it later, and who has
nothing of the benefit yet, gets the new version.

Source: BEN-04, BEN-17.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.errors import DomainError
from config.base.names import name_of
from members.models import Approval
from members.models.staff import ApprovalState
from members.services import approvals
from members.services.approvals import Change
from tiers import lint
from tiers.models import Benefit, Tier, TierBenefit

APPROVAL_KIND: Final = "benefit.terms"
EDIT_PERMISSION: Final = "tiers.add_tierbenefit"
APPROVE_PERMISSION: Final = "tiers.publish_ladder"


class BenefitTermsError(DomainError):
    """A tier cannot give a benefit like this."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a tier gives: so many uses a period, without limit where `quota` is None, or nothing."""

    gives: bool
    quota: int | None = None
    period: str = "year"
    on_leave: str = "end"

    def __str__(self) -> str:
        """Return the terms for people."""
        if not self.gives:
            return gettext("nothing")
        row = TierBenefit(quota=self.quota, period=self.period, on_leave=self.on_leave)
        uses = gettext("without limit") if self.quota is None else f"{self.quota}"
        return f"{uses} · {row.get_period_display()} · {row.get_on_leave_display()}"


def current(at: datetime, **of: Any) -> list[TierBenefit]:
    """Return the versions in force at an instant, one for each tier and benefit."""
    rows = TierBenefit.objects.filter(
        Q(effective_from=None) | Q(effective_from__lte=at),
        Q(effective_until=None) | Q(effective_until__gt=at),
        **of,
    )
    newest: dict[tuple[int, int], TierBenefit] = {}
    for row in rows.select_related("tier", "benefit").order_by("number"):
        newest[row.tier_id, row.benefit_id] = row
    return list(newest.values())


def terms_of(row: TierBenefit | None) -> Terms:
    """Return what a version gives."""
    return Terms(gives=False) if row is None else Terms(True, row.quota, row.period, row.on_leave)


@transaction.atomic
def ask(  # noqa: PLR0913 - one keyword for each part of a request
    *,
    tier: Tier,
    benefit: Benefit,
    terms: Terms,
    starts_at: datetime | None,
    reason: str,
    actor: str,
    at: datetime,
) -> Approval:
    """Ask a second person to let a tier give a benefit like this.

    Raises: BenefitTermsError, ApprovalError.
    """
    before = _in_force(tier.pk, benefit.pk, at)
    if terms_of(before) == terms:
        raise BenefitTermsError("nothing_changes", _("The tier gives that already."), 409)
    if starts_at is not None and starts_at < at:
        raise BenefitTermsError("start_passed", _("It cannot take effect in the past."))
    waiting = Approval.objects.filter(
        kind=APPROVAL_KIND, state=ApprovalState.REQUESTED, payload__tier=tier.pk,
        payload__benefit=benefit.pk,
    )  # fmt: skip
    if waiting.exists():
        raise BenefitTermsError("draft_in_review", _("This request waits already."), 409)
    payload = {
        "tier": tier.pk,
        "benefit": benefit.pk,
        "before": None if before is None else before.pk,
        "terms": asdict(terms),
        "starts": None if starts_at is None else starts_at.astimezone(UTC).isoformat(),
    }
    return approvals.request(
        kind=APPROVAL_KIND, member_id=None, payload=payload, reason=reason, actor=actor, at=at
    )


@transaction.atomic
def execute_approved(approval: Approval, at: datetime) -> None:
    """End the version in force and begin the next one, unless another came between.

    Raises: BenefitTermsError.
    """
    asked, wanted = approval.payload, _wanted(approval)
    Tier.objects.select_for_update(no_key=True).get(pk=asked["tier"])
    versions = TierBenefit.objects.filter(tier_id=asked["tier"], benefit_id=asked["benefit"])
    starts = asked["starts"]
    begins = max(datetime.fromisoformat(starts), at) if starts else at
    before = _in_force(asked["tier"], asked["benefit"], at)
    is_other = (None if before is None else before.pk) != asked["before"]
    if is_other or versions.filter(effective_from__gte=begins).exists():
        raise BenefitTermsError(
            "terms_changed", _("What the tier gives has changed since this was asked for."), 409
        )
    versions.filter(Q(effective_until=None) | Q(effective_until__gt=begins)).update(
        effective_until=begins
    )
    if wanted.gives:
        last = versions.aggregate(last=Max("number"))["last"] or 0
        TierBenefit.objects.create(
            tier_id=asked["tier"], benefit_id=asked["benefit"], number=last + 1,
            effective_from=begins, quota=wanted.quota, period=wanted.period,
            on_leave=wanted.on_leave,
        )  # fmt: skip


def effects(approval: Approval) -> Sequence[Change]:
    """Return what a request would change, and what would look wrong then."""
    asked = approval.payload
    before = TierBenefit.objects.filter(pk=asked["before"]).first()
    starts = asked["starts"]
    when = clock.local(datetime.fromisoformat(starts)) if starts else None
    begins = gettext("once approved") if when is None else f"{when:%Y-%m-%d %H:%M}"
    rows = [
        Change(summarise(approval), str(terms_of(before)), str(_wanted(approval))),
        Change(gettext("Takes effect"), "", begins),
    ]
    found = warnings(at=clock.now(), changed=asked)
    return [*rows, *(Change(gettext("What looks wrong"), "", text) for text in found)]


def summarise(approval: Approval) -> str:
    """Return which tier and benefit a request is about, for people."""
    tier = Tier.objects.get(pk=approval.payload["tier"])
    benefit = Benefit.objects.get(pk=approval.payload["benefit"])
    return f"{name_of(tier)} · {name_of(benefit)}"


def warnings(*, at: datetime, changed: Mapping[str, Any] | None = None) -> list[str]:
    """Return where a higher tier gives less than a lower one, as it is or with a change."""
    given: dict[int, dict[int, TierBenefit]] = {}
    for row in current(at, benefit__is_active=True):
        given.setdefault(row.tier_id, {})[row.benefit_id] = row
    if changed is not None:
        tier, benefit = changed["tier"], changed["benefit"]
        given.setdefault(tier, {}).pop(benefit, None)
        terms = Terms(**changed["terms"])
        if terms.gives:
            given[tier][benefit] = TierBenefit(
                tier_id=tier, benefit=Benefit.objects.get(pk=benefit), quota=terms.quota,
                period=terms.period, on_leave=terms.on_leave,
            )  # fmt: skip
    return list(lint.fewer_benefits(list(Tier.objects.order_by("rank")), given))


def _wanted(approval: Approval) -> Terms:
    return Terms(**approval.payload["terms"])


def _in_force(tier: int, benefit: int, at: datetime) -> TierBenefit | None:
    return next(iter(current(at, tier_id=tier, benefit_id=benefit)), None)
