"""Forgetting prospects: on their wish, with the member they became, or when their time is over.

The data key and the contacts are deleted, so that what was sealed is lost wherever it was copied.
The bare row stays: that somebody was written to, and whether they joined, is still counted.

Source: CMP-13, MEM-12, PIPL art. 47.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from django.db import transaction

from members.domain import sealing
from members.models import ForgottenBecause, Prospect, ProspectContact
from members.services import crypto, prospects

SLICE: Final = 500


@transaction.atomic
def forget(*, prospect_ids: Collection[int], because: ForgottenBecause, at: datetime) -> int:
    """Make everything personal of prospects unreadable for ever; return how many had any."""
    found = list(prospects.lock(prospect_ids).values())
    ProspectContact.objects.filter(prospect__in=found).delete()
    return Prospect.objects.filter(pk__in=[each.pk for each in found]).update(
        wrapped=None, sealed_evidence=None, referred_by=None, forgotten_at=at,
        forgotten_because=because,
    )  # fmt: skip


def forget_members(*, member_ids: Sequence[int], at: datetime) -> int:
    """Forget the prospects that members have been, before their identifiers and keys are gone.

    Who joined a moment ago is known by phone and e-mail only.
    """
    rows = Prospect.objects.known().filter(converted_to__in=member_ids)
    ids = {*rows.values_list("pk", flat=True)}
    ids.update(each.pk for each in prospects.of_members(member_ids))
    if not ids:
        return 0
    return forget(prospect_ids=ids, because=ForgottenBecause.MEMBER_ERASED, at=at)


@transaction.atomic
def forget_expired(*, at: datetime, limit: int = SLICE) -> int:
    """Forget prospects whose time is over, up to a limit; return how many.

    Read again under their locks: who comes back at this moment stays.
    """
    over = Prospect.objects.known().filter(expires_at__lte=at)
    first = list(over.order_by("expires_at").values_list("pk", flat=True)[:limit])
    held = over.filter(pk__in=first).order_by("pk").select_for_update(no_key=True, of=("self",))
    ids = [each.pk for each in held]
    return forget(prospect_ids=ids, because=ForgottenBecause.EXPIRED, at=at) if ids else 0


def rotate(*, after_id: int = 0, limit: int = SLICE) -> int | None:
    """Bring the next prospects by id under the current key; return the last id, None at the end."""
    rows = Prospect.objects.known().filter(pk__gt=after_id).order_by("pk")
    ids = list(rows.values_list("pk", flat=True)[:limit])
    with transaction.atomic():
        held = prospects.lock(ids)
        _rehash(held)
        _rewrap(held)
    return ids[-1] if ids else None


def _rehash(held: dict[int, Prospect]) -> None:
    version = crypto.keyring().current.version
    readable = prospects.contacts_of(held.values())
    stale = list(ProspectContact.objects.filter(prospect__in=held).exclude(hash_version=version))
    for row in stale:
        normal = readable[row.prospect_id][row.kind]
        row.value_hash = crypto.identifier_hash(row.kind, "", normal)
        row.hash_version = version
    ProspectContact.objects.bulk_update(stale, ["value_hash", "hash_version"])


def _rewrap(held: dict[int, Prospect]) -> None:
    current = crypto.keyring().current
    stale = [each for each in held.values() if each.master_version != current.version]
    for prospect in stale:
        data_key = prospects.key_of(prospect)
        prospect.wrapped = sealing.wrap(current, data_key, prospect.public_id)
        prospect.master_version = current.version
    Prospect.objects.bulk_update(stale, ["wrapped", "master_version"])
