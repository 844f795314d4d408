"""Whatever the API refuses, it says so in the language that was asked for, and only in that."""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext

from config.base.api import codes
from config.base.api.problems import FieldError
from config.base.errors import DomainError
from tests.api import bodies
from tests.api.conftest import Answer, Caller
from tests.api.test_bad_input import calls, places, replaced
from tests.api.test_openapi import METHODS
from tests.console.test_language import CJK, KEPT, WORD
from tests.factories import members

LANGUAGES = ("zh-hans", "en")
APPS = ("members", "tiers", "rewards", "campaigns", "config")
# What a caller reads is said by these; pages have a walk of their own.
SPEAKING = ("api", "domain", "services", "base")
# Formats, protocols and names of fields, which a program has to write as they are.
OF_API = frozenset(
    (
        "ASCII", "Authorization", "Bearer", "DELETE", "ISO", "Idempotency", "Infinity", "Key",
        "NaN", "RFC", "TRUNCATE", "UPDATE", "YYYY", "all", "any", "application", "between",
        "client", "completejourney", "deps", "fact",
        "false", "field", "fields", "https", "install", "is_set", "json", "line_no", "not", "null",
        "path", "pip", "rrggbb", "rule", "secret", "topics", "true", "value", "whsec_",
    )
)  # fmt: skip
PLACEHOLDER = re.compile(r"%\(\w+\)\.?\d*\w|\{\w*\}")
BODYLESS = frozenset(("get", "delete"))
VALUES: tuple[Any, ...] = (None, 1 << 63, "x" * 5_000, [], "2026-02-29")


def foreign(text: str, language: str) -> set[str]:
    """Return the words of a text that are of another language."""
    if language == "en":
        return set(CJK.findall(text))
    words = re.findall(r"[A-Za-z_]{3,}", PLACEHOLDER.sub("", text))
    return {word for word in words if WORD.search(word)} - KEPT - OF_API


def told(problem: dict[str, Any]) -> Iterator[str]:
    """Return what a problem document says to people."""
    for part in (problem, *problem.get("errors", ())):
        yield from (part[key] for key in ("title", "detail") if key in part)


@functools.cache
def modules() -> tuple[tuple[Path, ast.Module], ...]:
    """Return the parsed modules whose sentences an answer may carry."""
    found = (
        path
        for app in APPS
        for path in sorted((Path(settings.BASE_DIR) / app).rglob("*.py"))
        if set(path.parts) & set(SPEAKING) and "migrations" not in path.parts
    )
    return tuple((path, ast.parse(path.read_text())) for path in found)


def named(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def refusals(root: type[DomainError] = DomainError) -> set[str]:
    """Return the names of all kinds of refusals."""
    return {root.__name__, FieldError.__name__}.union(*map(refusals, root.__subclasses__()))


def sentences() -> Iterator[tuple[str, str, bool]]:
    """Return every literal that is translated, or that stands in an error as it is."""
    errors = refusals()
    for path, module in modules():
        for call in (node for node in ast.walk(module) if isinstance(node, ast.Call)):
            is_marked = named(call) in {"_", "gettext", "gettext_lazy"}
            if not is_marked and named(call) not in errors:
                continue
            for given in (*call.args, *(keyword.value for keyword in call.keywords)):
                if isinstance(given, ast.Constant) and isinstance(given.value, str):
                    place = f"{path.relative_to(settings.BASE_DIR)}:{given.lineno}"
                    yield f"{place}:{given.col_offset}", given.value, is_marked


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_a_title_in_the_language(language: str) -> None:
    with translation.override(language):
        titles = [str(kind.title) for kind in codes.known().values()]
        titles += [str(title) for title in (*codes.STATUS_TITLES.values(), codes.UNKNOWN)]
    assert len(titles) > 100
    assert {title: wrong for title in titles if (wrong := foreign(title, language))} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_of_a_refusal_is_in_the_language(language: str) -> None:
    with translation.override(language):
        said = {place: gettext(text) for place, text, is_marked in sentences() if is_marked}
    assert len(said) > 300
    assert {place: text for place, text in said.items() if foreign(text, language)} == {}


def test_no_refusal_has_a_sentence_that_is_not_translated() -> None:
    bare = {place: text for place, text, is_marked in sentences() if not is_marked}
    assert {place: text for place, text in bare.items() if " " in text.strip()} == {}


def requests(member: str) -> Iterator[tuple[str, str, Any]]:
    """Return bad requests over every operation: what is not there, empty, or no value at all."""
    schema = orjson.loads(Client().get("/api/v1/schema").content)
    for route, item in schema["paths"].items():
        for method in (each for each in METHODS if each in item):
            for filled in (member, "9" * 7):
                path = re.sub(r"\{\w+\}", filled, route).removeprefix("/api/v1")
                for query in ("", "?cursor=x&limit=x&at=x&from=x&to=x&language=x"):
                    for body in (None,) if method in BODYLESS else (None, {}, b"{", {"x": 1}):
                        yield method.upper(), f"{path}{query}", body
    for method, path, body in calls(member):
        for at in places(body):
            yield from ((method, path, replaced(body, at, value)) for value in VALUES)


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
def test_refusals_over_all_routes_are_in_the_language(till: Caller, language: str) -> None:
    wrong: dict[str, str] = {}
    met: set[str] = set()
    for method, path, body in requests(str(members.member().public_id)):
        answer: Answer = till.call(
            method,
            path.format(n=bodies.number()),
            body,
            Accept_Language=language,
            Idempotency_Key=bodies.number(),
        )
        if answer.status < 400 or not isinstance(answer.body, dict):
            continue
        met.add(answer.code)
        for text in told(answer.body):
            for word in foreign(text, language):
                wrong.setdefault(word, f"{method} {path} {answer.code}: {text}")
    assert len(met) > 15, met
    assert wrong == {}
