"""What time brings about for prospects; listed in `config.wiring.due`."""

from campaigns.services import prospect_audience, prospect_sending
from config.base.jobs import Turn
from members.services import prospect_erasure


def address(turn: Turn) -> int:
    """Take newcomers into the audiences of offers to prospects, and write to them."""
    prospect_audience.take_in(at=turn.at)
    done = 0
    while count := prospect_sending.send_due(at=turn.at):
        done += count
        turn.progress(done, done)
    return done


def forget(turn: Turn) -> int:
    """Forget prospects who have not joined in time."""
    done = 0
    while count := prospect_erasure.forget_expired(at=turn.at):
        done += count
        turn.progress(done, done)
    return done
