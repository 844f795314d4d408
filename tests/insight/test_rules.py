"""What is said of a member follows from its history: bands, class, stage, dormancy, value."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from members.domain import insight, rhythm, value
from members.domain.insight import CustomerClass, History, Insight, Stage, Terms
from members.domain.rhythm import Dormancy
from members.domain.value import Inputs, Marks

START = date(2026, 1, 1)
FIXED = Terms(dormancy=Dormancy(by_rhythm=False))


def history(*orders: tuple[int, int], joined: int = 0) -> History:
    """Return a history of (day, amount in major units)."""
    days = [START + timedelta(days=on) for on, _amount in orders]
    amounts = [amount * 100 for _on, amount in orders]
    return History(START + timedelta(days=joined), days, amounts, [None] * len(orders))


def seen(found: History, on: int, terms: Terms = FIXED) -> Insight:
    return insight.assess(found, START + timedelta(days=on), terms)


@st.composite
def histories(draw: st.DrawFn) -> History:
    orders = sorted(draw(st.lists(st.tuples(st.integers(0, 900), st.integers(1, 5_000)))))
    made = history(*orders)
    firsts = sorted(draw(st.lists(st.sampled_from(made.days), max_size=5))) if orders else []
    margins = [draw(st.none() | st.integers(-500, 5_000)) for _order in orders]
    return History(made.joined_on, made.days, made.amounts, margins, firsts)


@pytest.mark.req("SEG-01", "SEG-02", "SEG-08")
@settings(max_examples=60)
@given(histories(), st.integers(0, 1_000), st.booleans())
def test_everybody_has_one_class_one_stage_and_one_band_each(
    found: History, on: int, by_rhythm: bool
) -> None:
    terms = Terms(dormancy=Dormancy(by_rhythm=by_rhythm))
    said = seen(found, on, terms)
    assert said == seen(found, on, terms)
    assert said.customer_class in CustomerClass
    assert (said.stage is Stage.ACQUIRE) is (said.orders_total == 0)
    assert 0 <= said.value.total <= 100
    assert said.review_on is None or said.review_on > START + timedelta(days=on)


@pytest.mark.req("SEG-15")
@settings(max_examples=40)
@given(histories(), st.integers(0, 600))
def test_nothing_changes_between_a_look_and_the_next_one_due(found: History, on: int) -> None:
    said = seen(found, on, Terms())
    end = said.review_on or START + timedelta(days=on + 400)
    last = min(end - timedelta(days=1), START + timedelta(days=on + 400))
    again = insight.assess(found, last, Terms())
    for name in ("stage", "customer_class", "frequency_band", "monetary_band", "spent", "value"):
        assert getattr(again, name) == getattr(said, name), name


inputs = st.builds(
    Inputs,
    orders=st.integers(0, 40), amount=st.integers(0, 1_000_000),
    margin=st.none() | st.integers(-10_000, 300_000), amount_recent=st.integers(0, 500_000),
    amount_before=st.integers(0, 500_000), referrals=st.integers(0, 5),
    reviews=st.integers(0, 12), survey_score=st.none() | st.integers(0, 10),
    new_groups=st.integers(0, 8),
)  # fmt: skip
RISING = (
    "orders", "amount", "margin", "amount_recent", "referrals", "reviews", "survey_score",
    "new_groups",
)  # fmt: skip


@pytest.mark.req("SEG-09", "SEG-10", "SEG-11")
@settings(max_examples=100)
@given(inputs, st.sampled_from(RISING), st.integers(1, 100_000))
def test_scores_rise_with_every_input_that_is_known(known: Inputs, name: str, more: int) -> None:
    had = getattr(known, name)
    if had is None:
        return
    plus = {each: getattr(known, each) for each in Inputs.__slots__} | {name: had + more}
    before, after = value.appraise(known, Marks()), value.appraise(Inputs(**plus), Marks())
    assert after.current >= before.current
    assert after.potential >= before.potential
    assert after.total >= before.total
    assert value.appraise(known, Marks()) == before
    assert all(part is None or 0 <= part <= 100 for part in before.parts.values())


@pytest.mark.req("SEG-10", "SEG-11")
def test_a_value_can_be_computed_by_hand() -> None:
    known = Inputs(
        orders=12, amount=300_000, amount_recent=150_000, amount_before=100_000, referrals=1,
        reviews=1, survey_score=4, new_groups=2,
    )  # fmt: skip
    found = value.appraise(known, Marks())
    assert found.parts == {
        "frequency": 50, "amount": 50, "margin": None, "growth": 75, "recommendation": 60,
        "new_products": 40,
    }  # fmt: skip
    # Without a margin frequency and amount weigh half each; (75×40 + 60×30 + 40×30) ÷ 100.
    assert (found.current, found.potential, found.total) == (50, 60, 54)
    with_margin = Inputs(orders=12, amount=300_000, margin=150_000)
    assert value.appraise(with_margin, Marks()).current == 60


@pytest.mark.req("SEG-01", "SEG-02")
def test_bands_begin_at_their_threshold_and_orders_leave_the_window_after_365_days() -> None:
    found = history(*((on, 500) for on in range(6)))
    assert (seen(found, 5).frequency_band, seen(found, 5).monetary_band) == ("medium", "high")
    assert seen(found, 364).frequency_band == "medium"
    assert (seen(found, 365).frequency_band, seen(found, 365).monetary_band) == ("low", "medium")
    assert seen(found, 364).review_on == START + timedelta(days=365)


@pytest.mark.req("SEG-15")
def test_a_fixed_number_of_days_without_an_order_is_dormant_on_the_right_day() -> None:
    found = history((0, 10))
    assert seen(found, 89).stage is Stage.ACTIVATE
    assert (seen(found, 90).stage, seen(found, 90).stage_on) == (
        Stage.DORMANT, START + timedelta(days=90),
    )  # fmt: skip


@pytest.mark.req("SEG-15")
@pytest.mark.parametrize(
    ("gaps", "days"),
    [
        ([14, 14], 90),  # no rhythm yet
        ([14, 14, 14], 42),
        ([5, 5, 5], 30),  # at least
        ([100, 100, 100], 180),  # at most
        ([11, 14, 15, 40], 44),  # 3 × 14.5 = 43.5
    ],
)
def test_dormancy_follows_the_members_own_rhythm(gaps: list[int], days: int) -> None:
    on = [START]
    for gap in gaps:
        on.append(on[-1] + timedelta(days=gap))
    found = rhythm.read(on, Dormancy())
    assert found.dormant_on == on[-1] + timedelta(days=days)
    usual = history(*(((day - START).days, 10) for day in on))
    last = (on[-1] - START).days
    assert seen(usual, last + days - 1, Terms()).stage is not Stage.DORMANT
    assert seen(usual, last + days, Terms()).stage is Stage.DORMANT


def test_several_orders_of_a_day_are_one_day_of_purchase() -> None:
    found = rhythm.read([START, START, START + timedelta(days=10)], Dormancy())
    assert found.median_gap == Decimal(10)


@pytest.mark.req("SEG-13")
def test_a_life_goes_through_its_stages() -> None:
    found = history((10, 50), (20, 50), (40, 50), (60, 50), (160, 50), (170, 50))
    stages = [
        (5, Stage.ACQUIRE), (10, Stage.ACTIVATE), (20, Stage.NURTURE), (60, Stage.RETAIN),
        (149, Stage.RETAIN), (150, Stage.DORMANT), (159, Stage.DORMANT), (160, Stage.WON_BACK),
        (249, Stage.WON_BACK), (250, Stage.RETAIN),
    ]  # fmt: skip
    assert [(on, seen(found, on).stage) for on, _stage in stages] == stages


@pytest.mark.req("SEG-13")
def test_who_buys_again_on_the_day_before_is_not_won_back() -> None:
    assert seen(history((0, 10), (89, 10)), 89).stage is Stage.NURTURE
    assert seen(history((0, 10), (90, 10)), 90).stage is Stage.WON_BACK


@pytest.mark.req("SEG-14")
def test_high_value_is_a_stage_of_its_own() -> None:
    found = history(*((on, 250) for on in range(24)))
    said = seen(found, 30)
    assert (said.value.current, said.stage) == (100, Stage.ADVOCATE)


@pytest.mark.req("SEG-08")
@pytest.mark.parametrize(
    ("orders", "on", "expected"),
    [
        ([], 89, "new"),
        ([], 90, "potential"),
        ([(0, 5_000)], 89, "new"),
        ([(0, 5_000)], 90, "high_end"),
        ([(0, 5_000)], 179, "high_end"),
        ([(0, 5_000)], 180, "churned"),
        ([(on, 10) for on in range(90, 96)], 190, "potential"),  # dormant, six orders
        ([(on, 10) for on in range(6)] + [(95, 10)], 100, "loyal"),
        ([(on, 10) for on in range(24)], 120, "loyal"),
    ],
)
def test_the_class_is_the_first_that_holds(
    orders: list[tuple[int, int]], on: int, expected: str
) -> None:
    assert seen(history(*orders), on).customer_class == expected


def test_what_lies_ahead_does_not_count_yet() -> None:
    found = history((0, 10), (50, 10))
    assert seen(found, 10).orders_total == 1
    assert seen(found, 10).review_on == START + timedelta(days=50)
    assert all(a <= b for a, b in pairwise(found.days))
