"""Redemptions and quotes over HTTP, beside pgbench doing the same work on the same rows.

A redemption's reference writes the rows that a redemption has written, each of one of twenty
rewards. A quote's reference reads what a quote reads: the key, the member, and all that is known
of it.
"""

import itertools
import json
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings

from config.base import clock
from config.base.conditions.nodes import to_json
from config.bench import databases, pgbench, population, replay, rules, server
from config.bench.measure import Ratio, alternate
from config.bench.scale import Scale
from members.domain.scopes import SCOPES
from members.models import Channel
from members.services import api_keys, touchpoints
from rewards.domain.rules import Fixed, Multiplier, PerAmount, RuleSpec
from rewards.models import Reward, RewardKind, Rule, RuleVersion
from rewards.services import loading, stock

CONNECTIONS: Final = 16
CLIENTS: Final = 16
PRICE: Final = 10
LINES: Final = 8
REWARDS: Final = 20
PIECES: Final = 10_000_000

_KEY = "SELECT id, touchpoint_id, scopes FROM members_apikey WHERE secret_hash = '\\x00'"
_RESOLVE = "SELECT id FROM members_member WHERE id = :member AND status <> 'erased'"

_numbers = itertools.count(1)


def run(template: str, scale: Scale) -> Iterator[Ratio]:
    """Measure redemptions and, with a hundred active rules, quotes."""
    with databases.clone(template):
        now = clock.now()
        population.populate([(now - timedelta(days=30), 120_000)], scale.members - 1)
        rewards = [_reward(number, now) for number in range(REWARDS)]
        _add_rules(now)
        databases.settle()
        touchpoint = touchpoints.create_or_reuse(code="bench", channel=Channel.WEB, at=now)
        secret = api_keys.issue(touchpoint, SCOPES, at=now)
        with server.running(secret) as site:
            bench = Storefront(site, scale, rewards)
            yield bench.redemptions()
            yield bench.quotes()


def _reward(number: int, now: datetime) -> str:
    reward = Reward.objects.create(
        code=f"bench-{number}", kind=RewardKind.GOODS, name_zh="礼品", name_en="Gift", points=PRICE
    )
    stock.receive(reward=reward, quantity=PIECES, reason="delivered", at=now, actor="bench")
    return reward.code


def _add_rules(now: datetime) -> None:
    """Store the hundred rules of the engine's own bench."""
    for draft in rules.drafts():
        spec = draft.spec
        RuleVersion.objects.create(
            rule=Rule.objects.create(code=spec.code, name_zh=spec.code, name_en=spec.code),
            number=1,
            state="active",
            conditions=None if spec.conditions is None else to_json(spec.conditions),
            line_conditions=None if spec.line_conditions is None else to_json(spec.line_conditions),
            priority=100,
            created_at=now,
            created_by="bench",
            **_effect(spec),
        )


def _effect(spec: RuleSpec) -> dict[str, Any]:
    match spec.effect:
        case Fixed(points):
            return {"effect": "fixed", "points": points}
        case PerAmount(points, _per_amount):
            return {"effect": "per_amount", "points": points, "per_amount": 2}
        case Multiplier():
            return {"effect": "multiplier", "factor": 1.5}


class Storefront:
    """One server, and what a shop asks of it."""

    def __init__(self, site: server.Site, scale: Scale, rewards: Sequence[str]) -> None:
        """Read the members."""
        self.site, self.scale, self.rewards = site, scale, rewards
        rows = databases.execute("SELECT public_id::text FROM members_member ORDER BY id")
        self.members = [row[0] for row in rows]
        self.draw = random.Random(1)  # noqa: S311 - the same load every time

    def redemptions(self) -> Ratio:
        """Measure redemptions against the writes of one."""
        self.site.load(self._redeem(100), CONNECTIONS)
        since = replay.mark()
        self.site.load(self._redeem(1), 1)
        script = replay.script(
            replay.written_since(since), replay.members(), replay.UPDATED_BY_REDEMPTIONS
        )
        databases.settle()  # as the server does once a minute: both sides know what has grown
        ours, reference = self._rates(self._redeem, script)
        return Ratio("redeem", ours, reference, "requests/s", 0.12, 0.6, notes=self._notes())

    def quotes(self) -> Ratio:
        """Measure quotes of eight lines under a hundred rules against the reads of one."""
        who = replay.members()
        member = loading.READ.replace("%s::bigint[]", "ARRAY[:member]::bigint[]")
        script = (
            f"\\set member random({who.first}, {who.last})\n"
            + "".join(f"{' '.join(text.split())};\n" for text in (_KEY, _RESOLVE, member))
        )  # fmt: skip
        self.site.load(self._quote(100), CONNECTIONS)
        ours, reference = self._rates(self._quote, script)
        notes = self._notes() | {"rules": rules.RULES, "lines": LINES}
        return Ratio("quote_100_rules", ours, reference, "requests/s", None, None, notes=notes)

    def _notes(self) -> dict[str, Any]:
        return {"connections": CONNECTIONS, "members": len(self.members)}

    def _rates(self, requests: Any, script: str) -> tuple[float, float]:
        seconds = self.scale.load_seconds
        pgbench.rate(script, clients=CLIENTS, seconds=1)

        def ours() -> float:
            done = self.site.load(requests(seconds * self.scale.expected_rate), CONNECTIONS)
            return float(done["requests"] / done["seconds"])

        return alternate(
            ours, lambda: pgbench.rate(script, clients=CLIENTS, seconds=seconds), self.scale.rounds
        )

    def _redeem(self, count: int) -> list[bytes]:
        """Return requests for so many redemptions of any members."""
        return [
            self._post(
                "/redemptions",
                {"member": member, "reward": self.draw.choice(self.rewards)},
                once=True,
            )
            for member in self.draw.choices(self.members, k=count)
        ]

    def _quote(self, count: int) -> list[bytes]:
        """Return requests for so many quotes of any members."""
        return [
            self._post("/quotes", self._cart(member))
            for member in self.draw.choices(self.members, k=count)
        ]

    def _post(self, path: str, body: dict[str, Any], *, once: bool = False) -> bytes:
        key = f"bench-{next(_numbers)}" if once else ""
        return self.site.request("POST", path, json.dumps(body).encode(), key)

    def _cart(self, member: str) -> dict[str, Any]:
        lines = [
            {
                "line_no": number, "sku": f"SKU-{self.draw.randint(1, 500)}", "quantity": 1,
                "category": self.draw.choice(rules.CATEGORIES),
                "amount": f"{self.draw.randint(1, 90)}.00",
            }
            for number in range(1, LINES + 1)
        ]  # fmt: skip
        return {"member": member, "currency": settings.LOYALTY_CURRENCY, "lines": lines}
