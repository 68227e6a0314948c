"""The guard's cost per request, beside Starlette, asgi-csrf, Django, Werkzeug and the standard library, in one run."""

import time
from email.utils import formatdate
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import django  # type: ignore[import-untyped]
from asgi_csrf import asgi_csrf  # type: ignore[import-untyped]
from django.conf import settings  # type: ignore[import-untyped]
from itsdangerous.url_safe import URLSafeSerializer
from starlette.middleware.sessions import SessionMiddleware
from werkzeug.http import dump_cookie, parse_cookie

from benchmarks.guard.calls import (
    COOKIES,
    DECLARATION,
    PAGE,
    SET_COOKIE,
    TOKEN,
    Call,
    asgi_call,
    medians,
    wsgi_call,
    wsgi_environ,
)
from strictly_necessary import wsgi
from strictly_necessary.asgi import Guard
from strictly_necessary.cookies import parse_cookie_header, parse_set_cookie

ROUNDS = 25
SECONDS = 0.02
"""How long each has its turn in a round."""

EMPTY, GUARD = "an empty ASGI application", "guard (ASGI)"
SECRET = "not-a-secret-but-long-enough-for-a-signature"


def measure(_folder: Path) -> list[dict[str, object]]:
    """One row each; what it adds is its cost without that of the same application alone."""
    calls: dict[str, Call] = {}
    floors: dict[str, str | None] = {}
    for name, call, floor in (*_asgi(), *_wsgi(), *_django(), *_functions()):
        calls[name], floors[name] = call, floor
    costs = medians(calls, rounds=ROUNDS, seconds=SECONDS)
    added = {name: costs[name] - (costs[floor] if (floor := floors[name]) else 0) for name in calls}
    return [
        {
            "what": name,
            "CPU per request, µs": f"{costs[name]:.1f}",
            "added, µs": f"{added[name]:.1f}" if name not in floors.values() else "",
            "beside the guard": f"{added[name] / added[GUARD]:.1f}" if name not in floors.values() else "",
        }
        for name in calls
    ]


