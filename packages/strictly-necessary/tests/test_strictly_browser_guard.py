"""The browser guard's Python side: the script that is served, its addresses, and what it makes of reports."""

import gzip
import json
import subprocess
import sys
import timeit
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strictly_necessary import Category, Direction, GuardFinding, Purpose, load
from strictly_necessary._guard.checkpoint import Checkpoint, Mode
from strictly_necessary._guard.serving import STYLESHEET, Answer, Limiter, Serving
from strictly_necessary.browser import (
    GUARD_PATH,
    LONGEST_REPORT,
    REPORT_PATH,
    guard_address,
    guard_script,
    read_report,
    worker_bootstrap,
)
from strictly_necessary.headers import security_headers
from strictly_necessary.page import WELL_KNOWN, render_json, stylesheet

PACKAGE = Path(__file__).parent.parent
DECLARATION = load(PACKAGE / "tests" / "browser_site" / "policy.toml")


def test_it_is_smaller_than_four_kilobytes() -> None:
    assert len(DECLARATION.items) == 10
    assert len(gzip.compress(guard_script(DECLARATION).encode(), 9)) < 4096


def test_the_small_script_is_made_from_the_readable_one() -> None:
    assert subprocess.run([sys.executable, PACKAGE / "scripts" / "minify", "--check"], check=False).returncode == 0


def test_the_same_declaration_gives_the_same_script() -> None:
    again = load(PACKAGE / "tests" / "browser_site" / "policy.toml")
    assert guard_script(DECLARATION) == guard_script(again)
    assert guard_script(DECLARATION) != guard_script(DECLARATION, block=False)
    assert guard_script(DECLARATION) != guard_script(DECLARATION, report_to="/elsewhere")


def test_it_holds_what_scripts_may_write_and_nothing_else() -> None:
    script = guard_script(DECLARATION)
    assert '["cookie","draft_*",0,"/","","strict","1","",7200]' in script
    assert '["local","theme",["dark","light"]]' in script
    assert "__Host-session" not in script, "the server sets it"
    assert "Example Ltd" not in script


def test_what_needs_consent_is_not_for_scripts() -> None:
    gated = replace(DECLARATION.item("theme"), name="counter", purposes=(Purpose(Category.ANALYTICS, "p"),))
    assert "counter" not in guard_script(replace(DECLARATION, items=(*DECLARATION.items, gated)))


@given(st.text(min_size=1))
def test_no_declaration_breaks_out_of_the_script(name: str) -> None:
    name += "</script><!--\u2028\u2029'\"`${1}\\"
    item = replace(DECLARATION.item("theme"), name=name, values=(name,))
    script = guard_script(replace(DECLARATION, items=(item,)))
    data = script[script.rindex('({"to"') + 1 : script.rindex(")")]
    assert json.loads(data)["items"] == [["local", name, [name]]]
    assert data.isascii()
    assert not set("<>&") & set(data)


@pytest.mark.parametrize(
    "path", ["//evil.example/x.js", "/\\evil.example/x.js", "http://evil.example/", "x.js", "", "/a b", "/\n"]
)
def test_a_bootstrap_loads_only_paths_of_its_own_origin(path: str) -> None:
    with pytest.raises(ValueError, match="own origin"):
        worker_bootstrap(path, module=False)


def test_a_bootstrap_loads_the_guard_first() -> None:
    assert worker_bootstrap("/w.js?a=1", module=True) == f'import "{GUARD_PATH}";\nimport "/w.js?a=1";\n'
    assert worker_bootstrap("/w.js", module=False) == 'importScripts("/w.js");\n'


# --- Reports


def report(**changes: Any) -> bytes:
    stack = "/static/a.js:10:5\nhttps://cdn.example/b.js:1:2\n"
    return json.dumps({"code": "SN331", "kind": "local", "name": "_ga", "stack": stack} | changes).encode()


def test_a_report_becomes_a_finding() -> None:
    assert read_report(report()) == GuardFinding(
        code="SN331",
        direction=Direction.BROWSER,
        message='a script tried to keep "_ga", which is not declared, in local storage',
        name="_ga",
        kind="local",
        script="/static/a.js",
        stack=("/static/a.js:10:5", "https://cdn.example/b.js:1:2"),
    )


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"\xff", b"[" * 4000, report(code="SN311"), report(kind="else"), report(name=1),
        report(stack=None), report(code=["SN331"]), report(kind={}), report(name="x" * LONGEST_REPORT),
    ],
)  # fmt: skip
def test_what_is_no_report_of_ours_is_nothing(body: bytes) -> None:
    assert read_report(body) is None


