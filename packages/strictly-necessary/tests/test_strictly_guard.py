"""The guard around real ASGI applications, in both directions and all modes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strictly_necessary import (
    Category,
    CookieSyntaxError,
    Declaration,
    Direction,
    GuardError,
    GuardFinding,
    Kind,
    Override,
    Purpose,
    Severity,
    delete_cookie,
    load,
    set_cookie,
)
from strictly_necessary._guard.checkpoint import log_once
from strictly_necessary._guard.watch import MOST_FINDINGS, Watch
from strictly_necessary.asgi import Guard, Mode, nonce
from strictly_necessary.headers import clear_site_data, security_headers

DECLARATION = load(Path(__file__).parent / "example.toml")
NOW = 1_800_000_000
Headers = list[tuple[bytes, bytes]]
CSRF = b"__Host-csrf=v; Path=/; Secure; SameSite=Strict"
SIZE = b"size=small; Path=/app; Domain=example.org; Secure; SameSite=Lax"


def watch(declaration: Declaration = DECLARATION) -> Watch:
    return Watch(declaration, now=lambda: float(NOW))


def errors(findings: Iterable[GuardFinding]) -> list[str]:
    """The codes of what may not pass. What passes with a word, such as a short life, has a test of its own."""
    return [finding.code for finding in findings if finding.severity is Severity.ERROR or finding.code == "SN303"]


def refusal(guard: Watch, header: bytes) -> list[str]:
    return errors(guard.response(header)[0])


class Site:
    """An application behind the guard: it answers with `answer`, and remembers what reached it."""

    def __init__(self, mode: Mode = "enforce", declaration: Declaration = DECLARATION) -> None:
        self.findings: list[GuardFinding] = []
        self.seen: Headers = []
        self.answer: Headers = []
        self.start = "http.response.start"
        guard_watch = watch(declaration)
        self.guard = Guard(self.app, declaration, mode=mode, on_finding=self.findings.append, watch=guard_watch)

    async def app(
        self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        self.seen = list(scope["headers"])
        await send({"type": self.start, "status": 200, "headers": self.answer})
        await send({"type": "http.response.body", "body": b"x"})

    def ask(self, headers: Headers | None = None, kind: str = "http", path: str = "/") -> Headers:
        """The response's headers."""
        sent: list[Any] = []

        async def receive() -> Any:
            raise AssertionError

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.guard({"type": kind, "path": path, "headers": headers or []}, receive, send))
        assert sent[1] == {"type": "http.response.body", "body": b"x"}
        return list(sent[0]["headers"])

    def cookies(self, *headers: bytes) -> list[bytes]:
        """The Cookie headers that reach the application when these are sent."""
        self.ask([(b"host", b"x"), *((b"cookie", header) for header in headers), (b"accept", b"*/*")])
        assert [name for name, _ in self.seen if name != b"cookie"] == [b"host", b"accept"]
        return [value for name, value in self.seen if name == b"cookie"]

    def codes(self) -> list[str]:
        return errors(self.findings)


def set_cookies(headers: Headers) -> list[bytes]:
    return [value for name, value in headers if name.lower() == b"set-cookie"]


# Requests


