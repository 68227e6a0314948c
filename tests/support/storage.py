"""What a real browser holds of a site: every kind of storage, and every origin it asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page

SNAPSHOT = """async () => ({
  local: Object.fromEntries(Object.entries(localStorage)),
  session: Object.fromEntries(Object.entries(sessionStorage)),
  indexeddb: (await indexedDB.databases()).map((database) => database.name),
  cache: await caches.keys(),
  workers: (await navigator.serviceWorker.getRegistrations()).map((registration) => registration.scope),
  opfs: await (async () => {
    const names = [];
    for await (const name of (await navigator.storage.getDirectory()).keys()) names.push(name);
    return names;
  })(),
})"""

NOTHING: dict[str, Any] = {"local": {}, "session": {}, "indexeddb": [], "cache": [], "workers": [], "opfs": []}


@dataclass
class Traffic:
    """The origins that were asked, and what the browser complained about."""

    origins: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)


@contextmanager
def watched(page: Page) -> Iterator[Traffic]:
    """Note every request and every complaint of the page."""
    traffic = Traffic()

    def note(request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob"}:
            traffic.origins.add(f"{parts.scheme}://{parts.netloc}")

    page.on("request", note)
    page.on(
        "console",
        lambda message: traffic.complaints.append(message.text) if message.type in {"error", "warning"} else None,
    )
    page.on("pageerror", lambda error: traffic.complaints.append(str(error)))
    yield traffic


def stored(page: Page) -> dict[str, Any]:
    """Everything but cookies that this origin stored."""
    return dict(page.evaluate(SNAPSHOT))


def cookies(context: BrowserContext, page: Page) -> list[dict[str, Any]]:
    """The browser's own list of cookies, with their attributes, HttpOnly ones too."""
    session = context.new_cdp_session(page)
    found = session.send("Network.getAllCookies")["cookies"]
    session.detach()
    return sorted(found, key=lambda cookie: cookie["name"])
