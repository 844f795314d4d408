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
    ("token_not_accepted", 403, _("Member tokens are not accepted here")),
    ("token_other_member", 403, _("The token is of another member")),
    ("token_scopes_refused", 403, _("A member token cannot have these scopes")),
    ("member_frozen", 403, _("The member is frozen")),
    ("member_not_active", 403, _("The member is not active")),
    ("presence_required", 403, _("Show that the member is there")),
    ("member_code_invalid", 403, _("The member code does not hold")),
    ("otp_invalid", 403, _("The one-time password does not hold")),
    ("otp_no_channel", 409, _("There is no way to send a one-time password")),
    ("otp_too_many", 429, _("Too many one-time passwords today")),
    ("otp_not_sent", 503, _("The one-time password could not be sent")),
    ("verification_not_found", 404, _("There is no such verification")),
    ("verification_closed", 409, _("The verification is over")),
]

CASE_CODES = [
    ("case_title_needed", 400, _("Say in one line what the case is about")),
]

WEBHOOK_CODES = [
    ("webhook_not_found", 404, _("There is no such webhook")),
    ("webhook_url_invalid", 400, _("This address cannot be called")),
    ("webhook_kind_unknown", 400, _("There are no events of this kind")),
    ("webhook_limit", 409, _("This touchpoint has as many webhooks as it may have")),
    ("webhook_disabled", 409, _("The webhook is switched off")),
]
