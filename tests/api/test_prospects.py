"""Prospects that storefronts report: kept, and never told whether they were known."""

import pytest

from members.models import Prospect
from tests.api.conftest import Caller
from tests.factories import members
from tests.factories import referrals as people
from tests.prospects.world import number_of

pytestmark = [pytest.mark.django_db, pytest.mark.req("CMP-13")]


def test_the_api_answers_alike_whether_or_not_somebody_is_known(till: Caller) -> None:
    people.programme()
    ann = members.member(("phone", "13900007771", ""))
    code = people.code(ann)
    body = {
        "identifiers": [
            {"kind": "phone", "value": "139 0000 7772"},
            {"kind": "email", "value": "L@Example.com"},
        ],
        "source": "landing", "interest": {"kind": "product", "code": "tea"}, "language": "en",
        "referral_code": code,
        "consent": {"purpose": "marketing", "granted": True, "text_version": "v1",
                    "evidence": "form 1"},
    }  # fmt: skip
    known = {**body, "identifiers": [{"kind": "phone", "value": "13900007771"}]}
    answers = [
        till.post("/prospects", body, Idempotency_Key="p-1"),
        till.post("/prospects", body, Idempotency_Key="p-1"),
        till.post("/prospects", known),
    ]
    assert [(each.status, each.body) for each in answers] == [(202, {"status": "received"})] * 3
    made = Prospect.objects.get()
    assert (made.source, made.interest, made.language) == ("landing", "tea", "en")
    assert (made.referred_by, made.may_be_addressed) == (ann, True)
    assert number_of(made) == "+8613900007772"
    refused = {**body, "consent": {"purpose": "marketing", "granted": False}}
    assert till.post("/prospects", refused).status == 202
    made.refresh_from_db()
    assert not made.may_be_addressed


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"identifiers": [{"kind": "card", "value": "6000000000000001"}]}, None),
        ({"identifiers": []}, None),
        ({"consent": {"purpose": "sms", "granted": True}}, "prospect_consent_purpose"),
        ({"interest": {"kind": "mood", "code": "x"}}, None),
    ],
)
def test_the_api_refuses_what_is_no_prospect(
    till: Caller, change: dict[str, object], code: str | None
) -> None:
    body = {"identifiers": [{"kind": "phone", "value": "13900008881"}], **change}
    answer = till.post("/prospects", body)
    assert answer.status == 400
    assert code in (None, answer.code)
    assert not Prospect.objects.exists()
