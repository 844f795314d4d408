"""How much each scale loads."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes and rounds of one scale."""

    members: int
    """Members to whom orders are sent."""
    due: int
    """Members whose tiers are reviewed, and whose lots expire."""
    orders: int
    """Orders that are imported."""
    large: int
    """Members in the larger of the two databases that the console searches."""
    lines: int
    """Lines of the smaller of the two imports whose memory is compared: at least a full batch."""
    rounds: int
    load_seconds: int
    expected_rate: int
    """About how many orders a second are sent one by one: so many make a round of that length."""


SCALES: Final = {
    "s": Scale(20_000, 20_000, 10_000, 100_000, 25_000, 3, 3, 250),
    "m": Scale(100_000, 200_000, 100_000, 1_000_000, 50_000, 3, 5, 250),
    "l": Scale(1_000_000, 1_000_000, 500_000, 10_000_000, 200_000, 5, 10, 250),
}
