"""Webhooks of touchpoints: made, changed, rotated; what is owed to them, and replayed.

Source: INT-02; Standard Webhooks 1.0.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members import words
from members.domain import addresses, sealing
from members.domain import webhooks as standard
from members.models import (
    Case,
    DisabledReason,
    SendState,
    Touchpoint,
    Webhook,
    WebhookDelivery,
    WebhookState,
)
from members.services import crypto, events

FOLLOWER: Final = "webhooks"
SEALED_NAME: Final = "webhook"
MOST_PER_TOUCHPOINT: Final = 20
ROTATION_OVERLAP: Final = timedelta(days=1)
KEPT_FOR: Final = timedelta(days=30)

# A webhook that is switched off is owed the message too, skipped: it can be replayed.
_FAN_OUT: Final = """
INSERT INTO members_webhookdelivery
    (public_id, webhook_id, event_id, kind, state, attempts, due_at, error, created_at)
SELECT gen_random_uuid(), w.id, e.id, e.kind,
       CASE WHEN w.state = 'active' THEN 'pending' ELSE 'skipped' END, 0, %(at)s,
       CASE WHEN w.state = 'active' THEN '' ELSE 'webhook_disabled' END, %(at)s
FROM members_memberevent e
JOIN members_webhook w ON e.kind = ANY(w.kinds)
    OR split_part(e.kind, '.', 1) || '.*' = ANY(w.kinds) OR '*' = ANY(w.kinds)
