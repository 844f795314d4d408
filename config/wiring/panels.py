"""Which parts the apps show on the console's pages."""

from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.panels import Column, EventText, Link, Page, Panel, Place, name_programme, register
from members.admin import merge
from members.admin import panels as members
from members.admin import reports as member_reports
from members.services import approvals, brand
from rewards.admin import (
    adjustment,
    catalogue_panels,
    coupon,
    coupon_forms,
    membership,
    merging,
    progress,
    redemption_forms,
    statement,
    warehouse,
)
from rewards.admin import panels as rewards
from rewards.admin import reports as reward_reports
from rewards.services import merging as merges
from rewards.services.adjustment import APPROVAL_KIND
from tiers import pages as tier_pages
from tiers import panels as tiers
from tiers.services import standing


def install() -> None:
    """Register every panel, button and page, and who carries out which request."""
    _install_dashboard()
    _install_member_page()
    _install_pages()
    _install_merging()
    name_programme(lambda: brand.programme_name(clock.now()))
    approvals.register(
        standing.APPROVAL_KIND,
        approvals.Kind(_("Tier override"), standing.execute_approved, tier_pages.summarise),
    )
    approvals.register(
        APPROVAL_KIND,
        approvals.Kind(_("Points adjustment"), adjustment.execute_approved, adjustment.summarise),
    )


def _install_dashboard() -> None:
    register(
        Panel(
            "members.totals", Place.DASHBOARD_FIGURES, "admin/members/totals.html",
            member_reports.totals, 10, "members.view_member",
        ),
        Panel(
            "rewards.totals", Place.DASHBOARD_FIGURES, "admin/rewards/totals.html",
            reward_reports.totals, 20, "rewards.view_pointsaccount",
        ),
        Panel(
            "rewards.monthly", Place.DASHBOARD_CHARTS, "admin/rewards/monthly.html",
            reward_reports.monthly, 10, "rewards.view_entry",
        ),
        Panel(
            "tiers.distribution", Place.DASHBOARD_CHARTS, "admin/tiers/distribution.html",
            tiers.distribution, 20, "tiers.view_standing",
        ),
        Panel(
            "members.enrolment", Place.DASHBOARD_CHARTS, "admin/members/enrolment_panel.html",
            member_reports.enrolment_panel, 30, "members.view_member",
        ),
        Panel(
            "members.open_requests", Place.DASHBOARD_WORK, "admin/members/open_requests.html",
            members.open_requests, 10, "members.view_approval",
        ),
        Panel(
            "rewards.running_out", Place.DASHBOARD_WORK, "admin/rewards/running_out.html",
            catalogue_panels.running_out, 30, "rewards.view_stock",
        ),
        Panel(
            "members.open_cases", Place.DASHBOARD_WORK, "admin/members/open_cases.html",
            members.open_cases, 20, "members.view_case",
        ),
    )  # fmt: skip


def _install_member_page() -> None:
    register(
        Panel("rewards.tier", Place.MEMBER_BADGES, "admin/rewards/tier.html", progress.badge),
        Panel(
            "rewards.figures", Place.MEMBER_FIGURES, "admin/rewards/figures.html",
            rewards.figures, 10, "rewards.view_pointsaccount",
        ),
        Panel(
            "rewards.progress", Place.MEMBER_OVERVIEW, "admin/rewards/progress.html",
            progress.progress, 10, "tiers.view_standing",
        ),
        Panel(
            "rewards.latest", Place.MEMBER_OVERVIEW, "admin/rewards/entries.html",
            rewards.latest, 20, "rewards.view_entry",
        ),
        Panel(
            "tiers.benefits", Place.MEMBER_ASIDE, "admin/tiers/benefits.html",
            progress.benefits, 20, "tiers.view_entitlement",
        ),
        Panel(
            "rewards.expiring", Place.MEMBER_ASIDE, "admin/rewards/expiring.html",
            rewards.expiring, 30, "rewards.view_lot",
        ),
        Panel(
            "members.cases", Place.MEMBER_ASIDE, "admin/members/cases.html",
            members.cases, 40, "members.view_case",
        ),
        Panel(
            "rewards.lots", Place.MEMBER_POINTS, "admin/rewards/lots.html",
            rewards.lots, 10, "rewards.view_lot",
        ),
        Panel(
            "rewards.entries", Place.MEMBER_POINTS, "admin/rewards/entries.html",
            rewards.entries, 20, "rewards.view_entry",
        ),
        Panel(
            "rewards.orders", Place.MEMBER_ORDERS, "admin/rewards/orders.html",
            rewards.orders, 10, "members.view_order",
        ),
        Panel(
            "rewards.coupons", Place.MEMBER_POINTS, "admin/rewards/coupons.html",
            coupon.coupons_panel, 25, "rewards.view_coupon",
        ),
        Panel(
            "rewards.redemptions", Place.MEMBER_POINTS, "admin/rewards/redemptions.html",
            catalogue_panels.redemptions, 30, "rewards.view_redemption",
        ),
        Panel(
            "tiers.history", Place.MEMBER_TIER, "admin/tiers/history.html",
            tiers.history, 10, "tiers.view_standing",
        ),
        Panel(
            "members.timeline", Place.MEMBER_TIMELINE, "admin/members/timeline.html",
            members.timeline, 10, "members.view_memberevent",
        ),
        Panel(
            "members.identifiers", Place.MEMBER_PROFILE, "admin/members/identifiers.html",
            members.identifiers, 10, "members.view_identifier",
        ),
        Panel(
            "members.profile", Place.MEMBER_PROFILE, "admin/members/profile.html",
            members.profile, 20, "members.view_memberprofile",
        ),
        Panel(
            "members.consents", Place.MEMBER_PROFILE, "admin/members/consents.html",
            members.consents, 30, "members.view_consent",
        ),
    )  # fmt: skip


