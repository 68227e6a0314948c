"""Plain responses. Everything here may be private, so nothing is cached unless it says so."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
from litestar.response.base import ASGIResponse

PRIVATE = "no-store"


def respond(
    body: bytes,
    media_type: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    cookies: Sequence[str] = (),
) -> ASGIResponse:
    """A response. `cookies` are whole Set-Cookie values."""
    lines = {"cache-control": PRIVATE, **(headers or {})}
    return ASGIResponse(
        body=body,
        status_code=status,
        media_type=media_type,
        headers=[*lines.items(), *(("set-cookie", cookie) for cookie in cookies)],
    )


def as_json(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> ASGIResponse:
    """A JSON response of any msgspec type."""
    return respond(msgspec.json.encode(value), "application/json", status=status, headers=headers)


def see_other(location: str, *, headers: Mapping[str, str] | None = None, cookies: Sequence[str] = ()) -> ASGIResponse:
    """303: look there next."""
    return respond(b"", "text/plain", status=303, headers={"location": location, **(headers or {})}, cookies=cookies)


def local_path(target: str, default: str) -> str:
    """The target if it is a path on this platform, else the default, so that nobody is led elsewhere (CWE-601)."""
    if not target.startswith("/") or target.startswith("//") or len(target) > 4096:
        return default
    if any(character in "\\\x7f" or character <= " " for character in target):
        return default
    parts = urlsplit(target)
    return default if parts.scheme or parts.netloc else quote(target, safe="%/?#[]@!$&'()*+,;=:~")
