"""The pages on which cases are worked on, reviews moderated, refusals noted, members merged."""

from django.utils.translation import gettext_lazy as _

from config.base.admin.reauth import fresh_login_required
from config.base.panels import EventText, Link, Page, Panel, Place, register
from members.admin import agents, case_desk, case_page, case_rows, consents, merge
from members.services import approvals
from rewards.admin import merging, moderation, service_requests
from rewards.services import merging as merges

CASE_EVENTS = (
    "opened", "taken", "assigned", "answered", "waiting", "member_answered", "escalated",
    "resolved", "reopened", "closed",
)  # fmt: skip


def install() -> None:
    """Register the pages, the buttons that lead to them, and what their events say."""
    _install_cases()
    _install_consents()
    _install_merging()


def _install_cases() -> None:
    register(
        Page("cases/", "case_desk", case_desk.desk_page),
        Page("members/member/<int:member_id>/case/", "case_register", case_desk.register_page),
        Link(
            "members.case", _("New case"), "add_comment", case_desk.register_address, 5,
            case_page.WORK,
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


def _install_consents() -> None:
    register(
        Page("members/member/<int:member_id>/consent/", "member_consent", consents.consent_page),
        Link(
            "members.consent", _("Record a consent"), "privacy_tip", consents.consent_address, 45,
            consents.PERMISSION,
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
        Page(
            "members/member/<int:member_id>/merge/", "member_merge",
            fresh_login_required(merging.merge_page),
        ),
        Page(
            "members/member/<int:member_id>/unmerge/", "member_unmerge",
            fresh_login_required(merging.unmerge_page),
        ),
        Link(
            "members.merge", _("Merge"), "merge", merging.merge_address, 50, merging.PERMISSION,
        ),
        Link(
            "members.unmerge", _("Undo merge"), "call_split", merging.unmerge_address, 50,
            merging.PERMISSION,
        ),
    )  # fmt: skip
