"""Two members who are one person: merged, living on, and parted again, with numbers to check.

Days count from 2 March 2026. Under `classic` a unit earns a point (silver 1.1, gold 1.25), valid to
the end of the month a year later.
"""

from collections.abc import Iterator

import pytest

from members.models import Member, MemberEvent, MemberMerge
from members.services import merging as persons
from rewards.domain.verification import Verifier
from rewards.services import journal, merging, recompute
from tests.engine.shop import Shop, counts, day, unknown
from tests.proof import corruption

pytestmark = pytest.mark.req("MEM-04")


def merge(shop: Shop, away: Member, into: Member, *, on: float) -> MemberMerge:
    shop.now = max(shop.now, day(on))
    return merging.merge(
        away=away.pk, into=into.pk, note="same person", actor="staff:li", at=shop.now
    )


def unmerge(shop: Shop, away: Member, *, on: float) -> MemberMerge:
    shop.now = max(shop.now, day(on))
    return merging.unmerge(away=away.pk, note="two people", actor="staff:wu", at=shop.now)


def prove() -> None:
    """Show that everything stored is what a fold from zero gives, and that the audit is silent."""
    ids = recompute.member_ids()
    assert [str(difference) for _member, difference in recompute.recompute_slice(ids)] == []
    assert corruption.findings() == {}


@pytest.fixture
def shop(db: None) -> Iterator[Shop]:
    shop = Shop()
    yield shop
    prove()


def test_the_worked_example(shop: Shop) -> None:
    ann, bea = shop.join("ann"), shop.join("bea")
    shop.buy(ann, "A1", 800, on=1)
    shop.buy(bea, "B1", 300, on=2)
    shop.buy(bea, "B2", 400, on=40)
    assert (shop.balance(ann), shop.balance(bea)) == ((0, 800, 0, 0), (0, 700, 0, 0))
    merge(shop, bea, ann, on=50)
    # 800 + 700 points, their dates kept; 1,500 spent in the window: silver on the day of the merge.
    assert (shop.balance(ann), shop.balance(bea)) == ((0, 1500, 0, 0), (0, 0, 0, 0))
    assert shop.lots(ann) == [("2027-03-31", 800), ("2027-03-31", 300), ("2027-04-30", 400)]
    assert shop.standings(ann)[-1] == ("silver", "2026-04-21", "qualified")
    assert shop.progress(ann) == {"spend": "1500.00", "orders": "3.00"}
    # The number of the member that is gone leads to the survivor: 100 × 1.1.
    assert counts(shop.buy(unknown("bea"), "A2", 100, on=51)) == (200, 110, 110)
    # A refund of an order placed before the merge: its 300 points go, those of its own lot first.
    outcome = shop.give_back("B1", "R1", on=52)
    assert outcome.data["member"] == str(ann.public_id)
    assert counts(outcome) == (200, 0, -300)
    assert shop.balance(ann) == (0, 1310, 0, 0)
    assert shop.lots(ann) == [
        ("2027-03-31", 800), ("2027-04-30", 400), ("2027-04-30", 100), ("2027-04-30", 10),
    ]  # fmt: skip
    # 1,300 of spend are left: still silver.
    assert (shop.tier(ann), shop.progress(ann)["spend"]) == ("silver", "1300.00")
    unmerge(shop, bea, on=60)
    # What is left of the lots goes back; the order since then is the survivor's.
    assert (shop.balance(ann), shop.balance(bea)) == ((0, 910, 0, 0), (0, 400, 0, 0))
    assert shop.lots(bea) == [("2027-04-30", 400)]
    assert shop.standings(ann)[-1] == ("basic", "2026-05-01", "merge_undone")
    assert shop.progress(ann) == {"spend": "900.00", "orders": "2.00"}
    assert counts(shop.buy(unknown("bea"), "B3", 10, on=61))[1] == 10
    assert shop.balance(bea) == (0, 410, 0, 0)


def test_points_spent_meanwhile_stay_spent(shop: Shop) -> None:
    ann, bea = shop.join("ann"), shop.join("bea")
    shop.buy(bea, "B1", 300, on=1)
    shop.buy(ann, "A1", 100, on=40)
    merge(shop, bea, ann, on=41)
    shop.adjust(ann, -250, on=42)  # of the lot that ends first: the one that was taken over
    unmerge(shop, bea, on=43)
    assert (shop.balance(ann), shop.balance(bea)) == ((0, 100, 0, 0), (0, 50, 0, 0))


def test_pending_points_go_over_and_become_available_on_their_day(db: None) -> None:
    shop = Shop("retail_cn", "web")
    ann, bea = shop.join("ann"), shop.join("bea")
    shop.buy(bea, "B1", 300, on=1)
    before = shop.balance(bea)
    assert before[0] > 0
    merge(shop, bea, ann, on=2)
    assert (shop.balance(ann), shop.balance(bea)) == (before, (0, 0, 0, 0))
    shop.pass_time(10)
    assert shop.balance(ann) == (0, before[0], 0, 0)
    prove()


