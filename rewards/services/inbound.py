"""Messages from shops: each is done once, what cannot be read is parked and can be replayed.

Source: INT-02.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from config.base.api import json_format
from config.base.errors import DomainError
from members.domain import sealing
from members.domain import webhooks as standard
from members.models import Case, Touchpoint
from members.models.case import CaseState
from members.services import crypto
from rewards.domain import inbound as language
from rewards.domain.inbound import UnmappableError
from rewards.domain.inbound_schemes import SEPARATOR, Envelope
from rewards.domain.submission import Submission
from rewards.models import InboundDelivery, InboundHook, InboundScheme, InboundState
from rewards.services import intake
from rewards.services.answers import Outcome

SECRET_NAME: Final = "inbound"  # noqa: S105 (the name under which secrets are sealed)
BODY_NAME: Final = "inbound body"
BODY_KEPT_FOR: Final = timedelta(days=30)
SHORTEST_SECRET: Final = 16
CASE_CODE: Final = "inbound_unmappable"

Read = Callable[[Any], Submission | DomainError]


class InboundDiffersError(DomainError):
    """The provider used the same id for another message."""

    def __init__(self) -> None:
        super().__init__("inbound_differs", _("The same id was used for another message."), 409)


class InboundSecretError(DomainError):
    """The secret is not one of this scheme."""

    def __init__(self) -> None:
        super().__init__(
            "inbound_secret_invalid",
            _("Needs a secret of 16 characters; for Youzan, client id and secret with a colon."),
        )


class NotParkedError(DomainError):
    """The message is not parked, or its body is no longer kept."""

    def __init__(self) -> None:
        super().__init__("inbound_not_parked", _("Nothing of this message is kept."), 409)


@dataclass(frozen=True, slots=True)
class _Result:
    """What came of a message."""

    state: InboundState
    reason: str = ""
    at: str = ""
    facts: tuple[dict[str, Any], ...] = ()


@transaction.atomic
def connect(
    *, code: str, touchpoint: Touchpoint, scheme: InboundScheme, secret: str,
    mapping: dict[str, Any], at: datetime,
) -> InboundHook:  # fmt: skip
    """Make a shop connection, or give the one of this code a new secret and mapping.

    Raises: InboundSecretError, MappingInvalidError, SecretInvalidError.
    """
    language.check(mapping)
    _check_secret(scheme, secret)
    hook = InboundHook.objects.select_for_update().filter(code=code).first()
    hook = hook or InboundHook(code=code, created_at=at)
    hook.touchpoint, hook.scheme, hook.mapping = touchpoint, scheme, mapping
    hook.secret = sealing.seal_secret(
        crypto.keyring().current, secret.encode(), hook.public_id, SECRET_NAME
    )
    hook.is_active = True
    hook.save()
    return hook


def secret_of(hook: InboundHook) -> str:
    """Return the secret that the provider signs with."""
    return sealing.unseal_secret(
        crypto.keyring(), bytes(hook.secret), hook.public_id, SECRET_NAME
    ).decode()


@transaction.atomic
def accept(
    *, hook: InboundHook, envelope: Envelope, raw: bytes, at: datetime, read: Read
) -> tuple[InboundDelivery, bool]:
    """Do what a message says, once; return what is known of it, and whether it was known before.

    `read` makes a fact out of what the mapping gives. Raises: InboundDiffersError.
    """
    digest = hmac.digest(settings.SECRET_KEY.encode(), raw, "sha256")
    delivery, is_new = InboundDelivery.objects.get_or_create(
        hook=hook,
        provider_id=envelope.provider_id,
        defaults={
            "topic": envelope.topic,
            "digest": digest,
            "state": InboundState.IGNORED,
            "received_at": at,
        },
    )
    if not is_new:
        if not hmac.compare_digest(bytes(delivery.digest), digest):
            raise InboundDiffersError
        return delivery, True
    _settle(delivery, _carry_out(hook, envelope.topic, envelope.payload, at, read), at)
    if delivery.state == InboundState.PARKED:
        delivery.body = _sealed_body(delivery.public_id, json_format.write(envelope.payload))
    delivery.save()
    return delivery, False


@transaction.atomic
def replay(*, delivery_id: int, at: datetime, read: Read) -> InboundDelivery:
    """Try a parked message again, as the mapping now is; its case is closed when it is done.

    Raises: NotParkedError.
    """
    rows = InboundDelivery.objects.select_related("hook__touchpoint", "case")
    delivery = rows.select_for_update(of=("self",), no_key=True).get(pk=delivery_id)
    if delivery.state != InboundState.PARKED or delivery.body is None:
        raise NotParkedError
    plain = sealing.unseal_secret(
        crypto.keyring(), bytes(delivery.body), delivery.public_id, BODY_NAME
    )
    payload = json_format.read(plain)
    _settle(delivery, _carry_out(delivery.hook, delivery.topic, payload, at, read), at)
    delivery.replayed_at = at
    if delivery.state != InboundState.PARKED:
        delivery.body = None
    delivery.save()
    return delivery


def forget_bodies(*, before: datetime, limit: int) -> int:
    """Wipe what parked messages said when nobody has replayed them in time; return how many."""
    old = InboundDelivery.objects.filter(body__isnull=False, received_at__lt=before)
    ids = list(old.order_by("received_at").values_list("pk", flat=True)[:limit])
    return InboundDelivery.objects.filter(pk__in=ids).update(body=None)


@transaction.atomic
def reseal() -> int:
    """Bring secrets and kept bodies under the current key; return how many were not."""
    count = 0
    for hook in InboundHook.objects.select_for_update(no_key=True).order_by("pk"):
        if (again := _resealed(bytes(hook.secret), hook.public_id, SECRET_NAME)) is not None:
            InboundHook.objects.filter(pk=hook.pk).update(secret=again)
            count += 1
    kept = InboundDelivery.objects.filter(body__isnull=False).select_for_update(no_key=True)
    for row in kept.order_by("pk"):
        again = _resealed(bytes(row.body or b""), row.public_id, BODY_NAME)
        if again is not None:
            InboundDelivery.objects.filter(pk=row.pk).update(body=again)
            count += 1
    return count


def _resealed(sealed: bytes, owner: UUID, name: str) -> bytes | None:
    ring = crypto.keyring()
    if sealing.secret_version(sealed) == ring.current.version:
        return None
    plain = sealing.unseal_secret(ring, sealed, owner, name)
    return sealing.seal_secret(ring.current, plain, owner, name)


def _sealed_body(owner: UUID, plain: bytes) -> bytes:
    return sealing.seal_secret(crypto.keyring().current, plain, owner, BODY_NAME)


def _carry_out(hook: InboundHook, topic: str, payload: Any, at: datetime, read: Read) -> _Result:
    """Map a message and hand its facts over; what cannot be done is told, not raised."""
    try:
        mapped = language.apply(hook.mapping, topic, payload)
    except UnmappableError as error:
        return _Result(InboundState.PARKED, error.code, str(error.details["at"]))
    if mapped.ignored:
        return _Result(InboundState.IGNORED, mapped.ignored)
    facts: list[Submission] = []
    for fact in mapped.facts:
        found = read({**fact, "source": hook.code})
        if isinstance(found, DomainError):
            return _Result(InboundState.PARKED, found.code, _where(found))
        facts.append(found)
    outcomes = intake.receive(
        facts, touchpoint=hook.touchpoint, at=at, actor=f"inbound:{hook.code}"
    )
    told = tuple(_told(outcome) for outcome in outcomes)
    refused = next((outcome for outcome in outcomes if outcome.status >= 400), None)
    if refused is not None:
        return _Result(InboundState.PARKED, refused.code or "refused", "", told)
    return _Result(InboundState.DONE, facts=told)


def _told(outcome: Outcome) -> dict[str, Any]:
    """Return of an outcome what names nobody."""
    order = outcome.data.get("order") or {}
    named = {key: order[key] for key in ("source", "order_no") if key in order}
    return {"status": outcome.status, "code": outcome.code or None, **named}


def _where(error: DomainError) -> str:
    found = getattr(error, "errors", ())
    return ", ".join(f"{each.pointer} {each.code}" for each in found)[:200]


def _settle(delivery: InboundDelivery, result: _Result, at: datetime) -> None:
    """Write down what came of a message; open a case for what was parked, close it when done."""
    delivery.state, delivery.reason = result.state, result.reason
    delivery.result = list(result.facts)
    if result.state == InboundState.PARKED:
        details = {
            "hook": delivery.hook.code,
            "topic": delivery.topic,
            "delivery": str(delivery.public_id),
            "reason": result.reason,
            "at": result.at,
        }
        if delivery.case is None:
            delivery.case = Case.objects.create(code=CASE_CODE, details=details, opened_at=at)
        else:
            Case.objects.filter(pk=delivery.case.pk).update(details=details)
    elif delivery.case is not None:
        Case.objects.filter(pk=delivery.case.pk, state=CaseState.OPEN).update(
            state=CaseState.CLOSED, closed_at=at
        )


def _check_secret(scheme: str, secret: str) -> None:
    if scheme == InboundScheme.STANDARD:
        standard.secret_key(secret)
        return
    is_plain = secret.isprintable() and secret.isascii() and len(secret) >= SHORTEST_SECRET
    has_parts = scheme != InboundScheme.YOUZAN or all(secret.partition(SEPARATOR))
    if not is_plain or not has_parts:
        raise InboundSecretError
