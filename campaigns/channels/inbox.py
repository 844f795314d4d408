"""The in-app inbox: the message's row is the message, and the app reads it over the API."""

from typing import Final

from campaigns.channels.base import Channel, Outbound, Outcome, Result

_THERE: Final = Result(Outcome.DELIVERED)


class Inbox(Channel):
    """Messages that members find in the app."""

    code = "inbox"

    def is_open(self) -> bool:
        """Tell that there is always an inbox."""
        return True

    def send(self, outbound: Outbound) -> Result:
        """Leave the message where it is."""
        return _THERE
