"""What a batch of messages needs to know, read for all of them in a fixed number of statements."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import F

from campaigns import channels
from campaigns.domain import templating
from campaigns.domain.delivery import Decision, Policy
from campaigns.domain.templating import Variable
from campaigns.models import ContentAsset, TemplateVersion, VersionState
from campaigns.services import message_policy
from config.base import clock
from members.domain.sealing import KeyringInvalidError, SealBrokenError
from members.models import Identifier, Member, MemberProfile
from members.services import consents, crypto, profile

PREFERRED: Final = "preferred_channels"
LANGUAGE: Final = "language"
DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)

# What may have gone out counts: an outcome that is not known does not make room for another.
_SENT_BEFORE: Final = """
SELECT member_id, sent_at FROM campaigns_message
WHERE member_id = ANY(%s) AND purpose = 'marketing' AND sent_at > %s
  AND state IN ('sending', 'sent', 'delivered', 'unknown')
"""


@dataclass(frozen=True, slots=True)
class Texts:
    """A published version, ready to be filled."""

    version_id: int
    variables: Mapping[str, Variable]
    contents: templating.Contents

    def languages_of(self, channel: str) -> list[str]:
        """Return the languages that there is a text in, for a channel."""
        return [language for language, parts in self.contents.items() if channel in parts]

    def named_assets(self) -> set[str]:
        """Return the codes of content that any text names."""
        texts = [
            text
            for parts in self.contents.values()
            for part in parts.values()
            for text in part.values()
        ]
        names = (name for text in texts for name in templating.names_in(text))
        return {
            name.removeprefix(templating.ASSET)
            for name in names
            if name.startswith(templating.ASSET)
        }


@dataclass(frozen=True, slots=True)
class Person:
    """A member as far as it matters to a message."""

    public_id: UUID
    status: str
    language: str
    preferred: Sequence[str] | None
    birthday: date | None = field(repr=False)
    consents: Mapping[tuple[str, str], Decision]
    addresses: Mapping[str, str] = field(repr=False)
    data_key: bytes | None = field(default=None, repr=False)
    is_readable: bool = True


@dataclass(slots=True)
class BatchFacts:
    """All that a batch is decided by; `sent` grows while it is decided."""

    policy: Policy
    people: Mapping[int, Person]
    texts: Mapping[int, Texts]
    assets: Mapping[tuple[str, str], str]
    sent: dict[int, list[datetime]]

    def sent_since(self, member: int, since: datetime) -> int:
        """Return how many marketing messages a member was sent after an instant."""
        return sum(each > since for each in self.sent.get(member, ()))


def read(*, member_ids: Collection[int], template_ids: Collection[int], at: datetime) -> BatchFacts:
    """Read everything for a batch; members are locked first, so that caps and consents hold."""
    ids = sorted(set(member_ids))
    rows = Member.objects.filter(pk__in=ids).order_by("pk")
    locked = list(rows.select_for_update(no_key=True, of=("self",)))
    texts = texts_of(template_ids)
    return BatchFacts(
        policy=message_policy.in_force(),
        people=_people(locked),
        texts=texts,
        assets=assets_of(texts.values()),
        sent=_sent_before(ids, at - WEEK),
    )


def texts_of(template_ids: Collection[int]) -> dict[int, Texts]:
    """Return the published version of each template that has one."""
    rows = (
        TemplateVersion.objects.filter(
            template_id__in=set(template_ids), state=VersionState.PUBLISHED
        )
        .order_by("template_id", "-number")
        .distinct("template_id")
    )
    return {row.template_id: as_texts(row) for row in rows}


def as_texts(version: TemplateVersion) -> Texts:
    """Return a version as it is filled."""
    variables = templating.parse_variables(version.variables)
    return Texts(version.pk, variables, version.contents)


def assets_of(texts: Iterable[Texts]) -> dict[tuple[str, str], str]:
    """Return the newest content that texts name, by code and language."""
    codes = set().union(*(each.named_assets() for each in texts))
    if not codes:
        return {}
    rows = (
        ContentAsset.objects.filter(code__in=codes)
        .order_by("code", "language", "-number")
        .distinct("code", "language")
    )
    return {(row.code, row.language): row.value for row in rows}


def people(member_ids: Collection[int]) -> dict[int, Person]:
    """Return members as messages see them."""
    return _people(list(Member.objects.filter(pk__in=member_ids)))


def _people(members: Sequence[Member]) -> dict[int, Person]:
    """Return members; where what is sealed of one does not open, that one alone is unreadable."""
    try:
        return _opened(members)
    except (KeyringInvalidError, SealBrokenError):
        if len(members) > 1:
            return {pk: one for member in members for pk, one in _people([member]).items()}
        return {member.pk: _unreadable(member) for member in members}


def _unreadable(member: Member) -> Person:
    return Person(
        member.public_id, member.status, _language(None), preferred=None, birthday=None,
        consents={}, addresses={}, is_readable=False,
    )  # fmt: skip


def _opened(members: Sequence[Member]) -> dict[int, Person]:
    ids = [member.pk for member in members]
    known = profile.read_many(ids)
    rows = MemberProfile.objects.filter(member_id__in=ids)
    attributes = dict(rows.values_list("member_id", "attributes"))
    said = consents.current(ids)
    keys = crypto.data_keys(ids)
    addresses = _addresses(ids, keys)
    return {
        member.pk: Person(
            public_id=member.public_id,
            status=member.status,
            language=_language(attributes.get(member.pk, {}).get(LANGUAGE)),
            preferred=_preferred(attributes.get(member.pk, {}).get(PREFERRED)),
            birthday=known[member.pk].birthday if member.pk in known else None,
            consents={
                key: Decision(each.granted, each.given_at)
                for key, each in said.get(member.pk, {}).items()
            },
            addresses=addresses.get(member.pk, {}),
            data_key=keys[member.pk][1] if member.pk in keys else None,
        )
        for member in members
    }


def _language(said: Any) -> str:
    if isinstance(said, str) and re.match("zh|en", said):
        return said[:2]
    return str(settings.LANGUAGE_CODE)[:2]


def _preferred(said: Any) -> list[str] | None:
    """Return the channels that a member allows, in order; None where nothing is said."""
    if not isinstance(said, list):
        return None
    return [each for each in said if isinstance(each, str)]


def _addresses(
    member_ids: Collection[int], keys: Mapping[int, tuple[UUID, bytes]]
) -> dict[int, dict[str, str]]:
    """Return where each open channel reaches each member: verified first, then the newest.

    A channel that needs no address reaches everybody.
    """
    ways = channels.open_channels()
    needed = {
        (each.address_kind, each.address_app): code
        for code, each in ways.items()
        if each.address_kind
    }
    everywhere = {code: "" for code, each in ways.items() if not each.address_kind}
    found = {member: dict(everywhere) for member in member_ids}
    rows = (
        Identifier.objects.filter(
            member_id__in=keys, ended_at__isnull=True, kind__in={kind for kind, _app in needed}
        )
        .select_related("member")
        .order_by(F("verified_at").desc(nulls_last=True), "-from_at", "-id")
    )
    for row in rows:
        code = needed.get((row.kind, row.app))
        if code and code not in found[row.member_id]:
            found[row.member_id][code] = crypto.value_of(row, *keys[row.member_id])
    return found


def _sent_before(member_ids: Sequence[int], since: datetime) -> dict[int, list[datetime]]:
    with connection.cursor() as cursor:
        cursor.execute(_SENT_BEFORE, [list(member_ids), since])
        found: dict[int, list[datetime]] = {}
        for member, sent_at in cursor.fetchall():
            found.setdefault(member, []).append(sent_at)
        return found


def is_minor(birthday: date | None, at: datetime, youngest: int) -> bool:
    """Tell whether somebody is too young at an instant to be sold to."""
    return birthday is not None and clock.whole_years(birthday, clock.local_day(at)) < youngest
