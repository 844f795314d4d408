"""Addresses of what belongs to campaigns."""

from django.urls import path

from campaigns.api.referral import ReferralView

urlpatterns = [
    path("members/<uuid:public_id>/referral", ReferralView.as_view(), name="referral"),
]
