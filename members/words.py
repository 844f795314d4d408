"""What events, consents and cases say to people."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

EVENTS: Mapping[str, Promise] = {
    "member.enrolled": _("Enrolled"),
    "member.profile_changed": _("Profile changed"),
    "member.frozen": _("Frozen"),
    "member.unfrozen": _("Unfrozen"),
    "member.closed": _("Closed"),
    "member.merged": _("Merged"),
    "member.unmerged": _("Merge undone"),
    "member.identifier_attached": _("Identifier attached"),
    "member.identifier_ended": _("Identifier ended"),
    "member.erased": _("Erased"),
    "member.data_request": _("Request about personal data"),
    "member.phone_changed": _("Phone changed"),
    "member.card_replaced": _("Card replaced"),
    "member.revealed": _("Personal data looked at in clear"),
    "order.claimed": _("Missed purchase claimed"),
    "order.moved_away": _("Order moved to another member"),
    "order.moved_in": _("Order taken over from another member"),
    "goodwill.given": _("Goodwill given"),
    "goodwill.undone": _("Goodwill taken back"),
    "consent.changed": _("Consent changed"),
    "segment.entered": _("Came into a segment"),
    "segment.left": _("Left a segment"),
    "order.recorded": _("Order recorded"),
    "refund.recorded": _("Refund recorded"),
    "interaction.recorded": _("Interaction recorded"),
    "interaction.corrected": _("Interaction put right"),
    "points.reserved": _("Points reserved"),
    "points.captured": _("Points spent"),
    "points.released": _("Points released"),
    "points.adjusted": _("Points adjusted"),
    "campaign.acted": _("Campaign acted"),
    "offer.shown": _("Reward recommended"),
    "campaign.undone": _("Gift of a campaign taken back"),
    "points.own_till_released": _("Points of one's own till released"),
    "redemption.requested": _("Reward redeemed"),
    "redemption.approved": _("Redemption approved"),
    "redemption.fulfilled": _("Reward handed over"),
    "redemption.returned": _("Reward returned"),
    "redemption.cancelled": _("Redemption cancelled"),
    "coupon.issued": _("Coupon issued"),
    "coupon.redeemed": _("Coupon redeemed"),
    "coupon.returned": _("Coupon given back"),
    "coupon.revoked": _("Coupon revoked"),
    "bulk_grant.given": _("Bulk grant"),
    "grant.given": _("Gift given"),
    "grant.revoked": _("Gift revoked"),
    "entitlement.granted": _("Benefit granted"),
    "entitlement.ended": _("Benefit ended"),
    "benefit.used": _("Benefit used"),
    "benefit.returned": _("Benefit use given back"),
    "membership.bought": _("Membership bought"),
    "membership.renewed": _("Membership renewed"),
    "membership.reminder": _("Membership about to end"),
    "membership.cancelled": _("Membership will not be renewed"),
    "membership.refunded": _("Membership refunded"),
    "membership.ended": _("Membership ended"),
    "tier.changed": _("Tier changed"),
    "tier.override": _("Tier set by staff"),
    "tier.lapse_warning": _("Tier about to end"),
    "lifecycle.changed": _("Lifecycle stage changed"),
    "customer_class.changed": _("Customer class changed"),
    "case.opened": _("Case opened"),
    "case.taken": _("Case taken"),
    "case.assigned": _("Case assigned"),
    "case.answered": _("Case answered"),
    "case.waiting": _("Case waits for the member"),
    "case.member_answered": _("Member answered"),
    "case.escalated": _("Case escalated"),
    "case.resolved": _("Case resolved"),
    "case.reopened": _("Case reopened"),
    "case.closed": _("Case closed"),
    "member.agent_changed": _("Dedicated agent changed"),
    "prospect.joined": _("Had been a prospect"),
    "prospect.rewarded": _("Offer to a prospect given"),
    "prospect.not_rewarded": _("Offer to a prospect not given"),
    "referral.registered": _("Referral: a friend has joined"),
    "referral.code_refused": _("Referral: the code leads to nobody"),
    "referral.held": _("Referral held for a check"),
    "referral.accepted": _("Referral let pass"),
    "referral.refused": _("Referral refused"),
    "referral.rewarded": _("Referral rewarded"),
    "referral.taken_back": _("Reward of a referral taken back"),
    "payout.approved": _("Payout approved"),
    "payout.refused": _("Payout refused"),
    "payout.paid": _("Payout paid"),
    "review.approved": _("Review approved"),
    "review.rejected": _("Review rejected"),
    "review.removed": _("Review removed"),
}

DETAILS: Mapping[str, Promise] = {
    "points": _("points"),
    "kind": _("kind"),
    "channel": _("channel"),
    "purpose": _("purpose"),
    "granted": _("granted"),
    "reason": _("reason"),
    "ref": _("reference"),
    "source": _("source"),
    "version": _("version"),
}
FIRST_VERSION = 1

CONSENT_PURPOSES: Mapping[str, Promise] = {
    "marketing": _("Marketing messages"),
    "personalisation": _("Personalised recommendations"),
    "profiling": _("Profiling"),
    "terms": _("Terms of membership"),
    "privacy": _("Privacy policy"),
    "service": _("Service messages"),
}

VERBS: Mapping[str, Promise] = {
    "freeze": _("Freeze"),
    "unfreeze": _("Unfreeze"),
    "close": _("Close for good"),
}

STATUS_REASONS: Mapping[str, Promise] = {
    "member_request": _("The member asked for it"),
    "suspected_abuse": _("Suspected abuse"),
    "investigation": _("Being investigated"),
    "investigation_over": _("Investigation over"),
    "abuse": _("Abuse"),
    "duplicate": _("Duplicate member"),
    "mistake": _("Made by mistake"),
    "other": _("Other reason"),
}

CASE_CODES: Mapping[str, Promise] = {
    "over_refunded": _("More refunded than bought"),
    "referral_burst": _("Too many friends brought within a day"),
    "referral_to_return": _("Reward of a referral has to come back"),
    "reservation_unknown": _("Order names an unknown reservation"),
    "reservation_closed": _("Reservation was closed already"),
    "reservation_lapsed": _("Reservation had lapsed"),
    "hold_lapsed": _("Reservation had lapsed"),
    "insufficient_points": _("Not enough points"),
    "reward_not_for_tier": _("Reward of a reservation is for a higher tier"),
    "points_debt": _("Points debt"),
    "own_till": _("Earned at one's own till"),
    "enrolment_burst": _("Unusually many enrolments by one member of staff"),
    "coupon_unknown": _("Order names an unknown coupon"),
    "coupon_not_usable": _("Order used a coupon that could not be used"),
    "tender_without_reservation": _("Order was paid with points that nobody had set aside"),
    "redemption_unfulfilled": _("A reward that was paid for could not be handed over"),
    "gift_to_return": _("Gift of a purchase or tier that was taken back, used already"),
    "order_unclaimed": _("Order of an unknown shopper, not claimed in time"),
    "webhook_disabled": _("A webhook was switched off because its receiver failed"),
    "inbound_unmappable": _("A message from a shop could not be read"),
    "refund_without_order": _("Refund of an order that was never reported"),
}


CALLER_CHECKS: Mapping[str, Promise] = {
    "called_back": _("Called back on the number on file"),
    "code_sent": _("One-time code read back"),
    "card_at_hand": _("Card at hand"),
    "document_seen": _("Document seen"),
    "order_details": _("Answered about an earlier order"),
    "known_in_person": _("Known in person"),
    "not_in_contact": _("Not in contact with the member"),
}


def event(kind: str) -> str:
    """Return what an event means; the kind itself where it is unknown."""
    return str(EVENTS.get(kind, kind))


def details(payload: Mapping[str, object]) -> list[str]:
    """Return what an event's payload says that people can use, the most telling first."""
    told = {key: payload[key] for key in DETAILS if isinstance(payload.get(key), str | int)}
    if told.get("version") == FIRST_VERSION:
        del told["version"]
    return [f"{DETAILS[key]}: {value}" for key, value in told.items() if value != ""]


def purpose(code: str) -> str:
    """Return what a consent is for."""
    return str(CONSENT_PURPOSES.get(code, code))


def case(code: str) -> str:
    """Return what a case is about."""
    return str(CASE_CODES.get(code, code))


def verb(code: str) -> str:
    """Return what can be done to a member's status."""
    return str(VERBS.get(code, code))


def status_reason(code: str) -> str:
    """Return why a member's status was changed."""
    return str(STATUS_REASONS.get(code, code))


def caller_check(code: str) -> str:
    """Return how staff made sure that they spoke with the member."""
    return str(CALLER_CHECKS.get(code, code))
