"""The browser guard in a real Chromium, behind the real CSP: what is declared works, and nothing else is kept."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from strictly_necessary import GuardFinding, Override, load
from strictly_necessary.browser import GUARD_PATH
from strictly_necessary.headers import source_hash
from strictly_necessary.wsgi import Guard, Mode

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

pytestmark = pytest.mark.browser

FILES = Path(__file__).parent / "browser_site"
DECLARATION = load(FILES / "policy.toml")
GUARD = f'<script src="{GUARD_PATH}"></script>'
SCRIPTS = '<script src="/page.js"></script><script src="/write.js"></script><script src="/use.js"></script>'
MODULE = '<script type="module" src="/module.js"></script>'
HASHED = "this.dataset.done='';tryAll().then((answers)=>{this.dataset.done=JSON.stringify(answers)})"
INLINE = "try { localStorage.setItem('tracker', '1'); } catch {}"
PERSONAL = "/members/ada@example.org/inbox"
PAGES = {
    PERSONAL: f"<!doctype html><title>inline</title>{GUARD}<script>{INLINE}</script>",
    "/names": f"<!doctype html><title>names</title>{GUARD}<script src='/names.js'></script>",
    "/": f"<!doctype html><title>page</title>{GUARD}{SCRIPTS}{MODULE}<p id=place>x</p>",
    "/bare": "<!doctype html><title>a page without the guard</title>",
    "/handler": f'<!doctype html><title>handler</title>{GUARD}{SCRIPTS}<button onclick="{HASHED}">Go</button>',
    "/framed": f'<!doctype html><title>framed</title>{GUARD}{SCRIPTS}<iframe src="/"></iframe>',
    "/parsed": f"<!doctype html><title>parsed</title>{GUARD}<iframe src='/slow'></iframe>"
    "<script src='/early.js'></script>",
    "/blank": f"<!doctype html><title>blank</title>{GUARD}<iframe></iframe><script src='/early.js'></script>",
    "/srcdoc": f"<!doctype html><title>srcdoc</title>{GUARD}"
    "<iframe srcdoc=\"&lt;script src='/write.js'&gt;&lt;/script&gt;\"></iframe>",
    "/guarded-srcdoc": f'<!doctype html><title>srcdoc</title>{GUARD}<iframe srcdoc="'
    f"&lt;script src='{GUARD_PATH}'&gt;&lt;/script&gt;&lt;script src='/write.js'&gt;&lt;/script&gt;\"></iframe>",
    "/unguarded": "<!doctype html><title>attack</title><script src='/attack.js'></script>"
    "<script src='/use.js'></script><p id=place>x</p>",
    "/attack": f"<!doctype html><title>attack</title>{GUARD}<script src='/attack.js'></script><p id=place>x</p>",
    "/foreign": '<!doctype html><title>no guard, a foreign script</title><script src="http://foreign.invalid/t.js"></script>',
}
Answers = dict[str, list[str]]


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """The pages and scripts of `browser_site`."""
    path, status, kind = environ["PATH_INFO"], "200 OK", "text/javascript; charset=utf-8"
    extra: list[tuple[str, str]] = []
    if path in PAGES or path == "/slow":
        kind, body = "text/html; charset=utf-8", PAGES.get(path, PAGES["/"]).encode()
    elif path == "/random":
        extra, body = [("cache-control", "max-age=60")], token_hex().encode()
    elif (file := FILES / path[1:]).is_file():
        body = file.read_bytes()
    else:
        status, kind, body = "404 Not Found", "text/plain", b"nothing here"
    start_response(status, [("content-type", kind), ("content-length", str(len(body))), *extra])
    return [body]


class Site:
    """The application behind the guard. `found` is what the guard has told."""

    def __init__(self) -> None:
        self.found: list[GuardFinding] = []
        self.guarded()

    def guarded(self, *overrides: Override, mode: Mode = "enforce") -> None:
        """From now on with these headers, in this mode."""
        declaration = replace(DECLARATION, overrides=(*DECLARATION.overrides, *overrides))
        self._guard = Guard(application, declaration, mode=mode, on_finding=self.found.append)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        return self._guard(environ, start_response)


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


@contextmanager
def serve(site: Site) -> Iterator[str]:
    """The address of the site while it runs."""
    server = make_server("127.0.0.1", 0, site, server_class=Server, handler_class=Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def address(site: Site) -> Iterator[str]:
    with serve(site) as address:
        yield address


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.goto(f"{address}/")
    return page


LOOK = """async () => {
    const names = [];
    const walk = async (directory, depth) => {
        for await (const [name, handle] of directory.entries()) {
            if (depth === 0) names.push(`opfs ${name}`);
        }
    };
    await walk(await navigator.storage.getDirectory(), 0);
    for (const { name } of await indexedDB.databases()) names.push(`indexeddb ${name}`);
    for (const name of await caches.keys()) names.push(`cache ${name}`);
    for (const { name } of await cookieStore.getAll()) names.push(`cookie ${name}`);
    for (const name of Object.keys(localStorage)) names.push(`local ${name}`);
    for (const one of await navigator.serviceWorker.getRegistrations()) {
        const worker = one.active || one.waiting || one.installing;
        names.push(`service-worker ${new URL(worker.scriptURL).pathname}`);
    }
    return names;
}"""


def kept(page: Page, address: str) -> set[str]:
    """What this profile holds: read by a page that has no guard, and session storage by the browser's own tools."""
    bare = page.context.new_page()
    bare.goto(f"{address}/bare")
    names = set(bare.evaluate(LOOK))
    bare.close()
    session = page.context.new_cdp_session(page)
    session.send("DOMStorage.enable")
    area = {"securityOrigin": address, "isLocalStorage": False}
    entries = session.send("DOMStorage.getDOMStorageItems", {"storageId": area})["entries"]
    return names | {f"session {key}" for key, _ in entries}


