"""Lists of festivals, of what waits, and of how far the calendar has been gone through."""

from django.contrib import admin

from campaigns.models import Festival, TriggerMark, TriggerOccurrence
from config.base.admin.options import ReadOnlyAdmin


@admin.register(Festival)
class FestivalAdmin(ReadOnlyAdmin):
    """Festivals as they are stored; they are kept on a page of their own."""

    list_display = ("code", "name_zh", "name_en", "is_enabled")
    ordering = ("code",)


@admin.register(TriggerMark)
class TriggerMarkAdmin(ReadOnlyAdmin):
    """Up to when the calendars of campaigns have been gone through."""

    list_display = ("campaign", "done_until")
    list_select_related = ("campaign",)


@admin.register(TriggerOccurrence)
class TriggerOccurrenceAdmin(ReadOnlyAdmin):
    """What waits for its instant, and what never acted."""

    list_display = ("campaign", "member", "key", "acts_at", "state", "reason")
    list_select_related = ("campaign", "member")
    list_filter = ("state",)
