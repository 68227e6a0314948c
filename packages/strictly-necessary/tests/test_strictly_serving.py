"""What both guards answer themselves, asked through each protocol: the browser guard, reports, workers, declaration."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from strictly_necessary import GuardFinding, asgi, load, wsgi
from strictly_necessary._guard.serving import STYLESHEET
from strictly_necessary.browser import GUARD_PATH, LONGEST_REPORT, REPORT_PATH, guard_address, guard_script
from strictly_necessary.page import WELL_KNOWN, render_json, stylesheet

DECLARATION = load(Path(__file__).parent / "browser_site" / "policy.toml")
REPORT = json.dumps({"code": "SN331", "kind": "local", "name": "_ga", "stack": ""})
WORKER = {"sec-fetch-dest": "worker", "sec-fetch-mode": "same-origin"}


async def asgi_site(scope: Any, receive: Any, send: Any) -> None:
    body = b""
    while scope["type"] == "http":
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    told = f"site {scope['method']} {scope['path']} {len(body)} {asgi._NONCE in scope}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": told})


def wsgi_site(environ: Any, start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [])
    path = environ["PATH_INFO"]
    return [f"site {environ['REQUEST_METHOD']} {path} {len(body)} {wsgi._NONCE in environ}".encode()]


class Visitor:
    """Asks one guarded site."""

    def __init__(self, protocol: str, mount: str = "", **options: Any) -> None:
        self.findings: list[GuardFinding] = []
        options = {"on_finding": self.findings.append, **options}
        self._asgi = asgi.Guard(asgi_site, DECLARATION, **options) if protocol == "asgi" else None
        self._wsgi = wsgi.Guard(wsgi_site, DECLARATION, **options) if protocol == "wsgi" else None
        self._mount = mount

    def ask(self, path: str, method: str = "GET", **more: Any) -> httpx.Response:
        if self._wsgi is not None:
            transport = httpx.WSGITransport(self._wsgi, script_name=self._mount)
            with httpx.Client(transport=transport, base_url="https://x") as client:
                return client.request(method, path, **more)
        return asyncio.run(self._ask(path, method, more))

    async def _ask(self, path: str, method: str, more: dict[str, Any]) -> httpx.Response:
        assert self._asgi is not None
        transport = httpx.ASGITransport(self._asgi, root_path=self._mount)
        async with httpx.AsyncClient(transport=transport, base_url="https://x") as client:
            return await client.request(method, path, **more)


@pytest.fixture(params=["asgi", "wsgi"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (GUARD_PATH, guard_script(DECLARATION)),
        (WELL_KNOWN, render_json(DECLARATION)),
        (STYLESHEET, stylesheet()),
    ],
)
def test_what_is_ours_is_answered_before_the_application(protocol: str, path: str, text: str) -> None:
    visitor = Visitor(protocol)
    answer = visitor.ask(path)
    assert (answer.status_code, answer.text) == (200, text)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    again = visitor.ask(path, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = visitor.ask(path, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert visitor.ask(path, headers={"accept-encoding": "gzip"}).headers["content-encoding"] == "gzip"
    assert visitor.ask(path, "HEAD").content == b""
    assert visitor.ask(path, "PUT").status_code == 405


def test_the_version_in_the_address_arrives(protocol: str) -> None:
    assert "immutable" in Visitor(protocol).ask(guard_address(DECLARATION)).headers["cache-control"]


def test_a_report_becomes_a_finding_and_no_answer_tells_more(protocol: str) -> None:
    visitor = Visitor(protocol)
    answer = visitor.ask(REPORT_PATH, "POST", content=REPORT)
    assert (answer.status_code, answer.content) == (204, b"")
    assert [(finding.code, finding.name) for finding in visitor.findings] == [("SN331", "_ga")]
    assert visitor.ask(REPORT_PATH, "POST", content=REPORT, headers={"sec-fetch-site": "cross-site"}).status_code == 204
    assert visitor.ask(REPORT_PATH).status_code == 405
    assert len(visitor.findings) == 1


def test_a_report_that_is_too_long_is_nothing(protocol: str) -> None:
    visitor = Visitor(protocol)
    fits = REPORT + " " * (LONGEST_REPORT - len(REPORT))
    assert visitor.ask(REPORT_PATH, "POST", content=fits).status_code == 204
    assert len(visitor.findings) == 1
    assert visitor.ask(REPORT_PATH, "POST", content=fits + " ").status_code == 204
    assert len(visitor.findings) == 1


def test_a_report_may_come_in_pieces() -> None:
    visitor = Visitor("asgi")

    async def pieces() -> AsyncIterator[bytes]:
        for character in REPORT:
            yield character.encode()

    assert visitor.ask(REPORT_PATH, "POST", content=pieces()).status_code == 204
    assert len(visitor.findings) == 1


def test_workers_start_through_the_guard_alone(protocol: str) -> None:
    visitor = Visitor(protocol)
    assert visitor.ask("/w.js", headers=WORKER).status_code == 403
    assert visitor.ask("/w.js", headers={**WORKER, "sec-fetch-mode": "cors"}).text == "site GET /w.js 0 False"
    assert visitor.ask("/w.js", headers={"sec-fetch-dest": "script", "sec-fetch-mode": "same-origin"}).is_success
    marked = visitor.ask("/a b/w.js?strictly-guard=classic", headers=WORKER)
    assert marked.text.endswith('importScripts("/a%20b/w.js");\n')
    assert marked.headers["content-type"] == "text/javascript; charset=utf-8"
    assert Visitor(protocol, mode="report").ask("/w.js", headers=WORKER).text == "site GET /w.js 0 False"


def test_everything_else_is_the_applications(protocol: str) -> None:
    visitor = Visitor(protocol)
    assert visitor.ask("/").text == "site GET / 0 False"
    assert visitor.ask("/.well-known/cookie-jar").text == "site GET /.well-known/cookie-jar 0 False"
    assert visitor.ask("/w.js?strictly-guard=classic", "POST", content="abc").text == "site POST /w.js 3 False"
    assert Visitor(protocol, nonces=True).ask("/").text == "site GET / 0 True"


def test_without_the_browser_guard_it_answers_nothing_itself(protocol: str) -> None:
    visitor = Visitor(protocol, browser_guard=False)
    for path in (GUARD_PATH, WELL_KNOWN, REPORT_PATH):
        answer = visitor.ask(path, headers=WORKER)
        assert answer.text == f"site GET {path} 0 False"
        assert "report-uri" not in answer.headers["content-security-policy"]
    assert "report-uri /.well-known/cookie-report" in Visitor(protocol).ask("/").headers["content-security-policy"]


def test_a_mounted_application_has_its_addresses_below_the_mount(protocol: str) -> None:
    visitor = Visitor(protocol, mount="/app")
    below = "/app" if protocol == "asgi" else ""  # WSGI says it apart from the path
    assert visitor.ask(below + GUARD_PATH).text == guard_script(DECLARATION)
    assert visitor.ask(below + REPORT_PATH, "POST", content=REPORT).status_code == 204
    assert len(visitor.findings) == 1
    marked = visitor.ask(below + "/w.js?strictly-guard=module", headers=WORKER)
    assert marked.text == 'import "/app/.well-known/cookie-guard.js";\nimport "/app/w.js";\n'


@pytest.mark.parametrize("path", ["/.well-known/cookie-guard.js", "/app/.well-known/cookie-guard.js"])
def test_a_server_may_leave_the_mount_out_of_the_path(path: str) -> None:
    assert Visitor("asgi", mount="/app").ask(path).text == guard_script(DECLARATION)
    assert Visitor("asgi", mount="/ap").ask(path).is_success


def test_a_websocket_to_an_address_of_ours_is_the_applications() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    async def nothing(*_: Any) -> Any: ...

    scope = {"type": "websocket", "path": GUARD_PATH, "query_string": b"", "headers": []}
    asyncio.run(asgi.Guard(app, DECLARATION)(scope, nothing, nothing))
    assert seen == ["websocket"]
