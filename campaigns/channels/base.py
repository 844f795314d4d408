"""What every channel is: it takes a message and says what became of it, and knows no database."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from campaigns.domain.templating import Rendered


class Outcome(StrEnum):
    """What became of a message at the provider.

    `not_reached` says that nothing has arrived, for sure: it is tried again. `unknown` may have
    arrived.
    """

    SENT = "sent"
    DELIVERED = "delivered"
    REFUSED = "refused"
    NOT_REACHED = "not_reached"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Result:
    """How handing a message over ended; `reason` is a code, never what a provider wrote."""

    outcome: Outcome
    reason: str = ""
    provider_id: str = ""


@dataclass(frozen=True, slots=True)
class Outbound:
    """One message on its way out. `values` are what its variables were filled with."""

    message_id: str
    member: str
    to: str = field(repr=False)
    text: Rendered
    purpose: str
    language: str
    template: str
    opt_out_url: str = ""
    values: Mapping[str, str] = field(default_factory=dict, repr=False)


Send = Callable[[Outbound], Result]
# How many of one channel are under way at a time.
ONE: Final = 1


class Channel(ABC):
    """A way to members. `address_kind` names the identifier that it needs, "" for none."""

    code: str = ""
    address_kind: str = ""
    address_app: str = ""
    parallel: int = ONE

    @abstractmethod
    def is_open(self) -> bool:
        """Tell whether the site is set up for it."""

    @abstractmethod
    def send(self, outbound: Outbound) -> Result:
        """Hand one message over; it never raises for what a network does."""

    @contextmanager
    def talk(self) -> Iterator[Send]:
        """Keep up what several messages in a row share, such as a connection."""
        yield self.send
