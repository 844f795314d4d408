"""Roles as data: what each may do, and how far it decides alone.

A capability is a named set of permissions, a role a set of capabilities. What is added to the
console gets one line here, and one in docs/roles.md, which a test holds against this table.
Source: STF-08, STF-02, ORG-01.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from config.wiring.capabilities import CAPABILITIES
from members.models import RoleAuthority
from members.services.authority import Limits

NOTHING_ALONE: Final = Limits()


@dataclass(frozen=True, slots=True)
class Role:
    """A ready group. Its limits are those of everybody in it who has none of their own."""

    code: str
    name_zh: str
    name_en: str
    capabilities: tuple[str, ...]
    limits: Limits = NOTHING_ALONE

    @property
    def permissions(self) -> frozenset[str]:
        """Return what the role may do, as permissions."""
        return frozenset().union(*(CAPABILITIES[code].permissions for code in self.capabilities))


_SERVICE: Final = (
    "see_members", "see_orders", "see_points", "see_gifts", "see_tiers", "see_catalogue",
    "see_cases", "see_segments", "see_who_is_in", "see_value", "see_requests", "see_service_acts",
    "see_sent", "adjust_points", "work_cases",
    "give_goodwill", "reveal", "change_contacts", "record_consents", "claim_purchases",
    "see_prospects", "forget_prospects",
)  # fmt: skip

ROLES: Final = (
    Role(
        "programme_manager", "会员计划负责人", "Programme manager",
        (
            "see_members", "see_orders", "see_points", "see_gifts", "see_tiers", "see_catalogue",
            "see_programme", "see_cases", "see_requests", "see_organisation", "see_staff",
            "see_league", "see_requests_of_members", "keep_rules", "publish_rules", "keep_ladder",
            "publish_ladders",
            "keep_service", "decide_adjustments", "decide_overrides", "agree_to_erase",
            "export_lists", "see_figures", "see_reports", "keep_goals", "keep_unit_cost",
            "see_month_end", "keep_recipients", "send_reports", "see_bulk_grants",
            "approve_bulk_grants", "see_segments", "see_who_is_in", "keep_segments", "see_value",
            "keep_value_policy", "see_referrals", "approve_referrals", "approve_payouts",
            "see_feedback", "see_feedback_texts", "keep_feedback", "export_feedback",
            "see_campaigns", "see_addressed", "see_messages", "keep_campaigns",
            "publish_campaigns", "run_campaigns", "set_holdout", "publish_messages",
            "keep_delivery", "keep_festivals",
            "see_prospects", "keep_offers", "approve_offers", "run_offers",
        ),
    ),
    Role(
        "benefits_operator", "权益运营", "Benefits operator",
        (
            "see_members", "see_gifts", "see_tiers", "see_catalogue", "see_programme",
            "see_figures", "see_requests", "keep_rules", "moderate", "keep_catalogue",
            "keep_coupons", "fulfil",
            "keep_plans", "see_bulk_grants", "grant_in_bulk", "keep_benefits",
            "see_segments", "see_who_is_in", "see_value", "see_referrals",
            "keep_referrals", "moderate_referrals",
            "see_feedback", "see_feedback_texts",
            "see_campaigns", "see_addressed", "see_messages", "keep_campaigns",
            "run_campaigns", "see_prospects", "keep_offers", "run_offers",
        ),
    ),
    Role(
        "data", "数据支撑", "Data",
        (
            "see_members", "see_orders", "see_points", "see_gifts", "see_tiers", "see_catalogue",
            "see_programme", "see_connections", "see_figures", "see_reports", "send_reports",
            "keep_connections", "import_files", "export_lists", "see_segments", "see_who_is_in",
            "keep_segments", "keep_attributes", "see_value",
            "see_feedback", "export_feedback",
            "see_campaigns", "see_addressed", "see_messages", "set_holdout",
            "see_prospects", "keep_prospects",
        ),
    ),
    Role(
        "member_communication", "客户沟通", "Member communication",
        (
            "see_members", "see_tiers", "see_catalogue", "see_programme", "keep_brand",
            "see_segments", "see_value",
            "see_feedback", "see_feedback_texts", "keep_feedback",
            "see_campaigns", "see_addressed", "see_messages", "write_messages",
            "retry_messages", "keep_festivals", "see_prospects",
        ),
    ),
    Role(
        "coordination", "跨部门协同", "Coordination",
        ("see_catalogue", "see_cases", "see_figures", "see_organisation", "keep_organisation",
         "see_campaigns", "see_feedback"),
    ),
    Role(
        "campaign_approver", "营销活动审批", "Campaign approver",
        (
            "see_catalogue", "see_programme", "see_requests", "publish_rules", "decide_requests",
            "publish_ladders", "see_bulk_grants", "approve_bulk_grants", "see_segments",
            "see_referrals", "approve_referrals", "approve_payouts",
            "see_feedback",
            "see_campaigns", "see_addressed", "see_messages", "publish_campaigns",
            "publish_messages", "see_prospects", "approve_offers",
        ),
    ),
    Role("service_agent", "客服专员", "Service agent", _SERVICE, Limits(500, 2_000, 1_000)),
    Role(
        "service_lead", "客服主管", "Service lead",
        (
            *_SERVICE, "see_figures", "see_league", "see_requests_of_members",
            "assign_cases", "keep_service",
            "merge_members", "move_orders", "see_colleagues", "unlock", "remove_factors",
            "moderate", "answer_data_requests", "agree_to_erase", "freeze_members",
            "see_referrals", "moderate_referrals", "reveal_prospects",
            "ask_override", "end_override",
            "decide_adjustments", "release_own_till",
            "retry_messages",
        ),
        Limits(5_000, 20_000, 10_000),
    ),
    Role(
        "store_manager", "门店店长", "Store manager",
        ("see_members", "see_orders", "see_points", "see_tiers", "see_organisation", "see_league",
         "see_value"),
    ),
    Role(
        "finance", "财务", "Finance",
        (
            "see_orders", "see_points", "see_gifts", "see_catalogue", "see_programme",
            "see_figures", "see_reports", "see_service_acts", "see_month_end", "export_months",
            "see_referrals", "pay_payouts", "see_campaigns",
        ),
    ),
    Role(
        "auditor", "审计", "Auditor",
        tuple(code for code in CAPABILITIES if code.startswith("see_")),
    ),
)  # fmt: skip

BY_CODE: Final = {role.code: role for role in ROLES}


@transaction.atomic
def make_missing() -> list[str]:
    """Make the groups of roles that are not there yet; return their codes.

    What somebody has changed about a group stays.
    """
    known = set(Group.objects.filter(name__in=BY_CODE).values_list("name", flat=True))
    missing = [role for role in ROLES if role.code not in known]
    _write(missing)
    return [role.code for role in missing]


@transaction.atomic
def reset() -> None:
    """Make the groups of all roles, and bring their permissions to this table.

    Limits that somebody has set stay.
    """
    _write(ROLES)


def _write(roles: Iterable[Role]) -> None:
    wanted = list(roles)
    if not wanted:
        return
    rows = Permission.objects.select_related("content_type")
    ids = {f"{row.content_type.app_label}.{row.codename}": row.pk for row in rows}
    unknown = frozenset().union(*(role.permissions for role in wanted)) - ids.keys()
    if unknown:
        raise ImproperlyConfigured(f"roles name unknown permissions: {sorted(unknown)}")
    for role in wanted:
        group, _made = Group.objects.get_or_create(name=role.code)
        group.permissions.set([ids[name] for name in sorted(role.permissions)])
        limits = role.limits
        RoleAuthority.objects.get_or_create(
            group=group,
            defaults={
                "adjustment_limit_points": limits.call,
                "adjustment_daily_limit_points": limits.day,
                "adjustment_member_month_limit_points": limits.member_month,
            },
        )


def table() -> str:
    """Return the tables of docs/roles.md: who may do what, how far, and what that takes."""
    return "\n".join([*_of_roles(), "", *_of_capabilities(), "", *_of_permissions(), ""])


def _of_roles() -> Iterable[str]:
    yield "| role | 角色 | | points a time | a day | a member and month |"
    yield "|---|---|---|---|---|---|"
    for role in ROLES:
        limits = role.limits
        yield (
            f"| `{role.code}` | {role.name_zh} | {role.name_en} | {limits.call:,} | {limits.day:,} "
            f"| {limits.member_month:,} |"
        )


def _of_capabilities() -> Iterable[str]:
    yield "| may | 权限 | " + " | ".join(f"`{role.code}`" for role in ROLES) + " |"
    yield "|---|---|" + ":-:|" * len(ROLES)
    for each in CAPABILITIES.values():
        marks = ("×" if each.code in role.capabilities else "" for role in ROLES)
        yield f"| {each.name_en} | {each.name_zh} | " + " | ".join(marks) + " |"


def _of_permissions() -> Iterable[str]:
    yield "| may | takes the permissions |"
    yield "|---|---|"
    for each in CAPABILITIES.values():
        names = ", ".join(f"`{name}`" for name in sorted(each.permissions))
        yield f"| {each.name_en} | {names} |"
