"""Take the pictures of the documents from a running demo."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from config.management.demo.campaign import SEGMENT

try:
    from playwright.sync_api import Error as BrowserError
    from playwright.sync_api import Page, ViewportSize, sync_playwright
except ImportError:
    sync_playwright = None  # type: ignore[assignment]

LANGUAGES: Final = {"zh": "zh-CN", "en": "en-GB"}
WIDTH, HEIGHT = 1280, 800
ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--hide-scrollbars")
SYSTEM_CHROMIUM: Final = Path("/usr/bin/chromium")
# Charts draw themselves in this time.
SETTLED_MS: Final = 800
BOARD: Final = "admin/campaigns/board/"
FIRST_CAMPAIGN: Final = ".lc-board a[href*='/campaigns/']"


@dataclass(frozen=True, slots=True)
class Picture:
    """A page to take: its name, where it is, and which links lead on from there."""

    name: str
    path: str
    opens: tuple[str, ...] = ()


PICTURES: Final = (
    Picture("today", "admin/"),
    Picture("desk", "admin/desk/"),
    Picture(
        "member", "admin/members/member/?o=-1", ("a[href*='/members/member/'][href*='/change/']",)
    ),
    Picture(
        "rule-builder",
        "admin/rewards/rule/?q=double_points_from_50_in_store",
        ("a[href*='/rewards/rule/'][href*='/change/']", "a[href*='/rewards/rule-drafts/']"),
    ),
    Picture("dashboard", "admin/reports/dashboard/points/"),
    Picture("month-end", "admin/reports/month-end/"),
    Picture("case-desk", "admin/cases/?queue=all"),
    Picture("approvals", "admin/approvals/"),
    Picture(
        "segment-editor",
        "admin/campaigns/segments/",
        (f"tr:has-text('{SEGMENT}') a[href*='/segments/']", "a[href$='/change/']"),
    ),
    Picture("campaign", BOARD, (FIRST_CAMPAIGN,)),
    Picture("campaign-results", BOARD, (FIRST_CAMPAIGN, "a[href$='/results/']")),
)


class Command(BaseCommand):
    """Log in to a running site and take one picture a page and language."""

    help = "Take the pictures of the documents from a running demo (needs playwright, Chromium)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare where the site is, who logs in, and where the pictures go."""
        parser.add_argument("--url", default="http://127.0.0.1:8000/")
        parser.add_argument("--out", type=Path, default=settings.BASE_DIR / "docs" / "images")
        parser.add_argument("--username", default="admin")
        parser.add_argument("--password", required=True)
        parser.add_argument("--only", help="comma-separated names of pictures")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take the pictures.

        Raises: CommandError without playwright, for a picture nobody knows, and where a page
        does not open.
        """
        if sync_playwright is None:
            raise CommandError(_("Playwright is missing: install the test dependencies first."))
        wanted = pictures(options["only"])
        options["out"].mkdir(parents=True, exist_ok=True)
        try:
            for code, locale in LANGUAGES.items():
                with console(options, locale) as page:
                    for picture in wanted:
                        path = options["out"] / f"{picture.name}.{code}.png"
                        take(page, options["url"], picture, path)
                        self.stdout.write(str(path))
        except BrowserError as error:
            raise CommandError(str(error)) from error


def pictures(only: str | None) -> list[Picture]:
    """Return the pictures of these names, or all."""
    names = {picture.name: picture for picture in PICTURES}
    wanted = only.split(",") if only else list(names)
    unknown = sorted(set(wanted) - names.keys())
    if unknown:
        raise CommandError(_("There is no such picture: %s") % ", ".join(unknown))
    return [names[name] for name in wanted]


@contextmanager
def console(options: dict[str, Any], locale: str) -> "Iterator[Page]":
    """Yield a window of a browser of its own, logged in, in a language."""
    size: ViewportSize = {"width": WIDTH, "height": HEIGHT}
    executable = str(SYSTEM_CHROMIUM) if SYSTEM_CHROMIUM.exists() else None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
        try:
            page = browser.new_context(
                viewport=size, locale=locale, timezone_id=settings.TIME_ZONE
            ).new_page()
            log_in(page, options)
            yield page
        finally:
            browser.close()


def log_in(page: "Page", options: dict[str, Any]) -> None:
    """Log in by name and password."""
    page.goto(urljoin(options["url"], "admin/login/?next=/admin/"))
    page.locator("[name=username]").fill(options["username"])
    page.locator("[name=password]").fill(options["password"])
    page.locator("[name=password]").press("Enter")
    page.wait_for_load_state()
    if page.locator("[name=password]").count():
        raise CommandError(_("%s cannot log in.") % options["username"])


def take(page: "Page", url: str, picture: Picture, path: Path) -> None:
    """Open a page and take its picture; nothing where the page does not open."""
    answer = page.goto(urljoin(url, picture.path))
    if answer is not None and not answer.ok:
        raise CommandError(f"{picture.path}: {answer.status}")
    for link in picture.opens:
        page.goto(urljoin(page.url, page.locator(link).first.get_attribute("href") or ""))
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(SETTLED_MS)
    page.screenshot(path=path)
