"""Benefits follow tiers in the transaction of the batch that changed them."""

from rewards.services.happened import Happened
from tiers.services import entitlements


def follow_tiers(happened: Happened) -> None:
    """Give the benefits of tiers entered and end those of tiers left; history too, it is state.

    Source: BEN-17.
    """
    entitlements.follow_tiers(members=happened.moved_tiers, at=happened.at, actor=happened.actor)
