"""Paid membership: bought once, renewed where it ends, reminded of once, refunded within its days.

Days count from 2 March 2026, local noon.
"""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from members.models import Case, Member, MemberEvent
from rewards import queries
from rewards.services import membership_sales
from rewards.services.commands import MemberFrozenError
from rewards.services.membership_sales import Sale
from tests.benefits.shops import grants_of
from tests.engine.shop import Shop, day
from tests.factories.benefits import left, only
from tests.factories.gifts import rule, uses
from tests.flows.stories import proven_shop
from tiers.models import Entitlement, MembershipPlan, PaidMembership, Tier
from tiers.services import entitlements, memberships, rollout
from tiers.services.memberships import MembershipError, Purchase

pytestmark = [pytest.mark.django_db, pytest.mark.req("BEN-16")]


@pytest.fixture
def shop(db: None) -> Iterator[Shop]:
    for shop in proven_shop():
        only(("silver", "lounge"), ("gold", "lounge"), ("gold", "delivery", 6))
        gold = Tier.objects.get(code="gold")
        MembershipPlan.objects.create(
            code="plus", name_zh="付费金卡", name_en="Gold Plus", tier=gold, price=Decimal(199),
        )  # fmt: skip
        rule("upgrade_gold", "tier_entered", (0, [uses("voucher", 2)]), tier="gold")
        yield shop


def bought(shop: Shop, ref: str, on: float) -> Purchase:
    shop.now = max(shop.now, day(on))
    return Purchase(ref, shop.touchpoint, day(on), "touchpoint:till")


def buy(shop: Shop, who: Member, ref: str = "P1", *, on: float = 1) -> Sale:
    return membership_sales.buy(member=who.pk, plan="plus", purchase=bought(shop, ref, on))


def pass_time(shop: Shop, to: float) -> None:
    shop.pass_time(to)
    rollout.follow_overrides(at=shop.now, recorded_at=shop.now)
    memberships.remind_due(at=shop.now, recorded_at=shop.now)
    memberships.end_due(at=shop.now, recorded_at=shop.now)


def tier(who: Member, on: float) -> str:
    return queries.current_tiers([who], at=day(on))[who.pk].tier.code


def kinds(who: Member) -> list[str]:
    rows = MemberEvent.objects.filter(member=who, kind__startswith="membership.").order_by("id")
    return [kind.removeprefix("membership.") for kind in rows.values_list("kind", flat=True)]


def test_who_buys_has_the_tier_its_benefits_and_its_pack_at_once(shop: Shop) -> None:
    ann = shop.join("ann")
    sale = buy(shop, ann)
    assert (sale.is_new, sale.membership.price) == (True, Decimal(199))
    assert [item["code"] for item in sale.issued] == ["voucher"]
    assert tier(ann, 1) == "gold"
    assert left(ann, day(1)) == {"lounge": None, "delivery": 6, "voucher": 2}
    shop.buy(ann, "A", 100, on=2)
    assert sum(shop.points(ann).values()) == 125, "gold earns × 1.25"


def test_the_same_purchase_again_sells_nothing(shop: Shop) -> None:
    ann, bob = shop.join("ann"), shop.join("bob")
    first = buy(shop, ann)
    again = buy(shop, ann, on=2)
    assert (again.is_new, again.membership.pk, again.issued) == (False, first.membership.pk, [])
    with pytest.raises(MembershipError) as refused:
        buy(shop, bob)
    assert refused.value.code == "purchase_ref_reused"
    with pytest.raises(MembershipError) as refused:
        buy(shop, ann, "P2", on=3)
    assert refused.value.code == "membership_running"
    assert PaidMembership.objects.count() == 1
    assert grants_of(ann) == [("upgrade_gold", "tier", "given")]


def test_what_is_earned_underneath_gives_nothing_a_second_time(shop: Shop) -> None:
    ann = shop.join("ann")
    buy(shop, ann)
    before = list(Entitlement.objects.filter(member=ann).values_list("id", flat=True))
    shop.buy(ann, "A", 3000, on=2)
    assert list(Entitlement.objects.filter(member=ann).values_list("id", flat=True)) == before
    assert grants_of(ann) == [("upgrade_gold", "tier", "given")]


def test_a_renewal_begins_where_the_first_period_ends(shop: Shop) -> None:
    ann = shop.join("ann")
    first = buy(shop, ann).membership
    assert first.until_at == day(366)
    second = membership_sales.renew(
        membership=first.public_id, purchase=bought(shop, "P2", 300)
    ).membership
    assert (second.from_at, second.until_at) == (first.until_at, day(732))
    entitlements.use(member=ann.pk, code="delivery", uses=1, at=day(365), actor="till")
    pass_time(shop, 370)
    assert tier(ann, 370) == "gold"
    assert left(ann, day(370))["delivery"] == 5, "the same year, the same claim"
    with pytest.raises(MembershipError) as refused:
        membership_sales.renew(membership=first.public_id, purchase=bought(shop, "P3", 371))
    assert refused.value.code == "membership_renewed"
    pass_time(shop, 732)
    assert (tier(ann, 732), left(ann, day(732))) == ("basic", {"voucher": 2})
    assert grants_of(ann) == [("upgrade_gold", "tier", "given")]


