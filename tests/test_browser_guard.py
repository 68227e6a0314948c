"""The browser guard on the platform's own pages: what is not declared is refused there, whoever tries it, and told."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from mixip.edge.policy import declaration
from strictly_necessary import Direction, GuardFinding
from strictly_necessary.browser import guard_address
from tests.support.platform import PlatformThread, RunningPlatform
from tests.support.screens import fresh_browser, sign_up
from tests.support.storage import NOTHING, cookies, stored

pytestmark = pytest.mark.browser

GUARD = guard_address(declaration())
TRIES = {
    "cookie": "document.cookie = '_ga=GA1; path=/'",
    "cookie store": "await cookieStore.set('_ga', 'GA1')",
    "local": "localStorage.setItem('visitor', '1')",
    "local, by property": "localStorage.visitor = '1'",
    "local, a value": "localStorage.setItem('mixip_theme', 'visitor-4711')",
    "session": "sessionStorage.setItem('visitor', '1')",
    "indexeddb": "indexedDB.open('visitor')",
    "cache": "await caches.open('visitor')",
    "opfs": "await (await navigator.storage.getDirectory()).getFileHandle('visitor', {create: true})",
    "service worker": "await navigator.serviceWorker.register('/visitor.js')",
    "a frame's storage": (
        "const frame = document.createElement('iframe'); document.body.append(frame);"
        "frame.contentWindow.localStorage.setItem('visitor', '1')"
    ),
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """A platform of its own, because what it finds here is wanted."""
    with PlatformThread(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture
def page(browser: Browser, guarded: RunningPlatform) -> Iterator[Page]:
    context = fresh_browser(browser)
    page = context.new_page()
    page.goto(guarded.url)
    yield page
    context.close()


def told(page: Page, platform: RunningPlatform) -> list[GuardFinding]:
    """What browsers reported, once the reports have arrived."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(200)
    return [finding for finding in platform.findings if finding.direction is Direction.BROWSER]


@pytest.mark.parametrize("way", TRIES)
def test_what_is_not_declared_is_refused_and_told(page: Page, guarded: RunningPlatform, way: str) -> None:
    guarded.findings.clear()
    page.evaluate(f"(async () => {{ try {{ {TRIES[way]} }} catch (error) {{ }} }})()")
    found = told(page, guarded)
    assert stored(page) == NOTHING
    assert cookies(page.context, page) == []
    assert [finding.code for finding in found] == ["SN332" if way == "local, a value" else "SN331"]
    assert "4711" not in str(found)


def test_a_report_identifies_nobody(browser: Browser, guarded: RunningPlatform) -> None:
    context = fresh_browser(browser)
    page = context.new_page()
    email = sign_up(page, guarded)
    page.goto(f"{guarded.url}/works?q=who-asks")
    with page.expect_request("**/.well-known/cookie-report") as sent:
        page.evaluate("try { localStorage.setItem('visitor', 'secret-value') } catch (error) { }")
    request = sent.value
    headers = request.all_headers()
    assert "cookie" not in headers
    assert "referer" not in headers
    body = request.post_data or ""
    assert set(json.loads(body)) == {"code", "kind", "name", "stack"}
    for personal in ("who-asks", "secret-value", email, "/works"):
        assert personal not in body
    context.close()


def test_the_guard_is_the_first_script_of_every_page(browser: Browser, guarded: RunningPlatform) -> None:
    context = fresh_browser(browser)
    page = context.new_page()
    for path in ("/", "/sign-in", "/account/display", "/legal/cookies/de", "/api", "/nothing-here", "/works"):
        page.goto(guarded.url + path)
        assert page.locator("script").first.get_attribute("src") == GUARD, path
    context.close()


def test_the_declaration_is_at_its_well_known_address(guarded: RunningPlatform) -> None:
    answer = httpx.get(f"{guarded.url}/.well-known/cookie-policy.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    document = answer.json()
    assert {item["id"] for item in document["items"]} == {"session", "csrf", "theme", "accent", "load-balancer"}
    again = httpx.get(
        f"{guarded.url}/.well-known/cookie-policy.json", headers={"if-none-match": answer.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


def test_every_page_of_ours_begins_with_the_layout() -> None:
    """A page with a head of its own could forget the guard."""
    root = Path(__file__).parent.parent / "packages/mixip/src/mixip"
    heads = [path.relative_to(root).as_posix() for path in root.rglob("*.html") if "<head>" in path.read_text()]
    assert heads == ["look/pages/layout.html"]