def test_names_are_cut_and_escaped() -> None:
    found = read_report(report(name="a\r\nb\u2028" + "c" * 100))
    assert found is not None
    assert found.name == "a\\r\\nb\\u2028" + "c" * 75
    assert found.message.isprintable()


@pytest.mark.parametrize(
    "line",
    [
        "/a.js?token=1:1:1",
        "/a.js#x:1:1",
        "javascript:1:1",
        "https://user@x/a.js:1:1 x",
        "/a.js",
        "data:text/plain,x:1:1",
    ],
)
def test_places_with_more_than_a_path_are_left_out(line: str) -> None:
    found = read_report(report(stack=f"{line}\n/b.js:1:1"))
    assert found is not None
    assert found.stack == ("/b.js:1:1",)


def stopped(**changed: object) -> bytes:
    """What Chromium sends for an image of another site."""
    report = {
        "document-uri": "https://site.example/people/ada?token=secret",
        "referrer": "https://mail.example/",
        "effective-directive": "img-src",
        "original-policy": "default-src 'none'",
        "blocked-uri": "https://tracker.example/pixel.gif?person=ada",
        "line-number": 3,
        "column-number": 7,
        "source-file": "https://site.example/static/a.js?token=secret",
        **changed,
    }
    return json.dumps({"csp-report": report}).encode()


def test_what_the_csp_stopped_becomes_a_finding_that_tells_nobody() -> None:
    found = read_report(stopped())
    assert found == GuardFinding(
        code="SN335",
        direction=Direction.BROWSER,
        message='the Content-Security-Policy stopped "img-src https://tracker.example"',
        name="img-src https://tracker.example",
        script="/static/a.js",
        stack=("/static/a.js:3:7",),
    )
    assert not any(word in str(found) for word in ("ada", "secret", "mail"))


@pytest.mark.parametrize(
    ("blocked", "name"),
    [
        ("inline", "img-src inline"),
        ("trusted-types-sink", "img-src trusted-types-sink"),
        ("data", "img-src data"),
        ("blob:https://site.example/0", "img-src blob"),
        ("wss://tracker.example:9/x", "img-src wss://tracker.example:9"),
        ("chrome-extension://abc/x.js", None),
        ("https://ada:secret@tracker.example/", None),
        ("", None),
        (17, None),
    ],
)
def test_what_was_stopped_is_told_by_its_origin_or_by_the_browsers_own_word(blocked: object, name: str | None) -> None:
    found = read_report(stopped(**{"blocked-uri": blocked}))
    assert (found.name if found else None) == name


@pytest.mark.parametrize("report", [None, [], "x", {}, {"effective-directive": "IMG"}])
def test_other_reports_of_browsers_are_nothing(report: object) -> None:
    assert read_report(json.dumps({"csp-report": report}).encode()) is None


@pytest.mark.parametrize("name", ["blob:https://site.example/5d2c-11", "data:text/javascript,1"])
def test_an_address_that_is_new_each_time_is_told_once(name: str) -> None:
    found = read_report(report(code="SN334", kind="worker", name=name))
    assert found is not None
    assert found.name == name.partition(":")[0] + ":"


def test_a_stack_has_ten_frames_at_most() -> None:
    found = read_report(report(stack="/a.js:1:1\n" * 50))
    assert found is not None
    assert len(found.stack) == 10
    without = read_report(report(stack=""))
    assert without is not None
    assert (without.script, without.stack) == (None, ())


@given(st.binary(max_size=300) | st.dictionaries(st.sampled_from(["code", "kind", "name", "stack"]), st.text()).map(
    lambda value: json.dumps(value | {"code": "SN331", "kind": "local"}).encode()
))  # fmt: skip
def test_anything_may_come(body: bytes) -> None:
    found = read_report(body)
    if found is not None:
        assert found.message.isprintable()
        assert len(found.name) <= 80 * 10
        assert all(line.isprintable() for line in found.stack)


def test_a_minute_has_only_so_many_reports() -> None:
    time = 0.0
    limiter = Limiter(2, now=lambda: time)
    assert [limiter.allows() for _ in range(3)] == [True, True, False]
    time = 29.0
    assert not limiter.allows()
    time = 31.0
    assert [limiter.allows() for _ in range(2)] == [True, False]
    time = 1000.0
    assert [limiter.allows() for _ in range(3)] == [True, True, False]


# --- Addresses


def serving(mode: Mode = "enforce", **options: Any) -> Serving:
    on_finding = options.pop("on_finding", lambda _: None)
    return Serving(DECLARATION, Checkpoint(DECLARATION, mode=mode, on_finding=on_finding), **options)


