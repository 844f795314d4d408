"""The engine agrees with a plain reference, in memory and through the services."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import transaction

from rewards.services import recompute
from tests.engine.machine import JOINED, PEOPLE, ShopMachine, check
from tests.engine.memory_shop import MemoryShop
from tests.engine.stored_shop import StoredShop


class StoredMachine(ShopMachine):
    """Everything through the services, on a database that is left as it was."""

    stored: StoredShop

    def open_shop(self) -> StoredShop:
        self.undo = transaction.atomic()
        self.undo.__enter__()
        return StoredShop(PEOPLE, JOINED)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    @contextmanager
    def settled(self) -> Iterator[None]:
        before = transaction.savepoint()
        self.stored.settle()
        yield
        transaction.savepoint_rollback(before)

    def folded_again(self) -> list[str]:
        ids = [member.pk for member in self.stored.people.values()]
        return [str(difference) for _member, difference in recompute.recompute_slice(ids)]


class MemoryMachine(ShopMachine):
    """The pure engine alone: many more histories in the same time."""

    stored: MemoryShop

    def open_shop(self) -> MemoryShop:
        return MemoryShop(PEOPLE, JOINED)

    @contextmanager
    def settled(self) -> Iterator[None]:
        before = copy.deepcopy(self.stored.people)
        self.stored.settle()
        yield
        self.stored.people = before

    def folded_again(self) -> list[str]:
        wrong = []
        for name, record in self.stored.people.items():
            fold = self.stored.folded_again(name)
            awards = {("order", key): order.awards for key, order in fold.orders.items()}
            awards |= {("interaction", key): one.awards for key, one in fold.interactions.items()}
            posted = {subject: each for subject, each in record.posted.items() if each}
            if {subject: each for subject, each in awards.items() if each} != posted:
                wrong.append(f"{name}: {awards} is not {posted}")
            if fold.tiers.changes != record.changes and record.changes:
                wrong.append(f"{name}: {fold.tiers.changes} is not {record.changes}")
        return wrong


REQUIREMENTS = pytest.mark.req(
    "PTS-01", "PTS-09", "PTS-11", "PTS-12", "TIR-02", "TIR-05", "TIR-08", "TIR-09"
)


@REQUIREMENTS
def test_engine_agrees_with_the_reference() -> None:
    check(MemoryMachine, examples=60, steps=30)


@REQUIREMENTS
@pytest.mark.django_db
def test_services_agree_with_the_reference() -> None:
    check(StoredMachine, examples=6, steps=25)


@REQUIREMENTS
@pytest.mark.prove
def test_engine_agrees_with_the_reference_for_long() -> None:
    check(MemoryMachine, examples=3_000, steps=60)


@REQUIREMENTS
@pytest.mark.prove
@pytest.mark.django_db
def test_services_agree_with_the_reference_for_long() -> None:
    check(StoredMachine, examples=200, steps=50)
