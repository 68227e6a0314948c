"""`[[headers]]`: what an override may do, what it may not, and for which paths it holds."""

from pathlib import Path

import pytest

from strictly_necessary import Override, check, load
from strictly_necessary.declaration._overrides import IN_PARTS, MANAGED, problems
from strictly_necessary.declaration._vocabulary import FEATURES as FEATURES_KNOWN
from strictly_necessary.declaration._vocabulary import VALUES
from strictly_necessary.headers import DENIED_FEATURES, security_headers

CSP, FEATURES, FRAMES = "content-security-policy", "permissions-policy", "x-frame-options"
HOSTS = {"pay.example.com", "media.example.org"}
EXAMPLE = Path(__file__).parent / "example.toml"


def csp(directive: str | None, value: str, *paths: str) -> Override:
    return Override(CSP, value, "r", directive, paths)


def found(override: Override, *before: Override) -> list[tuple[str, str]]:
    return [(code, key) for code, key, message, fix in problems(override, HOSTS, before) if message and fix]


def test_the_headers_of_the_guard_are_those_that_it_sends() -> None:
    assert {*MANAGED} == {*security_headers(load(EXAMPLE)), "clear-site-data"}


def test_a_finding_names_the_header_and_its_part() -> None:
    (finding,) = problems(csp("img-src", "evil.example"), HOSTS, ())
    assert finding[2] == "content-security-policy img-src names evil.example, which is not declared"
    (finding,) = problems(Override(FRAMES, "DENY", "r"), HOSTS, [Override(FRAMES, "", "r")])
    assert finding[2] == "x-frame-options is overridden twice for the same paths"


SOUND = {
    CSP: ("img-src", ["", "'none'", "'self' data: blob:"]),
    FEATURES: ("camera", ["", "()", "(self)", "self", '(self "https://pay.example.com")', '"https://pay.example.com"']),
    "referrer-policy": (None, ["", "no-referrer", "no-referrer, strict-origin-when-cross-origin", "unsafe-url"]),
    "x-content-type-options": (None, ["", "nosniff"]),
    "cross-origin-opener-policy": (None, ["", "unsafe-none", "same-origin-allow-popups"]),
    "cross-origin-resource-policy": (None, ["", "same-site", "cross-origin"]),
    FRAMES: (None, ["", "DENY", "SAMEORIGIN", "sameorigin"]),
    "clear-site-data": (None, ["", '"cache"', '"cache", "storage"', '"*"']),
}


@pytest.mark.parametrize("name", MANAGED)
def test_every_header_of_the_guard_can_be_overridden(name: str) -> None:
    directive, values = SOUND[name]
    for value in values:
        assert found(Override(name, value, "r", directive)) == [], value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (FRAMES, "ALLOWALL"),
        (FRAMES, "ALLOW-FROM https://pay.example.com"),
        (FRAMES, "DENY, SAMEORIGIN"),
        ("referrer-policy", "none"),
        ("referrer-policy", "no-referrer, never"),
        ("x-content-type-options", "sniff"),
        ("cross-origin-opener-policy", "same-site"),
        ("cross-origin-resource-policy", "none"),
        ("clear-site-data", "cache"),
    ],
)
def test_a_header_says_only_what_browsers_know(name: str, value: str) -> None:
    assert found(Override(name, value, "r")) == [("SN017", "value")]


def test_what_browsers_know_is_named() -> None:
    (finding,) = problems(Override(FRAMES, "ALLOWALL", "r"), HOSTS, ())
    assert finding[2:] == ("x-frame-options is 'ALLOWALL'", "write one of: DENY, SAMEORIGIN")


@pytest.mark.parametrize(
    ("name", "directive", "fix"),
    [
        (CSP, "imgsrc", "did you mean img-src?"),
        (CSP, "image-src", "did you mean img-src?"),
        (CSP, "scriptsrc", "did you mean script-src?"),
        (CSP, "x", "write one of: base-uri, "),
        (FEATURES, "cameras", "did you mean camera?"),
        (FEATURES, "screenwakelock", "did you mean screen-wake-lock?"),
    ],
)
def test_a_directive_that_no_browser_knows_is_told_its_neighbour(name: str, directive: str, fix: str) -> None:
    (finding,) = problems(Override(name, "", "r", directive), HOSTS, ())
    assert finding[:2] == ("SN017", "directive")
    assert finding[3].startswith(fix)