@pytest.mark.parametrize(
    ("header", "expected", "codes"),
    [
        (b"__Host-session=a", [b"__Host-session=a"], []),
        (b"__Host-session=a; __Host-csrf=b", [b"__Host-session=a; __Host-csrf=b"], []),
        (b"__Host-session=a;__Host-csrf=b;", [b"__Host-session=a; __Host-csrf=b"], []),
        (b"draft_1=a; size=large", [b"draft_1=a; size=large"], []),
        (b"ROUTE=1", [], []),
        (b"ROUTE=1; __Host-session=a; ROUTE_TWO=2", [b"__Host-session=a"], []),
        (b"_ga=GA1; __Host-session=a", [b"__Host-session=a"], ["SN301"]),
        (b"__host-session=evil; __Host-session=a", [b"__Host-session=a"], ["SN301"]),
        (b"__HOST-SESSION=evil", [], ["SN301"]),
        (b"\xa0__Host-session=evil", [], ["SN302"]),
        (b"theme=dark", [], ["SN301"]),
        (b"bad[]=1; __Host-session=a; path=/x", [b"__Host-session=a"], ["SN302", "SN301"]),
        (b"__Host-session", [], ["SN302"]),
        (b"__Host-csrf=b; __Host-session", [b"__Host-csrf=b"], ["SN302"]),
        (b"__Host-session=\x01; __Host-csrf=b", [b"__Host-csrf=b"], ["SN302"]),
        (b"size=small; size=large", [b"size=small; size=large"], ["SN303"]),
        (b"__Host-session= \"a, b\" =\xff", [b"__Host-session= \"a, b\" =\xff"], []),
        (b"__Host-session=a; other=1; __Host-csrf= \xff\"", [b"__Host-session=a; __Host-csrf= \xff\""], ["SN301"]),
        (b"", [], []),
        (b";;", [], []),
    ],
)  # fmt: skip
def test_only_declared_cookies_reach_the_application(header: bytes, expected: list[bytes], codes: list[str]) -> None:
    site = Site()
    got = site.cookies(header)
    assert [b"; ".join(pair.strip() for pair in value.split(b";") if pair.strip()) for value in got if value] == [
        b"; ".join(pair.strip() for pair in value.split(b";")) for value in expected
    ]
    assert site.codes() == codes
    assert all(finding.direction is Direction.REQUEST for finding in site.findings)


def test_a_sound_header_passes_byte_for_byte() -> None:
    header = b'__Host-session=a b,"\xff\\;  size=\xc3\xa9=='
    assert Site().cookies(header) == [header]


def test_several_cookie_headers_become_one() -> None:
    site = Site()
    assert site.cookies(b"__Host-session=a", b"evil=1", b"size=small") == [b"__Host-session=a; size=small"]
    assert site.codes() == ["SN301"]


def test_a_header_name_in_other_letter_case_is_no_way_around() -> None:
    site = Site()
    site.ask([(b"Cookie", b"evil=1")])
    assert site.seen == []


def test_the_scope_of_the_server_is_not_changed() -> None:
    site = Site()
    headers = [(b"cookie", b"evil=1")]
    site.ask(headers)
    assert headers == [(b"cookie", b"evil=1")]


def test_a_flood_of_cookies_is_answered_with_few_findings() -> None:
    site = Site()
    header = b"; ".join(b"evil%d=%s" % (number, b"x" * 90) for number in range(10_000)) + b"; __Host-session=a"
    assert site.cookies(header) == [b"__Host-session=a"]
    assert len(site.findings) == MOST_FINDINGS + 1
    assert site.findings[-1].code == "SN304"


def test_a_finding_names_the_cookie_safely_and_never_its_value() -> None:
    site = Site()
    site.cookies(b"\x1b[31m" + b"\xe9" * 200 + b"=secret")
    (finding,) = site.findings
    assert finding.name.startswith("\\x1b[31m\\xe9")
    assert finding.name.isascii()
    assert finding.name.isprintable()
    assert len(finding.name) <= 4 * 80
    assert "secret" not in str(finding)


readable = st.sampled_from([b"__Host-session", b"__Host-csrf", b"size", b"draft_1", b"draft_"])
hidden = st.sampled_from([b"ROUTE", b"ROUTE2"])
other = st.sampled_from(
    [b"__host-session", b"_ga", b"theme", b"draf", b"rOUTE", b"path", b"$Version", b"size[]", b"", b"\xa0size"]
)
plain = st.binary(max_size=12).map(lambda raw: bytes(b for b in raw if b >= 32 and b not in b";\x7f").strip())


@given(st.lists(st.tuples(readable | hidden | other, plain)), st.sampled_from([b"; ", b";", b" ;\t"]))
def test_no_undeclared_cookie_passes_and_no_declared_one_is_lost(pairs: list[tuple[bytes, bytes]], glue: bytes) -> None:
    allowed, _ = watch().request(glue.join(name + b"=" + value for name, value in pairs))
    expected = [
        name + b"=" + value
        for name, value in pairs
        if name.startswith((b"__Host-session", b"__Host-csrf", b"draft_")) or name == b"size"
    ]
    assert [pair.strip(b" \t") for pair in allowed.split(b";") if pair] == expected


