"""The problem codes of the endpoints of messages, prospects and feedback."""

from django.utils.translation import gettext_lazy as _

CODES = [
    ("message_not_found", 404, _("There is no such message")),
    ("prospect_contact_required", 400, _("A prospect needs one phone, one e-mail, or both")),
    ("prospect_interest_invalid", 400, _("An interest has a kind and a code")),
    ("prospect_consent_purpose", 400, _("Prospects are asked about marketing only")),
    ("feedback_not_found", 404, _("There is no such form for the member")),
    ("feedback_closed", 409, _("The form takes no more answers")),
    ("feedback_invalid", 400, _("The answer does not fit the form")),
]
