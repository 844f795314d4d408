"""What an offer to prospects has brought: who was written to, who joined, and what it gave.

Those taken in to be written to are compared with the hold-out, whether or not a message reached
them: both were taken in at the same time, by the same rule.

Source: CMP-13, CMP-09.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, F, Q

from campaigns.domain import lift
from campaigns.domain.lift import Estimate, Share
from campaigns.models import AddressState, ProspectAddress, ProspectOffer
from campaigns.services import prospect_sending

_JOINED = Q(prospect__converted_at__gte=F("taken_at"))


@dataclass(frozen=True, slots=True)
class OfferResults:
    """An audience by state, both arms with those who joined, and what was given."""

    states: Mapping[str, int]
    reasons: Mapping[str, int]
    treated: Share
    holdout: Share
    given: int
    not_given: Mapping[str, int]

    @property
    def audience(self) -> int:
        """Return how many prospects were taken in."""
        return self.treated.members + self.holdout.members

    @property
    def added(self) -> Estimate | None:
        """Return by how much more of those addressed joined; None without a hold-out."""
        return lift.difference_of_shares(self.treated, self.holdout)


def read(offer: ProspectOffer) -> OfferResults:
    """Return the results of an offer up to now, in a fixed number of statements."""
    rows = ProspectAddress.objects.filter(offer=offer)
    held_out = Q(state=AddressState.HELD_OUT)
    counts = rows.aggregate(
        treated=Count("pk", filter=~held_out), held=Count("pk", filter=held_out),
        treated_joined=Count("pk", filter=~held_out & _JOINED),
        held_joined=Count("pk", filter=held_out & _JOINED),
        given=Count("pk", filter=Q(given_at__isnull=False)),
    )  # fmt: skip
    refused = rows.exclude(not_given="").values_list("not_given")
    return OfferResults(
        states=prospect_sending.counts_of(offer),
        reasons=prospect_sending.reasons_of(offer),
        treated=Share(counts["treated"], counts["treated_joined"]),
        holdout=Share(counts["held"], counts["held_joined"]),
        given=counts["given"],
        not_given=dict(refused.annotate(count=Count("pk")).order_by("not_given")),
    )