@given(st.binary())
def test_any_bytes_in_a_request_let_nothing_undeclared_through(header: bytes) -> None:
    allowed, _ = watch().request(header)
    for pair in allowed.split(b";"):
        name = pair.partition(b"=")[0].strip(b" \t")
        assert not pair or name in {b"__Host-session", b"__Host-csrf", b"size"} or name.startswith(b"draft_")


# Responses


@pytest.mark.parametrize(
    "header",
    [
        CSRF,
        b"__Host-csrf=v; SameSite=strict; path=/; secure",
        b"__Host-csrf=v; Path=/; Secure; SameSite=Strict; Max-Age=7200",
        CSRF + b"; Expires=" + formatdate(NOW + 7200, usegmt=True).encode(),
        b"__Host-session=v; Path=/; Secure; HttpOnly; SameSite=Lax",
        SIZE,
        SIZE + b"; Max-Age=2592000",
        # Removing a declared cookie is always allowed.
        b"__Host-csrf=; Max-Age=0",
        b"__Host-session=; Max-Age=-5; Path=/",
        b"size=; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        b"size=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0",
        b"draft_1=; Max-Age=0",
        # And so is removing what was there before the declaration: nothing is kept.
        b"_ga=; Max-Age=0; Domain=example.org",
        b"_ga=; expires=Thu, 01 Jan 1970 00:00:00 GMT; path=/",
    ],
)
@pytest.mark.parametrize("mode", ["raise", "enforce"])
def test_declared_cookies_leave_unchanged(header: bytes, mode: Mode) -> None:
    site = Site(mode)
    site.answer = [(b"set-cookie", header), (b"set-cookie", header)]
    assert set_cookies(site.ask()) == [header, header]
    assert site.codes() == []


REFUSED = [
    (b"_ga=GA1", "SN311"),
    (b"__host-csrf=v; Path=/; Secure; SameSite=Strict", "SN311"),
    (b"theme=dark", "SN311"),
    (b"nameless", "SN311"),
    (b"_ga=x; Max-Age=0; Max-Age=soon", "SN311"),
    (b"_ga=x; Max-Age=0; Expires=" + formatdate(NOW + 60, usegmt=True).encode(), "SN311"),
    (b"_ga=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Expires=soon", "SN311"),
    (CSRF + b"; HttpOnly; Max-Age=0; Max-Age=soon", "SN313"),
    (b"", "SN312"),
    (b"__Host-csrf=a\x01b; Path=/; Secure; SameSite=Strict", "SN312"),
    (b"__Host-csrf=" + b"x" * 5000 + b"; Path=/; Secure; SameSite=Strict", "SN312"),
    (CSRF + b"; HttpOnly", "SN313"),
    (CSRF + b"; Partitioned", "SN313"),
    (CSRF + b"; Domain=example.org", "SN313"),
    (CSRF.replace(b"Strict", b"Lax"), "SN313"),
    (CSRF.replace(b"; SameSite=Strict", b""), "SN313"),
    (CSRF.replace(b"Path=/", b"Path=/x"), "SN313"),
    (CSRF.replace(b"Path=/; ", b""), "SN313"),
    (CSRF.replace(b"Secure; ", b""), "SN313"),
    (SIZE.replace(b"Domain=example.org; ", b""), "SN313"),
    (b"__Host-session=v; Path=/; Secure; SameSite=Lax", "SN313"),
    (b"__Host-session=v; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=1", "SN314"),
    (CSRF + b"; Max-Age=7201", "SN314"),
    (CSRF + b"; Max-Age=" + b"9" * 1000, "SN314"),
    (CSRF + b"; Expires=" + formatdate(NOW + 7201, usegmt=True).encode(), "SN314"),
    (CSRF + b"; Max-Age=60; Expires=" + formatdate(NOW + 7201, usegmt=True).encode(), "SN314"),
    (CSRF + b"; Max-Age=7201; Expires=" + formatdate(NOW + 60, usegmt=True).encode(), "SN314"),
    (CSRF + b"; Max-Age=0; Expires=" + formatdate(NOW + 7201, usegmt=True).encode(), "SN314"),
    (b"draft_1=v; Path=/; Secure; SameSite=Strict", "SN315"),
    (b"ROUTE=1; Path=/; Secure; HttpOnly", "SN315"),
    (SIZE.replace(b"small", b"medium"), "SN317"),
]


