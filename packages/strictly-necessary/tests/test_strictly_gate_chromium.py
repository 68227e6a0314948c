"""The gate in a real Chromium: with an analytics item of each kind declared, nothing is set or readable before a yes,
on every path; after a no and after a withdrawal neither, in every tab; and a tab that has not heard of a new version
cannot write."""

from __future__ import annotations

import datetime as dt
import shutil
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from strictly_necessary import Category, Declaration, GuardFinding, Purpose, delete_cookie, load, set_cookie
from strictly_necessary.browser import CONSENT_PATH, GUARD_PATH
from strictly_necessary.consent import Consent, Visitor
from strictly_necessary.consent.sqlite import SQLiteLedger
from strictly_necessary.page import render_consents_html, render_gate_html
from strictly_necessary.versions import History
from strictly_necessary.wsgi import Guard, consent_of, granted

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

pytestmark = pytest.mark.browser

FILES = Path(__file__).parent / "gate_site"
FIRST = load(FILES / "policy.toml")
START = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
SECOND_STARTS = START + dt.timedelta(hours=1)
VISITS = set_cookie(FIRST.item("visits"), "1", 30 * 86_400)
GATED = {item.id for item in FIRST.gated}
LOOK = """async () => {
    const names = [];
    for await (const name of (await navigator.storage.getDirectory()).keys()) names.push(`opfs ${name}`);
    for (const { name } of await indexedDB.databases()) names.push(`indexeddb ${name}`);
    for (const name of await caches.keys()) names.push(`cache ${name}`);
    for (const name of Object.keys(localStorage)) names.push(`local ${name}`);
    for (const one of await navigator.serviceWorker.getRegistrations()) names.push(`service-worker ${one.scope}`);
    return names;
}"""
WRITE = "() => { try { localStorage.player_2 = '1'; return 'ok' } catch (error) { return error.name } }"
ALL = {"setter", "local", "session", "worker", "cookieStore", "indexeddb", "cache", "opfs"}
KEPT = {"opfs log", "indexeddb events", "cache pixels-1", "local player_1", "service-worker /scope/"}


def second() -> Declaration:
    """The next version: counting is also for advertising, and the rest stays."""
    more = (Purpose(Category.ADVERTISING, "Shows you advertisements."),)
    items = tuple(replace(item, purposes=item.purposes + more) if item in FIRST.gated else item for item in FIRST.items)
    return replace(FIRST, policy=replace(FIRST.policy, version="2", starts=SECOND_STARTS), items=items)


