"""What the service desk has given to make good a failure."""

from django.contrib import admin

from members.admin.base import MemberOwnedAdmin
from rewards.models import Goodwill


@admin.register(Goodwill)
class GoodwillAdmin(MemberOwnedAdmin):
    """Points and coupons given for goodwill, by whom and for which case."""

    list_display = ("given_at", "member_card", "points", "coupon", "case", "given_by", "undone_at")
    list_select_related = ("member", "coupon", "case")
