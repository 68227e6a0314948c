"""How pages are left: one that waits for its end is left before its visit is over, and what it sends belongs to it; one
that does not stands until the next takes its place, and adds nothing to that one."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from strictly_necessary.audit import Plan, State, Visit
from strictly_necessary.audit.browser import launch

pytestmark = pytest.mark.browser

SCRIPTS = {
    "/silent": "setInterval(() => { document.title += '.'; localStorage.beat = document.title.length; }, 900);",
    "/pagehide": "addEventListener('pagehide', () => navigator.sendBeacon('/told'));",
    "/onpagehide": "onpagehide = () => navigator.sendBeacon('/told');",
    "/hidden": "document.onvisibilitychange = () => fetch('/told', { keepalive: true });",
    "/later": "fetchLater('/told', { activateAfter: 100000 });",
    "/plain": "",
}


class Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.answer(f"<!doctype html><link rel=icon href=data:,><script>{SCRIPTS.get(self.path, '')}</script>")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.answer("")

    def answer(self, text: str) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- so named in the base class
        pass


@pytest.fixture(scope="module")
def visits() -> Iterator[dict[str, Visit]]:
    """Each page, and a plain one after it, in one tab. The addresses of the plain ones name the page before."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    origin = f"http://127.0.0.1:{server.server_port}"

    async def visit() -> dict[str, Visit]:
        seen = {}
        async with launch(Plan(origin, screenshots=False)) as browser, browser.person(State.VISIT) as person:
            for path in SCRIPTS:
                for address in (path, f"/plain?after={path}"):
                    tab = await person.open(origin + address)
                    seen[address] = await tab.finish()
        return seen

    yield asyncio.run(visit())
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("path", ["/pagehide", "/onpagehide", "/hidden", "/later"])
def test_what_a_page_sends_on_leaving_belongs_to_it(visits: dict[str, Visit], path: str) -> None:
    assert [request.url.rpartition("/")[2] for request in visits[path].requests][-1:] == ["told"]


@pytest.mark.parametrize("path", SCRIPTS)
def test_the_next_page_has_only_what_is_its_own(visits: dict[str, Visit], path: str) -> None:
    after = visits[f"/plain?after={path}"]
    assert [request.url.partition("?")[0].rpartition("/")[2] for request in after.requests] == ["plain"]
    assert (after.writes, after.mishaps, after.title) == ((), (), "")
    assert after.address.endswith(f"/plain?after={path}")


def test_a_silent_page_writes_in_its_own_visit_for_as_long_as_was_waited(visits: dict[str, Visit]) -> None:
    assert {write.name for write in visits["/silent"].writes} == {"beat"}
    assert 25 < len(visits["/silent"].title) < 40, "thirty seconds of its clock, and not more for having been left"
