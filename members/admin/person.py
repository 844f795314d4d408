"""What is known of the person behind a member; nothing here is readable in full."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from members import words
from members.admin.base import MemberOwnedAdmin
from members.models import (
    AttributeChange,
    Consent,
    DataRequest,
    Identifier,
    MemberKey,
    MemberProfile,
    Suspension,
)


@admin.register(Identifier)
class IdentifierAdmin(MemberOwnedAdmin):
    """Ways to recognise members, by their last digits."""

    list_display = ("kind", "masked", "app", "member_card", "verified_at", "from_at", "ended_at")

    @admin.display(description=_("value"))
    def masked(self, identifier: Identifier) -> str:
        """Return the end of the value, all that the console shows unasked."""
        return f"•••• {identifier.tail4}" if identifier.tail4 else "••••"


@admin.register(Consent)
class ConsentAdmin(MemberOwnedAdmin):
    """What members allowed or refused."""

    list_display = ("member_card", "purpose", "channel", "granted", "text_version", "given_at")


@admin.register(MemberProfile)
class MemberProfileAdmin(MemberOwnedAdmin):
    """What may be counted and searched without reading the person."""

    list_display = ("name_mask", "member_card", "birth_month", "birth_day", "first_purchase_on")


@admin.register(MemberKey)
class MemberKeyAdmin(MemberOwnedAdmin):
    """That a member has a data key; destroying it erases the person."""

    list_display = ("member_card", "master_version")


@admin.register(Suspension)
class SuspensionAdmin(MemberOwnedAdmin):
    """When members were frozen; the member page freezes and unfreezes."""

    list_display = ("member_card", "reason_name", "from_at", "ended_at")

    @admin.display(description=_("reason"))
    def reason_name(self, suspension: Suspension) -> str:
        """Return why the member was frozen."""
        return words.status_reason(suspension.reason)


@admin.register(AttributeChange)
class AttributeChangeAdmin(MemberOwnedAdmin):
    """What became of members' attributes, and when."""

    list_display = ("member_card", "name", "value", "at")


@admin.register(DataRequest)
class DataRequestAdmin(MemberOwnedAdmin):
    """What members asked about their own data; the member page answers it."""

    list_display = ("member_card", "kind", "state", "requested_at", "due_on", "closed_by")
    list_filter = ("state", "kind")
