"""Erasing a person while the books stay balanced."""

import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members import wipes
from members.models import (
    AttributeChange,
    Identifier,
    Interaction,
    Member,
    MemberKey,
    MemberProfile,
    MemberStatus,
)
from members.services import events, identity, prospect_erasure, segments

ERASED: Final = "member.erased"
HASH_BYTES: Final = 32
GONE: Final = "gone-"

# What an interaction carried (answers, free text) is personal; that it happened is not.
_WIPE_FACTS = """
UPDATE members_receivedfact
SET awaits_kind = '', awaits_hash = NULL,
    body = CASE WHEN kind = 'interaction' AND body ? 'data'
                THEN jsonb_set(body, '{data}', '{}') ELSE body END
WHERE member_id = ANY(%s::bigint[])
  AND (awaits_hash IS NOT NULL OR (kind = 'interaction' AND body ? 'data'))
"""

_REASON = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)


class ErasureReasonError(DomainError):
    """The reason is no code; free text could keep what is to be forgotten."""

    def __init__(self) -> None:
        super().__init__("reason_not_a_code", _("The reason must be a code."), field="reason")


@transaction.atomic
def erase(*, member: Member, at: datetime, actor: str, reason: str) -> bool:
    """Make everything personal of the member unreadable for ever; tell whether anything was left.

    The data key is destroyed, so what was sealed is lost wherever it was copied. Identifiers end
    and can be found no more, by any key. Members merged into this one are the same person and are
    erased with it. Entries, standings and orders stay as they are.
    Raises: ErasureReasonError.
    Source: MEM-12, design §4 (ledger).
    """
    if not _REASON.fullmatch(reason):
        raise ErasureReasonError
    line = identity.lineage(member.pk)
    people = Member.objects.filter(id__in=line).order_by("id")
    people_now = list(people.select_for_update(no_key=True, of=("self",)))
    if all(person.status == MemberStatus.ERASED for person in people_now):
        return False
    prospect_erasure.forget_members(member_ids=line, at=at)
    MemberKey.objects.filter(member_id__in=line).delete()
    _wipe_profiles(line)
    _end_identifiers(line, at)
    _wipe_facts(line)
    wipes.run(line)
    _rename(people_now)
    for person in people_now:
        segments.leave_all(member_id=person.pk, at=at)
    payload = {"reason": reason, "actor": actor}
    events.append([events.NewEvent(member.pk, ERASED, at, at, payload)])
    member.refresh_from_db()
    return True


def _wipe_profiles(line: list[int]) -> None:
    MemberProfile.objects.filter(member_id__in=line).update(
        sealed=None, name_hash=None, name_mask="", birth_month=None, birth_day=None, attributes={}
    )
    AttributeChange.objects.filter(member_id__in=line).delete()


def _end_identifiers(line: list[int], at: datetime) -> None:
    """End the identifiers, earlier ones too, and put randomness where their hashes were."""
    rows = list(Identifier.objects.filter(member_id__in=line).order_by("id").select_for_update())
    for row in rows:
        row.sealed = None
        row.tail4 = ""
        row.value_hash = secrets.token_bytes(HASH_BYTES)
        row.ended_at = row.ended_at or at
    Identifier.objects.bulk_update(rows, ["sealed", "tail4", "value_hash", "ended_at"])


def _wipe_facts(line: list[int]) -> None:
    Interaction.objects.filter(member_id__in=line).exclude(data={}).update(data={})
    with connection.cursor() as cursor:
        cursor.execute(_WIPE_FACTS, [line])


def _rename(people: Sequence[Member]) -> None:
    """Take the card number from the person; what stands instead is no card number."""
    for person in people:
        person.card_number = f"{GONE}{secrets.token_hex(7)}"
        if person.status != MemberStatus.MERGED:
            person.status = MemberStatus.ERASED
    Member.objects.bulk_update(people, ["card_number", "status"])
