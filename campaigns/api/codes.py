"""The problem codes of messages' endpoints."""

from django.utils.translation import gettext_lazy as _

CODES = [
    ("message_not_found", 404, _("There is no such message")),
]
