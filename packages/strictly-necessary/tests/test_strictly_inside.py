"""Real frameworks and the middleware of others inside the guard: what they set and nobody declared does not leave."""

import asyncio
import gc
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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
from hypothesis import given
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

from strictly_necessary import GuardError, GuardFinding, asgi, load, wsgi
from strictly_necessary._guarding import Watch
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


READERS: list[Callable[[str], set[str]]] = [
    _starlette,
    lambda header: set(litestar_parse(header)),
    lambda header: set(django_parse(header)),
    lambda header: set(werkzeug_parse(header)),
]
tricky = st.lists(
    st.sampled_from([b"evil", b"size", b"__Host-session", b"draft_1", b"=", b'"', b"\\", b";", b",", b" ", b"\t"])
    | st.binary(max_size=3),
    max_size=20,
).map(b"".join)


@pytest.mark.parametrize("read", READERS, ids=["starlette", "litestar", "django", "werkzeug"])
@given(header=tricky)
def test_no_framework_reads_another_name_out_of_what_passes(read: Callable[[str], set[str]], header: bytes) -> None:
    allowed, _ = Watch(DECLARATION).request(header)
    for name in read(allowed.decode("latin-1")) if allowed else ():
        assert name in {"__Host-session", "__Host-csrf", "size"} or name.startswith("draft_")
