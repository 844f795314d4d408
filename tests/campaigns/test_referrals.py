"""A member brings a friend: registered at enrolment, rewarded once for an order that is kept."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from campaigns.kpis import registry
from campaigns.models import Payout, Referral, ReferralCode, ReferralState
from campaigns.services import referral_codes, referral_joining, referrals
from config.base import audit, clock
from config.wiring import audits
from members.models import Case, Interaction, Member, MemberEvent, MemberStatus, Order
from rewards.models import Coupon, Entry
from rewards.services import order_moves, redeeming
from tests.engine.shop import Shop, day
from tests.factories import catalogue, coupons, members, staff
from tests.factories import referrals as people
from tests.factories.referrals import POINTS, join, of, programme, settle

pytestmark = [pytest.mark.django_db, pytest.mark.req("ENG-04")]

LEFT_OUT = ("append_only", "constraints_in_force", "acts_")


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop()
    monkeypatch.setattr(clock, "now", lambda: shop.now)
    people.subscribe()
    return shop


@pytest.fixture
def ann(shop: Shop) -> Member:
    return shop.join("ann")


def bring(ann: Member, **values: object) -> Member:
    return join(people.code(ann), **values)  # type: ignore[arg-type]


def state(friend: Member) -> tuple[str, list[str]]:
    found = of(friend)
    return found.state, found.reasons


def told(member: Member) -> list[str]:
    rows = MemberEvent.objects.filter(member=member, kind__startswith="referral.")
    return list(rows.order_by("id").values_list("kind", flat=True))


def referral_rate(on: float) -> Decimal:
    """Return the figure's numerator: who has brought somebody."""
    return registry.read(["referral_rate"], until=day(on))["referral_rate"].numerator


def broken() -> list[str]:
    audits.install()
    # Who may write what is no matter of referrals, and is proved where it is.
    checks = [each for each in audit.registered() if not each.code.startswith(LEFT_OUT)]
    return [
        f"{result.check.code} {violation}"
        for result in (audit.run_one(check) for check in checks)
        for violation in result.violations
    ]


@pytest.mark.req("KPI-02")
def test_the_referrer_is_rewarded_once_when_the_order_was_kept(shop: Shop, ann: Member) -> None:
    template = coupons.template("welcome")
    programme(friend_template=template)
    ben = bring(ann)
    shop.buy(ben, "B1", 99, on=1)
    settle(1)
    assert state(ben) == ("registered", [])
    shop.buy(ben, "B2", 100, on=2)
    settle(2)
    assert state(ben) == ("waiting", [])
    settle(9.4)  # the seventh full day after the order is not over
    assert (state(ben)[0], shop.balance(ann)) == ("waiting", (0, 0, 0, 0))
    settle(9.6)
    settle(30)
    assert state(ben) == ("rewarded", [])
    assert shop.balance(ann) == (0, POINTS, 0, 0)
    assert of(ben).entry == Entry.objects.get(member=ann)
    assert Entry.objects.get(member=ann).reason == "referral"
    assert of(ben).friend_coupon == Coupon.objects.get(member=ben)
    counted = Interaction.objects.get(member=ann)
    assert (counted.kind, counted.ref) == ("referral", f"referral:{of(ben).pk}")
    assert shop.progress(ann) == {"interactions": "1.00", "referrals": "1.00"}
    assert told(ann) == ["referral.registered", "referral.rewarded"]
    assert referral_rate(on=31) == 1
    assert broken() == []


def test_one_late_run_does_what_daily_runs_do(shop: Shop, ann: Member) -> None:
    programme()
    ben = bring(ann)
    shop.buy(ben, "B1", 100, on=2)
    settle(60)
    assert state(ben) == ("rewarded", [])


