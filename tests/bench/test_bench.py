"""The benches measure what they say: the same rows on both sides, floors judged the right way."""

import uuid
from datetime import timedelta

import pytest
from django.apps import apps

from config.base import clock
from config.bench import databases, population, replay, rules
from config.bench.measure import Meter, Ratio, alternate
from config.bench.scale import SCALES
from config.management.commands import bench
from members.models import Member, Order
from rewards.domain.submission import MemberRef
from rewards.models import Entry, PointsAccount
from rewards.presets import PRESETS
from rewards.services import intake, presets

DAY = timedelta(days=1)


@pytest.fixture
def populated(own_database: str) -> None:
    presets.load(preset=PRESETS["classic"], at=clock.now())
    population.populate([(clock.now() - 30 * DAY, 120_000)], 9)


def test_a_rate_below_its_floor_and_a_time_above_it_are_missed() -> None:
    assert Ratio("rate", 10, 100, "1/s", 0.1, 1.0).holds
    assert not Ratio("rate", 9, 100, "1/s", 0.1, 1.0).holds
    assert Ratio("time", 3, 2, "s", 1.5, 1.0, is_time=True).holds
    assert not Ratio("time", 4, 2, "s", 1.5, 1.0, is_time=True).holds
    assert Ratio("shown", 4, 2, "s", None, None, is_time=True).holds


def test_sides_are_measured_in_turns_and_by_their_medians() -> None:
    order: list[str] = []
    values = {"ours": iter([5.0, 1.0, 2.0]), "reference": iter([9.0, 7.0, 8.0])}

    def side(name: str) -> float:
        order.append(name)
        return next(values[name])

    assert alternate(lambda: side("ours"), lambda: side("reference"), 3) == (2.0, 8.0)
    assert order == ["reference", "ours"] * 3


def test_a_meter_tells_our_time_from_that_of_others() -> None:
    with Meter(None) as meter:
        sum(range(3_000_000))

    assert 0 < meter.cpu <= meter.seconds + 0.1
    assert meter.strangers >= 0


def test_json_has_the_promised_keys() -> None:
    written = Ratio("name", 1, 2, "s", 0.1, 1.0).as_json()

    assert {"name", "ours", "reference", "unit", "ratio", "floor", "goal"} <= written.keys()
    assert written["ratio"] == 0.5


def test_the_table_shows_every_ratio() -> None:
    shown = bench.table([Ratio("one", 1, 2, "s", 0.1, 1.0), Ratio("two", 1, 2, "s", None, None)])

    assert shown.row_count == 2


def test_a_hundred_rules_agree_with_the_generated_function() -> None:
    (ratio,) = rules.run("", SCALES["s"])

    assert ratio.ours > 0


@pytest.mark.usefixtures("populated")
def test_copied_members_have_what_the_first_one_has() -> None:
    assert Member.objects.count() == 10
    assert Member.objects.values("public_id").distinct().count() == 10
    assert set(PointsAccount.objects.values_list("available", flat=True)) == {1_200}
    assert Order.objects.filter(member__in=Member.objects.all()).count() == 10


@pytest.mark.usefixtures("populated")
def test_an_order_of_a_copied_member_is_decided_like_any_other() -> None:
    last = Member.objects.latest("id")
    fact = population.order(
        "next", MemberRef(public_id=last.public_id), clock.now() - DAY, [population.line(1, 10_000)]
    )

    (outcome,) = intake.receive([fact], touchpoint=None, at=clock.now())

    assert (outcome.status, outcome.data["points"]["earned"]) == (200, 110)  # silver: 10 % more


@pytest.mark.usefixtures("populated")
def test_the_reference_writes_the_rows_that_the_product_wrote() -> None:
    first = Member.objects.earliest("id")
    lines = [population.line(number, 1_000) for number in (1, 2, 3)]
    ref = MemberRef(public_id=first.public_id)
    fact = population.order("sample", ref, clock.now() - DAY, lines)
    intake.receive([fact], touchpoint=None, at=clock.now())

    written = replay.last_order()
    counts = {model._meta.label: len(rows) for model, rows in written.items()}
    _run_once(replay.script(written, replay.members()))

    assert counts["members.OrderLine"] == 3
    assert counts["rewards.PointsAccount"] == counts["rewards.FoldSnapshot"] == 1
    copied = Order.objects.latest("id")
    for label in ("members.OrderLine", "rewards.Entry", "rewards.Lot", "rewards.Evaluation"):
        model = apps.get_model(label)
        assert model.objects.filter(order=copied).count() == counts[label], label
    last = Entry.objects.filter(order=copied).latest("seq")
    assert last.seq == last.account.seq


def test_literals_hide_colons_from_pgbench() -> None:
    assert replay.literal(None) == "NULL"
    assert replay.literal("""{"a":"it's \\"}""") == r"""E'{"a"\x3a"it''s \\"}'"""


def _run_once(script: str) -> None:
    """Run the script as pgbench does for its first client."""
    number = uuid.uuid4().int % 1_000_000 + 1
    who = replay.members()
    values = {":member": str(who.last), ":key": f"'{20_000_000_000 + number * 64}'"}
    for name, value in values.items():
        script = script.replace(name, value)
    for statement in script.splitlines():
        if not statement.startswith("\\"):
            databases.execute(statement)