def test_one_that_is_over_is_renewed_from_now_on(shop: Shop) -> None:
    ann = shop.join("ann")
    first = buy(shop, ann).membership
    pass_time(shop, 400)
    assert tier(ann, 400) == "basic"
    second = membership_sales.renew(membership=first.public_id, purchase=bought(shop, "P2", 401))
    assert second.membership.from_at == day(401)
    assert tier(ann, 401) == "gold"
    assert second.issued == [], "the pack was given once"


def test_the_reminder_comes_once_and_to_nobody_who_has_decided(shop: Shop) -> None:
    ann, bob, cid = (shop.join(name) for name in ("ann", "bob", "cid"))
    rows = {who: buy(shop, who, f"P-{who.pk}").membership for who in (ann, bob, cid)}
    membership_sales.cancel(membership=rows[bob].public_id, at=day(300), actor="till")
    membership_sales.renew(membership=rows[cid].public_id, purchase=bought(shop, "R", 301))
    pass_time(shop, 358.9)
    assert kinds(ann) == ["bought"]
    pass_time(shop, 359)
    pass_time(shop, 360)
    assert kinds(ann) == ["bought", "reminder"]
    assert (kinds(bob), kinds(cid)) == (["bought", "cancelled"], ["bought", "renewed"])
    pass_time(shop, 366)
    assert [who_kinds[-1] for who_kinds in (kinds(ann), kinds(bob))] == ["ended", "ended"]


def test_a_cancelled_one_runs_to_its_end(shop: Shop) -> None:
    ann = shop.join("ann")
    row = buy(shop, ann).membership
    for _ in range(2):
        row = membership_sales.cancel(membership=row.public_id, at=day(5), actor="till")
    assert (row.status, tier(ann, 365)) == ("cancelled", "gold")
    pass_time(shop, 366)
    assert tier(ann, 366) == "basic"
    row.refresh_from_db()
    assert (row.status, row.closed_at) == ("ended", row.until_at)


def test_within_its_days_it_is_refunded_and_everything_goes_back(shop: Shop) -> None:
    ann = shop.join("ann")
    row = buy(shop, ann).membership
    row = membership_sales.refund(membership=row.public_id, at=day(8.4), actor="till")
    assert (row.status, row.price, tier(ann, 8.4)) == ("refunded", Decimal(199), "basic")
    assert left(ann, day(8.4)) == {}
    assert grants_of(ann) == [("upgrade_gold", "tier", "revoked")]
    membership_sales.refund(membership=row.public_id, at=day(9), actor="till")
    assert kinds(ann) == ["bought", "refunded"]
    assert buy(shop, ann, "P2", on=10).is_new


def test_gifts_used_before_the_refund_are_asked_back(shop: Shop) -> None:
    ann = shop.join("ann")
    row = buy(shop, ann).membership
    entitlements.use(member=ann.pk, code="voucher", uses=1, at=day(2), actor="till")
    membership_sales.refund(membership=row.public_id, at=day(3), actor="till")
    assert Case.objects.get().code == "gift_to_return"


def test_after_its_days_a_refund_is_refused(shop: Shop) -> None:
    ann = shop.join("ann")
    row = buy(shop, ann).membership
    with pytest.raises(MembershipError) as refused:
        membership_sales.refund(membership=row.public_id, at=day(8.5), actor="till")
    assert (refused.value.code, refused.value.details) == (
        "membership_refund_too_late", {"refund_days": 7},
    )  # fmt: skip
    assert tier(ann, 9) == "gold"


def test_a_renewal_that_has_not_begun_can_be_given_back_alone(shop: Shop) -> None:
    ann = shop.join("ann")
    first = buy(shop, ann).membership
    second = membership_sales.renew(
        membership=first.public_id, purchase=bought(shop, "P2", 2)
    ).membership
    with pytest.raises(MembershipError):
        membership_sales.refund(membership=first.public_id, at=day(3), actor="till")
    membership_sales.refund(membership=second.public_id, at=day(20), actor="till")
    assert tier(ann, 20) == "gold"
    pass_time(shop, 366)
    assert tier(ann, 366) == "basic"


def test_what_is_earned_higher_counts_beside_it(shop: Shop) -> None:
    ann = shop.join("ann")
    buy(shop, ann)
    shop.buy(ann, "A", 6000, on=2)
    assert tier(ann, 2) == "diamond"


def test_a_frozen_member_buys_nothing(shop: Shop) -> None:
    ann = shop.join("ann")
    Member.objects.filter(pk=ann.pk).update(status="frozen")
    with pytest.raises(MemberFrozenError):
        buy(shop, ann)
    assert not PaidMembership.objects.exists()
