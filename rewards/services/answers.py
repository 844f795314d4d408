"""What a caller is told about a fact: built when it is posted, and built again when it is replayed.

Explanation items carry codes and figures; interfaces render them for people.
Source: design §6 (PUT /orders).
"""

from dataclasses import dataclass, field
from typing import Any

from config.base import money
from rewards.domain.posting import Balance, Decided, FactOutcome
from rewards.domain.programme import ProgrammeBook
from rewards.domain.receipt import Receipt


@dataclass(slots=True)
class Outcome:
    """What became of one submitted fact; `code` names a refusal, `data` is the answer."""

    status: int
    code: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


def refusal(status: int, code: str, **details: Any) -> Outcome:
    """Return the outcome of a fact that was not taken."""
    return Outcome(status, code, details)


def result_of(outcome: FactOutcome, decided: Decided, tiers: tuple[str, str]) -> dict[str, Any]:
    """Return what an evaluation keeps, so that the answer can be built again."""
    result: dict[str, Any] = {"tier": tiers}
    if decided.order is not None:
        result["order"] = decided.order
        result["net"] = decided.net
    if decided is outcome.decided[0]:
        if outcome.issues:
            result["issues"] = outcome.issues
        if outcome.is_superseded:
            result["superseded"] = True
    return result


def answer(  # noqa: PLR0913 - one keyword for each part of an answer
    book: ProgrammeBook,
    receipt: Receipt,
    *,
    awards: dict[int, int],
    delta: int,
    explanation: list[dict[str, Any]],
    result: dict[str, Any],
    balance: Balance,
    replayed: bool,
) -> dict[str, Any]:
    """Return the answer to a fact.

    `earned` is what the order is worth now, `delta` what this fact changed about it.
    """
    before, after = result["tier"]
    named = {book.ref(key).code: points for key, points in awards.items()}
    data: dict[str, Any] = {
        "points": {
            "earned": sum(named.values()),
            "delta": delta,
            "base": named.get("base", 0),
            "bonus": [
                {"rule": code, "points": points}
                for code, points in sorted(named.items())
                if code != "base"
            ],
        },
        "balance": balance._asdict(),
        "tier": {"before": before, "after": after, "changed": before != after},
        "issued": list(result.get("issued", ())),
        "explanation": explanation,
        "issues": list(result.get("issues", ())),
        "replayed": replayed,
    }
    if receipt.order_no:
        data["order"] = {
            "source": receipt.source,
            "order_no": receipt.order_no,
            "version": receipt.version,
            "net_amount": money.to_text(result.get("net", 0)),
            "superseded": result.get("superseded", False),
        }
    else:
        data["interaction"] = {"source": receipt.source, "ref": receipt.ref}
    return data
