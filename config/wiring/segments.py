"""Where segments stand in the console."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from campaigns.admin import segments
from config.base.panels import EventText, Page, Panel, Place, Todo, register


def install() -> None:
    """Register the pages of segments, their panel on members' pages, and what waits."""
    register(
        Page("campaigns/segments/", "segments", segments.segments_page),
        Page("campaigns/segments/new/", "segment_add", segments.segment_form_page),
        Page("campaigns/segments/<int:segment_id>/", "segment", segments.segment_page),
        Page(
            "campaigns/segments/<int:segment_id>/change/", "segment_change",
            segments.segment_form_page,
        ),
        Page("campaigns/segments/<int:segment_id>/retire/", "segment_retire", segments.retire_page),
        Page(
            "campaigns/segments/<int:segment_id>/why/<int:member_id>/", "segment_why",
            segments.why_page,
        ),
        Panel(
            "campaigns.segments", Place.MEMBER_PROFILE, "admin/campaigns/segment_panel.html",
            segments.member_panel, 40, segments.SEE_MEMBERS,
        ),
        Todo(
            "segments", _("Segments that have moved far"), "groups", segments.drifting,
            lambda _visit: reverse("admin:segments"), 55, segments.VIEW,
        ),
        Todo(
            "segments_broken", _("Segments whose conditions mean nothing any more"), "group_off",
            segments.broken, lambda _visit: reverse("admin:segments"), 54, segments.VIEW,
        ),
        EventText("segment.entered", segments.event_details),
        EventText("segment.left", segments.event_details),
    )  # fmt: skip
