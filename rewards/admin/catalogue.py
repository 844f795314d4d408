"""The console's pages of rewards, their stock, and redemptions."""

from typing import Any

import orjson
from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import F, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from config.base.admin.decorators import labelled
from config.base.admin.options import ConsoleAdmin, ReadOnlyAdmin
from config.base.conditions import ConditionError
from members.admin.base import MemberOwnedAdmin
from rewards import supply
from rewards.admin.redemption_forms import verbs_for
from rewards.domain.catalogue import compiled
from rewards.models import (
    GiftItem,
    Redemption,
    Reward,
    RewardAccess,
    RewardCode,
    RewardSlot,
    Stock,
    StockMovement,
)

STATUS_COLOURS = {
    "held": "warning", "requested": "warning", "approved": "info", "fulfilled": "success",
    "returned": "danger", "cancelled": "danger",
}  # fmt: skip


class RewardForm(forms.ModelForm):  # type: ignore[type-arg]
    """A reward as staff describe it."""

    class Meta:
        """All that a reward says."""

        model = Reward
        exclude: tuple[str, ...] = ()

    def clean_conditions(self) -> Any:
        """Refuse conditions that cannot be read, with the reason."""
        conditions = self.cleaned_data["conditions"]
        if conditions:
            try:
                compiled(orjson.dumps(conditions).decode())
            except ConditionError as error:
                raise forms.ValidationError(str(error)) from error
        return conditions or None


class AccessInline(TabularInline):  # type: ignore[misc]  # Unfold has no types
    """Who may have it earlier."""

    model = RewardAccess
    extra = 0


class SlotInline(TabularInline):  # type: ignore[misc]  # Unfold has no types
    """The dates of an experience."""

    model = RewardSlot
    extra = 0
    fields = ("code", "place", "starts_at", "ends_at", "cancelled_at")
    readonly_fields = ("cancelled_at",)
    can_delete = False


class PackInline(TabularInline):  # type: ignore[misc]  # Unfold has no types
    """What is in a gift pack."""

    model = GiftItem
    fk_name = "pack"
    extra = 0
    fields = ("kind", "coupon_template", "reward", "benefit", "quantity", "valid_days")


@admin.register(Reward)
class RewardAdmin(ConsoleAdmin):
    """What points buy and gifts are made of."""

    form = RewardForm
    list_display = ("code", "name_zh", "kind", "points", "in_stock", "is_listed", "is_active")
    list_filter = ("kind", "is_listed", "is_active")
    search_fields = ("code", "name_zh", "name_en")
    readonly_fields = ("warnings", "stock_link")
    inlines = (AccessInline, SlotInline, PackInline)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Reward]:
        """Return rewards with what is free of each."""
        rows: models.QuerySet[Reward] = super().get_queryset(request)
        return rows.annotate(free=Sum(F("stocks__on_hand") - F("stocks__held")))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: what was redeemed stays; a reward is made inactive."""
        return False

    @admin.display(description=_("in stock"), ordering="free")
    def in_stock(self, reward: Any) -> str:
        """Return how many are free, where there is a stock."""
        return str(reward.free or 0) if reward.tracks_stock else "–"

    @admin.display(description=_("warnings"))
    def warnings(self, reward: Reward) -> str:
        """Return what looks wrong. Source: RWD-13."""
        if reward._state.adding:
            return "–"
        rank = 0 if reward.min_tier is None else reward.min_tier.rank
        if reward.points and supply.is_beyond_reach(reward.points, rank):
            return str(_("Hardly any member who may have it could pay for it."))
        return "–"

    @admin.display(description=_("stock"))
    def stock_link(self, reward: Reward) -> SafeString | str:
        """Return where stock is received and corrected."""
        if reward._state.adding:
            return "–"
        address = reverse("admin:reward_stock", args=[reward.pk])
        return format_html(
            '<a class="lc-link" href="{}">{}</a> · <a class="lc-link" href="{}">{}</a>',
            address, _("Receive or correct stock"),
            reverse("admin:reward_call_off", args=[reward.pk]), _("Call off"),
        )  # fmt: skip


@admin.register(RewardAccess)
class RewardAccessAdmin(ReadOnlyAdmin):
    """Who may have a reward before others."""

    list_display = ("reward", "tier", "opens_at")
    list_select_related = ("reward", "tier")


@admin.register(RewardSlot)
class RewardSlotAdmin(ReadOnlyAdmin):
    """Dates of experiences and activities."""

    list_display = ("reward", "code", "place", "starts_at", "ends_at", "cancelled_at")
    list_select_related = ("reward",)


@admin.register(Stock)
class StockAdmin(ReadOnlyAdmin):
    """What there is of each reward."""

    list_display = ("reward", "slot", "tier", "on_hand", "held")
    list_select_related = ("reward", "slot", "tier")


@admin.register(StockMovement)
class StockMovementAdmin(ReadOnlyAdmin):
    """How stocks came and went."""

    list_display = ("at", "stock", "quantity", "reason", "actor")
    list_select_related = ("stock__reward",)


@admin.register(RewardCode)
class RewardCodeAdmin(ReadOnlyAdmin):
    """Codes bought in advance, and to whom they were given."""

    list_display = ("reward", "batch", "expires_at", "given_at")
    list_select_related = ("reward",)


@admin.register(Redemption)
class RedemptionAdmin(MemberOwnedAdmin):
    """What members have redeemed or were given."""

    list_display = (
        "requested_at", "member_card", "reward", "quantity", "points", "status_label",
        "fulfilled_at",
    )  # fmt: skip
    list_select_related = ("member", "reward")
    list_filter = ("status",)
    shown_last = ("verbs",)

    @admin.display(description=_("what can be done"))
    def verbs(self, redemption: Redemption) -> SafeString:
        """Return a link for each thing that can be done now."""
        links = (
            (reverse("admin:redemption_verb", args=[redemption.pk, name]), verb.title)
            for name, verb in verbs_for(redemption)
        )
        return format_html_join(" · ", '<a class="lc-link" href="{}">{}</a>', links)

    @labelled(_("status"), STATUS_COLOURS)
    def status_label(self, redemption: Redemption) -> tuple[str, str]:
        """Return where the redemption stands, with its colour."""
        return redemption.status, redemption.get_status_display()
