"""Whatever a page does, the audit goes on to the next one: a line in the report, no hang and no traceback."""

from __future__ import annotations

import asyncio
import gzip
import http.server
import re
import runpy
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from strictly_necessary.audit import Judgement, Observation, Plan, State, Visit, judge, observe
from strictly_necessary.audit._observation import Trouble

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
HOSTILE = runpy.run_path(str(HERE / "audit_site" / "hostile.py"))
Page = runpy.run_path(str(HERE / "audit_site" / "tricks.py"))["Page"]
Site = runpy.run_path(str(HERE / "audit_site" / "server.py"))["Site"]
self_signed = runpy.run_path(str(HERE / "certificate.py"))["self_signed"]

HOST = HOSTILE["HOST"]
TIMEOUT = 2.0
MOST = 6 * TIMEOUT + 8
"""Seconds that one page may take on a loaded machine, whatever it does: its limit for loading and for leaving, and the
browser's own for starting a tab anew."""

TOLD: Mapping[str, frozenset[Trouble]] = {
    "/silent": frozenset({Trouble.TIMEOUT}),
    "/half": frozenset({Trouble.TIMEOUT}),
    "/drip": frozenset({Trouble.TIMEOUT}),
    "/rubbish": frozenset({Trouble.DOWNLOAD, Trouble.NOT_HTML, Trouble.UNREACHABLE}),
    "/header-flood": frozenset({Trouble.UNREACHABLE}),
    "/huge": frozenset({Trouble.TIMEOUT, Trouble.TOO_MUCH}),
    "/dialogs": frozenset({Trouble.DIALOG}),
    "/crash": frozenset({Trouble.CRASH}),
    "/popups": frozenset({Trouble.POPUP}),
    "/loop": frozenset({Trouble.TIMEOUT, Trouble.TOO_MUCH}),
    "/late-loop": frozenset({Trouble.TIMEOUT, Trouble.TOO_MUCH}),
    "/microtasks": frozenset({Trouble.TIMEOUT, Trouble.TOO_MUCH}),
    "/away": frozenset({Trouble.REDIRECTS, Trouble.LEFT}),
    "/reload": frozenset({Trouble.REDIRECTS, Trouble.LEFT}),
    "/refresh": frozenset({Trouble.REDIRECTS, Trouble.LEFT}),
    "/frames": frozenset({Trouble.TIMEOUT, Trouble.TOO_MUCH}),
    "/redirects": frozenset({Trouble.REDIRECTS}),
    "/download": frozenset({Trouble.DOWNLOAD, Trouble.NOT_HTML}),
    "/data.json": frozenset({Trouble.NOT_HTML}),
    "/missing": frozenset({Trouble.STATUS}),
}
"""What has to be told of each page: one of these."""

QUIET = (
    "/keys",
    "/close",
    "/leave",
    "/history",
    "/broken/",
    "/socket",
    "/poll",
    "/fetches",
    "/timers",
    "/prototype",
    "/workers",
    "/charset",
    "/cookie-rubbish",
)
"""Pages that are looked at in spite of all; what is told of them is theirs, and need be nothing."""

NO_FAULT = {Trouble.LEFT, Trouble.DOWNLOAD, Trouble.NOT_HTML}
"""What stands in the list of pages, and is no finding: the page was looked at, or is none."""


def answers() -> tuple[dict[Any, Any], dict[Any, Any]]:
    pages = {("GET", HOST, path): Page(body) for path, body in HOSTILE["PAGES"].items()}
    pages["GET", HOST, "/"] = Page("<h1>Start</h1>")
    pages["GET", HOST, "/last"] = Page('<h1>Last</h1><script>localStorage.last = "1"</script>')
    pages["GET", HOST, "/redirects"] = Page(to="/redirects?{{random}}")
    pages["GET", HOST, "/download"] = Page(
        "x", ("Content-Disposition: attachment", "Content-Type: application/x-thing")
    )
    pages["GET", HOST, "/data.json"] = Page("{}")
    return pages, {(HOST, path): answer for path, answer in HOSTILE["RAW"].items()}


@pytest.fixture(scope="module")
def site() -> Iterator[Any]:
    with Site(*answers()) as site:
        yield site
        HOSTILE["ENOUGH"].set()


def run(plan: Plan, limit: float) -> Observation:
    """Raises TimeoutError if it hangs."""

    async def body() -> Observation:
        async with asyncio.timeout(limit):
            return await observe(plan)

    return asyncio.run(body())


def plan_of(site: Any, host: str = HOST, **other: Any) -> Plan:
    values: dict[str, Any] = {
        "states": (State.VISIT,),
        "timeout": TIMEOUT,
        "explore": False,
        "resolve": {"*.localhost": site.address},
        "screenshots": False,
        "rate": 0.0,
    }
    return Plan(f"http://{host}/", **(values | other))


