"""Writing what members are told: templates, their drafts, and publishing.

A template has at most one draft; publishing freezes it, and the newest published version is sent
from then on. Source: CMP-06.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from campaigns.domain import delivery, templating
from campaigns.domain.templating import TextsInvalidError, Type, Variable
from campaigns.models import (
    ContentAsset,
    MessageTemplate,
    Purpose,
    TemplateVersion,
    VersionState,
)
from campaigns.services import variables
from config.base.errors import DomainError

SYSTEM: Final = "system"


class TemplateTakenError(DomainError):
    """Another template has the code."""

    def __init__(self, code: str) -> None:
        super().__init__(
            "message_template_taken", _("There is a template with this code."), 409, template=code
        )


class NoDraftError(DomainError):
    """There is nothing to publish."""

    def __init__(self) -> None:
        super().__init__("message_no_draft", _("There is no draft."), 409)


@dataclass(frozen=True, slots=True)
class TemplateTerms:
    """What a template is called and for what it writes."""

    code: str
    name_zh: str
    name_en: str
    purpose: Purpose
    needs_consent: bool = False


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of a version and the variables that it declares, as they are stored."""

    contents: Mapping[str, Mapping[str, Mapping[str, str]]]
    variables: Sequence[Mapping[str, Any]]

    def check(self) -> None:
        """Refuse texts that could not be sent.

        Raises: TextsInvalidError.
        """
        declared = templating.parse_variables(self.variables)
        for number, each in enumerate(declared.values()):
            _check_type(number, each)
        assets = set(ContentAsset.objects.values_list("code", flat=True).distinct())
        templating.check(self.contents, declared, channels=delivery.CHANNELS, assets=assets)


def _check_type(number: int, variable: Variable) -> None:
    known = variables.KNOWN.get(variable.name)
    if known is not None and known.type != Type(variable.type):
        raise TextsInvalidError(f"variables/{number}", "variable_type", name=variable.name)


@transaction.atomic
def create(*, terms: TemplateTerms, actor: str, at: datetime) -> MessageTemplate:
    """Make a template without any text.

    Raises: TemplateTakenError.
    """
    try:
        with transaction.atomic():
            return MessageTemplate.objects.create(
                code=terms.code,
                name_zh=terms.name_zh,
                name_en=terms.name_en,
                purpose=terms.purpose,
                needs_consent=_needs_consent(terms),
                created_at=at,
                created_by=actor,
            )
    except IntegrityError as error:
        raise TemplateTakenError(terms.code) from error


@transaction.atomic
def save_draft(*, template_id: int, texts: Texts, actor: str, at: datetime) -> TemplateVersion:
    """Keep texts as the template's draft.

    Raises: TextsInvalidError.
    """
    texts.check()
    template = _locked(template_id)
    draft = template.versions.filter(state=VersionState.DRAFT).first()
    if draft is None:
        last = template.versions.order_by("-number").first()
        number = last.number + 1 if last else 1
        draft = TemplateVersion(template=template, number=number, created_at=at)
    draft.contents = {key: dict(parts) for key, parts in texts.contents.items()}
    draft.variables = [dict(each) for each in texts.variables]
    draft.created_by = actor
    draft.save()
    return draft


@transaction.atomic
def publish(*, template_id: int, actor: str, at: datetime) -> TemplateVersion:
    """Let the draft be sent from now on; it is never altered again.

    Raises: NoDraftError, TextsInvalidError.
    """
    draft = _locked(template_id).versions.filter(state=VersionState.DRAFT).first()
    if draft is None:
        raise NoDraftError
    Texts(draft.contents, draft.variables).check()
    draft.state = VersionState.PUBLISHED
    draft.published_at, draft.published_by = at, actor
    draft.save(update_fields=["state", "published_at", "published_by"])
    return draft


@transaction.atomic
def publish_default(*, terms: TemplateTerms, texts: Texts, at: datetime) -> bool:
    """Make and publish a template that the product brings along; tell whether it was missing.

    What people have made of one is never replaced.
    Raises: TextsInvalidError.
    """
    if MessageTemplate.objects.filter(code=terms.code).exists():
        return False
    template = create(terms=terms, actor=SYSTEM, at=at)
    save_draft(template_id=template.pk, texts=texts, actor=SYSTEM, at=at)
    publish(template_id=template.pk, actor=SYSTEM, at=at)
    return True


@transaction.atomic
def discard(*, template_id: int) -> None:
    """Throw the draft away.

    Raises: NoDraftError.
    """
    draft = _locked(template_id).versions.filter(state=VersionState.DRAFT).first()
    if draft is None:
        raise NoDraftError
    draft.delete()


def newest(template: MessageTemplate) -> TemplateVersion | None:
    """Return the version that is worked on: the draft, or else the newest published one."""
    return template.versions.order_by("-number").first()


def _locked(template_id: int) -> MessageTemplate:
    return MessageTemplate.objects.select_for_update(of=("self",), no_key=True).get(pk=template_id)


def _needs_consent(terms: TemplateTerms) -> bool:
    if terms.purpose == Purpose.SERVICE:
        return terms.needs_consent
    return terms.purpose == Purpose.MARKETING
