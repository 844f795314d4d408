"""What a role can be allowed to do: named sets of permissions, each given in one line.

Source: STF-08, ORG-01.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Capability:
    """Something that a role may do: the permissions that it takes, no more."""

    code: str
    name_zh: str
    name_en: str
    permissions: frozenset[str]


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
          " campaigns: triggermark;"
          " rewards: foldsnapshot grantcalendar rewardcode;"
          " django_celery_beat: intervalschedule crontabschedule solarschedule clockedschedule"),
    _look("see_figures", "查看数据看板与目标", "Look at dashboards and goals",
          "campaigns: metricvalue goal"),
    _look("see_campaigns", "查看营销活动", "Look at campaigns",
          "campaigns: campaign campaignversion campaignbudget campaignact globalholdout festival"),
    _look("see_addressed", "查看营销活动会员", "Look at who is in campaigns",
          "campaigns: campaignmember triggeroccurrence"),
    _look("see_feedback", "查看反馈表", "Look at feedback of campaigns",
          "campaigns: feedbackform"),
    _look("see_feedback_texts", "查看反馈原文", "Read feedback in members' own words",
          "campaigns: feedbackanswer"),
    _look("see_messages", "查看消息与模板", "Look at messages and templates",
          "campaigns: message messagetemplate templateversion contentasset messagereceipt"
          " messagepolicy"),
    _look("see_sent", "查看会员消息", "Look at messages to members",
          "campaigns: message messagetemplate"),
    _look("see_prospects", "查看潜客与潜客激励", "Look at prospects and offers to them",
          "members: prospect prospectcontact; campaigns: prospectoffer prospectaddress"),
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
    _act("keep_campaigns", "维护营销活动", "Write campaigns", "campaigns.change_campaign"),
    _act("publish_campaigns", "审批营销活动", "Approve campaigns", "campaigns.publish_campaign"),
    _act("run_campaigns", "运行营销活动", "Widen, pause and end campaigns",
         "campaigns.run_campaign"),
    _act("set_holdout", "设定全局对照组", "Set the global hold-out",
         "campaigns.change_globalholdout"),
    _act("keep_feedback", "维护反馈表", "Write, open and close feedback forms",
         "campaigns.change_feedbackform"),
    _act("export_feedback", "导出反馈", "Take answers to feedback forms out",
         "campaigns.export_feedbackanswer"),
    _act("keep_festivals", "维护节日", "Keep festivals",
         "campaigns.add_festival campaigns.change_festival"),
    _act("write_messages", "编写消息模板", "Write message templates and content",
         "campaigns.add_templateversion campaigns.add_contentasset"),
    _act("publish_messages", "发布消息模板", "Publish message templates",
         "campaigns.publish_templateversion"),
    _act("keep_delivery", "维护发送设置", "Set how messages are delivered",
         "campaigns.add_messagepolicy"),
    _act("retry_messages", "重发状态不明的消息", "Send unclear messages again",
         "campaigns.retry_message"),
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
    _act("record_consents", "登记授权同意", "Record what members allow", "members.add_consent"),
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
    _act("keep_prospects", "录入潜客", "Enter prospects", "members.add_prospect"),
    _act("reveal_prospects", "查看潜客明文", "Look at prospects' contacts in clear",
         "members.reveal_prospect"),
    _act("forget_prospects", "潜客退订与删除", "Opt prospects out and forget them",
         "members.erase_prospect"),
    _act("keep_offers", "维护潜客激励", "Write offers to prospects",
         "campaigns.add_prospectoffer campaigns.change_prospectoffer"),
    _act("approve_offers", "审批潜客激励", "Approve offers to prospects",
         "campaigns.approve_prospectoffer"),
    _act("run_offers", "结束潜客激励", "End offers to prospects", "campaigns.run_prospectoffer"),
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
