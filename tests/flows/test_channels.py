"""One set of facts through three doors: one by one, in batches, from a file."""

import csv
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import call_command
from django.db import transaction

from config.base import clock
from members.domain.scopes import SCOPES
from members.models import Channel, Touchpoint
from members.services import api_keys
from rewards.models import GrantRuleVersion
from rewards.presets import PRESETS
from rewards.services import journal, presets
from tests import databases
from tests.api.conftest import Caller
from tests.factories import members
from tiers.models import TierBenefit

PHONES = [f"1390000{number:04}" for number in range(6)]
SOURCE = "shop"
# What differs between two runs of the same programme without meaning anything.
INCIDENTAL = {"id", "recorded_at", "hash", "prev_hash", "head_hash", "entry", "lot"}

COLUMNS = (
    "source", "order_no", "version", "status", "placed_at", "currency", "store",
    "identifier_kind", "identifier", "line_no", "sku", "category", "brand", "quantity", "amount",
)  # fmt: skip

Fact = dict[str, Any]
Door = Callable[[Sequence[Fact]], None]


@pytest.fixture
def doors(own_database: str) -> Iterator[Callable[[], str]]:
    """Set a programme with members up; returns how to enter a copy of it."""
    with transaction.atomic():
        presets.load(preset=PRESETS["retail_cn"], at=clock.now() - timedelta(days=400))
        # Gifts and benefits are given when a fact is received: each door has its own time.
        GrantRuleVersion.objects.update(state="draft")
        TierBenefit.objects.all().delete()
        for phone in PHONES:
            members.member(("phone", phone, ""), at=clock.now() - timedelta(days=100))
        Touchpoint.objects.create(
            code="shop", name="shop", channel=Channel.IMPORT, created_at=clock.now()
        )
    copies: list[str] = []

    def enter() -> str:
        databases.use(own_database)
        copies.append(databases.clone(own_database))
        databases.use(copies[-1])
        return copies[-1]

    yield enter
    databases.use(own_database)
    for copy in copies:
        databases.drop(copy)


def caller() -> Caller:
    touchpoint = Touchpoint.objects.get(code="shop")
    with transaction.atomic():
        return Caller(touchpoint, api_keys.issue(touchpoint, SCOPES, at=clock.now()))


def one_by_one(facts: Sequence[Fact]) -> None:
    shop = caller()
    for fact in facts:
        body = {key: value for key, value in fact.items() if key not in ("type", "source")}
        if fact["type"] == "order":
            path = f"/orders/{SOURCE}/{body.pop('order_no')}"
            answer = shop.put(path, body)
        elif fact["type"] == "refund":
            path = f"/orders/{SOURCE}/{body.pop('order_no')}/refunds"
            answer = shop.post(path, body)
        else:
            answer = shop.post("/interactions", {**body, "source": SOURCE})
        assert answer.status in (200, 201, 202), answer.body


def in_batches(facts: Sequence[Fact]) -> None:
    shop = caller()
    for start in range(0, len(facts), 17):
        answer = shop.post("/facts/batch", {"facts": list(facts[start : start + 17])})
        assert answer.status == 200, answer.body
        assert {result["status"] for result in answer.body["results"]} <= {200, 201, 202}


def journal_of() -> list[bytes]:
    """Return the journal without what is incidental, sorted."""
    lines = []
    for line in journal.export():
        content = {k: v for k, v in orjson.loads(line).items() if k not in INCIDENTAL}
        lines.append(orjson.dumps(content, option=orjson.OPT_SORT_KEYS))
    return sorted(lines)


def orders(count: int, seed: int) -> list[Fact]:
    """Return orders of the last three weeks, in business order."""
    rng = random.Random(seed)
    now = clock.now()
    facts = []
    for number in range(count):
        placed_at = now - timedelta(minutes=rng.randrange(60, 20 * 24 * 60))
        lines = [
            {
                "line_no": line,
                "sku": f"sku-{rng.randrange(9)}",
                "category": rng.choice(["dairy", "bread"]),
                "brand": "",
                "quantity": "1",
                "amount": f"{rng.randrange(100, 90_000) / 100:.2f}",
            }
            for line in range(1, rng.randrange(2, 5))
        ]
        facts.append(
            {
                "type": "order",
                "source": SOURCE,
                "order_no": f"A{number:04}",
                "version": 1,
                "identifier": {"kind": "phone", "value": rng.choice(PHONES)},
                "status": "paid",
                "placed_at": placed_at.isoformat(),
                "currency": "CNY",
                "lines": lines,
            }
        )
    return sorted(facts, key=lambda fact: str(fact["placed_at"]))


def with_aftermath(facts: Sequence[Fact], seed: int) -> list[Fact]:
    """Add refunds, cancellations and interactions in business order."""
    rng = random.Random(seed)
    dated = [(str(fact["placed_at"]), fact) for fact in facts]
    now = clock.now()
    for fact in facts:
        later = (now - timedelta(minutes=rng.randrange(1, 59))).isoformat()
        fate = rng.randrange(6)
        if fate == 0:
            refund = {"type": "refund", "source": SOURCE, "order_no": fact["order_no"]}
            refund |= {"refund_no": "r1", "refunded_at": later, "amount": "0.50"}
            dated.append((later, refund))
        elif fate == 1:
            cancelled = fact | {"version": 2, "status": "cancelled", "changed_at": later}
            dated.append((later, cancelled))
        elif fate == 2:
            survey = {"type": "interaction", "source": SOURCE, "ref": fact["order_no"]}
            survey |= {"identifier": fact["identifier"], "kind": "survey", "occurred_at": later}
            dated.append((later, survey))
    ranks = {"order": 0, "refund": 1, "interaction": 2}
    dated.sort(key=lambda each: (each[0], ranks[each[1]["type"]], each[1].get("ref", "")))
    return [fact for _at, fact in dated]


@pytest.mark.req("PTS-10", "MEM-13", "PTS-09")
def test_one_by_one_and_batches_write_the_same_journal(doors: Callable[[], str]) -> None:
    facts = with_aftermath(orders(60, seed=7), seed=8)
    # Points of the web shop are pending for a week: some have become available, some not yet.
    Touchpoint.objects.update(channel=Channel.WEB)
    doors()
    one_by_one(facts)
    expected = journal_of()
    doors()
    in_batches(facts)
    assert journal_of() == expected
    assert sum(b'"activated"' in line for line in expected) > 10
    assert sum(b'"refunded"' in line for line in expected) > 5


@pytest.mark.req("PTS-10", "INT-10")
def test_a_file_writes_the_same_journal_too(doors: Callable[[], str], tmp_path: Path) -> None:
    facts = orders(40, seed=9)
    doors()
    one_by_one(facts)
    expected = journal_of()
    doors()
    path = tmp_path / "orders.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for fact in facts:
            for line in fact["lines"]:
                writer.writerow(
                    [SOURCE, fact["order_no"], 1, "paid", fact["placed_at"], "CNY", "", "phone",
                     fact["identifier"]["value"], line["line_no"], line["sku"], line["category"],
                     line["brand"], line["quantity"], line["amount"]]
                )  # fmt: skip
    call_command("import_orders", str(path))
    assert journal_of() == expected
