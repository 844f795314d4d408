"""Enrolment, look-up and profiles of members, with the tier that each holds."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from config.base import clock
from config.base.api import json_format, limits, problems
from config.base.api.reading import ObjectReader
from members.api import consents as consents_api
from members.api import reading, representation
from members.api.idempotency import idempotent
from members.api.views import (
    MAX_MEMBER_CODE_LENGTH,
    PATH,
    MemberNotFoundError,
    TouchpointEndpoint,
    member_of,
)
from members.models import Channel, Member
from members.services import identity, member_codes, profile
from rewards import queries
from rewards.api import openapi
from rewards.services import enrolment
from rewards.services.enrolment import Enrolment, EnrolmentRequest
from tiers.api.representation import current_json

ENROLMENT_KEYS = frozenset(
    {
        "identifiers", "name", "birthday", "city", "channel", "store", "staff", "referral_code",
        "consents", "attributes",
    }
)  # fmt: skip
PROFILE_KEYS = frozenset({"name", "birthday", "city", "attributes"})
MAX_BATCH = 1_000
MAX_IDENTIFIERS = 20
MAX_NAME_LENGTH = 100
MAX_CODE_LENGTH = 64
EARLIEST_BIRTH_YEAR = 1900
MEMBER_CODE = "member_code"
UNKNOWN_LOOKUPS = "unknown-lookups"


class MembersView(TouchpointEndpoint):
    """Enrolment of one person."""

    scopes = {"POST": "members:write"}

    @openapi.post_members
    @idempotent(required=False)
    def post(self, request: Request) -> Response:
        """Find or create the member of these identifiers."""
        reader = ObjectReader(request.data)
        wanted = enrolment_request(reader, self)
        reader.finish()
        touchpoint = self.key_of(request).touchpoint
        (result,) = enrolment.enrol_members([wanted], touchpoint=touchpoint, at=self.at())
        if result.error is not None:
            if result.error.status >= 400:
                raise result.error
            code = result.error.code
            body = {"code": code, "status": code, "detail": str(result.error.message)}
            return Response({**body, **result.error.details}, status=result.error.status)
        member = Member.objects.get(pk=result.member_id or 0)
        body = members_with_tiers(self, [member], request)[0]
        return Response(body, status=201 if result.created else 200)


class MembersBatchView(TouchpointEndpoint):
    """Enrolment of many people at once."""

    scopes = {"POST": "members:write"}
    max_body_bytes = json_format.MAX_BATCH_BODY_BYTES

    @openapi.post_members_batch
    @idempotent(required=False)
    def post(self, request: Request) -> Response:
        """Find or create many members; each result stands where its request stood."""
        reader = ObjectReader(request.data)
        reader.only(frozenset({"members"}))
        items = reader.items("members", MAX_BATCH)
        reader.finish()
        results: list[dict[str, Any] | None] = [None] * len(items)
        wanted: dict[int, EnrolmentRequest] = {}
        for place, item in enumerate(items):
            below = ObjectReader(item)
            one = enrolment_request(below, self)
            if below.errors:
                results[place] = problems.of_error(problems.RequestInvalidError(below.errors))
            else:
                wanted[place] = one
        touchpoint = self.key_of(request).touchpoint
        found = enrolment.enrol_members(list(wanted.values()), touchpoint=touchpoint, at=self.at())
        for place, result in zip(wanted, found, strict=True):
            results[place] = _batch_result(result)
        return Response({"results": results})


class LookupView(TouchpointEndpoint):
    """Finding a member by an identifier; in the body, so that it stands in no address."""

    scopes = {"POST": "members:read"}

    @openapi.post_lookup
    def post(self, request: Request) -> Response:
        """Return the member that the identifier, or a member code, leads to.

        Whoever tries identifiers soon finds no one any more: look-ups that lead to nobody are
        counted, before they are made, so that many at once gain nothing.
        """
        reader = ObjectReader(request.data)
        is_code = reader.data.get("kind") == MEMBER_CODE
        named = _member_code(reader) if is_code else reading.identifier(reader)
        reader.finish()
        key = self.key_of(request)
        most = key.touchpoint.unknown_lookups_per_minute
        limits.take(UNKNOWN_LOOKUPS, str(key.key_id), most)
        found = self._found(named)
        if found is None:
            raise MemberNotFoundError
        limits.give_back(UNKNOWN_LOOKUPS, str(key.key_id), most)
        return Response(members_with_tiers(self, [found], request)[0])

    def _found(self, named: reading.IdentifierText) -> Member | None:
        """Return whom the identifier leads to; an erased member is as unknown as nobody."""
        if named.kind == MEMBER_CODE:
            owner = member_codes.member_of(named.value, at=self.at())
            owners = set() if owner is None else {owner}
        else:
            owners = set(identity.find([(named.kind, named.app, named.value)]).values())
        return Member.objects.filter(pk__in=owners).living().first()


class MemberView(TouchpointEndpoint):
    """One member."""

    scopes = {"GET": "members:read", "PATCH": "members:write"}
    member_token = {"GET": PATH}

    @openapi.get_member
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Return the member, masked unless the key may read personal values."""
        return Response(members_with_tiers(self, [member_of(public_id)], request)[0])

    @openapi.patch_member
    @idempotent(required=False)
    def patch(self, request: Request, public_id: uuid.UUID) -> Response:
        """Change what the body names; null takes a value away."""
        reader = ObjectReader(request.data)
        reader.only(PROFILE_KEYS)
        values, attributes = _profile_changes(reader, self)
        reader.finish()
        member = member_of(public_id)
        profile.update(
            member_id=member.pk,
            at=self.at(),
            actor=self.key_of(request).actor,
            values=values,
            attributes=attributes,
        )
        return Response(members_with_tiers(self, [member], request)[0])


