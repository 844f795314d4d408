"""Answers to whether a phone is still the same person's."""

import uuid

from rest_framework.request import Request
from rest_framework.response import Response

from config.base.api.reading import ObjectReader
from members.api.idempotency import idempotent
from members.api.views import MAX_MEMBER_CODE_LENGTH, TouchpointEndpoint
from members.models import Member
from rewards.api import openapi_verifications as openapi
from rewards.api.members import MAX_CODE_LENGTH, members_with_tiers
from rewards.services import phone_moves

VERIFICATION_KEYS = frozenset({"same_person", "staff", "member_code"})


class VerificationView(TouchpointEndpoint):
    """One enrolment that waits for an answer."""

    scopes = {"POST": "members:write"}

    @openapi.post_verification
    @idempotent(required=True)
    def post(self, request: Request, verification: uuid.UUID) -> Response:
        """Say whether the phone is the same person's; the answer is the member."""
        reader = ObjectReader(request.data)
        reader.only(VERIFICATION_KEYS)
        same_person = reader.boolean("same_person")
        staff = reader.text("staff", MAX_CODE_LENGTH, required=False)
        member_code = reader.text("member_code", MAX_MEMBER_CODE_LENGTH, required=False)
        reader.finish()
        done = phone_moves.resolve(
            verification=verification,
            same_person=same_person,
            staff=staff,
            member_code=member_code,
            touchpoint=self.key_of(request).touchpoint,
            at=self.at(),
        )
        member = Member.objects.get(pk=done.member_id or 0)
        body = members_with_tiers(self, [member], request)[0]
        return Response(body, status=201 if done.created else 200)
