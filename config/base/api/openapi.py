"""The description of the API: operations are declared beside their views, schemas are plain JSON.

Bodies are read by hand, so their schemas are written by hand too; a test validates every example
and every answer of the tests against them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.utils import translation
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from config.base.api import codes, json_format, problems

Schema = dict[str, Any]
View = TypeVar("View", bound=Callable[..., Any])

JSON = json_format.MEDIA_TYPE
ALWAYS = ("internal_error", "temporarily_unavailable")
WITH_KEY = ("not_authenticated", "key_invalid", "scope_missing", "rate_limited")
WITH_MEMBER_TOKEN = ("token_other_member",)
WITHOUT_MEMBER_TOKEN = ("token_not_accepted",)
WITH_BODY = ("json_invalid", "request_invalid", "body_too_large", "unsupported_media_type")
WITH_IDEMPOTENCY_KEY = (
    "idempotency_key_invalid",
    "idempotency_key_in_use",
    "idempotency_key_reused",
)

_components: dict[str, Schema] = {}


@dataclass(frozen=True, slots=True)
class Answer:
    """One status of an operation: what it means, its schema, and an example of it."""

    status: int
    description: str
    schema: Schema
    example: Any


@dataclass(frozen=True, slots=True)
class Body:
    """What an operation reads: its schema and an example of it."""

    schema: Schema
    example: Any


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: `scope` is what the key needs, empty for a public one.

    `member_by` says where a member token has to find its member; empty where none is accepted.
    With `is_conditional` it answers 304 where the caller has the answer already.
    """

    name: str
    tag: str
    summary: str
    scope: str
    answers: Sequence[Answer]
    errors: Sequence[str] = ()
    body: Body | None = None
    parameters: Sequence[OpenApiParameter] = ()
    idempotency: str = ""
    member_by: str = ""
    is_conditional: bool = False

    def __call__(self, view: View) -> View:
        """Describe a handler."""
        described: View = extend_schema(
            operation_id=self.name,
            tags=[self.tag],
            summary=self.summary,
            description=self._description(),
            parameters=[*self.parameters, *self._idempotency_parameter()],
            request=self._request(),
            responses=self._responses(),
            examples=self._examples(),
            auth=None if self.scope else [],
            extensions=self._extensions(),
        )(view)
        return described

    def error_codes(self) -> tuple[str, ...]:
        """Return every code that the operation may answer with."""
        found = [*self.errors, *ALWAYS]
        found += WITH_KEY if self.scope else ()
        if self.scope:
            found += WITH_MEMBER_TOKEN if self.member_by else WITHOUT_MEMBER_TOKEN
        found += WITH_BODY if self.body else ()
        found += WITH_IDEMPOTENCY_KEY if self.idempotency else ()
        found += ["idempotency_key_required"] if self.idempotency == "required" else []
        return tuple(dict.fromkeys(found))

    def _extensions(self) -> dict[str, str] | None:
        if not self.scope:
            return None
        accepted = {"x-member-token": self.member_by} if self.member_by else {}
        return {"x-scope": self.scope, **accepted}

    def _description(self) -> str:
        lines = [self.summary]
        if self.scope:
            lines.append(f"Scope: `{self.scope}`.")
        if self.member_by:
            lines.append("A member token is accepted for its own member.")
        if self.idempotency:
            lines.append(f"`Idempotency-Key` is {self.idempotency}.")
        return "\n\n".join(lines)

    def _idempotency_parameter(self) -> list[OpenApiParameter]:
        if not self.idempotency:
            return []
        return [
            OpenApiParameter(
                "Idempotency-Key",
                {"type": "string", "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
                OpenApiParameter.HEADER,
                required=self.idempotency == "required",
                description="The same key with the same body gives the stored answer (30 days).",
            )
        ]

    def _request(self) -> Any:
        return {JSON: self.body.schema} if self.body else None

    def _examples(self) -> list[OpenApiExample]:
        if self.body is None:
            return []
        return [OpenApiExample("Request", value=self.body.example, request_only=True)]

    def _responses(self) -> dict[Any, OpenApiResponse]:
        described: dict[Any, OpenApiResponse] = {
            (answer.status, JSON): OpenApiResponse(
                answer.schema,
                description=answer.description,
                examples=[
                    OpenApiExample(
                        f"Answer {answer.status}",
                        value=answer.example,
                        response_only=True,
                        status_codes=[str(answer.status)],
                    )
                ],
            )
            for answer in self.answers
        }
        if self.is_conditional:
            described[304] = OpenApiResponse(description="What you have still holds.")
        for status, found in _by_status(self.error_codes()).items():
            described[status, problems.CONTENT_TYPE] = _problem_response(status, found)
        return described


def component(name: str, schema: Schema) -> Schema:
    """Name a schema and return the reference to it."""
    _components[name] = schema
    return {"$ref": f"#/components/schemas/{name}"}


def components() -> Mapping[str, Schema]:
    """Return all named schemas."""
    return _components


def record(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """Return the schema of an object with exactly these keys."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def listing(item: Schema, most: int | None = None, least: int | None = None) -> Schema:
    """Return the schema of a list."""
    schema: Schema = {"type": "array", "items": item}
    if most is not None:
        schema["maxItems"] = most
    if least is not None:
        schema["minItems"] = least
    return schema


def nullable(schema: Schema) -> Schema:
    """Return the schema that also allows null."""
    if isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def text(most: int, least: int = 1) -> Schema:
    """Return the schema of a text."""
    return {"type": "string", "minLength": least, "maxLength": most}


def choice(*values: str) -> Schema:
    """Return the schema of a text out of a few."""
    return {"type": "string", "enum": list(values)}


def integer(low: int, high: int) -> Schema:
    """Return the schema of a whole number."""
    return {"type": "integer", "minimum": low, "maximum": high}


def query(name: str, schema: Schema, description: str) -> OpenApiParameter:
    """Return an optional query parameter."""
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=description)


def header(name: str, schema: Schema, description: str) -> OpenApiParameter:
    """Return an optional header."""
    return OpenApiParameter(name, schema, OpenApiParameter.HEADER, description=description)


def path(name: str, schema: Schema, description: str) -> OpenApiParameter:
    """Return a part of the address."""
    return OpenApiParameter(name, schema, OpenApiParameter.PATH, description=description)


def page_of(item: Schema) -> Schema:
    """Return the schema of one page of a list."""
    return record({"items": listing(item), "next_cursor": nullable({"type": "string"})})


def _by_status(error_codes: Sequence[str]) -> dict[int, list[str]]:
    known = codes.known()
    found: dict[int, list[str]] = {}
    for code in error_codes:
        found.setdefault(known[code].status, []).append(code)
    return dict(sorted(found.items()))


def _problem_response(status: int, found: Sequence[str]) -> OpenApiResponse:
    with translation.override("en"):
        examples = [
            OpenApiExample(
                code,
                value=problems.document(code, status),
                response_only=True,
                status_codes=[str(status)],
                media_type=problems.CONTENT_TYPE,
            )
            for code in found
        ]
    named = ", ".join(f"`{code}`" for code in found)
    return OpenApiResponse(PROBLEM, description=named, examples=examples)


MONEY: Schema = {
    "type": "string",
    "pattern": r"^[0-9]{1,14}(\.[0-9]{1,18})?$",
    "examples": ["12.30"],
}
SIGNED_MONEY: Schema = {"type": "string", "pattern": r"^-?[0-9]{1,14}(\.[0-9]{1,4})?$"}
POINTS: Schema = {"type": "integer"}
TIME: Schema = {"type": "string", "format": "date-time"}
DAY: Schema = {"type": "string", "format": "date"}
ID: Schema = {"type": "string", "format": "uuid"}
TEXT: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}

FREE = component(
    "FreeForm",
    {
        "type": "object",
        "description": "Any members; what they are called is the caller's business.",
        "additionalProperties": True,
    },
)
PROBLEM = component(
    "Problem",
    {
        "type": "object",
        "description": "RFC 9457. `code` is stable; further members say what is missing.",
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": TEXT,
            "status": {"type": "integer"},
            "code": TEXT,
            "detail": TEXT,
            "errors": listing(record({"pointer": TEXT, "code": TEXT, "detail": TEXT})),
        },
        "required": ["type", "title", "status", "code"],
    },
)

CURSOR_PARAMETERS = (
    query("cursor", TEXT, "`next_cursor` of the page before."),
    query("limit", integer(1, 200), "Rows per page (50)."),
)
