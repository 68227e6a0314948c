"""The crawl: which pages come in which order, what is tried on them, in which states, and how it goes on after an
interruption."""

from __future__ import annotations

import asyncio
import gzip
import socketserver
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import dns.message
import dns.rrset
import pytest

from strictly_necessary.audit._observation import (
    Act,
    Cookie,
    Deed,
    Link,
    Mishap,
    Observation,
    Place,
    Request,
    Run,
    Snapshot,
    State,
    Stored,
    Trouble,
    Visit,
    Write,
)
from strictly_necessary.audit._plan import Plan
from strictly_necessary.audit.crawl import JournalError, Progress, observe
from strictly_necessary.audit.crawl._explore import canary
from strictly_necessary.audit.crawl._fetching import is_local
from strictly_necessary.audit.crawl._frontier import CHAIN, Frontier, Site, normal
from strictly_necessary.audit.crawl._journal import Journal
from strictly_necessary.audit.crawl._keeping import Keeper
from strictly_necessary.audit.crawl._names import chains, hosts_of
from strictly_necessary.audit.crawl._plainly import plainly, typed
from strictly_necessary.audit.crawl._politeness import Politeness, parse
from strictly_necessary.audit.crawl._returning import pages
from strictly_necessary.audit.crawl._sitemaps import MOST_ENTRIES, entries
from strictly_necessary.audit.crawl._words import LEAVES
from strictly_necessary.declaration._items import Kind

# --- The frontier -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "base", "expected"),
    [
        ("HTTP://Example.ORG:80", None, "http://example.org/"),
        ("https://example.org:443/a?b=1#c", None, "https://example.org/a?b=1"),
        ("../x", "https://example.org/a/b/c", "https://example.org/a/x"),
        ("//example.org/y", "https://example.org/", "https://example.org/y"),
        ("http://[::1]:8000/", None, "http://[::1]:8000/"),
        ("mailto:a@example.org", "https://example.org/", None),
        ("javascript:void(0)", "https://example.org/", None),
        ("http://example.org:port/", None, None),
        ("http://" + "a" * 3000, None, None),
    ],
)
def test_an_address_is_written_in_one_way(url: str, base: str | None, expected: str | None) -> None:
    assert normal(url, base) == expected


def order(frontier: Frontier) -> list[str]:
    return [urlsplit(url).path for url in iter(frontier.next, None)]


def test_pages_come_in_the_order_in_which_they_were_found_and_once() -> None:
    frontier = Frontier(Site.of("http://a.test/"), exclude=("/admin/*",))
    for url in ("/", "/b", "/a", "/b#x", "/admin/x", "/file.PDF", "http://b.test/", "http://a.test:81/", "/c"):
        frontier.add(url, "http://a.test/")
    assert order(frontier) == ["/", "/b", "/a", "/c"]
    assert not frontier.add("/a", "http://a.test/")


def test_what_a_person_named_is_looked_at_even_if_no_link_to_it_would_be() -> None:
    frontier = Frontier(Site.of("http://a.test/"), exclude=("/admin/*",))
    assert frontier.add("http://a.test/admin/x", asked=True)


def test_other_hosts_of_the_policy_belong_to_the_site() -> None:
    site = Site.of("https://a.test/", ("media.a.test",))
    assert site.has("https://media.a.test/x")
    assert not site.has("https://evil.a.test/x")


def test_links_that_end_a_session_are_not_followed() -> None:
    frontier = Frontier(Site.of("http://a.test/"), leaves=LEAVES)
    assert not frontier.add("http://a.test/users/sign_out")
    assert not frontier.add("http://a.test/bye", text="Log out")
    assert not frontier.add("http://a.test/bye?action=logout")
    assert frontier.add("http://a.test/blog/out-of-office", text="Blog")


