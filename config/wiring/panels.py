"""Which parts the apps show on the console's pages."""

from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.panels import Column, EventText, Link, Page, Panel, Place, name_programme, register
from members.admin import agents, case_page, case_rows, desk
from members.admin import panels as members
from members.admin import reports as member_reports
from members.services import approvals, brand
from rewards.admin import (
    adjustment,
    bulk_grants,
    catalogue_panels,
    coupon,
    coupon_forms,
    data_requests,
    exports,
    membership,
    moderation,
    progress,
    redemption_forms,
    service_requests,
    statement,
    uploads,
    warehouse,
)
from rewards.admin import panels as rewards
from rewards.admin import reports as reward_reports
from rewards.services import bulk_grants as bulk_grants_service
from rewards.services import erasing
from rewards.services.adjustment import APPROVAL_KIND
from tiers import pages as tier_pages
from tiers import panels as tiers
from tiers.services import standing

CASE_EVENTS = (
    "opened", "taken", "assigned", "answered", "waiting", "member_answered", "escalated",
    "resolved", "reopened", "closed",
)  # fmt: skip


def install() -> None:
    """Register every panel, button and page, and who carries out which request."""
    _install_dashboard()
    _install_member_page()
    _install_pages()
    _install_desk()
    name_programme(lambda: brand.programme_name(clock.now()))
    approvals.register(
        standing.APPROVAL_KIND,
        approvals.Kind(_("Tier override"), standing.execute_approved, tier_pages.summarise),
    )
    approvals.register(
        APPROVAL_KIND,
        approvals.Kind(_("Points adjustment"), adjustment.execute_approved, adjustment.summarise),
    )
    approvals.register(
        erasing.APPROVAL_KIND,
        approvals.Kind(
            _("Erasure of a member"), erasing.execute_approved, erasing.summarise,
            erasing.effects, erasing.PERMISSION,
        ),
    )  # fmt: skip
    approvals.register(
        bulk_grants_service.APPROVAL_KIND,
        approvals.Kind(
            _("Bulk grant"), bulk_grants.execute_approved, bulk_grants.summarise,
            bulk_grants.effects, bulk_grants_service.APPROVE_PERMISSION,
        ),
    )  # fmt: skip


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
        Page(
            "members/member/<int:member_id>/data/", "data_requests",
            data_requests.data_requests_page,
        ),
        Link(
            "members.data", _("Personal data"), "policy", data_requests.data_requests_address, 90,
            data_requests.PERMISSION,
        ),
        Page("imports/", "imports", uploads.imports_page),
        Page("imports/<int:upload_id>/", "import_file", uploads.import_page),
        Page("imports/<int:upload_id>/rejects/", "import_rejects", uploads.rejects_file),
        Page("bulk-grants/", "bulk_grants", bulk_grants.list_page),
        Page("bulk-grants/<int:bulk_id>/", "bulk_grant", bulk_grants.bulk_page),
        EventText("bulk_grant.given", bulk_grants.event_details),
        Page("exports/", "exports", exports.exports_page),
        Page("exports/<int:export_id>/file/", "export_file", exports.export_file),
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


def _install_desk() -> None:
    register(
        Page("desk/", "desk", desk.desk_page),
        Page("members/member/<int:member_id>/case/", "case_register", desk.register_page),
        Link(
            "members.case", _("New case"), "add_comment", desk.register_address, 5, case_page.WORK
        ),
        Page("members/member/<int:member_id>/agent/", "member_agent", agents.agent_page),
        Link(
            "members.agent", _("Dedicated agent"), "support_agent", agents.agent_address, 50,
            agents.PERMISSION,
        ),
        Page(
            "members/member/<int:member_id>/service-request/", "service_request",
            service_requests.request_page,
        ),
        Page("moderation/", "moderation", moderation.queue_page),
        *(EventText(f"case.{what}", case_rows.event_details) for what in CASE_EVENTS),
        *(
            EventText(f"review.{what}", moderation.event_details)
            for what in ("approved", "rejected", "removed")
        ),
        EventText("member.agent_changed", case_rows.agent_details),
    )  # fmt: skip