def _asgi() -> list[tuple[str, Call, str | None]]:
    async def empty(_scope: Any, _receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/html"), (b"set-cookie", SET_COOKIE.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": PAGE})

    end = formatdate(int(time.time()) + 7200, usegmt=True)

    async def dated(_scope: Any, _receive: Any, send: Any) -> None:
        cookie = f"draft=17; expires={end}; HttpOnly; Path=/; SameSite=Strict; Secure"
        headers = [(b"content-type", b"text/html"), (b"set-cookie", cookie.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": PAGE})

    async def plain(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        await send({"type": "http.response.body", "body": PAGE})

    async def session(scope: Any, receive: Any, send: Any) -> None:
        scope["session"]["seen"] = scope["session"].get("seen", 0)
        await plain(scope, receive, send)

    async def csrf(scope: Any, receive: Any, send: Any) -> None:
        scope["csrftoken"]()
        await plain(scope, receive, send)

    plain_name = f"{EMPTY}, no Set-Cookie"
    dated_name = f"{EMPTY}, Set-Cookie with Expires"
    signed = _session_cookie(SessionMiddleware(session, SECRET))
    token = URLSafeSerializer(SECRET).dumps(TOKEN, "csrftoken")
    return [
        (EMPTY, asgi_call(empty), None),
        (plain_name, asgi_call(plain), None),
        (dated_name, asgi_call(dated), None),
        (GUARD, asgi_call(Guard(empty, DECLARATION)), EMPTY),
        (
            "guard (ASGI), one cookie more that is not declared",
            asgi_call(_quiet(empty), f"{COOKIES}; x=1".encode()),
            EMPTY,
        ),
        ("guard (ASGI), Set-Cookie with Expires", asgi_call(Guard(dated, DECLARATION)), dated_name),
        (
            "Starlette SessionMiddleware, session read and written",
            asgi_call(SessionMiddleware(session, SECRET), f"{COOKIES}; {signed}".encode()),
            plain_name,
        ),
        (
            "asgi-csrf, token checked",
            asgi_call(asgi_csrf(csrf, signing_secret=SECRET), f"{COOKIES}; csrftoken={token}".encode()),
            plain_name,
        ),
        ("asgi-csrf, token made and set", asgi_call(asgi_csrf(csrf, signing_secret=SECRET)), plain_name),
    ]


def _quiet(app: Any) -> Guard:
    return Guard(app, DECLARATION, on_finding=lambda _finding: None)


def _session_cookie(app: Any) -> str:
    """The session cookie that the middleware sets, so that the next request has one to read."""
    found: list[str] = []

    async def send(message: Any) -> None:
        found.extend(value.decode() for name, value in message.get("headers", ()) if name == b"set-cookie")

    try:
        app({"type": "http", "method": "GET", "path": "/", "headers": []}, None, send).send(None)
    except StopIteration:
        return found[0].partition(";")[0]
    raise RuntimeError("the middleware waits for something")


def _wsgi() -> list[tuple[str, Call, str | None]]:
    def empty(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html"), ("Set-Cookie", SET_COOKIE)])
        return [PAGE]

    name = "an empty WSGI application"
    return [
        (name, wsgi_call(empty), None),
        ("guard (WSGI)", wsgi_call(wsgi.Guard(empty, DECLARATION)), name),
    ]


def _django() -> list[tuple[str, Call, str | None]]:
    if not settings.configured:
        settings.configure(SECRET_KEY=SECRET, SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies")
        django.setup(set_prefix=False)
    from django.contrib.sessions import middleware as sessions  # type: ignore[import-untyped]
    from django.core.handlers.wsgi import WSGIRequest  # type: ignore[import-untyped]
    from django.http import HttpResponse  # type: ignore[import-untyped]
    from django.http import parse_cookie as django_parse_cookie
    from django.middleware.csrf import CsrfViewMiddleware, get_token  # type: ignore[import-untyped]

    def plain(_request: Any) -> Any:
        return HttpResponse(PAGE)

    def view(request: Any) -> Any:
        request.session["seen"] = request.session.get("seen", 0)
        get_token(request)
        return HttpResponse(PAGE)

    chain = sessions.SessionMiddleware(CsrfViewMiddleware(view))
    first = chain(_django_request(WSGIRequest, COOKIES))
    cookies = "; ".join([COOKIES, *(f"{name}={morsel.value}" for name, morsel in first.cookies.items())])

    def cookie_handling() -> str:
        django_parse_cookie(COOKIES)
        response = SimpleCookie()
        response["__Host-session"] = TOKEN
        morsel = response["__Host-session"]
        morsel["path"], morsel["secure"], morsel["httponly"], morsel["samesite"] = "/", True, True, "Lax"
        return response.output(header="")

    name = "a view of Django, with its request and response"
    return [
        ("Django parse_cookie, SimpleCookie output", cookie_handling, None),
        (name, lambda: plain(_django_request(WSGIRequest, cookies)), None),
        (
            "Django SessionMiddleware (signed cookies) and CsrfViewMiddleware",
            lambda: chain(_django_request(WSGIRequest, cookies)),
            name,
        ),
    ]


def _django_request(kind: Any, cookies: str) -> Any:
    return kind({**wsgi_environ(), "HTTP_COOKIE": cookies})


def _functions() -> list[tuple[str, Call, str | None]]:
    def standard_library() -> str:
        SimpleCookie(COOKIES)
        response = SimpleCookie()
        response["__Host-session"] = TOKEN
        morsel = response["__Host-session"]
        morsel["path"], morsel["secure"], morsel["httponly"], morsel["samesite"] = "/", True, True, "Lax"
        return response.output(header="")

    def werkzeug() -> str:
        parse_cookie(COOKIES)
        return dump_cookie("__Host-session", TOKEN, path="/", secure=True, httponly=True, samesite="Lax")

    request, response = COOKIES.encode(), SET_COOKIE.encode()

    def ours() -> None:
        parse_cookie_header(request)
        parse_set_cookie(response)

    return [
        ("http.cookies, parsed and written", standard_library, None),
        ("Werkzeug parse_cookie and dump_cookie", werkzeug, None),
        ("strictly_necessary parse_cookie_header and parse_set_cookie", ours, None),
    ]
