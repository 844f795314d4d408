"""Coupons issued, claimed, redeemed, rolled back, revoked and loaded."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from config.base.errors import DomainError
from members.models import Member, MemberEvent, MemberStatus
from rewards.domain import coupon_codes
from rewards.models import Coupon, CouponBatch, CouponStatus, CouponTemplate, CouponUse
from rewards.services import (
    coupon_batches,
    coupon_redemption,
    coupon_revocation,
    coupon_templates,
)
from rewards.services.coupon_reading import claimable
from rewards.services.coupon_redemption import Redeeming
from tests.engine.shop import Shop, day
from tests.factories import catalogue, coupons
from tests.flows import stories

pytestmark = [pytest.mark.django_db, pytest.mark.req("RWD-01")]


@pytest.fixture
def shop(db: None) -> Iterator[Shop]:
    """Give a shop; afterwards the audit is silent."""
    yield from stories.proven_shop()


def redeem(who: Member | None, code: str, *, on: float = 1, reference: str = "") -> CouponUse:
    return coupon_redemption.redeem(
        member=None if who is None else who.pk, wanted=Redeeming(code, reference),
        touchpoint=None, at=day(on), actor="till",
    )  # fmt: skip


def claim(who: Member, of: CouponTemplate, *, on: float = 1) -> Coupon:
    return coupon_redemption.claim(member=who.pk, template=of.code, at=day(on), actor="app")


def refused(code: str) -> Any:
    return pytest.raises(DomainError, match=f"^{code}:")


def status(coupon: Coupon, on: float = 1) -> CouponStatus:
    return Coupon.objects.get(pk=coupon.pk).status_at(day(on))


# Issuing


def test_issued_coupon_is_good_to_the_end_of_its_last_day(shop: Shop) -> None:
    coupon = coupons.coupon(shop.join("ann"), at=day(0), expires_after_days=30)

    # Issued on 2 March; its last valid day is 1 April.
    assert coupon.expires_at is not None
    assert coupon.expires_at.isoformat() == "2026-04-01T16:00:00+00:00"
    event = MemberEvent.objects.get(kind="coupon.issued")
    assert event.payload["coupon"] == str(coupon.public_id)


def test_coupon_is_never_good_for_longer_than_its_template(shop: Shop) -> None:
    coupon = coupons.coupon(shop.join("ann"), at=day(0), expires_after_days=30, valid_until=day(3))

    assert coupon.expires_at == day(3)


def test_no_more_are_issued_than_there_may_be(shop: Shop) -> None:
    ann, of = shop.join("ann"), coupons.template(max_issued=1)
    coupons.coupon(ann, of, at=day(0))

    with refused("coupon_template_exhausted"):
        coupons.coupon(ann, of, at=day(0))

    of.refresh_from_db()
    assert of.issued == Coupon.objects.count() == 1


@pytest.mark.parametrize("values", [{"is_active": False}, {"valid_until": day(0)}])
def test_nothing_is_issued_of_a_template_that_is_over(shop: Shop, values: dict[str, Any]) -> None:
    ann, of = shop.join("ann"), coupons.template(**values)

    with refused("coupon_template_inactive"):
        coupons.coupon(ann, of, at=day(0))

    assert Coupon.objects.count() == 0


def test_template_says_what_it_is_worth(shop: Shop) -> None:
    with pytest.raises(IntegrityError, match="coupon_template_says_what"), transaction.atomic():
        CouponTemplate.objects.create(code="x", kind="amount")
    with pytest.raises(IntegrityError, match="coupon_template_says_what"), transaction.atomic():
        CouponTemplate.objects.create(code="x", kind="percent", percent=101)


def test_coupon_is_never_used_more_often_than_it_may(shop: Shop) -> None:
    coupon = coupons.coupon(shop.join("ann"), at=day(0))

    with pytest.raises(IntegrityError, match="coupon_uses_within_limit"), transaction.atomic():
        Coupon.objects.filter(pk=coupon.pk).update(used=1, held=1)


# Templates


def test_terms_are_fixed_once_a_coupon_was_issued(shop: Shop) -> None:
    of = coupons.template()
    coupon_templates.update(template=of.pk, values={"amount": Decimal(30)})
    coupons.coupon(shop.join("ann"), of, at=day(0))

    with refused("coupon_terms_frozen") as refusal:
        coupon_templates.update(template=of.pk, values={"amount": Decimal(40), "name_en": "x"})
    coupon_templates.update(template=of.pk, values={"name_en": "New", "is_active": False})

    assert refusal.value.details["fields"] == ["amount"]
    kept = CouponTemplate.objects.get(pk=of.pk)
    assert (kept.amount, kept.name_en, kept.is_active) == (Decimal(30), "New", False)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"conditions": {"field": "order.nothing", "op": "eq", "value": 1}}, "unknown_field"),
        ({"conditions": {"field": "line.sku", "op": "eq", "value": "1"}}, "field_out_of_scope"),
        ({"line_conditions": []}, "not_a_condition"),
        ({"kind": "percent"}, "percent_missing"),
        ({"is_bearer": True, "is_first_order_only": True}, "bearer_has_no_orders"),
        ({"valid_from": day(2), "valid_until": day(1)}, "ends_before_start"),
    ],
)
def test_template_that_makes_no_sense_is_refused(
    shop: Shop, values: dict[str, Any], code: str
) -> None:
    with refused(code):
        coupons.template(**values)

    assert not CouponTemplate.objects.filter(code__startswith="coupon-").exists()


# Claiming


@pytest.mark.req("RWD-08")
def test_member_claims_what_is_for_members_like_that(shop: Shop) -> None:
    ann, bob = shop.join("ann"), shop.join("bob")
    shop.buy(bob, "B1", 1_200, on=0)
    for_silver = {"field": "member.rank", "op": "gte", "value": 1}
    cart_too = {"all": [for_silver, {"field": "order.net", "op": "gte", "value": "100.00"}]}
    of = coupons.template(is_claimable=True, conditions=cart_too)
    listed = [
        claimable(who.pk, {"member.rank": rank}, day(1)) for rank, who in enumerate((ann, bob))
    ]
    assert listed == [[], [of]]

    with refused("coupon_not_for_member") as refusal:
        claim(ann, of)
    theirs = claim(bob, of)

    (reason,) = refusal.value.details["reasons"]
    assert (reason["code"], reason["failed"][0]["field"]) == ("condition_not_met", "member.rank")
    assert theirs.member == bob


def test_member_claims_as_often_as_each_may(shop: Shop) -> None:
    ann, of = shop.join("ann"), coupons.template(is_claimable=True, claims_per_member=2)
    other = coupons.template()
    assert claimable(ann.pk, {}, day(1)) == [of]
    first, second = claim(ann, of), claim(ann, of)

    with refused("coupon_claimed"):
        claim(ann, of)
    with refused("coupon_not_claimable"):
        claim(ann, other)

    assert first.code != second.code
    assert claimable(ann.pk, {}, day(1)) == []


def test_claim_takes_a_code_of_the_pool_until_there_is_none(shop: Shop) -> None:
    ann, bob = shop.join("ann"), shop.join("bob")
    of = coupons.pool(at=day(0), count=1)
    pooled = Coupon.objects.get(template=of)
    assert pooled.status_at(day(0)) == CouponStatus.POOLED

    taken = claim(ann, of)
    with refused("coupon_template_exhausted"):
        claim(bob, of)

    assert (taken.pk, taken.member_id, status(taken)) == (pooled.pk, ann.pk, CouponStatus.ISSUED)
    of.refresh_from_db()
    assert of.issued == 1


def test_frozen_member_claims_and_redeems_nothing(shop: Shop) -> None:
    ann = shop.join("ann")
    of = coupons.template(is_claimable=True)
    coupon = coupons.coupon(ann, at=day(0))
    shop.set_status(ann, MemberStatus.FROZEN)

    with refused("member_frozen"):
        claim(ann, of)
    with refused("member_frozen"):
        redeem(ann, coupon.code)

    assert status(coupon) == CouponStatus.ISSUED


# Redeeming


def test_coupon_is_redeemed_and_rolled_back_with_its_own_expiry(shop: Shop) -> None:
    ann = shop.join("ann")
    coupon = coupons.coupon(ann, at=day(0), expires_after_days=5)
    use = redeem(ann, coupon_codes.for_people(coupon.code))

    with refused("coupon_not_usable"):
        redeem(ann, coupon.code)
    first = coupon_redemption.roll_back(use=use.public_id, at=day(2), actor="till")
    again = coupon_redemption.roll_back(use=coupon.public_id, at=day(3), actor="till")

    assert first.returned_at == again.returned_at == day(2)
    assert (status(coupon, 2), status(coupon, 6)) == (CouponStatus.ISSUED, CouponStatus.EXPIRED)
    assert Coupon.objects.get().expires_at == coupon.expires_at


def test_same_reference_is_the_same_use_and_its_order_takes_it_over(shop: Shop) -> None:
    ann = shop.join("ann")
    coupon = coupons.coupon(ann, at=day(0))
    uses = {redeem(ann, coupon.code, reference="shop/O1").public_id for _turn in range(2)}

    outcome = shop.buy(ann, "O1", 100, on=2, coupons=(coupon.code,))

    use = CouponUse.objects.get()
    assert uses == {use.public_id}
    assert use.order is not None
    assert outcome.data["issues"] == []
    with refused("coupon_use_of_order"):
        coupon_redemption.roll_back(use=use.public_id, at=day(3), actor="till")
    shop.give_back("O1", "r1", on=4)
    assert status(coupon, 4) == CouponStatus.ISSUED


def test_code_for_whoever_has_it_needs_no_member(shop: Shop) -> None:
    (bearer,) = coupons.bearer(at=day(0), uses_per_code=2)
    mine = coupons.coupon(shop.join("ann"), at=day(0))

    for _turn in range(2):
        redeem(None, bearer.code)
    for code, why in ((bearer.code, "redeemed"), (mine.code, "not_yours")):
        with refused("coupon_not_usable") as refusal:
            redeem(None, code)
        assert [reason["code"] for reason in refusal.value.details["reasons"]] == [why]

    assert CouponUse.objects.filter(member=None).count() == 2


def test_typing_error_is_told_from_an_unknown_code(shop: Shop) -> None:
    ann = shop.join("ann")
    coupon = coupons.coupon(ann, at=day(0))
    wrong = ("0" if coupon.code[0] != "0" else "1") + coupon.code[1:]

    with refused("coupon_code_mistyped"):
        redeem(ann, wrong)
    with refused("coupon_unknown"):
        redeem(ann, coupon_codes.generate())
    with refused("coupon_unknown"):
        redeem(ann, "SUMMER")


def test_hold_is_refused_whole(shop: Shop) -> None:
    ann, bob = shop.join("ann"), shop.join("bob")
    mine, theirs = coupons.coupon(ann, at=day(0)), coupons.coupon(bob, at=day(0))

    with refused("coupon_not_usable"):
        catalogue.hold(ann, at=day(1), coupons=(mine.code, theirs.code))
    with refused("coupon_unknown"):
        catalogue.hold(ann, at=day(1), coupons=(mine.code, "NOSUCH"))

    assert (status(mine), CouponUse.objects.count()) == (CouponStatus.ISSUED, 0)


# Revoking


def test_unused_coupon_is_revoked_and_a_used_one_is_not(shop: Shop) -> None:
    ann = shop.join("ann")
    unused, used = (coupons.coupon(ann, at=day(0)) for _number in range(2))
    redeem(ann, used.code)

    with refused("coupon_not_revocable"):
        coupon_revocation.revoke(
            coupons=[unused.pk, used.pk], reason="mistake", at=day(2), actor="staff:eve"
        )
    kept = status(unused)
    coupon_revocation.revoke(coupons=[unused.pk], reason="mistake", at=day(2), actor="staff:eve")

    assert (kept, status(unused)) == (CouponStatus.ISSUED, CouponStatus.REVOKED)
    assert MemberEvent.objects.get(kind="coupon.revoked").payload["reason"] == "mistake"


# Batches


def load(of: CouponTemplate, path: Path, **values: Any) -> dict[str, int]:
    return dict(coupon_batches.load(template=of, path=path, at=day(0), actor="staff:eve", **values))


def test_file_of_codes_folds_what_is_known_and_rejects_what_is_none(
    shop: Shop, tmp_path: Path
) -> None:
    of, other = coupons.template(), coupons.template()
    first, second = tmp_path / "first.txt", tmp_path / "second.csv"
    first.write_text("SPRING-1\nspring 1\nSPRING-2\n")
    second.write_text(
        f"code,expires_on\nspring-2,\nSPRING-3,2026-03-31\n   ,\nSPRING-4,tomorrow\n{'X' * 41},\n"
    )

    assert load(of, first) == {"loaded": 2, "skipped": 1, "rejected": 0}
    assert load(other, second) == {"loaded": 1, "skipped": 1, "rejected": 3}
    rejects = (tmp_path / "second.csv.rejects.csv").read_text("utf-8-sig").splitlines()
    before = Coupon.objects.count()
    assert load(of, first) == {"loaded": 0, "skipped": 3, "rejected": 0}

    assert [line.split(",")[:2] for line in rejects[1:]] == [
        ["4", "code_invalid"], ["5", "date_invalid"], ["6", "code_invalid"],
    ]  # fmt: skip
    assert Coupon.objects.count() == before == 3
    batches = CouponBatch.objects.order_by("pk").values_list("count", "skipped")
    assert list(batches) == [(2, 1), (1, 1)]
    loaded = Coupon.objects.get(code="SPR1NG3")
    assert loaded.expires_at is not None
    assert loaded.expires_at.isoformat() == "2026-03-31T16:00:00+00:00"


def test_dry_run_changes_nothing(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "codes.txt"
    path.write_text("A1\nA2\n")

    assert load(coupons.template(), path, is_dry_run=True)["loaded"] == 2

    assert (Coupon.objects.count(), CouponBatch.objects.count()) == (0, 0)


def test_codes_for_whoever_has_them_are_issued_when_loaded(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "codes.txt"
    path.write_text("A1\nA2\nA3\n")
    of = coupons.template(is_bearer=True, max_issued=3, expires_after_days=1)

    load(of, path)
    path.write_text("A4\n")
    with refused("coupon_template_exhausted"):
        load(of, path)

    of.refresh_from_db()
    assert (of.issued, Coupon.objects.count()) == (3, 3)
    redeem(None, "a-1")


def test_command_loads_codes(shop: Shop, tmp_path: Path, capsys: Any) -> None:
    of, path = coupons.template(), tmp_path / "codes.txt"
    path.write_text("A1\nA2\n")

    call_command("import_coupons", of.code, str(path))

    assert Coupon.objects.filter(template=of, batch__is_imported=True).count() == 2
    with pytest.raises(CommandError):
        call_command("import_coupons", "nothing", str(path))
    with pytest.raises(CommandError):
        call_command("import_coupons", of.code, str(tmp_path / "nothing.txt"))


def test_generated_batch_is_as_large_as_asked(shop: Shop) -> None:
    of = coupons.template()

    batch = coupon_batches.generate(
        template=of, count=2_600, name="print", at=day(0), actor="staff:eve"
    )

    codes = set(Coupon.objects.filter(batch=batch).values_list("code", flat=True))
    assert len(codes) == 2_600
    assert not any(coupon_codes.is_mistyped(code) for code in codes)
    for count in (0, coupon_batches.MAX_BATCH + 1):
        with refused("coupon_batch_size"):
            coupon_batches.generate(
                template=of, count=count, name="x", at=day(0), actor="staff:eve"
            )


def test_live_coupons_are_those_that_can_be_used(shop: Shop) -> None:
    ann = shop.join("ann")
    coupon = coupons.coupon(ann, at=day(0), valid_from=day(1), expires_after_days=2)

    live = [
        Coupon.objects.live(day(0) + timedelta(days=on)).filter(pk=coupon.pk).exists()
        for on in (0, 1, 2, 3)
    ]

    assert live == [False, True, True, False]
