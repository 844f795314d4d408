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
    ("member_frozen", 403, _("The member is frozen")),
    ("check_in_day_closed", 422, _("This day cannot be checked in any more")),
]
