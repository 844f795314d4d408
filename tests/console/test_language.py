"""Every page of the console speaks the language it was asked for, and only that."""

import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils.text import capfirst
from pypdf import PdfReader

from config.base import panels
from members.models import Case, Member
from rewards.models import CouponTemplate, Reward
from tests.campaigns.test_reports import mailbox, make, owed, send
from tests.factories import catalogue, console, coupons

pytestmark = pytest.mark.django_db

# Latin words that Chinese pages keep: names of formats, protocols and products.
KEPT = frozenset(
    (
        "API", "APP", "Asia", "CSV", "Command", "Control", "Cron", "Excel", "JSON", "LDAP", "Mac",
        "PDF", "Parquet", "SKU", "Shanghai", "URL", "UTC", "UTF", "WebAuthn", "Webhook", "esc",
        "xlsx",
    )
)  # fmt: skip
# What the scheduler's forms quote of queues and of its own language.
OF_SCHEDULER = frozenset(
    (
        "AMQP", "CELERY", "False", "None", "QUEUES", "RabbitMQ", "Redis", "TASK", "True", "all",
        "arg", "argument", "contacts", "enabled", "import", "proj", "tasks", "value",
    )
)  # fmt: skip
SCHEDULER = "/django_celery_beat/"
WORD = re.compile(r"[A-Za-z]{3,}")
CJK = re.compile(r"[\u3400-\u9fff]+")
SILENT = frozenset(("script", "style", "code", "pre", "template"))
SPOKEN = frozenset(("title", "placeholder", "aria-label", "alt"))
EMPTY = frozenset(("br", "hr", "img", "input", "link", "meta", "source", "wbr", "col"))
# The names of symbols, which a font draws.
ICONS = "material-symbols"
# The names of jobs and time zones are codes; languages on offer name themselves.
OF_ITSELF = frozenset(("regtask", "timezone"))
LANGUAGES = "/i18n/"
# The words of these name models and their permissions, not what a programme holds.
NOT_DATA = frozenset(("auth_permission", "django_content_type"))
OPENED = 180
# A code with a digit is data: of a coupon, a card, an order; and so is the end of a masked one.
CODE = re.compile(r"…[A-Z0-9]{4}\b|[A-Za-z]*[-\w…]*\d[-\w]*")


class Words(HTMLParser):
    """What a page says: its text, and the attributes that are shown or read aloud."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.said += [value for name, value in attrs if name in SPOKEN and value]
        if tag == "input" and given.get("type") in {"submit", "button"}:
            self.said.append(given.get("value") or "")
        if tag not in EMPTY:
            self.open.append((tag, is_silent(tag, given)))

    def handle_endtag(self, tag: str) -> None:
        names = [name for name, _silent in self.open]
        if tag in names:
            del self.open[len(names) - 1 - names[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        if not any(silent for _name, silent in self.open):
            self.said.append(data)


def is_silent(tag: str, given: dict[str, str | None]) -> bool:
    """Tell whether what an element holds is data, or not read by anybody."""
    classes = given.get("class") or ""
    return (
        tag in SILENT
        or ICONS in classes
        or "lc-code" in classes.split()
        or (tag == "select" and given.get("name") in OF_ITSELF)
        or (tag == "form" and LANGUAGES in (given.get("action") or ""))
    )


def said_by(html: str) -> list[str]:
    words = Words()
    words.feed(html)
    return words.said


def data_of(pattern: re.Pattern[str]) -> frozenset[str]:
    """Return all words that stand in the rows of the database, as they are."""
    tables = sorted({m._meta.db_table for m in apps.get_models()} - NOT_DATA)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT t::text FROM {table} t" for table in tables))
        return frozenset(word for (row,) in cursor.fetchall() for word in pattern.findall(row))


def headed(words: frozenset[str]) -> frozenset[str]:
    """Return the words of data with which names of rows begin, as a page's path writes them."""
    rows = (model._default_manager.order_by("pk").first() for model in admin.site._registry)
    begins = (WORD.match(str(row)) for row in rows if row is not None)
    return frozenset(capfirst(found[0]) for found in begins if found and found[0] in words)


@pytest.fixture
def visitor(client: Client) -> Client:
    """Return a superuser in front of a programme with a row in most lists."""
    cache.clear()
    console.programme()
    member = console.member()
    catalogue.reward("mug")
    coupons.coupon(member, coupons.template("ten"), at=console.AT)
    client.force_login(console.staff())
    return client


def addresses() -> Iterator[str]:
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        yield reverse(f"{name}_add")
        row = model._default_manager.order_by("pk").first()
        if row is not None:
            yield reverse(f"{name}_change", args=[row.pk])
    yield from (reverse(f"admin:{name}") for name in ("index", "password_change"))
    arguments = {
        "member_id": Member.objects.get().pk, "case_id": Case.objects.get().pk,
        "template_id": CouponTemplate.objects.get().pk, "reward_id": Reward.objects.get().pk,
        "verb": "cancel", "column": "issued", "month": "2026-03", "group": "members",
    }  # fmt: skip
    for page in panels.pages():
        names = re.findall(r"<\w+:(\w+)>", page.route)
        yield reverse(f"admin:{page.name}", kwargs={name: arguments.get(name, 1) for name in names})


def leaks(
    visitor: Client, language: str, pattern: re.Pattern[str], kept: frozenset[str] = frozenset()
) -> dict[str, str]:
    """Return the words of other languages that pages say, with a page and text that holds each."""
    words = data_of(pattern)
    kept |= words | headed(words)
    found: dict[str, str] = {}
    opened = 0
    for address in addresses():
        response = visitor.get(address, headers={"accept-language": language})
        if response.status_code != 200 or "text/html" not in response["Content-Type"]:
            continue
        opened += 1
        own = OF_SCHEDULER if SCHEDULER in address else frozenset()
        for text in said_by(response.text):
            for word in set(pattern.findall(CODE.sub("", text))) - kept - own:
                found.setdefault(word, f"{address}: {text.strip()[:80]}")
    assert opened > OPENED
    return found


def test_pages_in_chinese_have_no_english_words(visitor: Client) -> None:
    assert leaks(visitor, "zh-hans", WORD, KEPT) == {}


def test_pages_in_english_have_no_chinese_words(visitor: Client) -> None:
    assert leaks(visitor, "en", CJK) == {}


def test_a_word_of_another_language_is_found() -> None:
    page = (
        "<p title='会员'>Points<i class='material-symbols-outlined'>redeem</i><script>var</script>"
    )
    assert WORD.findall(" ".join(said_by(page))) == ["Points"]
    assert CJK.findall(" ".join(said_by(page))) == ["会员"]


def test_a_report_in_chinese_has_no_english_words_in_its_file_and_mail(visitor: Client) -> None:
    make()
    owed("zh-hans")
    with mailbox() as box:
        assert send() == 1
    (message,) = box.messages
    (file,) = message.files.values()
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(file)).pages]
    said = CODE.sub("", " ".join([message.subject, message.text, *pages]))
    assert "周报" in message.subject
    assert set(WORD.findall(said)) - KEPT - data_of(WORD) == set()
