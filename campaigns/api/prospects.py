"""Prospects as storefronts report them: a form that somebody filled in. Source: CMP-13."""

from typing import Final

from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.api import openapi_prospects as openapi
from campaigns.services import referral_checks, referral_codes
from config.base.api.reading import ObjectReader
from members.api import consents as consents_api
from members.api import reading
from members.api.idempotency import idempotent
from members.api.views import TouchpointEndpoint
from members.models import ContactKind, InterestKind, MemberStatus
from members.services import prospects
from members.services.prospects import NewProspect

KEYS: Final = frozenset(
    {"identifiers", "source", "interest", "language", "referral_code", "consent"}
)
MAX_CODE: Final = 64
LANGUAGES: Final = ("zh", "en")


class ProspectsView(TouchpointEndpoint):
    """Entry of one prospect."""

    scopes = {"POST": "prospects:write"}

    @openapi.post_prospects
    @idempotent(required=False)
    def post(self, request: Request) -> Response:
        """Keep what somebody left. The answer never tells whether we knew them, or as what."""
        reader = ObjectReader(request.data)
        key = self.key_of(request)
        wanted = _wanted(reader, key.touchpoint.code)
        reader.finish()
        prospects.enter(wanted=wanted, touchpoint=key.touchpoint, actor=key.actor, at=self.at())
        return Response({"status": "received"}, status=202)


def _wanted(reader: ObjectReader, source: str) -> NewProspect:
    reader.only(KEYS)
    found = reader.objects("identifiers", reading.identifier, max_items=len(ContactKind.values))
    below = reader.object("interest", required=False)
    kind = code = ""
    if below is not None:
        below.only(frozenset({"kind", "code"}))
        kind, code = below.choice("kind", InterestKind.values), below.text("code", MAX_CODE)
    said = reader.object("consent", required=False)
    return NewProspect(
        contacts=tuple((each.kind, each.app, each.value) for each in found),
        source=reader.text("source", MAX_CODE, required=False) or source,
        interest_kind=kind,
        interest=code,
        language=reader.choice("language", LANGUAGES, default=""),
        referred_by=_referrer(reader.text("referral_code", MAX_CODE, required=False)),
        consent=None if said is None else consents_api.consent(said),
    )


def _referrer(code: str) -> int | None:
    """Return the member whose code it is; one that leads to nobody active is left away."""
    named = referral_codes.find(code) if code else None
    referrer = None if named is None else referral_checks.survivor_of(named.member_id)
    is_active = referrer is not None and referrer.status == MemberStatus.ACTIVE
    return referrer.pk if referrer is not None and is_active else None