def ask(path: str, query: bytes = b"", method: str = "GET", body: bytes = b"", **headers: bytes) -> Answer:
    """What is answered; the names of headers have underscores here."""
    sent = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    answer = serving().answer(method, path, query, sent, body)
    assert answer is not None
    return answer


@pytest.mark.parametrize(
    ("path", "media_type", "text"),
    [
        (GUARD_PATH, b"text/javascript; charset=utf-8", guard_script(DECLARATION).encode()),
        (WELL_KNOWN, b"application/json", render_json(DECLARATION).encode()),
        (STYLESHEET, b"text/css; charset=utf-8", stylesheet().encode()),
    ],
)
def test_what_is_ours_is_served_and_kept_while_it_is_the_same(path: str, media_type: bytes, text: bytes) -> None:
    answer = ask(path)
    headers = dict(answer.headers)
    assert (answer.status, answer.body) == (200, text)
    assert headers[b"content-type"] == media_type
    assert headers[b"cache-control"] == b"no-cache"
    assert headers[b"content-length"] == str(len(text)).encode()
    for name, value in security_headers(DECLARATION, path=path).items():
        assert headers[name.encode()] == value.encode()
    small = ask(path, accept_encoding=b"br, GZIP;q=0.8")
    assert gzip.decompress(small.body) == text
    assert dict(small.headers)[b"content-encoding"] == b"gzip"
    assert ask(path, accept_encoding=b"gzip;q=0, br").body == text
    for found, how in ((answer, b""), (small, b"gzip")):
        tag = dict(found.headers)[b"etag"]
        again = ask(path, if_none_match=tag, accept_encoding=how)
        assert (again.status, again.body, dict(again.headers)[b"etag"]) == (304, b"", tag)
        head = ask(path, method="HEAD", accept_encoding=how)
        assert (head.status, head.body, head.headers) == (200, b"", found.headers)


def test_the_address_with_its_version_is_kept_for_good() -> None:
    path, _, query = guard_address(DECLARATION).partition("?")
    assert path == GUARD_PATH
    assert dict(ask(path, query.encode()).headers)[b"cache-control"] == b"public, max-age=31536000, immutable"
    for other in (b"v=0123456789abcdef", b"\xff", guard_address(DECLARATION, block=False).partition("?")[2].encode()):
        assert dict(ask(path, other).headers)[b"cache-control"] == b"no-cache"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", REPORT_PATH, b"POST"), ("POST", GUARD_PATH, b"GET, HEAD"), ("DELETE", WELL_KNOWN, b"GET, HEAD")],
)
def test_other_methods_are_told_so(method: str, path: str, allowed: bytes) -> None:
    answer = ask(path, method=method)
    assert (answer.status, dict(answer.headers)[b"allow"]) == (405, allowed)


def test_reports_are_always_answered_alike() -> None:
    found: list[GuardFinding] = []
    addresses = serving(on_finding=found.append, limiter=Limiter(2, now=lambda: 0.0))
    for body in (report(), b"nonsense", report(), b"x" * (LONGEST_REPORT + 1)):
        answer = addresses.answer("POST", REPORT_PATH, b"", {}, body)
        assert answer is not None
        assert (answer.status, answer.body) == (204, b"")
    assert len(found) == 1, "two were let in, and one of them was nonsense"
    assert addresses.answer("POST", REPORT_PATH, b"", {}, report()) == answer


def test_a_marked_worker_gets_the_guard_and_then_its_own_script() -> None:
    classic = ask("/a b/w.js", b"x=%20&strictly-guard=classic&y=", sec_fetch_dest=b"worker")
    module = ask("/w.js", b"strictly-guard=module", sec_fetch_dest=b"sharedworker")
    assert classic.body == guard_script(DECLARATION).encode() + b'importScripts("/a%20b/w.js?x=%20\\u0026y=");\n'
    assert module.body == worker_bootstrap("/w.js", module=True).encode()
    assert (b"vary", b"sec-fetch-dest") in module.headers


@pytest.mark.parametrize(
    ("path", "query", "destination"),
    [
        ("/w.js", b"strictly-guard=classic", b"document"),
        ("/w.js", b"strictly-guard=classic", b"iframe"),
        ("/w.js", b"strictly-guard=other", b"worker"),
        ("/w.js", b"strictly-guard=", b"script"),
        ("//evil.example/w.js", b"strictly-guard=classic", b"worker"),
    ],
)
def test_nobody_else_gains_by_the_mark(path: str, query: bytes, destination: bytes) -> None:
    """And no answer of the application's to such an address can be kept, to start a worker without the guard."""
    answer = ask(path, query, sec_fetch_dest=destination)
    assert answer.status == 403
    assert (b"cache-control", b"no-store") in answer.headers
    assert (b"vary", b"sec-fetch-dest") in answer.headers