DECLARED = {
    "cookie": "cookie draft_1",
    "local": "local theme",
    "session": "session scroll",
    "indexeddb": "indexeddb works",
    "cache": "cache pages-1",
    "service-worker": "service-worker /service-classic.js",
    "opfs": "opfs uploads",
}
REFUSED = {"cookie: setter", "cookie: setter of the prototype", "cookie: Reflect.set"}
"""These are ignored without an exception, as browsers ignore a cookie that they refuse."""


def expect(answers: Answers, page: Page, address: str, site: Site, *, others: frozenset[str] = frozenset()) -> None:
    """Every way let the declared name through and refused the other, and the browser holds accordingly."""
    wrong = {way: said for way, said in answers.items() if said != ["ok", "ok" if way in REFUSED else "SecurityError"]}
    assert wrong == {}
    kinds = {way.partition(":")[0] for way in answers}
    assert kept(page, address) == {DECLARED[kind] for kind in kinds} | others
    page.wait_for_timeout(100)
    told = {(finding.code, finding.kind) for finding in site.found}
    assert {("SN331", kind) for kind in kinds} <= told
    assert all("/cookie-guard.js" not in (finding.script or "") for finding in site.found)


def test_a_page(page: Page, address: str, site: Site) -> None:
    answers = page.evaluate("tryAll()")
    assert len(answers) == 36
    expect(answers, page, address, site)
    assert {finding.script for finding in site.found} == {"/write.js"}


def test_a_module(page: Page, address: str, site: Site) -> None:
    expect(page.evaluate("tryFromModule()"), page, address, site)
    [own] = [finding for finding in site.found if finding.name == "from_a_module"]
    assert own.script == "/module.js"
    assert own.stack[0].startswith("/module.js:5:")


def test_an_inline_handler(page: Page, address: str, site: Site) -> None:
    page.goto(f"{address}/handler")
    page.get_by_role("button").click()
    page.wait_for_timeout(200)
    assert page.get_by_role("button").get_attribute("data-done") is None, "the CSP lets no handler run"
    assert kept(page, address) == set()

    allowed = f"'self' 'unsafe-hashes' {source_hash(HASHED)}"
    site.guarded(Override("content-security-policy", allowed, "A handler.", "script-src"))
    page.goto(f"{address}/handler")
    page.get_by_role("button").click()
    page.wait_for_selector("button[data-done*=cookie]")
    expect(json.loads(page.get_by_role("button").get_attribute("data-done") or ""), page, address, site)


def test_a_frame_of_our_origin(page: Page, address: str, site: Site) -> None:
    page.goto(f"{address}/framed")
    expect(page.frames[1].evaluate("tryAll()"), page, address, site)


@pytest.mark.parametrize("path", ["/srcdoc", "/guarded-srcdoc"])
def test_a_srcdoc_frame(page: Page, address: str, site: Site, path: str) -> None:
    page.goto(f"{address}{path}")
    expect(page.frames[1].evaluate("tryAll()"), page, address, site)


def test_an_empty_frame(page: Page, address: str, site: Site) -> None:
    page.evaluate("document.body.append(document.createElement('iframe'))")
    page.frames[1].evaluate((FILES / "write.js").read_text(encoding="utf-8"))
    # A document without an address of its own has no service workers, and what Playwright evaluates no address either.
    expect(page.frames[1].evaluate("tryAll('service-worker')"), page, address, site)