class Site:
    """The site behind the guard. `seen` are the Cookie headers that reached it, `found` is what the guard has told."""

    def __init__(self, folder: Path, then: Declaration | None = None) -> None:
        self.now = START
        self.seen: list[str] = []
        self.read: list[bool] = []
        self.asked: list[str] = []
        self.found: list[GuardFinding] = []
        self.ledger = SQLiteLedger(folder / "consent.sqlite")
        consent = Consent(self.ledger, self._who, now=lambda: self.now)
        history = History.of([FIRST, then or second()])
        self._guard = Guard(self._application, history, on_finding=self.found.append, consent=consent)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        self.asked.append(environ["PATH_INFO"])
        return self._guard(environ, start_response)

    def codes(self) -> set[str]:
        return {finding.code for finding in self.found}

    def could_read(self) -> bool:
        """Whether the server could read the cookie that counts visits, when it answered last."""
        return self.read[-1]

    @staticmethod
    def _who(environ: dict[str, Any]) -> Visitor | None:
        signed_in = "__Host-session=ada" in environ.get("HTTP_COOKIE", "")
        return Visitor("ada", START - dt.timedelta(days=400)) if signed_in else None

    def _application(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path, kind, headers = environ["PATH_INFO"], "text/html; charset=utf-8", []
        if path.endswith(".js"):
            kind, body = "text/javascript; charset=utf-8", (FILES / path[1:]).read_text(encoding="utf-8")
        elif path == "/bare":
            body = "<!doctype html><title>bare</title>"
        else:
            self.seen.append(environ.get("HTTP_COOKIE", ""))
            self.read.append(granted(environ, "visits"))
            headers = [("set-cookie", VISITS)]
            body = self._page(environ, path)
        if path == "/in":
            headers.append(("set-cookie", set_cookie(FIRST.item("session"), "ada")))
        if path == "/out":
            headers.append(("set-cookie", delete_cookie(FIRST.item("session"))))
        start_response("200 OK", [("content-type", kind), *headers])
        return [body.encode()]

    @staticmethod
    def _page(environ: dict[str, Any], path: str) -> str:
        standing = consent_of(environ).standing
        gate = render_gate_html(standing, back=path) if path != "/inner" else ""
        consents = render_consents_html(standing, back=path) if path == "/answers" else ""
        bent = '<script src="/bend.js"></script>' if path == "/bent" else ""
        frame = '<iframe src="/inner"></iframe>' if path == "/framed" else ""
        return (
            f'<!doctype html><html lang="en"><title>Quay</title><script src="{GUARD_PATH}"></script>'
            f'{bent}<script src="/write.js"></script>{gate}<main><h1>Quay</h1>{consents}{frame}</main>'
        )


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- so named in the base class
        """Be quiet."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@contextmanager
def serve(site: Site) -> Iterator[str]:
    """The address of the site while it runs."""
    server = make_server("127.0.0.1", 0, site, server_class=Server, handler_class=Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def address(site: Site) -> Iterator[str]:
    with serve(site) as address:
        yield address


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=address)
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto("/")
    return page


def kept(page: Page) -> set[str]:
    """What this profile holds, read by a page without the guard, and by the browser's own tools."""
    names = {f"cookie {cookie['name']}" for cookie in page.context.cookies()} - {"cookie __Host-choice"}
    names |= {f"session {key}" for key in page.evaluate("Object.keys(sessionStorage)")}
    bare = page.context.new_page()
    bare.goto("/bare")
    names |= {name.replace(bare.url.removesuffix("/bare"), "") for name in bare.evaluate(LOOK)}
    bare.close()
    return names


def choice(page: Page) -> str | None:
    return next((cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "__Host-choice"), None)


def answer(page: Page, name: str) -> None:
    """Press the button of the gate, and wait until the gate has gone."""
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_selector("[data-cookie-gate]", state="detached")


def refused(answers: dict[str, str]) -> bool:
    return set(answers.values()) == {"SecurityError"}


def allowed(answers: dict[str, str]) -> bool:
    return set(answers.values()) == {"ok"}


# Before


def test_before_an_answer_nothing_is_kept_on_any_path(page: Page, context: BrowserContext, site: Site) -> None:
    answers = page.evaluate("tryAll()")
    assert (set(answers), refused(answers)) == (ALL, True)
    for type_ in ("Worker", "SharedWorker"):
        answers = page.evaluate("(type) => askWorker(type)", type_)
        assert ({"indexeddb", "cache", "opfs"} <= set(answers), refused(answers)) == (True, True)
    page.goto("/framed")
    assert refused(page.frames[1].evaluate("tryAll()"))
    page.evaluate("document.body.append(document.createElement('iframe'))")
    page.frames[2].evaluate((FILES / "write.js").read_text(encoding="utf-8"))
    assert refused(page.frames[2].evaluate("tryAll('worker')"))
    assert kept(page) == set()
    context.add_cookies([{"name": name, "value": "1", "url": page.url} for name in ("visits", "campaign_7", "counter")])
    page.goto("/")
    assert (site.seen[-1], site.could_read()) == ("", False)
    assert kept(page) == set()
    assert {"SN316", "SN336"} <= site.codes() <= {"SN316", "SN336"}
    assert choice(page) is None
    assert page.evaluate("told") == []


def test_scripts_that_bend_the_page_get_no_further(page: Page) -> None:
    page.goto("/bent")
    assert page.locator("html").get_attribute("data-bent") == "true", "the page itself believes the yes"
    page.evaluate("""() => {
        for (const write of [() => localStorage.setItem("player_1", "1"), () => { sessionStorage.tab = "1"; },
            () => indexedDB.open("events"), () => caches.open("pixels-1")]) try { write(); } catch {}
    }""")
    assert kept(page) == set()


def test_a_handle_that_is_kept_brings_no_file_back(page: Page, context: BrowserContext) -> None:
    answer(page, "Yes to all")
    page.evaluate("""async () => {
        const root = await navigator.storage.getDirectory();
        globalThis.file = await root.getFileHandle("log", { create: true });
        globalThis.write = async () => {
            const to = await file.createWritable();
            await to.write("1");
            await to.close();
        };
        await write();
    }""")
    assert kept(page) == {"opfs log"}
    page.request.post(CONSENT_PATH, form={"act": "withdraw", "version": "1"}, headers={"Sec-Fetch-Site": "same-origin"})
    page.wait_for_function("() => told.length === 0")
    assert page.evaluate("write().catch((error) => error.name)") == "SecurityError"
    assert kept(page) == set()


def test_a_directory_that_is_kept_takes_no_file(page: Page) -> None:
    answer(page, "Yes to all")
    make = """async (name) => { try { await folder.getFileHandle(name, { create: true }); return "ok"; }
        catch (error) { return error.name; } }"""
    page.evaluate("""async () => {
        globalThis.folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("log", { create: true });
    }""")
    assert page.evaluate(make, "1") == "ok"
    page.request.post(CONSENT_PATH, form={"act": "withdraw", "version": "1"}, headers={"Sec-Fetch-Site": "same-origin"})
    page.wait_for_function("() => told.length === 0")
    assert page.evaluate(make, "2") == "SecurityError"


# Yes


def test_after_a_yes_all_of_it_works_and_nothing_was_interrupted(page: Page, site: Site) -> None:
    page.evaluate("globalThis.upload = 'still running'")
    page.get_by_role("button", name="Yes to all").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-cookie-gate]", state="detached")
    assert page.evaluate("upload") == "still running"
    assert page.evaluate("document.activeElement.localName") == "main"
    page.wait_for_function("() => document.querySelector('[role=status]')?.textContent")
    assert set(page.evaluate("told")) == GATED
    answers = page.evaluate("tryAll()")
    assert (set(answers), allowed(answers)) == (ALL, True)
    assert kept(page) == KEPT | {"cookie counter", "session tab"}
    page.reload()
    assert page.locator("[data-cookie-gate]").count() == 0
    assert "counter=1" in site.seen[-1]
    assert site.could_read()
    page.reload()
    assert set(site.seen[-1].split("; ")) == {"counter=1", "visits=1"}
    assert set(page.evaluate("told")) == GATED
    assert refused(page.evaluate("askWorker('Worker')")), "a worker cannot know of a withdrawal in time"
    assert site.codes() <= {"SN316", "SN336"}


