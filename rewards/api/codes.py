"""The problem codes of enrolment, facts and points."""

from django.utils.translation import gettext_lazy as _

CODES = [
    ("enrolment_invalid", 400, _("This cannot be enrolled")),
    ("identifiers_conflict", 409, _("These identifiers belong to different members")),
    ("ladder_missing", 503, _("The programme has not been set up")),
    ("programme_missing", 503, _("The programme has not been set up")),
    ("source_not_owned", 403, _("This source belongs to another touchpoint")),
    ("placed_in_future", 422, _("The fact lies in the future")),
    ("currency_not_accepted", 422, _("Only the programme's currency is taken")),
    ("identifier_unknown", 404, _("The identifier leads to nobody")),
    ("fact_conflict", 409, _("The same reference was sent before with other content")),
    ("order_identity_changed", 409, _("When and in which currency an order was placed stays")),
    ("order_not_found", 404, _("There is no such order")),
    ("entry_not_found", 404, _("There is no such entry")),
    ("insufficient_points", 409, _("Not enough points")),
    ("points_debt", 409, _("Points are owed; none can be spent")),
    ("order_already_claimed", 409, _("The order has a member already")),
    ("claim_too_late", 409, _("The order is too old to be claimed")),
    ("adjustment_over_limit", 403, _("More points than may be adjusted without approval")),
    ("member_frozen", 403, _("The member is frozen")),
    ("member_not_active", 403, _("The member is not active")),
    ("reward_not_found", 404, _("There is no such reward")),
    ("slot_not_found", 404, _("The reward has no such slot")),
    ("reward_not_listed", 409, _("The reward is not in the catalogue")),
    ("reward_not_yet_available", 409, _("The reward is not available yet")),
    ("reward_over", 409, _("The reward is no longer available")),
    ("reward_not_for_tier", 403, _("The reward is for a higher tier")),
    ("reward_conditions_not_met", 403, _("The reward is for other members")),
    ("reward_member_limit", 409, _("The member has had as many of this reward as allowed")),
    ("reward_total_limit", 409, _("As many of this reward as planned have been taken")),
    ("out_of_stock", 409, _("The reward is out of stock")),
    ("slot_required", 400, _("The reward needs a slot")),
    ("slot_over", 409, _("The slot is over or called off")),
    ("address_required", 400, _("The reward needs an address")),
    ("redemption_not_found", 404, _("There is no such redemption")),
    ("redemption_not_cancellable", 409, _("The redemption can no longer be cancelled")),
    ("reservation_empty", 400, _("A reservation sets something aside")),
    ("reservation_not_found", 404, _("There is no such reservation")),
    ("reservation_closed", 409, _("The reservation is closed")),
    ("reservation_lapsed", 409, _("The reservation has lapsed")),
]

INBOUND_CODES = [
    ("inbound_unknown", 404, _("No shop is connected here")),
    ("signature_invalid", 401, _("The signature is missing, wrong or too old")),
    ("inbound_envelope_invalid", 400, _("The message has no id or no topic")),
    ("inbound_differs", 409, _("The same id was used for another message")),
]

PROGRAMME_CODES = [
    ("programme_version_unknown", 404, _("The programme has no such version")),
]
