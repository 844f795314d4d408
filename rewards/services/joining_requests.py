"""Enrolment requests as they are sent, and what is checked before anything is read."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.errors import DomainError
from members.domain.enrolment import Key
from members.domain.identifiers import IdentifierInvalid, normalise
from members.domain.personal import Personal
from members.models import Channel, Touchpoint
from members.services.consents import ConsentDecision

MAX_IDENTIFIERS: Final = 20
MAX_NAME_LENGTH: Final = 100
MAX_CODE_LENGTH: Final = 64
MAX_ATTRIBUTES_BYTES: Final = 16_384
EARLIEST_BIRTHDAY: Final = date(1900, 1, 1)
FUTURE_TOLERANCE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class EnrolmentRequest:
    """One person as a touchpoint or a file describes them; identifiers are (kind, value, app)."""

    identifiers: tuple[tuple[str, str, str], ...] = field(repr=False)
    name: str = field(default="", repr=False)
    birthday: date | None = field(default=None, repr=False)
    city: str = field(default="", repr=False)
    channel: str = ""
    store: str = ""
    staff: str = ""
    consents: tuple[ConsentDecision, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict, repr=False)
    joined_at: datetime | None = None


def to_json(request: EnrolmentRequest) -> dict[str, Any]:
    """Return a request fit for JSON; it holds personal values, so it is only kept sealed."""
    written: dict[str, Any] = orjson.loads(orjson.dumps(request))
    return written


def from_json(data: Mapping[str, Any]) -> EnrolmentRequest:
    """Read a request back."""
    birthday, joined_at = data["birthday"], data["joined_at"]
    decisions = (
        {**each, "given_at": each["given_at"] and datetime.fromisoformat(each["given_at"])}
        for each in data["consents"]
    )
    return EnrolmentRequest(
        **{
            **data,
            "identifiers": tuple(tuple(each) for each in data["identifiers"]),
            "birthday": birthday and date.fromisoformat(birthday),
            "consents": tuple(ConsentDecision(**each) for each in decisions),
            "joined_at": joined_at and datetime.fromisoformat(joined_at),
        }
    )


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What became of one request: a member, or the error that says why not.

    `attached` counts the identifiers that this request was the first to bring.
    """

    member_id: int | None = None
    public_id: UUID | None = None
    card_number: str = ""
    created: bool = False
    attached: int = 0
    error: DomainError | None = None

    @property
    def code(self) -> str | None:
        """Return the error's code."""
        return self.error.code if self.error else None


@dataclass(frozen=True, slots=True)
class CheckedRequest:
    """A request that can be taken: normal identifiers and clean values."""

    keys: tuple[Key, ...] = field(repr=False)
    personal: Personal
    channel: str
    store: str
    staff: str
    consents: tuple[ConsentDecision, ...]
    attributes: Mapping[str, Any] = field(repr=False)
    joined_at: datetime


class EnrolmentInvalidError(DomainError):
    """A request is malformed; `field` says where, `reason` how."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            "enrolment_invalid", _("This cannot be enrolled."), field=name, reason=reason
        )


def check(
    request: EnrolmentRequest, *, touchpoint: Touchpoint | None, at: datetime
) -> CheckedRequest:
    """Return the request in normal form.

    Raises: IdentifierInvalid, ConsentInvalidError, EnrolmentInvalidError.
    """
    for name in ("store", "staff"):
        _check_text(name, getattr(request, name), MAX_CODE_LENGTH)
    joined_at = request.joined_at or at
    if joined_at > at + FUTURE_TOLERANCE:
        raise EnrolmentInvalidError("joined_at", "in_future")
    return CheckedRequest(
        keys=_keys(request),
        personal=_personal(request, at),
        channel=_channel(request, touchpoint),
        store=request.store,
        staff=request.staff,
        consents=tuple(decision.checked() for decision in request.consents),
        attributes=_attributes(request),
        joined_at=joined_at,
    )


def _keys(request: EnrolmentRequest) -> tuple[Key, ...]:
    if not request.identifiers:
        raise EnrolmentInvalidError("identifiers", "missing")
    if len(request.identifiers) > MAX_IDENTIFIERS:
        raise EnrolmentInvalidError("identifiers", "too_many")
    keys: dict[Key, None] = {}
    for index, (kind, value, app) in enumerate(request.identifiers):
        try:
            keys[kind, app, normalise(kind, value, app)] = None
        except IdentifierInvalid as error:
            error.details["index"] = index
            raise
    return tuple(keys)


def _personal(request: EnrolmentRequest, at: datetime) -> Personal:
    _check_text("name", request.name, MAX_NAME_LENGTH)
    _check_text("city", request.city, MAX_NAME_LENGTH)
    birthday = request.birthday
    if birthday and not EARLIEST_BIRTHDAY <= birthday <= clock.local_day(at):
        raise EnrolmentInvalidError("birthday", "impossible")
    name = unicodedata.normalize("NFC", request.name.strip())
    return Personal(name=name, birthday=birthday, city=request.city.strip())


def _channel(request: EnrolmentRequest, touchpoint: Touchpoint | None) -> str:
    """Return the channel of the request, of the touchpoint, or of a file."""
    channel = request.channel or (touchpoint.channel if touchpoint else Channel.IMPORT.value)
    if channel not in Channel.values:
        raise EnrolmentInvalidError("channel", "unknown")
    return channel


def _attributes(request: EnrolmentRequest) -> Mapping[str, Any]:
    try:
        written = orjson.dumps(dict(request.attributes))
    except (TypeError, ValueError) as error:
        raise EnrolmentInvalidError("attributes", "not_json") from error
    if len(written) > MAX_ATTRIBUTES_BYTES:
        raise EnrolmentInvalidError("attributes", "too_large")
    if b"\\u0000" in written:
        raise EnrolmentInvalidError("attributes", "character_not_allowed")
    return request.attributes


def _check_text(name: str, text: str, length: int) -> None:
    if len(text) > length:
        raise EnrolmentInvalidError(name, "too_long")
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        raise EnrolmentInvalidError(name, "character_not_allowed")
