"""Both guards under attack: one table of tricks, and one driver for ASGI and WSGI."""

import asyncio
import logging
import time
import tracemalloc
from collections.abc import Callable, Iterable
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strictly_necessary import (
    CookieSyntaxError,
    Declaration,
    GuardError,
    GuardFinding,
    Override,
    Severity,
    asgi,
    delete_cookie,
    load,
    set_cookie,
    wsgi,
)
from strictly_necessary._guard.watch import MOST_FINDINGS, Watch
from strictly_necessary.asgi import Mode
from strictly_necessary.headers import security_headers

DECLARATION = load(Path(__file__).parent / "example.toml")
NOW = 1_800_000_000
LOOSE = Override("x-frame-options", "", "Partners frame the player.", paths=("/player/*", "/scan"))
CSRF = b"__Host-csrf=v; Path=/; Secure; SameSite=Strict; Max-Age=7200"
SESSION = b"__Host-session=v; Path=/; Secure; HttpOnly; SameSite=Lax"
OURS = [(name.encode(), value.encode()) for name, value in security_headers(DECLARATION).items()]
Headers: TypeAlias = list[tuple[bytes, bytes]]
SIDES = ("asgi", "wsgi")


class Site:
    """An application behind one of the guards. `answer` is what it sends; `seen` are the cookies that reached it."""

    def __init__(self, side: str, mode: Mode = "enforce", declaration: Declaration = DECLARATION) -> None:
        self.side = side
        self.findings: list[GuardFinding] = []
        self.seen: list[bytes] = []
        self.answer: Headers = []
        self.options: dict[str, Any] = {
            "mode": mode,
            "on_finding": self.findings.append,
            "watch": Watch(declaration, now=lambda: float(NOW)),
        }
        self.asgi = asgi.Guard(self._asgi, declaration, **self.options)
        self.wsgi = wsgi.Guard(self._wsgi, declaration, **self.options)

    def ask(self, *cookies: bytes, path: str = "/") -> Headers:
        """What leaves when these Cookie headers come."""
        return self._ask_asgi(cookies, path) if self.side == "asgi" else self._ask_wsgi(cookies, path)

    def codes(self) -> list[str]:
        return [finding.code for finding in self.findings]

    async def _asgi(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen = [value for name, value in scope["headers"] if name.lower() == b"cookie"]
        await send({"type": "http.response.start", "status": 200, "headers": self.answer})
        await send({"type": "http.response.body", "body": b"x"})

    def _wsgi(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        self.seen = [environ["HTTP_COOKIE"].encode("latin-1")] if "HTTP_COOKIE" in environ else []
        start_response("200 OK", [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self.answer])
        return [b"x"]

    def _ask_asgi(self, cookies: Iterable[bytes], path: str) -> Headers:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any: ...

        scope = {"type": "http", "path": path, "headers": [(b"cookie", cookie) for cookie in cookies]}
        asyncio.run(self.asgi(scope, receive, send))
        return list(sent[0]["headers"])

    def _ask_wsgi(self, cookies: tuple[bytes, ...], path: str) -> Headers:
        started: list[tuple[str, str]] = []
        environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": path[:4], "PATH_INFO": path[4:]}
        if cookies:  # one string is all that WSGI has; RFC 9113 section 8.2.3 says how to join them
            environ["HTTP_COOKIE"] = b"; ".join(cookies).decode("latin-1")

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Callable[[bytes], object]:
            started.extend(headers)
            return lambda piece: None

        list(self.wsgi(environ, start))
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in started]


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def application_headers(headers: Headers) -> Headers:
    assert headers[len(headers) - len(OURS) :] == OURS
    return headers[: len(headers) - len(OURS)]


# Requests


@pytest.mark.parametrize(
    ("cookies", "seen", "codes"),
    [
        # A neighbouring site can set the same name for another path or the whole domain; nobody can tell them apart.
        ([b"size=small; size=large"], [b"size=small; size=large"], ["SN303"]),
        ([b"size=small", b"size=large"], [b"size=small; size=large"], ["SN303"]),
        ([b"__Host-session=evil; __Host-session=a"], [b"__Host-session=evil; __Host-session=a"], ["SN303"]),
        # It cannot set a prefixed name, so it imitates one.
        ([b"__host-session=evil; __Host-session=a"], [b"__Host-session=a"], ["SN301"]),
        ([b"__HOST-SESSION=evil"], [], ["SN301"]),
        ([b"__Host-sess\xd1\x96on=evil"], [], ["SN302"]),
        ([b"%5F%5FHost-session=evil"], [], ["SN301"]),
        ([b'"__Host-session"=evil'], [], ["SN302"]),
        ([b"__Host-session\xa0=evil"], [], ["SN302"]),
        ([b"__Host-session\x0b=evil"], [], ["SN302"]),
        ([b"__Host-session =a"], [b"__Host-session =a"], []),  # this is how a browser reads the name, too
        ([b"=__Host-session=evil"], [], ["SN302"]),
        ([b"__Host-session"], [], ["SN302"]),
        ([b"__Secure-session=evil; __Host-Http-session=evil"], [], ["SN301", "SN301"]),
        ([b"$Version=1; __Host-session=a; $Path=/"], [b"__Host-session=a"], ["SN301", "SN301"]),
        ([b"a=1; path=/; domain=x; __Host-session=a"], [b"__Host-session=a"], ["SN301"] * 3),
        # A quotation mark hides no cookie: it has no meaning here.
        ([b'size="a; evil=1; __Host-csrf=b"'], [b'size="a; __Host-csrf=b"'], ["SN301"]),
        # Some servers join headers by a comma; to take them apart would be to guess, and nothing new gets in.
        ([b"size=small,evil=1; evil=2"], [b"size=small,evil=1"], ["SN301"]),
        ([b"evil=1,size=small"], [], ["SN301"]),
        ([b"__Host-session=\x00a; size=small\r\nCookie: evil=1"], [], ["SN302", "SN302"]),
        ([b"draft_[]=1; draft_1\x85=1; draft_1=1"], [b"draft_1=1"], ["SN302", "SN302"]),
        ([b"", b";", b" ; \t;"], [], []),
    ],
)
def test_a_tossed_cookie_does_not_get_in(side: str, cookies: list[bytes], seen: list[bytes], codes: list[str]) -> None:
    site = Site(side, "raise")
    site.ask(*cookies)
    assert [value for value in site.seen if value] == seen
    assert site.codes() == codes


@pytest.mark.parametrize("count", [1, 3])
def test_ten_thousand_cookies_hide_none_and_drop_none(side: str, count: int) -> None:
    site = Site(side)
    flood = [b"; ".join(b"evil%d=1" % number for number in range(10_000)) for _ in range(count)]
    site.ask(*flood, b"__Host-session=a; ROUTE=1", b"draft_1=b")
    assert site.seen == [b"__Host-session=a; draft_1=b"]
    assert len(site.findings) == MOST_FINDINGS + 1
    assert site.codes()[-1] == "SN304"


FLOODS = [b"a=;", b"a;", b"=;", b";", b"size=small;", b"draft_1=a;", b"draft_[=1;", b"ROUTE=1;", b"x", b" ", b"=", b'"']


@pytest.mark.slow
@pytest.mark.parametrize("unit", [*FLOODS, None])
def test_a_megabyte_of_cookies_costs_little_and_grows_by_its_length(unit: bytes | None) -> None:
    watch = Watch(DECLARATION)

    def flood(size: int) -> bytes:
        if unit is None:
            return b"".join(b"evil%06d=1;" % number for number in range(size // 13))
        return unit * (size // len(unit))

    def seconds(header: bytes) -> float:
        begun = time.process_time()
        watch.request(header)
        return time.process_time() - begun

    small, large = flood(250_000), flood(1_000_000)
    took = min(seconds(large) for _ in range(2))
    assert took < 10 * min(seconds(small) for _ in range(3)) + 0.05  # four times as much; a square would be sixteen
    assert took < 5
    tracemalloc.start()
    watch.request(large)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64_000_000


def test_a_flood_of_names_is_not_kept_and_silences_nothing(side: str, caplog: pytest.LogCaptureFixture) -> None:
    site = Site(side)
    guard = asgi.Guard(site._asgi, DECLARATION) if side == "asgi" else wsgi.Guard(site._wsgi, DECLARATION)
    site.asgi = site.wsgi = guard  # type: ignore[assignment]
    with caplog.at_level(logging.WARNING, "strictly_necessary"):
        for number in range(120):
            site.ask(b"; ".join(b"evil%d-%d=1" % (number, other) for other in range(MOST_FINDINGS)))
        assert len(caplog.records) == 1000 + 1  # and a word that there are more
        site.answer = [(b"set-cookie", b"evil=1")]
        site.ask()
    assert caplog.records[-1].getMessage() == 'SN311 "evil" is not declared (/)'


# Responses


LINE_ENDS = ["\r\n", "\n", "\r", "\x00"]


@pytest.mark.parametrize("end", [*LINE_ENDS, "\x85", "\u2028", "\u2029", "\x0b", "\x0c", ";", ",", " "])
def test_no_value_adds_a_header_or_an_attribute(end: str) -> None:
    with pytest.raises(CookieSyntaxError):
        set_cookie(DECLARATION.item("csrf"), f"a{end}Set-Cookie: evil=1")
    with pytest.raises(CookieSyntaxError):
        set_cookie(DECLARATION.item("csrf"), f"a{end}")


@pytest.mark.parametrize("end", LINE_ENDS)
@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("set-cookie", "__Host-csrf=v%Set-Cookie: evil=1", "SN312"),
        ("set-cookie", CSRF.decode() + "%Set-Cookie: evil=1", "SN312"),
        ("location", "/%Set-Cookie: evil=1", "SN322"),
        ("x-a%set-cookie", "evil=1", "SN322"),
        ("referrer-policy", "same-origin%set-cookie: evil=1", "SN322"),
    ],
)
def test_a_line_end_adds_no_header(side: str, name: str, value: str, code: str, end: str) -> None:
    header = (name.replace("%", end).encode(), value.replace("%", end).encode())
    site = Site(side)
    site.answer = [(b"x-before", b"1"), header, (b"x-after", b"2")]
    assert application_headers(site.ask()) == [(b"x-before", b"1"), (b"x-after", b"2")]
    assert site.codes() == [code]
    raising = Site(side, "raise")
    raising.answer = [header]
    with pytest.raises(GuardError, match=code):
        raising.ask()
    reporting = Site(side, "report")
    reporting.answer = [header]
    assert reporting.ask()[0] == header
    assert reporting.codes()[-1] == code


def test_a_line_end_of_unicode_is_none_in_a_header(side: str) -> None:
    site = Site(side)
    site.answer = [(b"x-a", "1\x85\u2028Set-Cookie: evil=1".encode())]
    assert application_headers(site.ask()) == site.answer
    assert site.findings == []


@pytest.mark.parametrize("name", [b"set-cookie ", b" set-cookie", b"set-cookie\t", b"set-cookie:", b"", b"set cookie"])
def test_what_is_no_name_of_a_header_does_not_leave(side: str, name: bytes) -> None:
    site = Site(side)
    site.answer = [(name, b"evil=1")] * 2
    assert application_headers(site.ask()) == []
    assert site.codes() == ["SN322"] * 2


@pytest.mark.parametrize("name", [b"Set-Cookie", b"SET-COOKIE", b"sEt-cOOKIE"])
def test_letter_case_and_number_are_no_way_around(side: str, name: bytes) -> None:
    site = Site(side)
    site.answer = [(name, CSRF), (name, b"evil=1"), (b"x-a", b"1"), (name, b"worse=1"), (name, SESSION)]
    assert application_headers(site.ask()) == [(name, CSRF), (b"x-a", b"1"), (name, SESSION)]
    assert site.codes() == ["SN311", "SN311"]


def test_one_header_with_two_cookies_is_one_cookie(side: str) -> None:
    site = Site(side)
    site.answer = [(b"set-cookie", SESSION + b", evil=1; Path=/")]
    assert application_headers(site.ask()) == []


def test_security_headers_are_sent_once_whatever_the_application_sends(side: str) -> None:
    site = Site(side)
    site.answer = [(b"X-Frame-Options", b"DENY"), (b"x-frame-options", b"SAMEORIGIN"), (b"X-FRAME-OPTIONS", b"X")]
    assert application_headers(site.ask()) == []
    assert site.codes() == ["SN321", "SN321"]
    raising = Site(side, "raise")
    raising.answer = site.answer
    with pytest.raises(GuardError, match="x-frame-options"):
        raising.ask()


def test_a_life_shorter_than_declared_passes_with_a_word(side: str) -> None:
    site = Site(side, "raise")
    date = formatdate(NOW + 60, usegmt=True).encode()
    site.answer = [(b"set-cookie", b"__Host-csrf=v; Path=/; Secure; SameSite=Strict; Expires=" + date)]
    assert application_headers(site.ask()) == site.answer
    assert [(finding.code, finding.severity) for finding in site.findings] == [("SN318", Severity.WARNING)]


def test_signing_out_clears_once(side: str) -> None:
    site = Site(side, "raise")
    site.answer = [
        (b"clear-site-data", b'"*"'),
        (b"Set-Cookie", delete_cookie(DECLARATION.item("session")).encode()),
        (b"Clear-Site-Data", b'"x"'),
    ]
    assert site.ask() == [site.answer[1], *OURS, (b"clear-site-data", b'"cache"')]


# Overrides by path


ODD = [
    *("//player/x", "/player//x", "/player/../account", "/player/./x", "/player/..", "/player/.", "/player/%2e%2e/x"),
    *("/player/%2Fx", "/player/\\..\\account", "/player/%5cx", "player/x", "/player/\x00", "/player/\n"),
    *("/scan/", "/scan//", "/SCAN", "/scan;x", "/x/player/", "/account", "*", "", "http://host/player/x"),
]  # fmt: skip


@pytest.mark.parametrize("path", ODD)
def test_a_path_that_could_be_another_page_gets_no_looser_headers(side: str, path: str) -> None:
    site = Site(side, declaration=replace(DECLARATION, overrides=(LOOSE,)))
    assert (b"x-frame-options", b"DENY") in site.ask(path=path)


@pytest.mark.parametrize("path", ["/player/", "/player/x", "/player/..x", "/player/a.b", "/player/50%", "/scan"])
def test_a_plain_path_gets_its_override(side: str, path: str) -> None:
    site = Site(side, declaration=replace(DECLARATION, overrides=(LOOSE,)))
    assert b"x-frame-options" not in dict(site.ask(path=path))


def test_an_odd_path_keeps_the_overrides_that_hold_everywhere(side: str) -> None:
    everywhere = Override("referrer-policy", "no-referrer", "Addresses are secret.")
    site = Site(side, declaration=replace(DECLARATION, overrides=(LOOSE, everywhere)))
    assert (b"referrer-policy", b"no-referrer") in site.ask(path="/player//x")


# Any bytes


declared_pairs = st.tuples(
    st.sampled_from([b"__Host-session", b"__Host-csrf", b"size", b"draft_1"]),
    st.binary(max_size=9).map(lambda raw: bytes(b for b in raw if b >= 32 and b not in b";\x7f").strip()),
).map(b"=".join)
any_pair = st.binary(max_size=24).map(lambda raw: raw.replace(b";", b"")) | st.sampled_from(
    [b"evil=1", b"__host-session=1", b"ROUTE=1", b"size", b"=size=1", b'size="', b"\xa0size=1"]
)


@pytest.mark.parametrize("side", SIDES)
@settings(deadline=None)
@given(pairs=st.lists(st.tuples(declared_pairs, st.just(True)) | st.tuples(any_pair, st.just(False)), max_size=8))
def test_any_bytes_in_a_request_do_no_harm(side: str, pairs: list[tuple[bytes, bool]]) -> None:
    site = Site(side, "raise")
    site.ask(*(pair for pair, _ in pairs))
    got = [pair.strip(b" \t") for value in site.seen for pair in value.split(b";") if pair.strip(b" \t")]
    for pair in got:
        name = pair.partition(b"=")[0].rstrip(b" \t")
        assert name in {b"__Host-session", b"__Host-csrf", b"size"} or name.startswith(b"draft_")
    rest = iter(got)
    assert all(pair in rest for pair, declared in pairs if declared), "a declared cookie is lost or out of order"


junk = st.binary(max_size=16)
lines = st.builds(
    lambda before, end, after: before + end + after,
    junk,
    st.sampled_from([b"", b"\r\n", b"\n", b"\r", b"\x00", b":", b" "]),
    st.sampled_from([b"", b"Set-Cookie: evil=1", b"set-cookie:evil=1\r\n", b"Set-Cookie"]),
)
any_header = (
    st.tuples(st.sampled_from([b"set-cookie", b"Set-Cookie"]), st.sampled_from([CSRF, SESSION]))
    | st.tuples(st.sampled_from([b"set-cookie", b"Set-Cookie", b"SET-COOKIE ", b"x-a", b"location"]), lines)
    | st.tuples(lines, lines)
    | st.tuples(st.just(b"set-cookie"), st.sampled_from([CSRF, SESSION]).flatmap(lambda c: lines.map(lambda j: c + j)))
)


def stored(headers: Headers) -> list[bytes]:
    """The Set-Cookie headers that a lenient browser finds in what a careless server writes."""
    wire = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    for end in (b"\r", b"\x00"):
        wire = wire.replace(end, b"\n")
    parts = [line.partition(b":") for line in wire.split(b"\n")]
    return [value.strip(b" \t") for name, _, value in parts if name.strip(b" \t").lower() == b"set-cookie"]


@pytest.mark.parametrize("side", SIDES)
@settings(deadline=None)
@given(headers=st.lists(any_header, max_size=6))
def test_any_bytes_in_a_response_let_nothing_undeclared_out(side: str, headers: Headers) -> None:
    site = Site(side)
    site.answer = headers
    out = stored(site.ask())
    judge = Watch(DECLARATION, now=lambda: float(NOW))
    for cookie in out:
        assert all(finding.severity is Severity.WARNING for finding in judge.response(cookie)[0])
    sent = [value.strip(b" \t") for name, value in headers if name.lower() == b"set-cookie"]
    wanted = [cookie for cookie in sent if cookie in {CSRF, SESSION}]
    assert [cookie for cookie in out if cookie in {CSRF, SESSION}] == wanted
    raising = Site(side, "raise")
    raising.answer = headers
    try:
        assert stored(raising.ask()) == out
    except GuardError as error:
        assert error.findings  # noqa: PT017 -- either outcome is right; another exception is not
