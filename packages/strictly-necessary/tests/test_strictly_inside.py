"""Real frameworks and the middleware of others inside the guard: what they set and nobody declared does not leave."""

import asyncio
import gc
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from wsgiref.util import setup_testing_defaults

import httpx
import pytest
from asgi_csrf import asgi_csrf  # type: ignore[import-untyped]
from django.conf import UserSettingsHolder, global_settings, settings  # type: ignore[import-untyped]
from django.core.asgi import get_asgi_application  # type: ignore[import-untyped]
from django.core.wsgi import get_wsgi_application  # type: ignore[import-untyped]
from django.http import HttpRequest, HttpResponse  # type: ignore[import-untyped]
from django.http import parse_cookie as django_parse
from django.urls import path  # type: ignore[import-untyped]
from fastapi import FastAPI
from fastapi import Response as FastResponse
from flask import Flask
from flask import request as flask_request
from flask import session as flask_session
from hypothesis import example, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from litestar import Litestar, get
from litestar import Request as LitestarRequest
from litestar._parsers import parse_cookie_string as litestar_parse
from litestar.middleware.session.client_side import CookieBackendConfig
from litestar.response import Response as LitestarResponse
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request, cookie_parser
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from werkzeug.http import parse_cookie as werkzeug_parse

from strictly_necessary import GuardError, GuardFinding, Override, asgi, load, wsgi
from strictly_necessary._guard.watch import Watch
from strictly_necessary.asgi import Mode

DECLARATION = load(Path(__file__).parent / "example.toml")
SECRET = "x" * 32

