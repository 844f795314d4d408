"""The catalogue, and redeeming points for what is in it."""

import uuid
from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from config.base.api import cursors
from config.base.api.cursors import ParameterInvalidError
from config.base.api.reading import ObjectReader, parse_uuid
from config.base.names import in_active_language, name_of
from members.api.idempotency import idempotent
from members.api.views import (
    BODY,
    PATH,
    PRESENCE_KEYS,
    QUERY,
    ROW,
    MemberNotFoundError,
    TouchpointEndpoint,
    member_of,
)
from members.models import Member
from rewards import catalogue_words
from rewards.api import openapi_catalogue
from rewards.models import Redemption
from rewards.services import catalogue, gifts, redeeming, shelf
from rewards.services.catalogue import OfferForMember
from rewards.services.redeeming import Wish
from rewards.services.redemption import RedemptionNotFoundError
from rewards.services.shelf import Shown

REDEMPTION_KEYS = PRESENCE_KEYS | {"member", "reward", "quantity", "slot", "address"}
ADDRESS_TEXTS = {
    "name": 80, "phone": 32, "country": 2, "province": 40, "city": 40, "district": 40,
    "line": 200, "postal_code": 16, "note": 200,
}  # fmt: skip
ADDRESS_REQUIRED = frozenset({"name", "line"})
MAX_CODE = 40
MAX_QUANTITY = 1_000


class RewardsView(TouchpointEndpoint):
    """The catalogue, for a member or for anybody."""

    scopes = {"GET": "rewards:read"}
    member_token = {"GET": QUERY}

    @openapi_catalogue.get_rewards
    def get(self, request: Request) -> Response:
        """Return what is in the catalogue, page by page."""
        parameters = request.query_params
        cursors.check_parameters(parameters, ("member", "cursor", "limit"))
        position = cursors.read(parameters.get("cursor"), 1)
        limit = cursors.limit_of(parameters)
        member = _member_parameter(request)
        offers = catalogue.offers_after(position[0] if position else 0, limit, self.at())
        page = cursors.page(offers, limit, lambda offer: (offer.reward.pk,))
        rows = shelf.shown(page.rows, member=None if member is None else member.pk, at=self.at())
        return Response(
            {"items": [reward_json(row) for row in rows], "next_cursor": page.next_cursor}
        )


class RewardView(TouchpointEndpoint):
    """One reward."""

    scopes = {"GET": "rewards:read"}
    member_token = {"GET": QUERY}

    @openapi_catalogue.get_reward
    def get(self, request: Request, code: str) -> Response:
        """Return a reward, for a member where one is named."""
        cursors.check_parameters(request.query_params, ("member",))
        member = _member_parameter(request)
        offer = catalogue.offers_of([code], self.at())[code]
        if not offer.reward.is_active or not offer.reward.is_listed:
            raise catalogue.RewardNotFoundError(code)
        (row,) = shelf.shown([offer], member=None if member is None else member.pk, at=self.at())
        return Response(reward_json(row))


class RedemptionsView(TouchpointEndpoint):
    """Redeeming points for a reward."""

    scopes = {"POST": "redemptions:write"}
    member_token = {"POST": BODY}

    @openapi_catalogue.post_redemption
    @idempotent(required=True)
    def post(self, request: Request) -> Response:
        """Redeem, all or nothing."""
        reader = ObjectReader(request.data)
        reader.only(REDEMPTION_KEYS)
        member, reward = reader.uuid("member"), reader.text("reward", MAX_CODE)
        wish = Wish(
            reader.integer("quantity", 1, MAX_QUANTITY, required=False) or 1,
            reader.text("slot", MAX_CODE, required=False),
            _address(reader),
            self.proof_of(reader),
        )
        reader.finish()
        assert member is not None
        asked = self._asked(member, reward)
        key = self.key_of(request)
        made = redeeming.redeem(
            asked=asked, wish=wish, at=self.at(), actor=key.actor, touchpoint=key.touchpoint
        )
        body = redemption_json(made.redemption, asked.public_id, wish.slot, made.issued)
        return Response({**body, "balance": made.balance._asdict()}, status=201)

    def _asked(self, member: uuid.UUID, reward: str) -> OfferForMember:
        """Return the reward for the member, or for the survivor of a merged one."""
        asked = catalogue.offer_for(member=member, reward=reward, at=self.at())
        if asked is not None and asked.status == "merged":
            survivor = member_of(member).public_id
            asked = catalogue.offer_for(member=survivor, reward=reward, at=self.at())
        if asked is None:
            raise MemberNotFoundError
        return asked