def test_many_alike_come_after_everything_else_and_a_calendar_ends() -> None:
    frontier = Frontier(Site.of("http://a.test/"))
    for number in range(30):
        frontier.add(f"http://a.test/day/{number}", "http://a.test/")
    frontier.add("http://a.test/about", "http://a.test/")
    found = order(frontier)
    assert found[10] == "/about"
    assert len(found) == 31
    page, steps = "http://a.test/2026/1", 0
    frontier.add(page, "http://a.test/")
    while (url := frontier.next()) is not None:
        steps += 1
        frontier.add(f"http://a.test/2026/{steps + 1}", url)
    assert steps == CHAIN + 1


def test_permutations_of_a_query_come_last() -> None:
    frontier = Frontier(Site.of("http://a.test/"))
    for number in range(20):
        frontier.add(f"http://a.test/list?sort={number}&page={number}", "http://a.test/")
        frontier.add(f"http://a.test/list?page={number}&sort=x{number}", "http://a.test/")
    frontier.add("http://a.test/about", "http://a.test/")
    assert order(frontier).index("/about") == 10


# --- robots.txt and sitemaps ------------------------------------------------------------------------------------------

ROBOTS = """
# nobody in particular
User-agent: otherbot
Disallow: /

User-agent: *
Disallow: /private
Allow: /private/open
Disallow: /*.cgi$
Disallow: /search*q=
Crawl-delay: 2.5
Sitemap: https://a.test/map.xml
"""


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/", True),
        ("/private/x", False),
        ("/private/open/x", True),
        ("/x.cgi", False),
        ("/x.cgi?y", True),
        ("/search?a=1&q=2", False),
        ("/%70rivate", False),
    ],
)
def test_robots_are_read_as_rfc_9309_says(path: str, allowed: bool) -> None:
    assert parse(ROBOTS).allow(f"https://a.test{path}") is allowed


def test_robots_tell_the_delay_the_sitemaps_and_our_own_group() -> None:
    rules = parse(ROBOTS)
    assert (rules.delay, rules.sitemaps) == (2.5, ("https://a.test/map.xml",))
    ours = parse(ROBOTS + "\nUser-agent: a\nUser-agent: Strictly-Audit\nDisallow: /only-this\n")
    assert ours.allow("https://a.test/private")
    assert not ours.allow("https://a.test/only-this")


def test_sitemaps_are_bounded_and_may_be_packed_plain_or_broken() -> None:
    xml = b'<?xml version="1.0"?><urlset xmlns="x"><url><loc>http://a.test/?a=1&amp;b=2</loc></url>'
    xml += b"<url><loc> <![CDATA[http://a.test/c]]></loc>"
    assert entries(xml) == (["http://a.test/?a=1&b=2", "http://a.test/c"], False)
    assert entries(gzip.compress(xml)) == entries(xml)
    assert entries(b"<sitemapindex><sitemap><loc>http://a.test/1.xml</loc>") == (["http://a.test/1.xml"], True)
    assert entries(b"http://a.test/1\nhttp://a.test/2\n") == (["http://a.test/1", "http://a.test/2"], False)
    assert len(entries(b"<url><loc>http://a.test/</loc>" * (MOST_ENTRIES + 5))[0]) == MOST_ENTRIES
    assert entries(b"\x1f\x8bnot gzip at all") == ([], False)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:1/", True),
        ("http://x.localhost/", True),
        ("http://127.0.0.9/", True),
        ("http://[::1]/", True),
        ("http://x.shop.test/", True),
        ("http://example.org/", False),
        ("http://192.0.2.1/", False),
    ],
)
def test_what_is_on_this_machine_is_asked_without_waiting(url: str, local: bool) -> None:
    assert is_local(url, {"*.shop.test": "127.0.0.1:8000"}) is local


# --- The journal ------------------------------------------------------------------------------------------------------

VISIT = Visit(
    State.VISIT,
    "http://a.test/",
    "http://a.test/x",
    status=200,
    acts=(Act(Deed.LOAD), Act(Deed.TYPE, "field", typed="zq1")),
    snapshots=(
        Snapshot(
            1,
            (
                Stored(Kind.COOKIE, "a", "//a.test", "1", Cookie("a.test", "/", True, False, "Lax", 3.5)),
                Stored(Kind.LOCAL, "k", "http://a.test", "\ud800 lone"),
            ),
        ),
        Snapshot(0, ()),
    ),
    writes=(Write(Kind.COOKIE, "a", "http://a.test/", 0, stack=(Place("u", 1, 2, "f"),), life=None, request=0),),
    requests=(Request("http://a.test/", "GET", "image", 0, "f", "t", image=(1, 1), headers={"etag": "x"}),),
    links=(Link("a", "b"),),
    mishaps=(Mishap(Trouble.STATUS, "x"),),
    screenshot=b"\x89PNG",
)


