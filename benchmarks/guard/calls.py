"""Requests without a server: what is called, and what a call costs in processor time."""

import io
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from strictly_necessary import load, set_cookie

Call: TypeAlias = Callable[[], object]

DECLARATION = load(Path(__file__).parent / "policy.toml")
TOKEN = "3q2-7wXzJv0aZ1yN5cTqR8mB4kLpUo9sEdGhFiKjVw6"
COOKIES = f"__Host-session={TOKEN}; __Host-csrf={TOKEN}; draft=17"
SET_COOKIE = set_cookie(DECLARATION.item("session"), TOKEN)
PAGE = b"<!doctype html><title>x</title>"


def asgi_call(app: Any, cookies: bytes = COOKIES.encode()) -> Call:
    """One request to an ASGI application that waits for nothing, so no event loop is needed."""

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: object) -> None:
        pass

    headers = [(b"host", b"example.org"), (b"accept", b"text/html"), (b"cookie", cookies), (b"user-agent", b"x" * 80)]

    def call() -> None:
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "query_string": b"",
            "headers": headers,
            "scheme": "https",
        }
        running = app(scope, receive, send)
        try:
            running.send(None)
        except StopIteration:
            return
        raise RuntimeError("the application waits for something")

    return call


def wsgi_environ() -> dict[str, object]:
    """A fresh request as WSGI hands it over."""
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "example.org",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "example.org",
        "HTTP_COOKIE": COOKIES,
        "wsgi.input": io.BytesIO(),
        "wsgi.url_scheme": "https",
    }


def wsgi_call(app: Any) -> Call:
    """One request to a WSGI application, whose answer is read and closed."""

    def start_response(status: str, headers: list[tuple[str, str]], error: object = None) -> None:
        pass

    def call() -> None:
        answer = app(wsgi_environ(), start_response)
        for _ in answer:
            pass
        close = getattr(answer, "close", None)
        if close is not None:
            close()

    return call


def medians(calls: Mapping[str, Call], *, rounds: int, seconds: float) -> dict[str, float]:
    """Microseconds of processor time per call: the median of rounds in which each has its turn for so many seconds."""
    counts = {}
    for name, call in calls.items():
        call()
        spent = _spent(call, 50) / 50
        counts[name] = max(1, round(seconds / max(spent, 1e-7)))
    costs: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            costs[name].append(_spent(call, counts[name]) / counts[name])
    return {name: 1e6 * statistics.median(values) for name, values in costs.items()}


def _spent(call: Call, count: int) -> float:
    begun = time.process_time()
    for _ in range(count):
        call()
    return time.process_time() - begun
