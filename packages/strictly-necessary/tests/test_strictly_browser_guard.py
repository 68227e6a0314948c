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

from strictly_necessary import Direction, GuardFinding, load
from strictly_necessary.browser import (
    GUARD_PATH,
    LONGEST_REPORT,
    REPORT_PATH,
    Addresses,
    Limiter,
    guard_script,
    read_report,
    worker_bootstrap,
)

PACKAGE = Path(__file__).parent.parent
DECLARATION = load(PACKAGE / "tests" / "browser_site" / "policy.toml")
WORKER = {b"sec-fetch-dest": b"worker"}


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
        message='"_ga" is not declared, and the browser guard refused it',
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


def test_the_script_is_served_and_kept_while_it_is_the_same() -> None:
    addresses = Addresses(DECLARATION)
    answer = addresses.answer("GET", GUARD_PATH, b"", {})
    assert answer is not None
    headers = dict(answer.headers)
    assert (answer.status, answer.body) == (200, guard_script(DECLARATION).encode())
    assert headers[b"content-type"] == b"text/javascript; charset=utf-8"
    assert headers[b"cache-control"] == b"no-cache"
    assert headers[b"cross-origin-resource-policy"] == b"same-origin"
    assert headers[b"x-content-type-options"] == b"nosniff"
    again = addresses.answer("GET", GUARD_PATH, b"", {b"if-none-match": headers[b"etag"]})
    assert again is not None
    assert (again.status, again.body) == (304, b"")
    head = addresses.answer("HEAD", GUARD_PATH, b"", {})
    assert head is not None
    assert (head.status, head.body, dict(head.headers)[b"content-length"]) == (200, b"", headers[b"content-length"])


@pytest.mark.parametrize(
    ("method", "path", "allowed"), [("GET", REPORT_PATH, b"POST"), ("POST", GUARD_PATH, b"GET, HEAD")]
)
def test_other_methods_are_told_so(method: str, path: str, allowed: bytes) -> None:
    answer = Addresses(DECLARATION).answer(method, path, b"", {})
    assert answer is not None
    assert (answer.status, dict(answer.headers)[b"allow"]) == (405, allowed)


def test_reports_are_always_answered_alike() -> None:
    found: list[GuardFinding] = []
    addresses = Addresses(DECLARATION, on_finding=found.append, reports_a_minute=2, now=lambda: 0.0)
    for body in (report(), b"nonsense", report(), b"x" * (LONGEST_REPORT + 1)):
        answer = addresses.answer("POST", REPORT_PATH, b"", {}, body)
        assert answer is not None
        assert (answer.status, answer.body) == (204, b"")
    assert len(found) == 1, "two were let in, and one of them was nonsense"
    assert addresses.answer("POST", REPORT_PATH, b"", {}, report()) == answer
    silent = Addresses(DECLARATION).answer("POST", REPORT_PATH, b"", {}, report())
    assert silent == answer


def test_a_marked_worker_gets_the_guard_and_then_its_own_script() -> None:
    addresses = Addresses(DECLARATION)
    classic = addresses.answer("GET", "/a b/w.js", b"x=%20&strictly-guard=classic&y=", WORKER)
    module = addresses.answer("GET", "/w.js", b"strictly-guard=module", {b"sec-fetch-dest": b"sharedworker"})
    assert classic is not None
    assert module is not None
    assert classic.body == guard_script(DECLARATION).encode() + b'importScripts("/a%20b/w.js?x=%20\\u0026y=");\n'
    assert module.body == worker_bootstrap("/w.js", module=True).encode()
    assert dict(module.headers)[b"vary"] == b"Sec-Fetch-Dest"


@pytest.mark.parametrize(
    ("method", "path", "query", "destination"),
    [
        ("GET", "/w.js", b"strictly-guard=classic", b"document"),
        ("GET", "/w.js", b"strictly-guard=classic", b"script"),
        ("POST", "/w.js", b"strictly-guard=classic", b"worker"),
        ("GET", "/w.js", b"strictly-guard=other", b"worker"),
        ("GET", "/w.js", b"not-strictly-guard=classic", b"worker"),
        ("GET", "//evil.example/w.js", b"strictly-guard=classic", b"worker"),
    ],
)
def test_nobody_else_gains_by_the_mark(method: str, path: str, query: bytes, destination: bytes) -> None:
    assert Addresses(DECLARATION).answer(method, path, query, {b"sec-fetch-dest": destination}) is None


def test_a_service_worker_is_served_only_if_it_is_declared() -> None:
    addresses = Addresses(DECLARATION)
    as_one = {b"sec-fetch-dest": b"serviceworker"}
    statuses = [
        answer.status if (answer := addresses.answer("GET", path, b"strictly-guard=classic", as_one)) else None
        for path in ("/service-classic.js", "/tracker.js")
    ]
    assert statuses == [200, 403]


def test_workers_that_no_guard_started_are_refused() -> None:
    addresses = Addresses(DECLARATION)
    refused = addresses.starts_unguarded_worker(b"worker", b"same-origin", b"")
    assert refused is not None
    assert refused.status == 403
    assert addresses.starts_unguarded_worker(b"worker", b"cors", b"") is None, "a module that a worker imports"
    assert addresses.starts_unguarded_worker(b"script", b"no-cors", b"") is None
    assert addresses.starts_unguarded_worker(b"worker", b"same-origin", b"strictly-guard=module") is None
    assert Addresses(DECLARATION, block=False).starts_unguarded_worker(b"worker", b"same-origin", b"") is None


def test_other_requests_hardly_notice() -> None:
    addresses = Addresses(DECLARATION)
    assert not addresses.is_ours("/a", b"page=2")
    assert addresses.is_ours(GUARD_PATH, b"")
    assert addresses.is_ours(REPORT_PATH, b"")
    assert addresses.is_ours("/w.js", b"strictly-guard=module")
    seconds = min(timeit.repeat(lambda: addresses.is_ours("/works/17", b"page=2"), number=10_000, repeat=5)) / 10_000
    assert seconds < 1e-5, "a third of a microsecond on a quiet machine"
