"""What members showed at tills, and phones that may have changed hands."""

from django.contrib import admin

from config.base.admin.options import ReadOnlyAdmin
from members.models import MemberCode, OneTimePassword, Verification


@admin.register(MemberCode)
class MemberCodeAdmin(ReadOnlyAdmin):
    """Codes that members showed at tills; the codes themselves are not kept."""

    list_display = ("member", "made_at", "expires_at", "used_at")
    list_select_related = ("member",)
    exclude = ("code_hash",)


@admin.register(OneTimePassword)
class OneTimePasswordAdmin(ReadOnlyAdmin):
    """One-time passwords that were sent; the digits themselves are not kept."""

    list_display = ("member", "channel", "made_at", "expires_at", "tries", "used_at")
    list_select_related = ("member",)
    exclude = ("code_hash",)


@admin.register(Verification)
class VerificationAdmin(ReadOnlyAdmin):
    """Phones that may have changed hands; what was sent is not shown."""

    list_display = ("public_id", "member", "touchpoint", "made_at", "resolved_at", "same_person")
    list_select_related = ("member", "touchpoint")
    exclude = ("phone_hash", "wrapped", "sealed")