WORKERS = ["indexeddb: open", "cache: open", "opfs: directory", "opfs: file renamed"]


@pytest.mark.parametrize("type_", ["Worker", "SharedWorker"])
@pytest.mark.parametrize("kind", ["classic", "module"])
def test_a_worker(page: Page, address: str, site: Site, type_: str, kind: str) -> None:
    answers = page.evaluate(
        "([type, kind]) => askWorker(type, `/worker-${kind}.js?own=1#part`, { type: kind })", [type_, kind]
    )
    assert set(WORKERS) <= set(answers)
    expect(answers, page, address, site)


@pytest.mark.parametrize("kind", ["classic", "module"])
def test_a_service_worker(page: Page, address: str, site: Site, kind: str) -> None:
    answers = page.evaluate("(kind) => askServiceWorker(`/service-${kind}.js`, { type: kind, scope: '/scope/' })", kind)
    assert {*WORKERS, "cookie: CookieStore.set"} <= set(answers)
    expect(answers, page, address, site, others=frozenset({f"service-worker /service-{kind}.js"}))


ATTACKS = re.findall(
    r'^    "([^"]+)": (?:async|inserted|\()', (FILES / "attack.js").read_text(encoding="utf-8"), re.MULTILINE
)
SAID = {
    "poisoned prototypes": [4, 2],
    "removals that are none": [],
    "dates that nobody writes": [],
    "the storage area of an event": "done",
    "the policy of a frame": "TypeError: Failed to execute 'createPolicy'",
    "the policy of the page": "TypeError: Failed to execute 'createPolicy'",
    "the policy while it works": "done",
    "a worker of a frame": "done",
    "a worker of a worker": "done",
    "the header of navigation preloads": "done",
    "a custom element beside it": "done",
    "a Secure that browsers pass over": "done",
    "a rename by bent promises": "done",
    "a window above the others, by bent promises": "done",
    "a window that throws when it is asked": "done",
    "subscriptions to cookies": "done",
    "a value for every object": "SecurityError: Not as declared: opfs tracker",
    "the status of a login": "SecurityError: Not as declared:  NavigatorLogin.setStatus",
    "a service worker with a query": "SecurityError: Not as declared: service-worker /service-plain.js",
    "a scope with a query": "SecurityError: Not as declared: service-worker /service-plain.js",
    "storage buckets": "SecurityError: Not as declared:  StorageBucketManager.open",
    **dict.fromkeys(
        [
            "a worker of text",
            "a worker of data",
            "a worker by the constructor of a worker",
            "the old file system",
            "storage access",
        ],
        "SecurityError: Not as declared",
    ),
}


@pytest.fixture(scope="module")
def attacked(browser: Browser) -> Iterator[tuple[Page, Page]]:
    """A page to attack and a page without the guard that looks, in one profile for all attacks: they are many."""
    with serve(Site()) as address:
        context = browser.new_context(base_url=address)
        looking = context.new_page()
        looking.goto("/bare")
        yield context.new_page(), looking
        context.close()


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_way_around(attacked: tuple[Page, Page], attack: str) -> None:
    page, looking = attacked
    page.goto("/attack")
    said = page.evaluate("(name) => attack(name)", attack)
    expected = SAID.get(attack)
    assert said == expected if isinstance(expected, list) else said.startswith(expected or "")
    assert set(looking.evaluate(LOOK)) <= {"opfs uploads", "cookie draft_1", "local note_1"}


def test_the_attacks_work_where_no_guard_is(browser: Browser) -> None:
    """Otherwise they would show nothing."""
    control = ["take the setter of document.cookie", "the frame's own window", "appendChild", "a frame in a frame"]
    control += ["an old kind of frame in a shadow tree", "select.add", "table.caption ="]
    control += ["a frame in a shadow tree", "a custom element beside it", "open(about:blank)", "storage buckets"]
    with serve(Site()) as address:
        context = browser.new_context(base_url=address)
        for attack in control:
            page = context.new_page()
            page.goto("/unguarded")
            page.evaluate("(name) => attack(name)", attack)
            found = page.evaluate(LOOK) + page.evaluate("navigator.storageBuckets.keys()")
            assert any("tracker" in name for name in found), attack
            page.evaluate("localStorage.clear(); cookieStore.delete('tracker'); caches.delete('tracker')")
            page.close()
        context.close()