DJANGO = {
    "SECRET_KEY": SECRET,
    "ROOT_URLCONF": __name__,
    "ALLOWED_HOSTS": ["*"],
    "LOGGING_CONFIG": None,
    "SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies",
    "MIDDLEWARE": [
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
}


def django_view(request: HttpRequest) -> HttpResponse:
    request.session["visits"] = 1
    return HttpResponse(",".join(sorted(request.COOKIES)))


urlpatterns = [path("", django_view)]


async def plain(request: Request) -> PlainTextResponse:
    return PlainTextResponse(",".join(sorted(request.cookies)))


async def visit(request: Request) -> PlainTextResponse:
    request.session["visits"] = 1
    return await plain(request)


async def track(request: Request) -> StreamingResponse:
    async def pieces() -> Any:
        for name in sorted(request.cookies):
            yield name
            await asyncio.sleep(0)

    response = StreamingResponse(pieces(), media_type="text/event-stream")
    response.set_cookie("_ga", "GA1.2", max_age=63_072_000)
    return response


def starlette_session() -> Any:
    return Starlette(routes=[Route("/", visit)], middleware=[Middleware(SessionMiddleware, secret_key=SECRET)])


def starlette_stream() -> Any:
    return Starlette(routes=[Route("/", track)])


def csrf_of_others() -> Any:
    return asgi_csrf(Starlette(routes=[Route("/", plain)]), signing_secret=SECRET, always_set_cookie=True)


def fastapi_cookie() -> Any:
    app = FastAPI()

    @app.get("/", response_class=PlainTextResponse)
    async def page(request: Request, response: FastResponse) -> str:
        response.set_cookie("_ga", "GA1.2")
        return ",".join(sorted(request.cookies))

    return app


def litestar_session() -> Any:
    @get("/")
    async def page(request: LitestarRequest[Any, Any, Any]) -> LitestarResponse[str]:
        request.session["visits"] = 1
        return LitestarResponse(",".join(sorted(request.cookies)), media_type="text/plain")

    config = CookieBackendConfig(secret=SECRET.encode()[:16])
    return Litestar([page], middleware=[config.middleware], logging_config=None)


def flask_app() -> Any:
    app = Flask("inside")
    app.secret_key = SECRET

    @app.get("/")
    def page() -> str:
        flask_session["visits"] = 1
        return ",".join(sorted(flask_request.cookies))

    return app


ASGI = [starlette_session, starlette_stream, csrf_of_others, fastapi_cookie, litestar_session, get_asgi_application]
WSGI = [flask_app, get_wsgi_application]
NAMES = {make: f"{'wsgi' if make in WSGI else 'asgi'}-{make.__name__}" for make in [*ASGI, *WSGI]}


def ask(make: Callable[[], Any], mode: Mode, *, raising: bool = True) -> tuple[httpx.Response, list[str]]:
    """One request through a test client, with a declared and an undeclared cookie."""
    findings: list[GuardFinding] = []
    headers = {"cookie": "_ga=GA1; __Host-session=a; ROUTE=1"}
    if make in WSGI:
        wsgi_guard = wsgi.Guard(make(), DECLARATION, mode=mode, on_finding=findings.append)
        with httpx.Client(transport=httpx.WSGITransport(wsgi_guard, raise_app_exceptions=raising)) as client:
            response = client.get("http://localhost/", headers=headers)
    else:
        asgi_guard = asgi.Guard(make(), DECLARATION, mode=mode, on_finding=findings.append)

        async def get() -> httpx.Response:
            transport = httpx.ASGITransport(asgi_guard, raise_app_exceptions=raising)
            async with httpx.AsyncClient(transport=transport) as client:
                return await client.get("http://localhost/", headers=headers)

        response = asyncio.run(get())
    return response, [finding.code for finding in findings]


@pytest.fixture(params=[*ASGI, *WSGI], ids=NAMES.__getitem__)
def make(request: pytest.FixtureRequest) -> Iterator[Callable[[], Any]]:
    held = object.__getattribute__(settings, "__dict__")  # Django has one configuration in a process: lend it ours
    before = dict(held)
    own = UserSettingsHolder(global_settings)
    for name, value in DJANGO.items():
        setattr(own, name, value)
    held.clear()
    held["_wrapped"] = own
    yield request.param
    held.clear()
    held.update(before)
    with warnings.catch_warnings():  # Django leaves the file of a request's body open when sending the answer fails
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def test_without_a_guard_they_set_a_cookie_and_see_all(make: Callable[[], Any]) -> None:
    response, _ = ask(make, "report")
    assert len(response.headers.get_list("set-cookie")) == 1
    assert "_ga" in response.text
    assert "ROUTE" in response.text


def test_in_mode_enforce_the_cookie_is_removed_and_the_answer_stays(make: Callable[[], Any]) -> None:
    response, codes = ask(make, "enforce")
    assert response.status_code == 200
    assert response.text == "__Host-session"
    assert response.headers.get_list("set-cookie") == []
    assert set(codes) == {"SN301", "SN311"}
    for name in ("x-frame-options", "referrer-policy", "x-content-type-options", "content-security-policy"):
        assert len(response.headers.get_list(name)) == 1


def test_in_mode_raise_a_test_client_gets_the_error(make: Callable[[], Any]) -> None:
    with pytest.raises(Exception, match=r"SN311|Exception caught after response started") as caught:
        ask(make, "raise")
    error: BaseException | None = caught.value
    while error is not None and not isinstance(error, GuardError):
        error = error.__cause__ or error.__context__
    assert error is not None, "GuardError is nowhere among the causes"


@pytest.mark.parametrize("make", ASGI, ids=NAMES.__getitem__, indirect=True)  # for WSGI, a server has to say so
def test_in_mode_raise_people_get_a_500(make: Callable[[], Any]) -> None:
    response, _ = ask(make, "raise", raising=False)
    assert response.status_code == 500
    assert response.headers.get_list("set-cookie") == []


# How they read what passes


def _starlette(header: str) -> set[str]:
    return set(cookie_parser(header))


def _werkzeug(header: str) -> set[str]:
    try:
        return set(werkzeug_parse(header))
    except UnicodeDecodeError:  # it stumbles over values that are not UTF-8
        return set()


READERS: list[Callable[[str], set[str]]] = [
    _starlette,
    lambda header: set(litestar_parse(header)),
    lambda header: set(django_parse(header)),
    _werkzeug,
]
tricky = st.lists(
    st.sampled_from([b"evil", b"size", b"__Host-session", b"draft_1", b"=", b'"', b"\\", b";", b",", b" ", b"\t"])
    | st.binary(max_size=3),
    max_size=20,
).map(b"".join)


@pytest.mark.parametrize("read", READERS, ids=["starlette", "litestar", "django", "werkzeug"])
@hypothesis(deadline=None)
@given(header=tricky)
def test_no_framework_reads_another_name_out_of_what_passes(read: Callable[[str], set[str]], header: bytes) -> None:
    allowed, _ = Watch(DECLARATION).request(header)
    for name in read(allowed.decode("latin-1")) if allowed else ():
        assert name in {"__Host-session", "__Host-csrf", "size"} or name.startswith("draft_")


# How they find the page for a path


LOOSE = Override("x-frame-options", "", "Partners frame the player.", paths=("/player/*", "/scan"))
OPEN = replace(DECLARATION, overrides=(LOOSE,))
SEGMENTS = (
    *(
        "account",
        "player",
        "scan",
        "..",
        ".",
        "",
        "%2e%2e",
        "%2E",
        "%2F",
        "%2faccount",
        "%5c",
        "..%2faccount",
        ";",
        "a",
    ),
    *("%252e%252e", "%09", "%0a", "%00", "ACCOUNT", "account;x", "player/..", "//account", "app", "%c0%ae", "%20"),
)
paths = st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=5).map(lambda parts: "/" + "/".join(parts))


