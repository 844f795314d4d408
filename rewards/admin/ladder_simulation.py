"""How members would be spread over the tiers of a draft, before it is published."""

from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext

from config.base import clock
from config.base.admin import charts, formats, site
from config.base.errors import DomainError
from config.base.names import name_of
from rewards.services.ladder_simulation import Distribution, simulate
from tiers.models import LadderDraft, Tier
from tiers.panels import colour_class
from tiers.services import ladder_drafts
from tiers.services.ladder_content import rows_of

LOOK: Final = (ladder_drafts.EDIT_PERMISSION, ladder_drafts.PUBLISH_PERMISSION)
NOW_COLOUR: Final = "#94a3b8"
AS_IS_COLOUR: Final = "#6366f1"
DRAFT_COLOUR: Final = "#0d9488"


def simulation_page(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Show members by tier now, under the rules in force, and under a draft.

    Source: TIR-06.
    """
    if not any(request.user.has_perm(permission) for permission in LOOK):
        raise PermissionDenied
    draft = get_object_or_404(LadderDraft, pk=draft_id)
    try:
        found = simulate(draft=rows_of(draft.content).ladder(), at=clock.now())
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect("admin:ladder_draft", draft.pk)
    context = {
        **site.current().each_context(request),
        "title": gettext("Members by tier under “%(draft)s”") % {"draft": draft.name},
        "draft": draft,
        "found": found,
        "all_looked_at": not found.is_sample,
        **_shown(found),
    }
    return TemplateResponse(request, "admin/rewards/ladder_simulation.html", context)


def _shown(found: Distribution) -> dict[str, Any]:
    codes = {*found.now, *found.as_is, *found.drafted}
    tiers = [tier for tier in Tier.objects.order_by("rank") if tier.code in codes]
    columns = (
        (gettext("Now"), found.now, NOW_COLOUR),
        (gettext("Rules in force"), found.as_is, AS_IS_COLOUR),
        (gettext("Draft"), found.drafted, DRAFT_COLOUR),
    )
    series = [
        (name, [counted[tier.code] for tier in tiers], colour) for name, counted, colour in columns
    ]
    return {
        "chart": charts.bars([name_of(tier) for tier in tiers], series),
        "rows": [
            {
                "name": name_of(tier),
                "colour_class": colour_class(tier.rank),
                "now": found.now[tier.code],
                "as_is": found.as_is[tier.code],
                "drafted": found.drafted[tier.code],
                "share": _share(found.drafted[tier.code], found.looked_at),
                "difference": formats.signed(found.drafted[tier.code] - found.as_is[tier.code]),
            }
            for tier in reversed(tiers)
        ],
    }


def _share(part: int, whole: int) -> str:
    return f"{part * 100 / whole:.1f}%" if whole else "–"
