"""Phones change hands: when a known number must be verified before it counts as the member's."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.domain.enrolment import Key
from members.models import Identifier, IdentifierKind, Member, Touchpoint
from members.services import crypto, verifications
from rewards.services.joining_requests import CheckedRequest, EnrolmentRequest, to_json

INACTIVE_AFTER: Final = timedelta(days=180)


class VerificationRequiredError(DomainError):
    """The phone leads to a member who has long been inactive and may be somebody else."""

    def __init__(self, member: int, phone: Key) -> None:
        super().__init__(
            "verification_required", _("The phone number must be verified first."), 202
        )
        self.member = member
        self.phone = phone


def ask(
    requests: Sequence[EnrolmentRequest],
    checked: Sequence[CheckedRequest | DomainError],
    *,
    touchpoint: Touchpoint | None,
    at: datetime,
) -> None:
    """Keep the requests that wait for an answer, and tell under which id to give it.

    A file has nobody who could answer: its rows are sent again.
    """
    for request, item in zip(requests, checked, strict=True):
        if isinstance(item, VerificationRequiredError) and touchpoint is not None:
            item.details["verification"] = str(
                verifications.keep(
                    member=item.member,
                    phone_hash=crypto.identifier_hash(*item.phone),
                    content=to_json(request),
                    touchpoint=touchpoint,
                    at=at,
                )
            )


def refuse_doubtful(
    checked: Sequence[CheckedRequest | DomainError],
    known: Mapping[Key, int],
    *,
    verified: Collection[int] = (),
    at: datetime,
) -> list[CheckedRequest | DomainError]:
    """Return the requests, an error in place of those whose phone has to be verified.

    Phones of the `verified` members are known to be still theirs. Doubtful is a phone of a member
    inactive for long, under another name or WeChat unionid.
    Source: design §6, `POST /members`.
    """
    doubts = {
        place: item
        for place, item in enumerate(checked)
        if isinstance(item, CheckedRequest) and (item.personal.name or _unionids(item))
    }
    phones = {place: _by_phone(item, known) for place, item in doubts.items()}
    suspects = {member for owners in phones.values() for member in owners} - set(verified)
    if not suspects:
        return list(checked)
    inactive = _inactive(suspects, at)
    refused = {
        place: VerificationRequiredError(member, phone)
        for place, item in doubts.items()
        for member, phone in phones[place].items()
        if member in inactive and _differs(item, *inactive[member])
    }
    return [refused.get(place, item) for place, item in enumerate(checked)]


def _by_phone(item: CheckedRequest, known: Mapping[Key, int]) -> dict[int, Key]:
    """Return the members that the request's phones lead to, each with its phone."""
    phones = (key for key in item.keys if key[0] == IdentifierKind.PHONE and key in known)
    return {known[key]: key for key in phones}


def _unionids(item: CheckedRequest) -> set[bytes]:
    return {
        value_hash
        for kind, app, normal in item.keys
        if kind == IdentifierKind.WECHAT_UNIONID
        for value_hash in crypto.identifier_hashes(kind, app, normal)
    }


def _inactive(members: set[int], at: datetime) -> dict[int, tuple[bytes | None, set[bytes]]]:
    """Return the name hash and the unionid hashes of those without a fact for long."""
    unionids = Identifier.objects.filter(
        member=OuterRef("pk"), kind=IdentifierKind.WECHAT_UNIONID, ended_at__isnull=True
    )
    rows = Member.objects.filter(id__in=members).values_list(
        "id",
        "joined_at",
        F("accounts__last_fact_at"),
        F("profile__name_hash"),
        ArraySubquery(unionids.values("value_hash")),
    )
    return {
        pk: (bytes(name) if name else None, {bytes(value) for value in values})
        for pk, joined_at, last_fact_at, name, values in rows
        if at - max(joined_at, last_fact_at or joined_at) > INACTIVE_AFTER
    }


def _differs(item: CheckedRequest, name_hash: bytes | None, unionids: set[bytes]) -> bool:
    name = item.personal.name
    other_name = bool(name and name_hash and name_hash not in crypto.name_hashes(name))
    sent = _unionids(item)
    return other_name or bool(sent and unionids and not sent & unionids)