@pytest.mark.parametrize(("header", "code"), REFUSED)
def test_what_is_not_as_declared_is_removed(header: bytes, code: str) -> None:
    site = Site()
    site.answer = [(b"content-type", b"text/html"), (b"Set-Cookie", header), (b"set-cookie", CSRF)]
    headers = site.ask()
    assert set_cookies(headers) == [CSRF]
    assert (b"content-type", b"text/html") in headers
    assert site.codes() == [code]
    assert site.findings[0].direction is Direction.RESPONSE


@pytest.mark.parametrize(("header", "code"), REFUSED)
def test_what_is_not_as_declared_raises_in_development(header: bytes, code: str) -> None:
    site = Site("raise")
    site.answer = [(b"set-cookie", header)]
    with pytest.raises(GuardError) as caught:
        site.ask()
    assert [finding.code for finding in caught.value.findings] == [code] == site.codes()


@pytest.mark.parametrize(("header", "code"), REFUSED)
def test_what_is_not_as_declared_is_only_reported_in_mode_report(header: bytes, code: str) -> None:
    site = Site("report")
    site.answer = [(b"set-cookie", header)]
    assert set_cookies(site.ask()) == [header]
    assert site.codes() == [code]


def test_what_a_browser_sends_never_raises() -> None:
    site = Site("raise")
    assert site.cookies(b"evil=1; __Host-session=a") == [b"__Host-session=a"]
    assert site.codes() == ["SN301"]


def test_mode_report_changes_no_request() -> None:
    site = Site("report")
    assert site.cookies(b"evil=1; ROUTE=2", b"bad") == [b"evil=1; ROUTE=2", b"bad"]
    assert site.codes() == ["SN301", "SN302"]


def test_every_difference_is_told() -> None:
    site = Site()
    site.answer = [(b"set-cookie", b"__Host-session=v; Max-Age=60")]
    site.ask()
    assert [str(finding) for finding in site.findings] == [
        "SN314 \"__Host-session\" would live 60 seconds, and its declared lifetime is 'session'",
        'SN313 "__Host-session" has no HttpOnly, and is declared with HttpOnly',
        'SN313 "__Host-session" has no Secure, and is declared with Secure',
        'SN313 "__Host-session" has no Path, and is declared with Path=/',
        'SN313 "__Host-session" has no SameSite, and is declared with SameSite=Lax',
    ]
    assert {finding.item for finding in site.findings} == {"session"}


def test_a_remembered_verdict_never_covers_another_value_or_time() -> None:
    guard = watch()
    lasting = CSRF + b"; Max-Age=7200"
    assert guard.response(lasting) == guard.response(lasting.replace(b"=v", b"=other")) == ((), False)
    assert refusal(guard, lasting.replace(b"=v", b"=\x01")) == ["SN312"]
    assert refusal(guard, lasting.replace(b"=v", b"=" + b"x" * 4090)) == ["SN312"]
    assert refusal(guard, lasting.replace(b"__Host-csrf", b"csrf")) == ["SN311"]
    assert refusal(guard, SIZE) == []
    assert refusal(guard, SIZE.replace(b"small", b"huge")) == ["SN317"]
    times = [float(NOW)]
    aging = Watch(DECLARATION, now=lambda: times[0])
    header = CSRF + b"; Expires=" + formatdate(NOW + 7200, usegmt=True).encode()
    assert refusal(aging, header) == []
    times[0] -= 60
    assert refusal(aging, header) == ["SN314"]


@pytest.mark.parametrize(("header", "code"), REFUSED)
def test_what_was_refused_once_is_refused_again(header: bytes, code: str) -> None:
    guard = watch()
    assert refusal(guard, header) == [code]
    assert refusal(guard, header) == [code]


