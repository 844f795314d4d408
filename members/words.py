"""What events, consents and cases say to people."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

EVENTS: Mapping[str, Promise] = {
    "member.enrolled": _("Enrolled"),
    "member.updated": _("Profile changed"),
    "member.frozen": _("Frozen"),
    "member.closed": _("Closed"),
    "member.erased": _("Erased"),
    "member.merged": _("Merged"),
    "identifier.attached": _("Identifier attached"),
    "identifier.ended": _("Identifier ended"),
    "consent.granted": _("Consent given"),
    "consent.withdrawn": _("Consent withdrawn"),
    "consent.changed": _("Consent changed"),
    "order.paid": _("Order paid"),
    "order.received": _("Order received"),
    "order.changed": _("Order changed"),
    "order.cancelled": _("Order cancelled"),
    "order.refunded": _("Order refunded"),
    "interaction.received": _("Interaction received"),
    "points.earned": _("Points earned"),
    "points.changed": _("Points changed"),
    "points.reversed": _("Points clawed back"),
    "points.spent": _("Points spent"),
    "points.expired": _("Points expired"),
    "points.adjusted": _("Points adjusted"),
    "tier.changed": _("Tier changed"),
    "tier.upgraded": _("Tier raised"),
    "tier.downgraded": _("Tier lowered"),
    "tier.renewed": _("Tier renewed"),
    "tier.override": _("Tier set by staff"),
}

CONSENT_PURPOSES: Mapping[str, Promise] = {
    "marketing": _("Marketing messages"),
    "profiling": _("Profiling"),
    "terms": _("Terms of membership"),
    "privacy": _("Privacy policy"),
    "service": _("Service messages"),
}

CASE_CODES: Mapping[str, Promise] = {
    "over_refunded": _("More refunded than bought"),
    "hold_lapsed": _("Reservation had lapsed"),
    "points_debt": _("Points debt"),
    "reservation_not_captured": _("Reservation could not be captured"),
    "gift_used": _("Gift already used"),
}


def event(kind: str) -> str:
    """Return what an event means; the kind itself where it is unknown."""
    return str(EVENTS.get(kind, kind))


def purpose(code: str) -> str:
    """Return what a consent is for."""
    return str(CONSENT_PURPOSES.get(code, code))


def case(code: str) -> str:
    """Return what a case is about."""
    return str(CASE_CODES.get(code, code))
