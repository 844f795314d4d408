"""What campaigns keep of one person, for that person. Source: MEM-12; PIPL art. 45."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.db.models import F

from campaigns.models import CampaignAct, CampaignMember, Message, Payout, Referral, ReferralCode
from campaigns.services import sealed_texts

Rows = list[dict[str, Any]]


def _campaigns(line: Sequence[int]) -> Rows:
    rows = CampaignMember.objects.filter(member__in=line).order_by("id")
    said = ("arm", "variant", "entered_at", "treated_at", "left_at")
    return [dict(row) for row in rows.values(*said, of_campaign=F("campaign__code"))]


def _acts(line: Sequence[int]) -> Rows:
    rows = CampaignAct.objects.filter(member__in=line).order_by("id")
    said = ("key", "occurred_at", "at", "variant", "effects", "points", "skipped", "undone_at")
    return [dict(row) for row in rows.values(*said, of_campaign=F("campaign__code"))]


def _messages(line: Sequence[int]) -> Rows:
    """Return what was sent or is owed, with its text as long as that is kept."""
    rows = list(Message.objects.filter(member__in=line).order_by("id").select_related("template"))
    texts = sealed_texts.read(rows)
    return [
        {
            "id": row.public_id, "template": row.template.code, "purpose": row.purpose,
            "trigger": row.trigger, "occurrence": row.occurrence, "channel": row.channel,
            "state": row.state, "reason": row.reason, "due_at": row.due_at,
            "sent_at": row.sent_at, "delivered_at": row.delivered_at, "read_at": row.read_at,
            "subject": texts[row.pk].subject if row.pk in texts else None,
            "text": texts[row.pk].body if row.pk in texts else None,
        }
        for row in rows
    ]  # fmt: skip


def _codes(line: Sequence[int]) -> Rows:
    rows = ReferralCode.objects.filter(member__in=line).order_by("id")
    return [dict(row) for row in rows.values("code", "from_at", "ended_at")]


def _referrals(line: Sequence[int]) -> Rows:
    """Return whom the person has brought, as far as that says nothing of the friends."""
    rows = Referral.objects.filter(referrer__in=line).order_by("id")
    return [
        dict(row) for row in rows.values("state", "registered_at", "rewarded_at", "taken_back_at")
    ]


def _brought_by(line: Sequence[int]) -> Rows:
    rows = Referral.objects.filter(friend__in=line).order_by("id")
    return [
        dict(row)
        for row in rows.values("state", "registered_at", with_coupon=F("friend_coupon__code"))
    ]


def _payouts(line: Sequence[int]) -> Rows:
    rows = Payout.objects.filter(member__in=line).order_by("id")
    return [
        dict(row)
        for row in rows.values(
            "amount", "currency", "state", "requested_at", "paid_at", "reference"
        )
    ]


PARTS: Final[Mapping[str, Callable[[Sequence[int]], Rows]]] = {
    "campaigns": _campaigns,
    "campaign_acts": _acts,
    "messages": _messages,
    "referral_codes": _codes,
    "referrals": _referrals,
    "brought_by_somebody": _brought_by,
    "payouts": _payouts,
}
