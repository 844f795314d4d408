"""The jobs of campaigns: what starts them, whom they address, and what they may still give."""

from datetime import UTC, datetime

from campaigns.services import (
    launching,
    multipliers,
    trigger_calendar,
    trigger_waiting,
    triggering,
)
from config.base.jobs import Turn
from config.wiring import followers
from members.services import delivery


def follow_triggers(turn: Turn) -> int:
    """Hand campaigns the events that start them; whoever is quicker does it, here nothing waits."""
    followers.install()
    triggering.follow_wanted()
    done, at = 0, max(turn.recorded_at, datetime.now(UTC))
    while count := delivery.deliver(follower=triggering.FOLLOWER, at=at):
        done += count
        turn.progress(done, done)
    return done


def waiting_triggers(turn: Turn) -> int:
    """Let campaigns act on what has waited for its instant."""
    return trigger_waiting.fire_waiting(
        at=turn.at, recorded_at=turn.recorded_at, progress=turn.progress
    )


def calendar_triggers(turn: Turn) -> int:
    """Go through the days of campaigns of the calendar."""
    return trigger_calendar.fire_calendar(
        at=turn.at, recorded_at=turn.recorded_at, progress=turn.progress
    )


def watch_multipliers(turn: Turn) -> int:
    """Count what multipliers give against the budgets of their campaigns, and end them with it."""
    return multipliers.watch(at=turn.at, recorded_at=turn.recorded_at)


def keep_campaigns(turn: Turn) -> int:
    """Bring the audiences of campaigns up to date, and end the campaigns that are over.

    After the triggers: what came before the end of a campaign is still met.
    """
    return launching.keep_going(at=turn.at)
