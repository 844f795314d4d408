"""What a message to a prospect says: the template's text, filled with what the offer gives."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.utils import translation

from campaigns.domain.delivery import MARKETING
from campaigns.models import ProspectAddress
from campaigns.services import message_facts, prospect_offers, rendering, variables
from campaigns.services.message_facts import Texts
from campaigns.services.rendering import Filled, Wish
from config.base import clock

# Nobody: a prospect has no member's values, so that those fall back.
NOBODY: Final = 0
LOCALES: Final = {"zh": "zh-hans", "en": "en"}
MOMENT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Shared:
    """What the texts of a batch have in common: the programme's name, and content by name."""

    known: Mapping[str, Any]
    assets: Mapping[tuple[str, str], str]


def read(texts: Iterable[Texts], at: datetime) -> Shared:
    """Return it for these texts; so many statements, however many messages there are."""
    every = list(texts)
    names = {name for each in every for name in each.variables}
    known = variables.read({"programme.name"} & names, [NOBODY], at)
    return Shared(known, message_facts.assets_of(every))


def fill(
    *, row: ProspectAddress, texts: Texts, language: str, channel: str, shared: Shared
) -> tuple[str, Filled]:
    """Return the language and the text for one prospect; nothing in it is personal."""
    offered = texts.languages_of(channel)
    wanted = language or str(settings.LANGUAGE_CODE)[:2]
    chosen = wanted if wanted in offered else offered[0]
    wish = Wish(
        key=row.pk, member_id=NOBODY, texts=texts, context=context_of(row, chosen),
        channel=channel, language=chosen, purpose=MARKETING,
    )  # fmt: skip
    return chosen, rendering.fill(wish, shared.known, shared.assets)


def context_of(row: ProspectAddress, language: str) -> dict[str, Any]:
    """Return what the variables of offers say: name, product, gift, and the last day."""
    offer = row.offer
    with translation.override(LOCALES[language]):
        gift = prospect_offers.gift_text(offer)
    return {
        "offer.name": {"zh": offer.name_zh, "en": offer.name_en or offer.name_zh},
        "offer.product": offer.product,
        "offer.gift": gift,
        "offer.until": row.good_until and clock.local_day(row.good_until - MOMENT),
    }
