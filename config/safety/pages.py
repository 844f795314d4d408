"""The console's pages about second factors, and the one that asks who is there.

Source: MEM-10.
"""

from base64 import b32encode
from typing import Any, Final

import segno
from django import forms
from django.contrib import auth, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django_otp import login as otp_login
from django_otp.models import Device
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.base.admin import acting, reauth, site
from config.models import RecoverySheet
from config.safety import login, sessions

CODE_LENGTH: Final = 64


class CodeForm(forms.Form):
    """A code of six digits, or a recovery code."""

    code = forms.CharField(
        label=_("Code"), max_length=CODE_LENGTH,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autofocus": "", "inputmode": "text"}
        ),
    )  # fmt: skip


class ConfirmForm(forms.Form):
    """The visitor's own password, or a code."""

    secret = forms.CharField(
        label=_("Password or code"), max_length=4096, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": ""}),
    )  # fmt: skip


class ResetForm(forms.Form):
    """Why somebody's second factors are removed."""

    reason = forms.CharField(
        label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 3})
    )


@never_cache
def second_step_page(request: HttpRequest) -> HttpResponse:
    """Ask for the second factor of whoever has given the password."""
    user = login.pending_user(request)
    if user is None:
        return redirect("admin:login")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        device = login.verified(user, form.cleaned_data["code"])
        if device is not None:
            return redirect(login.finish(request, user, device))
        if login.wrong_code(request, user):
            messages.error(request, gettext("Too many wrong codes. Log in again."))
            return redirect("admin:login")
        form.add_error("code", gettext("The code is wrong, was used before, or comes too soon."))
    kinds = {login.kind_of(device) for device in login.second_factors(user)}
    context = {
        **site.current().each_context(request),
        "title": gettext("Second step"),
        "form": form,
        "has_passkey": "passkey" in kinds,
    }
    return TemplateResponse(request, "admin/console/second_step.html", context)


@never_cache
@reauth.fresh_login_required
def second_factors_page(request: HttpRequest) -> HttpResponse:
    """List the visitor's own second factors; remove one of them."""
    user = _visitor(request)
    if _is_half_logged_in(request, user):
        return redirect("console_second_step")
    if request.method == "POST":
        return _remove(request, user, request.POST.get("device", ""))
    devices = login.second_factors(user)
    sheet = RecoverySheet.objects.filter(user=user).first()
    context = {
        **site.current().each_context(request),
        "title": gettext("Second factors"),
        "devices": [(device.persistent_id, _described(device), device) for device in devices],
        "is_required": sessions.roles_of(user).need_second_factor and not devices,
        "codes_left": len(sheet.hashes) if sheet else 0,
    }
    return TemplateResponse(request, "admin/console/second_factors.html", context)


@never_cache
@reauth.fresh_login_required
def authenticator_page(request: HttpRequest) -> HttpResponse:
    """Show the secret of a new authenticator, and take it up when its first code is right."""
    user = _visitor(request)
    if _is_half_logged_in(request, user):
        return redirect("console_second_step")
    device, _created = TOTPDevice.objects.get_or_create(
        user=user, confirmed=False, defaults={"name": "authenticator"}
    )
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if device.verify_token(form.cleaned_data["code"].replace(" ", "")):
            return _taken_up(request, user, device)
        form.add_error("code", gettext("The code is wrong, was used before, or comes too soon."))
    context = {
        **site.current().each_context(request),
        "title": gettext("Add an authenticator"),
        "form": form,
        "picture": _picture(device.config_url),
        "secret": b32encode(device.bin_key).decode(),
    }
    return TemplateResponse(request, "admin/console/authenticator.html", context)


