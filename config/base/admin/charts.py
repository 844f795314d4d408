"""Charts for the console, as data and options of the bundled Chart.js."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

MUTED = "#94a3b8"
PALETTE = ("#0d9488", "#6366f1", "#f59e0b", "#ec4899", "#0ea5e9", "#84cc16", "#94a3b8")

Series = Sequence[tuple[str, Sequence[int], str]]


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