class Walk:
    """All of the pages in one audit."""

    def __init__(self, site: Any) -> None:
        paths = (*TOLD, *QUIET, "/last")
        start = time.monotonic()
        self.observation = run(plan_of(site, pages=len(paths) + 1, addresses=paths), limit=len(paths) * MOST)
        self.seconds = time.monotonic() - start
        self.judgement: Judgement = judge(self.observation)
        self._visits = {visit.url: visit for visit in self.observation.visits(State.VISIT)}

    def visit(self, path: str) -> Visit:
        return self._visits[f"http://{HOST}{path}"]

    def codes(self, path: str) -> set[str]:
        url = f"http://{HOST}{path}"
        return {each.code for each in self.judgement.findings if any(one.page == url for one in each.sightings)}


@pytest.fixture(scope="module")
def walk(site: Any) -> Walk:
    return Walk(site)


@pytest.mark.parametrize("path", TOLD)
def test_a_hostile_page_is_a_line_in_the_report(walk: Walk, path: str) -> None:
    troubles = {each.trouble for each in walk.visit(path).mishaps}
    assert troubles & TOLD[path], walk.visit(path).mishaps
    if troubles - NO_FAULT:
        assert walk.codes(path) & {"SN450", "SN451"}


@pytest.mark.parametrize("path", QUIET)
def test_a_page_that_is_only_odd_is_looked_at(walk: Walk, path: str) -> None:
    visit = walk.visit(path)
    assert visit.status == 200
    assert visit.snapshots
    assert "SN450" not in walk.codes(path)


def test_the_pages_before_and_after_are_looked_at(walk: Walk) -> None:
    assert walk.visit("/").title == walk.visit("/last").title == "Shop"
    assert {each.name for each in walk.visit("/last").snapshots[-1].stored} >= {"last"}
    assert "SN401" in walk.codes("/last")


def test_no_text_of_a_finding_is_a_traceback(walk: Walk) -> None:
    for each in walk.judgement.findings:
        assert not re.search(r"Traceback|Error\(|object at 0x", each.message + each.fix)


def test_ten_thousand_keys_are_all_seen(walk: Walk) -> None:
    assert (
        len({each.name for each in walk.visit("/keys").snapshots[-1].stored if each.name.startswith("key")}) == 10_000
    )


def test_what_a_page_bends_is_still_seen(walk: Walk) -> None:
    names = {each.name for each in walk.visit("/prototype").snapshots[-1].stored}
    assert names >= {"robbed"}


def test_pages_that_misbehave_when_they_are_used_end_too(site: Any) -> None:
    """With everything tried: dialogs, windows, leaving, and a page that closes itself."""
    paths = ("/dialogs", "/popups", "/leave", "/close", "/last")
    told = run(plan_of(site, pages=6, addresses=paths, explore=True), limit=len(paths) * 3 * MOST)
    assert [visit.url.removeprefix(f"http://{HOST}") for visit in told.visits()] == ["/", *paths]
    assert told.visits()[-1].title == "Shop"


@pytest.mark.parametrize("bad", ["bomb", "xml", "robots", "endless"])
def test_bad_files_for_robots_do_not_keep_the_pages_from_being_looked_at(bad: str) -> None:
    host = f"{bad}.localhost"
    raw: dict[tuple[str, str], Any] = {
        "bomb": {(host, "/sitemap.xml"): HOSTILE["sitemap_bomb"]},
        "xml": {(host, "/sitemap.xml"): HOSTILE["sitemap_bad"]},
        "robots": {(host, "/robots.txt"): HOSTILE["robots_bad"]},
        "endless": {(host, "/robots.txt"): HOSTILE["robots_endless"]},
    }[bad]
    pages = {
        ("GET", host, "/"): Page('<h1>Start</h1><a href="/next">Next</a>'),
        ("GET", host, "/next"): Page("<h1>Next</h1>"),
    }
    with Site(pages, raw) as other:
        told = run(plan_of(other, host), limit=60)
    assert [visit.url for visit in told.visits()] == [f"http://{host}/", f"http://{host}/next"]
    assert all(visit.status == 200 for visit in told.visits())


def test_a_certificate_that_does_not_hold_is_told(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    plan = Plan(f"https://localhost:{server.server_port}/", pages=1, states=(State.VISIT,), timeout=TIMEOUT, rate=0.0)
    told = run(plan, limit=60)
    server.shutdown()
    server.server_close()
    assert {each.trouble for visit in told.visits() for each in visit.mishaps} == {Trouble.TLS}
    assert {each.code for each in judge(told).findings} == {"SN450"}


def test_nobody_there_is_told() -> None:
    told = run(Plan("http://127.0.0.1:9/", pages=1, states=(State.VISIT,), timeout=TIMEOUT, rate=0.0), limit=60)
    assert {each.trouble for visit in told.visits() for each in visit.mishaps} == {Trouble.UNREACHABLE}
    assert {each.code for each in judge(told).findings} == {"SN450"}


def test_the_bomb_is_one() -> None:
    """What the test of the site map sends is small, and large when unpacked."""
    packed = gzip.compress(b"\0" * 64_000_000)
    assert len(packed) * 16 < 2_000_000
