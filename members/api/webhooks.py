"""Webhooks of the touchpoint that asks: nobody sees those of another one. Source: INT-02."""

import uuid
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from config.base.api import cursors
from config.base.api.reading import ObjectReader
from config.base.errors import DomainError
from members.api import openapi_webhooks as openapi
from members.api.idempotency import idempotent
from members.api.views import TouchpointEndpoint
from members.domain.addresses import MAX_URL_LENGTH
from members.models import Webhook, WebhookDelivery, WebhookState
from members.services import webhooks
from members.services.webhooks import Changes

MAX_KINDS = 100
MAX_KIND_LENGTH = 40
WEBHOOK_KEYS = frozenset({"url", "kinds"})
CHANGE_KEYS = frozenset({"url", "kinds", "state"})


class WebhookNotFoundError(DomainError):
    """The touchpoint has no such webhook, or the webhook no such message."""

    def __init__(self) -> None:
        super().__init__("webhook_not_found", _("There is no such webhook."), status=404)


class WebhookEndpoint(TouchpointEndpoint):
    """An endpoint about the touchpoint's own webhooks."""

    def webhook(self, request: Request, public_id: uuid.UUID) -> Webhook:
        """Return the webhook of an address.

        Raises: WebhookNotFoundError.
        """
        rows = Webhook.objects.filter(touchpoint=self.key_of(request).touchpoint)
        found = rows.filter(public_id=public_id).first()
        if found is None:
            raise WebhookNotFoundError
        return found

    def moment(self) -> datetime:
        """Return the instant of the request; never one that the network's clock has passed."""
        return max(self.at(), datetime.now(UTC))


class WebhooksView(WebhookEndpoint):
    """All webhooks."""

    scopes = {"GET": "webhooks:write", "POST": "webhooks:write"}

    @openapi.get_webhooks
    def get(self, request: Request) -> Response:
        """Return the touchpoint's webhooks; there are few."""
        cursors.check_parameters(request.query_params, ())
        rows = Webhook.objects.filter(touchpoint=self.key_of(request).touchpoint).order_by("pk")
        return Response({"items": [webhook_json(row) for row in rows]})

    @openapi.post_webhooks
    @idempotent(required=True)
    def post(self, request: Request) -> Response:
        """Make a webhook; its secret is shown in this answer only."""
        reader = ObjectReader(request.data)
        reader.only(WEBHOOK_KEYS)
        url = reader.text("url", MAX_URL_LENGTH)
        kinds = _kinds(reader)
        reader.finish()
        webhook, secret = webhooks.create(
            touchpoint=self.key_of(request).touchpoint, url=url, kinds=kinds, at=self.moment()
        )
        return Response({**webhook_json(webhook), "secret": secret}, status=201)