def test_a_refund_in_the_window_waits_for_another_order_or_lapses(shop: Shop, ann: Member) -> None:
    programme(valid_days=30)
    ben, cat = bring(ann), bring(ann)
    for friend, number in ((ben, "B1"), (cat, "C1")):
        shop.buy(friend, number, 150, on=1)
        settle(2)
        shop.give_back(number, "R1", on=3, amount=5_100)
    settle(10)
    assert [state(ben)[0], state(cat)[0]] == ["registered", "registered"]
    shop.buy(ben, "B2", 100, on=29)
    shop.buy(cat, "C2", 100, on=31)
    settle(31)
    assert [state(ben)[0], state(cat)[0]] == ["waiting", "lapsed"]
    settle(40)
    assert [state(ben)[0], state(cat)[0]] == ["rewarded", "lapsed"]
    assert shop.balance(ann)[1] == POINTS
    assert broken() == []


@pytest.mark.req("KPI-02")
def test_an_order_given_up_later_takes_the_points_back_into_debt(shop: Shop, ann: Member) -> None:
    programme()
    ben = bring(ann)
    shop.buy(ben, "B1", 100, on=1)
    settle(10)
    shop.adjust(ann, -200, on=11)
    shop.buy(ben, "B1", 100, on=1, version=2, status="cancelled", changed=12)
    settle(12)
    settle(13)
    assert state(ben) == ("taken_back", ["order_not_kept"])
    assert shop.balance(ann) == (0, 0, 0, 200)
    assert shop.progress(ann) == {}
    assert told(ann)[-1] == "referral.taken_back"
    assert referral_rate(on=12) == 0
    assert broken() == []


def test_an_order_given_up_after_the_watch_changes_nothing(shop: Shop, ann: Member) -> None:
    programme(claw_back_days=20)
    ben = bring(ann)
    shop.buy(ben, "B1", 100, on=1)
    settle(10)
    shop.give_back("B1", "R1", on=40)
    settle(40)
    assert state(ben) == ("rewarded", [])


def test_the_terms_may_ask_for_a_case_instead(shop: Shop, ann: Member) -> None:
    programme(claw_back="case")
    ben = bring(ann)
    shop.buy(ben, "B1", 100, on=1)
    settle(10)
    shop.give_back("B1", "R1", on=11)
    settle(11)
    settle(12)
    assert state(ben) == ("rewarded", ["order_not_kept"])
    assert shop.cases() == ["referral_to_return"]
    assert shop.balance(ann)[1] == POINTS


def test_an_order_moved_to_another_member_is_not_the_friends(shop: Shop, ann: Member) -> None:
    programme()
    ben = bring(ann)
    shop.buy(ben, "B1", 100, on=1)
    settle(10)
    cat = shop.join("cat", at=10)
    act = order_moves.Act("card_at_hand", "mixed up", "staff:eve", day(11))
    order_moves.move_order(order=Order.objects.get().pk, member=cat.pk, act=act)
    settle(11)
    assert state(ben)[0] == "taken_back"
    assert broken() == []


def test_a_coupon_is_given_and_taken_back_while_unused(shop: Shop, ann: Member) -> None:
    programme(reward="coupon", coupon_template=coupons.template("thanks"))
    ben = bring(ann)
    shop.buy(ben, "B1", 100, on=1)
    settle(10)
    coupon = Coupon.objects.get(member=ann)
    assert of(ben).coupon == coupon
    shop.give_back("B1", "R1", on=11)
    settle(11)
    coupon.refresh_from_db()
    assert (coupon.revoked_at, shop.cases()) == (day(11), [])
    assert broken() == []


def test_a_reward_that_has_run_out_is_held_and_nothing_is_given(shop: Shop, ann: Member) -> None:
    programme(reward="coupon", coupon_template=coupons.template("thanks", max_issued=0))
    ben = bring(ann)
    shop.buy(ben, "B1", 100, on=1)
    settle(10)
    assert state(ben) == ("held", ["coupon_template_exhausted"])
    assert not Interaction.objects.filter(member=ann).exists()


