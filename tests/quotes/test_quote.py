"""What a quote says is what the order then does, and a quote leaves no trace."""

from typing import Any

import pytest

from config.bench.statements import counted
from members.models import Member
from rewards.models import Rule, RuleVersion
from tests import databases
from tests.api import bodies
from tests.api.conftest import Caller, caller, language, programme, till
from tests.api.test_authorization_matrix import rows_written
from tests.factories import members

__all__ = ["caller", "language", "programme", "till"]

pytestmark = [pytest.mark.django_db, pytest.mark.req("PTS-02", "BEN-04")]

# What a quote offers is paid with here as if it had been reserved; the order is the same.
UNRESERVED = [{"code": "tender_without_reservation"}]


def enrolled(till: Caller, *amounts: str) -> str:
    """Return a member who has bought for these amounts."""
    person = till.post("/members", bodies.enrolment()).body["id"]
    for amount in amounts:
        bought = bodies.order(bodies.line(amount=amount), member=person)
        assert till.put(f"/orders/till/{bodies.number()}", bought).status == 200
    return str(person)


def cart(member: str, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"member": member, "currency": "CNY", "lines": list(lines) or [bodies.line()], **more}


def ordered(till: Caller, member: str, quote: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Send the order that a quote says to send."""
    body = {**bodies.order(), **quote["order"], "member": member, "quote": quote["quote"], **more}
    body["placed_at"] = bodies.at()
    answer = till.put(f"/orders/till/{bodies.number()}", body)
    assert answer.status == 200, answer.body
    return dict(answer.body)


def test_the_order_does_what_the_quote_says(till: Caller) -> None:
    member = enrolled(till, "3500.00")

    quote = till.post("/quotes", cart(member, bodies.line(amount="200.00"), points=1_000)).body
    order = ordered(till, member, quote)

    assert quote["tier"] == {"code": "gold", "after": "gold", "changed": False}
    assert quote["amounts"] == {
        "list": "200.00", "tier_discount": "10.00", "coupons": "0.00", "net": "190.00",
        "paid_in_points": "10.00", "to_pay": "180.00",
    }  # fmt: skip
    # 180 base points, and a quarter more for gold.
    assert quote["points"] == {
        "earned": 225, "base": 180, "bonus": [{"rule": "tier", "points": 45}],
    }  # fmt: skip
    assert order["points"]["earned"] == 225
    assert order["issues"] == UNRESERVED


def test_a_quote_tells_the_tier_that_the_order_would_reach(till: Caller) -> None:
    member = enrolled(till, "900.00")
    quote = till.post("/quotes", cart(member, bodies.line(amount="150.00"))).body
    assert quote["tier"] == {"code": "basic", "after": "silver", "changed": True}
    assert ordered(till, member, quote)["tier"]["after"] == "silver"


def test_a_quote_writes_nothing(till: Caller) -> None:
    member = enrolled(till, "500.00")
    before = rows_written()
    for points in (None, 0, 100, 99_999):
        body = cart(member) if points is None else cart(member, points=points)
        assert till.post("/quotes", body).status == 200
    assert rows_written() == before


def test_an_order_after_an_upgrade_in_between_says_what_changed(till: Caller) -> None:
    member = enrolled(till, "900.00")
    quote = till.post("/quotes", cart(member, bodies.line(amount="100.00"))).body
    till.put(
        f"/orders/till/{bodies.number()}",
        bodies.order(bodies.line(amount="200.00"), member=member, placed_at=bodies.at(minutes=1)),
    )

    order = ordered(till, member, quote)

    (issue,) = order["issues"]
    assert issue["code"] == "quote_stale"
    assert issue["difference"] == [
        {"what": "tier", "quoted": "basic", "now": "silver"},
        {"what": "tier_discount", "quoted": 0, "now": 200},
        {"what": "points", "quoted": 100, "now": 110},
    ]


def test_what_was_stale_is_told_again_when_the_order_is_sent_again(till: Caller) -> None:
    member = enrolled(till, "900.00")
    quote = till.post("/quotes", cart(member)).body
    body = {**bodies.order(bodies.line(amount="80.00")), "member": member, "quote": quote["quote"]}
    path = f"/orders/till/{bodies.number()}"
    first = till.put(path, body).body
    again = till.put(path, body).body
    assert [issue["code"] for issue in first["issues"]] == ["quote_stale"]
    assert again["issues"] == first["issues"]
    assert again["replayed"]


def test_a_refund_is_not_held_against_the_quote(till: Caller) -> None:
    member = enrolled(till, "100.00")
    quote = till.post("/quotes", cart(member)).body
    path = f"/orders/till/{bodies.number()}"
    body = {**bodies.order(), **quote["order"], "member": member, "quote": quote["quote"]}
    assert till.put(path, body).body["issues"] == []
    refund = till.post(f"{path}/refunds", bodies.refund(refunded_at=bodies.at()))
    assert refund.body["issues"] == []


def test_a_token_that_is_not_ours_is_told_and_the_order_taken(till: Caller) -> None:
    member = enrolled(till)
    answer = till.put(
        f"/orders/till/{bodies.number()}", bodies.order(member=member, quote="made-up")
    )
    assert answer.status == 200
    assert answer.body["issues"] == [{"code": "quote_invalid"}]


def test_a_rule_that_does_not_apply_says_why(till: Caller) -> None:
    rule = Rule.objects.get(code="member_day")
    RuleVersion.objects.filter(rule=rule).update(state="active")
    member = enrolled(till)
    body = cart(member, bodies.line(amount="10.00"))
    # The rule asks for the 8th of the month; what it finds is today.
    items = {
        item.get("rule"): item
        for item in till.post("/quotes", body, Accept_Language="en").body["explanation"]
    }
    assert items["base"]["code"] == "earned"
    assert items["member_day"]["code"] in {"condition_not_met", "multiplied"}
    assert items["member_day"]["text"]


@pytest.mark.parametrize(
    ("points", "code"),
    [(50, "points_below_minimum"), (150, "points_not_in_steps"), (9_900, "insufficient_points")],
)
def test_points_that_cannot_pay_are_not_used_and_say_why(
    till: Caller, points: int, code: str
) -> None:
    member = enrolled(till, "2000.00")
    lines = bodies.line(amount="30000.00")
    paying = till.post("/quotes", cart(member, lines, points=points)).body["pay_with_points"]
    assert paying["points"] == 0
    assert code in {reason["code"] for reason in paying["why_not"]}
    assert all(reason["text"] for reason in paying["why_not"])


def test_a_frozen_member_is_quoted_but_cannot_pay_with_points(till: Caller) -> None:
    member = enrolled(till, "500.00")
    Member.objects.filter(public_id=member).update(status="frozen")
    quote = till.post("/quotes", cart(member, points=100)).body
    assert quote["points"]["earned"] == 100
    assert [item["code"] for item in quote["pay_with_points"]["why_not"]] == ["member_frozen"]


def test_somebody_unknown_is_not_quoted(till: Caller) -> None:
    body = {
        "identifier": {"kind": "phone", "value": members.phone()},
        "currency": "CNY",
        "lines": [bodies.line()],
    }
    answer = till.post("/quotes", body)
    assert (answer.status, answer.code) == (404, "member_not_found")


def test_a_cart_without_lines_is_refused(till: Caller) -> None:
    answer = till.post("/quotes", {"member": enrolled(till), "currency": "CNY", "lines": []})
    assert (answer.status, answer.code) == (400, "request_invalid")


@pytest.mark.req("RWD-01", "RWD-07")
def test_a_coupon_takes_off_what_the_tier_has_left_and_the_order_redeems_it(till: Caller) -> None:
    member = enrolled(till, "1500.00")
    code = given(till, member, "upgrade_gold_30")

    body = cart(member, bodies.line(amount="100.00"), coupons=[code], points=1_000)
    quote = till.post("/quotes", body).body
    order = ordered(till, member, quote)

    # 100.00, less 2 % for silver, less 30.00; 10.00 of it in points, the rest earns.
    assert quote["amounts"] == {
        "list": "100.00", "tier_discount": "2.00", "coupons": "30.00", "net": "68.00",
        "paid_in_points": "10.00", "to_pay": "58.00",
    }  # fmt: skip
    (asked, *_others) = quote["coupons"]
    assert (asked["asked"], asked["usable"], asked["discount"]) == (True, True, "30.00")
    assert (quote["points"]["earned"], order["points"]["earned"]) == (63, 63)
    assert order["issues"] == UNRESERVED
    assert statuses(till, member)[code] == "redeemed"


def test_coupons_that_nobody_asked_for_are_offered_with_what_they_would_do(till: Caller) -> None:
    member = enrolled(till)
    code = given(till, member, "birthday_20")
    quote = till.post("/quotes", cart(member)).body
    (offered,) = quote["coupons"]
    assert (offered["code"], offered["asked"], offered["usable"]) == (code, False, True)
    assert offered["discount"] == "20.00"
    assert "coupons" not in quote["order"]
    assert quote["amounts"]["coupons"] == "0.00"


def test_a_coupon_that_cannot_be_used_says_why(till: Caller) -> None:
    one, other = enrolled(till), enrolled(till)
    code = given(till, other, "birthday_20")
    quote = till.post("/quotes", cart(one, coupons=[code, "NOSUCHCODE"])).body
    theirs, unknown = quote["coupons"]
    assert [reason["code"] for reason in theirs["reasons"]] == ["not_yours"]
    assert [reason["code"] for reason in unknown["reasons"]] == ["coupon_unknown"]
    assert all(reason["text"] for each in (theirs, unknown) for reason in each["reasons"])
    assert quote["amounts"]["coupons"] == "0.00"


def test_a_coupon_used_elsewhere_in_between_makes_the_quote_stale(till: Caller) -> None:
    member = enrolled(till)
    code = given(till, member, "birthday_20")
    quote = till.post("/quotes", cart(member, coupons=[code])).body
    till.post(
        "/coupons/redeem", {"member": member, "code": code, "reference": "T1"},
        Idempotency_Key=bodies.number(),
    )  # fmt: skip
    codes = {issue["code"]: issue for issue in ordered(till, member, quote)["issues"]}
    assert set(codes) == {"coupon_not_usable", "quote_stale"}
    assert codes["quote_stale"]["difference"] == [
        {"what": "coupon", "coupon": quote["order"]["coupons"][0], "quoted": 2_000, "now": 0}
    ]


def test_a_quote_says_what_is_left_of_the_benefits(till: Caller) -> None:
    member = enrolled(till)
    codes = {benefit["code"] for benefit in till.post("/quotes", cart(member)).body["benefits"]}
    assert "birthday_gift" in codes


def given(till: Caller, member: str, template: str) -> str:
    """Return the code of a coupon that a member is given."""
    body = {"template": template}
    answer = till.post(f"/members/{member}/coupons", body, Idempotency_Key=bodies.number())
    assert answer.status == 201, answer.body
    return str(answer.body["issued"][0]["code"])


def statuses(till: Caller, member: str) -> dict[str, str]:
    """Return how each coupon of a member stands."""
    items = till.get(f"/members/{member}/coupons").body["items"]
    return {item["code"]: item["status"] for item in items}


def test_a_quote_takes_few_statements(till: Caller) -> None:
    member = enrolled(till, "500.00")
    code = given(till, member, "birthday_20")
    body = cart(member, points=100, coupons=[code])
    till.post("/quotes", body)
    count = counted(databases.current(), lambda: till.post("/quotes", body))
    assert 0 < count <= 8
