"""A passkey made and shown in a real browser, under the console's own policy."""

from collections.abc import Iterator

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.db import connections
from django.test.testcases import LiveServerThread
from django_otp_webauthn.models import WebAuthnCredential
from playwright.sync_api import Page, expect, sync_playwright

from config.models import RecoverySheet, StaffAct
from tests.factories import console

pytestmark = [pytest.mark.browser, pytest.mark.req("MEM-10")]

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture
def address(own_database: str) -> Iterator[str]:
    """Serve the site at a host where browsers allow passkeys."""
    server = LiveServerThread("localhost", StaticFilesHandler, port=0)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    assert server.error is None
    yield f"http://localhost:{server.port}"
    server.terminate()


@pytest.fixture
def page(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """Open a browser with a security key that is always touched."""
    # Playwright has an event loop in this thread, which Django takes for its own.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(base_url=address, locale="en-US")
        devtools = page.context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        devtools.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
                    "hasUserVerification": True, "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )  # fmt: skip
        yield page
        browser.close()
        # The loop has connections of its own.
        connections.close_all()


def log_in(page: Page) -> None:
    page.goto("/admin/login/")
    page.fill("input[name=username]", "li.na")
    page.fill("input[name=password]", "x")
    page.click("#login-form button")


def test_a_passkey_is_added_and_logs_in(page: Page) -> None:
    console.staff()
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if "Security" in said.text else None)

    log_in(page)
    page.goto("/admin/second-factors/")
    page.click("#passkey-register-button")
    expect(page.locator("table")).to_contain_text("Passkey")
    page.click("text=Make new recovery codes")
    expect(page.locator("#recovery-codes li")).to_have_count(10)

    page.context.clear_cookies()
    log_in(page)
    expect(page).to_have_url(f"{page.url.partition('/admin')[0]}/admin/second-step/")
    # Before the page has been loaded nobody listens to its button.
    page.wait_for_load_state("load")
    page.click("#passkey-verification-button")
    page.wait_for_url("**/admin/")

    assert WebAuthnCredential.objects.count() == 1
    assert RecoverySheet.objects.count() == 1
    last = StaffAct.objects.filter(act="login").latest("seq")
    assert last.after == {"second_factor": "passkey"}
    assert refused == []
