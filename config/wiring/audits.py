"""Which apps' invariants the audit proves."""

from campaigns.services import audit as campaigns
from config.base import acts_audit, audit
from config.wiring import watched
from members.services import audit as members
from rewards.services import audit as rewards
from tiers.services import audit as tiers


def install() -> None:
    """Register the checks of every app; doing it again changes nothing."""
    watched.install()
    for app in (acts_audit, members, tiers, rewards, campaigns):
        audit.register(app.checks())
