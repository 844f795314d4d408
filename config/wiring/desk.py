"""What the service desk shows and can do, app by app."""

from django.utils.translation import gettext_lazy as _

from config.base import timeline
from config.base.admin.reauth import fresh_login_required
from config.base.panels import (
    Column,
    EventText,
    Finder,
    Group,
    Link,
    Page,
    Panel,
    Place,
    register,
)
from members.admin import acts, reveal
from members.admin import desk as member_desk
from members.admin import panels as members
from members.admin import timeline as member_timeline
from members.services import approvals
from rewards.admin import desk, order_moves
from rewards.admin import panels as rewards
from rewards.admin import timeline as reward_timeline
from rewards.services import adjustment, goodwill
from tiers import panels as tiers


def install() -> None:
    """Register the desk's page, the ways to members, the timeline and the acts."""
    timeline.register(
        member_timeline.EVENTS, member_timeline.CASES, member_timeline.REQUESTS,
        reward_timeline.ENTRIES,
    )  # fmt: skip
    register(
        *member_desk.FINDERS,
        Finder("coupon", _("Coupon code"), desk.by_coupon_code, 50, "rewards.view_coupon"),
        Finder("redemption", _("Redemption"), desk.by_redemption, 55, "rewards.view_redemption"),
        Column(
            "balance", _("Available points"), rewards.balances_of, 30,
            "rewards.view_pointsaccount", is_listed=False,
        ),
    )  # fmt: skip
    approvals.register(
        goodwill.APPROVAL_KIND,
        approvals.Kind(
            _("Goodwill"),
            goodwill.carry_out,
            desk.summarise_goodwill,
            permission="rewards.approve_adjustment",
            drop=adjustment.drop_request,
        ),
    )
    _install_page()
    _install_acts()
    _install_texts()


def _install_page() -> None:
    register(
        Page("desk/", "desk", member_desk.desk_page, is_scoped=True),
        Page(
            "members/member/<int:member_id>/timeline/", "member_timeline",
            member_timeline.timeline_page,
        ),
        Page("members/member/<int:member_id>/reveal/", "member_reveal", reveal.reveal_page),
        Panel(
            "members.warnings", Place.MEMBER_WARNINGS, "admin/members/warnings.html",
            members.warnings, 10,
        ),
        Panel(
            "rewards.warnings", Place.MEMBER_WARNINGS, "admin/rewards/warnings.html",
            desk.warnings, 20, "rewards.view_pointsaccount",
        ),
        Panel(
            "rewards.header", Place.MEMBER_HEADER, "admin/rewards/header.html", desk.header, 10,
            "tiers.view_standing",
        ),
        Panel(
            "members.timeline", Place.MEMBER_OVERVIEW, "admin/members/timeline.html",
            member_timeline.panel, 10,
        ),
        Panel(
            "rewards.goodwill", Place.MEMBER_ASIDE, "admin/rewards/goodwill.html",
            desk.goodwill_given, 5, desk.GOODWILL,
        ),
        Panel(
            "rewards.coupons_left", Place.MEMBER_ASIDE, "admin/rewards/coupons_left.html",
            desk.coupons_left, 25, "rewards.view_coupon",
        ),
    )  # fmt: skip


def _install_acts() -> None:
    place = "members/member/<int:member_id>"
    register(
        Page(f"{place}/goodwill/", "goodwill", desk.goodwill_page),
        Page("rewards/goodwill/<int:goodwill_id>/undo/", "goodwill_undo", desk.undo_page),
        Page(f"{place}/phone/", "change_phone", fresh_login_required(desk.phone_page)),
        Page(f"{place}/card/", "replace_card", fresh_login_required(desk.card_page)),
        Page(f"{place}/claim/", "claim_receipt", desk.claim_page),
        Page(f"{place}/move-order/", "move_order", fresh_login_required(order_moves.move_page)),
        Link(
            "rewards.goodwill", _("Goodwill"), "favorite", acts.address("goodwill"), 10,
            desk.GOODWILL, Group.MAKE_GOOD,
        ),
        Link(
            "rewards.claim", _("Claim a purchase"), "receipt_long", acts.address("claim_receipt"),
            10, desk.CLAIM, Group.ORDERS,
        ),
        Link(
            "rewards.move_order", _("Move an order"), "move_up", acts.address("move_order"), 20,
            order_moves.PERMISSION, Group.ORDERS,
        ),
        Link(
            "members.phone", _("Change phone"), "phonelink_setup", acts.address("change_phone"),
            10, desk.CONTACT, Group.IDENTITY,
        ),
        Link(
            "members.card", _("Replace card"), "credit_card", acts.address("replace_card"), 20,
            desk.CONTACT, Group.IDENTITY,
        ),
    )  # fmt: skip


def _install_texts() -> None:
    register(
        EventText("member.frozen", member_timeline.status_details),
        EventText("member.unfrozen", member_timeline.status_details),
        EventText("member.closed", member_timeline.status_details),
        EventText("member.phone_changed", member_timeline.sealed_details),
        EventText("member.card_replaced", member_timeline.sealed_details),
        EventText("member.revealed", member_timeline.sealed_details),
        *(
            EventText(kind, tiers.benefit_details)
            for kind in (
                "entitlement.granted", "entitlement.ended", "benefit.used", "benefit.returned",
            )
        ),
        EventText("order.claimed", desk.act_details),
        EventText("order.moved_away", desk.act_details),
        EventText("order.moved_in", desk.act_details),
        EventText("points.adjusted", desk.act_details),
        EventText("goodwill.given", desk.act_details),
        EventText("goodwill.undone", desk.act_details),
    )  # fmt: skip
