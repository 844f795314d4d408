"""What speaks against a referral, read from what is known of the two.

Nothing is kept for it: devices and identifiers are compared where they stand, addresses are opened
in memory, so that an erasure leaves nothing behind here.

Source: ENG-04.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from campaigns.domain.referrals import Reason
from campaigns.models import Referral, ReferralProgramme
from config.base import clock
from members.models import Member, MemberStatus, Order
from members.services import authority, identity
from rewards.models import Redemption
from rewards.services import redeeming

LONGEST_CHAIN: Final = 20
ADDRESSES_READ: Final = 20
_WORDS: Final = re.compile(r"\W+")

# By the last four characters, which are indexed, so ended identifiers are found too.
_KNOWN: Final = """
SELECT DISTINCT other.member_id FROM members_identifier mine
JOIN members_identifier other ON other.tail4 = mine.tail4 AND other.kind = mine.kind
    AND other.app = mine.app AND other.value_hash = mine.value_hash
WHERE mine.member_id = %(friend)s AND mine.tail4 <> '' AND other.member_id <> %(friend)s
"""
_DEVICE: Final = """
SELECT EXISTS (
    SELECT FROM members_memberprofile mine JOIN members_memberprofile other
        ON other.attributes ->> 'device' = mine.attributes ->> 'device'
    WHERE mine.member_id = %(friend)s AND mine.attributes ->> 'device' <> ''
      AND other.member_id <> %(friend)s
      AND (other.member_id = ANY(%(line)s) OR other.member_id IN (
               SELECT friend_id FROM campaigns_referral WHERE referrer_id = ANY(%(line)s))))
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """Who brought whom, on which terms; the referrer as whoever stands for that person now.

    `line` is the referrer and all members that were merged into it.
    """

    referrer: Member
    friend: Member
    programme: ReferralProgramme
    joined_at: datetime
    line: Sequence[int]


def pair_of(
    *, referrer: Member, friend: Member, programme: ReferralProgramme, joined_at: datetime
) -> Pair:
    """Return who brought whom, with all that the referrer has been."""
    return Pair(referrer, friend, programme, joined_at, identity.lineage(referrer.pk))


def survivor_of(member_id: int) -> Member:
    """Return the member that stands for this one now."""
    member = Member.objects.get(pk=member_id)
    while member.merged_into_id is not None:
        member = Member.objects.get(pk=member.merged_into_id)
    return member


def at_joining(pair: Pair) -> set[str]:
    """Return what speaks against a referral when the friend joins.

    Too many friends within 24 hours is found by the first one above the number.
    """
    found = _about_both(pair)
    if pair.programme.friends_per_day:
        since = pair.joined_at - timedelta(days=1)
        rows = Referral.objects.filter(referrer_id__in=pair.line, registered_at__gt=since)
        if rows.count() >= pair.programme.friends_per_day:
            found.add(Reason.TOO_MANY)
    return found


def at_reward(pair: Pair, *, at: datetime) -> set[str]:
    """Return what speaks against rewarding the referrer at an instant."""
    found = _about_both(pair) | _caps(pair, at)
    if pair.referrer.status != MemberStatus.ACTIVE:
        found.add(Reason.REFERRER_INACTIVE)
    if pair.friend.status != MemberStatus.ACTIVE:
        found.add(Reason.FRIEND_INACTIVE)
    if _addresses([pair.friend.pk]) & _addresses(pair.line):
        found.add(Reason.SAME_ADDRESS)
    return found


def _about_both(pair: Pair) -> set[str]:
    line, friend = pair.line, pair.friend.pk
    if survivor_of(friend).pk == pair.referrer.pk:
        return {Reason.SAME_PERSON}
    found: set[str] = set()
    values: dict[str, Any] = {"friend": friend, "line": list(line)}
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, values)
        others = {row[0] for row in cursor.fetchall()}
        cursor.execute(_DEVICE, values)
        (has_device,) = cursor.fetchone()
    if others:
        found.add(Reason.KNOWN_BEFORE if others.isdisjoint(line) else Reason.SAME_IDENTIFIER)
    if has_device:
        found.add(Reason.SAME_DEVICE)
    if _is_loop(pair):
        found.add(Reason.LOOP)
    if _bought_before(pair):
        found.add(Reason.BOUGHT_BEFORE)
    staff = pair.friend.enrolled_by
    if staff and authority.own_tills([(staff, pair.referrer.pk), (staff, friend)]):
        found.add(Reason.OWN_STAFF)
    return found


def _is_loop(pair: Pair) -> bool:
    """Tell whether the friend, or somebody whom the friend brought, brought the referrer."""
    ends = set(identity.lineage(survivor_of(pair.friend.pk).pk))
    line = list(pair.line)
    for _step in range(LONGEST_CHAIN):
        brought = Referral.objects.filter(friend_id__in=line).values_list("referrer_id", flat=True)
        above = brought.first()
        if above is None:
            return False
        line = identity.lineage(survivor_of(above).pk)
        if not ends.isdisjoint(line):
            return True
    return False


def _bought_before(pair: Pair) -> bool:
    day = clock.day_start(clock.local_day(pair.joined_at))
    return Order.objects.filter(member_id=pair.friend.pk, placed_at__lt=day).exists()


def _caps(pair: Pair, at: datetime) -> set[str]:
    """Return the caps that are reached; the caller holds the referrer's lock."""
    today = clock.local_day(at)
    programme, found = pair.programme, set()
    rows = Referral.objects.filter(
        referrer_id__in=pair.line, taken_back_at=None, rewarded_at__isnull=False
    )
    for most, first, reason in (
        (programme.max_per_month, today.replace(day=1), Reason.CAP_MONTH),
        (programme.max_per_year, today.replace(month=1, day=1), Reason.CAP_YEAR),
    ):
        if most and rows.filter(rewarded_at__gte=clock.day_start(first)).count() >= most:
            found.add(reason.value)
    return found


def _addresses(member_ids: Collection[int]) -> set[str]:
    """Return the last addresses to which members had rewards sent, in one form."""
    rows = Redemption.objects.filter(member_id__in=member_ids, sealed_address__isnull=False)
    found = redeeming.addresses_of(list(rows.order_by("-pk")[:ADDRESSES_READ]))
    return {_plain(address) for address in found.values()} - {""}


def _plain(address: dict[str, Any]) -> str:
    """Return where an address is, whoever it names and however it is written."""
    where = [str(value) for key, value in sorted(address.items()) if key not in {"name", "phone"}]
    return _WORDS.sub("", unicodedata.normalize("NFKC", "".join(where)).casefold())