def test_the_features_that_the_guard_denies_are_known() -> None:
    assert set(DENIED_FEATURES) <= FEATURES_KNOWN
    assert set(MANAGED) - {CSP, FEATURES} == VALUES.keys()


@pytest.mark.parametrize(
    "source", ["'slef'", "'unsafe-inlin'", "'nonce-'", "'sha256-'", "https://a.example?x", "[::1]", "-"]
)
def test_a_source_that_no_browser_knows_is_told(source: str) -> None:
    assert found(csp("img-src", f"'self' {source}")) == [("SN017", "value")]


@pytest.mark.parametrize(
    "feature",
    [
        "browsing-topics", "attribution-reporting", "run-ad-auction", "join-ad-interest-group", "shared-storage",
        "private-aggregation", "private-state-token-issuance", "private-state-token-redemption", "interest-cohort",
    ],
)  # fmt: skip
def test_features_for_advertising_stay_closed(feature: str) -> None:
    for value in ("*", "(self)", "self", "", '("https://pay.example.com")'):
        assert found(Override(FEATURES, value, "r", feature)) == [("SN015", "value")], value
    assert found(Override(FEATURES, "()", "r", feature)) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("*", [("SN016", "value")]),
        ("(self *)", [("SN016", "value")]),
        ('(self "https://evil.example")', [("SN016", "value")]),
        ('("https://*.evil.example:8443")', [("SN016", "value")]),
        ('("https://*.pay.example.com")', []),
        ("'self'", [("SN017", "value")]),
        ("none", []),
        ("(self", [("SN017", "value")]),
        ("(https://pay.example.com)", [("SN017", "value")]),
    ],
)
def test_a_feature_is_opened_to_declared_hosts_alone(value: str, expected: list[tuple[str, str]]) -> None:
    assert found(Override(FEATURES, value, "r", "camera")) == expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("nel", '{"report_to": "main", "max_age": 60}', []),
        ("reporting-endpoints", 'main="https://pay.example.com/r"', []),
        ("reporting-endpoints", 'main="https://evil.example/r"', [("SN016", "value")]),
        ("accept-ch", "DPR", []),
        ("observe-browsing-topics", "?1", [("SN015", "name")]),
        ("attribution-reporting-register-source", "{}", [("SN015", "name")]),
        ("attribution-reporting-register-trigger", "{}", [("SN015", "name")]),
    ],
)
def test_headers_that_report_or_advertise(name: str, value: str, expected: list[tuple[str, str]]) -> None:
    assert found(Override(name, value, "r")) == expected


@pytest.mark.parametrize("name", ["strict-transport-security", "set-cookie", "content-security-policy-report-only", ""])
def test_other_headers_are_not_the_guards(name: str) -> None:
    assert found(Override(name, "a; b, c", "r", "img-src")) == [("SN006", "name")]


@pytest.mark.parametrize("name", MANAGED)
def test_only_two_headers_have_parts(name: str) -> None:
    told = {code for code, _ in found(Override(name, "", "r", "camera"))}
    assert ("SN012" in told) == (name not in IN_PARTS)


def test_a_whole_csp_cannot_be_replaced() -> None:
    assert found(csp(None, "default-src 'self'")) == [("SN015", "name")]
    assert found(Override(FEATURES, "camera=(), usb=()", "r")) == [("SN015", "name")]


