"""JSON as the API reads and writes it.

Reading is strict: what two readers could understand differently (a key given twice, NaN, half a
surrogate pair) is refused instead of guessed.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any, NoReturn

import orjson
from django.http import UnreadablePostError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from config.base import clock
from config.base.api.problems import FieldError, RequestInvalidError
from config.base.errors import DomainError

MEDIA_TYPE = "application/json"
MAX_BODY_BYTES = 1 << 20
MAX_BATCH_BODY_BYTES = 16 << 20

# What a string may not hold: PostgreSQL has no NUL, UTF-8 no half of a surrogate pair.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class JsonInvalidError(DomainError):
    """The body is no JSON, or JSON that could be read in two ways."""

    def __init__(self, reason: "str | Promise") -> None:
        super().__init__("json_invalid", reason)


class BodyTooLargeError(DomainError):
    """The body is larger than the endpoint reads."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            "body_too_large", _("The body is too large."), status=413, limit_bytes=limit
        )


class MediaTypeError(DomainError):
    """The body is not plain JSON in UTF-8."""

    def __init__(self) -> None:
        super().__init__(
            "unsupported_media_type",
            _("Send application/json in UTF-8, without a content encoding."),
            status=415,
        )


def _refuse_constant(name: str) -> NoReturn:
    raise JsonInvalidError(_("NaN and Infinity are not JSON."))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        raise JsonInvalidError(_("A key is given twice in one object."))
    return data


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=Decimal
)


def read(raw: bytes) -> Any:
    """Return the value; numbers with a fraction become exact decimals.

    Raises: JsonInvalidError, or RequestInvalidError for text that cannot be stored.
    """
    try:
        text = raw.decode("utf-8")
        value = _decoder.decode(text)
    except UnicodeDecodeError as error:
        raise JsonInvalidError(_("The body is not UTF-8.")) from error
    except RecursionError as error:
        raise JsonInvalidError(_("The body is nested too deeply.")) from error
    except ValueError as error:
        raise JsonInvalidError(_("The body is not valid JSON.")) from error
    # Only an escape can smuggle in what UTF-8 and the grammar have refused already.
    if "\\u" in text and (errors := unstorable(value, "")):
        raise RequestInvalidError(errors)
    return value


def unstorable(value: Any, pointer: str) -> list[FieldError]:
    """Return where the value holds text that cannot be stored."""
    if isinstance(value, str):
        if UNSTORABLE.search(value):
            return [FieldError(pointer, "characters_invalid", _("Characters that are no text."))]
        return []
    if isinstance(value, Mapping):
        found = []
        for key, item in value.items():
            place = f"{pointer}/{escape(UNSTORABLE.sub('�', key))}"
            found += unstorable(key, place) or unstorable(item, place)
        return found
    if isinstance(value, list):
        return [
            error
            for number, item in enumerate(value)
            for error in unstorable(item, f"{pointer}/{number}")
        ]
    return []


def escape(key: str) -> str:
    """Return the key as one part of a JSON pointer. Source: RFC 6901 §3."""
    return key.replace("~", "~0").replace("/", "~1")


def _default(value: Any) -> str:
    if isinstance(value, datetime):
        return clock.rfc3339(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Promise | Decimal):
        return str(value)
    raise TypeError(type(value).__name__)


def write(value: Any) -> bytes:
    """Return the value as JSON; instants in programme time with their offset."""
    return orjson.dumps(value, default=_default, option=orjson.OPT_PASSTHROUGH_DATETIME)


def write_sorted(value: Any) -> bytes:
    """Return the value as JSON with its keys in order, so that equal values look the same."""
    option = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_SORT_KEYS
    try:
        return orjson.dumps(value, default=_default, option=option)
    except TypeError:
        # A whole number of more than 64 bits: no body of ours has one, but somebody may send it.
        return json.dumps(
            value, default=_default, sort_keys=True, ensure_ascii=False, separators=(",", ":")
        ).encode("utf-8", "surrogatepass")


class StrictJSONParser(BaseParser):
    """Read a request's body."""

    media_type = "*/*"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the body's value.

        Raises: MediaTypeError, BodyTooLargeError and what `read` raises.
        """
        context = parser_context or {}
        check_media_type(context["request"])
        limit: int = getattr(context["view"], "max_body_bytes", MAX_BODY_BYTES)
        length = context["request"].META.get("CONTENT_LENGTH") or 0
        if int(length) > limit:
            raise BodyTooLargeError(limit)
        try:
            raw = stream.read(limit + 1)
        except UnreadablePostError as error:
            raise JsonInvalidError(_("The body could not be read.")) from error
        if len(raw) > limit:
            raise BodyTooLargeError(limit)
        return read(raw)


def check_media_type(request: Request) -> None:
    """Refuse a body that is not plain JSON in UTF-8.

    Raises: MediaTypeError.
    """
    if request.META.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
        raise MediaTypeError
    media_type, _semicolon, rest = request.META.get("CONTENT_TYPE", "").partition(";")
    if media_type.strip().lower() != MEDIA_TYPE:
        raise MediaTypeError
    for parameter in rest.split(";"):
        name, _equals, value = parameter.strip().partition("=")
        if name.lower() == "charset" and value.strip('"').lower() not in ("utf-8", "utf8"):
            raise MediaTypeError


class JSONRenderer(BaseRenderer):
    """Write an answer's body."""

    media_type = MEDIA_TYPE
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return the body; no content has none."""
        return b"" if data is None else write(data)


class OnlyJSON(BaseContentNegotiation):
    """There is one format, so there is nothing to negotiate."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        """Return the only parser; it checks the media type itself."""
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        """Return the only renderer."""
        return next(iter(renderers)), MEDIA_TYPE