def test_only_so_many_verdicts_are_remembered_and_the_usual_ones_are_never_crowded_out() -> None:
    guard = watch()
    for number in range(1000):
        assert guard.response(CSRF + b"; Max-Age=7200; A=%d" % number) == ((), False)
        assert guard.response(CSRF + b"; Max-Age=7200; A=" + b"x" * number) == ((), False)
        assert 1 <= len(guard._sound) <= 256
    assert max(len(attributes) for _, attributes in guard._sound) <= 512
    usual = CSRF + b"; Max-Age=7200"
    assert guard.response(usual) == ((), False)
    assert (b"__Host-csrf", usual.partition(b";")[2]) in guard._sound


def test_a_verdict_about_a_name_never_covers_a_cookie_without_one() -> None:
    # A browser reads `__Host-csrf; Path=/` as a cookie without a name, whose value is `__Host-csrf`.
    guard = watch()
    assert refusal(guard, CSRF + b"; Max-Age=7200") == []
    assert refusal(guard, CSRF.replace(b"=v", b"") + b"; Max-Age=7200") == ["SN311"]


@pytest.mark.parametrize(
    ("header", "shorter"),
    [
        (CSRF, True),
        (CSRF + b"; Max-Age=7139", True),
        (CSRF + b"; Max-Age=7140", False),
        (CSRF + b"; Max-Age=7200", False),
        (CSRF + b"; Expires=" + formatdate(NOW + 60, usegmt=True).encode(), True),
        (CSRF + b"; Max-Age=0", False),
        (SIZE, False),  # to keep it is the person's choice, so to forget it at once is one too
        (b"__Host-session=v; Path=/; Secure; HttpOnly; SameSite=Lax", False),
    ],
)
def test_a_life_shorter_than_declared_passes_with_a_word(header: bytes, shorter: bool) -> None:
    site = Site("raise")
    site.answer = [(b"set-cookie", header)]
    assert set_cookies(site.ask()) == [header]
    assert [(finding.code, finding.severity) for finding in site.findings] == [("SN318", Severity.WARNING)] * shorter


def test_what_needs_consent_passes_in_neither_direction() -> None:
    # No checked declaration holds such an item; the guard does not rely on that.
    items = (replace(DECLARATION.item("csrf"), purposes=(Purpose(Category.ANALYTICS, "p"),)),)
    site = Site(declaration=replace(DECLARATION, items=items))
    site.answer = [(b"set-cookie", CSRF)]
    assert site.cookies(b"__Host-csrf=v") == []
    assert set_cookies(site.ask()) == []
    assert site.codes() == ["SN301", "SN316", "SN316"]


@given(st.text(max_size=30), st.integers(1, 7200) | st.none())
def test_set_cookie_makes_only_what_the_guard_lets_out(value: str, max_age: int | None) -> None:
    try:
        header = set_cookie(DECLARATION.item("csrf"), value, max_age)
    except CookieSyntaxError:
        return
    assert refusal(watch(), header.encode()) == []


@pytest.mark.parametrize("item_id", ["session", "csrf", "size"])
def test_delete_cookie_is_let_out(item_id: str) -> None:
    assert watch().response(delete_cookie(DECLARATION.item(item_id)).encode()) == ((), item_id == "session")


@given(st.binary())
def test_any_bytes_in_a_response_let_nothing_undeclared_out(header: bytes) -> None:
    assert refusal(watch(), header)


# Headers and protocols


def test_security_headers_are_added_to_every_response() -> None:
    headers = dict(Site().ask())
    for name, value in security_headers(DECLARATION).items():
        assert headers[name.encode()] == value.encode()


def test_the_csp_allows_our_own_origin_and_declared_form_targets() -> None:
    assert security_headers(DECLARATION)["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; font-src 'self'; "
        "connect-src 'self'; media-src 'self'; manifest-src 'self'; worker-src 'self'; object-src 'none'; "
        "base-uri 'none'; form-action 'self' https://pay.example.com; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types strictly-necessary; report-uri /.well-known/cookie-report"
    )


def test_a_csp_of_the_application_can_only_narrow_ours() -> None:
    site = Site("raise")
    site.answer = [(b"content-security-policy", b"sandbox"), (b"Referrer-Policy", b"same-origin")]
    headers = site.ask()
    policies = [value for name, value in headers if name == b"content-security-policy"]
    assert policies == [b"sandbox", security_headers(DECLARATION)["content-security-policy"].encode()]
    assert len({name.lower() for name, _ in headers}) == len(headers) - 1
    assert site.findings == []


