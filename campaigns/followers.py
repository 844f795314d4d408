"""What the campaigns app does when something has happened to a member."""

from typing import Final

from campaigns.services import prospect_joining, referral_joining
from config.base import clock
from members.models import MemberProfile
from members.services.events import Delivery

REFERRALS: Final = "referrals"
REFERRAL_KINDS: Final = frozenset({"member.enrolled"})
PROSPECTS: Final = "prospects"
PROSPECT_KINDS: Final = frozenset({"member.enrolled", "member.identifier_attached"})
CODE: Final = "referral_code"


def register_referral(delivery: Delivery) -> None:
    """Register the referral of a new member who came with somebody's code."""
    rows = MemberProfile.objects.filter(member_id=delivery.member_id, attributes__has_key=CODE)
    code = rows.values_list(f"attributes__{CODE}", flat=True).first()
    if isinstance(code, str):
        referral_joining.register(
            friend_id=delivery.member_id, code=code, joined_at=delivery.occurred_at, at=clock.now()
        )


def let_prospects_join(delivery: Delivery) -> None:
    """Let whoever was a prospect join as the member, and give what was promised for it."""
    prospect_joining.join(
        member_id=delivery.member_id, occurred_at=delivery.occurred_at, at=clock.now()
    )