def test_the_gate_works_without_scripts(browser: Browser, address: str, site: Site) -> None:
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/somewhere")
    page.get_by_role("button", name="Yes to all").click()
    page.wait_for_url("**/somewhere")
    assert page.get_by_role("button", name="Yes to all").count() == 0
    assert site.could_read()
    page.goto("/answers")
    page.get_by_role("button", name="Take it back").first.click()
    page.wait_for_url("**/answers")
    assert not site.could_read()
    assert "visits" not in {cookie["name"] for cookie in context.cookies()}
    context.close()


def test_an_answer_that_cannot_be_fetched_is_sent_as_a_form(page: Page) -> None:
    page.route(
        f"**{CONSENT_PATH}",
        lambda route: route.continue_() if route.request.is_navigation_request() else route.abort(),
    )
    page.get_by_role("button", name="No to all").click()
    page.wait_for_function("() => !document.querySelector('[data-cookie-gate]')")
    assert (choice(page) or "").startswith("1::")


# No


def test_after_a_no_nothing_is_kept_and_nobody_asks_again(page: Page, site: Site) -> None:
    answer(page, "No to all")
    assert refused(page.evaluate("tryAll()"))
    for _ in range(2):
        page.reload()
        assert page.locator("[data-cookie-gate]").count() == 0
    site.now += dt.timedelta(days=100)
    page.reload()
    assert page.locator("[data-cookie-gate]").count() == 0
    assert kept(page) == set()
    assert (choice(page) or "").startswith("1::")


