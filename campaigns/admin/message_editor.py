"""The editor of a message template: texts per language and channel, variables, preview, test.

Source: CMP-06.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import channels
from campaigns.channels import Outbound, Outcome
from campaigns.domain import delivery, templating
from campaigns.domain.templating import Rendered, Type
from campaigns.models import MessageTemplate, Purpose, TemplateVersion, VersionState, Via
from campaigns.services import message_facts, message_templates, rendering, variables
from campaigns.services.message_templates import TemplateTerms, Texts
from campaigns.services.rendering import Wish
from config.base import clock
from config.base.admin import site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from members import queries
from members.models import Member

VIEW: Final = "campaigns.view_messagetemplate"
WRITE: Final = "campaigns.add_templateversion"
PUBLISH: Final = "campaigns.publish_templateversion"
VIEW_MEMBERS: Final = "members.view_member"
SPARE_ROWS: Final = 3
LANGUAGES: Final = {"zh": _("Chinese"), "en": _("English")}
TYPES: Final = {
    Type.TEXT: _("Text"), Type.INTEGER: _("Whole number"), Type.MONEY: _("Money"),
    Type.DATE: _("Date"),
}  # fmt: skip


class TemplateForm(forms.Form):
    """What a template is called and for what it writes."""

    code = forms.SlugField(label=_("Code"), max_length=60)
    name_zh = forms.CharField(label=_("Chinese name"), max_length=80)
    name_en = forms.CharField(label=_("English name"), max_length=80, required=False)
    purpose = forms.ChoiceField(label=_("Purpose"), choices=Purpose.choices)
    needs_consent = forms.BooleanField(
        label=_("A service message that needs a consent"), required=False,
        help_text=_("Marketing always needs one, security never."),
    )  # fmt: skip


def template_add_page(request: HttpRequest) -> HttpResponse:
    """Make a template."""
    _need(request, WRITE)
    form = TemplateForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        terms = TemplateTerms(**{**form.cleaned_data, "purpose": Purpose(form["purpose"].value())})
        try:
            made = message_templates.create(terms=terms, actor=actor_of(request), at=clock.now())
        except DomainError as error:
            form.add_error("code", str(error.message))
        else:
            return redirect("admin:message_template", made.pk)
    context = {
        **site.current().each_context(request),
        "title": gettext("New message template"), "form": form, "submit": gettext("Go on"),
        "back": "admin:messages",
    }  # fmt: skip
    return TemplateResponse(request, "admin/campaigns/form.html", context)


def template_page(request: HttpRequest, template_id: int) -> HttpResponse:
    """Write a template's texts, look at them as a member, test them, publish them."""
    _need(request, VIEW)
    template = get_object_or_404(MessageTemplate, pk=template_id)
    version = message_templates.newest(template)
    texts = _stored(version)
    preview: list[dict[str, Any]] = []
    if request.method == "POST":
        texts = _read(request.POST)
        act = _ACTS.get(request.POST.get("do", ""))
        if request.POST.get("do") == "preview":
            preview = _preview(request, template, texts)
        elif act is not None:
            _need(request, PUBLISH if act is _publish else WRITE)
            if _is_done(request, template, texts, act) and act is not _test:
                return redirect("admin:message_template", template.pk)
    return TemplateResponse(
        request,
        "admin/campaigns/message_template.html",
        {
            **site.current().each_context(request),
            "title": str(template),
            "template": template,
            "version": version,
            "channels": _fields(texts),
            "variables": [*texts.variables, *[{"type": "text"}] * SPARE_ROWS],
            "types": TYPES.items(),
            "known": variables.KNOWN.values(),
            "preview": preview,
            "card": request.POST.get("card", ""),
            "may_write": request.user.has_perm(WRITE),
            "may_publish": request.user.has_perm(PUBLISH),
            "is_draft": version is not None and version.state == VersionState.DRAFT,
        },
    )


def _stored(version: TemplateVersion | None) -> Texts:
    if version is None:
        return Texts({}, [])
    return Texts(version.contents, version.variables)


def _read(data: Mapping[str, Any]) -> Texts:
    """Return the texts of the form; what is left empty is not there."""
    contents: dict[str, dict[str, dict[str, str]]] = {}
    for language in templating.LANGUAGES:
        for channel in delivery.CHANNELS:
            subject = data.get(f"{language}-{channel}-subject", "").strip()
            body = data.get(f"{language}-{channel}-body", "").replace("\r\n", "\n").strip()
            if subject or body:
                part = {"subject": subject, "body": body}
                contents.setdefault(language, {})[channel] = part
    rows = [
        {
            "name": data.get(f"name-{number}", "").strip(),
            "type": data.get(f"type-{number}", ""),
            "fallback": {each: data.get(f"{each}-{number}", "") for each in templating.LANGUAGES},
        }
        for number in range(templating.MOST_VARIABLES + 1)
    ]
    return Texts(contents, [row for row in rows if row["name"]])


def _said(texts: Texts) -> tuple[dict[tuple[str, str], list[str]], list[list[str]]]:
    """Return what texts say, whoever wrote them down: with or without what is empty."""
    parts = {
        (language, channel): [
            part.get(name, "").replace("\r\n", "\n").strip() for name in ("subject", "body")
        ]
        for language, channels_of in texts.contents.items()
        for channel, part in channels_of.items()
    }
    rows = [
        [row["name"], row["type"], *(row.get("fallback", {}).get(each, "")
                                     for each in templating.LANGUAGES)]
        for row in texts.variables
    ]  # fmt: skip
    return {where: said for where, said in parts.items() if any(said)}, rows


