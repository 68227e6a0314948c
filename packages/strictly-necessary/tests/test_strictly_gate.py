"""The gate of both guards, asked through each protocol: what passes before and after an answer, and the address at
which people answer."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from strictly_necessary import GuardFinding, asgi, load, set_cookie, wsgi
from strictly_necessary.browser import CONSENT_PATH
from strictly_necessary.consent import Consent, Ticket, Visitor
from strictly_necessary.consent.sqlite import SQLiteLedger

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