def test_what_was_not_ticked_is_refused(page: Page) -> None:
    page.get_by_text("Choose one by one").click()
    page.get_by_label("Counting by player").check()
    page.get_by_role("button", name="Allow what I ticked").click()
    page.wait_for_selector("[data-cookie-gate]", state="detached")
    assert page.evaluate("told") == ["player"]
    answers = page.evaluate("tryAll()")
    assert {way for way, said in answers.items() if said == "ok"} == {"local"}
    assert kept(page) == {"local player_1"}


# Withdrawal


def test_a_withdrawal_removes_all_of_it_at_once_in_both_tabs(page: Page, context: BrowserContext, site: Site) -> None:
    answer(page, "Yes to all")
    other = context.new_page()
    other.goto("/")
    for tab in (page, other):
        assert allowed(tab.evaluate("tryAll()"))
    assert set(other.evaluate("told")) == GATED
    third = context.new_page()
    third.goto("/")
    third.evaluate(
        """async (path) => {
            const form = new URLSearchParams({ act: "withdraw", version: "1", back: "/" });
            await fetch(path, { method: "POST", body: form, headers: { accept: "application/json" } });
        }""",
        CONSENT_PATH,
    )
    for tab in (page, other):
        tab.wait_for_function("() => told.length === 0")
        assert refused(tab.evaluate("tryAll()"))
        assert tab.evaluate("Object.keys(sessionStorage)") == []
    for _ in range(20):
        if not kept(page):
            break
        page.wait_for_timeout(50)
    assert kept(page) == set()
    page.reload()
    assert (site.seen[-1], site.could_read()) == ("", False)
    assert page.locator("[data-cookie-gate]").count() == 0, "a withdrawal is a no, and a no is not asked again"


def test_signing_out_leaves_no_yes_behind(page: Page, context: BrowserContext, site: Site) -> None:
    page.goto("/in")
    answer(page, "Yes to all")
    assert allowed(page.evaluate("tryAll()"))
    context.clear_cookies(name="__Host-choice")
    page.reload()
    assert (choice(page) or "").startswith("1:::beacon."), "the account says yes in every browser"
    page.goto("/out")
    page.wait_for_function("() => told.length === 0")
    page.goto("/")
    assert choice(page) is None
    page.wait_for_timeout(100)
    assert kept(page) == set()
    assert not site.could_read()


# A stale tab


def test_a_tab_of_the_old_version_cannot_write_once_another_has_asked(
    page: Page, context: BrowserContext, site: Site
) -> None:
    answer(page, "Yes to all")
    assert allowed(page.evaluate("tryAll()"))
    site.now = SECOND_STARTS
    other = context.new_page()
    other.goto("/")
    assert other.locator("[data-cookie-gate]").count() == 1
    assert choice(page) is None
    page.wait_for_function("() => told.length === 0")
    assert refused(page.evaluate("tryAll()"))
    answer(other, "Yes to all")
    assert refused(page.evaluate("tryAll()")), "it knows the old version alone"
    assert allowed(other.evaluate("tryAll()"))


def test_a_tab_of_the_old_version_cannot_write_by_itself(context: BrowserContext, site: Site) -> None:
    site.now = SECOND_STARTS - dt.timedelta(minutes=10)
    page = context.new_page()
    page.clock.install(time=0)
    page.goto("/")
    answer(page, "Yes to all")
    assert allowed(page.evaluate("tryAll()"))
    lie = '{"version":"1","seconds":60,"items":[{"id":"player","answer":"granted"}]}'
    page.evaluate("(text) => { globalThis.fetch = async () => new Response(text); }", lie)
    site.now = SECOND_STARTS
    before = len(site.asked)
    page.clock.run_for(61_000)
    assert len(site.asked) == before
    assert page.evaluate(WRITE) == ("SecurityError")
    page.wait_for_function("() => told.length === 0")
    assert refused(page.evaluate("tryAll()"))
    assert site.asked[before:].count(CONSENT_PATH) == 1


