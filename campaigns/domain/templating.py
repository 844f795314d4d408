"""Texts with variables: `{{ member.name }}` and nothing more. There is no engine to break out of.

What stands between the braces is a name that the template declares; its value is put in once, as
text, escaped for the channel. Everything else is plain text, whatever other engines make of it.

Source: CMP-06.
"""

import html
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from config.base.errors import DomainError

LANGUAGES: Final = ("zh", "en")
ASSET: Final = "asset."
LONGEST_BODY: Final = 20_000
LONGEST_SUBJECT: Final = 120
LONGEST_VALUE: Final = 1_000
MOST_VARIABLES: Final = 40
MOST_SEGMENTS: Final = 10

_HOLE: Final = re.compile(r"\{\{\s*([a-z][a-z0-9_]*(?:\.[a-z0-9_-]+)*)\s*\}\}", re.ASCII)
_BRACES: Final = re.compile(r"\{\{|\}\}")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_-]+)*", re.ASCII)
_LINK: Final = re.compile(r"https?://[^\s<>\"'，。；！？）]+", re.ASCII)
_IMAGE: Final = re.compile(r"\.(?:png|jpe?g|gif|webp)(?:\?\S*)?$", re.IGNORECASE | re.ASCII)
# Characters that turn the direction of what follows them.
_TURNING: Final = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
# The basic table of GSM 03.38; a text with any other character is sent in 16 bits.
_GSM: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE: Final = frozenset("^{}\\[~]|€")


class Type(StrEnum):
    """What a variable holds, and so how it is written."""

    TEXT = "text"
    INTEGER = "integer"
    MONEY = "money"
    DATE = "date"


class TextsInvalidError(DomainError):
    """A text or a declared variable cannot be used; `where` and `reason` say what is wrong."""

    def __init__(self, where: str, reason: str, **details: Any) -> None:
        super().__init__(
            "message_texts_invalid", _REASONS[reason] % details, 400, where=where, reason=reason,
            **details,
        )  # fmt: skip


_REASONS: Final = {
    "syntax": _("Variables are written {{ name }}: every double brace has to belong to one."),
    "unknown_variable": _("The variable %(name)s is not declared."),
    "unknown_asset": _("There is nothing named %(name)s in the content library."),
    "variable_name": _("A variable is named by small letters, digits, _ and dots."),
    "variable_type": _("This is no type of variable."),
    "variable_twice": _("The variable %(name)s is declared twice."),
    "fallback_missing": _("The variable %(name)s needs a fallback for %(language)s."),
    "too_many_variables": _("There are too many variables."),
    "too_long": _("The text is too long."),
    "empty": _("The text is empty."),
    "control": _("The text holds characters that cannot be sent."),
    "line_break": _("A subject is a single line."),
    "no_texts": _("There is no text in any language."),
    "channel": _("There is no such channel or language."),
}


@dataclass(frozen=True, slots=True)
class Variable:
    """A declared variable: its type, and per language what is written where there is no value."""

    name: str
    type: Type
    fallback: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rendered:
    """What is sent: the subject (empty on channels without one), the text and its HTML."""

    subject: str = field(repr=False)
    body: str = field(repr=False)
    html: str = field(default="", repr=False)


def names_in(text: str) -> list[str]:
    """Return the variables that a text names, in order.

    Raises: TextsInvalidError where a double brace belongs to none.
    """
    if _BRACES.search(_HOLE.sub("", text)):
        raise TextsInvalidError("", "syntax")
    return _HOLE.findall(text)


def parse_variables(data: Iterable[Mapping[str, Any]]) -> dict[str, Variable]:
    """Return the declared variables by name.

    Raises: TextsInvalidError.
    """
    found: dict[str, Variable] = {}
    for number, each in enumerate(data):
        where, name = f"variables/{number}", str(each.get("name", ""))
        if number >= MOST_VARIABLES:
            raise TextsInvalidError(where, "too_many_variables")
        if not _NAME.fullmatch(name) or len(name) > 60 or name.startswith(ASSET):
            raise TextsInvalidError(where, "variable_name", name=name)
        if name in found:
            raise TextsInvalidError(where, "variable_twice", name=name)
        if each.get("type") not in set(Type):
            raise TextsInvalidError(where, "variable_type", name=name)
        fallback = {key: str(value) for key, value in dict(each.get("fallback") or {}).items()}
        for text in fallback.values():
            _check_text(where, text, LONGEST_VALUE, may_be_empty=True)
        found[name] = Variable(name, Type(each["type"]), fallback)
    return found


Contents = Mapping[str, Mapping[str, Mapping[str, str]]]


