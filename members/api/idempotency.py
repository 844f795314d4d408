"""Idempotency-Key: the same call twice is answered twice and done once.

The key is claimed, the work done and the answer kept in one transaction, so that a process that
dies in between leaves nothing behind. Keys, bodies and answers may hold personal values: stored
are a keyed hash of the key, a keyed digest of the body, and the answer sealed under a secret that
needs the caller's own key to open.

Source: design §6.
"""

import functools
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from config.base import bulk
from config.base.api import json_format, problems
from config.base.errors import DomainError
from members.api.views import TouchpointEndpoint
from members.models import IdempotencyKey

KEPT_FOR = timedelta(days=30)
MAX_KEY_LENGTH = 255
NONCE_BYTES = 12
PRUNE_BATCH = 1_000

Handler = Callable[..., Response]

# The lock tells "still running" from "never heard of"; the row, once committed, answers for it.
_CLAIM = """
WITH turn AS (SELECT pg_try_advisory_xact_lock(%s::bigint) AS is_ours)
INSERT INTO members_idempotencykey AS k (touchpoint_id, key, digest, created_at)
SELECT %s::bigint, %s::text, %s::bytea, %s::timestamptz FROM turn WHERE is_ours
ON CONFLICT (touchpoint_id, key) DO UPDATE
SET digest = EXCLUDED.digest, created_at = EXCLUDED.created_at, status = NULL, body = NULL
WHERE k.created_at <= %s
RETURNING k.id
"""
_KEEP = """
UPDATE members_idempotencykey SET status = %s, body = %s WHERE touchpoint_id = %s AND key = %s
"""


class IdempotencyError(DomainError):
    """The Idempotency-Key of a call does not let it be done."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call under a key: what is stored of the key, and what seals the answer."""

    touchpoint_id: int
    stored_key: str
    digest: bytes
    seal_key: bytes

    @property
    def lock(self) -> int:
        """Return the number of the lock that the running call holds."""
        number = hashlib.sha256(f"{self.touchpoint_id}:{self.stored_key}".encode()).digest()[:8]
        return int.from_bytes(number, "big", signed=True)


def idempotent(*, required: bool) -> Callable[[Handler], Handler]:
    """Make a handler heed the Idempotency-Key; commands require one, facts may do without."""

    def decorate(handler: Handler) -> Handler:
        @functools.wraps(handler)
        def heeding(
            view: TouchpointEndpoint, request: Request, *args: Any, **kwargs: Any
        ) -> Response:
            key = request.META.get("HTTP_IDEMPOTENCY_KEY")
            if key is None:
                if required:
                    raise _required()
                return handler(view, request, *args, **kwargs)
            call = _call(view, request, str(key))
            return _once(view, call, lambda: handler(view, request, *args, **kwargs))

        heeding.idempotency_key_required = required  # type: ignore[attr-defined]
        return heeding

    return decorate


def forget_old(*, at: datetime, limit: int = PRUNE_BATCH) -> int:
    """Delete keys whose time is over, up to a limit; return how many there were."""
    old = IdempotencyKey.objects.filter(created_at__lte=at - KEPT_FOR).order_by("created_at")
    count, _details = IdempotencyKey.objects.filter(
        pk__in=list(old.values_list("pk", flat=True)[:limit])
    ).delete()
    return count


def _once(view: TouchpointEndpoint, call: Call, work: Callable[[], Response]) -> Response:
    with transaction.atomic():
        if not _claim(call, view.at()):
            return _stored(call)
        answer = _attempt(view, work)
        if answer.status_code >= 500:
            transaction.set_rollback(True)
        else:
            _keep(call, answer)
    return answer


def _attempt(view: TouchpointEndpoint, work: Callable[[], Response]) -> Response:
    """Do the work; a refusal undoes all of it but is an answer too."""
    try:
        with transaction.atomic():
            return work()
    except Exception as error:
        return view.handle_exception(error)


def _call(view: TouchpointEndpoint, request: Request, key: str) -> Call:
    if not 1 <= len(key) <= MAX_KEY_LENGTH or not key.isascii() or not key.isprintable():
        raise IdempotencyError(
            "idempotency_key_invalid", _("Send 1 to 255 printable ASCII characters.")
        )
    caller = view.key_of(request)
    touchpoint_id = caller.touchpoint.pk
    # Members who use one touchpoint's tokens may send the same key and never meet.
    owner = f"{touchpoint_id}" if caller.member is None else f"{touchpoint_id}:{caller.member.id}"
    root = hmac.digest(
        settings.SECRET_KEY.encode(), f"idempotency\0{owner}\0{key}".encode(), "sha256"
    )
    content = orjson.dumps([request.method, request.path]) + json_format.write_sorted(request.data)
    return Call(
        touchpoint_id=touchpoint_id,
        stored_key=hmac.digest(root, b"name", "sha256").hex(),
        digest=hmac.digest(root, content, "sha256"),
        seal_key=hmac.digest(root, b"seal", "sha256"),
    )


def _claim(call: Call, at: datetime) -> bool:
    parameters = [call.lock, call.touchpoint_id, call.stored_key, call.digest, at, at - KEPT_FOR]
    return bool(bulk.fetch(_CLAIM, parameters))


def _stored(call: Call) -> Response:
    """Return the answer that was kept.

    Raises: IdempotencyError while the first call runs, or for another request.
    """
    rows = IdempotencyKey.objects.filter(touchpoint_id=call.touchpoint_id, key=call.stored_key)
    row = rows.first()
    if row is None or row.body is None or row.status is None:
        raise IdempotencyError(
            "idempotency_key_in_use", _("The first call with this key is still running."), 409
        )
    if not hmac.compare_digest(bytes(row.digest), call.digest):
        raise IdempotencyError(
            "idempotency_key_reused", _("This key was used for another request."), 422
        )
    sealed = bytes(row.body)
    body = AESGCM(call.seal_key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)
    content_type = problems.CONTENT_TYPE if row.status >= 400 else json_format.MEDIA_TYPE
    return Response(
        orjson.loads(body),
        status=row.status,
        headers={"Idempotent-Replayed": "true"},
        content_type=content_type,
    )


def _keep(call: Call, answer: Response) -> None:
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = nonce + AESGCM(call.seal_key).encrypt(nonce, json_format.write(answer.data), None)
    bulk.execute(_KEEP, [answer.status_code, sealed, call.touchpoint_id, call.stored_key])


def _required() -> IdempotencyError:
    return IdempotencyError(
        "idempotency_key_required", _("Send an Idempotency-Key with this call.")
    )
