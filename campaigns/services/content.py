"""The content library: pieces with language, version and owner, and where each is used.

Source: CMP-18.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from campaigns.domain import templating
from campaigns.models import AssetKind, ContentAsset, MessageTemplate, TemplateVersion
from campaigns.services import message_facts
from config.base.errors import DomainError

LONGEST_TEXT: Final = templating.LONGEST_VALUE
LONGEST_ADDRESS: Final = 500
LOCK: Final = 0x43_4F_4E_54


class ContentInvalidError(DomainError):
    """This cannot be kept in the content library."""

    def __init__(self, field: str) -> None:
        super().__init__("content_invalid", _("This is no content of its kind."), field=field)


@dataclass(frozen=True, slots=True)
class Piece:
    """What a version of a piece says."""

    code: str
    language: str
    kind: AssetKind
    title: str
    value: str
    owner_id: int


@transaction.atomic
def add(*, piece: Piece, actor: str, at: datetime) -> ContentAsset:
    """Add the next version of a piece in its language; it is used from now on.

    Raises: ContentInvalidError.
    """
    _check(piece)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    known = ContentAsset.objects.filter(code=piece.code, language=piece.language)
    last = known.order_by("-number").first()
    return ContentAsset.objects.create(
        code=piece.code,
        language=piece.language,
        number=last.number + 1 if last else 1,
        kind=piece.kind,
        title=piece.title,
        value=piece.value,
        owner_id=piece.owner_id,
        created_at=at,
        created_by=actor,
    )


def newest() -> list[ContentAsset]:
    """Return the newest version of each piece in each language."""
    rows = ContentAsset.objects.select_related("owner")
    return list(rows.order_by("code", "language", "-number").distinct("code", "language"))


def where_used() -> dict[str, list[MessageTemplate]]:
    """Return the templates whose newest version, draft or published, names each piece."""
    versions = TemplateVersion.objects.select_related("template")
    latest = versions.order_by("template_id", "-number").distinct("template_id")
    found: dict[str, list[MessageTemplate]] = {}
    for version in latest:
        for code in sorted(message_facts.as_texts(version).named_assets()):
            found.setdefault(code, []).append(version.template)
    return found


def _check(piece: Piece) -> None:
    if piece.language not in templating.LANGUAGES:
        raise ContentInvalidError("language")
    if piece.kind == AssetKind.TEXT:
        if not 0 < len(piece.value.strip()) <= LONGEST_TEXT or "\0" in piece.value:
            raise ContentInvalidError("value")
        return
    parts = urlsplit(piece.value)
    is_plain = piece.value.isascii() and piece.value.isprintable() and " " not in piece.value
    if parts.scheme != "https" or not parts.netloc or not is_plain:
        raise ContentInvalidError("value")
    if len(piece.value) > LONGEST_ADDRESS:
        raise ContentInvalidError("value")