class WebhookView(WebhookEndpoint):
    """One webhook."""

    scopes = {"GET": "webhooks:write", "PATCH": "webhooks:write", "DELETE": "webhooks:write"}

    @openapi.get_webhook
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Return the webhook."""
        cursors.check_parameters(request.query_params, ())
        return Response(webhook_json(self.webhook(request, public_id)))

    @openapi.patch_webhook
    @idempotent(required=False)
    def patch(self, request: Request, public_id: uuid.UUID) -> Response:
        """Change the address, the kinds, or whether anything is sent."""
        reader = ObjectReader(request.data)
        reader.only(CHANGE_KEYS)
        url = reader.text("url", MAX_URL_LENGTH) if "url" in reader.data else None
        kinds = _kinds(reader) if "kinds" in reader.data else None
        state = reader.choice("state", WebhookState.values) if "state" in reader.data else None
        reader.finish()
        is_active = None if state is None else state == WebhookState.ACTIVE
        webhook = webhooks.change(
            webhook_id=self.webhook(request, public_id).pk,
            changes=Changes(url=url, kinds=kinds, is_active=is_active),
        )
        return Response(webhook_json(webhook))

    @openapi.delete_webhook
    def delete(self, request: Request, public_id: uuid.UUID) -> Response:
        """Delete the webhook and all that is owed to it."""
        webhooks.delete(webhook_id=self.webhook(request, public_id).pk)
        return Response({"id": public_id, "deleted": True})


class RotateView(WebhookEndpoint):
    """The secret of one webhook."""

    scopes = {"POST": "webhooks:write"}

    @openapi.post_rotate
    @idempotent(required=True)
    def post(self, request: Request, public_id: uuid.UUID) -> Response:
        """Give the webhook a new secret; the one before signs too for a day."""
        _nothing(request)
        webhook, secret = webhooks.rotate(
            webhook_id=self.webhook(request, public_id).pk, at=self.moment()
        )
        return Response({**webhook_json(webhook), "secret": secret})


class TestView(WebhookEndpoint):
    """A test message."""

    scopes = {"POST": "webhooks:write"}

    @openapi.post_test
    @idempotent(required=True)
    def post(self, request: Request, public_id: uuid.UUID) -> Response:
        """Send a message of kind `webhook.test` soon."""
        _nothing(request)
        delivery = webhooks.send_test(
            webhook_id=self.webhook(request, public_id).pk, at=datetime.now(UTC)
        )
        return Response(delivery_json(delivery), status=202)


class DeliveriesView(WebhookEndpoint):
    """The log of one webhook."""

    scopes = {"GET": "webhooks:write"}

    @openapi.get_deliveries
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Return messages, newest first."""
        cursors.check_parameters(request.query_params, ("cursor", "limit"))
        position = cursors.read(request.query_params.get("cursor"), 1)
        limit = cursors.limit_of(request.query_params)
        rows = WebhookDelivery.objects.filter(webhook=self.webhook(request, public_id))
        if position is not None:
            rows = rows.filter(pk__lt=position[0])
        page = list(rows.order_by("-pk")[: limit + 1])
        return Response(cursors.page(page, limit, lambda row: (row.pk,)).to_json(delivery_json))


class ReplayView(WebhookEndpoint):
    """One message once more."""

    scopes = {"POST": "webhooks:write"}

    @openapi.post_replay
    @idempotent(required=True)
    def post(self, request: Request, public_id: uuid.UUID, delivery_id: uuid.UUID) -> Response:
        """Send a message again soon, under the same id.

        Raises: WebhookNotFoundError, WebhookDisabledError.
        """
        _nothing(request)
        webhook = self.webhook(request, public_id)
        rows = WebhookDelivery.objects.filter(webhook=webhook, public_id=delivery_id)
        if not rows.exists():
            raise WebhookNotFoundError
        if webhook.state != WebhookState.ACTIVE:
            raise webhooks.WebhookDisabledError
        webhooks.replay(deliveries=rows, at=datetime.now(UTC))
        return Response(delivery_json(rows.get()), status=202)


def webhook_json(webhook: Webhook) -> dict[str, Any]:
    """Return a webhook without its secrets."""
    return {
        "id": webhook.public_id,
        "url": webhook.url,
        "kinds": webhook.kinds,
        "state": webhook.state,
        "reason": webhook.reason or None,
        "failing_since": webhook.failing_since,
        "old_secret_until": webhook.old_secret_until,
        "created_at": webhook.created_at,
    }


def delivery_json(delivery: WebhookDelivery) -> dict[str, Any]:
    """Return one message of the log; `due_at` says when it is tried next."""
    is_pending = delivery.state == "pending"
    return {
        "id": delivery.public_id,
        "event": delivery.event_id,
        "kind": delivery.kind,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "status": delivery.status,
        "error": delivery.error or None,
        "due_at": delivery.due_at if is_pending else None,
        "created_at": delivery.created_at,
        "delivered_at": delivery.delivered_at,
    }


def _kinds(reader: ObjectReader) -> tuple[str, ...]:
    kinds = reader.texts("kinds", MAX_KIND_LENGTH, max_items=MAX_KINDS)
    if not kinds:
        reader.note("kinds", "required", _("Name at least one kind."))
    return kinds


def _nothing(request: Request) -> None:
    """Refuse a body that says anything: these calls take nothing."""
    reader = ObjectReader(request.data or {})
    reader.only(frozenset())
    reader.finish()