def _install_pages() -> None:
    register(
        Panel(
            "rewards.order", Place.ORDER, "admin/rewards/order_points.html",
            rewards.order_points, 10, "rewards.view_entry",
        ),
        Column("tier", _("tier"), progress.tier_labels, 10, "tiers.view_standing"),
        Column("phone", _("phone"), members.phone_tails, 20, "members.view_identifier"),
        Page(
            "members/member/<int:member_id>/statement/", "points_statement",
            statement.statement_page,
        ),
        Link(
            "rewards.statement", _("Monthly statement"), "description", rewards.statement_address,
            10, statement.PERMISSION,
        ),
        EventText("member.frozen", members.status_details),
        EventText("member.unfrozen", members.status_details),
        EventText("member.closed", members.status_details),
        EventText("tier.changed", tiers.changed_details),
        EventText("tier.override", tiers.override_details),
        Page(
            "rewards/coupons/<int:template_id>/generate/", "coupons_generate",
            coupon_forms.generate_page,
        ),
        Page("rewards/coupons/<int:template_id>/load/", "coupons_load", coupon_forms.load_page),
        Page("rewards/coupon/<int:coupon_id>/revoke/", "coupon_revoke", coupon_forms.revoke_page),
        EventText("coupon.issued", coupon.event_details),
        EventText("coupon.redeemed", coupon.event_details),
        EventText("coupon.returned", coupon.event_details),
        EventText("coupon.revoked", coupon.event_details),
        EventText("tier.lapse_warning", tiers.lapse_details),
        Page("rewards/fulfilment/", "fulfilment", warehouse.fulfilment_page),
        Page(
            "rewards/redemption/<int:redemption_id>/do/<slug:verb>/", "redemption_verb",
            redemption_forms.redemption_page,
        ),
        Page(
            "rewards/reward/<int:reward_id>/stock/", "reward_stock", redemption_forms.stock_page
        ),
        Page("reports/enrolment/", "report_enrolment", member_reports.enrolment_page),
        Page(
            "members/member/<int:member_id>/tier-override/", "tier_override",
            tier_pages.override_page,
        ),
        Page(
            "members/member/<int:member_id>/adjustment/", "points_adjustment",
            adjustment.adjustment_page,
        ),
        Link(
            "rewards.adjustment", _("Adjust points"), "exposure", rewards.adjustment_address, 20,
            adjustment.PERMISSION,
        ),
        Page("members/member/<int:member_id>/status/", "member_status", membership.status_page),
        Link(
            "members.status", _("Freeze or close"), "lock", membership.status_address, 40,
            membership.PERMISSION,
        ),
        Link(
            "tiers.override", _("Tier override"), "person_edit", tiers.override_address, 30,
            tier_pages.PERMISSION,
        ),
    )  # fmt: skip


def _install_merging() -> None:
    approvals.register(
        merges.APPROVAL_KIND,
        approvals.Kind(
            _("Merge"), merges.execute_approved, merging.summarise, permission=merging.PERMISSION
        ),
    )
    register(
        Panel(
            "members.merges", Place.MEMBER_PROFILE, "admin/members/merges.html",
            merge.merges, 40, "members.view_membermerge",
        ),
        Page("members/member/<int:member_id>/merge/", "member_merge", merging.merge_page),
        Page("members/member/<int:member_id>/unmerge/", "member_unmerge", merging.unmerge_page),
        Link(
            "members.merge", _("Merge"), "merge", merging.merge_address, 50, merging.PERMISSION,
        ),
        Link(
            "members.unmerge", _("Undo merge"), "call_split", merging.unmerge_address, 50,
            merging.PERMISSION,
        ),
    )  # fmt: skip
