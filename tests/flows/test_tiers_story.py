"""Members going up and down the ladder: every metric, window and policy, from the till to the row.

Days count from 2 March 2026, the day of enrolment: day 304 is 31 December, day 365 2 March 2027.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from members.models import Member, MemberEvent
from tests.engine.shop import Shop, day
from tests.factories import ladders
from tests.factories.ladders import Way, way
from tests.flows.stories import SECOND, Story, both, buys, does, proven_shop, silver_for
from tiers.models import LadderVersion, Standing, Tier
from tiers.services import standing
from tiers.services.standing import OverrideTerms

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db: None) -> Iterator[Shop]:
    yield from proven_shop()


# Metrics and groups


@pytest.mark.req("TIR-01", "TIR-03")
@pytest.mark.parametrize(
    ("group", "falls_short", "reaches"),
    [
        ([way("spend", 1000)], buys((1, 400), (2, "599.99")), buys((1, 400), (2, 600))),
        ([way("orders", 3)], buys((1, 900), (2, 900)), buys((1, 1), (1, 1), (2, 1))),
        (
            [way("average_order", 300), way("orders", 2)],
            buys((1, 200), (2, "399.99")),
            buys((1, 200), (2, 400)),
        ),
        ([way("largest_order", 500)], buys((1, 499), (2, 499)), buys((1, 1), (2, 500))),
        (
            [way("interactions", 2)],
            does((1, "survey"), (2, "check_in")),
            does((1, "survey"), (2, "review")),
        ),
        (
            [way("referrals", 2)],
            does((1, "referral"), (2, "survey")),
            does((1, "referral"), (2, "referral")),
        ),
        ([way("points_earned", 150)], buys((1, "100.99"), (2, "49.99")), buys((1, 100), (2, 50))),
        (
            [way("growth", 100)],
            both(buys((1, 89)), does((2, "survey"))),
            both(buys((1, 90)), does((2, "survey"))),
        ),
    ],
    ids=lambda value: value[0]["metric"] if isinstance(value, list) else "",
)
def test_each_metric_is_reached_at_its_threshold_and_not_before(
    shop: Shop, group: list[Way], falls_short: Story, reaches: Story
) -> None:
    silver_for(group, growth_spend_weight=1, growth_interaction_weight=10)
    ann, bob = shop.join("ann"), shop.join("bob")
    falls_short(shop, ann)
    reaches(shop, bob)
    assert shop.standings(ann) == [("basic", "2026-03-02", "enrolled")]
    assert shop.standings(bob) == [
        ("basic", "2026-03-02", "enrolled"),
        ("silver", "2026-03-04", "qualified"),
    ]
    (event,) = MemberEvent.objects.filter(kind="tier.changed")
    assert (event.member_id, event.payload["from"], event.payload["to"]) == (
        bob.pk, "basic", "silver",
    )  # fmt: skip


@pytest.mark.req("TIR-02", "TIR-03")
@pytest.mark.parametrize(
    ("story", "group"),
    [
        (buys((1, 600)), None),
        (buys((1, 1), (2, 1)), None),
        (buys((1, 300), (2, 200)), 1),
        (does((1, "survey"), (2, "survey")), None),
        (does((1, "survey"), (2, "survey"), (3, "review")), 2),
        (both(does((1, "survey"), (1, "survey"), (1, "review")), buys((2, 300), (3, 200))), 2),
    ],
)
def test_any_group_is_enough_and_all_of_it_is_needed(
    shop: Shop, story: Story, group: int | None
) -> None:
    silver_for([way("spend", 500), way("orders", 2)], [way("interactions", 3)])
    ann = shop.join("ann")
    story(shop, ann)
    reached = Standing.objects.filter(member=ann, tier__code="silver").first()
    assert (reached is not None) == (group is not None)
    if reached is not None:
        (check,) = reached.evidence["checks"]
        assert check["group"] + 1 == group
        assert all(criterion["met"] for criterion in check["criteria"])


def test_a_rule_may_be_for_members_of_one_tier_only(shop: Shop) -> None:
    version = silver_for([way("spend", 1000)])
    ladders.ask(version, "gold", [way("spend", 5000)])
    ladders.ask(version, "gold", [way("interactions", 2)], from_tier="silver")
    ann, bob = shop.join("ann"), shop.join("bob")
    does((1, "survey"), (2, "survey"))(shop, ann)
    buys((1, 1000))(shop, bob)
    does((2, "survey"), (3, "survey"))(shop, bob)
    assert (shop.tier(ann), shop.tier(bob)) == ("basic", "gold")
    buys((4, 1000))(shop, ann)
    assert shop.tier(ann) == "silver"
    shop.do(ann, "again", "survey", on=5)
    assert shop.tier(ann) == "gold"


# Windows


@pytest.mark.req("TIR-04")
@pytest.mark.parametrize(
    ("window", "days", "second", "tier"),
    [
        ("rolling_days", 365, 310, "silver"),
        ("rolling_days", 11, 310, "silver"),
        ("rolling_days", 10, 310, "basic"),
        ("calendar_year", None, 304, "silver"),
        ("calendar_year", None, 305, "basic"),
        ("calendar_year", None, 304.5 - SECOND, "silver"),
        ("calendar_year", None, 304.5, "basic"),
        ("membership_year", None, 310, "silver"),
        ("membership_year", None, 364, "silver"),
        ("membership_year", None, 364.5 - SECOND, "silver"),
        ("membership_year", None, 364.5, "basic"),
        ("rolling_days", 65, 364.5 - SECOND, "silver"),
        ("rolling_days", 65, 364.5, "basic"),
        ("lifetime", None, 2000, "silver"),
        ("current_standing", None, 2000, "silver"),
    ],
)
def test_the_same_orders_count_or_not_by_the_window(
    shop: Shop, window: str, days: int | None, second: float, tier: str
) -> None:
    """600 on day 300, 27 December, and 400 some day after it; days end at midnight in Shanghai."""
    silver_for([way("spend", 1000, window, window_days=days)])
    ann = shop.join("ann")
    buys((300, 600), (second, 400))(shop, ann)
    assert shop.tier(ann) == tier


@pytest.mark.req("TIR-04")
def test_what_counts_since_the_tier_was_reached_begins_with_its_day(shop: Shop) -> None:
    version = silver_for([way("spend", 1000)])
    ladders.ask(version, "gold", [way("orders", 3, "current_standing")], from_tier="silver")
    ann = shop.join("ann")
    buys((1, 400), (2, 400), (5, 200))(shop, ann)
    assert shop.tier(ann) == "silver"
    shop.buy(ann, "next", 1, on=6)
    assert shop.tier(ann) == "silver", "two orders since day 5"
    shop.buy(ann, "third", 1, on=7)
    assert shop.tier(ann) == "gold"


# Keeping and losing


@pytest.mark.req("TIR-08")
def test_less_keeps_a_tier_than_earns_it(shop: Shop) -> None:
    version = silver_for([way("spend", 1000, window_days=90)])
    ladders.ask(version, "silver", [way("spend", 300, window_days=90)], purpose="retention")
    ann = shop.join("ann")
    buys((0, 1000), (200, 299))(shop, ann)
    assert shop.kept_until(ann) == "2027-03-02"
    shop.buy(ann, "one more", 1, on=201)
    assert shop.kept_until(ann) == "2027-09-19", "day 201 and 365 more"
    shop.pass_time(566)
    assert shop.tier(ann) == "silver"
    shop.pass_time(567)
    assert shop.standings(ann)[-1] == ("basic", "2027-09-20", "review_downgrade")


@pytest.mark.req("TIR-08")
@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (
            {"review": "one_level"},
            [
                ("silver", "2027-03-03", "review_downgrade"),
                ("basic", "2028-03-02", "review_downgrade"),
            ],
        ),
        ({"review": "to_earned"}, [("basic", "2027-03-03", "review_downgrade")]),
        ({"review": "to_earned", "grace_days": 30}, [("basic", "2027-04-02", "review_downgrade")]),
        (
            {"validity_days": 100},
            [
                ("silver", "2026-06-11", "review_downgrade"),
                ("basic", "2026-09-19", "review_downgrade"),
            ],
        ),
    ],
    ids=["one_level", "to_earned", "grace", "validity"],
)  # fmt: skip
def test_the_review_lowers_by_the_ladders_terms(
    shop: Shop, terms: dict[str, object], expected: list[tuple[str, str, str]]
) -> None:
    version = silver_for([way("spend", 1000, window_days=90)], **terms)
    ladders.ask(version, "gold", [way("spend", 3000, window_days=90)])
    ann, bob = shop.join("ann"), shop.join("bob")
    for member in (ann, bob):
        buys((0, 3000))(shop, member)
    shop.pass_time(800)
    assert shop.standings(ann)[2:] == expected
    assert shop.standings(bob)[2:] == expected


@pytest.mark.req("TIR-08")
def test_within_grace_nothing_flaps_and_an_order_keeps_the_tier(shop: Shop) -> None:
    silver_for([way("spend", 1000, window_days=90)], grace_days=30)
    ann = shop.join("ann")
    buys((0, 1000))(shop, ann)
    shop.pass_time(380)
    assert shop.tier(ann) == "silver", "kept until day 365, and 30 days of grace"
    shop.buy(ann, "rescue", 1000, on=390)
    shop.pass_time(500)
    assert len(shop.standings(ann)) == 2
    assert shop.kept_until(ann) == str((day(390) + timedelta(days=365)).date())


@pytest.mark.req("TIR-09")
@pytest.mark.parametrize(
    ("policy", "refunded_on", "ends"),
    [
        ("keep", 10, None),
        ("withdraw", 10, ("basic", "2026-03-12", "qualification_withdrawn")),
        ("withdraw", 30, ("basic", "2026-04-01", "qualification_withdrawn")),
        ("withdraw", 31, None),
        ("immediate", 40, ("basic", "2026-04-11", "refund_requalified")),
        ("grace", 40, ("basic", "2026-04-19", "refund_requalified")),
    ],
)
def test_a_refund_does_what_the_ladder_says(
    shop: Shop, policy: str, refunded_on: float, ends: tuple[str, str, str] | None
) -> None:
    silver_for([way("spend", 1000)], refund_policy=policy, grace_days=7)
    ann = shop.join("ann")
    shop.buy(ann, "A", 1000, on=0)
    shop.give_back("A", "r1", on=refunded_on, amount=500)
    shop.pass_time(47.4)
    if policy == "grace":
        assert shop.tier(ann) == "silver", "day 40, 7 days of grace, then midnight"
    shop.pass_time(60)
    assert shop.standings(ann)[2:] == ([ends] if ends else [])


@pytest.mark.req("TIR-09")
def test_who_qualifies_again_within_the_grace_keeps_the_tier(shop: Shop) -> None:
    silver_for([way("spend", 1000)], refund_policy="grace", grace_days=7)
    ann = shop.join("ann")
    shop.buy(ann, "A", 1000, on=0)
    shop.give_back("A", "r1", on=40, amount=500)
    shop.buy(ann, "B", 500, on=44)
    shop.pass_time(60)
    assert shop.standings(ann)[2:] == []


# Tiers set by staff


def override(shop: Shop, who: Member, code: str, *, on: float, until: float) -> None:
    """Set a tier from one day until another."""
    shop.now = max(shop.now, day(on))
    terms = OverrideTerms(who.pk, Tier.objects.get(code=code).pk, day(until), "complaint")
    standing.set_override(terms=terms, actor="staff:li", approver="staff:wu", at=shop.now)


@pytest.mark.req("TIR-10", "TIR-11")
def test_an_override_counts_from_the_next_order_and_ends_by_itself(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 100, on=4)
    override(shop, ann, "gold", on=5, until=10)
    shop.buy(ann, "late", 100, on=4.5, at=6)
    shop.buy(ann, "B", 100, on=6)
    shop.buy(ann, "C", 1000, on=7)
    assert shop.standings(ann)[-1] == ("silver", "2026-03-09", "qualified"), "goes on underneath"
    shop.buy(ann, "D", 100, on=10 - SECOND)
    shop.buy(ann, "E", 100, on=10)
    assert shop.points(ann) == {
        "A base": 100, "late base": 100,
        "B base": 100, "B tier": 25, "C base": 1000, "C tier": 250, "D base": 100, "D tier": 25,
        "E base": 100, "E tier": 10,
    }  # fmt: skip


@pytest.mark.req("TIR-11")
def test_an_override_may_lower_and_be_revoked(shop: Shop) -> None:
    ann = shop.join("ann")
    shop.buy(ann, "A", 3000, on=0)
    override(shop, ann, "basic", on=1, until=100)
    shop.buy(ann, "B", 100, on=2)
    running = ann.standing_overrides.get()
    standing.revoke_override(override_id=running.pk, actor="staff:wu", at=day(3))
    shop.buy(ann, "C", 100, on=4)
    assert shop.points(ann) == {"A base": 3000, "B base": 100, "C base": 100, "C tier": 25}
    assert shop.tier(ann) == "gold"


# Versions of the ladder


@pytest.mark.req("TIR-01")
def test_a_version_that_leaves_a_tier_out_puts_its_members_one_lower(shop: Shop) -> None:
    people = {code: shop.join(code) for code in ("basic", "silver", "gold")}
    for code, amount in (("silver", 1000), ("gold", 3000)):
        buys((0, amount))(shop, people[code])
    version = ladders.add(number=2, codes=("basic", "gold"), effective_from=day(10))
    ladders.ask(version, "gold", [way("spend", 2000)])
    override(shop, people["basic"], "silver", on=1, until=20)
    shop.pass_time(11)
    assert {code: shop.tier(member) for code, member in people.items()} == {
        "basic": "basic", "silver": "basic", "gold": "gold",
    }  # fmt: skip
    assert shop.standings(people["silver"])[-1] == ("basic", "2026-03-12", "ladder_changed")
    shop.buy(people["gold"], "G", 100, on=12)
    shop.buy(people["silver"], "S", 1000, on=12)
    shop.buy(people["basic"], "B", 100, on=12)
    assert shop.points(people["gold"])["G tier"] == 25
    assert shop.tier(people["silver"]) == "gold"
    assert shop.points(people["basic"]) == {"B base": 100}, "silver is worth nothing any more"
    assert LadderVersion.objects.get(number=2).rollout.done_at is not None