def test_what_is_written_plainly_is_read_as_it_was() -> None:
    assert typed(Visit, plainly(VISIT)) == VISIT


def test_a_journal_goes_on_where_it_stopped_and_is_private(tmp_path: Path) -> None:
    plan = Plan("http://a.test/", resume=tmp_path / "journal")
    journal = Journal.open(plan)
    journal.finished(VISIT)
    journal.ends(State.GPC, "no")
    journal.close(remove=False)
    assert plan.resume is not None
    assert stat.S_IMODE(plan.resume.stat().st_mode) == 0o600
    with plan.resume.open("ab") as file:
        file.write(b'{"visit": {"state": "vis')  # the machine stopped here
    again = Journal.open(plan)
    assert again.visits == {State.VISIT: [VISIT]}
    assert again.ended == {State.GPC: "no"}
    again.finished(VISIT)
    again.close(remove=False)
    third = Journal.open(plan)
    assert third.visits == {State.VISIT: [VISIT, VISIT]}
    third.close(remove=True)
    assert not plan.resume.exists()


def test_a_journal_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    Journal.open(Plan("http://a.test/", resume=path)).close(remove=False)
    with pytest.raises(JournalError, match="belongs to another audit"):
        Journal.open(Plan("http://b.test/", resume=path))
    path.write_text("a diary\n")
    with pytest.raises(JournalError, match=":1 is not a line of a journal"):
        Journal.open(Plan("http://a.test/", resume=path))
    assert path.read_text() == "a diary\n"


def test_what_is_kept_in_many_snapshots_is_in_memory_once() -> None:
    keeper = Keeper()
    one = keeper.keep(typed(Visit, plainly(VISIT)))
    other = keeper.keep(typed(Visit, plainly(VISIT)))
    assert one == other == VISIT
    assert one.snapshots[0].stored is other.snapshots[0].stored


# --- Coming back ------------------------------------------------------------------------------------------------------


def kept(url: str, *things: tuple[Kind, str], tag: bool = False) -> Visit:
    stored = tuple(Stored(kind, name, "http://a.test") for kind, name in things)
    asked = Request(f"{url}/tagged", "GET", "image", 0, url, url, headers={"etag": "x"} if tag else {})
    document = Request(url, "GET", "document", 0, url, url, status=200)
    return Visit(State.VISIT, url, url, snapshots=(Snapshot(0, stored),), requests=(document, asked))


def test_pages_that_keep_something_new_are_come_back_to() -> None:
    theme, session = (Kind.LOCAL, "theme"), (Kind.COOKIE, "session")
    visits = [
        kept("/"),
        kept("/same"),
        kept("/two", theme, session),
        kept("/again", theme, session),
        kept("/tag", theme, session, tag=True),
    ]
    assert pages(visits) == ["/", "/two", "/tag"]
    many = [kept(f"/{number}", (Kind.LOCAL, f"key {number}")) for number in range(50)]
    assert len(pages(many)) == 10


def test_what_is_typed_is_the_same_in_every_run_and_like_nothing_else() -> None:
    assert canary("http://a.test/", "field") == canary("http://a.test/", "field")
    assert canary("http://a.test/", "field") != canary("http://a.test/b", "field")


# --- Names ------------------------------------------------------------------------------------------------------------


