"""Both guards on real servers: HTTP/2 over TLS, where browsers send a field for each cookie, and WebSockets."""

import json
import runpy
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, sync_playwright
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import connect

pytestmark = pytest.mark.slow

self_signed = runpy.run_path(str(Path(__file__).parent / "certificate.py"))["self_signed"]

SESSION = "__Host-session=v; Path=/; Secure; HttpOnly; SameSite=Lax"
SITE = f"""
import json
from strictly_necessary import asgi, load, wsgi

DECLARATION = load({str(Path(__file__).parent / "example.toml")!r})
ANSWER = [("content-type", "application/json"), ("set-cookie", "evil=1"), ("Set-Cookie", {SESSION!r})]
RAW = [(name.encode(), value.encode()) for name, value in ANSWER]


async def site(scope, receive, send):
    if scope["type"] == "lifespan":
        for kind in ("startup", "shutdown"):
            await receive()
            await send({{"type": f"lifespan.{{kind}}.complete"}})
        return
    seen = [value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"]
    told = json.dumps([scope["http_version"], seen])
    if scope["type"] == "websocket":
        await receive()
        await send({{"type": "websocket.accept", "headers": RAW}})
        await send({{"type": "websocket.send", "text": told}})
        await send({{"type": "websocket.close"}})
    else:
        await send({{"type": "http.response.start", "status": 200, "headers": RAW}})
        await send({{"type": "http.response.body", "body": told.encode()}})


def wsgi_site(environ, start_response):
    seen = [environ["HTTP_COOKIE"]] if "HTTP_COOKIE" in environ else []
    start_response("200 OK", ANSWER)
    return [json.dumps([environ["SERVER_PROTOCOL"].removeprefix("HTTP/"), seen]).encode()]


def generator(environ, start_response):
    start_response("200 OK", ANSWER)
    yield b"[]"


GUARDS = {{mode: asgi.Guard(site, DECLARATION, mode=mode) for mode in ("enforce", "raise", "report")}}
WSGI_GUARDS = {{mode: wsgi.Guard(wsgi_site, DECLARATION, mode=mode) for mode in ("enforce", "raise", "report")}}
WSGI_GUARDS["generator"] = wsgi.Guard(generator, DECLARATION)


async def for_asgi(scope, receive, send):
    await GUARDS[scope.get("path", "/enforce").strip("/")](scope, receive, send)


def for_wsgi(environ, start_response):
    return WSGI_GUARDS[environ["PATH_INFO"].strip("/")](environ, start_response)
"""


