"""Calling off a reward or one date of it: what that undoes is shown before it is done."""

from typing import Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base import clock, jobs
from config.base.admin import site
from config.base.admin.actors import actor_of
from config.base.names import name_of
from rewards.models import Reward, RewardSlot
from rewards.services import calling_off
from rewards.tasks import call_off

PERMISSION: Final = "rewards.change_reward"
# So many are cancelled while somebody waits; more is a worker's.
AT_ONCE: Final = 100


class CallOffForm(forms.Form):
    """What is called off, and why."""

    slot = forms.ModelChoiceField(
        RewardSlot.objects.none(), label=_("What is called off"), required=False,
        empty_label=_("All of it: nobody can redeem it any more"),
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 2})
    )
    is_sure = forms.BooleanField(label=_("I have seen how many members lose it."))

    def __init__(self, reward: Reward, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]  # what Django's own takes
        self.fields["slot"].queryset = reward.slots.order_by("starts_at")  # type: ignore[attr-defined]


def call_off_page(request: HttpRequest, reward_id: int) -> HttpResponse:
    """Call off a reward or one date of it; pressed again, it goes on with what is left.

    Source: PTS-05.
    """
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    reward = get_object_or_404(Reward, pk=reward_id)
    form = CallOffForm(reward, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        _call_off(request, reward, form.cleaned_data["slot"])
        return redirect("admin:reward_call_off", reward.pk)
    context = {
        **site.current().each_context(request),
        "title": gettext("Call off"),
        "reward": reward,
        "subject": name_of(reward),
        "form": form,
        "consequences": calling_off.consequences(reward),
    }
    return TemplateResponse(request, "admin/rewards/call_off.html", context)


def _call_off(request: HttpRequest, reward: Reward, slot: RewardSlot | None) -> None:
    found = calling_off.consequences(reward)
    standing = next(each.redemptions for each in found if each.slot == slot)
    actor, at = actor_of(request), clock.now()
    if standing > AT_ONCE:
        jobs.hint(call_off, reward.pk, None if slot is None else slot.pk, actor)
        messages.info(request, gettext("A worker cancels them one by one; look here again."))
        return
    if slot is None:
        done, failed = calling_off.cancel_reward(reward=reward, at=at, actor=actor)
    else:
        done, failed = calling_off.cancel_slot(slot=slot, at=at, actor=actor)
    told = gettext("%(done)d cancelled, %(failed)d could not be.")
    messages.success(request, told % {"done": done, "failed": failed})
