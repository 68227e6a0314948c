"""The security headers in a real Chromium: it knows all of them, obeys them, and has nothing to complain about."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from strictly_necessary import Override, load
from strictly_necessary.headers import DENIED_FEATURES, security_headers, source_hash
from strictly_necessary.page import render_html

pytestmark = pytest.mark.browser

DECLARATION = load(Path(__file__).parent / "example.toml")
PAGE = f"""<!doctype html><html lang="en"><title>x</title><link rel="icon" href="/icon.svg">
<script src="/probe.js"></script><h1>x</h1>{render_html(DECLARATION)}
<form method="post" action="/leave"><button>Leave</button></form>"""


class Handler(BaseHTTPRequestHandler):
    """A page, its script, and a form whose answer leads to another port, as a sign-in for a desktop app does."""

    declaration = DECLARATION
    nonce: str | None = None
    page = PAGE
    other_port = 0

    def do_GET(self) -> None:
        kind, body = {
            "/probe.js": ("text/javascript", "document.documentElement.dataset.ran = 'yes'"),
            "/icon.svg": ("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
        }.get(self.path.partition("?")[0], ("text/html; charset=utf-8", self.page))
        self.send_response(200)
        self.send_header("content-type", kind)
        for name, value in security_headers(self.declaration, nonce=self.nonce).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def do_POST(self) -> None:
        self.send_response(303)
        self.send_header("location", f"http://127.0.0.1:{self.other_port}/callback?code=1")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- so named in the base class
        """Be quiet."""


def serve(handler: type[Handler]) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        yield browser.new_page()
        browser.close()


@pytest.fixture
def handler() -> type[Handler]:
    return type("OwnHandler", (Handler,), {})


@pytest.fixture
def address(handler: type[Handler]) -> Iterator[str]:
    with serve(handler) as server:
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_the_browser_knows_every_header_and_loads_the_page(page: Page, address: str) -> None:
    said: list[str] = []
    session = page.context.new_cdp_session(page)
    session.on("Log.entryAdded", lambda event: said.append(event["entry"]["text"]))
    session.send("Log.enable")
    page.on("console", lambda message: said.append(message.text))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.dataset.ran") == "yes"
    assert said == []
    known = set(page.evaluate("document.featurePolicy.features()"))
    assert set(DENIED_FEATURES) <= known
    assert not set(DENIED_FEATURES) & set(page.evaluate("document.featurePolicy.allowedFeatures()"))


def test_scripts_and_markup_of_others_do_not_run(page: Page, address: str) -> None:
    page.goto(address)
    blocked = page.evaluate(
        """async () => {
        const seen = [];
        document.addEventListener('securitypolicyviolation', (event) => seen.push(event.effectiveDirective));
        const inline = document.createElement('script');
        try { inline.textContent = 'window.ran = 1'; } catch (error) { seen.push('trusted-types'); }
        const image = document.createElement('img');
        image.src = 'http://tracker.invalid/pixel.gif';
        document.body.append(image);
        const style = document.createElement('style');
        style.textContent = 'body { color: red }';
        document.body.append(style);
        await fetch('http://tracker.invalid/').catch(() => {});
        try { document.body.innerHTML = '<b>x</b>'; } catch (error) { seen.push('trusted-types'); }
        await new Promise((done) => setTimeout(done, 200));
        return seen;
    }"""
    )
    assert {"img-src", "style-src-elem", "connect-src"} <= set(blocked)
    assert blocked.count("trusted-types") == 2
    assert page.evaluate("window.ran") is None


def test_a_nonce_lets_in_what_stands_in_the_page_and_no_other_host(
    page: Page, address: str, handler: type[Handler]
) -> None:
    hashed = Override("content-security-policy", f"'self' {source_hash('document.title += 3')}", "Fixed.", "script-src")
    handler.declaration = replace(DECLARATION, overrides=(hashed,))
    handler.nonce = "abc"
    with serve(Handler) as other:
        elsewhere = f"http://127.0.0.1:{other.server_port}/probe.js"
        handler.page = f"""<!doctype html><title>x</title><script nonce="abc">document.title = 1</script>
            <script>document.title += 2</script><script>document.title += 3</script>
            <style nonce="abc">h1 {{ color: rgb(1, 2, 3) }}</style><h1>x</h1>
            <script nonce="abc" src="{elsewhere}"></script><script nonce="abc" src="/probe.js?own"></script>"""
        answered: list[str] = []
        page.on("response", lambda response: answered.append(response.url))
        page.goto(address)
        assert page.title() == "13", "the first has the nonce, the third the hash"
        assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(1, 2, 3)"
        assert page.evaluate("document.documentElement.dataset.ran") == "yes"
        assert f"{address}probe.js?own" in answered
        assert elsewhere not in answered
        other.shutdown()


@pytest.mark.parametrize("allowed", [False, True])
def test_a_form_leads_elsewhere_only_if_the_csp_names_the_target(
    page: Page, address: str, handler: type[Handler], allowed: bool
) -> None:
    with serve(Handler) as other:
        handler.other_port = other.server_port
        targets = "'self' http://127.0.0.1:*"
        leave = Override("content-security-policy", targets, "The app listens there.", "form-action")
        handler.declaration = replace(DECLARATION, overrides=(leave,)) if allowed else DECLARATION
        page.goto(address)
        page.get_by_role("button", name="Leave").click()
        page.wait_for_timeout(500)
        assert page.url.endswith("/callback?code=1") is allowed
        other.shutdown()


def test_the_page_fits_a_phone(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(address)
    widest = page.evaluate("document.documentElement.scrollWidth")
    assert widest <= 360
