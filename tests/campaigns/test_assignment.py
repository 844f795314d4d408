"""Arms and variants: stable, exact in each stratum, and kept by whoever has one."""

import uuid
from collections import Counter

import pytest

from campaigns.domain import assignment
from campaigns.domain.assignment import Candidate, Held, Variant, Wanted

pytestmark = pytest.mark.req("CMP-09")

MANY = [Candidate(n, assignment.position("s", uuid.UUID(int=n))) for n in range(12_007)]


def grown(stage: int, holdout: int = 0) -> tuple[set[int], set[int]]:
    """Return who is addressed and who is held out when an audience is assigned at a stage."""
    wants = assignment.wanted(Held(), len(MANY), holdout_percent=holdout, stage_percent=stage)
    arms = assignment.assign(wants, MANY, [])
    return set(arms.treated), set(arms.holdout)


def test_places_are_spread_evenly_and_stay_the_same() -> None:
    tenths = Counter(int(each.position * 10) for each in MANY)
    assert set(tenths) == set(range(10))
    assert max(abs(count - 1200) for count in tenths.values()) < 120
    # Written down: another machine, another year, the same place.
    assert assignment.position("s", uuid.UUID(int=7)) == MANY[7].position
    assert f"{assignment.position('spring', uuid.UUID(int=1)):.9f}" == "0.352680174"


@pytest.mark.parametrize("holdout", [0, 10])
def test_each_stage_has_its_exact_share_and_keeps_the_one_before(holdout: int) -> None:
    before: set[int] = set()
    left_out: set[int] | None = None
    for stage in (5, 20, 100):
        treated, held = grown(stage, holdout)
        addressable = len(MANY) - len(held)
        assert abs(len(treated) - addressable * stage / 100) <= 1
        assert abs(len(held) - len(MANY) * holdout / 100) <= 1
        assert before <= treated
        assert not treated & held
        assert left_out in (None, held)
        before, left_out = treated, held


def test_a_stage_grows_out_of_those_who_wait() -> None:
    first = assignment.assign(Wanted(holdout=0, treated=600), MANY, [])
    by_member = {each.member: each for each in MANY}
    waiting = sorted((by_member[m] for m in first.waiting), key=lambda each: each.order)
    held = Held(treated=600, waiting=len(waiting))
    wants = assignment.wanted(held, 0, holdout_percent=0, stage_percent=20)
    more = assignment.assign(wants, [], waiting[: wants.treated])

    assert set(first.treated) | set(more.treated) == grown(20)[0]


def test_newcomers_one_by_one_keep_every_share_exact() -> None:
    held, holdout = Held(), 0
    for number in range(1, 400):
        wants = assignment.wanted(held, 1, holdout_percent=10, stage_percent=20)
        arms = assignment.assign(wants, [MANY[number]], [MANY[0]] * wants.treated)
        holdout = held.holdout + len(arms.holdout)
        treated = held.treated + wants.treated
        held = Held(treated, holdout, number - treated - holdout)
        assert abs(holdout - number / 10) <= 0.5
        assert abs(treated - (number - holdout) / 5) <= 0.5


def test_variants_are_drawn_by_their_weights() -> None:
    variants = [Variant("a", 3), Variant("b", 1), Variant("vip", 1, "vip")]
    drawn = Counter(assignment.draw(variants, each.position) for each in MANY)

    assert set(drawn) == {"a", "b"}
    assert abs(drawn["a"] / len(MANY) - 0.75) < 0.02


@pytest.mark.req("RWD-14")
def test_a_segment_goes_before_what_was_drawn() -> None:
    variants = [Variant("a"), Variant("vip", 1, "vip"), Variant("new", 1, "new")]
    assert assignment.choose(variants, "a", {"new", "vip"}) == ("vip", "vip")
    assert assignment.choose(variants, "a", set()) == ("a", "")
