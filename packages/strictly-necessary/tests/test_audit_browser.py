"""The audit's engine in a real Chromium: who wrote what, what is kept, and pages that behave badly."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import pytest

from strictly_necessary.audit._observation import Act, Deed, Request, State, Trouble, Visit, Write
from strictly_necessary.audit._plan import Plan
from strictly_necessary.audit.browser import Browser, BrowserError, Person, launch
from strictly_necessary.declaration._items import Kind

pytestmark = pytest.mark.browser

T = TypeVar("T")
Answer = tuple[int, list[tuple[str, str]], bytes]
HTML = ("content-type", "text/html; charset=utf-8")
SCRIPT = ("content-type", "text/javascript")
PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01"
    b"\x00\x00\x02\x02D\x01\x00;"
)


def page(body: str, *headers: tuple[str, str], status: int = 200) -> Answer:
    return status, [HTML, *headers], f"<!doctype html><title>A page</title>{body}".encode()


def script(body: str, *headers: tuple[str, str]) -> Answer:
    return 200, [SCRIPT, *headers], body.encode()


def set_cookie(line: str) -> tuple[str, str]:
    return ("set-cookie", line)


PAGES: dict[str, Answer] = {
    "/plain": page("<h1>Nothing is kept</h1>"),
    "/headers": page(
        "<script>fetch('/sets?by=fetch'); new Image().src = '/pixel.gif'</script><iframe src=/framed></iframe>",
        set_cookie("top=secret; Max-Age=600; HttpOnly"),
        set_cookie("__Host-bad=1; Domain=localhost; Path=/"),
        set_cookie("part=1; Partitioned"),
        set_cookie("none=1; SameSite=None"),
        set_cookie("gone=; Max-Age=0"),
    ),
    "/framed": page("", set_cookie("framed=1")),
    "/sets": script("", set_cookie("fetched=1; Expires=Wed, 01 Jan 2098 00:00:00 GMT")),
    "/pixel.gif": (200, [("content-type", "image/gif"), set_cookie("pixel=1")], PIXEL),
    "/redirect": (302, [("location", "/plain"), set_cookie("hop=1")], b""),
    "/scripts": page(
        "<script src=/write.js></script><script>localStorage.removeItem('old');"
        "setTimeout(() => { localStorage.late = 'x' }, 20000)</script><iframe src=/frame-writes></iframe>"
    ),
    "/write.js": script(
        "document.cookie = 'js=1; max-age=60';\nlocalStorage.setItem('key', 'value');\nsessionStorage.s = 1"
    ),
    "/frame-writes": page("<script>localStorage.inframe = 1</script>"),
    "/deep": page(
        "<script>indexedDB.open('base').onsuccess = (e) => { e.target.result.close(); localStorage.chain = 1 };"
        "caches.open('cupboard'); navigator.storage.getDirectory().then((d) => d.getFileHandle('file', {create: true}))"
        "</script>"
    ),
    "/workers": page("<script>new Worker('/worker.js'); navigator.serviceWorker.register('/service.js')</script>"),
    "/worker.js": script(
        "caches.open('at-once');\nsetTimeout(() => indexedDB.open('later'), 15000); fetch('/sets?by=worker')"
    ),
    "/service.js": script(
        "caches.open('of-service'); self.addEventListener('install', () => fetch('/sets?by=service'))"
    ),
    "/sends": page(
        "<a id=a href=/plain ping=/pinged>x</a><img src=/pixel.gif><script>navigator.sendBeacon('/beacon', 'body=1');"
        "fetch('/sets', {method: 'POST', body: 'posted'}); new WebSocket(`ws://${location.host}/socket`)</script>"
    ),
    "/button": page(
        "<button style='position:fixed;left:0;top:0;width:200px;height:100px' "
        "onclick=\"localStorage.clicked=1;setTimeout(()=>{document.cookie='after=1'},5000)\">x</button>"
    ),
    "/leaves": page(
        "<button style='position:fixed;left:0;top:0;width:200px;height:100px' onclick=\"location='/plain'\">x</button>"
    ),
    "/deletes": page(
        "<script>document.cookie='a=1'; document.cookie='a=; max-age=0';localStorage.b=1; localStorage.clear()</script>"
    ),
    "/alerts": page("<script>for (let i = 0; i < 5; i++) { alert(i); confirm(i); prompt(i) }</script><p>x"),
    "/alert-loop": page("<script>for (;;) alert(1)</script>"),
    "/unload": page(
        "<script>addEventListener('beforeunload', (e) => e.preventDefault());"
        "addEventListener('pagehide', () => navigator.sendBeacon('/bye'));"
        "document.addEventListener('visibilitychange', () => navigator.sendBeacon('/hidden'))</script>"
    ),
    "/popups": page("<script>for (let i = 0; i < 30; i++) open('/plain?' + i)</script>"),
    "/closes": page("<script>window.close()</script>"),
    "/endless": page("<script>for (;;) {}</script>"),
    "/late-endless": page("<script>setTimeout(() => { for (;;) {} }, 5000)</script>"),
    "/loop": (302, [("location", "/loop")], b""),
    "/going": page("<script>location = '/going?' + Math.random()</script>"),
    "/refresh": page("<meta http-equiv=refresh content='0'>"),
    "/download": (200, [("content-type", "application/octet-stream"), ("content-disposition", "attachment")], b"x"),
    "/json": (200, [("content-type", "application/json"), set_cookie("of-json=1")], b"{}"),
    "/missing": page("nothing here", status=404),
    "/keys": page(
        "<script>for (let i = 0; i < 10000; i++) localStorage['k' + i] = i;"
        "sessionStorage.big = 'x'.repeat(4e6)</script>"
    ),
    "/history": page("<script>for (let i = 0; i < 3000; i++) history.pushState(0, '', '?' + i)</script>"),
    "/polls": page("<script>fetch('/never'); setTimeout(() => { localStorage.late = 1 }, 10000)</script>"),
    "/hostile": page(
        "<script>localStorage.hidden = 1; Storage.prototype.key = () => null; Storage.prototype.getItem = () => 'lie';"
        "Object.defineProperty(window, 'localStorage', {value: {}}); Array.prototype.push = () => { throw 1 }</script>"
    ),
    "/cached": (200, [HTML, ("cache-control", "max-age=600"), ("etag", '"tag"')], b"<title>cached</title>"),
    "/uses-cached": page("<script src=/cached.js></script>"),
    "/cached.js": script("1", ("cache-control", "max-age=600")),
    "/signal": page("<script>localStorage.gpc = String(navigator.globalPrivacyControl)</script>"),
    "/session-1": page("<script>sessionStorage.token = 1</script>"),
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.do_GET()

    def do_GET(self) -> None:
        assert isinstance(self.server, Site)
        self.server.seen.append((self.path, dict(self.headers)))
        path = self.path.partition("?")[0]
        if path == "/never":
            self.server.ending.wait(30)
            self.close_connection = True
            return
        if path == "/half":
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", "1000")
            self.end_headers()
            self.wfile.write(b"<title>half</title><script>localStorage.half = 1</script>")
            self.wfile.flush()
            self.server.ending.wait(30)
            return
        status, headers, body = PAGES.get(path, (404, [HTML], b"nothing here"))
        if path == "/heavy":
            status, headers, body = 200, [HTML], b"<title>heavy</title>" + b"<p>x" * 12_500_000
        self.send_response(status)
        for name, text in headers:
            self.send_header(name, text)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True


class Site(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.ending = threading.Event()
        self.url = f"http://localhost:{self.server_port}"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    server = Site()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.ending.set()
    server.shutdown()
    server.server_close()


class Loop:
    """One event loop and one browser for the module."""

    def __init__(self, site: Site) -> None:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.site = site
        self.plan = Plan(site.url, timeout=10, screenshots=False)
        self.browser: Browser = self.run(self._stack.enter_async_context(launch(self.plan)))

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(coroutine)

    def close(self) -> None:
        self.run(self._stack.aclose())
        self._runner.close()

    def visit(self, path: str, state: State = State.VISIT) -> Visit:
        return self.visits([path], state)[0]

    def visits(self, paths: list[str], state: State = State.VISIT) -> list[Visit]:
        async def look() -> list[Visit]:
            async with self.browser.person(state) as person:
                return [await see(person, self.site.url + path) for path in paths]

        return self.run(look())


async def see(person: Person, url: str) -> Visit:
    tab = await person.open(url)
    return await tab.finish()


@pytest.fixture(scope="module")
def loop(site: Site) -> Iterator[Loop]:
    running = Loop(site)
    yield running
    running.close()


def write(visit: Visit, name: str) -> Write:
    found = [each for each in visit.writes if each.name == name]
    assert found, f"no write of {name} among {[each.name for each in visit.writes]}"
    return found[0]


def request(visit: Visit, path: str) -> Request:
    found = [each for each in visit.requests if path in each.url]
    assert found, f"no request of {path} among {[each.url for each in visit.requests]}"
    return found[0]


def kept(visit: Visit) -> set[tuple[Kind, str]]:
    return {(each.kind, each.name) for each in visit.snapshots[-1].stored}


def troubles(visit: Visit) -> list[Trouble]:
    return [each.trouble for each in visit.mishaps]


def test_a_plain_page_is_loaded_and_waited_for(loop: Loop) -> None:
    visit = loop.visit("/plain")
    assert [act.deed for act in visit.acts] == [Deed.LOAD, Deed.WAIT]
    assert (visit.status, visit.title, visit.address) == (200, "A page", f"{loop.site.url}/plain")
    assert not visit.mishaps
    assert not visit.writes
    assert visit.snapshots[-1].stored == ()
    assert {each.url.removeprefix(loop.site.url) for each in visit.requests} == {"/plain", "/favicon.ico"}


def test_each_cookie_of_a_header_has_its_response(loop: Loop) -> None:
    visit = loop.visit("/headers")
    assert write(visit, "top").header == "top=…; Max-Age=600; HttpOnly"
    assert (write(visit, "top").life, write(visit, "top").value) == (600, "secret")
    assert write(visit, "fetched").address.endswith("/sets?by=fetch")
    assert write(visit, "fetched").life == 400 * 86_400
    assert write(visit, "pixel").address.endswith("/pixel.gif")
    assert write(visit, "framed").address.endswith("/framed")
    assert write(visit, "gone").removes
    assert {name for kind, name in kept(visit) if kind is Kind.COOKIE} == {"top", "fetched", "pixel", "framed"}
    numbered = write(visit, "fetched").request
    assert numbered is not None
    assert visit.requests[numbered].url.endswith("/sets?by=fetch")


def test_refused_cookies_say_why(loop: Loop) -> None:
    visit = loop.visit("/headers")
    assert "prefix" in (write(visit, "__Host-bad").refused or "")
    assert write(visit, "part").refused == "is Partitioned, and not Secure"
    assert write(visit, "none").refused == "has SameSite=None, and is not Secure"
    assert write(visit, "top").refused is None


def test_redirects_are_requests_of_their_own(loop: Loop) -> None:
    visit = loop.visit("/redirect")
    first, second = visit.requests[0], visit.requests[1]
    assert (first.status, second.redirect_from, second.status) == (302, 0, 200)
    assert write(visit, "hop").request == 0
    assert visit.address.endswith("/plain")


def test_scripts_are_known_by_their_stack(loop: Loop) -> None:
    visit = loop.visit("/scripts")
    assert (write(visit, "js").stack[0].url, write(visit, "js").stack[0].line) == (f"{loop.site.url}/write.js", 1)
    assert write(visit, "key").stack[0].line == 2
    assert write(visit, "inframe").frame.endswith("/frame-writes")
    assert write(visit, "late").act == 1
    assert {(Kind.LOCAL, "late"), (Kind.SESSION, "s"), (Kind.COOKIE, "js")} <= kept(visit)


def test_databases_caches_and_files_are_kept(loop: Loop) -> None:
    visit = loop.visit("/deep")
    assert {(Kind.INDEXEDDB, "base"), (Kind.CACHE, "cupboard"), (Kind.OPFS, "file"), (Kind.LOCAL, "chain")} <= kept(
        visit
    )


def test_workers_are_watched_from_their_first_line(loop: Loop) -> None:
    visit = loop.visit("/workers")
    assert (write(visit, "at-once").worker, write(visit, "at-once").stack[0].line) == (f"{loop.site.url}/worker.js", 1)
    assert write(visit, "later").act == 1
    assert (write(visit, "of-service").worker or "").endswith("/service.js")
    assert request(visit, "by=service").worker == f"{loop.site.url}/service.js"
    assert request(visit, "by=worker").url
    assert (Kind.SERVICE_WORKER, f"{loop.site.url}/service.js") in kept(visit)


def test_what_is_sent_is_recorded(loop: Loop) -> None:
    visit = loop.visit("/sends")
    assert (request(visit, "/beacon").type, request(visit, "/beacon").sent) == ("ping", ("body=1",))
    assert request(visit, "/sets").sent == ("posted",)
    assert request(visit, "/socket").type == "websocket"
    assert request(visit, "/pixel.gif").image == (1, 1)
    assert request(visit, "/sets").stack[0].url == f"{loop.site.url}/sends"


def test_an_act_has_what_it_caused(loop: Loop) -> None:
    async def look() -> Visit:
        async with loop.browser.person(State.VISIT) as person:
            tab = await person.open(f"{loop.site.url}/button")
            async with tab.act(Act(Deed.CLICK, 'button "x"')):
                await tab.click(20, 20)
            async with tab.act(Act(Deed.SCROLL)):
                await tab.wheel(100)
            assert await tab.evaluate("localStorage.clicked") == "1"
            return await tab.finish()

    visit = loop.run(look())
    assert (write(visit, "clicked").act, write(visit, "after").act) == (2, 2)
    assert [each.act for each in visit.snapshots] == [1, 2]


def test_a_page_that_must_stay_does(loop: Loop) -> None:
    async def look() -> tuple[Visit, str]:
        async with loop.browser.person(State.VISIT) as person:
            tab = await person.open(f"{loop.site.url}/leaves")
            tab.stay = True
            before = len(loop.site.seen)
            async with tab.act(Act(Deed.CLICK)):
                await tab.click(20, 20)
            assert [path for path, _ in loop.site.seen[before:]] == []
            return await tab.finish(), tab.address

    visit, _ = loop.run(look())
    assert troubles(visit) == [Trouble.LEFT]
    assert visit.address.endswith("/leaves")


def test_a_page_that_goes_on_is_told(loop: Loop) -> None:
    async def look() -> Visit:
        async with loop.browser.person(State.VISIT) as person:
            tab = await person.open(f"{loop.site.url}/leaves")
            async with tab.act(Act(Deed.CLICK)):
                await tab.click(20, 20)
            return await tab.finish()

    visit = loop.run(look())
    assert (troubles(visit), visit.mishaps[0].act) == ([Trouble.LEFT], 2)


def test_what_was_removed_again_is_not_kept_nor_refused(loop: Loop) -> None:
    visit = loop.visit("/deletes")
    assert kept(visit) == set()
    assert write(visit, "a").refused is None


def test_a_person_keeps_the_cache_the_session_and_nobody_elses_things(loop: Loop) -> None:
    first, second, third = loop.visits(["/uses-cached", "/session-1", "/uses-cached"])
    assert not request(first, "/cached.js").from_cache
    assert request(third, "/cached.js").from_cache
    assert (Kind.SESSION, "token") in kept(third)
    assert kept(loop.visit("/plain")) == set()
    assert second.writes


def test_removing(loop: Loop) -> None:
    async def look() -> list[set[Kind]]:
        seen = []
        async with loop.browser.person(State.VISIT) as person:
            for path in ("/scripts", "/deep", "/workers"):
                await see(person, loop.site.url + path)
            for kinds in (frozenset[Kind](), frozenset({Kind.COOKIE}), frozenset(Kind)):
                await person.remove(kinds)
                await see(person, f"{loop.site.url}/plain")
                seen.append({each.kind for each in await person.snapshot()})
        return seen

    everything, no_cookies, nothing = loop.run(look())
    assert everything == set(Kind)
    assert no_cookies == set(Kind) - {Kind.COOKIE}
    assert nothing == set()


def test_global_privacy_control(loop: Loop) -> None:
    visit = loop.visit("/signal", State.GPC)
    assert write(visit, "gpc").value == "true"
    headers = [headers for path, headers in loop.site.seen if path == "/signal"]
    assert headers[-1].get("Sec-GPC") == "1"
    assert write(loop.visit("/signal"), "gpc").value == "undefined"


def test_without_javascript(loop: Loop) -> None:
    first, second = loop.visits(["/headers", "/scripts"], State.NO_JAVASCRIPT)
    assert {name for _, name in kept(first)} == {"top", "framed"}
    assert second.writes == ()


def test_without_cookies(loop: Loop) -> None:
    async def look() -> Visit:
        async with launch(loop.plan, cookies=False) as browser, browser.person(State.NO_COOKIES) as person:
            return await see(person, f"{loop.site.url}/headers")

    visit = loop.run(look())
    assert kept(visit) == set()
    assert write(visit, "top").refused == "the browser is set to take no such cookie"


def test_a_hostile_page_hides_nothing(loop: Loop) -> None:
    visit = loop.visit("/hostile")
    assert [each.value for each in visit.snapshots[-1].stored] == ["1"]


def test_many_keys_and_long_values(loop: Loop) -> None:
    visit = loop.visit("/keys")
    stored = visit.snapshots[-1].stored
    assert len(stored) == 10_001
    assert max(len(each.value) for each in stored) < 70_000
    assert not visit.mishaps


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/never", [Trouble.TIMEOUT]),
        ("/half", [Trouble.TIMEOUT]),
        ("/loop", [Trouble.REDIRECTS]),
        ("/going", [Trouble.REDIRECTS]),
        ("/refresh", [Trouble.REDIRECTS]),
        ("/download", [Trouble.DOWNLOAD]),
        ("/json", [Trouble.NOT_HTML]),
        ("/missing", [Trouble.STATUS]),
        ("/alerts", [Trouble.DIALOG] * 3),
        ("/alert-loop", [Trouble.DIALOG, Trouble.TOO_MUCH]),
        ("/popups", [Trouble.POPUP] * 6),
        ("/endless", [Trouble.TIMEOUT]),
        ("/late-endless", [Trouble.TOO_MUCH]),
        ("/closes", []),
        ("/history", []),
        ("/polls", []),
    ],
)
def test_pages_that_behave_badly_are_a_line(loop: Loop, path: str, expected: list[Trouble]) -> None:
    bad, good = loop.visits([path, "/scripts"])
    assert troubles(bad) == expected, bad.mishaps
    assert write(good, "key").value == "value"
    assert not good.mishaps


@pytest.mark.parametrize("address", ["http://localhost:1/", "http://nowhere.invalid/"])
def test_a_site_that_is_not_there(loop: Loop, address: str) -> None:
    async def look() -> Visit:
        async with loop.browser.person(State.VISIT) as person:
            return await see(person, address)

    assert troubles(loop.run(look())) == [Trouble.UNREACHABLE]


def test_a_crash_is_a_line_and_the_next_page_is_looked_at(loop: Loop) -> None:
    async def look() -> tuple[Visit, Visit]:
        async with loop.browser.person(State.VISIT) as person:
            return await see(person, "chrome://crash"), await see(person, f"{loop.site.url}/scripts")

    bad, good = loop.run(look())
    assert troubles(bad) == [Trouble.CRASH]
    assert write(good, "key").value == "value"


def test_what_is_sent_on_leaving_belongs_to_the_page(loop: Loop) -> None:
    visit = loop.visit("/unload")
    assert request(visit, "/bye").type == "ping"
    assert request(visit, "/hidden").act == 1


def test_a_large_page(loop: Loop) -> None:
    visit = loop.visit("/heavy")
    assert visit.status == 200
    assert set(troubles(visit)) <= {Trouble.TIMEOUT, Trouble.TOO_MUCH}  # it is more than a small machine can show


def test_a_screenshot(loop: Loop) -> None:
    async def look() -> Visit:
        async with launch(Plan(loop.site.url)) as browser, browser.person(State.VISIT) as person:
            return await see(person, f"{loop.site.url}/plain")

    assert (loop.run(look()).screenshot or b"").startswith(b"\x89PNG")


def test_a_dead_browser_is_started_once_more(loop: Loop) -> None:
    async def look() -> Visit:
        async with launch(loop.plan) as browser:
            async with browser.person(State.VISIT) as person:
                tab = await person.open(f"{loop.site.url}/plain")
                os.kill(browser.pid, signal.SIGKILL)
                await tab.finish()
            async with browser.person(State.VISIT) as person:
                tab = await person.open(f"{loop.site.url}/plain")
                visit = await tab.finish()
                os.kill(browser.pid, signal.SIGKILL)
                for _ in range(100):
                    await asyncio.sleep(0.05 if tab.alive else 0)
                with pytest.raises(BrowserError, match="has ended"):
                    await person.open(loop.site.url)
            with pytest.raises(BrowserError, match="twice"):
                async with browser.person(State.VISIT):
                    pass
            return visit

    assert loop.run(look()).status == 200


def test_no_browser_says_what_to_do(loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def start(plan: Plan) -> None:
        async with launch(plan):
            pass

    with pytest.raises(BrowserError, match="--chromium"):
        loop.run(start(replace(loop.plan, chromium="/nowhere/chromium")))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    with pytest.raises(BrowserError, match="install"):
        loop.run(start(loop.plan))
