"""What staff do with coupons in the console."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from members.models import Member
from rewards.domain import coupon_codes
from rewards.models import Coupon, CouponBatch, CouponTemplate
from tests.factories import console, coupons

pytestmark = [pytest.mark.django_db, pytest.mark.req("RWD-01")]

TEMPLATE = {
    "code": "tea", "name_zh": "茶券", "name_en": "Tea", "kind": "amount", "amount": "20",
    "min_spend": "100", "conditions": "", "line_conditions": "", "stacking": "alone",
    "uses_per_code": "1", "claims_per_member": "1", "is_active": "on",
}  # fmt: skip


@pytest.fixture
def ann() -> Member:
    console.programme()
    return console.member()


@pytest.fixture
def visitor(client: Client) -> Client:
    client.force_login(console.staff())
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def add(visitor: Client, **values: Any) -> Any:
    address = reverse("admin:rewards_coupontemplate_add")
    return visitor.post(address, {**TEMPLATE, **values})


def test_template_is_made_and_changed_until_a_coupon_is_issued(
    visitor: Client, ann: Member
) -> None:
    assert add(visitor).status_code == 302
    of = CouponTemplate.objects.get(code="tea")
    address = reverse("admin:rewards_coupontemplate_change", args=[of.pk])
    visitor.post(address, {**TEMPLATE, "amount": "30"})
    of.refresh_from_db()
    assert of.amount == 30
    coupons.coupon(ann, of, at=console.AT)

    visitor.post(address, {**TEMPLATE, "amount": "40", "name_en": "Green tea"})

    of.refresh_from_db()
    assert (of.amount, of.name_en, of.issued) == (Decimal(30), "Green tea", 1)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"conditions": '{"all": [{"field": "order.nothing", "op": "eq", "value": 1}]}'},
         "all[0].field: There is no such field."),
        ({"line_conditions": '{"field": "order.net", "op": "eq", "value": "1.00"}'},
         "field: The field order.net cannot be used here."),
        ({"kind": "percent"}, "Say a percentage above 0 and at most 100."),
        ({"kind": "free_item"}, "Say which article is free."),
        ({"conditions": "{"}, "Enter a valid JSON."),
    ],
)  # fmt: skip
def test_template_that_makes_no_sense_is_shown_again(
    visitor: Client, ann: Member, values: dict[str, str], says: str
) -> None:
    response = add(visitor, **values)

    assert response.status_code == 200
    assert says in response.text
    assert not CouponTemplate.objects.exists()


def test_codes_are_made_and_loaded(visitor: Client, ann: Member) -> None:
    of = coupons.template()
    page = visitor.get(reverse("admin:rewards_coupontemplate_change", args=[of.pk]))
    generate, load = (
        reverse(f"admin:coupons_{verb}", args=[of.pk]) for verb in ("generate", "load")
    )
    assert generate in page.text
    assert load in page.text

    made = visitor.post(generate, {"name": "print", "count": "3"}, follow=True)
    file = SimpleUploadedFile("codes.csv", b"code\nA-1\na1\n  \n")
    loaded = visitor.post(load, {"file": file}, follow=True)

    assert "Done." in made.text
    assert "1 loaded, 1 known before, 1 rejected" in loaded.text
    assert "4,code_invalid" in loaded.text
    assert sorted(CouponBatch.objects.values_list("count", flat=True)) == [1, 3]
    assert visitor.post(generate, {"name": "print", "count": "0"}).status_code == 200


def test_unused_coupon_is_revoked_with_a_reason(visitor: Client, ann: Member) -> None:
    coupon = coupons.coupon(ann, at=console.AT)
    address = reverse("admin:coupon_revoke", args=[coupon.pk])
    page = visitor.get(reverse("admin:rewards_coupon_change", args=[coupon.pk]))
    assert address in page.text
    assert coupon_codes.for_people(coupon.code) in page.text

    assert visitor.post(address, {"reason": ""}).status_code == 200
    visitor.post(address, {"reason": "mistake"})
    again = visitor.post(address, {"reason": "mistake"})

    coupon.refresh_from_db()
    assert (coupon.revoked_at is not None, coupon.revoke_reason) == (True, "mistake")
    assert "revoked already" in again.text


def test_pages_are_shut_without_the_permission(client: Client, ann: Member) -> None:
    client.force_login(console.staff("eve", is_superuser=False))
    coupon = coupons.coupon(ann, at=console.AT)
    pages = [
        reverse("admin:coupons_generate", args=[coupon.template_id]),
        reverse("admin:coupons_load", args=[coupon.template_id]),
        reverse("admin:coupon_revoke", args=[coupon.pk]),
    ]

    assert [client.post(page, {"reason": "x"}).status_code for page in pages] == [403] * 3
    assert Coupon.objects.filter(revoked_at=None).count() == 1


def test_coupon_is_found_however_its_code_is_written(visitor: Client, ann: Member) -> None:
    coupon = coupons.coupon(ann, at=console.AT)
    coupons.coupon(ann, at=console.AT)
    term = coupon_codes.for_people(coupon.code).lower()

    response = visitor.get(reverse("admin:rewards_coupon_changelist"), {"q": term})

    shown = coupon_codes.for_people(coupon.code)
    others = Coupon.objects.exclude(pk=coupon.pk).get()
    assert shown in response.text
    assert coupon_codes.for_people(others.code) not in response.text


def test_member_page_shows_coupons_and_what_became_of_them(visitor: Client, ann: Member) -> None:
    coupon = coupons.coupon(ann, at=console.AT, name_en="<b>Tea</b>")

    page = visitor.get(reverse("admin:members_member_change", args=[ann.pk])).text

    assert coupon_codes.for_people(coupon.code) in page
    assert "20.00 off" in page
    assert "&lt;b&gt;Tea&lt;/b&gt;" in page
    assert "<b>Tea</b>" not in page