@pytest.mark.req("RWD-09")
def test_cash_goes_to_the_payout_queue_and_never_to_points(shop: Shop, ann: Member) -> None:
    programme(reward="cash")
    ben, cat = bring(ann), bring(ann)
    shop.buy(ben, "B1", 100, on=1)
    shop.buy(cat, "C1", 100, on=1)
    settle(10)
    first, second = Payout.objects.order_by("referral_id")
    assert (first.amount, first.currency, first.state) == (Decimal("20.00"), "CNY", "requested")
    assert not Entry.objects.filter(member=ann).exists()
    Payout.objects.filter(pk=second.pk).update(
        state="paid", decided_by="staff:li", decided_at=day(10), paid_by="staff:wu",
        paid_at=day(10), reference="T1",
    )  # fmt: skip
    shop.give_back("B1", "R1", on=11)
    shop.give_back("C1", "R1", on=11)
    settle(11)
    first.refresh_from_db()
    assert (first.state, first.decided_by) == ("refused", "system")
    assert shop.cases() == ["referral_to_return"]
    assert broken() == []


def test_terms_are_those_under_which_the_friend_joined(shop: Shop, ann: Member) -> None:
    programme()
    ben = bring(ann)
    programme(points=9_000, from_at=day(1))
    cat = bring(ann, on=2)
    programme(is_active=False, from_at=day(3))
    dan = bring(ann, on=4)
    for friend, number in ((ben, "B1"), (cat, "C1"), (dan, "D1")):
        shop.buy(friend, number, 100, on=5)
    settle(20)
    assert shop.balance(ann)[1] == POINTS + 9_000
    assert Referral.objects.count() == 2


def test_a_code_that_leads_to_nobody_is_told_and_kept(shop: Shop, ann: Member) -> None:
    programme()
    code = people.code(ann)
    mistyped = code[:-1] + ("0" if code[-1] != "0" else "1")
    ben = join(mistyped)
    assert told(ben) == ["referral.code_refused"]
    assert ben.profile.attributes["referral_code"] == mistyped
    cat = join(f" {code[:4].lower()}-{code[4:]} ")
    assert of(cat).referrer == ann
    referral_codes.replace(member_id=ann.pk, at=day(1))
    assert told(join(code, on=2)) == ["referral.code_refused"]
    assert ReferralCode.objects.filter(member=ann, ended_at=None).count() == 1


def test_a_second_delivery_of_the_enrolment_changes_nothing(shop: Shop, ann: Member) -> None:
    programme(friend_template=coupons.template("welcome"))
    ben = bring(ann)
    again = referral_joining.register(
        friend_id=ben.pk, code=people.code(ann), joined_at=day(0), at=day(1)
    )
    assert again == of(ben)
    assert Coupon.objects.filter(member=ben).count() == 1


