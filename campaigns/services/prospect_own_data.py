"""What is kept of one person as the prospect they were, for that person. Source: MEM-12, CMP-13."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.db.models import F

from campaigns.models import ProspectAddress
from members.models import Prospect
from members.services import prospects

Rows = list[dict[str, Any]]


def _prospects(line: Sequence[int]) -> Rows:
    """Return what was left before joining; of a forgotten one only what is no longer personal."""
    found = list(Prospect.objects.filter(converted_to__in=line).order_by("pk"))
    contacts = prospects.contacts_of(found)
    return [
        {
            "source": each.source, "interest_kind": each.interest_kind, "interest": each.interest,
            "entered_at": each.created_at, "kept_until": each.expires_at,
            "agreed_at": each.consented_at, "text_version": each.consent_version,
            "opted_out_at": each.opted_out_at, "joined_at": each.converted_at,
            "contacts": contacts[each.pk],
        }
        for each in found
    ]  # fmt: skip


def _offers(line: Sequence[int]) -> Rows:
    rows = ProspectAddress.objects.filter(prospect__converted_to__in=line).order_by("pk")
    said = ("state", "reason", "channel", "sent_at", "good_until", "given_at", "not_given")
    return [dict(row) for row in rows.values(*said, of_offer=F("offer__code"))]


PARTS: Final[Mapping[str, Callable[[Sequence[int]], Rows]]] = {
    "prospects": _prospects,
    "prospect_offers": _offers,
}
