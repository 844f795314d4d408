"""How the console looks and what its menu holds."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


def _may(*permissions: str) -> Callable[[HttpRequest], bool]:
    return lambda request: any(request.user.has_perm(each) for each in permissions)


def _list(title: "str | Promise", icon: str, model: str, permission: str = "") -> dict[str, Any]:
    app, name = model.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": _may(permission or f"{app}.view_{name}"),
    }


def _page(
    title: "str | Promise", icon: str, permission: str, name: str, *arguments: str
) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{name}", args=arguments),
        "permission": _may(permission),
    }


NAVIGATION = [
    {
        "items": [
            {"title": _("Today"), "icon": "today", "link": reverse_lazy("admin:index")},
            {
                "title": _("Service desk"),
                "icon": "headset_mic",
                "link": reverse_lazy("admin:desk"),
                "permission": _may("members.view_member"),
            },
        ],
    },
    {
        "title": _("Members"),
        "separator": True,
        "items": [
            _list(_("Members"), "group", "members.member"),
            _list(_("Merges"), "merge", "members.membermerge"),
            _list(_("Orders"), "receipt_long", "members.order"),
            _list(_("Interactions"), "forum", "members.interaction"),
            {
                "title": _("Case desk"),
                "icon": "support_agent",
                "link": reverse_lazy("admin:case_desk"),
                "permission": _may("members.view_case"),
            },
            _list(_("Cases"), "inbox_customize", "members.case"),
            {
                "title": _("Moderation"),
                "icon": "rate_review",
                "link": reverse_lazy("admin:moderation"),
                "permission": _may("members.moderate"),
            },
            {
                "title": _("Approvals"),
                "icon": "approval_delegation",
                "link": reverse_lazy("admin:approvals_inbox"),
                "permission": "members.admin.inbox.may_open",
                "badge": "members.admin.inbox.count_badge",
            },
        ],
    },
    {
        "title": _("Points"),
        "separator": True,
        "items": [
            _list(_("Points accounts"), "account_balance_wallet", "rewards.pointsaccount"),
            _list(_("Entries"), "swap_horiz", "rewards.entry"),
            _list(_("Reservations"), "lock_clock", "rewards.reservation"),
            _list(_("Earning rules"), "rule", "rewards.rule"),
            _list(_("Points policies"), "policy", "rewards.pointspolicy"),
        ],
    },
    {
        "title": _("Rewards"),
        "separator": True,
        "items": [
            _list(_("Rewards"), "redeem", "rewards.reward"),
            _list(_("Stocks"), "inventory_2", "rewards.stock"),
            _list(_("Redemptions"), "local_shipping", "rewards.redemption"),
            _page(_("Fulfilment list"), "package_2", "rewards.change_redemption", "fulfilment"),
            _list(_("Coupon templates"), "sell", "rewards.coupontemplate"),
            _list(_("Coupons"), "confirmation_number", "rewards.coupon"),
            _list(_("Grant rules"), "featured_seasonal_and_gifts", "rewards.grantrule"),
            _list(_("Grants"), "card_giftcard", "rewards.grant"),
            {
                "title": _("Bulk grants"),
                "icon": "playlist_add_check",
                "link": reverse_lazy("admin:bulk_grants"),
                "permission": _may("rewards.add_bulkgrant", "rewards.approve_bulkgrant"),
            },
        ],
    },
    {
        "title": _("Tiers"),
        "separator": True,
        "items": [
            _list(_("Tiers"), "workspace_premium", "tiers.tier"),
            _list(_("Ladder versions"), "stairs", "tiers.ladderversion"),
            _list(_("Ladder drafts"), "edit_note", "tiers.ladderdraft"),
            _list(_("Standings"), "military_tech", "tiers.standing"),
            _list(_("Tier overrides"), "person_edit", "tiers.standingoverride"),
            _list(_("Benefits"), "volunteer_activism", "tiers.benefit"),
            {
                "title": _("Benefits by tier"),
                "icon": "table_chart",
                "link": reverse_lazy("admin:benefit_matrix"),
                "permission": _may("tiers.add_tierbenefit", "tiers.publish_ladder"),
            },
            _list(_("Tier benefits"), "checklist", "tiers.tierbenefit"),
            _list(_("Entitlements"), "verified", "tiers.entitlement"),
            _list(_("Paid memberships"), "card_membership", "tiers.paidmembership"),
        ],
    },
    {
        "title": _("Campaigns"),
        "separator": True,
        "items": [
            _page(_("Campaigns"), "campaign", "campaigns.view_campaign", "campaign_board"),
            _page(_("Automations"), "bolt", "campaigns.view_campaign", "automations"),
            _page(_("Segments"), "groups", "members.view_segment", "segments"),
            _page(_("Messages"), "outgoing_mail", "campaigns.view_message", "messages"),
            _page(
                _("Content library"),
                "photo_library",
                "campaigns.view_contentasset",
                "content_library",
            ),
            _page(_("Festivals"), "celebration", "campaigns.view_festival", "festivals"),
            _list(_("Feedback forms"), "rate_review", "campaigns.feedbackform"),
            _list(_("Acts of campaigns"), "history", "campaigns.campaignact"),
            _list(_("Occurrences of triggers"), "pending_actions", "campaigns.triggeroccurrence"),
            _list(_("Campaign budgets"), "savings", "campaigns.campaignbudget"),
        ],
    },
    {
        "title": _("Prospects"),
        "separator": True,
        "items": [
            _list(_("Prospects"), "person_add", "members.prospect"),
            _list(_("Offers to prospects"), "local_activity", "campaigns.prospectoffer"),
        ],
    },
    {
        "title": _("Referral"),
        "separator": True,
        "items": [
            _list(_("Referrals"), "group_add", "campaigns.referral"),
            _page(
                _("Referrals to check"),
                "person_search",
                "campaigns.moderate_referral",
                "referral_queue",
            ),
            {
                "title": _("Payouts"),
                "icon": "payments",
                "link": reverse_lazy("admin:payout_queue"),
                "permission": _may(
                    "campaigns.view_payout", "campaigns.approve_payout", "campaigns.pay_payout"
                ),
            },
            _list(_("Referral programme"), "handshake", "campaigns.referralprogramme"),
        ],
    },
    {
        "title": _("Reports"),
        "separator": True,
        "items": [
            _page(
                _("Dashboards"), "monitoring", "campaigns.view_metricvalue", "dashboard", "members"
            ),
            _page(_("Customer value"), "diamond", "members.view_memberinsight", "customer_value"),
            _page(_("Goals"), "flag", "campaigns.view_goal", "goals"),
            _page(_("Month end"), "account_balance", "campaigns.view_monthend", "month_end"),
            _list(_("Weekly and monthly reports"), "summarize", "campaigns.report"),
            _list(_("Report recipients"), "outgoing_mail", "campaigns.reportrecipient"),
            _page(
                _("Enrolment by channel"), "bar_chart", "members.view_member", "report_enrolment"
            ),
            {
                "title": _("Enrolments by staff"),
                "icon": "leaderboard",
                "link": reverse_lazy("admin:report_league"),
                "permission": _may("members.view_league_table"),
            },
        ],
    },
    {
        "title": _("Data"),
        "separator": True,
        "items": [
            {
                "title": _("Import files"),
                "icon": "upload_file",
                "link": reverse_lazy("admin:imports"),
                "permission": _may("rewards.add_upload"),
            },
            {
                "title": _("Export lists"),
                "icon": "download",
                "link": reverse_lazy("admin:exports"),
                "permission": _may("rewards.add_export"),
            },
            _list(_("Exports so far"), "outbound", "rewards.export"),
        ],
    },
    {
        "title": _("Connections"),
        "separator": True,
        "collapsible": True,
        "items": [
            _list(_("Touchpoints"), "point_of_sale", "members.touchpoint"),
            _list(_("API keys"), "key", "members.apikey"),
            _list(_("Stores"), "storefront", "members.store"),
            _list(_("Organisation"), "account_tree", "members.orgunit"),
            _list(_("Received facts"), "inbox", "members.receivedfact"),
            _list(_("Event log"), "history", "members.memberevent"),
            _list(_("Event deliveries"), "outbox", "members.eventdelivery"),
            _list(_("Webhooks"), "webhook", "members.webhook"),
            _list(_("Webhook deliveries"), "send", "members.webhookdelivery"),
            _list(_("Shop connections"), "shopping_bag", "rewards.inboundhook"),
            _list(_("Messages from shops"), "move_to_inbox", "rewards.inbounddelivery"),
            _list(_("Imports"), "upload_file", "rewards.importjob"),
        ],
    },
    {
        "title": _("Administration"),
        "separator": True,
        "collapsible": True,
        "items": [
            _list(_("Staff"), "badge", "auth.user"),
            _list(_("Groups"), "groups", "auth.group"),
            _list(_("Staff authorities"), "verified_user", "members.staffauthority"),
            _list(_("Service policies"), "timer", "members.servicepolicy"),
            _list(_("Service hours"), "schedule", "members.servicehours"),
            _list(_("Special days"), "event_busy", "members.specialday"),
            _list(_("Member attributes"), "label", "members.attributedefinition"),
            _list(_("Interaction kinds"), "category", "members.interactionkind"),
            _list(_("Authorities of roles"), "shield_person", "members.roleauthority"),
            _list(_("Staff acts"), "policy", "config.staffact"),
            _list(_("Role safety"), "shield_lock", "config.rolesafety"),
            _list(_("Wrong passwords"), "lock_person", "axes.accessattempt"),
            _list(_("Brand"), "palette", "members.brand"),
            _list(_("Scheduled work"), "schedule", "django_celery_beat.periodictask"),
            _list(_("Job runs"), "task", "config.jobrun"),
        ],
    },
]

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": _("Loyalty console"),
    "SITE_HEADER": _("Loyalty console"),
    "SITE_SUBHEADER": _("Members, tiers and points"),
    "SITE_SYMBOL": "loyalty",
    "SITE_URL": None,
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "SHOW_LANGUAGES": True,
    "BORDER_RADIUS": "8px",
    "STYLES": [lambda request: static("console/console.css")],
    "ACCOUNT": {
        "navigation": [
            {"title": _("Second factors"), "link": reverse_lazy("console_second_factors")},
        ],
    },
    # Members are looked for at the service desk: what is typed here would stand in addresses.
    "COMMAND": {"search_models": [], "show_history": False},
    "SIDEBAR": {
        "show_search": False,
        "command_search": True,
        "show_all_applications": False,
        "navigation": NAVIGATION,
    },
    "COLORS": {
        "primary": {
            "50": "#f0fdfa", "100": "#ccfbf1", "200": "#99f6e4", "300": "#5eead4",
            "400": "#2dd4bf", "500": "#14b8a6", "600": "#0b7c73", "700": "#0f766e",
            "800": "#115e59", "900": "#134e4a", "950": "#042f2e",
        },
    },
}  # fmt: skip