@pytest.mark.parametrize("path", ["/parsed", "/blank"])
def test_a_frame_in_the_page_before_the_next_script(page: Page, address: str, path: str) -> None:
    page.goto(f"{address}{path}")
    assert page.evaluate("document.documentElement.dataset.early") == "SecurityError"
    assert kept(page, address) == set()


OTHERWISE = [
    "document.cookie = 'draft_1=1; Path=/; Secure; SameSite=Strict; Max-Age=7201'",
    "document.cookie = 'draft_1=1; Path=/; Secure; SameSite=Strict; Expires=Fri, 31 Dec 2100 00:00:00 GMT'",
    "document.cookie = 'draft_1=1; Path=/other; Secure; SameSite=Strict'",
    "document.cookie = 'draft_1=1; Path=/; Secure; SameSite=Lax'",
    "document.cookie = 'draft_1=1; Path=/; Secure; SameSite=Strict; Domain=localhost'",
    "document.cookie = 'draft_1=1; Path=/; Secure; SameSite=Strict; Partitioned'",
    "document.cookie = 'draft_1=1; Path=/; SameSite=Strict'",
    "document.cookie = 'size=huge; Path=/; Secure; SameSite=Strict'",
    "cookieStore.set({ name: 'draft_1', value: '1', maxAge: 7201 })",
    "cookieStore.set({ name: 'draft_1', value: '1', expires: Date.now() + 7300e3 })",
    "cookieStore.set({ name: 'draft_1', value: '1', path: '/other' })",
    "cookieStore.set({ name: 'draft_1', value: '1', sameSite: 'lax' })",
    "cookieStore.set({ name: 'draft_1', value: '1', partitioned: true })",
    "cookieStore.set('size', 'huge')",
    "localStorage.theme = 'blue'",
]


@pytest.mark.parametrize("write", OTHERWISE)
def test_a_declared_name_in_another_way(attacked: tuple[Page, Page], write: str) -> None:
    page, looking = attacked
    looking.evaluate("localStorage.clear(); document.cookie = 'draft_1=; Max-Age=0; Path=/'")
    page.goto("/")
    with page.expect_request("**/cookie-report") as report:
        page.evaluate(f"(async () => {{ await ({write}); }})().catch(() => {{}})")
    assert json.loads(report.value.post_data or "")["code"] == "SN332"
    assert set(looking.evaluate(LOOK)) <= {"opfs uploads"}


def test_removals_always_pass(page: Page, address: str, site: Site) -> None:
    bare = page.context.new_page()
    bare.goto(f"{address}/bare")
    bare.evaluate("""async () => {
        localStorage.old = document.cookie = "old=1";
        document.cookie = "older=1; path=/"; document.cookie = "oldest=1; path=/";
        await caches.open("old");
        await new Promise((done) => { indexedDB.open("old").onsuccess = (e) => { e.target.result.close(); done(); }; });
        await (await navigator.storage.getDirectory()).getFileHandle("old", { create: true });
    }""")
    page.evaluate("""async () => {
        delete localStorage.old;
        document.cookie = "old=; max-age=0";
        document.cookie = "older=; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT";
        await cookieStore.delete("oldest");
        await caches.delete("old");
        await new Promise((done) => { indexedDB.deleteDatabase("old").onsuccess = done; });
        await (await navigator.storage.getDirectory()).removeEntry("old");
    }""")
    assert kept(page, address) == set()
    assert site.found == []


def test_what_is_declared_works_as_ever(page: Page, site: Site) -> None:
    assert page.evaluate("useEverything()") == []
    assert site.found == []


def test_reports_tell_no_address_and_stop_at_ten(page: Page, address: str, site: Site) -> None:
    bodies: list[str] = []
    page.on("request", lambda request: bodies.append(request.post_data or "") if "report" in request.url else None)
    page.goto(f"{address}/?private=query#fragment")
    page.evaluate("""() => {
        for (let i = 0; i < 30; i++) { document.cookie = `t${i % 15}=secret`; }
    }""")
    page.wait_for_timeout(300)
    assert len(bodies) == len(site.found) == 10
    assert not any(word in body for body in bodies for word in ("private", "secret", "fragment"))
    assert {tuple(sorted(json.loads(body))) for body in bodies} == {("code", "kind", "name", "stack")}
    assert {finding.name for finding in site.found} == {f"t{i}" for i in range(10)}


def test_reports_do_not_tell_the_page_whose_own_script_it_was(page: Page, address: str, site: Site) -> None:
    site.guarded(Override("content-security-policy", f"'self' {source_hash(INLINE)}", "A script.", "script-src"))
    with page.expect_request("**/cookie-report") as report:
        page.goto(f"{address}{PERSONAL}?private=query")
    assert json.loads(report.value.post_data or "")["stack"] == ""