def _fields(texts: Texts) -> list[dict[str, Any]]:
    """Return the texts channel by channel, the languages side by side."""
    return [
        {
            "code": channel,
            "name": Via(channel).label,
            "has_subject": channel != Via.SMS,
            "is_used": any(channel in said for said in texts.contents.values()),
            "languages": [_part(texts, language, channel) for language in templating.LANGUAGES],
        }
        for channel in delivery.CHANNELS
    ]


def _part(texts: Texts, language: str, channel: str) -> dict[str, Any]:
    part = texts.contents.get(language, {}).get(channel, {})
    body = part.get("body", "")
    return {
        "code": language,
        "name": LANGUAGES[language],
        "subject": part.get("subject", ""),
        "body": body,
        "segments": templating.segments(body) if channel == Via.SMS and body else 0,
    }


Act = Callable[[HttpRequest, MessageTemplate, Texts], str]


def _is_done(request: HttpRequest, template: MessageTemplate, texts: Texts, act: Act) -> bool:
    try:
        told = act(request, template, texts)
    except DomainError as error:
        where = error.details.get("where")
        messages.error(request, f"{where}: {error.message}" if where else str(error.message))
        return False
    messages.success(request, told)
    return True


def _save(request: HttpRequest, template: MessageTemplate, texts: Texts) -> str:
    message_templates.save_draft(
        template_id=template.pk, texts=texts, actor=actor_of(request), at=clock.now()
    )
    return gettext("The draft is saved.")


def _publish(request: HttpRequest, template: MessageTemplate, texts: Texts) -> str:
    """Raises: DomainError where what is seen is not what is stored."""
    if _said(texts) != _said(_stored(message_templates.newest(template))):
        told = gettext("Save the draft first: these texts differ from it.")
        raise DomainError("message_texts_unsaved", told, 409)
    message_templates.publish(template_id=template.pk, actor=actor_of(request), at=clock.now())
    return gettext("These texts are sent from now on.")


def _discard(_request: HttpRequest, template: MessageTemplate, _texts: Texts) -> str:
    message_templates.discard(template_id=template.pk)
    return gettext("The draft was thrown away.")


def _test(request: HttpRequest, template: MessageTemplate, texts: Texts) -> str:
    """Send the mail to whoever is looking, with fallbacks for what no member fills."""
    texts.check()
    address: str = getattr(request.user, "email", "")
    way = channels.open_channels().get("email")
    language = next((each for each in texts.contents if "email" in texts.contents[each]), "")
    if not address or way is None or not language:
        return gettext("There is no mail to send: no text, no mail server or no address of yours.")
    declared = templating.parse_variables(texts.variables)
    values = {name: each.fallback.get(language, "") for name, each in declared.items()}
    text = templating.render(texts.contents[language]["email"], values, channel="email")
    result = way.send(
        Outbound(
            message_id=f"test-{template.pk}-{clock.now().timestamp():.0f}", member="", to=address,
            text=text, purpose=template.purpose, language=language, template=template.code,
        )
    )  # fmt: skip
    if result.outcome is Outcome.SENT:
        return gettext("The test was sent to your own address.")
    return gettext("The mail server did not take the test: %(code)s") % {"code": result.reason}


_ACTS: Final[dict[str, Act]] = {
    "save": _save, "publish": _publish, "discard": _discard, "test": _test,
}  # fmt: skip


def _preview(request: HttpRequest, template: MessageTemplate, texts: Texts) -> list[dict[str, Any]]:
    """Return every text as a member would get it, the name masked."""
    _need(request, VIEW_MEMBERS)
    members = list(queries.search(request.POST.get("card", "").strip()[:60])[:1])
    try:
        texts.check()
    except DomainError as error:
        messages.error(request, f"{error.details.get('where', '')}: {error.message}")
        return []
    if not members:
        messages.error(request, gettext("There is no such member."))
        return []
    declared = templating.parse_variables(texts.variables)
    known = message_facts.Texts(0, declared, texts.contents)
    wishes = [
        Wish(number, members[0].pk, known, {}, channel, language, template.purpose)
        for number, (language, channel) in enumerate(
            (language, channel) for language in texts.contents
            for channel in texts.contents[language]
        )
    ]  # fmt: skip
    assets = message_facts.assets_of([known])
    filled = rendering.render_all(wishes, assets=assets, at=clock.now())
    mask = _mask(members[0])
    return [
        {
            "language": LANGUAGES[wish.language],
            "channel": Via(wish.channel).label,
            "text": _masked(filled[wish.key], mask),
        }
        for wish in wishes
    ]


def _mask(member: Member) -> str:
    profile = getattr(member, "profile", None)
    return profile.name_mask if profile else ""


def _masked(filled: rendering.Filled, mask: str) -> Rendered:
    """Return a text with the name as it may be shown: clear ones are asked for with a reason."""
    name = filled.values.get("member.name", "")
    if not name or not mask:
        return filled.text
    text = filled.text
    return Rendered(text.subject.replace(name, mask), text.body.replace(name, mask))


def _need(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied
