"""Lists of campaigns, their versions, members, budgets and acts; they are worked on elsewhere."""

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import campaign_words
from campaigns.models import (
    Campaign,
    CampaignAct,
    CampaignBudget,
    CampaignMember,
    CampaignVersion,
    GlobalHoldout,
)
from campaigns.services import campaign_drafts
from config.base.admin.decorators import labelled
from config.base.admin.options import ReadOnlyAdmin


@admin.register(Campaign)
class CampaignAdmin(ReadOnlyAdmin):
    """Campaigns as a list; each has a page of its own."""

    list_display = (
        "name_zh",
        "code",
        "state_label",
        "stage_percent",
        "owner",
        "started_at",
        "links",
    )
    list_select_related = ("owner",)
    list_filter = ("state", "is_preset")
    search_fields = ("code", "name_zh", "name_en")
    shown_last = ("links",)

    @labelled(_("state"), campaign_words.COLOURS)
    def state_label(self, campaign: Campaign) -> tuple[str, str]:
        """Return where the campaign stands, with its colour."""
        return campaign.state, campaign.get_state_display()

    @admin.display(description=_("open"))
    def links(self, campaign: Campaign) -> SafeString:
        """Return the way to the campaign's page."""
        address = reverse("admin:campaign", args=[campaign.pk])
        return format_html('<a class="lc-link" href="{}">{}</a>', address, gettext("Page"))


@admin.register(CampaignVersion)
class CampaignVersionAdmin(ReadOnlyAdmin):
    """What campaigns say, version by version."""

    list_display = ("campaign", "number", "state", "published_at", "created_by")
    list_select_related = ("campaign",)
    list_filter = ("state",)


@admin.register(CampaignMember)
class CampaignMemberAdmin(ReadOnlyAdmin):
    """Who is in which campaign, in which arm."""

    list_display = ("campaign", "member", "arm", "variant", "entered_at", "left_at")
    list_select_related = ("campaign", "member")
    list_filter = ("arm",)
    search_fields = ("campaign__code",)


@admin.register(CampaignBudget)
class CampaignBudgetAdmin(ReadOnlyAdmin):
    """What campaigns have given, and what they may."""

    list_display = (
        "campaign", "period", "spent_points", "limit_points", "spent_money", "limit_money",
        "spent_acts", "limit_acts",
    )  # fmt: skip
    list_select_related = ("campaign",)


@admin.register(CampaignAct)
class CampaignActAdmin(ReadOnlyAdmin):
    """What campaigns have given to whom, or why nothing."""

    list_display = (
        "campaign",
        "member",
        "key",
        "at",
        "variant",
        "points",
        "money",
        "why_not",
        "undo",
    )
    list_select_related = ("campaign", "member")
    list_filter = ("campaign",)
    search_fields = ("campaign__code",)

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Offer to take back to whoever may run campaigns."""
        may_run = request.user.has_perm(campaign_drafts.RUN_PERMISSION)
        return [name for name in self.list_display if may_run or name != "undo"]

    @admin.display(description=_("why not"), ordering="skipped")
    def why_not(self, act: CampaignAct) -> str:
        """Return why nothing was given."""
        return campaign_words.skipped(act.skipped)

    @admin.display(description="")
    def undo(self, act: CampaignAct) -> SafeString | str:
        """Return the way to take back what was given."""
        if act.skipped or act.undone_at is not None:
            return ""
        address = reverse("admin:campaign_act_undo", args=[act.pk])
        return format_html('<a class="lc-link" href="{}">{}</a>', address, gettext("Take back"))


@admin.register(GlobalHoldout)
class GlobalHoldoutAdmin(ReadOnlyAdmin):
    """The share of members that no campaign addresses."""

    list_display = ("percent", "reason", "set_by", "set_at")