class Nameserver(socketserver.BaseRequestHandler):
    """Knows one chain, and answers everything else with nothing."""

    def handle(self) -> None:
        data, where = self.request
        asked = dns.message.from_wire(data)
        answer = dns.message.make_response(asked)
        if asked.question[0].name.to_text() == "metrics.shop.test.":
            for name, kind, to in (
                ("metrics.shop.test.", "CNAME", "shop.tracker.test."),
                ("shop.tracker.test.", "CNAME", "edge.tracker.test."),
                ("edge.tracker.test.", "A", "192.0.2.1"),
            ):
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, to))
        where.sendto(answer.to_wire(), self.client_address)


def test_the_chain_of_names_is_told_by_the_nameserver_of_the_plan() -> None:
    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Nameserver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        where = f"127.0.0.1:{server.server_address[1]}"
        found = asyncio.run(chains(["metrics.shop.test", "shop.test"], where))
        server.shutdown()
    assert found == {"metrics.shop.test": ("shop.tracker.test", "edge.tracker.test"), "shop.test": ()}


def test_nobody_is_asked_about_addresses_and_this_machine() -> None:
    urls = ("http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://b.test/", "http://a.test/", "data:,x")
    visit = Visit(State.VISIT, "x", "x", requests=tuple(Request(url, "GET", "image", 0, "", "") for url in urls))
    assert hosts_of([Run(State.VISIT, (visit,))]) == ["a.test", "b.test"]


# --- In a real browser ------------------------------------------------------------------------------------------------

HOME = """<!doctype html><title>Home</title><h1>Home</h1>
<a href="/second">Second</a> <a href="/away">Away</a> <a href="/second#again">Again</a> <a href="/photo.jpg">Photo</a>
<a href="http://other.test/in">Other</a>
<button type="button" onclick="localStorage.theme = 'dark'; menu.hidden = false">Dark</button>
<div id="menu" hidden><button type="button" onclick="localStorage.deep = '1'">Deeper</button></div>
<button type="button" onclick="localStorage.gone = '1'">Delete everything</button>
<button type="button" onclick="location = '/left'">Leave</button>
<form action="/sent" method="post"><input name="mail" type="email" aria-label="E-mail"><button>Send</button>
<button type="button" onclick="this.form.submit()">Sneak</button></form>
<label><input type="checkbox" onchange="localStorage.compact = this.checked"> Compact</label>
<select aria-label="Language" onchange="localStorage.language = this.value"><option>en<option>de</select>
<div style="height: 3000px"></div>
<script>
addEventListener("scroll", () => { localStorage.scrolled = "1"; }, { once: true });
addEventListener("mousemove", (event) => { if (event.clientX === 137) localStorage.moved = event.clientY; });
const mail = document.querySelector("[name=mail]");
mail.addEventListener("input", (event) => { sessionStorage.draft = mail.value; });
document.querySelector("[href*=other]").addEventListener("mousedown", (event) => { event.target.href += "?who=7"; });
localStorage.seen = "1";
setTimeout(() => { document.cookie = "late=1"; }, 9000);
</script>"""

SECOND = """<!doctype html><title>Second</title><a href="/third">Third</a>
<div id="cookie-note" role="dialog" aria-label="Cookies"><p>Wir verwenden Cookies.</p>
<button onclick="document.cookie = 'choice=yes'; this.closest('div').remove()">Alle akzeptieren</button>
<button onclick="document.cookie = 'choice=no'; this.closest('div').remove()">Nur notwendige</button></div>"""


