"""The problem codes of the endpoints of messages and feedback."""

from django.utils.translation import gettext_lazy as _

CODES = [
    ("message_not_found", 404, _("There is no such message")),
    ("feedback_not_found", 404, _("There is no such form for the member")),
    ("feedback_closed", 409, _("The form takes no more answers")),
    ("feedback_invalid", 400, _("The answer does not fit the form")),
]
