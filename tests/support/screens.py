"""People in front of a real browser: the few things that most browser tests begin with."""

import itertools
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.platform import RunningPlatform

PASSWORD = "harbour winter night bus"

_people = itertools.count(1)


def fresh_browser(browser: Browser, **options: Any) -> BrowserContext:
    """A browser without a past, in a network of its own so that limits of sign-ups do not meet."""
    number = next(_people)
    address = f"198.51.{100 + number // 250}.{number % 250 + 1}"
    return browser.new_context(extra_http_headers={"x-forwarded-for": address}, **options)


def sign_up(page: Page, platform: RunningPlatform) -> str:
    """Make an account on the page for it. Returns the e-mail address."""
    email = f"screen-{next(_people)}@example.org"
    page.goto(f"{platform.url}/sign-up")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/works")
    return email


def sign_in(page: Page, email: str) -> None:
    """Fill in the sign-in form that the page shows."""
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def new_work(page: Page, platform: RunningPlatform, title: str = "Night Bus") -> None:
    """Make a work and open it."""
    page.goto(f"{platform.url}/works")
    page.get_by_role("button", name="New work").click()
    page.get_by_label("Title").fill(title)
    page.get_by_role("button", name="Create work").click()
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()


class Line:
    """The line between a page and the platform. As fast as it can be until it is told otherwise."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Network.enable")

    def slow(self, bytes_per_second: int) -> None:
        """Send no faster than this."""
        self._emulate(offline=False, upload=bytes_per_second)

    def cut(self) -> None:
        """Nothing goes through."""
        self._emulate(offline=True, upload=-1)

    def whole(self) -> None:
        """As fast as it can be."""
        self._emulate(offline=False, upload=-1)

    def _emulate(self, *, offline: bool, upload: int) -> None:
        conditions = {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": upload}
        self._session.send("Network.emulateNetworkConditions", conditions)
