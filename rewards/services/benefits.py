"""Benefits follow tiers in the transaction of the batch that changed them."""

from typing import Final

from rewards.services.happened import Happened, TierNews
from tiers.services import entitlements

LADDER_CHANGED: Final = "ladder_changed"


def follow_tiers(happened: Happened) -> None:
    """Give the benefits of tiers entered and end those of tiers left; history too, it is state.

    Source: BEN-17.
    """
    members = {news.member for news in happened.tiers if _moves(news)}
    entitlements.follow_tiers(members=members, at=happened.at, actor=happened.actor)


def _moves(news: TierNews) -> bool:
    """Tell whether the tier is another one: a renewal changes nothing, enrolment has given its."""
    if news.rank_before is None:
        return False
    return news.rank != news.rank_before or news.reason == LADDER_CHANGED