def test_caps_of_the_month_and_the_year_hold(shop: Shop, ann: Member) -> None:
    programme(max_per_month=1, max_per_year=2)
    friends = [bring(ann) for _number in range(4)]
    for number, friend in enumerate(friends):
        shop.buy(friend, f"B{number}", 100, on=1 + 31 * (number // 2))
    settle(10)
    settle(42)
    assert [state(friend) for friend in friends] == [
        ("rewarded", []), ("refused", ["cap_month"]),
        ("rewarded", []), ("refused", ["cap_month", "cap_year"]),
    ]  # fmt: skip
    assert shop.balance(ann)[1] == 2 * POINTS


def test_too_many_friends_in_a_day_are_held_and_open_one_case(shop: Shop, ann: Member) -> None:
    programme(friends_per_day=2, friend_template=coupons.template("welcome"))
    friends = [bring(ann, on=number / 10) for number in range(4)]
    assert [state(friend)[0] for friend in friends] == ["registered", "registered", "held", "held"]
    assert Case.objects.get().code == "referral_burst"
    assert Coupon.objects.count() == 2
    assert state(bring(ann, on=2))[0] == "registered"


def test_a_known_phone_or_device_or_an_earlier_purchase_is_held(shop: Shop, ann: Member) -> None:
    programme()
    phone = members.phone()
    old = members.member(("phone", phone, ""), at=day(0))
    old.identifiers.update(ended_at=day(0))
    mine = members.phone()
    ended = members.member(("phone", mine, ""), at=day(0))
    ended.identifiers.update(ended_at=day(0), member=ann)
    ann.profile.attributes = {"device": "d-1"}
    ann.profile.save()
    assert state(bring(ann, phone=phone)) == ("held", ["known_before"])
    assert state(bring(ann, phone=mine)) == ("held", ["same_identifier"])
    assert state(bring(ann, device="d-1")) == ("held", ["same_device"])
    assert state(bring(ann, device="d-2")) == ("registered", [])
    assert state(bring(ann, device="d-2")) == ("held", ["same_device"])
    assert state(bring(ann, phone=members.phone())) == ("registered", [])


def test_who_enrols_friends_of_their_own_account_is_held(shop: Shop, ann: Member) -> None:
    programme()
    staff.person("eve", member=ann, staff_no="E7")
    assert state(bring(ann, staff="E7")) == ("held", ["own_staff"])
    assert state(bring(ann, staff="E8")) == ("registered", [])


def test_one_person_and_loops_are_found_after_a_merge(shop: Shop, ann: Member) -> None:
    programme()
    ben = bring(ann)
    new_ann = join(people.code(ben), on=1)
    same = bring(ann, on=1)
    for friend, number in ((new_ann, "A2"), (same, "S1")):
        shop.buy(friend, number, 100, on=2)
    Member.objects.filter(pk__in=[new_ann.pk, same.pk]).update(
        status=MemberStatus.MERGED, merged_into=ann
    )
    settle(20)
    assert state(new_ann) == ("held", ["friend_inactive", "loop"])
    assert state(same) == ("refused", ["friend_inactive", "same_person"])
    assert shop.balance(ben)[1] == shop.balance(ann)[1] == 0


def test_one_address_for_both_is_held(shop: Shop, ann: Member) -> None:
    programme()
    ben = bring(ann)
    reward = catalogue.reward("mug", 0, pieces=9, needs_address=True)
    for who, name, line in ((ann, "安", "南京路 1号"), (ben, "本", "南京路1 号")):
        catalogue.redeem(
            who, reward.code, at=day(1),
            address={"name": name, "phone": "1", "city": "上海", "line": line},
        )  # fmt: skip
    shop.buy(ben, "B1", 100, on=1)
    settle(10)
    assert redeeming.addresses_of(list(ann.redemptions.all()))
    assert state(ben) == ("held", ["same_address"])


def test_a_merged_referrers_survivor_is_rewarded(shop: Shop, ann: Member) -> None:
    programme()
    ben, cat = bring(ann), shop.join("cat")
    shop.buy(ben, "B1", 100, on=1)
    Member.objects.filter(pk=ann.pk).update(status=MemberStatus.MERGED, merged_into=cat)
    settle(10)
    assert state(ben) == ("rewarded", [])
    assert shop.balance(cat)[1] == POINTS


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"state": "rewarded", "rewarded_at": day(9)}, "referral_rewarded_for_order"),
        ({"state": "waiting"}, "referral_waits_for_order"),
        ({"state": "nonsense"}, "referral_state_known"),
        ({"state": "taken_back"}, "referral_"),
    ],
)
def test_the_database_refuses_states_without_their_ground(
    shop: Shop, ann: Member, change: dict[str, object], constraint: str
) -> None:
    programme()
    referral = of(bring(ann))
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Referral.objects.filter(pk=referral.pk).update(**change)


def test_a_referral_that_fails_keeps_no_other_from_its_turn(
    shop: Shop, ann: Member, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    programme()
    ben, cat = bring(ann), bring(ann)
    for friend, number in ((ben, "B1"), (cat, "C1")):
        shop.buy(friend, number, 100, on=1)
    first = of(ben).pk
    really = referrals.settle

    def failing(*, referral_id: int, **values: object) -> bool:
        if referral_id == first:
            raise RuntimeError("broken")
        return really(referral_id=referral_id, **values)  # type: ignore[arg-type]

    monkeypatch.setattr(referrals, "settle", failing)
    assert settle(10) == 1
    assert f"referral {first} was not settled" in caplog.text
    assert [state(ben)[0], state(cat)[0]] == ["registered", "rewarded"]
    assert ReferralState(state(cat)[0]) is ReferralState.REWARDED
    assert of(cat).kept_from == clock.day_start(clock.local_day(day(1)) + timedelta(days=8))
