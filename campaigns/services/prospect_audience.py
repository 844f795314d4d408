"""Whom an offer to prospects is for, and who of them is held out: each prospect once and for ever.

Source: CMP-13, CMP-09.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from campaigns.domain import assignment
from campaigns.models import AddressState, OfferKind, OfferState, ProspectAddress, ProspectOffer
from members.models import Prospect

BATCH: Final = 1_000
SALT: Final = "prospect-offer"


def of(offer: ProspectOffer, at: datetime) -> QuerySet[Prospect]:
    """Return the prospects whom an offer is for: all of them have agreed to marketing."""
    rows = Prospect.objects.addressable().filter(
        created_at__lte=at - timedelta(days=offer.min_days), expires_at__gt=at
    )
    if offer.max_days is not None:
        rows = rows.filter(created_at__gte=at - timedelta(days=offer.max_days))
    if offer.sources:
        rows = rows.filter(source__in=offer.sources)
    if offer.interest_kind:
        rows = rows.filter(interest_kind=offer.interest_kind)
    if offer.interest:
        rows = rows.filter(interest=offer.interest)
    if offer.kind == OfferKind.RECOMMENDATION:
        rows = rows.filter(referred_by__isnull=False)
    return rows


def take_in(*, at: datetime) -> int:
    """Take newcomers into the audiences of all offers that run; return how many were looked at."""
    running = ProspectOffer.objects.filter(state=OfferState.RUNNING, starts_at__lte=at)
    done = 0
    for offer in running.exclude(ends_at__lte=at).order_by("pk"):
        last = 0
        while newcomers := _take_some(offer, last, at):
            done, last = done + len(newcomers), newcomers[-1].pk
    return done


@transaction.atomic
def _take_some(offer: ProspectOffer, after: int, at: datetime) -> list[Prospect]:
    known = ProspectAddress.objects.filter(offer=offer, prospect=OuterRef("pk"))
    rows = of(offer, at).filter(pk__gt=after).exclude(Exists(known))
    newcomers = list(rows.order_by("pk")[:BATCH])
    ProspectAddress.objects.bulk_create(
        [
            ProspectAddress(
                offer=offer, prospect=prospect, taken_at=at, due_at=at,
                state=AddressState.HELD_OUT if is_held_out(offer, prospect)
                else AddressState.QUEUED,
            )
            for prospect in newcomers
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    return newcomers


def is_held_out(offer: ProspectOffer, prospect: Prospect) -> bool:
    """Tell whether a prospect is not written to: by a stable hash, the same whenever asked."""
    place = assignment.position(f"{SALT}:{offer.code}", prospect.public_id)
    return place < offer.holdout_percent / assignment.WHOLE
