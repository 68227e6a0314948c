"""The browser guard in a real Chromium, behind the real CSP: what is declared works everywhere, nothing else is kept."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from strictly_necessary import GuardFinding, load
from strictly_necessary.browser import GUARD_PATH, Addresses
from strictly_necessary.headers import security_headers, source_hash

pytestmark = pytest.mark.browser

FILES = Path(__file__).parent / "browser_site"
DECLARATION = load(FILES / "policy.toml")
GUARD = f'<script src="{GUARD_PATH}"></script>'
SCRIPTS = '<script src="/page.js"></script><script src="/write.js"></script>'
MODULE = '<script type="module" src="/module.js"></script>'
HASHED = "this.dataset.done='';tryAll().then((answers)=>{this.dataset.done=JSON.stringify(answers)})"
PAGES = {
    "/": f"<!doctype html><title>page</title>{GUARD}{SCRIPTS}{MODULE}<p id=place>x</p>",
    "/bare": "<!doctype html><title>a page without the guard</title>",
    "/handler": f'<!doctype html><title>handler</title>{GUARD}{SCRIPTS}<button onclick="{HASHED}">Go</button>',
    "/framed": f'<!doctype html><title>framed</title>{GUARD}{SCRIPTS}<iframe src="/"></iframe>',
    "/parsed": f'<!doctype html><title>parsed</title>{GUARD}<iframe src="/slow"></iframe><script src="/early.js"></script>',
    "/blank": f"<!doctype html><title>blank</title>{GUARD}<iframe></iframe><script src='/early.js'></script>",
    "/srcdoc": f"<!doctype html><title>srcdoc</title>{GUARD}"
    "<iframe srcdoc=\"&lt;script src='/write.js'&gt;&lt;/script&gt;\"></iframe>",
    "/guarded-srcdoc": f"<!doctype html><title>srcdoc</title>{GUARD}"
    f"<iframe srcdoc=\"&lt;script src='{GUARD_PATH}'&gt;&lt;/script&gt;&lt;script src='/write.js'&gt;&lt;/script&gt;\"></iframe>",
    "/foreign": '<!doctype html><title>no guard, a foreign script</title><script src="http://foreign.invalid/t.js"></script>',
}
Answers = dict[str, list[str]]


class Site(BaseHTTPRequestHandler):
    """The pages and scripts of `browser_site`, with the guard's own addresses in front, as the guards for ASGI and WSGI
    serve them. `csp` changes the Content-Security-Policy."""

    found: list[GuardFinding]
    addresses: Addresses
    csp: Callable[[str], str]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        headers = {name.lower().encode(): value.encode() for name, value in self.headers.items()}
        answer = None
        if self.addresses.is_ours(path, query.encode()):
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            answer = self.addresses.answer(self.command, path, query.encode(), headers, body)
        else:
            how = (headers.get(b"sec-fetch-dest", b""), headers.get(b"sec-fetch-mode", b""))
            answer = self.addresses.starts_unguarded_worker(*how, query.encode())
        if answer is not None:
            self._send(answer.status, [(name.decode(), value.decode()) for name, value in answer.headers], answer.body)
        elif path in PAGES or path == "/slow":
            self._send(200, [("content-type", "text/html; charset=utf-8")], PAGES.get(path, PAGES["/"]).encode())
        elif (file := FILES / path[1:]).is_file():
            self._send(200, [("content-type", "text/javascript; charset=utf-8")], file.read_bytes())
        else:
            self._send(404, [("content-type", "text/plain")], b"nothing here")

    do_POST = do_GET

    def _send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        sent = dict(headers)
        sent["content-length"] = str(len(body))
        for name, value in {**security_headers(DECLARATION), **sent}.items():
            if name == "x-frame-options":
                value = "SAMEORIGIN"
            self.send_header(name, self.csp(value) if name == "content-security-policy" else value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- so named in the base class
        """Be quiet."""


def with_frames(csp: str) -> str:
    """The CSP of a site that shows its own pages in frames."""
    return csp.replace("frame-ancestors 'none'", "frame-ancestors 'self'; frame-src 'self'")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def site() -> Iterator[type[Site]]:
    found: list[GuardFinding] = []
    own = type("OwnSite", (Site,), {"found": found, "csp": staticmethod(with_frames)})
    own.addresses = Addresses(DECLARATION, on_finding=found.append, reports_a_minute=1000)
    yield own


@pytest.fixture
def address(site: type[Site]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), site)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


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


def expect(
    answers: Answers, page: Page, address: str, site: type[Site], *, others: frozenset[str] = frozenset()
) -> None:
    """Every way let the declared name through and refused the other, and the browser holds accordingly."""
    wrong = {way: said for way, said in answers.items() if said != ["ok", "ok" if way in REFUSED else "SecurityError"]}
    assert wrong == {}
    kinds = {way.partition(":")[0] for way in answers}
    assert kept(page, address) == {DECLARED[kind] for kind in kinds} | others
    page.wait_for_timeout(100)
    told = {(finding.code, finding.kind) for finding in site.found}
    assert {("SN331", kind) for kind in kinds} <= told
    assert all("/cookie-guard.js" not in (finding.script or "") for finding in site.found)


def test_a_page(page: Page, address: str, site: type[Site]) -> None:
    answers = page.evaluate("tryAll()")
    assert len(answers) == 36
    expect(answers, page, address, site)
    assert {finding.script for finding in site.found} == {"/write.js"}


def test_a_module(page: Page, address: str, site: type[Site]) -> None:
    expect(page.evaluate("tryFromModule()"), page, address, site)
    [own] = [finding for finding in site.found if finding.name == "from_a_module"]
    assert own.script == "/module.js"
    assert own.stack[0].startswith("/module.js:5:")


def test_an_inline_handler(page: Page, address: str, site: type[Site]) -> None:
    page.goto(f"{address}/handler")
    page.get_by_role("button").click()
    page.wait_for_timeout(200)
    assert page.get_by_role("button").get_attribute("data-done") is None, "the CSP lets no handler run"
    assert kept(page, address) == set()

    def with_handler(csp: str) -> str:
        return with_frames(csp).replace("script-src 'self'", f"script-src 'self' 'unsafe-hashes' {source_hash(HASHED)}")

    site.csp = staticmethod(with_handler)
    page.goto(f"{address}/handler")
    page.get_by_role("button").click()
    page.wait_for_selector("button[data-done*=cookie]")
    expect(json.loads(page.get_by_role("button").get_attribute("data-done") or ""), page, address, site)


def test_a_frame_of_our_origin(page: Page, address: str, site: type[Site]) -> None:
    page.goto(f"{address}/framed")
    expect(page.frames[1].evaluate("tryAll()"), page, address, site)


@pytest.mark.parametrize("path", ["/srcdoc", "/guarded-srcdoc"])
def test_a_srcdoc_frame(page: Page, address: str, site: type[Site], path: str) -> None:
    page.goto(f"{address}{path}")
    expect(page.frames[1].evaluate("tryAll()"), page, address, site)


def test_an_empty_frame(page: Page, address: str, site: type[Site]) -> None:
    page.evaluate("document.body.append(document.createElement('iframe'))")
    page.frames[1].evaluate((FILES / "write.js").read_text(encoding="utf-8"))
    # A document without an address of its own has no service workers, and what Playwright evaluates no address either.
    expect(page.frames[1].evaluate("tryAll('service-worker')"), page, address, site)


WORKERS = ["indexeddb: open", "cache: open", "opfs: directory", "opfs: file renamed"]


@pytest.mark.parametrize("type_", ["Worker", "SharedWorker"])
@pytest.mark.parametrize("kind", ["classic", "module"])
def test_a_worker(page: Page, address: str, site: type[Site], type_: str, kind: str) -> None:
    answers = page.evaluate(
        "([type, kind]) => askWorker(type, `/worker-${kind}.js?own=1#part`, { type: kind })", [type_, kind]
    )
    assert set(WORKERS) <= set(answers)
    expect(answers, page, address, site)


@pytest.mark.parametrize("kind", ["classic", "module"])
def test_a_service_worker(page: Page, address: str, site: type[Site], kind: str) -> None:
    answers = page.evaluate("(kind) => askServiceWorker(`/service-${kind}.js`, { type: kind, scope: '/scope/' })", kind)
    assert {*WORKERS, "cookie: CookieStore.set"} <= set(answers)
    expect(answers, page, address, site, others=frozenset({f"service-worker /service-{kind}.js"}))
