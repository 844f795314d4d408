"""Which members a search term of the console names."""

from members.models import Identifier, Member

LIMIT = 200


def members_named(term: str) -> list[int]:
    """Return the members that a term leads to, by indexed exact look-ups only."""
    compact = "".join(term.split())
    found = list(Member.objects.filter(card_number=compact).values_list("pk", flat=True))
    if found:
        return found
    return list(
        Identifier.objects.filter(tail4=compact[-4:], ended_at__isnull=True).values_list(
            "member_id", flat=True
        )[:LIMIT]
    )
