"""Codes of gift cards and partners, bought in advance: loaded sealed, given one by one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from members.domain import sealing
from members.services import crypto
from rewards.models import Redemption, Reward, RewardCode
from rewards.services.stock import OutOfStockError

_FIELD: Final = "reward-code"
_BATCH: Final = 1_000
# Codes belong to no member: they are bound to the site alone.
_SITE: Final = UUID(int=0)

_GIVE: Final = """
WITH pick AS (
    SELECT c.id FROM rewards_rewardcode c
    WHERE c.reward_id = %(reward)s AND c.redemption_id IS NULL
      AND (c.expires_at IS NULL OR c.expires_at > %(at)s)
    ORDER BY c.expires_at NULLS LAST, c.id LIMIT %(count)s
    FOR UPDATE SKIP LOCKED
)
UPDATE rewards_rewardcode x SET redemption_id = %(redemption)s, given_at = %(at)s
FROM pick WHERE x.id = pick.id
RETURNING x.id
"""


@dataclass(slots=True)
class Loading:
    """How many codes of a file were new, and how many had been loaded before."""

    added: int = 0
    known: int = 0


def load(
    *, reward: Reward, codes: Iterable[str], batch: str, expires_at: datetime | None = None
) -> Loading:
    """Load codes, each once however often it is in files; the codes are kept sealed.

    Each slice is a transaction of its own, so that a run that is cut off can be run again.
    """
    loading, part = Loading(), list[str]()
    for code in codes:
        if text := code.strip():
            part.append(text)
        if len(part) >= _BATCH:
            _load_part(loading, reward, part, batch, expires_at)
            part = []
    _load_part(loading, reward, part, batch, expires_at)
    return loading


def give(redemption: Redemption, *, at: datetime) -> None:
    """Give as many free codes as the redemption has pieces; whoever gives at once takes others.

    Raises: OutOfStockError.
    """
    values: dict[str, Any] = {
        "reward": redemption.reward_id, "redemption": redemption.pk, "at": at,
        "count": redemption.quantity,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_GIVE, values)
        found = len(cursor.fetchall())
    if found < redemption.quantity:
        raise OutOfStockError(redemption.reward.code)


def take_back(redemptions: Iterable[Redemption]) -> None:
    """Free the codes of redemptions that nobody has seen yet."""
    RewardCode.objects.filter(redemption__in=list(redemptions)).update(
        redemption=None, given_at=None
    )


def codes_of(redemption: Redemption) -> list[str]:
    """Return the codes that a redemption was given, readable."""
    ring = crypto.keyring()
    rows = RewardCode.objects.filter(redemption=redemption).order_by("id")
    return [_unseal(ring, bytes(row.sealed_code)) for row in rows]


def reseal() -> int:
    """Bring all codes and their hashes under the current key; return how many were not.

    In slices, each a transaction of its own: cut off, it is simply run again.
    """
    ring, last, count = crypto.keyring(), 0, 0
    while True:
        with transaction.atomic():
            rows = list(
                RewardCode.objects.filter(pk__gt=last)
                .order_by("pk")
                .select_for_update(no_key=True)[:_BATCH]
            )
            old = [row for row in rows if _version(row) != ring.current.version]
            for row in old:
                code = _unseal(ring, bytes(row.sealed_code))
                row.code_hash, row.sealed_code = _hash(ring.current, code), _seal(ring, code)
            RewardCode.objects.bulk_update(old, ["code_hash", "sealed_code"])
        if not rows:
            return count
        last, count = rows[-1].pk, count + len(old)


@transaction.atomic
def _load_part(
    loading: Loading, reward: Reward, codes: list[str], batch: str, expires_at: datetime | None
) -> None:
    ring = crypto.keyring()
    hashes = {tuple(_hash(key, code) for key in ring.newest_first): code for code in codes}
    known = set(
        RewardCode.objects.filter(
            reward=reward, code_hash__in=[each for all_of in hashes for each in all_of]
        ).values_list("code_hash", flat=True)
    )
    known_bytes = {bytes(each) for each in known}
    fresh = [
        RewardCode(
            reward=reward, batch=batch, code_hash=own[0], sealed_code=_seal(ring, code),
            expires_at=expires_at,
        )
        for own, code in hashes.items()
        if known_bytes.isdisjoint(own)
    ]  # fmt: skip
    before = RewardCode.objects.filter(reward=reward).count()
    RewardCode.objects.bulk_create(fresh, ignore_conflicts=True)
    added = RewardCode.objects.filter(reward=reward).count() - before
    loading.added += added
    loading.known += len(codes) - added


def _hash(key: sealing.MasterKey, code: str) -> bytes:
    return sealing.keyed_hash(key, _FIELD, code)


def _version(row: RewardCode) -> int:
    return int.from_bytes(bytes(row.sealed_code)[:2], "big")


def _seal(ring: sealing.Keyring, code: str) -> bytes:
    key = ring.current
    return key.version.to_bytes(2, "big") + sealing.wrap_value(key, code.encode(), _SITE, _FIELD)


def _unseal(ring: sealing.Keyring, sealed: bytes) -> str:
    key = ring.of(int.from_bytes(sealed[:2], "big"))
    return sealing.unwrap_value(key, sealed[2:], _SITE, _FIELD).decode()