@pytest.mark.parametrize(
    "directive",
    ["default-src", "script-src", "script-src-elem", "script-src-attr", "worker-src", "object-src", "base-uri"],
)
def test_what_runs_script_stays_closed_to_strangers(directive: str) -> None:
    for loose in (
        "'unsafe-inline'",
        "'unsafe-eval'",
        "*",
        "http:",
        "https:",
        "data:",
        "blob:",
        "ws:",
        "wss:",
        "HTTPS:",
    ):
        assert found(csp(directive, f"'self' {loose}")) == [("SN015", "value")], loose
    for wide in ("https://*", "*:443", "https://*:*", "https://*/x", "WSS://*"):
        assert found(csp(directive, wide)) == [("SN015", "value")], wide
    assert found(csp(directive, "'self' 'unsafe-inline' data:")) == [("SN015", "value")] * 2
    for sound in ("'none'", "'self'", "'sha256-AAAA' 'strict-dynamic'", "https://pay.example.com/x.js"):
        assert found(csp(directive, sound)) == [], sound


@pytest.mark.parametrize("directive", ["img-src", "style-src", "font-src", "connect-src", "media-src", "frame-src"])
def test_what_runs_no_script_may_be_made_by_the_page_itself(directive: str) -> None:
    assert found(csp(directive, "'self' 'unsafe-inline' data: blob:")) == []


@pytest.mark.parametrize(
    "directive",
    ["img-src", "style-src", "font-src", "connect-src", "media-src", "frame-src", "form-action", "frame-ancestors"],
)
def test_a_wildcard_is_a_host_that_is_not_declared(directive: str) -> None:
    for wide in ("*", "https:", "http:", "wss:", "WSS:", "ftp:", "https://*", "*:443", "https://*:*/x"):
        assert found(csp(directive, f"'self' {wide}")) == [("SN016", "value")], wide
        assert found(csp(directive, f"'self' {wide}", "/pay")) == [("SN016", "value")], wide
    (finding,) = problems(csp("img-src", "https:"), HOSTS, ())
    assert finding[2] == "content-security-policy img-src with https: opens it to every host there is"
    assert found(csp(directive, "*.com")) == [("SN016", "value")]


@pytest.mark.parametrize("directive", ["default-src", "base-uri", "form-action"])
def test_what_falls_back_on_nothing_is_not_taken_away(directive: str) -> None:
    assert found(csp(directive, "")) == [("SN015", "value")]
    assert found(csp(directive, "'none'")) == []


@pytest.mark.parametrize("directive", ["script-src", "img-src", "object-src", "frame-ancestors"])
def test_what_falls_back_on_another_directive_may_be_taken_away(directive: str) -> None:
    assert found(csp(directive, "")) == []


def test_words_that_are_no_hosts_are_not_taken_for_one() -> None:
    assert found(csp("sandbox", "allow-forms allow-scripts")) == []
    assert found(csp("report-to", "main")) == []
    assert found(csp("report-uri", "/csp")) == []
    assert found(csp("report-uri", "https://evil.example/csp")) == [("SN016", "value")]
    assert found(csp("img-src", "main")) == [("SN016", "value")]


@pytest.mark.parametrize("directive", ["require-trusted-types-for", "trusted-types"])
def test_trusted_types_stay_on(directive: str) -> None:
    for value in ("", "'none'", "a b"):
        assert ("SN015", "directive") in found(csp(directive, value))


@pytest.mark.parametrize(
    "source",
    [
        "https://pay.example.com",
        "https://pay.example.com:8443/a/b",
        "https://pay.example.com:*",
        "pay.example.com",
        "PAY.example.com",
        "wss://media.example.org",
        "*.media.example.org",
        "http://127.0.0.1:*",
        "localhost:3000",
        "'self'",
        "'nonce-abc'",
        "data:",
    ],
)
def test_a_declared_host_may_be_named(source: str) -> None:
    assert found(csp("img-src", source)) == []


@pytest.mark.parametrize(
    "source",
    [
        "https://tracker.example",
        "tracker.example",
        "example.com",
        "https://pay.example.com.evil.example",
        "*.example.com",
        "evil.example:443/pay.example.com",
        "wss://evil.example",
        "evil.example/path:",
    ],
)
def test_any_other_host_may_not(source: str) -> None:
    assert found(csp("img-src", f"'self' {source} https://pay.example.com")) == [("SN016", "value")]


