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

from members.models import RoleAuthority
from members.services.authority import Limits

NOTHING_ALONE: Final = Limits()


@dataclass(frozen=True, slots=True)
class Capability:
    """Something that a role may do: the permissions that it takes, no more."""

    code: str
    name_zh: str
    name_en: str
    permissions: frozenset[str]


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


def _look(code: str, name_zh: str, name_en: str, app_models: str) -> Capability:
    """Return the capability to look at models, given as "app: model model; app: model"."""
    permissions = {
        f"{app.strip()}.view_{model}"
        for app, _colon, models in (part.partition(":") for part in app_models.split(";"))
        for model in models.split()
    }
    return Capability(code, name_zh, name_en, frozenset(permissions))


def _act(code: str, name_zh: str, name_en: str, permissions: str) -> Capability:
    return Capability(code, name_zh, name_en, frozenset(permissions.split()))


_ALL: Final = (
    _look("see_members", "查看会员", "Look at members",
          "members: member memberprofile identifier consent memberevent suspension attributechange"
          " verification interaction interactionkind"),
    _look("see_orders", "查看订单", "Look at orders", "members: order orderline refund store"),
    _look("see_points", "查看积分", "Look at points",
          "rewards: pointsaccount entry lot lotuse reservation evaluation"),
    _look("see_gifts", "查看会员礼品与券", "Look at what members have got",
          "rewards: redemption coupon couponuse grant"),
    _look("see_bulk_grants", "查看批量发放", "Look at bulk grants",
          "rewards: bulkgrant bulkgrantline"),
    _look("see_tiers", "查看等级与权益", "Look at tiers and benefits of members",
          "tiers: standing standingoverride entitlement entitlementperiod entitlementuse"
          " paidmembership lapsewarning progressentry"),
    _look("see_catalogue", "查看礼品、券模板与权益目录", "Look at rewards, templates and benefits",
          "rewards: reward rewardaccess rewardslot stock stockmovement coupontemplate couponbatch"
          " grantrule grantruleversion grantstep giftitem; tiers: benefit tierbenefit"
          " membershipplan"),
    _look("see_programme", "查看规则与等级体系", "Look at rules and ladders",
          "rewards: rule ruleversion pointspolicy; tiers: tier ladderversion ladderdraft tierterm"
          " qualificationrule ladderrollout benefitrollout; members: brand"),
    _look("see_segments", "查看人群", "Look at segments",
          "members: segment segmentday attributedefinition"),
    _look("see_who_is_in", "查看人群成员", "Look at who is in segments",
          "members: segmentmembership"),
    _look("see_cases", "查看工单", "Look at cases",
          "members: case casenote moderation servicepolicy servicehours specialday"),
    _look("see_requests_of_members", "查看个人信息请求", "Look at requests about personal data",
          "members: datarequest"),
    _look("see_requests", "查看审批", "Look at requests", "members: approval"),
    _look("see_organisation", "查看组织与门店", "Look at units and stores",
          "members: store orgunit"),
    _look("see_staff", "查看员工与权限", "Look at staff and their limits",
          "members: staffauthority roleauthority; rewards: staffbudget; auth: user group"),
    _look("see_colleagues", "查看同事账号", "Look at colleagues' accounts", "auth: user"),
    _look("see_connections", "查看触点与数据接入", "Look at connections",
          "members: touchpoint source apikey receivedfact eventdelivery subscription webhook"
          " webhookdelivery; rewards: inboundhook inbounddelivery importjob adjustmentbudget"
          " couponmisses upload export; config: jobrun heartbeat programmeclock;"
          " django_celery_beat: periodictask"),
    _look("see_machinery", "查看系统内部数据", "Look at inner workings",
          "members: insightmark memberkey membercode onetimepassword idempotencykey;"
          " rewards: foldsnapshot grantcalendar rewardcode;"
          " django_celery_beat: intervalschedule crontabschedule solarschedule clockedschedule"),
    _look("see_figures", "查看数据看板与目标", "Look at dashboards and goals",
          "campaigns: metricvalue goal"),
    _look("see_referrals", "查看推荐", "Look at referrals and payouts",
          "campaigns: referralprogramme referralcode referral payout"),
    _look("see_reports", "查看周报月报", "Look at weekly and monthly reports",
          "campaigns: report reportdelivery reportrecipient"),
    _look("see_month_end", "查看月结", "Look at the month end", "campaigns: monthend unitcost"),
    _look("see_service_acts", "查看客服处理记录", "Look at goodwill, moved orders and reveals",
          "members: ordermove revealcount membermerge; rewards: goodwill mergedlot"),
    _look("see_staff_acts", "查看员工操作记录", "Look at what staff have done",
          "config: staffact staffactanchor staffacthead rolesafety recoverysheet;"
          " axes: accessattempt"),
    _act("see_league", "查看招募排行", "Look at who enrolled how many",
         "members.view_league_table"),
    _act("keep_rules", "维护积分规则", "Keep earning rules",
         "rewards.add_rule rewards.change_rule rewards.add_ruleversion rewards.change_ruleversion"
         " rewards.add_pointspolicy rewards.change_pointspolicy"),
    _act("publish_rules", "发布积分规则", "Publish and end earning rules", "rewards.publish_rule"),
    _act("keep_ladder", "维护等级体系", "Keep the ladder",
         "tiers.add_ladderversion"),
    _act("keep_benefits", "维护等级权益", "Ask for what tiers give", "tiers.add_tierbenefit"),
    _act("publish_ladders", "发布等级体系", "Publish versions of the ladder",
         "tiers.publish_ladder"),
    _look("see_value", "查看客户价值", "Look at customer value",
          "members: memberinsight valuescore stageday insightpolicy"),
    _act("keep_value_policy", "维护客户价值口径", "Set what customer value goes by",
         "members.add_insightpolicy"),
    _act("keep_segments", "维护人群", "Keep segments",
         "members.add_segment members.change_segment"),
    _act("keep_attributes", "维护会员属性", "Declare attributes of members",
         "members.add_attributedefinition members.change_attributedefinition"),
    _act("keep_catalogue", "维护礼品与库存", "Keep rewards and stock",
         "rewards.add_reward rewards.change_reward rewards.change_stock"),
    _act("keep_coupons", "维护券", "Keep coupons",
         "rewards.add_coupontemplate rewards.change_coupontemplate rewards.add_couponbatch"
         " rewards.change_coupon"),
    _act("grant_in_bulk", "按名单批量发放", "Ask for bulk grants", "rewards.add_bulkgrant"),
    _act("approve_bulk_grants", "审批批量发放", "Approve bulk grants",
         "rewards.approve_bulkgrant"),
    _act("fulfil", "处理兑换", "Handle redemptions", "rewards.change_redemption"),
    _act("keep_plans", "维护付费会员方案", "Keep membership plans",
         "tiers.add_membershipplan tiers.change_membershipplan"),
    _act("keep_brand", "维护品牌与对客文案", "Keep the brand", "members.add_brand"),
    _act("keep_connections", "维护触点与数据接入", "Keep connections",
         "members.change_touchpoint members.add_interactionkind members.change_interactionkind"
         " members.change_webhook rewards.change_inboundhook rewards.change_inbounddelivery"),
    _act("keep_organisation", "维护组织与门店", "Keep units and stores",
         "members.add_store members.change_store members.add_orgunit members.change_orgunit"),
    _act("adjust_points", "限额内调整积分", "Adjust points within limits",
         "rewards.add_entry members.add_approval"),
    _act("work_cases", "处理工单", "Work on cases", "members.work_case"),
    _act("give_goodwill", "给予安抚补偿", "Give goodwill", "rewards.give_goodwill"),
    _act("reveal", "查看明文", "Look at personal data in clear", "members.reveal_member"),
    _act("change_contacts", "换绑手机号与换卡", "Change phones and cards",
         "members.change_contact_member"),
    _act("claim_purchases", "补登积分", "Claim missed purchases", "members.change_order"),
    _act("merge_members", "合并会员", "Merge members and undo merges", "members.merge_member"),
    _act("move_orders", "转移订单", "Move orders between members", "members.move_order"),
    _act("unlock", "解除登录锁定", "Unlock who was locked out",
         "axes.view_accessattempt axes.delete_accessattempt"),
    _act("remove_factors", "移除同事的两步验证", "Remove second factors of colleagues",
         "otp_totp.delete_totpdevice"),
    _act("assign_cases", "分派工单与专属客服", "Assign cases and dedicated agents",
         "members.assign_case members.assign_account_manager"),
    _act("keep_service", "维护服务标准", "Keep service policies and hours",
         "members.add_servicepolicy members.change_servicepolicy members.delete_servicepolicy"
         " members.add_servicehours members.change_servicehours members.delete_servicehours"
         " members.add_specialday members.change_specialday members.delete_specialday"),
    _act("keep_goals", "维护目标", "Keep goals", "campaigns.add_goal campaigns.change_goal"),
    _act("keep_recipients", "维护报表收件人", "Keep recipients of reports",
         "campaigns.add_reportrecipient campaigns.change_reportrecipient"
         " campaigns.delete_reportrecipient"),
    _act("keep_referrals", "维护推荐有礼", "Ask for terms of referrals",
         "campaigns.add_referralprogramme"),
    _act("approve_referrals", "审批推荐有礼", "Approve terms of referrals",
         "campaigns.approve_referralprogramme"),
    _act("moderate_referrals", "审核推荐", "Decide held referrals", "campaigns.moderate_referral"),
    _act("approve_payouts", "审批现金奖励", "Approve payouts", "campaigns.approve_payout"),
    _act("pay_payouts", "支付现金奖励", "Pay approved payouts", "campaigns.pay_payout"),
    _act("send_reports", "发送报表", "Send reports", "campaigns.send_report"),
    _act("export_months", "导出月结", "Export the month end", "campaigns.export_monthend"),
    _act("keep_unit_cost", "维护积分单位成本", "Set the unit cost", "campaigns.add_unitcost"),
    _act("moderate", "审核评价", "Moderate reviews", "members.moderate"),
    _act("answer_data_requests", "处理个人信息请求", "Answer requests about personal data",
         "members.handle_datarequest"),
    _act("agree_to_erase", "审批个人信息删除", "Agree to erase members", "members.erase_member"),
    _act("import_files", "导入文件", "Bring files in", "rewards.add_upload"),
    _act("export_lists", "导出清单", "Take lists out", "rewards.add_export"),
    _act("freeze_members", "冻结与注销会员", "Freeze and close members", "members.change_member"),
    _act("ask_override", "申请人工定级", "Ask for tier overrides", "tiers.add_standingoverride"),
    _act("end_override", "结束人工定级", "End tier overrides", "tiers.change_standingoverride"),
    _act("decide_adjustments", "审批积分调整", "Decide adjustments", "rewards.approve_adjustment"),
    _act("decide_overrides", "审批人工定级", "Decide tier overrides", "tiers.approve_override"),
    _act("decide_requests", "审批其他申请", "Decide other requests", "members.change_approval"),
    _act("release_own_till", "放行本人收银积分", "Release points earned at one's own till",
         "rewards.release_own_till"),
)  # fmt: skip