def test_scripts_may_name_their_variables_as_they_like(page: Page, address: str) -> None:
    page.goto(f"{address}/names")
    assert page.evaluate("document.documentElement.dataset.names") == "numberundefined00"


def test_it_can_only_watch(page: Page, address: str, site: Site) -> None:
    site.guarded(mode="report")
    page.goto(f"{address}/")
    answers = page.evaluate("tryAll()")
    assert "SecurityError" not in {said for both in answers.values() for said in both}
    assert {"local tracker", "cookie tracker", "cache tracker"} <= kept(page, address)
    assert {finding.kind for finding in site.found} >= {"local", "session", "cookie", "cache", "indexeddb", "opfs"}


def test_a_worker_without_the_guard_does_not_start(page: Page, address: str) -> None:
    page.goto(f"{address}/unguarded")
    assert page.evaluate("startWorkers()") == ["refused", "refused", "refused"]


def test_without_the_guard_the_csp_still_keeps_foreign_scripts_out(page: Page, address: str) -> None:
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(f"{address}/foreign")
    page.wait_for_timeout(100)
    assert any("http://foreign.invalid/t.js" in text and "script-src 'self'" in text for text in refused)


def test_what_it_costs(page: Page, address: str) -> None:
    """Microseconds that nobody sees; -s prints them, and the documentation tells them."""
    with_guard = page.evaluate("measure()")
    page.goto(f"{address}/unguarded")
    without = page.evaluate("measure()")
    for name, cost in with_guard.items():
        print(f"{name}: {cost:.2f} instead of {without[name]:.2f} microseconds")
        assert cost < 500


LIMITS = ["window.name = 'tracker'", "history.replaceState('tracker', '')", "location.hash = 'tracker'"]


@pytest.mark.parametrize("limit", LIMITS)
def test_what_a_browser_cannot_be_made_to_refuse(page: Page, limit: str) -> None:
    """It stands in the documentation as long as this passes."""
    page.evaluate(limit)
    page.reload()
    assert "tracker" in page.evaluate("`${window.name} ${history.state} ${location.hash}`")


MOMENTS = {
    "an option by its number": """() => {
        const option = document.createElement("option"), frame = document.createElement("iframe");
        frame.src = "/slow";
        option.append(frame);
        document.body.appendChild(document.createElement("select"))[0] = option;
        frames[0].localStorage.tracker = "1";
    }""",
    "a custom element": """() => {
        customElements.define("x-beside", class extends HTMLElement {
            connectedCallback() { frames[0].localStorage.tracker = "1"; }
        });
        const fragment = document.createDocumentFragment(), frame = document.createElement("iframe");
        frame.src = "/slow";
        fragment.append(frame, document.createElement("x-beside"));
        document.body.append(fragment);
    }""",
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_nor_a_moment_before_it_can_cover_a_frame_with_an_address(page: Page, address: str, moment: str) -> None:
    page.evaluate(MOMENTS[moment])
    assert kept(page, address) == {"local tracker"}


def test_nor_what_the_browser_keeps_of_an_answer(page: Page) -> None:
    first = page.evaluate("fetch('/random').then((answer) => answer.text())")
    page.reload()
    assert page.evaluate("fetch('/random').then((answer) => answer.text())") == first


def test_nor_code_that_was_there_before(page: Page, address: str) -> None:
    """Such as an extension's."""
    page.add_init_script(path=FILES / "use.js")
    page.add_init_script("keepOriginals()")
    page.goto(f"{address}/")
    page.evaluate("writeAsBefore()")
    assert kept(page, address) == {"cookie tracker"}


@pytest.mark.parametrize(
    ("policy", "outcome"), [("same-origin", "stored"), ("noopener-allow-popups", "nothing")], ids=lambda value: value
)
def test_a_window_of_ours_that_is_no_page(page: Page, address: str, site: Site, policy: str, outcome: str) -> None:
    site.guarded(Override("cross-origin-opener-policy", policy, "To see what it does."))
    page.goto(f"{address}/")
    page.evaluate("""async () => {
        const view = open("/page.js");
        await new Promise((done) => setTimeout(done, 500));
        try { view.location = "/write.js"; } catch {}
        await new Promise((done) => setTimeout(done, 500));
        try { view.localStorage.tracker = "1"; } catch {}
        view.close();
    }""")
    assert kept(page, address) == ({"local tracker"} if outcome == "stored" else set())
