"""The problem codes of members' endpoints and of keys."""

from django.utils.translation import gettext_lazy as _

CODES = [
    ("member_not_found", 404, _("There is no such member")),
    ("identifier_invalid", 400, _("This is not a valid identifier")),
    ("consent_invalid", 400, _("This is not a valid consent")),
    ("idempotency_key_required", 400, _("This call needs an Idempotency-Key")),
    ("idempotency_key_invalid", 400, _("The Idempotency-Key cannot be used")),
    ("idempotency_key_in_use", 409, _("The first call with this key is still running")),
    ("idempotency_key_reused", 422, _("This key was used for another request")),
]

WEBHOOK_CODES = [
    ("webhook_not_found", 404, _("There is no such webhook")),
    ("webhook_url_invalid", 400, _("This address cannot be called")),
    ("webhook_kind_unknown", 400, _("There are no events of this kind")),
    ("webhook_limit", 409, _("This touchpoint has as many webhooks as it may have")),
    ("webhook_disabled", 409, _("The webhook is switched off")),
]
