"""Facts: orders, refunds, claims, interactions, and batches of them."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from config.base.api import cursors, json_format, problems
from config.base.api.problems import RequestInvalidError
from config.base.api.reading import ObjectReader
from config.base.errors import DomainError
from members.api.idempotency import idempotent
from members.api.views import TouchpointEndpoint
from members.models import Channel, Source, Touchpoint
from rewards import queries
from rewards.api import openapi, parsing, representation
from rewards.api.naming import member_named
from rewards.domain.submission import InteractionFact, Submission
from rewards.services import intake
from rewards.services.answers import Outcome

MAX_FACTS = 1_000
KEPT = 202
SUPERSEDED = "superseded"


class OrderNotFoundError(DomainError):
    """No order of this source has this number, or it still waits for its member."""

    def __init__(self) -> None:
        super().__init__("order_not_found", _("There is no such order."), status=404)


class SourceNotOwnedError(DomainError):
    """The source belongs to another touchpoint."""

    def __init__(self, source: str) -> None:
        super().__init__(
            "source_not_owned",
            _("This source belongs to another touchpoint."),
            status=403,
            source=source,
        )


class FactEndpoint(TouchpointEndpoint):
    """An endpoint that hands facts to intake."""

    def receive(self, request: Request, facts: Sequence[Submission]) -> list[Outcome]:
        """Hand facts over, as the touchpoint of the key."""
        key = self.key_of(request)
        return intake.receive(facts, touchpoint=key.touchpoint, at=self.at(), actor=key.actor)

    def answer(self, outcome: Outcome) -> Response:
        """Return what came of one fact."""
        body = answer_json(outcome)
        if outcome.status >= 400:
            return problems.response(body)
        return Response(body, status=outcome.status)


class OrderView(FactEndpoint):
    """One order."""

    scopes = {"PUT": "orders:write", "GET": "orders:read"}

    @openapi.put_order
    @idempotent(required=False)
    def put(self, request: Request, source: str, order_no: str) -> Response:
        """Report an order as it now stands."""
        fact = parsing.one_order(request.data, source, order_no)
        (outcome,) = self.receive(request, [fact])
        return self.answer(outcome)

    @openapi.get_order
    def get(self, request: Request, source: str, order_no: str) -> Response:
        """Return the order as it stands, with the decision that counts."""
        cursors.check_parameters(request.query_params, ())
        parsing.check_place(source, order_no)
        reading = queries.order_of(source, order_no)
        if reading is None:
            raise OrderNotFoundError
        return Response(representation.order_json(reading))


class RefundsView(FactEndpoint):
    """Refunds of one order."""

    scopes = {"POST": "orders:write"}

    @openapi.post_refund
    @idempotent(required=False)
    def post(self, request: Request, source: str, order_no: str) -> Response:
        """Report a refund."""
        fact = parsing.one_refund(request.data, source, order_no)
        (outcome,) = self.receive(request, [fact])
        return self.answer(outcome)


class ClaimView(FactEndpoint):
    """The claim of an order that was made without a member (补登积分).

    Customer service claims orders of every source, other touchpoints those of their own.
    """

    scopes = {"POST": "orders:write"}

    @openapi.post_claim
    @idempotent(required=False)
    def post(self, request: Request, source: str, order_no: str) -> Response:
        """Attach an order to a member."""
        named = parsing.claim(request.data, source, order_no)
        touchpoint = self.key_of(request).touchpoint
        if touchpoint.channel != Channel.CS:
            check_source(touchpoint, source)
        outcome = intake.claim(
            source=source,
            order_no=order_no,
            member=member_named(named),
            at=self.at(),
            actor=self.key_of(request).actor,
        )
        return self.answer(outcome)


class InteractionsView(FactEndpoint):
    """Interactions of members. Source: MEM-17."""

    scopes = {"POST": "interactions:write"}

    @openapi.post_interaction
    @idempotent(required=False)
    def post(self, request: Request) -> Response:
        """Report an interaction."""
        fact = parsing.one_interaction(request.data)
        (outcome,) = self.receive(request, [fact])
        return self.answer(outcome)


class FactsBatchView(FactEndpoint):
    """Many facts at once, as one by one in business order."""

    scopes = {"POST": "orders:write"}
    max_body_bytes = json_format.MAX_BATCH_BODY_BYTES

    @openapi.post_facts
    @idempotent(required=False)
    def post(self, request: Request) -> Response:
        """Report up to 1,000 facts; each result stands where its fact stood."""
        reader = ObjectReader(request.data)
        reader.only(frozenset({"facts"}))
        items = reader.items("facts", MAX_FACTS)
        reader.finish()
        results: list[dict[str, Any] | None] = [None] * len(items)
        facts: dict[int, Submission] = {}
        scopes = self.key_of(request).scopes
        for place, item in enumerate(items):
            read = parsing.batch_fact(item)
            if isinstance(read, RequestInvalidError):
                results[place] = problems.of_error(read)
            elif isinstance(read, InteractionFact) and "interactions:write" not in scopes:
                results[place] = problems.document(
                    "scope_missing", 403, details={"scope": "interactions:write"}
                )
            else:
                facts[place] = read
        outcomes = self.receive(request, list(facts.values()))
        for place, outcome in zip(facts, outcomes, strict=True):
            results[place] = {**answer_json(outcome), "status": outcome.status}
        return Response({"results": results})


def answer_json(outcome: Outcome) -> dict[str, Any]:
    """Return the body for an outcome: its data with sentences, or a problem document."""
    if outcome.status >= 400:
        return problems.document(outcome.code or "refused", outcome.status, details=outcome.data)
    body = dict(outcome.data)
    if outcome.status == KEPT:
        return {"code": body["status"], **body}
    if body.get("order", {}).get("superseded"):
        body["code"] = SUPERSEDED
    if "explanation" in body:
        body["explanation"] = representation.explained(body["explanation"])
    return body


def check_source(touchpoint: Touchpoint, source: str) -> None:
    """Refuse a source of another touchpoint.

    Raises: SourceNotOwnedError.
    """
    if Source.objects.filter(code=source).exclude(touchpoint=touchpoint).exists():
        raise SourceNotOwnedError(source)
