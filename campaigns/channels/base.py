"""What every channel is: it takes a message and says what became of it, and knows no database."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeVar

from campaigns.domain.templating import Rendered

Line = TypeVar("Line")


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

    def send_each(self, lines: Iterable[tuple[Line, Outbound]]) -> Iterator[tuple[Line, Result]]:
        """Send one after the other; when nobody answers, the rest are not tried."""
        result: Result | None = None
        with self.talk() as send:
            for line, message in lines:
                if result is None or result.outcome is not Outcome.NOT_REACHED:
                    try:
                        result = send(message)
                    except Exception as error:  # whatever one does, the others are answered for
                        result = Result(Outcome.UNKNOWN, type(error).__name__)
                yield line, result
