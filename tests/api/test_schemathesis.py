"""The description holds: what a program makes of it is answered as it says, never with 5xx."""

import functools
import os
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from members.domain.scopes import SCOPES
from members.models import Member
from tests.api.conftest import Caller
from tests.factories import members

pytestmark = pytest.mark.django_db

ALWAYS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
# What a body that fits its schema may still meet: somebody who is not there, a state, a figure.
NOT_MALFORMED = {200, 201, 202, 204, 304, 401, 403, 404, 409, 422, 429}
# One field may contradict another, which no schema says: then the answer names the field.
CONTRADICTIONS = {
    "amount_invalid", "cursor_invalid", "duplicate_line", "enrolment_invalid",
    "idempotency_key_required", "impossible", "member_or_identifier", "parameter_invalid",
    "required", "identifier_invalid", "control_characters", "time_invalid", "date_invalid",
    "characters_invalid",
    "integer_expected",
    "value_invalid",
    "webhook_url_invalid",
    "zero",
}  # fmt: skip

Operation = Any
Check = Callable[[Any, Any], None]


@functools.cache
def operations() -> dict[str, Operation]:
    """Return every operation of the description by its name; reading it takes its time."""
    content = Client(SERVER_NAME="localhost").get("/api/v1/schema").json()
    described = schemathesis.openapi.from_dict(content)
    described.app = WSGIHandler()
    results: list[Any] = list(described.get_all_operations())
    return {found.ok().label: found.ok() for found in results}


def send(operation: Any, mode: GenerationMode, caller: Caller, check: Check, most: int) -> None:
    """Send what a generator makes of an operation; hold each answer against the description."""

    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    @hypothesis.settings(
        max_examples=most, deadline=None, derandomize=True, database=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    def each(case: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {caller.secret}"}
        answer = case.call()
        assert answer.status_code < 500, answer.text
        case.validate_response(answer, checks=ALWAYS)
        check(case, answer)

    each()


def accepted(case: Any, answer: Any) -> None:
    """Refuse that a body which fits its schema is called malformed."""
    if answer.status_code not in NOT_MALFORMED:
        body = answer.json()
        found = {error["code"] for error in body.get("errors", ())} | {body["code"]}
        assert found & CONTRADICTIONS, (case.body, body)


def anything(_case: Any, _answer: Any) -> None:
    """Ask for no more."""


NAMES = sorted(operations())
MOST = 60 if os.environ.get("HYPOTHESIS_PROFILE") == "prove" else 4


@pytest.fixture
def somebody(programme: None) -> Member:
    """Return a member, so that there is one."""
    return members.member()


@pytest.mark.parametrize("name", NAMES)
def test_requests_that_fit_the_description_are_answered_as_it_says(
    application: WSGIHandler, till: Caller, somebody: Member, name: str
) -> None:
    operation = operations()[name]
    send(operation, GenerationMode.POSITIVE, till, accepted, MOST)


@pytest.mark.parametrize("name", NAMES)
def test_requests_that_do_not_fit_are_answered_as_it_says(
    application: WSGIHandler, till: Caller, name: str
) -> None:
    operation = operations()[name]
    send(operation, GenerationMode.NEGATIVE, till, anything, MOST)


@pytest.mark.prove
@pytest.mark.parametrize("scope", sorted(SCOPES))
def test_each_scope_alone_is_answered_as_the_description_says(
    application: WSGIHandler, caller: Callable[..., Caller], somebody: Member, scope: str
) -> None:
    till = caller(scope)
    for operation in operations().values():
        send(operation, GenerationMode.POSITIVE, till, accepted, 10)
