"""Addresses of enrolment, facts, points and tiers."""

from django.urls import path

from rewards.api.adjustments import AdjustmentsView
from rewards.api.benefits import BenefitsView, BenefitUseView, GiveBackView
from rewards.api.catalogue import (
    CancelView,
    MemberRedemptionsView,
    RedemptionsView,
    RedemptionView,
    RewardsView,
    RewardView,
)
from rewards.api.check_ins import CheckInsView
from rewards.api.coupons import (
    ClaimableCouponsView,
    ClaimCouponView,
    MemberCouponsView,
    RedeemCouponView,
    RollBackCouponView,
    ValidateCouponsView,
)
from rewards.api.facts import (
    ClaimView,
    FactsBatchView,
    InteractionsView,
    OrderView,
    RefundsView,
)
from rewards.api.inbound import InboundView
from rewards.api.members import LookupView, MembersBatchView, MembersView, MemberView
from rewards.api.memberships import (
    MembershipCancelView,
    MembershipRefundView,
    MembershipRenewView,
    MembershipsView,
    PlansView,
)
from rewards.api.points import EntriesView, ExplanationView, PointsView, StatementView
from rewards.api.programme import ProgrammeView
from rewards.api.quotes import QuotesView
from rewards.api.reservations import (
    CaptureView,
    ReleaseView,
    ReservationsView,
    ReservationView,
)
from rewards.api.summary import SummaryView
from rewards.api.tiers import TierView
from rewards.api.verifications import VerificationView

# Order numbers may hold slashes, so the address of the order itself comes last.
urlpatterns = [
    path("members", MembersView.as_view(), name="members"),
    path("members/batch", MembersBatchView.as_view(), name="members-batch"),
    path("members/lookup", LookupView.as_view(), name="members-lookup"),
    path("members/<uuid:public_id>", MemberView.as_view(), name="member"),
    path("members/<uuid:public_id>/tier", TierView.as_view(), name="tier"),
    path("members/<uuid:public_id>/points", PointsView.as_view(), name="points"),
    path("members/<uuid:public_id>/entries", EntriesView.as_view(), name="entries"),
    path("members/<uuid:public_id>/adjustments", AdjustmentsView.as_view(), name="adjustments"),
    path("members/<uuid:public_id>/statements", StatementView.as_view(), name="statements"),
    path("entries/<int:entry_id>/explanation", ExplanationView.as_view(), name="explanation"),
    path("facts/batch", FactsBatchView.as_view(), name="facts-batch"),
    path("interactions", InteractionsView.as_view(), name="interactions"),
    path("quotes", QuotesView.as_view(), name="quotes"),
    path("members/<uuid:public_id>/benefits", BenefitsView.as_view(), name="benefits"),
    path(
        "members/<uuid:public_id>/benefits/<slug:code>/use",
        BenefitUseView.as_view(),
        name="benefit-use",
    ),
    path("benefits/uses/<uuid:use>/give-back", GiveBackView.as_view(), name="benefit-give-back"),
    path("members/<uuid:public_id>/memberships", MembershipsView.as_view(), name="memberships"),
    path("memberships/plans", PlansView.as_view(), name="membership-plans"),
    path("memberships/<uuid:membership>/renew", MembershipRenewView.as_view(), name="renew"),
    path("memberships/<uuid:membership>/cancel", MembershipCancelView.as_view(), name="cancel"),
    path("memberships/<uuid:membership>/refund", MembershipRefundView.as_view(), name="refund"),
    path("orders/<str:source>/<path:order_no>/refunds", RefundsView.as_view(), name="refunds"),
    path("orders/<str:source>/<path:order_no>/claim", ClaimView.as_view(), name="claim"),
    path("orders/<str:source>/<path:order_no>", OrderView.as_view(), name="order"),
    path(
        "members/verifications/<uuid:verification>",
        VerificationView.as_view(),
        name="verification",
    ),
    path("members/<uuid:public_id>/check-ins", CheckInsView.as_view(), name="check-ins"),
    path("members/<uuid:public_id>/summary", SummaryView.as_view(), name="summary"),
    path("rewards", RewardsView.as_view(), name="rewards"),
    path("rewards/<slug:code>", RewardView.as_view(), name="reward"),
    path("redemptions", RedemptionsView.as_view(), name="redemptions"),
    path("redemptions/<uuid:redemption_id>", RedemptionView.as_view(), name="redemption"),
    path("redemptions/<uuid:redemption_id>/cancel", CancelView.as_view(), name="redemption-cancel"),
    path(
        "members/<uuid:public_id>/redemptions",
        MemberRedemptionsView.as_view(),
        name="member-redemptions",
    ),
    path("reservations", ReservationsView.as_view(), name="reservations"),
    path("reservations/<uuid:reservation_id>", ReservationView.as_view(), name="reservation"),
    path("reservations/<uuid:reservation_id>/capture", CaptureView.as_view(), name="capture"),
    path("reservations/<uuid:reservation_id>/release", ReleaseView.as_view(), name="release"),
    path("coupons/validate", ValidateCouponsView.as_view(), name="coupons-validate"),
    path("coupons/redeem", RedeemCouponView.as_view(), name="coupons-redeem"),
    path("coupons/<uuid:use_id>/rollback", RollBackCouponView.as_view(), name="coupon-rollback"),
    path("members/<uuid:public_id>/coupons", MemberCouponsView.as_view(), name="member-coupons"),
    path("members/<uuid:public_id>/coupons/claim", ClaimCouponView.as_view(), name="coupon-claim"),
    path(
        "members/<uuid:public_id>/coupons/claimable",
        ClaimableCouponsView.as_view(),
        name="coupons-claimable",
    ),
]

urlpatterns += [
    path("inbound/<slug:code>", InboundView.as_view(), name="inbound"),
    path("programme", ProgrammeView.as_view(), name="programme"),
]