@pytest.mark.parametrize("name", [b"csrf", b"__Secure-csrf", b"__host-CSRF"])
def test_a_name_that_is_nearly_declared_is_told_its_neighbour(name: bytes) -> None:
    site = Site()
    site.answer = [(b"set-cookie", CSRF.replace(b"__Host-csrf", name))]
    site.ask()
    assert "did you mean __Host-csrf, the item 'csrf'?" in site.findings[0].message


def test_what_the_application_sent_is_told_with_the_path_and_what_came_without() -> None:
    site = Site()
    site.answer = [(b"set-cookie", b"_ga=1"), (b"x-frame-options", b"x"), (b"x-odd", b"a\r\nb")]
    site.ask([(b"cookie", b"_ga=1")], path="/works/1")
    assert [(finding.code, finding.path) for finding in site.findings] == [
        ("SN301", None),
        ("SN311", "/works/1"),
        ("SN321", "/works/1"),
        ("SN322", "/works/1"),
    ]


def test_the_guard_wants_a_declaration_and_says_how_to_get_one() -> None:
    with pytest.raises(TypeError, match="load"):
        Guard(Site().app, "policy.toml")  # type: ignore[arg-type]


def test_a_security_header_other_than_declared_is_replaced_and_told() -> None:
    site = Site()
    site.answer = [(b"X-Frame-Options", b"SAMEORIGIN")]
    assert [value for name, value in site.ask() if name.lower() == b"x-frame-options"] == [b"DENY"]
    assert [(finding.code, finding.name) for finding in site.findings] == [("SN321", "x-frame-options")]


def test_a_security_header_other_than_declared_raises_in_development() -> None:
    site = Site("raise")
    site.answer = [(b"X-Frame-Options", b"SAMEORIGIN")]
    with pytest.raises(GuardError, match="x-frame-options"):
        site.ask()


def test_mode_report_clears_nothing() -> None:
    site = Site("report")
    site.answer = [(b"set-cookie", delete_cookie(DECLARATION.item("session")).encode())]
    assert b"clear-site-data" not in dict(site.ask())


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.COOKIE])
def test_what_is_kept_anywhere_but_in_a_cookie_survives_signing_out(kind: Kind) -> None:
    item = replace(DECLARATION.item("theme"), kind=kind)
    assert clear_site_data(replace(DECLARATION, items=(item,))) == '"cache"'


def test_the_interfaces_for_advertising_and_telling_apart_are_denied() -> None:
    policy = security_headers(DECLARATION)["permissions-policy"]
    for feature in (
        *("browsing-topics", "interest-cohort", "private-state-token-issuance", "private-state-token-redemption"),
        *("storage-access", "camera", "microphone", "geolocation", "accelerometer", "gyroscope", "magnetometer"),
        *("local-fonts", "idle-detection", "compute-pressure", "keyboard-map", "usb", "hid", "serial", "midi"),
        *("captured-surface-control", "display-capture", "encrypted-media", "gamepad", "local-network-access"),
        *("otp-credentials", "payment", "speaker-selection", "sync-xhr", "window-management", "xr-spatial-tracking"),
        *("ch-device-memory", "ch-ua-arch", "ch-ua-bitness", "ch-ua-full-version", "ch-ua-full-version-list"),
        *("ch-ua-model", "ch-ua-high-entropy-values", "ch-ua-platform-version", "ch-viewport-width"),
    ):
        assert f"{feature}=()" in policy


def test_the_other_headers_are_as_strict_as_they_can_be() -> None:
    headers = security_headers(DECLARATION)
    assert {
        name: headers[name] for name in sorted(headers.keys() - {"content-security-policy", "permissions-policy"})
    } == {
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }


def test_the_log_names_the_places_of_scripts(caplog: pytest.LogCaptureFixture) -> None:
    stack = ("/static/a.js:1:2", "https://cdn.example/b.js:3:4")
    with caplog.at_level(logging.WARNING, "strictly_necessary"):
        log_once()(GuardFinding("SN331", Direction.BROWSER, "told", "x", stack=stack))
    assert caplog.records[0].getMessage() == "SN331 told (/static/a.js:1:2, https://cdn.example/b.js:3:4)"


