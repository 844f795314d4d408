"""Offers to prospects: written by one person, running once another one agrees.

Source: CMP-13.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.models import (
    OfferKind,
    OfferState,
    ProspectOffer,
    Purpose,
    TemplateVersion,
    VersionState,
)
from config.base import clock
from config.base.admin import formats
from config.base.errors import DomainError
from config.base.names import name_of
from members.models import Approval
from members.services import approvals
from members.services.approvals import Change

APPROVAL_KIND: Final = "prospect_offer.run"
APPROVE_PERMISSION: Final = "campaigns.approve_prospectoffer"

TERMS: Final = (
    "code", "name_zh", "name_en", "kind", "product", "sources", "interest_kind", "interest",
    "min_days", "max_days", "template", "points", "coupon_template", "valid_days", "starts_at",
    "ends_at", "holdout_percent", "most_given",
)  # fmt: skip


class OfferError(DomainError):
    """An offer to prospects cannot say or do this."""


@transaction.atomic
def write(
    *, offer_id: int | None, terms: Mapping[str, Any], actor: str, at: datetime
) -> ProspectOffer:
    """Write a draft, or write it anew. Raises: OfferError."""
    offer = ProspectOffer(created_at=at, created_by=actor)
    if offer_id is not None:
        offer = locked(offer_id)
    if offer.state != OfferState.DRAFT:
        raise OfferError("offer_not_draft", _("Only drafts are changed."), 409)
    for term in TERMS:
        setattr(offer, term, terms[term])
    _check(offer)
    try:
        with transaction.atomic():
            offer.save()
    except IntegrityError as error:
        raise OfferError("offer_code_taken", _("This code is taken."), 409, field="code") from error
    return offer


def _check(offer: ProspectOffer) -> None:
    """Refuse what the table would refuse, with a word about it. Raises: OfferError."""
    if offer.points == 0 or (offer.points is None) == (offer.coupon_template_id is None):
        message = _("Give points or a coupon, one of the two.")
        raise OfferError("offer_gives_one_thing", message, field="points")
    if offer.kind == OfferKind.NEW_PRODUCT and not offer.product:
        raise OfferError("offer_product_missing", _("Name the new product."), field="product")
    if offer.kind == OfferKind.LIMITED_TIME and offer.ends_at is None:
        raise OfferError("offer_end_missing", _("Say when the offer ends."), field="ends_at")
    if offer.ends_at is not None and offer.ends_at <= offer.starts_at:
        raise OfferError("offer_ends_early", _("The end lies after the start."), field="ends_at")
    if offer.template.purpose != Purpose.MARKETING:
        message = _("Prospects are sent marketing templates only.")
        raise OfferError("offer_template_purpose", message, field="template")


@transaction.atomic
def ask(*, offer_id: int, reason: str, actor: str, at: datetime) -> Approval:
    """Ask a second person to let an offer run. Raises: OfferError, ApprovalError."""
    offer = locked(offer_id)
    if offer.state != OfferState.DRAFT:
        raise OfferError("offer_not_draft", _("Only drafts are sent for approval."), 409)
    texts = TemplateVersion.objects.filter(template=offer.template_id, state=VersionState.PUBLISHED)
    if not texts.exists():
        raise OfferError(
            "offer_template_unpublished", _("The message template has no published text."), 409
        )
    offer.state = OfferState.ASKED
    offer.save(update_fields=["state"])
    return approvals.request(
        kind=APPROVAL_KIND, member_id=None, payload={"offer": offer.pk}, reason=reason,
        actor=actor, at=at,
    )  # fmt: skip


@transaction.atomic
def publish(approval: Approval, at: datetime) -> None:
    """Let the offer run that was asked for. Raises: OfferError."""
    offer = locked(approval.payload["offer"])
    if offer.state != OfferState.ASKED:
        raise OfferError("offer_not_asked", _("The offer does not wait for approval."), 409)
    offer.state, offer.started_at = OfferState.RUNNING, at
    offer.save(update_fields=["state", "started_at"])


@transaction.atomic
def drop(approval: Approval) -> None:
    """Make a draft again of what was refused or withdrawn."""
    rows = ProspectOffer.objects.filter(pk=approval.payload["offer"], state=OfferState.ASKED)
    rows.update(state=OfferState.DRAFT)


@transaction.atomic
def end(*, offer_id: int, reason: str, at: datetime) -> ProspectOffer:
    """Write to nobody any more; who was written to before still gets what was promised.

    Raises: OfferError.
    """
    if not reason.strip():
        raise OfferError("reason_required", _("A reason is required."), field="reason")
    offer = locked(offer_id)
    if offer.state != OfferState.RUNNING:
        raise OfferError("offer_not_running", _("The offer does not run."), 409)
    offer.state, offer.ended_at = OfferState.ENDED, at
    offer.save(update_fields=["state", "ended_at"])
    return offer


def locked(offer_id: int) -> ProspectOffer:
    """Return an offer, locked until the transaction is over."""
    rows = ProspectOffer.objects.select_related("template", "coupon_template")
    return rows.select_for_update(no_key=True, of=("self",)).get(pk=offer_id)


def gift_text(offer: ProspectOffer) -> str:
    """Return what joining gives, for people."""
    if offer.coupon_template is not None:
        return name_of(offer.coupon_template)
    return gettext("%(points)s points") % {"points": formats.points(offer.points or 0)}


def instant(at: datetime | None) -> str:
    """Return an instant in the programme's zone, for people."""
    return "–" if at is None else f"{clock.local(at):%Y-%m-%d %H:%M}"


def summarise(approval: Approval) -> str:
    """Return which offer is to run, for people."""
    offer = _of(approval)
    return f"{name_of(offer)}: {gift_text(offer)}"


def effects(approval: Approval) -> Sequence[Change]:
    """Return what the offer says, for whoever is to agree."""
    offer = _of(approval)
    said = {
        gettext("Kind"): offer.get_kind_display(),
        gettext("Given for joining"): gift_text(offer),
        gettext("Given at most"): formats.points(offer.most_given),
        gettext("Message template"): name_of(offer.template),
        gettext("Until"): instant(offer.ends_at),
        gettext("Hold-out in per cent"): str(offer.holdout_percent),
    }
    return [Change(what, "", after) for what, after in said.items()]


def _of(approval: Approval) -> ProspectOffer:
    rows = ProspectOffer.objects.select_related("template", "coupon_template")
    return rows.get(pk=approval.payload["offer"])