def _member_code(reader: ObjectReader) -> reading.IdentifierText:
    reader.only(reading.IDENTIFIER_KEYS - {"app"})
    code = reader.text("value", MAX_MEMBER_CODE_LENGTH)
    return reading.IdentifierText(MEMBER_CODE, "", code)


def members_with_tiers(
    view: TouchpointEndpoint, members: Sequence[Member], request: Request
) -> list[dict[str, Any]]:
    """Return members as the key may see them, with the tier that counts."""
    personal = view.may_read_personal(request)
    bodies = representation.members_json(members, personal=personal)
    tiers = queries.current_tiers(members, at=view.at())
    return [
        {
            **bodies[member.pk],
            "tier": current_json(tiers[member.pk]) if member.pk in tiers else None,
        }
        for member in members
    ]


def enrolment_request(reader: ObjectReader, view: TouchpointEndpoint) -> EnrolmentRequest:
    """Return what a body asks to enrol; good only when the reader finishes without errors."""
    reader.only(ENROLMENT_KEYS)
    identifiers = reader.objects("identifiers", reading.identifier, max_items=MAX_IDENTIFIERS)
    attributes = reader.free("attributes")
    if referral_code := reader.text("referral_code", MAX_CODE_LENGTH, required=False):
        attributes = {**attributes, "referral_code": referral_code}
    return EnrolmentRequest(
        identifiers=tuple((item.kind, item.value, item.app) for item in identifiers),
        name=reader.text("name", MAX_NAME_LENGTH, required=False),
        birthday=_birthday(reader, view),
        city=reader.text("city", MAX_NAME_LENGTH, required=False),
        channel=reader.choice("channel", Channel.values, default=""),
        store=reader.text("store", MAX_CODE_LENGTH, required=False),
        staff=reader.text("staff", MAX_CODE_LENGTH, required=False),
        consents=reader.objects(
            "consents",
            consents_api.consent,
            max_items=consents_api.MAX_CONSENTS,
            required=False,
            may_be_empty=True,
        ),
        attributes=attributes,
    )


def _birthday(reader: ObjectReader, view: TouchpointEndpoint) -> Any:
    birthday = reader.date("birthday", required=False)
    if birthday is None:
        return None
    if birthday.year < EARLIEST_BIRTH_YEAR or birthday > clock.local_day(view.at()):
        reader.note("birthday", "impossible", _("Not a possible birthday."))
    return birthday


def _profile_changes(
    reader: ObjectReader, view: TouchpointEndpoint
) -> tuple[dict[str, Any], dict[str, Any]]:
    values: dict[str, Any] = {}
    for name in ("name", "city"):
        if name in reader.data:
            values[name] = reader.text(name, MAX_NAME_LENGTH, required=False).strip()
    if "birthday" in reader.data:
        values["birthday"] = _birthday(reader, view)
    return values, reader.free("attributes")


def _batch_result(result: Enrolment) -> dict[str, Any]:
    error = result.error
    if error is not None and error.status >= 400:
        return problems.of_error(error)
    if error is not None:
        told = {"status": error.status, "code": error.code, "detail": str(error.message)}
        return {**told, **error.details}
    return {
        "status": 201 if result.created else 200,
        "id": result.public_id,
        "card_number": result.card_number,
    }
