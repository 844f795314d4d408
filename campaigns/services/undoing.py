"""What an act of a campaign gave, taken back as long as nobody has used it.

The budget gets it back where the version says so. Source: CMP-15.
"""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.domain.effects import Cost, EffectKind
from campaigns.models import CampaignAct
from campaigns.services import budgets, launching
from campaigns.services.campaign_drafts import CampaignError
from campaigns.services.firing import cause
from members.services import events, notes
from members.services.events import NewEvent
from rewards.models import Coupon
from rewards.services import adjustment, coupon_revocation, many_points
from tiers.models import EntitlementSource
from tiers.services import entitlements

UNDONE: Final = "campaign_undone"
_FINAL: Final = frozenset({EffectKind.REWARD.value, EffectKind.CASE.value})


@transaction.atomic
def undo(*, act_id: int, reason: str, actor: str, at: datetime) -> CampaignAct:
    """Take back what an act gave, all of it or nothing; the occurrence stays dealt with.

    Raises: CampaignError where nothing was given, it is undone already, rewards went out, or
    something has been used; InsufficientPointsError, CouponNotRevocableError, MemberFrozenError.
    """
    if not reason.strip():
        raise CampaignError("reason_required", _("A reason is required."))
    act = CampaignAct.objects.select_related("version").get(pk=act_id)
    many_points.hold_accounts([act.member_id])
    campaign = launching.locked(act.campaign_id)
    act.refresh_from_db(fields=["undone_at"])
    is_final = any(item["kind"] in _FINAL or item.get("redeemed") for item in act.effects)
    if act.skipped or act.undone_at is not None or is_final:
        raise _not_undoable()
    _take_back(act, reason, cause(campaign), at)
    act.undone_at = at
    act.save(update_fields=["undone_at"])
    if act.version.returns_to_budget:
        budgets.give_back(campaign, act.period, Cost(act.points, act.money))
    told = {
        "campaign": campaign.code, "key": act.key, "actor": actor,
        "note": notes.seal(member=act.member_id, text=reason),
    }  # fmt: skip
    events.append([NewEvent(act.member_id, "campaign.undone", at, at, told, cause(campaign))])
    return act


def _not_undoable() -> CampaignError:
    return CampaignError("act_not_undoable", _("This cannot be taken back."), 409)


def _take_back(act: CampaignAct, reason: str, actor: str, at: datetime) -> None:
    if act.points:
        adjustment.adjust(
            member=act.member_id, points=-act.points, reason=reason, at=at, actor=actor,
            limit_points=None, ground=UNDONE,
        )  # fmt: skip
    _ended, used = entitlements.end_of(
        source=EntitlementSource.GRANT,
        refs=[f"campaign:{act.pk}:{place}" for place in range(len(act.version.effects))],
        at=at, actor=actor, reason=entitlements.REVOKED,
    )  # fmt: skip
    if used:
        raise _not_undoable()
    given = [item["id"] for item in act.effects if item["kind"] == EffectKind.COUPON.value]
    ids = Coupon.objects.filter(public_id__in=given).values_list("pk", flat=True)
    coupon_revocation.revoke(coupons=list(ids), reason=UNDONE, at=at, actor=actor)
