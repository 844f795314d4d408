"""Holds: points set aside for a purchase until they are captured, released or lapse."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from rewards.domain.lots import first_taken, without_last
from rewards.domain.transfers import Use


class HoldState(StrEnum):
    """Where a hold stands; the last three are final."""

    HELD = "held"
    CAPTURED = "captured"
    RELEASED = "released"
    LAPSED = "lapsed"


class HoldClosedError(DomainError):
    """The hold has been captured or released, or its time is over."""

    def __init__(self, state: HoldState) -> None:
        if state is HoldState.LAPSED:
            super().__init__("reservation_lapsed", _("The reservation has lapsed."), 409)
        else:
            super().__init__("reservation_closed", _("The reservation is closed."), 409)
        self.state = state


@dataclass(slots=True)
class Hold:
    """Points set aside and the lots they came from, in the order taken.

    `captured` of them were made final, from the front of the uses; `given_back` of those came back
    since, from the end of what was captured. `parent` is the hold that this one is a part of,
    `min_rank` the rank that the member needs when it is captured.
    """

    key: int
    points: int
    uses: tuple[Use, ...]
    expires_at: datetime
    subject: str | None = None
    parent: int | None = None
    min_rank: int | None = None
    state: HoldState = HoldState.HELD
    captured: int = 0
    given_back: int = 0

    @property
    def captured_uses(self) -> tuple[Use, ...]:
        """Return the lots of what was captured, in the order taken."""
        return first_taken(self.uses, self.captured)

    @property
    def spent_uses(self) -> tuple[Use, ...]:
        """Return the lots of what was captured and not given back, in the order taken."""
        return without_last(self.captured_uses, self.given_back)
