"""Fixtures of the journeys: a platform on SQLite, a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.browser import CHROMIUM_ARGUMENTS, chromium_path
from tests.support.platform import RunningPlatform


@pytest.fixture(scope="session")
def platform(sqlite_platform: RunningPlatform) -> RunningPlatform:
    """Journeys run on SQLite; what depends on the database is tested over HTTP on both."""
    return sqlite_platform


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, or else Playwright's own."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_ARGUMENTS)
        yield running
        running.close()
