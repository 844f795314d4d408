"""Coupons over HTTP."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import Settings

from config.base import clock
from members.models import Member
from rewards.domain import coupon_codes
from rewards.models import Coupon, CouponMisses, CouponUse
from tests.api import bodies
from tests.api.conftest import Caller
from tests.factories import coupons, members

pytestmark = [pytest.mark.django_db, pytest.mark.req("RWD-01")]


def post(till: Caller, path: str, body: Any, key: str = "") -> Any:
    return till.post(path, body, Idempotency_Key=key or bodies.number("K"), Accept_Language="en")


def coupon(member: Member, **values: Any) -> Coupon:
    return coupons.coupon(member, at=clock.now(), **values)


@pytest.mark.req("RWD-07")
def test_validate_says_what_each_coupon_takes_off_and_why_not(till: Caller) -> None:
    ann = members.member()
    stacking = {"stacking": "others"}
    good = coupon(ann, **stacking)
    too_dear = coupon(ann, min_spend=Decimal(500), **stacking)

    answer = till.post(
        "/coupons/validate",
        {
            "member": str(ann.public_id),
            "codes": [coupon_codes.for_people(good.code), too_dear.code],
            "lines": [bodies.line(1, "100.00")],
        },
        Accept_Language="en",
    )

    assert answer.status == 200
    assert (answer.body["usable"], answer.body["discount"]) == (False, "20.00")
    first, second = answer.body["coupons"]
    assert (first["usable"], first["discount"], first["worth"]) == (True, "20.00", "20.00 off")
    assert second["reasons"] == [
        {
            "code": "min_spend_not_met", "min_spend": "500.00", "missing": "400.00",
            "text": "400.00 more of what it is for: the coupon asks for 500.00.",
        }
    ]  # fmt: skip
    (line,) = answer.body["lines"]
    assert line["amount"] == "80.00"
    assert line["discounts"] == [{"amount": "20.00", "kind": "coupon", "code": good.code}]
    assert CouponUse.objects.count() == 0


def test_validate_without_a_cart_looks_at_the_codes_only(till: Caller) -> None:
    ann, bob = members.member(), members.member()
    theirs = coupon(bob, min_spend=Decimal(500))

    answers = [
        till.post("/coupons/validate", {"member": str(who.public_id), "codes": [theirs.code]})
        for who in (ann, bob)
    ]

    assert [answer.body["usable"] for answer in answers] == [False, True]
    assert [r["code"] for r in answers[0].body["coupons"][0]["reasons"]] == ["not_yours"]
    assert "discount" not in answers[1].body


def test_what_validate_says_the_order_then_does(till: Caller) -> None:
    ann = members.member()
    percent = coupon(ann, kind="percent", percent=Decimal(15), max_discount=Decimal(30))
    body = {
        "member": str(ann.public_id),
        "codes": [percent.code],
        "lines": [bodies.line(1, "99.99"), bodies.line(2, "66.66")],
    }
    lines = till.post("/coupons/validate", body).body["lines"]

    order = bodies.order(*lines, member=str(ann.public_id), coupons=[percent.code])
    answer = till.put(f"/orders/till/{bodies.number()}", order)

    assert answer.body["issues"] == []
    # 15 % of 166.65 is 24.9975.
    assert answer.body["order"]["net_amount"] == "141.66"
    assert CouponUse.objects.get().discount == Decimal("24.99")


def test_coupon_is_redeemed_once_and_rolled_back(till: Caller) -> None:
    ann = members.member()
    mine = coupon(ann)
    body = {"member": str(ann.public_id), "code": mine.code, "reference": "receipt 7"}

    first = post(till, "/coupons/redeem", body, "once")
    replayed = post(till, "/coupons/redeem", body, "once")
    other = post(till, "/coupons/redeem", {**body, "reference": "receipt 8"})
    back = post(till, f"/coupons/{first.body['id']}/rollback", {})

    assert (first.status, first.body["status"]) == (201, "redeemed")
    assert replayed.body == first.body
    assert (other.status, other.code) == (409, "coupon_not_usable")
    assert other.body["reasons"] == [{"code": "redeemed", "text": "The coupon has been used."}]
    assert (back.status, back.body["status"]) == (200, "returned")
    assert post(till, f"/coupons/{members.member().public_id}/rollback", {}).status == 404


def test_cart_that_does_not_meet_the_terms_redeems_nothing(till: Caller) -> None:
    ann = members.member()
    mine = coupon(ann, min_spend=Decimal(500))
    body = {"member": str(ann.public_id), "code": mine.code, "lines": [bodies.line()]}

    refused = post(till, "/coupons/redeem", body)
    redeemed = post(till, "/coupons/redeem", {**body, "lines": [bodies.line(1, "500.00")]})

    assert refused.code == "coupon_not_usable"
    assert (redeemed.status, redeemed.body["discount"]) == (201, "20.00")


def test_redeemed_beforehand_for_an_order_of_a_source(till: Caller) -> None:
    ann = members.member()
    mine, number = coupon(ann), bodies.number()
    place = {"source": "till", "order_no": number}
    post(till, "/coupons/redeem", {"member": str(ann.public_id), "code": mine.code, **place})

    answer = till.put(
        f"/orders/till/{number}", bodies.order(member=str(ann.public_id), coupons=[mine.code])
    )

    assert answer.body["issues"] == []
    assert CouponUse.objects.get().order is not None


def test_member_sees_own_coupons_by_language_and_state(till: Caller) -> None:
    ann = members.member()
    first = coupon(ann, name_en="Tea", name_zh="茶券", expires_after_days=1)
    second = coupon(ann)
    coupon(members.member())
    post(till, "/coupons/redeem", {"member": str(ann.public_id), "code": second.code})
    path = f"/members/{ann.public_id}/coupons"

    page = till.get(f"{path}?limit=1", Accept_Language="en").body
    rest = till.get(f"{path}?cursor={page['next_cursor']}", Accept_Language="zh-hans").body
    live = till.get(f"{path}?live=true", Accept_Language="en").body

    assert [(item["id"], item["status"]) for item in page["items"]] == [
        (str(second.public_id), "redeemed")
    ]
    assert [(item["name"], item["code"]) for item in rest["items"]] == [
        ("茶券", coupon_codes.for_people(first.code))
    ]
    assert [item["name"] for item in live["items"]] == ["Tea"]
    assert till.get(f"{path}?live=1").status == 400


@pytest.mark.req("RWD-08")
def test_coupon_is_claimed_once_and_only_by_those_it_is_for(till: Caller) -> None:
    ann = members.member()
    of = coupons.template(is_claimable=True)
    silver = {"field": "member.rank", "op": "gte", "value": 1}
    hidden = coupons.template(is_claimable=True, conditions=silver)
    path = f"/members/{ann.public_id}/coupons"

    listed = till.get(f"{path}/claimable").body["items"]
    claimed = post(till, f"{path}/claim", {"template": of.code})
    again = post(till, f"{path}/claim", {"template": of.code})
    refused = post(till, f"{path}/claim", {"template": hidden.code})
    unknown = post(till, f"{path}/claim", {"template": "nothing"})

    assert [item["template"] for item in listed] == [of.code]
    assert (claimed.status, claimed.body["status"]) == (201, "issued")
    assert (again.status, again.code) == (409, "coupon_claimed")
    assert (refused.status, refused.code) == (403, "coupon_not_for_member")
    assert (unknown.status, unknown.code) == (404, "coupon_template_not_found")


def test_coupons_are_issued_by_hand(till: Caller) -> None:
    ann, of = members.member(), coupons.template()

    answer = post(till, f"/members/{ann.public_id}/coupons", {"template": of.code, "count": 3})

    assert answer.status == 201
    codes = {item["code"] for item in answer.body["issued"]}
    assert len(codes) == Coupon.objects.filter(member=ann).count() == 3


def test_unknown_code_is_answered_alike_whoever_asks(till: Caller) -> None:
    ann = members.member()
    coupons.pool(at=clock.now(), count=1)
    pooled = Coupon.objects.get().code
    fresh = coupon_codes.generate()

    answers = [
        till.post("/coupons/validate", {**whose, "codes": [code]}, Accept_Language="en").body
        for code in (pooled, fresh)
        for whose in ({}, {"member": str(ann.public_id)})
    ]

    for answer in answers:
        (item,) = answer["coupons"]
        item.pop("code")
    assert (
        answers
        == [
            {
                "usable": False,
                "coupons": [
                    {
                        "usable": False,
                        "reasons": [{"code": "coupon_unknown", "text": "There is no such coupon."}],
                    }
                ],
            }
        ]
        * 4
    )


@pytest.mark.parametrize("way", ["validate", "redeem", "reservations"])
def test_touchpoint_that_tries_codes_has_to_wait(
    till: Caller, settings: Settings, way: str
) -> None:
    settings.LOYALTY_UNKNOWN_COUPONS_PER_HOUR = 3
    ann = members.member()
    whose, good = {"member": str(ann.public_id)}, coupon(ann)

    def guess(code: str) -> Any:
        if way == "validate":
            return till.post("/coupons/validate", {**whose, "codes": [code]})
        if way == "redeem":
            return post(till, "/coupons/redeem", {**whose, "code": code})
        return post(till, "/reservations", {**whose, "coupons": [code]})

    told = [guess(coupon_codes.generate()) for _number in range(3)]
    refused = [guess(coupon_codes.generate()), guess(good.code)]

    assert {answer.status for answer in told} == {200 if way == "validate" else 404}
    assert [(answer.status, answer.code) for answer in refused] == [
        (429, "too_many_unknown_codes")
    ] * 2
    wait = int(refused[0].headers["Retry-After"])
    assert 1 <= wait <= 3_600
    CouponMisses.objects.update(hour=clock.now() - timedelta(hours=2))
    assert guess(good.code).status in {200, 201}


def test_many_guesses_in_one_request_count_each(till: Caller, settings: Settings) -> None:
    settings.LOYALTY_UNKNOWN_COUPONS_PER_HOUR = 3
    codes = [coupon_codes.generate() for _number in range(4)]

    answer = till.post("/coupons/validate", {"codes": codes})

    assert (answer.status, answer.code) == (429, "too_many_unknown_codes")


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/coupons/validate", {"codes": []}, "/codes"),
        ("/coupons/validate", {"codes": ["A"] * 21}, "/codes"),
        ("/coupons/validate", {"codes": ["A"], "source": 7}, "/source"),
        ("/coupons/redeem", {}, "/code"),
        ("/coupons/redeem", {"code": "A", "order_no": "1"}, "/source"),
        ("/coupons/redeem", {"code": "A", "source": "t", "order_no": "1", "reference": "x"},
         "/reference"),
        ("/coupons/redeem", {"code": "A", "colour": "red"}, "/colour"),
    ],
)  # fmt: skip
def test_malformed_request_names_the_field(
    till: Caller, path: str, body: dict[str, Any], pointer: str
) -> None:
    answer = post(till, path, body)

    assert answer.status == 400
    assert pointer in [error["pointer"] for error in answer.body["errors"]]


def test_source_of_another_touchpoint_is_refused(caller: Any) -> None:
    mine, theirs = caller(), caller()
    ann = members.member()
    mine.put(f"/orders/mine/{bodies.number()}", bodies.order(member=str(ann.public_id)))
    place = {"source": "mine", "order_no": "1"}

    answer = post(theirs, "/coupons/redeem", {"member": str(ann.public_id), "code": "A", **place})

    assert (answer.status, answer.code) == (403, "source_not_owned")


def test_member_who_tries_codes_locks_nobody_else_out(till: Caller, settings: Settings) -> None:
    settings.LOYALTY_UNKNOWN_COUPONS_PER_HOUR = 2
    ann, bob = members.member(), members.member()
    made = post(till, f"/members/{ann.public_id}/token", {}).body
    guesser = Caller(till.touchpoint, made["token"])

    def ask(caller: Caller, who: Member, code: str) -> int:
        body = {"member": str(who.public_id), "codes": [code]}
        return caller.post("/coupons/validate", body).status

    tried = [ask(guesser, ann, coupon_codes.generate()) for _number in range(3)]

    assert tried == [200, 200, 429]
    assert ask(till, bob, coupon(bob).code) == 200