def test_one_entry_holds_one_directive() -> None:
    assert found(csp("img-src", "'self'; script-src *")) == [("SN006", "value")]
    assert found(Override(FEATURES, "(), usb=*", "r", "camera")) == [("SN006", "value")]
    assert found(Override("referrer-policy", "origin, same-origin", "r")) == []
    assert found(Override("referrer-policy", "origin; same-origin", "r")) == [("SN006", "value")]


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ((), (), True),
        (("/a",), (), False),
        ((), ("/a",), False),
        (("/a",), ("/a",), True),
        (("/a",), ("/b",), False),
        (("/a/*",), ("/a/b",), True),
        (("/a/b",), ("/a/*",), True),
        (("/a/*",), ("/a/b/*",), True),
        (("/a/b/*",), ("/a/*",), True),
        (("/a/*",), ("/a",), False),
        (("/x", "/a"), ("/b", "/a"), True),
        (("/x", "/a/*"), ("/b", "/c"), False),
    ],
)
def test_the_same_thing_is_overridden_once_for_a_path(
    one: tuple[str, ...], other: tuple[str, ...], clash: bool
) -> None:
    first, second = csp("img-src", "'self'", *one), csp("img-src", "data:", *other)
    assert found(second, first) == ([("SN008", "name")] if clash else [])
    assert found(csp("font-src", "data:", *other), first) == []
    assert found(Override(FRAMES, "DENY", "r", None, other), first) == []


def test_it_holds_for_exact_paths_and_for_beginnings() -> None:
    override = csp("img-src", "'self'", "/pay", "/shop/*")
    assert [path for path in ("/pay", "/pay/", "/shop", "/shop/", "/shop/1", "/") if override.holds_for(path)] == [
        "/pay",
        "/shop/",
        "/shop/1",
    ]
    assert csp("img-src", "'self'").holds_for("/anything")


ENTRY = """
[[headers]]
name = "content-security-policy"
directive = "img-src"
value = "'self' https://pay.example.com https://media.example.org"
reason = "r"
paths = ["/pay"]
"""


def read(folder: Path, entry: str, hosts: str = 'hosts = ["media.example.org"]') -> list[tuple[str, int]]:
    text = EXAMPLE.read_text(encoding="utf-8").replace("terms =", f"{hosts}\nterms =")
    file = folder / "policy.toml"
    file.write_text(text + entry, encoding="utf-8")
    start = text.count("\n")
    return [(finding.code, finding.line - start) for finding in check(file)]


def test_an_override_is_read_with_the_hosts_of_the_declaration(tmp_path: Path) -> None:
    assert read(tmp_path, ENTRY) == []
    (override,) = load(tmp_path / "policy.toml").overrides
    value = "'self' https://pay.example.com https://media.example.org"
    assert override == Override(CSP, value, "r", "img-src", ("/pay",))
    assert read(tmp_path, ENTRY, hosts="") == [("SN016", 5)]
    assert read(tmp_path, ENTRY + ENTRY) == [("SN008", 10)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('name = "content-security-policy"', 'name = "Content-Security-Policy"', ("SN006", 3)),
        ('name = "content-security-policy"', 'name = "server"', ("SN006", 3)),
        ('directive = "img-src"', 'directive = "img-src "', ("SN006", 4)),
        ('directive = "img-src"\n', "", ("SN015", 3)),
        ('directive = "img-src"', 'directive = "trusted-types"', ("SN015", 4)),
        ("'self' https", "'self'; script-src https", ("SN006", 5)),
        ("'self' https", "'self' ä https", ("SN006", 5)),
        ('reason = "r"', 'reason = ""', ("SN006", 6)),
        ('reason = "r"\n', "", ("SN004", 2)),
        ('paths = ["/pay"]', 'paths = ["pay"]', ("SN006", 7)),
        ('paths = ["/pay"]', "paths = []", ("SN005", 7)),
        ('paths = ["/pay"]', 'path = ["/pay"]', ("SN003", 7)),
    ],
)
def test_a_fault_in_an_entry_is_found_at_its_line(
    tmp_path: Path, old: str, new: str, expected: tuple[str, int]
) -> None:
    assert old in ENTRY
    assert read(tmp_path, ENTRY.replace(old, new)) == [expected]
