"""What a running site watches about itself, shown in `/readyz` and `/metrics`.

An app registers a function that returns numbers; a monitor that finds trouble degrades the
site, it does not take it out of service.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reading:
    """What a monitor found: numbers by name, and whether a person should look."""

    values: Mapping[str, float] = field(default_factory=dict)
    is_healthy: bool = True
    detail: str = ""


Monitor = Callable[[], Reading]

_monitors: dict[str, Monitor] = {}


def register(name: str, monitor: Monitor) -> None:
    """Add a monitor under a name of its own.

    Raises: ValueError when another one has the name.
    """
    if _monitors.get(name, monitor) is not monitor:
        raise ValueError(f"there is a monitor named {name} already")
    _monitors[name] = monitor


def readings() -> dict[str, Reading]:
    """Ask every monitor. One that fails is unhealthy; the others are asked all the same."""
    return {name: _ask(monitor) for name, monitor in sorted(_monitors.items())}


def _ask(monitor: Monitor) -> Reading:
    try:
        return monitor()
    except Exception as error:  # whatever a monitor does, the page is shown
        return Reading(is_healthy=False, detail=type(error).__name__)
