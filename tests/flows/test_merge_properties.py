"""Whatever happens to two members before, between and after: nothing is lost, all can be proved."""

from collections.abc import Sequence

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from members.models import Member
from tests.engine.shop import Shop
from tests.flows.test_merge_story import merge, prove, unmerge

pytestmark = pytest.mark.req("MEM-04")

Deed = tuple[str, int, int]

DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "buy", "late", "refund", "correct", "spend", "do"]),
        st.integers(0, 1),
        st.integers(1, 900),
    ),
    min_size=1,
    max_size=5,
)


class Couple:
    """Two members of a shop, and what they have bought."""

    def __init__(self, preset: str) -> None:
        self.shop = Shop(preset, "web")
        self.people = [self.shop.join("ann"), self.shop.join("bea")]
        self.orders: list[tuple[str, int, int]] = []
        self.placed: dict[str, float] = {}
        self.day = 1.0

    def act(self, deeds: Sequence[Deed]) -> None:
        for kind, whose, amount in deeds:
            self.day += 1 + amount % 5
            getattr(self, kind)(self.people[whose], amount)

    def buy(self, who: Member, amount: int, ago: int = 0) -> None:
        number = f"O{len(self.orders)}"
        placed = max(0.5, self.day - ago)
        self.orders.append((number, who.pk, amount))
        self.placed[number] = placed
        self.shop.buy(who, number, amount, on=placed, at=self.day)

    def late(self, who: Member, amount: int) -> None:
        self.buy(who, amount, ago=amount % 20)

    def refund(self, _who: Member, amount: int) -> None:
        if self.orders:
            number, _pk, worth = self.orders[amount % len(self.orders)]
            part = min(worth, 1 + amount // 2)
            self.shop.give_back(number, f"R{self.day}", on=self.day, amount=part)

    def do(self, who: Member, amount: int) -> None:
        self.shop.do(who, f"I{self.day}", "survey", on=self.day)

    def correct(self, who: Member, amount: int) -> None:
        """Send a higher version of some order, which may name the other member."""
        if self.orders:
            number, _pk, worth = self.orders[amount % len(self.orders)]
            placed = self.placed[number]
            version, more = int(self.day * 10), worth + amount
            self.shop.buy(who, number, more, on=placed, version=version, changed=self.day)

    def spend(self, who: Member, amount: int) -> None:
        who.refresh_from_db()
        available = self.shop.balance(who)[1]
        if who.status == "active" and available:
            self.shop.adjust(who, -min(amount, available), on=self.day)

    def total(self) -> int:
        balances = [self.shop.balance(who) for who in self.people]
        return sum(pending + free + held - owed for pending, free, held, owed in balances)


@settings(
    max_examples=5, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(preset=st.sampled_from(["classic", "retail_cn"]), before=DEEDS, between=DEEDS, after=DEEDS)
def test_merged_and_parted_nothing_is_lost(
    db: None, preset: str, before: list[Deed], between: list[Deed], after: list[Deed]
) -> None:
    with transaction.atomic():
        couple = Couple(preset)
        couple.act(before)
        couple.day += 1
        couple.shop.pass_time(couple.day)
        ann, bea = couple.people
        had = couple.total()
        merge(couple.shop, bea, ann, on=couple.day)
        assert couple.total() == had
        assert couple.shop.balance(bea) == (0, 0, 0, 0)
        couple.act(between)
        assert couple.shop.balance(bea) == (0, 0, 0, 0)
        couple.day += 0.01
        couple.shop.pass_time(couple.day)
        had = couple.total()
        if couple.day < 30:
            unmerge(couple.shop, bea, on=couple.day)
            assert couple.total() == had
        couple.act(after)
        prove()
        transaction.set_rollback(True)