class Pages(ThreadingHTTPServer):
    """A small site. `asked` are its requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str]] = []
        self.url = f"http://shop.test:{self.server_port}/"
        self.resolve = {"shop.test": f"127.0.0.1:{self.server_port}", "other.test": "127.0.0.1:9"}


class Handler(BaseHTTPRequestHandler):
    server: Pages
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.server.asked.append(("GET", path))
        bodies = {"/": HOME, "/second": SECOND, "/third": "<title>Third</title>", "/listed": "<title>Listed</title>"}
        if path == "/away":
            self.answer(302, "", location="http://other.test/in")
        elif path == "/sitemap.xml":
            self.answer(200, f"<urlset><url><loc>{self.server.url}listed</loc></url></urlset>")
        elif path in bodies:
            self.answer(200, bodies[path])
        else:
            self.answer(404, "<title>no</title>")

    def do_POST(self) -> None:
        self.server.asked.append(("POST", self.path))
        self.answer(200, "<title>sent</title>")

    def answer(self, status: int, body: str, location: str | None = None) -> None:
        self.send_response(status)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(body.encode())))
        if location is not None:
            self.send_header("location", location)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the standard library's name
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[Pages]:
    server = Pages()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def seen(site: Pages) -> tuple[Observation, list[Progress]]:
    told: list[Progress] = []
    states = (State.VISIT, State.REFUSED, State.GIVEN, State.GPC, State.RETURNED, State.SIGNED_IN)
    plan = Plan(site.url, states=states, resolve=site.resolve, screenshots=False)
    return asyncio.run(observe(plan, progress=told.append)), told


def run(observation: Observation, state: State) -> Run:
    return next(run for run in observation.runs if run.state is state)


def paths(visits: tuple[Visit, ...]) -> list[str]:
    return [urlsplit(visit.url).path for visit in visits]


def brought(visit: Visit, name: str) -> set[str]:
    return {str(visit.acts[write.act]) for write in visit.writes if write.name == name}


Seen = tuple[Observation, list[Progress]]


@pytest.mark.browser
def test_pages_are_found_in_one_order_and_followed_in_it(seen: Seen) -> None:
    observation, told = seen
    found = ["/", "/listed", "/second", "/away", "/third"]
    assert paths(run(observation, State.VISIT).visits) == found
    usable = [path for path in found if path != "/away"]  # it leads to where nobody answers
    assert paths(run(observation, State.GPC).visits) == usable
    assert paths(run(observation, State.REFUSED).visits) == ["/second", *usable]
    assert [each.done for each in told if each.state is State.VISIT] == [0, 1, 2, 3, 4]
    assert run(observation, State.SIGNED_IN).skipped == "no script says how to sign in"


@pytest.mark.browser
def test_each_thing_on_a_page_is_an_act_of_its_own(seen: Seen) -> None:
    home = run(seen[0], State.VISIT).visits[0]
    assert brought(home, "late") == {"wait"}
    assert brought(home, "scrolled") == {"scroll"}
    assert {act.partition(" ")[0] for act in brought(home, "moved")} == {"move"}
    assert brought(home, "theme") == {'press button "Dark"'}
    assert brought(home, "deep") == {'press button "Deeper"'}  # it can be seen only after Dark was pressed
    assert brought(home, "compact") == {'choose checkbox "Compact"'}
    assert brought(home, "language") == {'choose select "Language"'}
    (typing,) = [act for act in home.acts if act.deed is Deed.TYPE]
    assert typing.target == 'field "E-mail"'
    assert typing.typed == canary(home.url, typing.target) + "@example.com"
    drafts = [write.value for write in home.writes if write.name == "draft"]
    assert drafts[-1] == typing.typed


@pytest.mark.browser
def test_nothing_is_sent_removed_or_left(seen: Seen, site: Pages) -> None:
    home = run(seen[0], State.VISIT).visits[0]
    assert brought(home, "gone") == set()
    assert [asked for asked in site.asked if asked[0] == "POST" or asked[1] in {"/left", "/sent"}] == []
    assert {each.trouble for each in home.mishaps} == {Trouble.LEFT}  # two controls tried to


@pytest.mark.browser
def test_links_to_other_sites_are_pressed_and_not_followed(seen: Seen) -> None:
    home = run(seen[0], State.VISIT).visits[0]
    assert home.links == (Link("http://other.test/in", "http://other.test/in?who=7", "Other"),)


@pytest.mark.browser
def test_the_question_is_found_and_answered_both_ways_and_else_left_alone(seen: Seen) -> None:
    for state, deed, value in ((State.REFUSED, Deed.REFUSE, "no"), (State.GIVEN, Deed.GIVE, "yes")):
        answered = run(seen[0], state).visits[0]
        (write,) = [write for write in answered.writes if write.name == "choice"]
        assert (answered.acts[write.act].deed, write.value) == (deed, value)
    assert not [each for visit in seen[0].visits(State.VISIT) for each in visit.writes if each.name == "choice"]


@pytest.mark.browser
def test_the_same_person_comes_back_after_each_removal(seen: Seen) -> None:
    visits = run(seen[0], State.RETURNED).visits
    removals = [str(act) for visit in visits for act in visit.acts if act.deed is Deed.REMOVE]
    assert removals == ["remove cookies", "remove all but cookies", "remove everything"]
    for visit, gone, stays in zip(
        (visit for visit in visits if visit.acts[-1].deed is Deed.REMOVE),
        ({Kind.COOKIE}, set(Kind) - {Kind.COOKIE}, set(Kind)),
        ({Kind.LOCAL}, {Kind.COOKIE}, set()),
        strict=True,
    ):
        before, after = ({each.kind for each in visit.snapshots[at].stored} for at in (0, -1))
        assert {Kind.COOKIE, Kind.LOCAL} <= before
        assert not after & gone
        assert stays <= after


@pytest.mark.browser
def test_an_interrupted_audit_goes_on_where_it_stopped(site: Pages, tmp_path: Path) -> None:
    plan = Plan(
        site.url,
        states=(State.VISIT,),
        resolve=site.resolve,
        screenshots=False,
        explore=False,
        resume=tmp_path / "journal",
    )

    async def interrupted() -> None:
        def stop(progress: Progress) -> None:
            if progress.done == 2:
                audit.cancel()  # as Ctrl-C does

        audit = asyncio.create_task(observe(plan, progress=stop))
        with pytest.raises(asyncio.CancelledError):
            await audit

    asyncio.run(interrupted())
    assert plan.resume is not None
    assert plan.resume.exists()
    site.asked.clear()
    whole = run(asyncio.run(observe(plan)), State.VISIT)
    assert paths(whole.visits) == ["/", "/listed", "/second", "/away", "/third"]
    assert ("GET", "/") not in site.asked
    assert [each.message for each in whole.visits[2].mishaps] == [
        "the audit was interrupted before this page, and went on with an empty browser"
    ]
    assert not plan.resume.exists()


# --- Politeness, with a server that is taken to be far away -----------------------------------------------------------


class Strict(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        bodies = {"/robots.txt": b"User-agent: *\nDisallow: /secret\nCrawl-delay: 0.2\n", "/": b"<a href=/secret>s</a>"}
        status, body = (200, bodies[self.path]) if self.path in bodies else (429, b"slow down")
        self.send_response(status)
        self.send_header("content-type", "text/plain" if self.path == "/robots.txt" else "text/html")
        if status == 429:
            self.send_header("retry-after", "120")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the standard library's name
        pass


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for module in ("_politeness", "_visiting"):
        monkeypatch.setattr(f"strictly_necessary.audit.crawl.{module}.is_local", lambda url, resolve: False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Strict) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


def test_a_page_waits_for_its_turn(far: str) -> None:
    async def turns() -> float:
        politeness = Politeness(Plan(f"{far}/"))
        loop = asyncio.get_running_loop()
        await politeness.turn(far)
        start = loop.time()
        await asyncio.gather(politeness.turn(far), politeness.turn(far))
        return loop.time() - start

    assert asyncio.run(turns()) >= 0.39


@pytest.mark.browser
def test_what_robots_refuse_and_a_server_that_has_enough_are_told(far: str) -> None:
    plan = Plan(f"{far}/", states=(State.VISIT, State.GPC), addresses=("/more", "/most"), screenshots=False, patience=1)
    observation = asyncio.run(observe(plan))
    visits = run(observation, State.VISIT).visits
    assert paths(visits) == ["/", "/more"]  # and then it stopped
    assert "asks to come back after 120 s" in visits[1].mishaps[-1].message
    refused = run(asyncio.run(observe(Plan(f"{far}/secret", states=(State.VISIT,)))), State.VISIT)
    (mishap,) = refused.visits[0].mishaps
    assert mishap.trouble is Trouble.ROBOTS
    assert mishap.message == "robots.txt asks strictly-audit not to look at this page"
    assert refused.visits[0].requests == ()
