"""The description matches what the API does."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import jsonschema  # type: ignore[import-untyped]
import orjson
import pytest
from django.test import Client

from config.base.api import codes, json_format
from config.wiring import panels
from rewards.api import parsing
from rewards.api.members import ENROLMENT_KEYS
from tests.api import bodies
from tests.api.conftest import Answer, Caller
from tests.api.test_authorization_matrix import ACCEPTS_TOKENS, ENDPOINTS
from tests.factories import members

_PARAMETER = re.compile(r"\{(\w+)\}")
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """Return the description as it is served."""
    response = Client().get("/api/v1/schema")
    assert response.status_code == 200
    described: dict[str, Any] = orjson.loads(response.content)
    return described


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in schema["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method.upper(), item[method]


def contents(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return every content with schema and examples, and where it stands."""
    for path, method, operation in operations(schema):
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{method} {path} {kind}", content
        for status, response in operation["responses"].items():
            for kind, content in response.get("content", {}).items():
                yield f"{method} {path} {status} {kind}", content


def check(schema: dict[str, Any], part: dict[str, Any], value: Any) -> None:
    jsonschema.Draft202012Validator({**part, "components": schema["components"]}).validate(value)


def test_every_endpoint_is_described(schema: dict[str, Any]) -> None:
    needing = [each for each in operations(schema) if "x-scope" in each[2]]
    described = {(method, operation["x-scope"]) for _p, method, operation in needing}
    assert len(needing) == len(ENDPOINTS)
    public = {path for path, _method, operation in operations(schema) if "x-scope" not in operation}
    assert public == {"/api/v1/programme", "/api/v1/inbound/{code}"}
    assert described == {(method, scope) for _route, method, scope in ENDPOINTS}
    assert schema["openapi"].startswith("3.1")


def test_operations_have_distinct_names_and_need_a_key(schema: dict[str, Any]) -> None:
    names = [operation["operationId"] for _path, _method, operation in operations(schema)]
    assert len(names) == len(set(names))
    for _path, _method, operation in operations(schema):
        needed: list[Any] = [{"touchpointKey": []}] if "x-scope" in operation else []
        assert operation.get("security", []) == needed
    assert schema["components"]["securitySchemes"]["touchpointKey"]["scheme"] == "bearer"


