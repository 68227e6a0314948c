"""Each example is started with its one command and driven in a real Chromium: the same site, the same promises."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Route, expect, sync_playwright

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EXAMPLES = Path(__file__).parent.parent / "examples"
NAMES = ("django", "fastapi", "flask", "litestar", "starlette")
STORED = """() => ({
    cookie: document.cookie, local: Object.entries(localStorage), session: Object.entries(sessionStorage),
})"""
EXPECTED = re.compile("SN331|^Clear-Site-Data header on")
"""What the console may say: that a script was refused, and that data was cleared at the sign-out."""

NOTHING: dict[str, Any] = {"cookie": "", "local": [], "session": []}


@contextmanager
def served(command: list[str], folder: Path | None = None, **environment: str) -> Iterator[str]:
    """A site as a process of its own, which gets `--port`; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen(
        [*command, "--port", str(port)],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            for _ in range(300):
                if process.poll() is not None:
                    break
                try:
                    httpx.get(address + "/.well-known/cookie-policy.json")
                except httpx.TransportError:
                    time.sleep(0.1)
                else:
                    break
            assert process.poll() is None, process.stdout.read().decode() if process.stdout else ""
            yield address
        finally:
            process.terminate()


@contextmanager
def started(name: str, mode: str) -> Iterator[str]:
    """The example, started with its one command."""
    with served([sys.executable, str(EXAMPLES / name / "app.py")], GUARD_MODE=mode) as address:
        yield address


@pytest.fixture(scope="module", params=NAMES)
def site(request: pytest.FixtureRequest) -> Iterator[str]:
    with started(request.param, "enforce") as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser, site: str) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=site)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that says nothing to the console by itself: no fault, and nothing that the CSP refused."""
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(error.message))
    yield page
    assert [text for text in said if not EXPECTED.search(text)] == []


def sign_in(page: Page) -> None:
    """Until the page that follows has run its scripts: its heading is there before them."""
    page.goto("/sign-in")
    page.get_by_label("Your name").fill("Ada <b>")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello, Ada <b>")
    page.wait_for_load_state("load")


def only_the_token_is_left(page: Page, context: BrowserContext) -> None:
    """At once, or within the second up to which a browser reads `Expires` where the server's `Date` lags behind."""
    for _ in range(20):
        if [cookie["name"] for cookie in context.cookies()] == ["__Host-csrf"]:
            return
        page.wait_for_timeout(100)
    assert [cookie["name"] for cookie in context.cookies()] == ["__Host-csrf"]


def test_a_first_visit_keeps_nothing(page: Page, context: BrowserContext) -> None:
    for path in ("/", "/cookies", "/break"):
        page.goto(path)
        assert context.cookies() == []
        assert page.evaluate(STORED) == NOTHING
        assert page.locator("script").first.get_attribute("src") == "/.well-known/cookie-guard.js"


def test_signing_in_sets_the_declared_cookies_and_signing_out_removes_the_session(
    page: Page, context: BrowserContext
) -> None:
    page.goto("/notes")
    assert page.url.endswith("/sign-in")
    sign_in(page)
    kept = {cookie["name"]: cookie for cookie in context.cookies()}
    assert sorted(kept) == ["__Host-csrf", "__Host-session"]
    for name, same_site in {"__Host-csrf": "Strict", "__Host-session": "Lax"}.items():
        cookie = kept[name]
        shown = (cookie["httpOnly"], cookie["secure"], cookie["sameSite"], cookie["path"], cookie["expires"])
        assert shown == (True, True, same_site, "/", -1)
    with page.expect_response("**/sign-out") as answer:
        page.get_by_role("button", name="Sign out").click()
    assert answer.value.all_headers()["clear-site-data"] == '"cache"'
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    only_the_token_is_left(page, context)


def test_a_note_is_drafted_in_the_tab_and_saved_with_the_site(page: Page) -> None:
    sign_in(page)
    page.get_by_label("A new note").press_sequentially("Buy <salt>")
    assert page.evaluate(STORED) == {**NOTHING, "session": [["draft", "Buy <salt>"]]}
    page.reload()
    expect(page.get_by_label("A new note")).to_have_value("Buy <salt>")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("listitem").filter(has_text="Buy <salt>").first).to_be_visible()
    assert page.evaluate(STORED) == NOTHING