WHERE e.id = %(event)s
ORDER BY w.id
ON CONFLICT (webhook_id, event_id) DO NOTHING
"""


class WebhookLimitError(DomainError):
    """The touchpoint has as many webhooks as it may have."""

    def __init__(self) -> None:
        super().__init__(
            "webhook_limit",
            _("This touchpoint has as many webhooks as it may have."),
            409,
            most=MOST_PER_TOUCHPOINT,
        )


class WebhookDisabledError(DomainError):
    """Nothing is sent to a webhook that is switched off."""

    def __init__(self) -> None:
        super().__init__("webhook_disabled", _("The webhook is switched off."), 409)


@dataclass(frozen=True, slots=True)
class Changes:
    """What of a webhook is to change; None leaves it as it is."""

    url: str | None = None
    kinds: Collection[str] | None = None
    is_active: bool | None = None


@transaction.atomic
def create(
    *, touchpoint: Touchpoint, url: str, kinds: Iterable[str], at: datetime
) -> tuple[Webhook, str]:
    """Make a webhook; return it with its secret, which is not shown again.

    Raises: UrlInvalidError, WebhookKindsError, WebhookLimitError.
    """
    _check_url(url)
    wanted = standard.checked_kinds(kinds, words.EVENTS)
    Touchpoint.objects.select_for_update(no_key=True).get(pk=touchpoint.pk)
    if Webhook.objects.filter(touchpoint=touchpoint).count() >= MOST_PER_TOUCHPOINT:
        raise WebhookLimitError
    secret = standard.new_secret()
    webhook = Webhook(touchpoint=touchpoint, url=url, kinds=wanted, created_at=at)
    webhook.secret = _sealed(webhook, secret)
    webhook.save(force_insert=True)
    follow_wanted()
    return webhook, secret


@transaction.atomic
def change(*, webhook_id: int, changes: Changes) -> Webhook:
    """Change a webhook. One that is switched on again starts with a clean record.

    Raises: UrlInvalidError, WebhookKindsError.
    """
    webhook = _locked(webhook_id)
    if changes.url is not None:
        _check_url(changes.url)
        webhook.url = changes.url
    if changes.kinds is not None:
        webhook.kinds = standard.checked_kinds(changes.kinds, words.EVENTS)
    if changes.is_active is True:
        webhook.state, webhook.reason = WebhookState.ACTIVE, DisabledReason.NONE
        webhook.failing_since = None
    elif changes.is_active is False and webhook.state == WebhookState.ACTIVE:
        _switch_off(webhook, DisabledReason.REQUESTED)
    webhook.save(update_fields=["url", "kinds", "state", "reason", "failing_since"])
    follow_wanted()
    return webhook


@transaction.atomic
def delete(*, webhook_id: int) -> None:
    """Delete a webhook with all that is owed to it."""
    _locked(webhook_id).delete()


@transaction.atomic
def rotate(
    *, webhook_id: int, at: datetime, overlap: timedelta = ROTATION_OVERLAP
) -> tuple[Webhook, str]:
    """Give a webhook a new secret; the one before signs too until the overlap is over."""
    webhook = _locked(webhook_id)
    secret = standard.new_secret()
    webhook.old_secret, webhook.old_secret_until = webhook.secret, at + overlap
    webhook.secret = _sealed(webhook, secret)
    webhook.save(update_fields=["secret", "old_secret", "old_secret_until"])
    return webhook, secret


def secrets_in_force(webhook: Webhook, *, at: datetime) -> list[str]:
    """Return the secrets that sign at an instant, the current one first."""
    sealed = [webhook.secret]
    if webhook.old_secret is not None and webhook.old_secret_until is not None:
        sealed += [webhook.old_secret] if at < webhook.old_secret_until else []
    ring = crypto.keyring()
    return [
        sealing.unseal_secret(ring, bytes(each), webhook.public_id, SEALED_NAME).decode()
        for each in sealed
    ]


@transaction.atomic
def send_test(*, webhook_id: int, at: datetime) -> WebhookDelivery:
    """Owe the webhook a test message.

    Raises: WebhookDisabledError.
    """
    webhook = _locked(webhook_id)
    if webhook.state != WebhookState.ACTIVE:
        raise WebhookDisabledError
    return WebhookDelivery.objects.create(
        webhook=webhook, kind=standard.TEST_KIND, due_at=at, created_at=at
    )


def replay(*, deliveries: QuerySet[WebhookDelivery], at: datetime) -> int:
    """Owe messages again, from the first attempt and under their ids; return how many.

    Those of a webhook that is switched off stay as they are, and so do those that are on the way.
    """
    again = deliveries.filter(webhook__state=WebhookState.ACTIVE).exclude(state=SendState.PENDING)
    return again.update(
        state=SendState.PENDING, attempts=0, due_at=at, error="", status=None, delivered_at=None
    )


def replay_missed(*, webhook_id: int, since: datetime, at: datetime) -> int:
    """Owe a webhook again all that failed or was skipped since an instant; return how many.

    Raises: WebhookDisabledError.
    """
    if not Webhook.objects.filter(pk=webhook_id, state=WebhookState.ACTIVE).exists():
        raise WebhookDisabledError
    missed = WebhookDelivery.objects.filter(
        webhook_id=webhook_id,
        created_at__gte=since,
        state__in=(SendState.FAILED, SendState.SKIPPED),
    )
    return replay(deliveries=missed, at=at)


def fan_out(*, event_id: int, at: datetime) -> int:
    """Owe an event to every webhook that wants its kind; return to how many."""
    with connection.cursor() as cursor:
        cursor.execute(_FAN_OUT, {"event": event_id, "at": at})
        count: int = cursor.rowcount
    return count


def follow_wanted() -> None:
    """Follow every kind of event that a webhook wants, and no others: the rest costs nothing.

    A kind that nobody wants any more stays followed, so that the log shows no gap.
    """
    wanted = (kind for kinds in Webhook.objects.values_list("kinds", flat=True) for kind in kinds)
    events.subscribe(FOLLOWER, standard.expanded(wanted, words.EVENTS))


def disable(*, webhook: Webhook, reason: DisabledReason, at: datetime) -> None:
    """Switch a webhook off because of its receiver, and let somebody know.

    Call it with the webhook locked.
    """
    _switch_off(webhook, reason)
    webhook.save(update_fields=["state", "reason"])
    details = {"webhook": str(webhook.public_id), "touchpoint": webhook.touchpoint.code}
    Case.objects.create(
        code="webhook_disabled", details={**details, "reason": reason.value}, opened_at=at
    )


def forget_old(*, before: datetime, limit: int) -> int:
    """Delete messages that are over and older than an instant, up to a limit; return how many."""
    over = WebhookDelivery.objects.filter(created_at__lt=before).exclude(state=SendState.PENDING)
    ids = list(over.order_by("created_at").values_list("pk", flat=True)[:limit])
    WebhookDelivery.objects.filter(pk__in=ids).delete()
    return len(ids)


@transaction.atomic
def reseal() -> int:
    """Bring every secret under the current key; return how many were under an older one."""
    current, ring, count = crypto.keyring().current, crypto.keyring(), 0
    for webhook in Webhook.objects.select_for_update(no_key=True).order_by("id"):
        for name in ("secret", "old_secret"):
            sealed: Any = getattr(webhook, name)
            if sealed is None or sealing.secret_version(bytes(sealed)) == current.version:
                continue
            plain = sealing.unseal_secret(ring, bytes(sealed), webhook.public_id, SEALED_NAME)
            again = sealing.seal_secret(current, plain, webhook.public_id, SEALED_NAME)
            setattr(webhook, name, again)
            count += 1
        webhook.save(update_fields=["secret", "old_secret"])
    return count


def _check_url(url: str) -> None:
    addresses.parse(url, allow_private=settings.LOYALTY_WEBHOOK_ALLOW_PRIVATE)


def _sealed(webhook: Webhook, secret: str) -> bytes:
    current = crypto.keyring().current
    return sealing.seal_secret(current, secret.encode(), webhook.public_id, SEALED_NAME)


def _locked(webhook_id: int) -> Webhook:
    rows = Webhook.objects.select_related("touchpoint")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=webhook_id)


def _switch_off(webhook: Webhook, reason: DisabledReason) -> None:
    webhook.state, webhook.reason = WebhookState.DISABLED, reason
    WebhookDelivery.objects.filter(webhook=webhook, state=SendState.PENDING).update(
        state=SendState.SKIPPED, error="webhook_disabled"
    )