def _starlette_pages() -> Any:
    async def account(request: Request) -> PlainTextResponse:
        return PlainTextResponse("account")

    return Starlette(routes=[Route("/account", account), Route("/{rest:path}", plain)])


def _litestar_pages() -> Any:
    @get("/account", media_type="text/plain")
    async def account() -> str:
        return "account"

    @get("/{rest:path}", media_type="text/plain")
    async def other() -> str:
        return "other"

    return Litestar([account, other], logging_config=None, openapi_config=None)


def _flask_pages() -> Any:
    app = Flask("pages")
    app.add_url_rule("/account", "account", lambda: "account")
    app.add_url_rule("/<path:rest>", "other", lambda rest: "other")
    return app


@pytest.mark.parametrize("make_pages", [_starlette_pages, _litestar_pages, _flask_pages])
@pytest.mark.parametrize("prefix", ["", "/player", "/app"])
def test_no_spelling_of_a_path_gets_another_page_its_looser_headers(make_pages: Callable[[], Any], prefix: str) -> None:
    """Below `prefix`, as behind a proxy that hands on a part of the site."""
    app = make_pages()
    reached: list[str] = []

    @hypothesis(deadline=None)
    @given(path=paths, whole=st.booleans())
    @example(path="/player/app/account", whole=False)  # Litestar looks for its root path anywhere in the path
    def try_path(path: str, whole: bool) -> None:
        decoded = unquote(path, "latin-1")
        if make_pages is _flask_pages:
            body, headers = _get_wsgi(app, prefix, decoded)
        else:  # some servers forget that the path in a scope is a whole one
            body, headers = _get_asgi(app, prefix, prefix + decoded if whole else decoded)
        if body == b"account":
            reached.append(path)
            if not (prefix + decoded).startswith("/player/account"):
                assert headers[b"x-frame-options"] == b"DENY"

    try_path()
    assert reached


def _get_asgi(app: Any, prefix: str, path: str) -> tuple[bytes, dict[bytes, bytes]]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path, "root_path": prefix}
    scope |= {"headers": [], "query_string": b"", "raw_path": path.encode(), "http_version": "1.1"}
    scope |= {"scheme": "https"}
    scope |= {"server": ("localhost", 443), "client": None, "state": {}}
    asyncio.run(asgi.Guard(app, OPEN)(scope, receive, send))
    return sent[1].get("body", b""), dict(sent[0]["headers"])


def _get_wsgi(app: Any, prefix: str, path: str) -> tuple[bytes, dict[bytes, bytes]]:
    started: dict[bytes, bytes] = {}

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
        started.update((name.encode(), value.encode("latin-1")) for name, value in headers)

    environ: dict[str, Any] = {"SCRIPT_NAME": prefix, "PATH_INFO": path, "QUERY_STRING": ""}
    setup_testing_defaults(environ)
    body = wsgi.Guard(app, OPEN)(environ, start)
    text = b"".join(body)
    close = getattr(body, "close", None)
    if close:
        close()
    return text, started