@pytest.mark.parametrize("destination", [b"empty", b"script", b"", b"worker"])
def test_a_marked_address_is_never_the_applications_to_answer(destination: bytes) -> None:
    answer = ask("/w.js", b"strictly-guard=classic", sec_fetch_dest=destination)
    assert answer.body.endswith(b'importScripts("/w.js");\n')
    assert (b"cache-control", b"no-cache") in answer.headers
    assert serving().answer("POST", "/w.js", b"strictly-guard=classic", {}) is None
    assert serving().answer("GET", "/w.js", b"not-strictly-guard=classic", {}) is None


def test_a_path_that_is_no_text_is_no_way_to_a_fault() -> None:
    assert ask("/\udcff.js", b"strictly-guard=classic", sec_fetch_dest=b"worker").status == 200


def test_below_a_mount_the_addresses_are_below_it_too() -> None:
    def asked(path: str, **headers: bytes) -> Answer | None:
        sent = {name.replace("_", "-").encode(): value for name, value in headers.items()}
        query = b"strictly-guard=module" if path.endswith("w.js") else b""
        return serving().answer("GET", path, query, sent, mount="/app")

    guard = asked("/app" + GUARD_PATH)
    assert guard is not None
    assert guard.body == guard_script(DECLARATION).encode()
    module = asked("/app/w.js", sec_fetch_dest=b"worker")
    assert module is not None
    assert module.body == b'import "/app/.well-known/cookie-guard.js";\nimport "/app/w.js";\n'


def test_reports_from_other_sites_are_nothing() -> None:
    found: list[GuardFinding] = []
    addresses = serving(on_finding=found.append)
    for site in (b"cross-site", b"same-site", b"none", b"same-origin"):
        answer = addresses.answer("POST", REPORT_PATH, b"", {b"sec-fetch-site": site}, report())
        assert answer is not None
        assert answer.status == 204
    assert len(found) == 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("ada@example.org:theme", "..."),
        ("_hjSession_123456", "_hjSession_..."),
        ("uid-5d2c01aa-77bc-4f01", "uid-..."),
        ("abcdefabcdefabcdef", "abcdefabcdefabcdef"),
        ("theme2", "theme2"),
    ],
)
def test_a_name_tells_no_person(name: str, shown: str) -> None:
    found = read_report(report(name=name))
    assert found is not None
    assert found.name == shown


def test_a_service_worker_is_served_only_if_it_is_declared() -> None:
    statuses = [
        ask(path, b"strictly-guard=classic", sec_fetch_dest=b"serviceworker").status
        for path in ("/service-classic.js", "/tracker.js")
    ]
    assert statuses == [200, 403]


def test_an_old_service_worker_gets_the_guard_by_its_update_or_goes() -> None:
    as_one: dict[str, Any] = {"sec_fetch_dest": b"serviceworker", "sec_fetch_mode": b"same-origin"}
    declared = ask("/service-classic.js", **as_one)
    assert declared.body == guard_script(DECLARATION).encode() + b'importScripts("/service-classic.js");\n'
    other = ask("/tracker.js", **as_one)
    assert (other.status, b"registration.unregister()" in other.body) == (200, True)
    assert (b"cache-control", b"no-store") in other.headers


@pytest.mark.parametrize("destination", [b"worker", b"sharedworker"])
def test_workers_that_no_guard_started_are_refused(destination: bytes) -> None:
    asked = {b"sec-fetch-dest": destination, b"sec-fetch-mode": b"same-origin"}
    assert ask("/w.js", sec_fetch_dest=destination, sec_fetch_mode=b"same-origin").status == 403
    imported = {**asked, b"sec-fetch-mode": b"cors"}
    assert serving().answer("GET", "/w.js", b"", imported) is None, "a module that a worker imports"
    assert serving().answer("GET", "/w.js", b"", {**asked, b"sec-fetch-dest": b"script"}) is None
    assert serving("report").answer("GET", "/w.js", b"", asked) is None


def test_other_requests_hardly_notice() -> None:
    addresses = serving()
    assert not addresses.is_ours("/a", b"page=2")
    assert addresses.is_ours(GUARD_PATH, b"")
    assert addresses.is_ours(REPORT_PATH, b"")
    assert addresses.is_ours("/w.js", b"strictly-guard=module")
    seconds = min(timeit.repeat(lambda: addresses.is_ours("/works/17", b"page=2"), number=10_000, repeat=5)) / 10_000
    assert seconds < 1e-5, "a third of a microsecond on a quiet machine"