def test_a_tab_cannot_write_what_the_next_version_has_given_up(browser: Browser, tmp_path: Path) -> None:
    rest = tuple(item for item in FIRST.items if item not in FIRST.gated)
    site = Site(tmp_path, replace(second(), items=rest))
    with serve(site) as address:
        context = browser.new_context(base_url=address)
        page = context.new_page()
        page.clock.install(time=0)
        page.goto("/")
        answer(page, "Yes to all")
        assert allowed(page.evaluate("tryAll()"))
        site.now = SECOND_STARTS
        page.clock.run_for(61_000)
        with page.expect_response(f"**{CONSENT_PATH}"):
            assert page.evaluate(WRITE) == "SecurityError"
        page.wait_for_function("() => told.length === 0")
        assert page.evaluate(WRITE) == "SecurityError", "its yes is still there, and the item is not"
        assert refused(page.evaluate("tryAll()"))
        context.close()


def test_a_write_after_a_pause_is_confirmed_for_the_next_one(context: BrowserContext, site: Site) -> None:
    page = context.new_page()
    page.clock.install(time=0)
    page.goto("/")
    answer(page, "Yes to all")
    page.clock.run_for(61_000)
    with page.expect_response(f"**{CONSENT_PATH}"):
        assert page.evaluate(WRITE) == "SecurityError"
    page.wait_for_timeout(50)
    assert page.evaluate(WRITE) == "ok"
    page.clock.run_for(40_000)
    with page.expect_response(f"**{CONSENT_PATH}"):
        assert page.evaluate(WRITE) == "ok", "it asks in good time"
    assert "SN336" not in site.codes()


def test_nobody_writes_beyond_the_start_of_a_version_that_is_known(context: BrowserContext, site: Site) -> None:
    site.now = SECOND_STARTS - dt.timedelta(seconds=30)
    page = context.new_page()
    page.clock.install(time=0)
    page.goto("/")
    answer(page, "Yes to all")
    assert allowed(page.evaluate("tryAll()"))
    page.clock.run_for(30_000)
    site.now = SECOND_STARTS
    assert page.evaluate(WRITE) == "SecurityError"


def test_a_clock_that_was_put_back_lengthens_nothing(context: BrowserContext) -> None:
    page = context.new_page()
    page.clock.install(time=10_000_000)
    page.goto("/")
    answer(page, "Yes to all")
    page.clock.set_system_time(1_000)
    assert page.evaluate(WRITE) == "SecurityError"


def test_going_back_asks_for_the_script_again(page: Page, site: Site) -> None:
    page.goto("/bare")
    before = site.asked.count(GUARD_PATH)
    page.go_back()
    page.wait_for_function("() => globalThis.tryAll")
    assert site.asked.count(GUARD_PATH) == before + 1


# The signal


def test_global_privacy_control_is_a_no_that_nobody_asks_about(browser: Browser, address: str, site: Site) -> None:
    context = browser.new_context(base_url=address, extra_http_headers={"Sec-GPC": "1"})
    context.add_init_script("Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })")
    page = context.new_page()
    context.add_cookies(
        [{"name": "__Host-choice", "value": "1:visits.counter.player:", "url": "https://localhost/", "secure": True}]
    )
    page.goto("/")
    assert page.locator("[data-cookie-gate]").count() == 0
    assert refused(page.evaluate("tryAll()"))
    assert kept(page) == set()
    assert not site.could_read()
    context.close()


def test_the_signal_is_seen_in_the_browser_alone(browser: Browser, address: str) -> None:
    context = browser.new_context(base_url=address)
    page = context.new_page()
    page.goto("/")
    answer(page, "Yes to all")
    context.add_init_script("Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })")
    page.reload()
    assert refused(page.evaluate("tryAll()"))
    context.close()