class RedemptionView(TouchpointEndpoint):
    """One redemption."""

    scopes = {"GET": "rewards:read"}
    member_token = {"GET": ROW}

    @openapi_catalogue.get_redemption
    def get(self, request: Request, redemption_id: uuid.UUID) -> Response:
        """Return how a redemption stands, with the codes that it was given."""
        cursors.check_parameters(request.query_params, ())
        row = redemptions().filter(public_id=redemption_id).first()
        if row is None:
            raise RedemptionNotFoundError
        self.check_owner(request, member=row.member_id)
        return Response(stored_json([row])[0])


class CancelView(TouchpointEndpoint):
    """Cancelling a redemption."""

    scopes = {"POST": "redemptions:write"}
    member_token = {"POST": ROW}

    @openapi_catalogue.cancel_redemption
    @idempotent(required=True)
    def post(self, request: Request, redemption_id: uuid.UUID) -> Response:
        """Give points and stock back."""
        reader = ObjectReader(request.data)
        reader.only(frozenset())
        reader.finish()
        self.check_rows_owner(request, Redemption.objects.filter(public_id=redemption_id))
        done = redeeming.cancel(
            redemption=redemption_id, at=self.at(), actor=self.key_of(request).actor
        )
        (body,) = stored_json([redemptions().get(pk=done.redemption.pk)])
        return Response({**body, "balance": done.balance._asdict()})


class MemberRedemptionsView(TouchpointEndpoint):
    """What one member has redeemed and was given."""

    scopes = {"GET": "rewards:read"}
    member_token = {"GET": PATH}

    @openapi_catalogue.get_redemptions
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Return redemptions and gifts, newest first."""
        cursors.check_parameters(request.query_params, ("cursor", "limit"))
        position = cursors.read(request.query_params.get("cursor"), 1)
        limit = cursors.limit_of(request.query_params)
        rows = redemptions().filter(member=member_of(public_id)).order_by("-id")
        if position:
            rows = rows.filter(pk__lt=position[0])
        page = cursors.page(list(rows[: limit + 1]), limit, lambda row: (row.pk,))
        return Response({"items": stored_json(page.rows), "next_cursor": page.next_cursor})


def redemptions() -> QuerySet[Redemption]:
    """Return redemptions with what answers say of them."""
    return Redemption.objects.select_related("reward", "slot", "member", "pack")


def reward_json(row: Shown) -> dict[str, Any]:
    """Return a reward as the API shows it."""
    reward, terms = row.offer.reward, row.offer.terms
    body: dict[str, Any] = {
        "code": reward.code,
        "kind": reward.kind,
        "name": name_of(reward),
        "description": in_active_language(zh=reward.description_zh, en=reward.description_en),
        "points": reward.points,
        "stock": row.stock,
        "market_value": None if reward.market_value is None else f"{reward.market_value:.2f}",
        "available_from": reward.valid_from,
        "available_until": reward.valid_until,
        "min_tier": terms.min_tier,
        "needs_address": reward.needs_address,
        "slots": [
            {"code": slot.code, "place": slot.place, "starts_at": slot.starts_at,
             "ends_at": slot.ends_at, "stock": level}
            for slot, level in row.slots
        ],
    }  # fmt: skip
    if row.reasons is not None:
        body["redeemable"] = not row.reasons
        body["reachable"] = row.is_reachable
        body["reasons"] = catalogue_words.told(row.reasons)
    return body


def stored_json(rows: Any) -> list[dict[str, Any]]:
    """Return stored redemptions as the API shows them, with what they have given."""
    contents = gifts.contents_of(rows)
    return [
        redemption_json(
            row, row.member.public_id, "" if row.slot is None else row.slot.code, contents[row.pk]
        )
        for row in rows
    ]


def redemption_json(
    row: Redemption, member: uuid.UUID, slot: str, issued: list[gifts.Item]
) -> dict[str, Any]:
    """Return a redemption as the API shows it."""
    return {
        "id": str(row.public_id),
        "member": str(member),
        "reward": row.reward.code,
        "name": name_of(row.reward),
        "kind": row.reward.kind,
        "quantity": row.quantity,
        "points": row.points,
        "slot": slot or None,
        "status": str(row.status),
        "requested_at": row.requested_at,
        "fulfilled_at": row.fulfilled_at,
        "closed_at": row.closed_at,
        "carrier": row.carrier or None,
        "tracking_number": row.tracking_number or None,
        "codes": redeeming.readable_codes(row),
        "issued": issued,
    }


def _member_parameter(request: Request) -> Member | None:
    text = request.query_params.get("member")
    if text is None:
        return None
    public_id = parse_uuid(text)
    if public_id is None:
        raise ParameterInvalidError("member")
    return member_of(public_id)


def _address(reader: ObjectReader) -> dict[str, Any] | None:
    below = reader.object("address", required=False)
    if below is None:
        return None
    below.only(ADDRESS_TEXTS.keys())
    found = {
        name: below.text(name, most, required=name in ADDRESS_REQUIRED)
        for name, most in ADDRESS_TEXTS.items()
    }
    return {name: value for name, value in found.items() if value}
