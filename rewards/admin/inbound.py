"""Connections of shops, and what became of their messages."""

from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.admin.decorators import detail_action, labelled
from config.base.admin.options import ConsoleAdmin, ReadOnlyAdmin
from config.base.errors import DomainError
from rewards.api import parsing
from rewards.domain import inbound as language
from rewards.models import InboundDelivery, InboundHook
from rewards.services import inbound

STATE_COLOURS: Final = {"done": "success", "ignored": "info", "parked": "warning"}


class InboundHookForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic when it runs
    """What may be changed here: the mapping, whom it speaks for, and whether it is on."""

    class Meta:
        model = InboundHook
        fields = ("touchpoint", "mapping", "is_active")

    def clean_mapping(self) -> Any:
        """Refuse a mapping that means nothing, and say where."""
        mapping = self.cleaned_data["mapping"]
        try:
            language.check(mapping)
        except DomainError as error:
            raise ValidationError(f"{error.details['at']}: {error.message}") from error
        return mapping


@admin.register(InboundHook)
class InboundHookAdmin(ConsoleAdmin):
    """Shops whose own webhooks end here; the command line makes them, with their secrets."""

    form = InboundHookForm
    list_display = ("code", "scheme", "touchpoint", "is_active", "created_at")
    list_select_related = ("touchpoint",)
    search_fields = ("code",)
    fields = ("code", "scheme", "address", "touchpoint", "mapping", "is_active", "created_at")
    readonly_fields = ("code", "scheme", "address", "created_at")

    @admin.display(description=_("address"))
    def address(self, hook: InboundHook) -> str:
        """Return where the shop has to send its messages."""
        return reverse("inbound", args=[hook.code])

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: a connection without its secret would be of no use."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Refuse: facts name it as their source."""
        return False


@admin.register(InboundDelivery)
class InboundDeliveryAdmin(ReadOnlyAdmin):
    """Messages from shops; a parked one can be replayed once the mapping is right."""

    list_display = (
        "received_at", "hook", "topic", "provider_id", "state_label", "reason", "replayed_at",
    )  # fmt: skip
    list_select_related = ("hook",)
    list_filter = ("state", "hook")
    actions = ("replay_chosen",)  # type: ignore[assignment]  # one of the few things to do here
    actions_detail = ("replay",)

    @labelled(_("state"), STATE_COLOURS)
    def state_label(self, delivery: InboundDelivery) -> tuple[str, Any]:
        """Return what has become of the message, with its colour."""
        return delivery.state, delivery.get_state_display()

    def has_replay_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Say whether the visitor may have messages done again."""
        return request.user.has_perm("rewards.change_inbounddelivery")

    @detail_action(_("Replay"), url_path="replay", permissions=["replay"], icon="replay")
    def replay(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Try a parked message again."""
        back = reverse("admin:rewards_inbounddelivery_change", args=[object_id])
        if request.method != "POST":
            return self.confirmation(
                request,
                title=gettext("Replay"),
                question=gettext("Read this message again, as the mapping now is?"),
                back=back,
            )
        try:
            done = inbound.replay(
                delivery_id=int(object_id), at=clock.now(), read=parsing.batch_fact
            )
            messages.info(request, f"{done.get_state_display()} {done.reason}")
        except DomainError as error:
            messages.error(request, str(error.message))
        return redirect(back)

    @admin.action(description=_("Replay"), permissions=["replay"])
    def replay_chosen(self, request: HttpRequest, rows: models.QuerySet[InboundDelivery]) -> None:
        """Try the chosen messages again, oldest first."""
        count = 0
        for delivery_id in list(rows.order_by("pk").values_list("pk", flat=True)):
            try:
                inbound.replay(delivery_id=delivery_id, at=clock.now(), read=parsing.batch_fact)
                count += 1
            except DomainError as error:
                messages.error(request, str(error.message))
        told = ngettext(
            "%(count)d message was read again.", "%(count)d messages were read again.", count
        )
        messages.success(request, told % {"count": count})