def test_what_is_written_before_the_script_arrives_stays(page: Page) -> None:
    sign_in(page)
    page.evaluate("sessionStorage.setItem('draft', 'from before')")
    held: list[Route] = []
    page.route("**/static/draft.js", lambda route: held.append(route))
    page.goto("/notes", wait_until="commit")
    page.get_by_label("A new note").press_sequentially("Buy")
    for _ in range(100):
        if held:
            break
        page.wait_for_timeout(100)
    assert len(held) == 1
    held[0].continue_()
    page.wait_for_load_state("load")
    page.get_by_label("A new note").press_sequentially(" bread")
    expect(page.get_by_label("A new note")).to_have_value("Buy bread")
    assert page.evaluate(STORED) == {**NOTHING, "session": [["draft", "Buy bread"]]}


def test_the_theme_is_one_key_and_is_told(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_text("Your choice is kept in this browser only")).to_be_visible()
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_label("Dark").check()
    assert page.evaluate(STORED) == {**NOTHING, "local": [["theme", "dark"]]}
    page.goto("/cookies")
    expect(page.get_by_label("Dark")).to_be_checked()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.get_by_label("System").check()
    assert page.evaluate(STORED) == NOTHING


def test_what_is_not_declared_is_not_kept_and_is_told(page: Page, context: BrowserContext) -> None:
    page.goto("/break")
    for name, code, where in (
        ("A cookie by header", "SN311", "response"),
        ("A cookie by script", "SN331", "cookie"),
        ("A key in local storage", "SN331", "local"),
    ):
        page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name)).click()
        expect(page.locator("#said li").first).to_have_text(re.compile(rf'^{code} .*"tracker".* \({where}\)$'))
    assert context.cookies() == []
    assert page.evaluate(STORED) == NOTHING
    expect(page.locator("#kept")).to_have_text("Nothing.")


def test_a_cookie_of_others_never_reaches_the_site(page: Page, context: BrowserContext, site: str) -> None:
    context.add_cookies([{"name": "_ga", "value": "GA1", "url": site}])
    page.goto("/break")
    expect(page.get_by_text("Cookie _ga", exact=True)).to_have_count(0)
    expect(page.get_by_text("Cookie _ga, seen by a script")).to_be_visible()
    expect(page.locator("#said")).to_contain_text('"_ga" is not declared')


def test_the_policy_names_each_item_in_the_language_of_the_browser(browser: Browser, site: str) -> None:
    context = browser.new_context(base_url=site, locale="de-AT")
    page = context.new_page()
    page.goto("/cookies")
    assert page.locator("article").get_attribute("lang") == "de"
    titles = [
        "Angemeldet bleiben",
        "Formulare, die wirklich von Ihnen kommen",
        "Farbschema",
        "Die Notiz, die Sie gerade",
    ]
    for title in [*titles, "OpenStreetMap"]:
        expect(page.locator("section.item h3").filter(has_text=title)).to_be_visible()
    assert context.cookies() == []
    context.close()


def test_the_pages_fit_a_phone_and_work_without_scripts(browser: Browser, site: str) -> None:
    context = browser.new_context(base_url=site, java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = context.new_page()
    for path in ("/", "/cookies", "/break"):
        page.goto(path)
        expect(page.get_by_label("Dark")).to_be_hidden()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    sign_in(page)
    page.get_by_label("A new note").fill("Without a script")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Without a script").first).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    only_the_token_is_left(page, context)
    context.close()


@pytest.mark.parametrize("name", NAMES)
def test_in_mode_raise_an_undeclared_cookie_is_an_error_of_the_server(browser: Browser, name: str) -> None:
    with started(name, "raise") as address:
        context = browser.new_context(base_url=address)
        page = context.new_page()
        answer = page.goto("/break/header")
        assert answer is not None
        assert answer.status == 500
        assert context.cookies() == []
        page.goto("/break")
        expect(page.locator("#said")).to_contain_text("SN311")
        context.close()


def test_the_site_of_the_tutorial_does_what_the_tutorial_says(browser: Browser, tmp_path: Path) -> None:
    reader = Path(__file__).with_name("test_strictly_docs.py")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        [sys.executable, reader, EXAMPLES.parent / "docs" / "tutorial.md"],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        check=True,
    )
    with served([sys.executable, "-m", "flask", "run"], tmp_path) as address:
        context = browser.new_context(base_url=address, viewport={"width": 360, "height": 740})
        page = context.new_page()
        page.goto("/")
        assert page.evaluate(STORED) == NOTHING
        expect(page.get_by_text("Kept in this browser only, until you clear it or choose System.")).to_be_visible()
        page.get_by_role("button", name="Dark").click()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 20, 22)"
        with pytest.raises(Error, match="SN331"):
            page.evaluate("localStorage.setItem('tracker', '1')")
        assert page.evaluate(STORED) == {**NOTHING, "local": [["theme", "dark"]]}
        page.get_by_role("link", name="Cookies").click()
        expect(page.get_by_role("heading", level=3, name="Staying signed in")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert context.cookies() == []
        context.close()
