"""From a version, a context and what is read of members to the text that somebody gets."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from campaigns.domain import templating
from campaigns.domain.delivery import MARKETING
from campaigns.domain.templating import Rendered
from campaigns.services import feedback_links, message_facts, variables
from campaigns.services.message_facts import Texts

# Commercial text messages say how to end them.
REPLY: Final = {"zh": " 拒收请回复R", "en": " Reply STOP to opt out"}


@dataclass(frozen=True, slots=True)
class Wish:
    """One text that is wanted: whose, of which texts, with what context, how and in what words."""

    key: int
    member_id: int
    texts: Texts
    context: Mapping[str, Any]
    channel: str
    language: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Filled:
    """A text, and what its variables were filled with, in the order of their declaration.

    `decision` is what is to be written down of an offer that the text names.
    """

    text: Rendered
    values: Mapping[str, str]
    decision: Mapping[str, Any] | None = None


def render_all(
    wishes: Collection[Wish], *, assets: Mapping[tuple[str, str], str], at: datetime
) -> dict[int, Filled]:
    """Return the texts by the wishes' keys; what members have is read once for all of them."""
    names = {name for wish in wishes for name in wish.texts.variables}
    known = variables.read(names, {wish.member_id for wish in wishes}, at)
    return {wish.key: fill(wish, known, assets) for wish in wishes}


def render_one(wish: Wish, *, at: datetime) -> Filled:
    """Return one text."""
    assets = message_facts.assets_of([wish.texts])
    return render_all([wish], assets=assets, at=at)[wish.key]


def fill(wish: Wish, known: Mapping[str, Any], assets: Mapping[tuple[str, str], str]) -> Filled:
    """Return one text from what is read already; what is not known falls back."""
    values = {
        name: templating.written(variable, _value(wish, name, known), wish.language)
        for name, variable in wish.texts.variables.items()
    }
    pieces = {
        f"{templating.ASSET}{code}": assets.get((code, wish.language)) or value
        for (code, _language), value in assets.items()
    }
    part = wish.texts.contents[wish.language][wish.channel]
    text = templating.render(part, {**pieces, **values}, channel=wish.channel)
    if wish.channel == "sms" and wish.purpose == MARKETING:
        text = Rendered(text.subject, text.body + REPLY[wish.language])
    decided = known.get(variables.DECISION, {}) if variables.names_offer(values) else {}
    return Filled(text, values, decided.get(wish.member_id))


def _value(wish: Wish, name: str, known: Mapping[str, Any]) -> Any:
    """Return what is known of the member; else what the trigger said."""
    if name == feedback_links.VARIABLE:
        value = feedback_links.url_in(wish.context)
    elif name in variables.KNOWN:
        value = known.get(name, {}).get(wish.member_id)
    else:
        value = wish.context.get(name)
    return variables.in_language(value, wish.language)