def test_schemas_are_schemas_and_examples_keep_to_them(schema: dict[str, Any]) -> None:
    for part in schema["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(part)
    count = 0
    for place, content in contents(schema):
        assert content["examples"], place
        for example in content["examples"].values():
            check(schema, content["schema"], example["value"])
            count += 1
    assert count > 2 * len(ENDPOINTS)


def untyped(place: str, part: Any) -> Iterator[str]:
    """Yield where a schema says nothing of what an object, a list or a value holds."""
    if isinstance(part, list):
        for number, each in enumerate(part):
            yield from untyped(f"{place}/{number}", each)
        return
    if not isinstance(part, dict):
        return
    kinds = part.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    is_said = "properties" in part or part.get("additionalProperties") not in (None, True)
    if "object" in kinds and not is_said:
        yield place
    if "array" in kinds and not part.get("items"):
        yield place
    if not part.keys() & {"type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const"}:
        yield place
    for key in ("items", "additionalProperties", "anyOf", "oneOf", "allOf"):
        if key in part and not isinstance(part[key], bool):
            yield from untyped(f"{place}/{key}", part[key])
    for name, each in part.get("properties", {}).items():
        yield from untyped(f"{place}/{name}", each)


@pytest.mark.req("INT-05")
def test_nothing_is_left_untyped(schema: dict[str, Any]) -> None:
    found = [
        place
        for name, part in schema["components"]["schemas"].items()
        if name != "FreeForm"  # says so itself
        for place in untyped(name, part)
    ]
    for where, content in contents(schema):
        found += untyped(where, content["schema"])
    for path, method, operation in operations(schema):
        for parameter in operation.get("parameters", ()):
            found += untyped(f"{method} {path} {parameter['name']}", parameter["schema"])
    assert found == []


def test_the_check_finds_what_is_untyped() -> None:
    for part in ({"type": "object"}, {}, {"type": "array"}, {"type": ["object", "null"]}):
        assert list(untyped("x", part)) != []
        assert list(untyped("x", {"type": "object", "properties": {"a": part}})) != []


def test_member_tokens_are_described_where_they_are_accepted(schema: dict[str, Any]) -> None:
    described = {
        (_PARAMETER.sub(r"<\1>", path.removeprefix("/api/v1/")), method): operation[
            "x-member-token"
        ]
        for path, method, operation in operations(schema)
        if "x-member-token" in operation
    }
    accepted = {
        (re.sub(r"<\w+:(\w+)>", r"<\1>", route), method) for route, method in ACCEPTS_TOKENS
    }
    assert set(described) == accepted
    assert set(described.values()) <= {"path", "query", "body", "row"}


def test_declared_codes_are_known(schema: dict[str, Any]) -> None:
    known = codes.known()
    for _path, _method, operation in operations(schema):
        for status, response in operation["responses"].items():
            problems = response.get("content", {}).get("application/problem+json", {})
            for example in problems.get("examples", {}).values():
                assert known[example["value"]["code"]].status == int(status)


def test_bodies_name_the_keys_that_are_read(schema: dict[str, Any]) -> None:
    parts = schema["components"]["schemas"]
    for name, keys in (
        ("Order", parsing.ORDER_KEYS),
        ("OrderLine", parsing.LINE_KEYS),
        ("Refund", parsing.REFUND_KEYS),
        ("Interaction", parsing.INTERACTION_KEYS),
        ("Adjustment", parsing.ADJUSTMENT_KEYS),
        ("Claim", parsing.CLAIM_KEYS),
        ("Enrolment", ENROLMENT_KEYS),
    ):
        assert set(parts[name]["properties"]) == keys, name


@pytest.mark.django_db
def test_answers_keep_to_the_description(schema: dict[str, Any], till: Caller) -> None:
    panels.install()
    described = {(path, method): operation for path, method, operation in operations(schema)}
    member = members.member()
    base, order = f"/members/{member.public_id}", f"/orders/till/{bodies.number()}"
    stranger = {"kind": "phone", "value": members.phone()}

    def keeps(route: str, method: str, answer: Answer) -> Answer:
        operation = described[f"/api/v1{route}", method]
        response = operation["responses"][str(answer.status)]
        kind = answer.headers["Content-Type"]
        check(schema, response["content"][kind]["schema"], orjson.loads(answer.raw))
        return answer

    one, place = "/members/{public_id}", "/orders/{source}/{order_no}"
    person = bodies.enrolment(name="张三", consents=[{"purpose": "sms", "granted": True}])
    keeps("/members", "POST", till.post("/members", person))
    keeps("/members", "POST", till.post("/members", person))
    keeps("/members", "POST", till.post("/members", {}))
    keeps("/members/batch", "POST", till.post("/members/batch", {"members": [person, {}]}))
    keeps("/members/lookup", "POST", till.post("/members/lookup", person["identifiers"][0]))
    keeps(one, "GET", till.get(base))
    keeps(one, "PATCH", till.patch(base, {"name": "李四"}))
    consents = {"consents": [{"purpose": "sms", "granted": False}]}
    keeps(f"{one}/consents", "PUT", till.put(f"{base}/consents", consents))
    lines = [bodies.line(1, "1500.00", category="coffee"), bodies.line(2, "5.00", kind="fee")]
    body = bodies.order(*lines, member=str(member.public_id), store="SH-1")
    keeps(place, "PUT", till.put(order, body))
    keeps(place, "PUT", till.put(order, body))
    keeps(place, "PUT", till.put(order, {**body, "status": "cancelled"}))
    keeps(place, "PUT", till.put(order, {**body, "status": "lost"}))
    keeps(place, "PUT", till.put(f"{order}x", bodies.order(identifier=stranger)))
    keeps(f"{place}/refunds", "POST", till.post(f"{order}/refunds", bodies.refund(amount="9.00")))
    keeps(f"{place}/refunds", "POST", till.post(f"{order}y/refunds", bodies.refund()))
    keeps(place, "GET", till.get(order))
    keeps(place, "GET", till.get("/orders/till/none"))
    keeps(place, "PUT", till.put(f"{order}z", bodies.order()))
    claim = {"member": str(member.public_id)}
    keeps(f"{place}/claim", "POST", till.post(f"{order}z/claim", claim))
    keeps(f"{place}/claim", "POST", till.post(f"{order}z/claim", claim))
    interaction = bodies.interaction(member=str(member.public_id))
    keeps("/interactions", "POST", till.post("/interactions", interaction))
    fact = {"type": "order", "source": "till", "order_no": bodies.number(), **body}
    keeps("/facts/batch", "POST", till.post("/facts/batch", {"facts": [fact, {}]}))
    adjustment = {"points": 50, "reason": "goodwill"}
    path = f"{base}/adjustments"
    keeps(f"{one}/adjustments", "POST", till.post(path, adjustment, Idempotency_Key="k"))
    keeps(f"{one}/adjustments", "POST", till.post(path, adjustment))
    over = {"points": 501, "reason": "goodwill"}
    keeps(f"{one}/adjustments", "POST", till.post(path, over, Idempotency_Key="k2"))
    keeps(f"{one}/summary", "GET", till.get(f"{base}/summary"))
    keeps(f"{one}/token", "POST", till.post(f"{base}/token", {"ttl_seconds": 60}))
    keeps(f"{one}/code", "POST", till.post(f"{base}/code", {}))
    keeps(f"{one}/otp", "POST", till.post(f"{base}/otp", {}))
    keeps(f"{one}/check-ins", "POST", till.post(f"{base}/check-ins", {}))
    keeps(f"{one}/check-ins", "POST", till.post(f"{base}/check-ins", {}))
    keeps(f"{one}/points", "GET", till.get(f"{base}/points"))
    keeps(f"{one}/tier", "GET", till.get(f"{base}/tier"))
    keeps(f"{one}/timeline", "GET", till.get(f"{base}/timeline"))
    keeps(f"{one}/statements", "GET", till.get(f"{base}/statements?month=2026-01"))
    for entry in keeps(f"{one}/entries", "GET", till.get(f"{base}/entries")).body["items"]:
        why = till.get(f"/entries/{entry['id']}/explanation")
        keeps("/entries/{entry_id}/explanation", "GET", why)


@pytest.mark.django_db
def test_example_bodies_are_read_without_a_fault(schema: dict[str, Any], till: Caller) -> None:
    for path, method, operation in operations(schema):
        content = operation.get("requestBody", {}).get("content", {}).get(json_format.MEDIA_TYPE)
        if content is None:
            continue
        (example,) = content["examples"].values()
        place = path.removeprefix("/api/v1").format(
            public_id=members.member().public_id,
            delivery_id=members.member().public_id,
            source="till",
            order_no=bodies.number(),
            code="expert_advice",
            redemption_id=uuid4(),
            reservation_id=uuid4(),
            use_id=uuid4(),
            use=uuid4(),
            membership=uuid4(),
            verification=uuid4(),
            message_id=uuid4(),
            form_id=uuid4(),
        )
        answer = till.call(method, place, example["value"], Idempotency_Key=bodies.number())
        assert answer.status != 400, (path, answer.body)


def test_pages_load_nothing_from_elsewhere() -> None:
    page = Client().get("/api/docs")
    assert page.status_code == 200
    html = page.content.decode()
    assert "http://" not in html.replace("http://testserver", "")
    assert "https://" not in html
    assert "swagger-ui-bundle" in html
    script = Client().get("/api/docs?script=")
    assert b"/api/v1/schema" in script.content
    assert "'unsafe-inline'" not in page.headers["Content-Security-Policy"].split("style-src")[0]
