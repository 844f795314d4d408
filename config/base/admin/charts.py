"""Charts for the console, as data and options of the bundled Chart.js."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

MUTED = "#94a3b8"
PALETTE = ("#0d9488", "#6366f1", "#f59e0b", "#ec4899", "#0ea5e9", "#84cc16", "#94a3b8")

Number = int | float | None
Series = Sequence[tuple[str, Sequence[Number], str]]


def _options(*, is_stacked: bool, legend: str) -> dict[str, Any]:
    axis = {"stacked": is_stacked, "border": {"display": False}, "ticks": {"color": MUTED}}
    return {
        "responsive": True,
        "maintainAspectRatio": False,
        "animation": False,
        "interaction": {"mode": "index", "intersect": False},
        "plugins": {
            "legend": {
                "position": legend,
                "align": "end",
                "labels": {
                    "boxWidth": 8, "boxHeight": 8, "usePointStyle": True,
                    "pointStyle": "circle", "color": MUTED,
                },
            }
        },
        "scales": {
            "x": {**axis, "grid": {"display": False}},
            "y": {**axis, "beginAtZero": True, "grid": {"color": "rgba(148,163,184,.18)"}},
        },
    }  # fmt: skip


def bars(labels: Sequence[str], series: Series, *, is_stacked: bool = False) -> Mapping[str, str]:
    """Return a bar chart of (name, values, colour) series over the labels."""
    data = {
        "labels": list(labels),
        "datasets": [
            {
                "label": name, "data": list(values), "backgroundColor": colour,
                "borderRadius": 3, "maxBarThickness": 28,
            }
            for name, values, colour in series
        ],
    }  # fmt: skip
    options = _options(is_stacked=is_stacked, legend="top")
    return {"type": "bar", "data": json.dumps(data), "options": json.dumps(options)}


def lines(labels: Sequence[str], series: Series, *, from_zero: bool = True) -> Mapping[str, str]:
    """Return a line chart of (name, values, colour) series; a missing value is bridged."""
    data = {
        "labels": list(labels),
        "datasets": [
            {
                "label": name, "data": list(values), "borderColor": colour,
                "backgroundColor": colour, "borderWidth": 2, "pointRadius": 2, "tension": 0.25,
                "spanGaps": True,
            }
            for name, values, colour in series
        ],
    }  # fmt: skip
    options = _options(is_stacked=False, legend="top")
    options["scales"]["y"]["beginAtZero"] = from_zero
    return {"type": "line", "data": json.dumps(data), "options": json.dumps(options)}


def sparkline(values: Sequence[float], *, width: int = 120, height: int = 28) -> str:
    """Return the points of a small line, as SVG writes them; empty for fewer than two values."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    across, up = (width - 2) / (len(values) - 1), (height - 4) / ((high - low) or 1)
    middle = (height / 2) if high == low else None
    return " ".join(
        f"{1 + place * across:.1f},{middle or height - 2 - (value - low) * up:.1f}"
        for place, value in enumerate(values)
    )


def doughnut(parts: Sequence[tuple[str, int, str]]) -> Mapping[str, str]:
    """Return a ring of (name, value, colour) parts."""
    data = {
        "labels": [name for name, _value, _colour in parts],
        "datasets": [
            {
                "data": [value for _name, value, _colour in parts],
                "backgroundColor": [colour for _name, _value, colour in parts],
                "borderWidth": 0,
            }
        ],
    }
    options = {
        "responsive": True, "maintainAspectRatio": False, "animation": False, "cutout": "68%",
        "plugins": {"legend": {"display": False}}, "scales": {},
    }  # fmt: skip
    return {"type": "doughnut", "data": json.dumps(data), "options": json.dumps(options)}