@never_cache
@reauth.fresh_login_required
def recovery_codes_page(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes and show them, this once."""
    user = _visitor(request)
    if request.method != "POST" or not login.has_second_factor(user):
        return redirect("console_second_factors")
    if _is_half_logged_in(request, user):
        return redirect("console_second_step")
    return _show_codes(request, user)


@never_cache
def confirm_page(request: HttpRequest) -> HttpResponse:
    """Ask for the password, or a code, and go on to where the visitor was going."""
    user = _visitor(request)
    going = request.GET.get("next", "")
    form = ConfirmForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if _is_theirs(request, user, form.cleaned_data["secret"]):
            reauth.confirm(request)
            is_ours = url_has_allowed_host_and_scheme(going, {request.get_host()})
            return redirect(going if is_ours else reverse("admin:index"))
        login.refused(request, "confirmation.failed", user.get_username())
        form.add_error("secret", gettext("This is not your password, nor a code of yours."))
    context = {
        **site.current().each_context(request),
        "title": gettext("Confirm who you are"),
        "form": form,
    }
    return TemplateResponse(request, "admin/console/reauth.html", context)


@reauth.fresh_login_required
def reset_page(request: HttpRequest, user_id: int) -> HttpResponse:
    """Remove all second factors of somebody who has lost them, and end their sessions."""
    visitor = _visitor(request)
    if not any(visitor.has_perm(permission) for permission in reauth.REMOVE_FACTORS):
        raise PermissionDenied
    user = get_object_or_404(User, pk=user_id)
    if not _may_reset(visitor, user):
        raise PermissionDenied
    form = ResetForm(request.POST or None)
    back = reverse("admin:auth_user_change", args=[user.pk])
    if request.method == "POST" and form.is_valid():
        for device in [*login.second_factors(user), *RecoverySheet.objects.filter(user=user)]:
            device.delete()
        messages.success(request, gettext("The second factors were removed."))
        return redirect(back)
    context = {
        **site.current().each_context(request),
        "title": gettext("Remove second factors"),
        "subject": user.get_username(),
        "form": form,
        "back": back,
    }
    return TemplateResponse(request, "admin/console/staff_form.html", context)


def _may_reset(visitor: User, user: User) -> bool:
    """Tell whether somebody may weaken an account: never their own, none that may do more."""
    if visitor.pk == user.pk:
        return False
    if visitor.is_superuser:
        return True
    return not user.is_superuser and user.get_all_permissions() <= visitor.get_all_permissions()


def _visitor(request: HttpRequest) -> User:
    """Return who is logged in.

    Raises: PermissionDenied.
    """
    if not isinstance(request.user, User) or not request.user.is_staff:
        raise PermissionDenied
    return request.user


def _is_half_logged_in(request: HttpRequest, user: User) -> bool:
    """Tell whether the visitor has a second factor and has not shown it in this session."""
    is_verified: bool = user.is_verified()  # type: ignore[attr-defined]
    return not is_verified and login.has_second_factor(user)


def _is_theirs(request: HttpRequest, user: User, secret: str) -> bool:
    found = auth.authenticate(request, username=user.get_username(), password=secret)
    if found is not None:
        return bool(found.pk == user.pk)
    return login.verified(user, secret.strip()) is not None


def _taken_up(request: HttpRequest, user: User, device: TOTPDevice) -> HttpResponse:
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    otp_login(request, device)
    acting.record(request, "second_factor.added", kind="authenticator")
    if RecoverySheet.objects.filter(user=user).exists():
        messages.success(request, gettext("The authenticator was added."))
        return redirect("console_second_factors")
    return _show_codes(request, user)


def _show_codes(request: HttpRequest, user: User) -> HttpResponse:
    sheet, _created = RecoverySheet.objects.get_or_create(user=user, defaults={"name": "recovery"})
    context = {
        **site.current().each_context(request),
        "title": gettext("Recovery codes"),
        "codes": sheet.renew(),
    }
    acting.record(request, "recovery_codes.renewed")
    return TemplateResponse(request, "admin/console/recovery_codes.html", context)


def _remove(request: HttpRequest, user: User, persistent_id: str) -> HttpResponse:
    mine: dict[str, Device] = {
        device.persistent_id: device for device in login.second_factors(user)
    }
    if device := mine.get(persistent_id):
        acting.record(request, "second_factor.removed", kind=login.kind_of(device))
        device.delete()
        messages.success(request, gettext("The second factor was removed."))
        if len(mine) == 1:
            RecoverySheet.objects.filter(user=user).delete()
    return redirect("console_second_factors")


def _described(device: Device) -> str:
    return gettext("Passkey") if login.kind_of(device) == "passkey" else gettext("Authenticator")


def _picture(address: str) -> SafeString:
    """Return a QR code as SVG: made by us from letters of our own choice, nobody's text in it."""
    svg: Any = segno.make(address, error="m").svg_inline(scale=5, border=2, light="white")
    picture: SafeString = mark_safe(svg)  # noqa: S308
    return picture