def test_mode_report_leaves_the_security_headers_of_the_application() -> None:
    site = Site("report")
    site.answer = [
        (b"X-Frame-Options", b"SAMEORIGIN"),
        (b"set-cookie", delete_cookie(DECLARATION.item("session")).encode()),
    ]
    assert site.ask()[:2] == site.answer
    assert site.codes() == ["SN321"]


@pytest.mark.parametrize("name", ["NEL", "report-to", "Accept-CH", "attribution-reporting-register-source"])
def test_a_header_that_has_browsers_keep_or_tell_more_needs_a_reason(name: str) -> None:
    site = Site()
    site.answer = [(name.encode(), b"anything")]
    assert name.lower() not in {header.decode().lower() for header, _ in site.ask()}
    assert [(finding.code, finding.name) for finding in site.findings] == [("SN321", name.lower())]
    declared = Override(name.lower(), "anything", "We serve pictures by the width of the screen.")
    site = Site("raise", replace(DECLARATION, overrides=(declared,)))
    assert dict(site.ask())[name.lower().encode()] == b"anything"
    site.answer = [(name.encode(), b"anything")]
    assert [value for header, value in site.ask() if header.lower() == name.lower().encode()] == [b"anything"]


def test_an_override_holds_for_its_paths() -> None:
    policy = "content-security-policy"
    overrides = (
        Override("x-frame-options", "", "Our partners frame the player.", paths=("/player/*",)),
        Override(policy, "'self' https://pay.example.com", "Receipts show their logo.", directive="img-src"),
        Override(policy, "'self' data:", "Drawn by the script.", directive="img-src", paths=("/chart",)),
        Override("permissions-policy", "(self)", "Scans a code.", directive="camera", paths=("/scan",)),
    )
    site = Site(declaration=replace(DECLARATION, overrides=overrides))
    usual, chart, player, scan = (dict(site.ask(path=path)) for path in ("/", "/chart", "/player/1", "/scan"))
    assert b"img-src 'self' https://pay.example.com;" in usual[policy.encode()]
    assert b"img-src 'self' data:;" in chart[policy.encode()]
    assert b"x-frame-options" in usual
    assert b"x-frame-options" not in player
    assert b"camera=()" in usual[b"permissions-policy"]
    assert b"camera=(self)" in scan[b"permissions-policy"]
    assert {name for name in usual if usual[name] != chart[name]} == {policy.encode()}


def test_a_nonce_is_new_for_each_response_and_allows_what_carries_it() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(nonce(scope))
        await send({"type": "http.response.start", "status": 200, "headers": []})

    def csp() -> str:
        sent: list[Any] = []

        async def receive() -> Any: ...

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "path": "/", "headers": []}
        asyncio.run(Guard(app, DECLARATION, nonces=True)(scope, receive, send))
        return str(dict(sent[0]["headers"])[b"content-security-policy"].decode())

    first, second = csp(), csp()
    assert f"script-src 'self' 'nonce-{seen[0]}';" in first
    assert f"style-src 'self' 'nonce-{seen[0]}';" in first
    assert f"'nonce-{seen[1]}'" in second
    assert len(set(seen)) == 2
    assert all(len(value) >= 22 for value in seen)


@pytest.mark.parametrize("mode", ["raise", "enforce"])
def test_signing_out_clears_what_the_browser_keeps_of_the_pages(mode: Mode) -> None:
    site = Site(mode)
    site.answer = [(b"set-cookie", delete_cookie(DECLARATION.item("session")).encode())]
    for _ in range(2):
        assert (b"clear-site-data", b'"cache"') in site.ask()
    site.answer = [(b"clear-site-data", b'"*"'), *site.answer]
    assert [value for name, value in site.ask() if name == b"clear-site-data"] == [b'"cache"']
    site.answer = [(b"set-cookie", delete_cookie(DECLARATION.item("csrf")).encode())]
    assert b"clear-site-data" not in dict(site.ask())
    site.answer = [(b"set-cookie", b"__Host-session=v; Path=/; Secure; HttpOnly; SameSite=Lax")]
    assert b"clear-site-data" not in dict(site.ask())