@dataclass(frozen=True)
class Server:
    """A running server. `guarded` is `asgi` or `wsgi`."""

    name: str
    guarded: str
    port: int
    tls: ssl.SSLContext

    @property
    def address(self) -> str:
        return f"https://localhost:{self.port}"

    def get(self, path: str, *cookies: str, http2: bool = True) -> httpx.Response:
        """One request with a field for each of the cookies."""
        with httpx.Client(http2=http2, http1=not http2, verify=self.tls) as client:
            return client.get(self.address + path, headers=[("cookie", cookie) for cookie in cookies])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the site, and with a certificate for localhost that nobody has signed but itself."""
    made = tmp_path_factory.mktemp("servers")
    self_signed(made)
    (made / "guarded_site.py").write_text(SITE, encoding="utf-8")
    return made


def granian(guarded: str, port: str) -> list[str]:
    files = ["--ssl-certificate", "certificate.pem", "--ssl-keyfile", "key.pem"]
    return ["granian", "--interface", guarded, "--port", port, *files, f"guarded_site:for_{guarded}"]


def hypercorn(guarded: str, port: str) -> list[str]:
    files = ["--certfile", "certificate.pem", "--keyfile", "key.pem"]
    return ["hypercorn", "--bind", f"127.0.0.1:{port}", *files, f"{guarded}:guarded_site:for_{guarded}"]


def uvicorn(guarded: str, port: str) -> list[str]:
    files = ["--ssl-certfile", "certificate.pem", "--ssl-keyfile", "key.pem"]
    return ["uvicorn", "--port", port, *files, f"guarded_site:for_{guarded}"]


def run(folder: Path, command: Callable[[str, str], list[str]], guarded: str) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    tls = ssl.create_default_context(cafile=str(folder / "certificate.pem"))
    server = Server(command.__name__, guarded, port, tls)
    log = folder / f"{port}.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", *command(guarded, str(port))], cwd=folder, stdout=output, stderr=output
        ) as process,
    ):
        try:
            for _ in range(300):
                try:
                    server.get("/report", http2=False)
                    break
                except httpx.TransportError:
                    assert process.poll() is None, log.read_text()
                    time.sleep(0.1)
            yield server
        finally:
            process.terminate()


SERVERS = [(granian, "asgi"), (hypercorn, "asgi"), (granian, "wsgi"), (hypercorn, "wsgi")]


def _id(param: tuple[Callable[[str, str], list[str]], str]) -> str:
    return f"{param[0].__name__}-{param[1]}"


@pytest.fixture(scope="module", params=SERVERS, ids=_id)
def server(request: pytest.FixtureRequest, folder: Path) -> Iterator[Server]:
    yield from run(folder, *request.param)


def pairs(seen: list[str]) -> list[str]:
    return [pair.strip() for header in seen for pair in header.split(";")]


CRUMBS = ("__Host-session=a", "evil=1", "__host-session=evil", "ROUTE=1", "__Host-csrf=b", "size=small")


def test_only_declared_cookies_pass_over_http2(server: Server) -> None:
    response = server.get("/enforce", *CRUMBS)
    assert response.http_version == "HTTP/2"
    assert response.status_code == 200
    assert response.json() == ["2", ["__Host-session=a; __Host-csrf=b; size=small"]]
    assert response.headers.get_list("set-cookie") == [SESSION]
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert server.get("/enforce", "evil=1", "ROUTE=1").json() == ["2", []]
    # So it is the guard that did it:
    unguarded = server.get("/report", *CRUMBS)
    assert pairs(unguarded.json()[1]) == list(CRUMBS)
    assert unguarded.headers.get_list("set-cookie") == ["evil=1", SESSION]


def test_how_the_server_hands_over_what_came_in_fields(server: Server) -> None:
    """What docs/how-to/reverse-proxies-and-servers.md tells of each server."""
    crumbs = ["size=small", "__Host-csrf=b"]
    ways = {
        ("granian", "asgi"): crumbs,
        ("granian", "wsgi"): ["size=small;__Host-csrf=b"],
        ("hypercorn", "asgi"): ["size=small; __Host-csrf=b"],
        ("hypercorn", "wsgi"): ["size=small; __Host-csrf=b"],
    }
    assert server.get("/report", *crumbs).json()[1] == ways[server.name, server.guarded]


def test_several_cookie_fields_of_http_1_get_nothing_undeclared_in(server: Server) -> None:
    """No browser sends them (RFC 6265bis section 5.8.1). A server may join them by a comma."""
    _, seen = server.get("/enforce", "size=small", "evil=1", "__Host-csrf=b", http2=False).json()
    expected = ["size=small,evil=1,__Host-csrf=b"] if server.name == "hypercorn" and server.guarded == "wsgi" else None
    assert seen == (expected or ["size=small; __Host-csrf=b"])


def test_in_mode_raise_people_get_a_500(server: Server) -> None:
    response = server.get("/raise")
    assert response.status_code == 500
    assert response.headers.get_list("set-cookie") == []


@pytest.mark.parametrize("server", SERVERS[2:], ids=_id, indirect=True)
def test_a_generator_of_wsgi_gets_no_undeclared_cookie_out(server: Server) -> None:
    response = server.get("/generator")
    assert "evil=1" not in response.headers.get_list("set-cookie")
    # Granian asks for the headers before the generator has begun, so none of them leaves: neither its nor ours.
    assert ("content-security-policy" in response.headers) is (server.name != "granian")


@pytest.fixture(scope="module", params=[granian, hypercorn, uvicorn], ids=lambda param: str(param.__name__))
def talking(request: pytest.FixtureRequest, folder: Path) -> Iterator[Server]:
    yield from run(folder, request.param, "asgi")


def test_the_handshake_of_a_websocket_is_guarded(talking: Server) -> None:
    def shake(path: str) -> tuple[Any, list[str]]:
        address = f"wss://localhost:{talking.port}{path}"
        with connect(address, ssl=talking.tls, additional_headers={"Cookie": "; ".join(CRUMBS)}) as socket:
            assert socket.response is not None
            return json.loads(socket.recv(timeout=10)), socket.response.headers.get_all("set-cookie")

    (_, seen), cookies = shake("/enforce")
    assert seen == ["__Host-session=a; __Host-csrf=b; size=small"]
    sends = talking.name != "granian"  # which answers a handshake without any header of the application's
    assert cookies == [SESSION] * sends
    (_, seen), cookies = shake("/report")
    assert pairs(seen) == list(CRUMBS)
    assert cookies == ["evil=1", SESSION] * sends
    with pytest.raises((WebSocketException, EOFError, OSError)) as refused:  # a 500, or the connection ends
        shake("/raise")
    assert not isinstance(refused.value, InvalidStatus) or refused.value.response.status_code >= 400


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    arguments = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        yield browser.new_page(ignore_https_errors=True)
        browser.close()


@pytest.mark.browser
def test_chromium_over_http2_sends_crumbs_and_gets_only_declared_cookies_through(server: Server, page: Page) -> None:
    context = page.context
    context.clear_cookies()  # a browser's cookies know no ports
    for crumb in CRUMBS:
        name, _, value = crumb.partition("=")
        context.add_cookies([{"name": name, "value": value, "url": server.address, "secure": True}])
    response = page.goto(server.address + "/report")
    assert response is not None
    assert page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol") == "h2"
    seen = response.json()[1]
    assert sorted(pairs(seen)) == sorted(CRUMBS)
    if (server.name, server.guarded) == ("granian", "asgi"):
        assert len(seen) == len(CRUMBS)  # a field for each: it is Chromium that splits them
    context.clear_cookies(name="evil")
    response = page.goto(server.address + "/enforce")
    assert response is not None
    (passed,) = response.json()[1]
    assert sorted(pairs([passed])) == ["__Host-csrf=b", "__Host-session=v", "size=small"]
    assert "evil" not in {cookie["name"] for cookie in context.cookies()}
