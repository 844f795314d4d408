"""Members as the API writes them: masked, unless the key may read personal values."""

from collections.abc import Iterable, Sequence
from typing import Any

from members import words
from members.models import Consent, Member, MemberEvent, MemberProfile
from members.services import consents, profile
from members.services.profile import ReadIdentifier


def members_json(members: Sequence[Member], *, personal: bool) -> dict[int, dict[str, Any]]:
    """Return each member by database id; the number of statements does not depend on how many."""
    ids = [member.pk for member in members]
    identifiers = profile.read_identifiers(ids)
    clear = profile.read_many(ids) if personal else {}
    profiles = {row.member_id: row for row in MemberProfile.objects.filter(member_id__in=ids)}
    granted = consents.current(ids)
    answers = {}
    for member in members:
        body = _member(member, profiles.get(member.pk))
        if member.pk in clear:
            known = clear[member.pk]
            body |= {"name": known.name, "birthday": known.birthday, "city": known.city}
        body["identifiers"] = [
            _identifier(found, personal=personal) for found in identifiers.get(member.pk, ())
        ]
        body["consents"] = consents_json(granted.get(member.pk, {}).values())
        answers[member.pk] = body
    return answers


def consents_json(granted: Iterable[Consent]) -> list[dict[str, Any]]:
    """Return the decisions in force, in a steady order."""
    ordered = sorted(granted, key=lambda consent: (consent.purpose, consent.channel))
    return [
        {
            "purpose": consent.purpose,
            "channel": consent.channel or None,
            "granted": consent.granted,
            "text_version": consent.text_version or None,
            "given_at": consent.given_at,
        }
        for consent in ordered
    ]


def event_json(event: MemberEvent) -> dict[str, Any]:
    """Return one event of the timeline, with what it means in the reader's language."""
    return {
        "id": event.pk,
        "kind": event.kind,
        "text": words.event(event.kind),
        "occurred_at": event.occurred_at,
        "recorded_at": event.recorded_at,
        "caused_by": event.caused_by or None,
        "payload": event.payload,
    }


def _member(member: Member, row: MemberProfile | None) -> dict[str, Any]:
    return {
        "id": member.public_id,
        "card_number": member.card_number,
        "status": member.status,
        "joined_at": member.joined_at,
        "channel": member.channel,
        "name": row.name_mask if row else "",
        "attributes": row.attributes if row else {},
        "first_purchase_on": row.first_purchase_on if row else None,
    }


def _identifier(found: ReadIdentifier, *, personal: bool) -> dict[str, Any]:
    return {
        "kind": found.kind,
        "app": found.app or None,
        "value": found.value if personal else found.mask,
        "since": found.since,
    }
