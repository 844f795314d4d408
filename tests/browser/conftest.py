"""A real browser at a real server, on a database of the test's own.

A page that logs an error, or that asks for what its Content-Security-Policy forbids, fails its
test. `clock` is the programme's own and can be moved, in the server's threads too.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from config.base import clock as programme_clock
from members.models import Member
from rewards.models import PointsAccount

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
SIZE: ViewportSize = {"width": 1280, "height": 800}
SECONDS = 20_000
ADDRESS_OF_MEMBER = "**/members/member/*/change/"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the browser for the tests of a module.

    Not longer: the loop that drives it must be over before tests that fork and share nothing.
    """
    if not CHROMIUM.exists():
        pytest.skip("there is no browser here")
    # Playwright keeps an event loop in this thread, where Django would refuse to use a database.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        started = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=list(ARGUMENTS), headless=True
        )
        yield started
        started.close()


class _SiteHandler(StaticFilesHandler):
    """The site with its static files, from where they are written."""

    def __init__(self, *_: object) -> None:
        super().__init__(WSGIHandler())


@pytest.fixture
def server(browser: Browser, own_database: str) -> Iterator[str]:
    """Serve the site with its static files; returns its address."""
    thread = LiveServerThread("127.0.0.1", _SiteHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    yield f"http://127.0.0.1:{thread.port}"
    thread.terminate()


@contextmanager
def redrawn(page: Page) -> Iterator[None]:
    """Do what draws a part of the page anew, and wait until the new part stands.

    What is chosen in between would be lost with the old part. A network that is idle says nothing:
    it was so when the page had been loaded.
    """
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        yield
    busy = ".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added"
    page.wait_for_function(f"!document.querySelector('{busy}')")


@dataclass
class Clock:
    """The programme's clock: the wall's, and so much ahead."""

    ahead: timedelta = timedelta()
    wall: Callable[[], datetime] = field(default=programme_clock.now)

    def now(self) -> datetime:
        return self.wall() + self.ahead

    def wait(self, **span: float) -> None:
        self.ahead += timedelta(**span)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Let the test wait without waiting."""
    hands = Clock()
    monkeypatch.setattr(programme_clock, "now", hands.now)
    return hands


def staff(username: str, *permissions: str) -> User:
    """Make a member of staff with just these permissions (`app.codename`)."""
    user = User.objects.create_user(username, password="x", is_staff=True)
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    return user


def available(member: Member) -> int:
    """Return the points that a member can spend."""
    return PointsAccount.objects.get(member=member, kind="points").available


def decide(page: Page, about: str) -> None:
    """Approve the one request that waits in the inbox, after reading what it is about."""
    page.goto("/admin/approvals/")
    expect(page.locator("table.lc-table tbody")).to_contain_text(about)
    page.locator("a[href*='/decide']").click()
    page.locator("button[value=approve]").click()
    page.wait_for_url(lambda address: not address.endswith("/decide/"))


@pytest.fixture
def visit(browser: Browser, server: str) -> Iterator[Callable[..., Page]]:
    """Return how to open the console as somebody, in a window of their own."""
    contexts = []
    wrong: list[str] = []

    def open_as(user: User, *, locale: str = "zh-CN") -> Page:
        client = Client()
        client.force_login(user)
        context = browser.new_context(
            base_url=server, viewport=SIZE, locale=locale, timezone_id="Asia/Shanghai"
        )
        context.set_default_timeout(SECONDS)
        context.route("**/favicon.ico", lambda route: route.fulfill(status=204))
        context.add_cookies(
            [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": server}]
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert wrong == [], "the pages logged errors or broke their security policy"
