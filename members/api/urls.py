"""Addresses of members' endpoints that need no upper app."""

from django.urls import path

from members.api.cases import CasesView, MemberCasesView
from members.api.consents import ConsentsView
from members.api.presence import MemberCodeView, MemberTokenView, OtpView
from members.api.timeline import TimelineView
from members.api.webhooks import (
    DeliveriesView,
    ReplayView,
    RotateView,
    TestView,
    WebhooksView,
    WebhookView,
)

urlpatterns = [
    path("members/<uuid:public_id>/consents", ConsentsView.as_view(), name="consents"),
    path("members/<uuid:public_id>/cases", MemberCasesView.as_view(), name="member-cases"),
    path("cases", CasesView.as_view(), name="cases"),
    path("members/<uuid:public_id>/timeline", TimelineView.as_view(), name="timeline"),
    path("webhooks", WebhooksView.as_view(), name="webhooks"),
    path("webhooks/<uuid:public_id>", WebhookView.as_view(), name="webhook"),
    path("webhooks/<uuid:public_id>/rotate", RotateView.as_view(), name="webhook-rotate"),
    path("webhooks/<uuid:public_id>/test", TestView.as_view(), name="webhook-test"),
    path(
        "webhooks/<uuid:public_id>/deliveries", DeliveriesView.as_view(), name="webhook-deliveries"
    ),
    path(
        "webhooks/<uuid:public_id>/deliveries/<uuid:delivery_id>/replay",
        ReplayView.as_view(),
        name="webhook-replay",
    ),
    path("members/<uuid:public_id>/token", MemberTokenView.as_view(), name="member-token"),
    path("members/<uuid:public_id>/code", MemberCodeView.as_view(), name="member-code"),
    path("members/<uuid:public_id>/otp", OtpView.as_view(), name="member-otp"),
]
