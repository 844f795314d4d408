"""The next version of the points policy: asked for by one person, in force once another agrees.

It holds for what is earned and paid from its instant on; points that are there keep what they were
issued with.

Source: PTS-02, PTS-07; design §4 (a version is frozen once effective).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.admin import formats
from config.base.errors import DomainError
from members.models import Approval, Channel
from members.models.staff import ApprovalState
from members.services import approvals, drafts
from members.services.approvals import Change
from rewards.models import PointsPolicy
from rewards.services.programme import policy_spec

APPROVAL_KIND: Final = "policy.publish"
EDIT_PERMISSION: Final = "rewards.add_pointspolicy"
APPROVE_PERMISSION: Final = "rewards.publish_rule"
MARGIN: Final = timedelta(minutes=10)
# One publication at a time: each is checked against all that is published.
PUBLICATION_LOCK: Final = 0x50_4F_4C_49

TERMS: Final = (
    "expiry", "expires_after", "expires_on", "return_window_days", "activate_on",
    "earn_on_points_paid", "excluded_skus", "excluded_categories", "excluded_brands",
    "late_fact_days", "claim_days", "give_back_min_days", "pay_points", "pay_amount",
    "pay_min_points", "pay_step_points", "pay_max_percent",
)  # fmt: skip
_DECIMALS: Final = frozenset({"pay_amount", "pay_max_percent"})


class PolicyError(DomainError):
    """The policy cannot be changed like this."""


def in_force(at: datetime) -> PointsPolicy | None:
    """Return the version that holds at an instant."""
    dated = PointsPolicy.objects.filter(effective_from__lte=at).order_by("-effective_from").first()
    return dated or PointsPolicy.objects.filter(effective_from=None).first()


@transaction.atomic
def ask(
    *, terms: Mapping[str, Any], starts_at: datetime | None, reason: str, actor: str, at: datetime
) -> Approval:
    """Ask a second person to let a policy take effect, at the next midnight if nothing is said.

    Raises: PolicyError, ApprovalError.
    """
    said = {name: _plain(name, terms[name]) for name in TERMS}
    base = in_force(at)
    if base is not None and _content(base) == said:
        raise PolicyError("nothing_changes", _("The policy in force says that already."), 409)
    if Approval.objects.filter(kind=APPROVAL_KIND, state=ApprovalState.REQUESTED).exists():
        raise PolicyError("draft_in_review", _("This request waits already."), 409)
    policy_spec(_policy(said))
    starts = None if starts_at is None else starts_at.astimezone(UTC).isoformat()
    _begins(starts, at)
    return approvals.request(
        kind=APPROVAL_KIND, member_id=None, payload={"terms": said, "starts": starts},
        reason=reason, actor=actor, at=at,
    )  # fmt: skip


@transaction.atomic
def publish(approval: Approval, at: datetime) -> None:
    """Write the version that was asked for. Raises: PolicyError."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PUBLICATION_LOCK])
    policy = _policy(approval.payload["terms"])
    policy.effective_from = _begins(approval.payload["starts"], at)
    policy.number = (PointsPolicy.objects.aggregate(last=Max("number"))["last"] or 0) + 1
    policy_spec(policy)
    policy.save(force_insert=True)


def effects(approval: Approval, at: datetime) -> Sequence[Change]:
    """Return what the policy that is asked for says otherwise than the one in force."""
    base = in_force(at)
    after = facets(_policy(approval.payload["terms"]))
    return drafts.changes(None if base is None else facets(base), after)


def facets(policy: PointsPolicy) -> list[tuple[str, str]]:
    """Return all that a policy says as pairs of what and text."""
    return [(name_of_term(name), _shown(policy, name)) for name in TERMS]


def name_of_term(name: str) -> str:
    """Return what people call a term of the policy."""
    return str(getattr(PointsPolicy._meta.get_field(name), "verbose_name", name))


def summarise(approval: Approval) -> str:
    """Return when the policy that is asked for takes effect, for people."""
    starts = approval.payload["starts"]
    if starts is None:
        return gettext("from the midnight after it is approved")
    when = clock.local(datetime.fromisoformat(starts))
    return gettext("from %(when)s") % {"when": f"{when:%Y-%m-%d %H:%M}"}


def _shown(policy: PointsPolicy, name: str) -> str:
    value = getattr(policy, f"get_{name}_display", lambda: getattr(policy, name))()
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, dict):
        labels = dict(Channel.choices)
        return ", ".join(f"{labels.get(key, key)}: {days}" for key, days in sorted(value.items()))
    if isinstance(value, list):
        return ", ".join(sorted(map(str, value)))
    return "" if value is None else formats.plain(value)


def _content(policy: PointsPolicy) -> dict[str, Any]:
    return {name: _plain(name, getattr(policy, name)) for name in TERMS}


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return sorted(value)
    return f"{Decimal(value).normalize():f}" if name in _DECIMALS else value


def _policy(said: Mapping[str, Any]) -> PointsPolicy:
    decimals = {name: Decimal(said[name]) for name in _DECIMALS}
    return PointsPolicy(**{**said, **decimals})


def _begins(starts: str | None, at: datetime) -> datetime:
    """Return when the policy takes effect if it is approved now.

    Raises: PolicyError where that is over, or a later version is published already.
    """
    midnight = clock.day_start(clock.local_day(at + MARGIN) + timedelta(days=1))
    begins = midnight if starts is None else datetime.fromisoformat(starts)
    if begins < at + MARGIN:
        raise PolicyError(
            "policy_start_passed", _("It has to take effect at least ten minutes from now."), 409
        )
    if PointsPolicy.objects.filter(effective_from__gte=begins).exists():
        raise PolicyError(
            "later_version_published", _("A version that begins later is published already."), 409
        )
    return begins
