"""What a merge refuses, and what it does to consents, benefits, coupons and identifiers."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.domain import merging as rules
from members.domain.merging import Obstacle, Party
from members.models import Member, MemberMerge, MemberStatus
from members.services import consents, identity, profile
from members.services.consents import ConsentDecision
from members.services.merging import MergeError
from rewards.services import coupon_reading, merging, reservation
from rewards.services.commands import MemberFrozenError
from tests.engine.shop import Shop, day
from tests.factories import benefits, coupons
from tests.factories import members as make
from tests.flows.test_merge_story import merge, prove, unmerge
from tiers.services import entitlements, rollout

pytestmark = pytest.mark.req("MEM-04")

CONSENTS = st.dictionaries(
    st.tuples(st.sampled_from(["marketing", "profiling"]), st.sampled_from(["", "sms"])),
    st.booleans(),
)


@pytest.fixture
def shop(db: None) -> Iterator[Shop]:
    shop = Shop()
    yield shop
    prove()


@pytest.mark.parametrize(
    ("away", "into", "found"),
    [
        (Party(1, "active"), Party(1, "active"), [Obstacle.SAME_MEMBER]),
        (Party(1, "frozen"), Party(2, "active"), [Obstacle.AWAY_NOT_ACTIVE]),
        (Party(1, "merged"), Party(2, "active"), [Obstacle.AWAY_NOT_ACTIVE]),
        (Party(1, "active"), Party(2, "closed"), [Obstacle.INTO_NOT_ACTIVE]),
        (Party(1, "active"), Party(2, "merged"), [Obstacle.INTO_NOT_ACTIVE]),
        (Party(1, "active", has_reservation=True), Party(2, "active"), [Obstacle.RESERVATION_OPEN]),
        (Party(1, "active", has_membership=True), Party(2, "active"), [Obstacle.MEMBERSHIP_RUNS]),
        (Party(1, "active"), Party(2, "active", has_reservation=True), []),
    ],
)
def test_what_is_in_the_way_of_a_merge(away: Party, into: Party, found: list[Obstacle]) -> None:
    assert rules.obstacles(away, into) == found


@given(CONSENTS, CONSENTS)
def test_no_consent_is_gained_and_every_refusal_counts(
    away: dict[tuple[str, str], bool], into: dict[tuple[str, str], bool]
) -> None:
    after = into | rules.restricted(away, into)
    for (purpose, channel), granted in after.items():
        if granted:
            assert into.get((purpose, channel)) is True
            assert away.get((purpose, channel), away.get((purpose, ""), True)) is True
    refused = {key for key, granted in away.items() if not granted}
    assert all(after[key] is False for key in refused)


def test_consents_take_the_more_restrictive(shop: Shop) -> None:
    ann, bea = shop.join("ann"), shop.join("bea")
    told = {
        ann.pk: [ConsentDecision("marketing", True, "sms"), ConsentDecision("profiling", True)],
        bea.pk: [ConsentDecision("marketing", False), ConsentDecision("service", True)],
    }
    consents.record(told, touchpoint=None, at=day(1))
    merge(shop, bea, ann, on=2)
    now = {key: each.granted for key, each in consents.current([ann.pk])[ann.pk].items()}
    assert now == {
        ("marketing", ""): False, ("marketing", "sms"): False, ("profiling", ""): True,
    }  # fmt: skip


def test_gaps_of_the_profile_are_filled_under_the_survivors_own_key(shop: Shop) -> None:
    ann = make.member(("phone", "13800138000", ""), name="王小明", at=day(0))
    bea = make.member(("phone", "13900139000", ""), name="王大明", at=day(0), city="上海")
    merge(shop, bea, ann, on=2)
    known = profile.read(ann.pk)
    assert (known.name, known.city) == ("王小明", "上海")
    assert identity.find([("phone", "", "+8613900139000")]) == {
        ("phone", "", "+8613900139000"): ann.pk
    }


def test_a_reserved_purchase_is_in_the_way(shop: Shop) -> None:
    ann, bea = shop.join("ann"), shop.join("bea")
    shop.buy(bea, "B1", 300, on=1)
    held = shop.hold(bea, 50, on=2)
    with pytest.raises(MergeError) as refused:
        merge(shop, bea, ann, on=2)
    assert refused.value.code == "merge_reservation_open"
    assert not MemberMerge.objects.exists()
    reservation.release(reservation=held.public_id, at=day(2), actor="till")
    merge(shop, bea, ann, on=2)
    with pytest.raises(MemberFrozenError):
        shop.adjust(bea, 5, on=3)


def test_what_a_cancelled_purchase_gives_back_is_the_survivors(shop: Shop) -> None:
    ann, bea = shop.join("ann"), shop.join("bea")
    shop.buy(bea, "B1", 300, on=1)
    held = shop.hold(bea, 200, on=2)
    shop.buy(bea, "B2", 100, on=2, held=held, in_points=2)
    left = shop.balance(bea)[1]
    merge(shop, bea, ann, on=3)
    assert shop.balance(ann) == (0, left, 0, 0)
    shop.give_back("B2", "R1", on=4)
    # The 200 points come back to their lot and go on; what the order earned is taken back.
    assert shop.balance(bea) == (0, 0, 0, 0)
    assert shop.balance(ann) == (0, 300, 0, 0)


@pytest.mark.parametrize("days", [0, 31])
def test_a_merge_can_be_undone_for_thirty_days(shop: Shop, days: int) -> None:
    ann, bea = shop.join("ann"), shop.join("bea")
    merge(shop, bea, ann, on=1)
    if days:
        with pytest.raises(MergeError) as refused:
            unmerge(shop, bea, on=1 + days)
        assert refused.value.code == "merge_undo_too_late"
    else:
        unmerge(shop, bea, on=1)
        with pytest.raises(MergeError) as again:
            unmerge(shop, bea, on=1)
        assert again.value.code == "merge_not_found"


def test_the_latest_merge_is_undone_first(shop: Shop) -> None:
    ann, bea, cat = shop.join("ann"), shop.join("bea"), shop.join("cat")
    merge(shop, bea, ann, on=1)
    merge(shop, cat, ann, on=2)
    with pytest.raises(MergeError) as refused:
        unmerge(shop, bea, on=3)
    assert refused.value.code == "merge_not_latest"
    unmerge(shop, cat, on=3)
    unmerge(shop, bea, on=3)
    assert set(Member.objects.values_list("status", flat=True)) == {MemberStatus.ACTIVE}


def test_what_was_used_of_a_benefit_is_used(shop: Shop) -> None:
    ann, bea = shop.join("ann"), shop.join("bea")
    benefits.gives("basic", "delivery", 6)
    rollout.sync_all(at=day(0), recorded_at=day(0))
    entitlements.use(member=bea.pk, code="delivery", uses=4, at=day(1), actor="till")
    entitlements.use(member=ann.pk, code="delivery", uses=1, at=day(1), actor="till")
    merge(shop, bea, ann, on=2)
    with pytest.raises(entitlements.BenefitExhaustedError):
        entitlements.use(member=ann.pk, code="delivery", uses=2, at=day(3), actor="till")
    unmerge(shop, bea, on=4)
    entitlements.use(member=ann.pk, code="delivery", uses=5, at=day(5), actor="till")
    entitlements.use(member=bea.pk, code="delivery", uses=2, at=day(5), actor="till")


def test_coupons_of_the_merged_member_are_the_survivors(shop: Shop) -> None:
    ann, bea = shop.join("ann"), shop.join("bea")
    coupons.coupon(bea, at=day(1))
    merge(shop, bea, ann, on=2)
    found = coupon_reading.coupons_of(ann.pk, at=day(2), live=True, before=None, limit=5)
    assert [each.member_id for each in found] == [bea.pk]


def test_tier_gifts_are_not_given_twice(shop: Shop) -> None:
    ann, bea = shop.join("ann"), shop.join("bea")
    shop.buy(bea, "B1", 3000, on=1)
    points = shop.balance(bea)[1]
    merge(shop, bea, ann, on=2)
    assert (shop.tier(ann), shop.balance(ann)) == ("gold", (0, points, 0, 0))


def test_a_preview_is_what_the_merge_does_and_stores_nothing(shop: Shop) -> None:
    ann, bea = shop.join("ann"), shop.join("bea")
    shop.buy(bea, "B1", 1300, on=1)
    shown = merging.preview(away=bea.pk, into=ann.pk, at=day(2))
    assert shown.after is not None
    assert (shown.after.balance.available, shown.after.tier) == (1300, "silver")
    assert (shop.balance(ann), shop.tier(ann)) == ((0, 0, 0, 0), "basic")
    merge(shop, bea, ann, on=2)
    assert (shop.balance(ann), shop.tier(ann)) == ((0, 1300, 0, 0), "silver")
