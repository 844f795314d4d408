"""Who follows the event log. An app's follower is listed here and nowhere else."""

from typing import Final

from campaigns import followers
from campaigns.services import triggering
from campaigns.tasks import follow_trigger, follow_triggers
from members import tasks
from members.services import delivery, webhooks
from members.services.delivery import Follower

FOLLOWERS: Final[tuple[Follower, ...]] = (
    Follower(webhooks.FOLLOWER, frozenset(), tasks.owe_to_webhooks, chooses=True),
    Follower(
        triggering.FOLLOWER, frozenset(), follow_trigger, chooses=True, handle_all=follow_triggers
    ),
    Follower(followers.REFERRALS, followers.REFERRAL_KINDS, followers.register_referral),
)


def install() -> None:
    """Register the followers; doing it again changes nothing."""
    for follower in FOLLOWERS:
        delivery.register(follower)
