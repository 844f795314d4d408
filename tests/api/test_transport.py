"""What is wrong with a request before anybody looks at what it asks for."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.db import OperationalError
from django.test import Client

from config.base import clock
from config.base.api import codes
from members.models import ApiKey, Touchpoint
from rewards.services import intake
from tests.api import bodies
from tests.api.conftest import Caller
from tests.factories import members

pytestmark = pytest.mark.django_db

LOOKUP = "/members/lookup"


def problem(response: Any) -> dict[str, Any]:
    assert response.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = orjson.loads(response.content)
    assert body["status"] == response.status_code
    assert body["type"] == f"/api/problems/{body['code']}"
    assert body["code"] in codes.known()
    assert body["title"]
    return body


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Basic abc", "Bearer lk_unknown", "Bearer 中", "Bearer " + "x" * 999],
)
def test_without_a_key_nothing_is_told(till: Caller, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    response = Client().get(f"/api/v1/members/{members.member().public_id}", headers=headers)
    assert response.status_code == 401
    assert problem(response)["code"] in {"not_authenticated", "key_invalid"}
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_key_ends_at_once_when_it_is_revoked_expired_or_switched_off(till: Caller) -> None:
    path = f"/members/{members.member().public_id}"
    assert till.get(path).status == 200
    for model, end, undo in (
        (ApiKey, {"revoked_at": clock.now()}, {"revoked_at": None}),
        (ApiKey, {"expires_at": clock.now() - timedelta(seconds=1)}, {"expires_at": None}),
        (Touchpoint, {"is_active": False}, {"is_active": True}),
    ):
        model.objects.update(**end)
        assert till.get(path).code == "key_invalid"
        model.objects.update(**undo)
        assert till.get(path).status == 200


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"", 400, "request_invalid"),
        (b"{", 400, "json_invalid"),
        (b'{"kind":"phone","kind":"phone","value":"13800138000"}', 400, "json_invalid"),
        (b'{"kind":"phone","value":NaN}', 400, "json_invalid"),
        (b'{"kind":"phone","value":"1380013\\u0000"}', 400, "request_invalid"),
        (b'{"kind":"phone","value":"\\ud800"}', 400, "request_invalid"),
        (b"[" * 100_000, 400, "json_invalid"),
        (b"\xff\xfe", 400, "json_invalid"),
        (b"[]", 400, "request_invalid"),
        (b" " * (1 << 20) + b"{}", 413, "body_too_large"),
    ],
)
def test_body_that_cannot_be_read_is_refused(
    till: Caller, raw: bytes, status: int, code: str
) -> None:
    answer = till.post(LOOKUP, raw)
    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json; charset=gbk"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_anything_but_plain_json_is_refused(till: Caller, headers: dict[str, str]) -> None:
    response = till.client.generic(
        "POST",
        f"/api/v1{LOOKUP}",
        b'{"kind":"phone","value":"13800138000"}',
        content_type=headers["Content-Type"],
        headers={"Authorization": f"Bearer {till.secret}", **headers},
    )
    assert (response.status_code, problem(response)["code"]) == (415, "unsupported_media_type")


def test_utf8_may_be_named(till: Caller) -> None:
    answer = till.call(
        "POST",
        LOOKUP,
        {"kind": "phone", "value": "13800138000"},
        Content_Type="application/json; charset=UTF-8",
    )
    assert answer.code == "member_not_found"


@pytest.mark.parametrize("method", ["DELETE", "OPTIONS", "TRACE", "HEAD", "PUT"])
def test_method_that_is_not_offered(till: Caller, method: str) -> None:
    assert till.call(method, LOOKUP).status == 405


def test_method_cannot_be_overridden(till: Caller) -> None:
    member = members.member()
    answer = till.call("GET", f"/members/{member.public_id}", X_HTTP_Method_Override="PATCH")
    assert answer.status == 200
    assert till.get(f"/members/{member.public_id}?_method=PATCH").status in {200, 400}


@pytest.mark.parametrize(
    "path",
    ["/wishes", "/members/", "/members/1", "/members/1/points", "/entries/x/explanation", "/a%0Ab"],
)
def test_address_that_is_none(till: Caller, path: str) -> None:
    answer = till.get(path)
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize("order_no", ["%00", "a%09b", "x" * 101])
def test_order_number_that_cannot_be(till: Caller, order_no: str) -> None:
    assert till.put(f"/orders/till/{order_no}", bodies.order()).code == "parameter_invalid"
    assert till.get(f"/orders/till/{order_no}").code == "parameter_invalid"


def test_titles_follow_the_language(till: Caller) -> None:
    path = f"/members/{members.member().public_id}/points?limit=1"
    english = till.get(path, Accept_Language="en").body
    chinese = till.get(path, Accept_Language="zh-CN,zh;q=0.9").body
    assert english["detail"] == "A query parameter is not right."
    assert english["code"] == chinese["code"]
    assert english["type"] == chinese["type"]


def test_answers_stay_out_of_caches(till: Caller) -> None:
    answer = till.get(f"/members/{members.member().public_id}")
    assert answer.headers["Cache-Control"] == "no-store"


def test_database_that_is_away_is_said_so(till: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_args: Any, **_values: Any) -> Any:
        raise OperationalError("secret host is down")

    monkeypatch.setattr(intake, "receive", failing)
    answer = till.put(f"/orders/till/{bodies.number()}", bodies.order())
    assert (answer.status, answer.code) == (503, "temporarily_unavailable")
    assert b"secret" not in answer.raw


def test_what_nobody_foresaw_is_a_problem_too(
    till: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(*_args: Any, **_values: Any) -> Any:
        raise ZeroDivisionError("13800138000")

    monkeypatch.setattr(intake, "receive", failing)
    till.client.raise_request_exception = False
    answer = till.put(f"/orders/till/{bodies.number()}", bodies.order())
    assert (answer.status, answer.code) == (500, "internal_error")
    assert b"13800138000" not in answer.raw
    assert "ZeroDivisionError" in caplog.text


def test_unknown_keys_are_refused_everywhere(caller: Callable[..., Caller]) -> None:
    till = caller()
    member = f"/members/{members.member().public_id}"
    for method, path, body in (
        ("POST", "/members", bodies.enrolment()),
        ("POST", "/members/batch", {"members": [bodies.enrolment()]}),
        ("POST", LOOKUP, {"kind": "phone", "value": "13800138000"}),
        ("PATCH", member, {}),
        ("PUT", f"{member}/consents", {"consents": [{"purpose": "sms", "granted": True}]}),
        ("POST", f"{member}/adjustments", {"points": 1, "reason": "x"}),
        ("PUT", "/orders/till/1", bodies.order()),
        ("POST", "/orders/till/1/refunds", bodies.refund()),
        ("POST", "/orders/till/1/claim", {}),
        ("POST", "/interactions", bodies.interaction()),
        ("POST", "/facts/batch", {"facts": [{}]}),
    ):
        answer = till.call(method, path, {**body, "is_staff": True}, Idempotency_Key=path)
        assert answer.status == 400, path
        assert ("/is_staff", "unknown_key") in {
            (error["pointer"], error["code"]) for error in answer.body["errors"]
        }, path


def test_problem_address_says_what_it_means(db: None) -> None:
    for code in codes.known():
        response = Client().get(f"/api/problems/{code}", headers={"Accept-Language": "en"})
        assert response.status_code == 200
        assert json.loads(response.content)["title"]
    assert Client().get("/api/problems/none").status_code == 404