@pytest.mark.parametrize(
    ("survivor_has", "after", "parted"),
    [
        (500, ((0, 400, 0, 0), (0, 0, 0, 0)), ((0, 400, 0, 0), (0, 0, 0, 0))),
        (60, ((0, 0, 0, 40), (0, 0, 0, 0)), ((0, 0, 0, 0), (0, 0, 0, 40))),
    ],
)
def test_debt_is_taken_on_and_what_is_still_owed_goes_back(
    shop: Shop, survivor_has: int, after: object, parted: object
) -> None:
    ann, bea = shop.join("ann"), shop.join("bea")
    shop.buy(ann, "A1", survivor_has, on=1)
    shop.buy(bea, "B1", 100, on=1)
    shop.adjust(bea, -100, on=2)
    shop.give_back("B1", "R1", on=3)
    assert shop.balance(bea) == (0, 0, 0, 100)
    merge(shop, bea, ann, on=4)
    assert (shop.balance(ann), shop.balance(bea)) == after
    prove()
    unmerge(shop, bea, on=5)
    assert (shop.balance(ann), shop.balance(bea)) == parted


def test_the_better_tier_goes_over_with_its_term(shop: Shop) -> None:
    ann, bea = shop.join("ann"), shop.join("bea")
    shop.buy(bea, "B1", 3000, on=1)
    kept = shop.kept_until(bea)
    merge(shop, bea, ann, on=300)
    assert (shop.tier(ann), shop.standings(ann)[-1][2]) == ("gold", "merged")
    assert shop.kept_until(ann) >= kept
    unmerge(shop, bea, on=301)
    assert (shop.tier(ann), shop.tier(bea), shop.kept_until(bea)) == ("basic", "gold", kept)


def test_a_refund_within_days_withdraws_what_the_merge_alone_has_reached(shop: Shop) -> None:
    ann, bea = shop.join("ann"), shop.join("bea")
    shop.buy(ann, "A1", 600, on=1)
    shop.buy(bea, "B1", 600, on=1)
    merge(shop, bea, ann, on=2)
    assert shop.tier(ann) == "silver"
    shop.give_back("B1", "R1", on=3)
    assert shop.standings(ann)[-1] == ("basic", "2026-03-05", "qualification_withdrawn")


def test_versions_of_an_old_order_stay_with_it_and_pass_on_their_points(shop: Shop) -> None:
    ann, bea = shop.join("ann"), shop.join("bea")
    shop.buy(bea, "B1", 300, on=1)
    merge(shop, bea, ann, on=2)
    assert shop.buy(bea, "B1", 300, on=1, at=3).data["replayed"] is True
    assert shop.buy(unknown("bea"), "B1", 300, on=1, at=3).data["replayed"] is True
    raised = shop.buy(unknown("bea"), "B1", 500, on=1, version=2, changed=4)
    assert counts(raised)[2] == 200
    assert raised.data["balance"]["available"] == 500
    assert shop.balance(ann) == (0, 500, 0, 0)
    assert shop.progress(ann) == {"spend": "500.00", "orders": "1.00"}


def test_a_late_order_of_before_is_the_survivors(shop: Shop) -> None:
    ann, bea = shop.join("ann"), shop.join("bea")
    shop.buy(bea, "B1", 900, on=5)
    shop.buy(ann, "A1", 200, on=6)
    merge(shop, bea, ann, on=7)
    shop.buy(unknown("bea"), "B0", 50, on=1, at=8)
    assert shop.balance(ann) == (0, 1150, 0, 0)
    shop.give_back("A1", "R", on=9)
    unmerge(shop, bea, on=10)
    assert (shop.balance(ann), shop.balance(bea)) == ((0, 50, 0, 0), (0, 900, 0, 0))


def test_a_chain_is_undone_from_its_end(shop: Shop) -> None:
    ann, bea, cat = shop.join("ann"), shop.join("bea"), shop.join("cat")
    for who, number in ((ann, "A"), (bea, "B"), (cat, "C")):
        shop.buy(who, number, 400, on=1)
    merge(shop, bea, ann, on=2)
    merge(shop, ann, cat, on=3)
    assert shop.balance(cat) == (0, 1200, 0, 0)
    assert shop.tier(cat) == "silver"
    prove()
    shop.give_back("B", "R", on=4)
    assert shop.balance(cat) == (0, 800, 0, 0)
    assert (shop.progress(cat)["spend"], shop.progress(ann)["spend"]) == ("800.00", "400.00")
    prove()
    with pytest.raises(persons.MergeError) as refused:
        unmerge(shop, bea, on=5)
    assert refused.value.code == "merge_into_not_active"
    unmerge(shop, ann, on=6)
    unmerge(shop, bea, on=7)
    balances = [shop.balance(each)[1] for each in (ann, bea, cat)]
    assert balances == [400, 0, 400]


def test_the_journal_tells_and_proves_it(own_database: str) -> None:
    shop = Shop()
    ann, bea = shop.join("ann"), shop.join("bea")
    shop.buy(bea, "B1", 300, on=1)
    merge(shop, bea, ann, on=2)
    unmerge(shop, bea, on=3)
    lines = list(journal.export())
    assert list(Verifier().read(lines)) == []
    (line,) = [each for each in lines if b'"type":"merge"' in each]
    assert str(bea.public_id).encode() in line
    assert b'"undone_at":"2026-03-05' in line
    told = MemberEvent.objects.filter(kind__in=["member.merged", "member.unmerged"])
    assert sorted(told.values_list("member_id", "kind")) == sorted(
        (member.pk, kind) for member in (ann, bea) for kind in ("member.merged", "member.unmerged")
    )


def test_an_undone_merge_can_be_made_again(shop: Shop) -> None:
    ann, bea = shop.join("ann"), shop.join("bea")
    shop.buy(bea, "B1", 300, on=1)
    merge(shop, bea, ann, on=2)
    unmerge(shop, bea, on=3)
    merge(shop, bea, ann, on=4)
    assert shop.balance(ann) == (0, 300, 0, 0)
    assert shop.progress(ann) == {"spend": "300.00", "orders": "1.00"}