CAPABILITIES: Final = {capability.code: capability for capability in _ALL}

_SERVICE: Final = (
    "see_members", "see_orders", "see_points", "see_gifts", "see_tiers", "see_catalogue",
    "see_cases", "see_segments", "see_who_is_in", "see_value", "see_requests", "see_service_acts",
    "adjust_points", "work_cases",
    "give_goodwill", "reveal", "change_contacts", "claim_purchases",
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
        ),
    ),
    Role(
        "data", "数据支撑", "Data",
        (
            "see_members", "see_orders", "see_points", "see_gifts", "see_tiers", "see_catalogue",
            "see_programme", "see_connections", "see_figures", "see_reports", "send_reports",
            "keep_connections", "import_files", "export_lists", "see_segments", "see_who_is_in",
            "keep_segments", "keep_attributes", "see_value",
        ),
    ),
    Role(
        "member_communication", "客户沟通", "Member communication",
        (
            "see_members", "see_tiers", "see_catalogue", "see_programme", "keep_brand",
            "see_segments", "see_value",
        ),
    ),
    Role(
        "coordination", "跨部门协同", "Coordination",
        ("see_catalogue", "see_cases", "see_figures", "see_organisation", "keep_organisation"),
    ),
    Role(
        "campaign_approver", "营销活动审批", "Campaign approver",
        (
            "see_catalogue", "see_programme", "see_requests", "publish_rules", "decide_requests",
            "publish_ladders", "see_bulk_grants", "approve_bulk_grants", "see_segments",
            "see_referrals", "approve_referrals", "approve_payouts",
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
            "see_referrals", "moderate_referrals",
            "ask_override", "end_override",
            "decide_adjustments", "release_own_till",
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
            "see_referrals", "pay_payouts",
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
    for each in _ALL:
        marks = ("×" if each.code in role.capabilities else "" for role in ROLES)
        yield f"| {each.name_en} | {each.name_zh} | " + " | ".join(marks) + " |"


def _of_permissions() -> Iterable[str]:
    yield "| may | takes the permissions |"
    yield "|---|---|"
    for each in _ALL:
        names = ", ".join(f"`{name}`" for name in sorted(each.permissions))
        yield f"| {each.name_en} | {names} |"
