"""Addresses of members' endpoints that need no upper app."""

from django.urls import path

from members.api.consents import ConsentsView
from members.api.presence import MemberCodeView, MemberTokenView, OtpView
from members.api.timeline import TimelineView

urlpatterns = [
    path("members/<uuid:public_id>/consents", ConsentsView.as_view(), name="consents"),
    path("members/<uuid:public_id>/timeline", TimelineView.as_view(), name="timeline"),
    path("members/<uuid:public_id>/token", MemberTokenView.as_view(), name="member-token"),
    path("members/<uuid:public_id>/code", MemberCodeView.as_view(), name="member-code"),
    path("members/<uuid:public_id>/otp", OtpView.as_view(), name="member-otp"),
]
