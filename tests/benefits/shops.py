"""What gifts have become, in short."""

from members.models import Member
from rewards.models import Grant


def grants_of(who: Member) -> list[tuple[str, str, str]]:
    """Return rule, occurrence and status of every grant, in order."""
    rows = Grant.objects.filter(member=who).order_by("id")
    return list(rows.values_list("rule__code", "occurrence", "status"))
