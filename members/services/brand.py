"""The brand's versions: published, never changed. Source: INT-11."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import F, Max, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError
from members.models import Brand

NAME_KEY: Final = "brand:programme_name"
NAME_SECONDS: Final = 60
PUBLISH_LOCK: Final = 0x42_52_4E_44

Texts = Mapping[str, Mapping[str, str]]


class BrandTakenError(DomainError):
    """Another version begins at the same instant."""

    def __init__(self) -> None:
        super().__init__("brand_taken", _("Another version begins at the same instant."), 409)


@dataclass(frozen=True, slots=True)
class BrandContent:
    """What a version says, in Chinese and English."""

    programme_name_zh: str
    programme_name_en: str
    points_name_zh: str
    points_name_en: str
    primary_colour: str = "#0d9488"
    accent_colour: str = "#f59e0b"
    logo_url: str = ""
    texts: Texts = field(default_factory=dict)


@transaction.atomic
def publish(
    *, content: BrandContent, effective_from: datetime | None, at: datetime, actor: str
) -> Brand:
    """Add a version that counts from an instant on.

    Raises: BrandTakenError.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PUBLISH_LOCK])
    if Brand.objects.filter(effective_from=effective_from).exists():
        raise BrandTakenError
    last = Brand.objects.aggregate(last=Max("number"))["last"] or 0
    values = {name: getattr(content, name) for name in content.__slots__}
    values["texts"] = {code: dict(text) for code, text in content.texts.items()}
    transaction.on_commit(lambda: cache.delete(NAME_KEY))
    return Brand.objects.create(
        **values, number=last + 1, effective_from=effective_from, created_at=at, created_by=actor
    )


def publish_default(*, content: BrandContent, at: datetime) -> Brand | None:
    """Add the first version, since ever, unless somebody has published one; return what was added.

    Texts that people have written are never replaced.
    """
    if Brand.objects.exists():
        return None
    return publish(content=content, effective_from=None, at=at, actor="system")


def programme_name(at: datetime) -> str:
    """Return the programme's name in the active language, at most a minute old.

    Every page of the console shows it, so it is not read for each of them.
    """
    names = cache.get(NAME_KEY)
    if names is None:
        found = in_force(at)
        names = (found.programme_name_zh, found.programme_name_en) if found else ("", "")
        cache.set(NAME_KEY, names, NAME_SECONDS)
    zh, en = names
    return str(en if (get_language() or "").startswith("en") else zh)


def in_force(at: datetime) -> Brand | None:
    """Return the version that counts at an instant."""
    begun = Brand.objects.filter(Q(effective_from=None) | Q(effective_from__lte=at))
    return begun.order_by(F("effective_from").desc(nulls_last=True)).first()
