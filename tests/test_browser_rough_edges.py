"""What a new user stumbled over: small things in a real browser that have to stay right."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.platform import RunningPlatform
from tests.support.screens import Line, fresh_browser, new_work, sign_in, sign_up

pytestmark = pytest.mark.browser

MIB = 1024 * 1024


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = fresh_browser(browser)
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    yield page
    context.close()


def test_a_form_outlives_its_session(sqlite_platform: RunningPlatform, page: Page) -> None:
    """Signed out in another tab, signed in again there: what was typed is still here, and one press sends it."""
    email = sign_up(page, sqlite_platform)
    page.goto(f"{sqlite_platform.url}/works/new")
    page.get_by_label("Title").fill("Typed with care")
    page.context.clear_cookies()
    page.get_by_role("button", name="Create work").click()
    expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    expect(page.get_by_text("Typed with care")).to_be_visible()
    with page.context.expect_page() as opened:
        page.get_by_role("main").get_by_role("link", name="Sign in").click()
    sign_in(opened.value, email)
    opened.value.wait_for_url("**/works/new")
    opened.value.close()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Typed with care", level=1)).to_be_visible()