def test_what_is_to_stay_decides_what_signing_out_clears() -> None:
    cookies = replace(DECLARATION, items=DECLARATION.cookies)
    assert clear_site_data(DECLARATION) == '"cache"'
    assert clear_site_data(cookies) == '"cache", "storage"'
    other = Override("clear-site-data", '"cookies"', "No neighbours.", paths=("/leave",))
    assert clear_site_data(replace(cookies, overrides=(other,)), path="/leave") == '"cookies"'
    assert clear_site_data(replace(cookies, overrides=(other,))) == '"cache", "storage"'


def test_mode_report_sends_the_csp_as_report_only() -> None:
    assert [name for name, _ in Site("report").ask()] == [b"content-security-policy-report-only"]


def test_a_websocket_handshake_is_guarded() -> None:
    site = Site()
    site.start = "websocket.accept"
    site.answer = [(b"set-cookie", b"evil=1"), (b"set-cookie", CSRF)]
    assert site.ask([(b"cookie", b"evil=1; __Host-session=a")], "websocket") == [(b"set-cookie", CSRF)]
    assert site.seen == [(b"cookie", b"__Host-session=a")]
    site.start = "websocket.http.response.start"
    assert set_cookies(site.ask(kind="websocket")) == [CSRF]
    raising = Site("raise")
    raising.start, raising.answer = "websocket.accept", [(b"set-cookie", b"evil=1")]
    with pytest.raises(GuardError):
        raising.ask(kind="websocket")


def test_trailers_are_guarded() -> None:
    site = Site()
    site.start = "http.response.trailers"
    site.answer = [(b"set-cookie", b"evil=1"), (b"digest", b"x")]
    assert site.ask() == [(b"digest", b"x")]


def test_a_handshake_without_headers_is_accepted() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Guard(app, DECLARATION)({"type": "websocket", "path": "/", "headers": []}, send, send))  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.accept"}]


def test_the_lifespan_is_left_alone() -> None:
    scope = {"type": "lifespan"}
    seen: list[Any] = []

    async def app(*call: Any) -> None:
        seen.extend(call)

    async def send(message: Any) -> None: ...

    asyncio.run(Guard(app, DECLARATION)(scope, send, send))  # type: ignore[arg-type]
    assert seen == [scope, send, send]


def test_without_a_reporter_each_finding_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    site = Site()
    site.guard = Guard(site.app, DECLARATION)
    with caplog.at_level(logging.WARNING, "strictly_necessary"):
        site.cookies(b"evil=1")
        site.cookies(b"evil=2; worse=3")
    assert [record.getMessage() for record in caplog.records] == [
        'SN301 "evil" is not declared',
        'SN301 "worse" is not declared',
    ]
    caplog.clear()
    with caplog.at_level(logging.WARNING, "strictly_necessary"):
        for number in range(1100):
            site.cookies(b"e%d=1" % number)
    assert len(caplog.records) == 998 + 1
    assert caplog.records[-1].getMessage() == "further findings about requests are not logged for an hour"


def test_after_an_hour_findings_are_logged_again(caplog: pytest.LogCaptureFixture) -> None:
    hour = [0.0]
    reporter = log_once(lambda: hour[0] * 3600)
    with caplog.at_level(logging.WARNING, "strictly_necessary"):
        for number in range(1100):
            reporter(GuardFinding("SN301", Direction.REQUEST, f"{number}", f"{number}"))
        hour[0] = 0.99
        reporter(GuardFinding("SN301", Direction.REQUEST, "early", "early"))
        hour[0] = 1.01
        reporter(GuardFinding("SN301", Direction.REQUEST, "late", "late"))
        reporter(GuardFinding("SN301", Direction.REQUEST, "late", "late"))
    said = [record.getMessage() for record in caplog.records]
    assert said[-1] == "SN301 late"
    assert len(said) == 1002


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="raise, enforce, report"):
        Guard(Site().app, DECLARATION, mode="off")  # type: ignore[arg-type]