def check(
    contents: Contents, variables: Mapping[str, Variable], *, channels: Collection[str],
    assets: Collection[str] = (),
) -> None:  # fmt: skip
    """Refuse texts that could not be sent: what they name is declared and has a fallback.

    Raises: TextsInvalidError.
    """
    texts = [
        (language, channel, part)
        for language, by_channel in contents.items()
        for channel, part in by_channel.items()
    ]
    if not texts:
        raise TextsInvalidError("", "no_texts")
    for language, channel, part in texts:
        where = f"{language}/{channel}"
        if language not in LANGUAGES or channel not in channels:
            raise TextsInvalidError(where, "channel")
        subject, body = part.get("subject", ""), part.get("body", "")
        _check_text(f"{where}/subject", subject, LONGEST_SUBJECT, may_be_empty=channel != "email")
        _check_text(f"{where}/body", body, LONGEST_BODY)
        if "\n" in subject or "\r" in subject:
            raise TextsInvalidError(f"{where}/subject", "line_break")
        for name in [*_named(where, subject), *_named(where, body)]:
            _check_name(where, name, language, variables, assets)


def _named(where: str, text: str) -> list[str]:
    try:
        return names_in(text)
    except TextsInvalidError as error:
        raise TextsInvalidError(where, "syntax") from error


def _check_text(where: str, text: str, longest: int, *, may_be_empty: bool = False) -> None:
    if len(text) > longest:
        raise TextsInvalidError(where, "too_long")
    if not text.strip() and not may_be_empty:
        raise TextsInvalidError(where, "empty")
    if _control(text, keep="\n\t") != text.replace("\r\n", "\n"):
        raise TextsInvalidError(where, "control")


def _check_name(
    where: str,
    name: str,
    language: str,
    variables: Mapping[str, Variable],
    assets: Collection[str],
) -> None:
    if name.startswith(ASSET):
        if name.removeprefix(ASSET) not in assets:
            raise TextsInvalidError(where, "unknown_asset", name=name.removeprefix(ASSET))
        return
    variable = variables.get(name)
    if variable is None:
        raise TextsInvalidError(where, "unknown_variable", name=name)
    if language not in variable.fallback:
        raise TextsInvalidError(where, "fallback_missing", name=name, language=language)


def written(variable: Variable, value: Any, language: str) -> str:
    """Return a value as people of the language write it; its fallback where there is none."""
    try:
        text = _written(variable.type, value, language)
    except (TypeError, ValueError, InvalidOperation):
        text = ""
    text = " ".join(_control(text).split())
    if not text or len(text) > LONGEST_VALUE:
        return variable.fallback.get(language, "")
    return text


def written_day(day: date, language: str) -> str:
    """Return a day as people of the language write it."""
    if language == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {day:%B %Y}"


def _written(kind: Type, value: Any, language: str) -> str:
    if value is None or isinstance(value, bool | list | dict):
        return ""
    match kind:
        case Type.INTEGER:
            return f"{int(value):,}"
        case Type.MONEY:
            return f"{Decimal(str(value)):,.2f}"
        case Type.DATE:
            day = value if isinstance(value, date) else date.fromisoformat(str(value)[:10])
            return written_day(day, language)
        case _:
            return str(value)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its variables' values, each put in once: a value is never read as text."""
    return _HOLE.sub(lambda hole: values.get(hole[1], ""), text)


def render(part: Mapping[str, str], values: Mapping[str, str], *, channel: str) -> Rendered:
    """Return what is sent on a channel, from written values."""
    subject = " ".join(_control(fill(part.get("subject", ""), values)).split())[:250]
    body = _control(fill(part.get("body", ""), values), keep="\n").strip()
    if channel == "sms":
        body = " ".join(body.split())
    if channel != "email":
        return Rendered(subject, body)
    return Rendered(subject, body, as_html(body))


def as_html(body: str) -> str:
    """Return a text as HTML: everything escaped, links made links, addresses of images images."""
    parts, at = [], 0
    for found in _LINK.finditer(body):
        parts += [html.escape(body[at : found.start()]), _linked(found[0])]
        at = found.end()
    parts.append(html.escape(body[at:]))
    paragraphs = "".join(parts).split("\n\n")
    return "".join(f"<p>{each.strip()}</p>" for each in paragraphs).replace("\n", "<br>")


def _linked(address: str) -> str:
    safe = html.escape(address)
    if _IMAGE.search(address):
        return f'<img src="{safe}" alt="" style="max-width:100%">'
    return f'<a href="{safe}">{safe}</a>'


def segments(body: str) -> int:
    """Return how many text messages a text is paid as.

    Units: GSM 03.38 counts 160 characters, or 153 in each of several; other texts 70 and 67 in
    16-bit units.
    """
    if all(each in _GSM or each in _GSM_TWICE for each in body):
        length, one, many = len(body) + sum(each in _GSM_TWICE for each in body), 160, 153
    else:
        length, one, many = len(body.encode("utf-16-be")) // 2, 70, 67
    if length <= one:
        return 1
    return -(-length // many)


def _control(text: str, *, keep: str = "") -> str:
    """Return a text without control characters; those that part words become spaces."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(_kept(each, keep) for each in text)


def _kept(each: str, keep: str) -> str:
    if each in keep or not _is_control(each):
        return each
    return " " if each in "\n\t" else ""


def _is_control(each: str) -> bool:
    # Cs are halves of characters that no encoding writes.
    return unicodedata.category(each) in {"Cc", "Cs"} or each in _TURNING
