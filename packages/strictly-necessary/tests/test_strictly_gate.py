"""The gate of both guards, asked through each protocol: what passes before and after an answer, and the address at
which people answer."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import threading
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import trio

from strictly_necessary import GuardFinding, asgi, delete_cookie, load, set_cookie, wsgi
from strictly_necessary._guard import gate as gate_module
from strictly_necessary._guard.desk import ANSWERS_AN_HOUR, RECEIPTS_A_MINUTE
from strictly_necessary._guard.serving import Limiter, Limiters
from strictly_necessary.browser import (
    CONSENT_PATH,
    GUARD_PATH,
    LEASE_SECONDS,
    gated_script,
    guard_address,
    guard_script,
)
from strictly_necessary.consent import Action, Channel, Consent, LedgerError, Ticket, Visitor
from strictly_necessary.consent.sqlite import SQLiteLedger
from strictly_necessary.headers import clear_site_data
from strictly_necessary.versions import History

DECLARATION = load(Path(__file__).parent / "gate_site" / "policy.toml")
EXEMPT = load(Path(__file__).parent / "browser_site" / "policy.toml")
START = dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC)
LIFE = 180 * 86_400
ADA = Visitor("ada", START - dt.timedelta(days=400))
VISITS = set_cookie(DECLARATION.item("visits"), "1", 86_400 * 30)
FORM = "application/x-www-form-urlencoded"
SAME = {"sec-fetch-site": "same-origin"}


class Site:
    """An application behind one of the guards, with a clock that a test can move. `seen` are the cookies that reached
    it, `tickets` what it was told of consent, `answer` the headers that it sends."""

    def __init__(self, protocol: str, policy: Any = DECLARATION, *, who: Any = None, **options: Any) -> None:
        self.now = START
        self.findings: list[GuardFinding] = []
        self.seen: list[str] = []
        self.tickets: list[Ticket] = []
        self.answer: list[tuple[str, str]] = []
        self.asks_for_ticket = True
        self.ledger = options.pop("ledger", None) or SQLiteLedger(Path(mkdtemp()) / "consent.sqlite")
        self.consent = Consent(self.ledger, who or self._who, now=lambda: self.now)
        options = {"on_finding": self.findings.append, "consent": self.consent, **options}
        self._asgi = asgi.Guard(self._asgi_app, policy, **options) if protocol == "asgi" else None
        self._wsgi = wsgi.Guard(self._wsgi_app, policy, **options) if protocol == "wsgi" else None
        self.mount = ""

    def _who(self, place: Any) -> Visitor | None:
        """Ada, if she is signed in, in either protocol."""
        cookies = (
            place["HTTP_COOKIE"]
            if "HTTP_COOKIE" in place
            else b"".join(value for name, value in place.get("headers", ()) if name == b"cookie").decode()
        )
        return ADA if "__Host-session=ada" in cookies else None

    async def _asgi_app(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen = [value.decode() for name, value in scope["headers"] if name == b"cookie"]
        if self.asks_for_ticket:
            self.tickets.append(asgi.consent_of(scope))
        headers = [(name.encode(), value.encode()) for name, value in self.answer]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"site"})

    def _wsgi_app(self, environ: Any, start_response: Any) -> list[bytes]:
        self.seen = [environ["HTTP_COOKIE"]] if "HTTP_COOKIE" in environ else []
        if self.asks_for_ticket:
            self.tickets.append(wsgi.consent_of(environ))
        start_response("200 OK", self.answer)
        return [b"site"]

    def ask(self, path: str = "/", method: str = "GET", *, cookies: str = "", **more: Any) -> httpx.Response:
        headers = {**({"cookie": cookies} if cookies else {}), **more.pop("headers", {})}
        if self._wsgi is not None:
            transport = httpx.WSGITransport(self._wsgi, script_name=self.mount)
            with httpx.Client(transport=transport, base_url="https://x") as client:
                return client.request(method, path, headers=headers, **more)

        async def call() -> httpx.Response:
            assert self._asgi is not None
            transport = httpx.ASGITransport(self._asgi, root_path=self.mount)
            async with httpx.AsyncClient(transport=transport, base_url="https://x") as client:
                return await client.request(method, path, headers=headers, **more)

        return asyncio.run(call())

    def post(self, *fields: tuple[str, str], cookies: str = "", **headers: str) -> httpx.Response:
        """The form of the gate, sent by a page of ours."""
        headers = {"content-type": FORM, **SAME, **headers}
        return self.ask(CONSENT_PATH, "POST", cookies=cookies, content=urlencode(fields), headers=headers)

    def says(self, act: str, *items: str, version: str = "1", cookies: str = "", **headers: str) -> httpx.Response:
        fields = (("act", act), ("version", version), *(("shown", item) for item in items), ("back", "/page"))
        return self.post(*fields, cookies=cookies, **headers)


def set_by(answer: httpx.Response) -> dict[str, str]:
    """What the answer sets, by name: the value, and `-` for what it removes."""
    lines = [line.split(";") for line in answer.headers.get_list("set-cookie")]
    return {pair.partition("=")[0]: "-" if " Max-Age=0" in rest else pair.partition("=")[2] for pair, *rest in lines}


@pytest.fixture(params=["asgi", "wsgi"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def site(protocol: str) -> Site:
    return Site(protocol)


YES = "__Host-choice=1:visits.player:"
NO = "__Host-choice=1::visits"


# Before and after


def test_before_an_answer_nothing_passes_in_either_direction(site: Site) -> None:
    site.answer = [("set-cookie", VISITS)]
    answer = site.ask(cookies="visits=1; __Host-session=bob")
    assert site.seen == ["__Host-session=bob"]
    assert set_by(answer) == {"visits": "-"}
    assert [finding.code for finding in site.findings] == ["SN316"]
    (ticket,) = site.tickets
    assert (ticket.standing.asks, ticket.grants("visits"), ticket.grants("session")) == (True, False, True)
    assert not ticket.grants("unknown")


def test_after_a_yes_it_passes_in_both(site: Site) -> None:
    site.answer = [("set-cookie", VISITS)]
    answer = site.ask(cookies=f"visits=1; {YES}; __Host-session=bob")
    assert site.seen == ["visits=1; __Host-session=bob"]
    assert set_by(answer) == {"visits": "1"}
    assert site.findings == []
    assert site.tickets[0].grants("visits")


def test_a_pattern_passes_and_is_removed_by_each_of_its_names(site: Site) -> None:
    site.ask(cookies="campaign_a=1; campaign_b=2; __Host-choice=1:campaign:")
    assert site.seen == ["campaign_a=1; campaign_b=2"]
    answer = site.ask(cookies="campaign_a=1; campaign_b=2; bad[]=3")
    assert site.seen == []
    assert set_by(answer) == {"campaign_a": "-", "campaign_b": "-"}
    assert [finding.code for finding in site.findings] == ["SN302"]


def test_what_is_removed_is_removed_as_it_was_declared(protocol: str) -> None:
    wide = replace(DECLARATION.item("visits"), path="/app", domain="quay.example")
    items = tuple(wide if item.id == "visits" else item for item in DECLARATION.items)
    answer = Site(protocol, replace(DECLARATION, items=items)).ask(cookies="visits=1")
    (line,) = answer.headers.get_list("set-cookie")
    assert line == "visits=; Path=/app; Domain=quay.example; Max-Age=0; Secure; HttpOnly; SameSite=Lax"


def test_a_flood_of_names_is_removed_little_by_little(site: Site) -> None:
    answer = site.ask(cookies="; ".join(f"campaign_{number}=1" for number in range(100)))
    assert len(set_by(answer)) == 20
    many = "; ".join(f"campaign_{number}=1" for number in range(30))
    answer = site.ask(cookies=f"{many}; visits=1; __Host-choice=1:campaign:")
    assert set_by(answer) == {"visits": "-"}, "however many are granted"


def test_the_choice_is_not_for_the_application(site: Site) -> None:
    site.ask(cookies=f"{YES}; __Host-session=bob")
    assert site.seen == ["__Host-session=bob"]


def test_what_has_an_answer_that_others_wrote_may_be_kept_by_no_cache_of_theirs(site: Site) -> None:
    site.answer = [("cache-control", "public, max-age=600"), ("expires", "x"), ("cdn-cache-control", "max-age=9")]
    plain, removing = site.ask(), site.ask(cookies="visits=1")
    assert plain.headers["cache-control"] == "public, max-age=600"
    assert plain.headers["vary"] == "cookie, sec-gpc", "the application asked who it is for"
    assert removing.headers.get_list("cache-control") == ["private, no-cache"]
    assert {"expires", "cdn-cache-control"}.isdisjoint(removing.headers)
    site.asks_for_ticket = False
    assert "vary" not in site.ask().headers
    site.answer = [("cache-control", "no-store")]
    assert site.ask(cookies="visits=1").headers.get_list("cache-control") == ["no-store"]


@pytest.mark.parametrize(
    "cookies",
    [
        "__Host-choice=2:visits:",
        "__Host-choice=1:visits:visits",
        "__Host-choice=1:visits",
        "__Host-choice=1:VISITS:",
        "__Host-choice=:visits:",
        "__Host-choice=1:visits: x",
        '__Host-choice="1:visits:"',
        "__host-choice=1:visits:",
        "__Host-choice=1:visits:; __Host-choice=1:visits:",
        "__Host-choice=1:visits:; __Host-choice=1::visits",
        "__Host-choice=1:visits:" + "." * 3000,
        "__Host-choice=1:visits:\x01",
        "__Host-choice",
    ],
)
def test_a_choice_that_is_forged_stale_or_there_twice_grants_nothing(site: Site, cookies: str) -> None:
    site.answer = [("set-cookie", VISITS)]
    answer = site.ask(cookies=f"visits=1; {cookies}")
    assert site.seen == []
    assert set_by(answer)["visits"] == "-"
    assert not site.tickets[0].standing.granted


def test_a_choice_that_says_nothing_is_removed_and_one_that_holds_is_left_alone(site: Site) -> None:
    assert set_by(site.ask(cookies="__Host-choice=1:unknown:")) == {"__Host-choice": "-"}
    assert set_by(site.ask(cookies="__Host-choice=garbage")) == {"__Host-choice": "-"}
    for held in (YES, NO, "__Host-choice=1:visits.unknown:"):
        assert set_by(site.ask(cookies=held)) == {}, "a visit does not lengthen a life"


# The signal


def test_the_signal_is_a_no_that_is_not_stored(site: Site) -> None:
    answer = site.ask(cookies="visits=1", headers={"sec-gpc": "1"})
    assert site.seen == []
    assert set_by(answer) == {"visits": "-"}
    assert (site.tickets[0].standing.asks, site.tickets[0].standing.signal) == (False, True)
    for said in (YES, NO):
        assert set_by(site.ask(cookies=said, headers={"sec-gpc": "1"})) == {}, "what was said counts again without it"
    assert site.says("grant", "visits", **{"sec-gpc": "1"}).status_code == 409
    refused = site.says("refuse", "visits", **{"sec-gpc": "1"})
    assert set_by(refused)["__Host-choice"] == "1::visits"
    assert site.ask(CONSENT_PATH, headers={"sec-gpc": "1"}).json()["signal"] is True


# Accounts

ADA_HERE = "__Host-session=ada"


def test_an_answer_counts_in_every_browser_of_the_account_as_long_as_it_was_given(site: Site) -> None:
    site.says("grant", "visits", cookies=ADA_HERE)
    site.now += dt.timedelta(days=10)
    answer = site.ask(cookies=f"{ADA_HERE}; visits=1")
    assert site.seen == [f"{ADA_HERE}; visits=1"]
    assert site.tickets[-1].visitor == ADA
    assert f"__Host-choice=1:::visits; Path=/; Max-Age={LIFE - 10 * 86_400};" in answer.headers["set-cookie"]
    assert set_by(site.ask(cookies=f"{ADA_HERE}; __Host-choice=1:visits:")) == {}


BOB_HERE = "__Host-session=bob"


def ada_or_bob(place: Any) -> Visitor | None:
    text = str(place.get("HTTP_COOKIE") or place.get("headers"))
    name = next((name for name in ("ada", "bob") if f"__Host-session={name}" in text), None)
    return Visitor(name, ADA.since) if name else None


@pytest.mark.parametrize("here", ["", f"{BOB_HERE}; "], ids=["nobody", "somebody else"])
def test_what_an_account_granted_counts_for_nobody_else_in_its_browser(protocol: str, here: str) -> None:
    """The session has ended without signing out, or another account signed in over it."""
    site = Site(protocol, who=ada_or_bob)
    cookies = set_by(site.says("grant", "visits", cookies=ADA_HERE))
    assert cookies["__Host-choice"] == "1:::visits"
    assert set_by(site.ask(cookies=f"{ADA_HERE}; __Host-choice=1:::visits")) == {}
    assert site.tickets[-1].standing.granted == {"visits"}
    answer = site.ask(cookies=f"{here}__Host-choice=1:::visits; visits=1")
    assert site.seen == [here.removesuffix("; ")] * bool(here)
    assert (site.tickets[-1].grants("visits"), site.tickets[-1].standing.asks) == (False, True)
    assert set_by(answer) == {"visits": "-", "__Host-choice": "-"}
    state = site.ask(CONSENT_PATH, cookies=f"{here}__Host-choice=1:::visits")
    assert state.json()["items"][0]["answer"] is None
    assert set_by(state)["__Host-choice"] == "-"


def test_what_is_the_same_for_everybody_takes_nothing_from_who_is_signed_in(site: Site) -> None:
    """A site need not say who asks for a stylesheet."""
    site.asks_for_ticket = False
    assert set_by(site.ask(cookies="__Host-choice=1:::visits; visits=1")) == {}
    site.answer = [("content-type", "text/html")]
    assert set_by(site.ask(cookies="__Host-choice=1:::visits; visits=1")) == {"visits": "-", "__Host-choice": "-"}


def test_what_the_browser_said_before_stays_beside_the_account(site: Site) -> None:
    cookies = f"{ADA_HERE}; __Host-choice=1:player:"
    assert set_by(site.says("grant", "visits", cookies=cookies))["__Host-choice"] == "1:player::visits"
    assert set_by(site.ask(cookies=f"{ADA_HERE}; __Host-choice=1:player::visits")) == {}
    assert site.tickets[-1].standing.granted == {"player", "visits"}
    assert set_by(site.ask(cookies="__Host-choice=1:player::visits")) == {"__Host-choice": "-"}


def test_a_withdrawal_elsewhere_ends_the_yes_of_this_browser(site: Site) -> None:
    site.says("grant", "visits", cookies=ADA_HERE)
    site.says("withdraw", "visits", cookies=ADA_HERE)
    answer = site.ask(cookies=f"{ADA_HERE}; __Host-choice=1:visits:; visits=1")
    assert site.seen == [ADA_HERE]
    assert set_by(answer) == {"visits": "-", "__Host-choice": "1::visits"}
    assert [receipt.answers[0].action for receipt in site.ledger.receipts("ada")] == [Action.WITHDRAWN, Action.GRANTED]


def test_signing_out_leaves_a_plain_no_and_no_yes(site: Site) -> None:
    site.answer = [("set-cookie", delete_cookie(DECLARATION.item("session"))), ("set-cookie", VISITS)]
    answer = site.ask(cookies=f"{ADA_HERE}; {YES}; visits=1")
    assert set_by(answer) == {"__Host-session": "-", "visits": "-", "counter": "-", "__Host-choice": "-"}
    assert set_by(site.ask(cookies=f"{ADA_HERE}; {NO}")) == {"__Host-session": "-"}


@pytest.mark.parametrize(
    ("sent", "says_no"), [("1", True), (" 1 ", True), ("1, 1", True), ("0,1", True), ("10", False)]
)
def test_a_signal_that_came_twice_is_a_signal(site: Site, sent: str, says_no: bool) -> None:
    site.ask(cookies=YES, headers={"sec-gpc": sent})
    assert site.tickets[-1].standing.signal is says_no
    assert site.ask(CONSENT_PATH, headers={"sec-gpc": sent}).json()["signal"] is says_no


def test_headers_that_came_twice_are_one_list_in_both_protocols() -> None:
    headers = [
        (b"Sec-GPC", b"1"),
        (b"sec-gpc", b"0"),
        (b"sec-fetch-site", b"cross-site"),
        (b"sec-fetch-site", b"same-origin"),
    ]
    assert asgi._headers({"headers": headers}) == {b"sec-gpc": b"1, 0", b"sec-fetch-site": b"cross-site, same-origin"}


@pytest.mark.parametrize("here", [ADA_HERE, ""], ids=["account", "nobody"])
def test_to_withdraw_everything_beside_the_signal_is_to_withdraw_it(site: Site, here: str) -> None:
    choice = f"{here}; __Host-choice={set_by(site.says('grant', 'visits', cookies=here))['__Host-choice']}"
    answer = site.says("withdraw", cookies=choice.removeprefix("; "), **{"sec-gpc": "1"})
    assert set_by(answer)["__Host-choice"] == "1::visits"
    site.ask(cookies=f"{here}; __Host-choice=1::visits".removeprefix("; "))
    assert site.tickets[-1].standing.refused == {"visits"}, "also when the signal has ended"


class BrokenLedger:
    """A ledger whose database is away."""

    def __getattr__(self, name: str) -> Any:
        def fails(*given: object) -> Any:
            raise LedgerError("away")

        return fails


def broken(place: Any) -> Visitor:
    raise RuntimeError("ada@quay.example is unknown")


@pytest.mark.parametrize("options", [{"ledger": BrokenLedger()}, {"who": broken}], ids=["ledger", "who"])
def test_where_nobody_can_be_asked_nothing_is_granted_and_the_page_is_there(
    protocol: str, options: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    gate_module._silences = Limiter(1)
    site = Site(protocol, **options)
    answer = site.ask(cookies=f"{ADA_HERE}; {YES}; visits=1")
    site.ask(cookies=f"{ADA_HERE}; {YES}; visits=1")
    assert (answer.text, site.seen) == ("site", [ADA_HERE])
    assert set_by(answer) == {}, "what the browser remembers stays as it is until somebody knows"
    assert not site.tickets[0].standing.asks
    assert site.says("grant", "visits", cookies=ADA_HERE).status_code == 503
    state = site.ask(CONSENT_PATH, cookies=f"{ADA_HERE}; {YES}")
    assert (state.status_code, "set-cookie" in state.headers) == (503, False), "no page goes on, or removes anything"
    if "who" in options:
        assert len(caplog.records) == 1
    assert "quay.example" not in caplog.text


def test_a_no_without_an_account_holds_even_if_nothing_can_be_recorded(protocol: str) -> None:
    site = Site(protocol, ledger=BrokenLedger())
    assert site.says("grant", "visits").status_code == 503
    answer = site.says("withdraw", "visits", cookies=YES)
    assert (answer.status_code, set_by(answer)["__Host-choice"]) == (303, "1:player:visits")


def test_who_may_be_async_in_asgi_and_the_ledger_is_asked_in_a_thread() -> None:
    threads = []

    class Watched:
        def __getattr__(self, name: str) -> Any:
            threads.append(threading.get_ident())
            return getattr(inner, name)

    async def who(scope: Any) -> Visitor:
        await asyncio.sleep(0)
        return ADA

    inner = SQLiteLedger(Path(mkdtemp()) / "consent.sqlite")
    site = Site("asgi", who=who, ledger=Watched())
    site.ask()
    assert site.tickets[0].visitor == ADA
    assert threads
    assert threading.get_ident() not in threads
    assert Site("wsgi", who=who).ask().text == "site", "WSGI cannot wait, so nothing is granted there"


def test_trio_asks_the_ledger_too() -> None:
    site = Site("asgi")
    site.says("grant", "visits", cookies=ADA_HERE)

    async def ask() -> None:
        async def nothing(*_: Any) -> Any:
            return {"type": "http.request"}

        scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"cookie", ADA_HERE.encode())]}
        await site._asgi(scope, nothing, nothing)  # type: ignore[misc]

    trio.run(ask)
    assert site.tickets[-1].grants("visits")


# The address


def test_the_state_is_told_in_the_language_that_is_asked_for(site: Site) -> None:
    answer = site.ask(f"{CONSENT_PATH}?language=de", headers={"accept": "application/json", "accept-language": "en"})
    state = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert "content-security-policy" in answer.headers
    assert set_by(answer) == {}
    head = ("format", "version", "last_updated", "starts", "signal", "language", "news")
    assert {key: state[key] for key in head} == {
        "format": 1,
        "version": "1",
        "last_updated": "2026-11-01",
        "starts": "2026-11-01T00:00:00Z",
        "signal": False,
        "language": "de",
        "news": [],
    }
    assert state["text"].startswith("Dürfen wir")
    assert state["items"][0] == {
        "id": "visits",
        "title": "Zählen mit visits",
        "purposes": ["Zeigt uns, was gelesen wird."],
        "lifetime": "Höchstens 30 Tage.",
        "provider": "Quay Ltd",
        "recipients": [],
        "answer": None,
        "asks": True,
    }
    answered = site.ask(CONSENT_PATH, cookies="__Host-choice=1:visits:player", headers={"accept-language": "de"}).json()
    told = {item["id"]: (item["answer"], item["asks"]) for item in answered["items"]}
    assert (told["visits"], told["player"], told["tab"]) == (("granted", False), ("refused", False), (None, True))
    assert answered["language"] == "de"


def test_what_a_program_shows_is_what_the_receipt_keeps(site: Site) -> None:
    signed_in = "__Host-session=ada"
    asked = site.ask(f"{CONSENT_PATH}?shown=player&shown=nothing&language=de", cookies=signed_in).json()
    assert "Zählen mit player" in asked["text"]
    assert "Zählen mit visits" not in asked["text"]
    assert site.says("refuse", "player", cookies=signed_in, **{"accept-language": "de"}).status_code == 303
    (receipt,) = site.ledger.receipts("ada")
    assert receipt.text == asked["text"]
    rest = site.ask(f"{CONSENT_PATH}?shown=nothing&language=de", cookies=signed_in).json()["text"]
    assert "Zählen mit visits" in rest
    assert "Zählen mit player" not in rest, "without such items, what is open"
    again = site.ask(f"{CONSENT_PATH}?shown=player&language=de", cookies=signed_in).json()["text"]
    assert again == asked["text"], "also what was answered can be shown"


@pytest.mark.parametrize(
    ("act", "more", "expected"),
    [
        ("grant", [], "1:::player.visits"),
        ("refuse", [], "1::player.visits"),
        ("choose", [("item", "player")], "1::visits:player"),
        ("choose", [], "1::player.visits"),
    ],
)
def test_each_answer_is_recorded_and_remembered(site: Site, act: str, more: Any, expected: str) -> None:
    fields = [("act", act), ("version", "1"), ("shown", "visits"), ("shown", "player"), ("language", "de"), *more]
    answer = site.post(*fields, ("back", "/somewhere?a=ä"), cookies=ADA_HERE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/somewhere?a=%C3%A4")
    assert set_by(answer)["__Host-choice"] == expected
    (receipt,) = site.ledger.receipts("ada")
    assert (receipt.version, receipt.language, receipt.channel) == ("1", "de", Channel.PAGE)
    assert receipt.text.startswith("Dürfen wir")
    assert "Zählen mit player" in receipt.text
    assert "Zählen mit tab" not in receipt.text


def test_a_program_gets_the_state_for_an_answer(site: Site) -> None:
    answer = site.says("grant", "visits", accept="application/json")
    assert answer.status_code == 200
    assert {item["id"]: item["answer"] for item in answer.json()["items"]}["visits"] == "granted"
    assert set_by(answer)["__Host-choice"] == "1:visits:"


def test_withdrawing_without_names_withdraws_everything(site: Site) -> None:
    answer = site.says("withdraw", cookies=f"{YES}; visits=1")
    assert set_by(answer) == {"visits": "-", "counter": "-", "__Host-choice": "1::player.visits"}
    assert site.says("withdraw").status_code == 303


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"version": "0"}, 409),
        ({"version": "2"}, 409),
        ({"act": "accept"}, 400),
        ({"act": ""}, 400),
        ({"shown": "session"}, 400),
        ({"shown": "unknown"}, 400),
        ({"shown": ""}, 400),
        ({"back": "//evil.example/"}, 400),
        ({"back": "/\\evil.example/"}, 400),
        ({"back": "/\t/evil.example/"}, 400),
        ({"back": "https://evil.example/"}, 400),
        ({"back": "evil"}, 400),
        ({"back": "/x\r\nset-cookie: visits=1"}, 400),
        ({"back": "/" + "x" * 3000}, 400),
    ],
)
def test_what_cannot_be_understood_is_refused_and_nothing_is_recorded(
    site: Site, changed: dict[str, str], status: int
) -> None:
    fields = {"act": "grant", "version": "1", "shown": "visits", "back": "/", **changed}
    answer = site.post(*fields.items(), cookies=ADA_HERE)
    assert answer.status_code == status
    assert "set-cookie" not in answer.headers
    assert "location" not in answer.headers
    assert not site.ledger.receipts("ada")


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        ("act=grant&act=grant&version=1&shown=visits", {}, 400),
        ("act=grant&version=1&version=1&shown=visits", {}, 400),
        ("&".join(["shown=visits"] * 500), {}, 400),
        ("x=1&" * 10_000, {}, 413),
        ("act=grant&version=1&shown=%ff", {}, 400),
        ("act=grant&version=1&shown=\xff", {}, 400),
        ("act=choose&version=1&shown=visits&item=player", {}, 400),
        ("act=choose&version=1&item=player", {}, 400),
        ("act=grant&version=1&shown=visits", {"content-type": "text/plain"}, 415),
        ("act=grant&version=1&shown=visits", {"content-type": "multipart/form-data"}, 415),
        ("", {}, 400),
    ],
)
def test_what_is_no_form_of_ours_is_refused(site: Site, content: str, headers: dict[str, str], status: int) -> None:
    given = {"content-type": FORM, **SAME, "cookie": ADA_HERE, "accept": "application/json", **headers}
    answer = site.ask(CONSENT_PATH, "POST", content=content.encode("latin-1"), headers=given)
    assert answer.status_code == status
    assert answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert not site.ledger.receipts("ada")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 303),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site", "authorization": "Bearer x", "origin": "https://x"}, 403),
        ({"sec-fetch-site": "none"}, 403),
        ({"origin": "https://x"}, 303),
        ({"origin": "https://x.evil.example"}, 403),
        ({"origin": "https://x@evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"origin": "null", "authorization": "Bearer x"}, 403),
        ({"authorization": "Bearer x"}, 303),
        ({"authorization": "DPoP x"}, 303),
        ({"authorization": "Basic x"}, 403),
        ({}, 403),
    ],
)
def test_only_our_own_pages_and_programs_that_sign_in_are_heard(
    site: Site, headers: dict[str, str], status: int
) -> None:
    given = {"content-type": FORM, "cookie": ADA_HERE, **headers}
    answer = site.ask(CONSENT_PATH, "POST", content="act=grant&version=1&shown=visits", headers=given)
    assert answer.status_code == status
    assert len(site.ledger.receipts("ada")) == (status == 303)


def test_other_methods_are_refused_and_head_has_no_body(site: Site) -> None:
    answer = site.ask(CONSENT_PATH, "DELETE")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    assert (site.ask(CONSENT_PATH, "HEAD").status_code, site.ask(CONSENT_PATH, "HEAD").content) == (200, b"")


def test_nobody_fills_the_ledger_and_a_no_is_never_too_much(site: Site) -> None:
    guard = site._asgi or site._wsgi
    assert guard is not None
    limiter = guard._roster._receipts
    limiter._now = lambda: limiter._at
    answers = [site.says("grant", "visits") for _ in range(RECEIPTS_A_MINUTE + 3)]
    assert [answer.status_code for answer in answers[:RECEIPTS_A_MINUTE]] == [303] * RECEIPTS_A_MINUTE
    assert (answers[-1].status_code, answers[-1].headers["retry-after"]) == (429, "60")
    assert "set-cookie" not in answers[-1].headers
    refused = site.says("refuse", "visits")
    assert (refused.status_code, set_by(refused)["__Host-choice"]) == (303, "1::visits")
    assert site.says("grant", "visits", cookies=ADA_HERE).status_code == 303


@pytest.mark.parametrize("more", [{}, {"sec-gpc": "1"}], ids=["plain", "signal"])
def test_one_account_cannot_fill_the_ledger(site: Site, more: dict[str, str]) -> None:
    limiters = (site._asgi or site._wsgi)._roster._accounts  # type: ignore[union-attr]
    assert limiters.allows("ada")
    limiter = limiters._known["ada"]
    limiter._now = lambda: limiter._at
    said = [site.says("grant", "visits", cookies=ADA_HERE).status_code for _ in range(ANSWERS_AN_HOUR)]
    assert said == [303] * (ANSWERS_AN_HOUR - 1) + [429]
    for _ in range(3):
        assert site.says("refuse", "visits", cookies=ADA_HERE, **more).status_code == 303
    assert len(site.ledger.receipts("ada")) == ANSWERS_AN_HOUR, "a withdrawal is always recorded, the same no once"
    assert site.ledger.answers("ada")["visits"].action is Action.WITHDRAWN
    assert limiters.allows("bob")
    limiter._now = lambda: limiter._at + 60
    assert [limiter.allows(), limiter.allows()] == [True, True]
    limiter._now = lambda: limiter._at
    assert not limiter.allows(), "one more in a minute"


def test_only_the_last_accounts_are_counted() -> None:
    limiters = Limiters(1, seconds=60, most=2)
    assert [limiters.allows(name) for name in "aabca"] == [True, False, True, True, True]
    assert len(limiters._known) == 2


def test_a_form_that_breaks_off_says_nothing() -> None:
    site = Site("asgi")
    sent: list[Any] = []
    messages = [
        {"type": "http.request", "body": b"act=grant&version=1&shown=visits", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", FORM.encode()), (b"sec-fetch-site", b"same-origin"), (b"cookie", ADA_HERE.encode())]
    scope = {"type": "http", "method": "POST", "path": CONSENT_PATH, "headers": headers}
    assert site._asgi is not None
    asyncio.run(site._asgi(scope, receive, send))
    assert sent[0]["status"] == 408
    assert not site.ledger.receipts("ada")


def test_below_a_mount_the_address_is_that_of_the_application(site: Site) -> None:
    site.mount = "/app"
    path = "/app" + CONSENT_PATH if site._asgi else CONSENT_PATH
    answer = site.ask(path, "POST", content="act=refuse&version=1&shown=visits", headers={"content-type": FORM, **SAME})
    assert (answer.status_code, answer.headers["location"]) == (303, "/app/")


# Where nothing needs consent


def test_where_everything_is_exempt_nobody_is_asked_and_nothing_is_stored(protocol: str) -> None:
    asked = []
    site = Site(protocol, EXEMPT, who=lambda place: asked.append(place), ledger=BrokenLedger())
    answer = site.ask(cookies=f"visits=1; {YES}", headers={"sec-gpc": "1"})
    assert (site.seen, asked) == ([], [])
    assert {"set-cookie", "vary"}.isdisjoint(answer.headers)
    assert not site.tickets[0].standing.asks
    assert site.tickets[0].grants("session")
    assert site.says("grant", "visits").status_code == 400
    assert site.ask(CONSENT_PATH).json()["items"] == []
    script = site.ask(GUARD_PATH)
    assert script.text == guard_script(EXEMPT)
    assert guard_address(EXEMPT).startswith(f"{GUARD_PATH}?v=")


def test_without_consent_the_address_is_the_applications_and_nothing_is_granted(protocol: str) -> None:
    site = Site(protocol, consent=None)
    site.asks_for_ticket = False
    assert site.ask(CONSENT_PATH).text == "site"
    site.ask(cookies=f"visits=1; {YES}")
    assert site.seen == []
    assert "SN301" in {finding.code for finding in site.findings}
    assert not asgi.granted({}, "visits")
    assert not wsgi.granted({}, "visits")
    with pytest.raises(KeyError):
        asgi.consent_of({})


# Versions


def versions() -> History:
    """The second one counts for somebody else too, and the third one only says it otherwise."""
    wider = [replace(item, recipients=("Tally GmbH",)) if item.id == "visits" else item for item in DECLARATION.items]
    second = replace(DECLARATION.policy, version="2", starts=START + dt.timedelta(hours=1))
    third = replace(DECLARATION.policy, version="3", starts=START + dt.timedelta(hours=2))
    worded = [replace(item, set_when="Later.") if item.id == "visits" else item for item in wider]
    return History.of(
        [
            DECLARATION,
            replace(DECLARATION, policy=second, items=tuple(wider)),
            replace(DECLARATION, policy=third, items=tuple(worded)),
        ]
    )


def test_a_version_begins_by_the_clock(protocol: str) -> None:
    site = Site(protocol, versions())
    site.ask(cookies=f"{YES}; visits=1")
    assert site.tickets[-1].grants("visits")
    site.now += dt.timedelta(hours=1)
    answer = site.ask(cookies=f"{YES}; visits=1")
    assert (site.tickets[-1].standing.version.number, site.seen) == ("2", [])
    assert site.tickets[-1].standing.granted == {"player"}
    assert set_by(answer) == {"visits": "-"}
    assert [version.number for version in site.tickets[-1].news()] == ["2"]
    assert site.says("grant", "visits", version="1", cookies=YES).status_code == 409
    renewed = set_by(site.says("grant", "visits", version="2", cookies=YES))["__Host-choice"]
    assert renewed == "2:player.visits:"
    site.now += dt.timedelta(hours=1)
    answer = site.ask(cookies=f"__Host-choice={renewed}; visits=1")
    assert site.tickets[-1].standing.version.number == "3"
    assert site.seen == ["visits=1"]
    assert set_by(answer) == {}, "a sentence asks nobody, and starts no life anew"
    site.now -= dt.timedelta(hours=2)
    site.ask()
    assert site.tickets[-1].standing.version.number == "1"


def test_a_source_of_versions_is_asked_at_each_request(protocol: str) -> None:
    history = [History.of([DECLARATION])]
    site = Site(protocol, lambda: history[0])
    site.ask()
    site.now += dt.timedelta(hours=3)
    history[0] = versions()
    site.ask()
    assert [ticket.standing.version.number for ticket in site.tickets] == ["1", "3"]


def test_each_post_is_made_once(protocol: str) -> None:
    site = Site(protocol, versions())
    guard = site._asgi or site._wsgi
    assert guard is not None
    first = guard._roster.post()
    site.now += dt.timedelta(hours=1)
    second = guard._roster.post()
    site.now -= dt.timedelta(hours=1)
    assert guard._roster.post() is first is not second


def test_news_are_acknowledged_once(protocol: str) -> None:
    site = Site(protocol, versions())
    site.now += dt.timedelta(hours=3)
    state = site.ask(CONSENT_PATH, cookies=ADA_HERE).json()
    assert [news["version"] for news in state["news"]] == ["2"]
    assert state["news"][0]["changes"]
    assert site.says("acknowledge", version="3", cookies="").status_code == 303, "nobody, so nothing is kept"
    assert site.says("acknowledge", version="9", cookies=ADA_HERE).status_code == 409
    answer = site.says("acknowledge", version="2", cookies=ADA_HERE, accept="application/json")
    assert answer.json()["news"] == []
    assert site.ask(CONSENT_PATH, cookies=ADA_HERE).json()["news"] == []


def test_what_is_still_to_come_cannot_be_acknowledged(protocol: str) -> None:
    assert Site(protocol, versions()).says("acknowledge", version="2", cookies=ADA_HERE).status_code == 409


# The script


def test_the_script_is_asked_for_each_time_and_lends_only_what_is_left(protocol: str) -> None:
    site = Site(protocol, versions())
    answer = site.ask(GUARD_PATH)
    assert answer.headers["cache-control"] == "no-store"
    assert f'"seconds":{LEASE_SECONDS}' in answer.text
    assert '["counter",["1"]]' in answer.text
    assert "Quay" not in answer.text
    assert guard_address(DECLARATION) == GUARD_PATH
    site.now += dt.timedelta(minutes=59, seconds=30)
    assert '"seconds":0' in site.ask(GUARD_PATH).text
    assert site.ask(CONSENT_PATH).json()["seconds"] == 30
    site.now += dt.timedelta(seconds=30)
    assert '["counter",["1","2"]]' in site.ask(GUARD_PATH).text


def test_the_script_with_the_gate_has_a_limit_too() -> None:
    history = History.of([DECLARATION])
    assert DECLARATION.choice is not None
    script = gated_script(history, history.versions[0], DECLARATION.choice)
    assert len(gzip.compress(script.encode(), 9)) < 4096 + 2560


def test_a_service_worker_starts_only_with_consent(site: Site) -> None:
    marked = {"sec-fetch-dest": "serviceworker", "sec-fetch-mode": "same-origin"}
    path = "/beacon.js?strictly-guard=classic"
    assert site.ask(path, headers=marked).status_code == 403
    assert site.ask(path, headers=marked, cookies="__Host-choice=1:beacon:").status_code == 200
    assert "unregister" in site.ask("/beacon.js", headers=marked).text


def test_in_mode_report_nothing_is_changed(protocol: str) -> None:
    site = Site(protocol, mode="report")
    site.answer = [("set-cookie", VISITS)]
    answer = site.ask(cookies="visits=1")
    assert (site.seen, set_by(answer)) == (["visits=1"], {"visits": "1"})
    assert not site.tickets[0].grants("visits")


def test_signing_out_clears_storage_in_which_nothing_is_to_stay() -> None:
    assert clear_site_data(DECLARATION) == '"cache"', "the theme stays"
    rest = tuple(item for item in DECLARATION.items if item.id != "theme")
    assert clear_site_data(replace(DECLARATION, items=rest)) == '"cache", "storage"', "what needs consent does not"
