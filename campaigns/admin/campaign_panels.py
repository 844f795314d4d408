"""What approvals, the start page and the page of a member show of campaigns."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from campaigns import queries
from campaigns.admin.campaigns import VIEW, facets_of, on_board
from campaigns.models import Campaign, CampaignVersion
from campaigns.models.campaign import RUNNING
from config.base.names import name_of
from config.base.panels import Visit
from members.models import Approval
from members.services import drafts
from members.services.approvals import Change


def summarise(approval: Approval) -> str:
    """Return which campaign a request is about, for people."""
    version = _of_request(approval)
    if version is None:
        return gettext("the draft has been thrown away")
    percent = approval.payload["content"]["percent"]
    return f"{name_of(version.campaign)} · v{version.number} · {percent} %"


def effects(approval: Approval) -> Sequence[Change]:
    """Return what publishing a version would change."""
    version = _of_request(approval)
    if version is None:
        return ()
    running = version.campaign.running
    return drafts.changes(facets_of(running) if running else None, facets_of(version))


def address(approval: Approval) -> str:
    """Return where the campaign of a request can be seen."""
    version = _of_request(approval)
    return "" if version is None else reverse("admin:campaign_draft", args=[version.pk])


def _of_request(approval: Approval) -> CampaignVersion | None:
    rows = CampaignVersion.objects.select_related("campaign__running")
    return rows.filter(pk=approval.payload[drafts.SUBJECT]).first()


def running_panel(visit: Visit) -> Mapping[str, Any] | None:
    """Show the campaigns that run on the start page, without automations; nothing where none."""
    rows = Campaign.objects.filter(state__in=RUNNING, is_preset=False).select_related("running")
    found = [on_board(row) for row in rows.order_by("-started_at", "code")[:8]]
    return {"campaigns": found} if found else None


def member_panel(visit: Visit) -> Mapping[str, Any] | None:
    """Show which campaigns a member is in; whether they are held out is nobody's at the desk."""
    found = queries.of_member(visit.subject.pk)
    if not found:
        return None
    rows = [
        {"campaign": row.campaign, "name": name_of(row.campaign), "acts": acts,
         "is_addressed": queries.is_addressed(row), "since": row.entered_at}
        for row, acts in found
    ]  # fmt: skip
    return {"rows": rows, "may_open": visit.may(VIEW)}


def event_details(visit: Visit, payload: Mapping[str, Any]) -> list[str]:
    """Return which campaign gave a member something, for the timeline."""
    known = visit.once(
        "campaign_names", lambda: {row.code: name_of(row) for row in Campaign.objects.all()}
    )
    code = payload.get("campaign", "")
    names = [known[code]] if code in known else []
    points = payload.get("points")
    return [*names, gettext("%(points)s points") % {"points": points}] if points else names
