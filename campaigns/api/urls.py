"""Addresses of what belongs to campaigns: messages, offers, referrals, prospects, feedback."""

from django.urls import path

from campaigns.api.feedback import FeedbackListView, FeedbackView
from campaigns.api.messages import MessageReadView, MessagesView, ReceiptsView
from campaigns.api.offers import OffersView
from campaigns.api.prospects import ProspectsView
from campaigns.api.referral import ReferralView

urlpatterns = [
    path("members/<uuid:public_id>/messages", MessagesView.as_view(), name="member-messages"),
    path(
        "members/<uuid:public_id>/messages/<uuid:message_id>/read",
        MessageReadView.as_view(),
        name="message-read",
    ),
    path("members/<uuid:public_id>/offers", OffersView.as_view(), name="member-offers"),
    path("members/<uuid:public_id>/feedback", FeedbackListView.as_view(), name="feedback"),
    path(
        "members/<uuid:public_id>/feedback/<uuid:form_id>",
        FeedbackView.as_view(),
        name="feedback-answer",
    ),
    path("members/<uuid:public_id>/referral", ReferralView.as_view(), name="referral"),
    path("prospects", ProspectsView.as_view(), name="prospects"),
    path("messages/receipts", ReceiptsView.as_view(), name="message-receipts"),
]
