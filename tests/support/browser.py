"""The real browser of the tests."""

import shutil

CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


def chromium_path() -> str | None:
    """The system's Chromium, or None for Playwright's own."""
    return next((path for name in CHROMIUM if (path := shutil.which(name))), None)
