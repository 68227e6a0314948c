"""Who is asking."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from litestar.connection import ASGIConnection

STATE_KEY = "mixip_caller"


class SignedIn(NamedTuple):
    """What a session token stands for: whose session it is, since when the account exists, and where it is used."""

    account_id: str
    email: str
    since: datetime
    session_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class Caller:
    """The account and session behind a request, and how the session's token came: only a cookie needs a CSRF token.
    `since` is when the account was made."""

    account_id: str
    email: str
    since: datetime
    session_id: str
    kind: str
    via: Literal["cookie", "bearer"]
    csrf: str


def csrf_token(session_token: str) -> str:
    """The CSRF token of a session: an HMAC of its token, so that nothing is stored and neither reveals the other."""
    digest = hmac.digest(session_token.encode(), b"mixip csrf 1", hashlib.sha256)
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def caller_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Caller | None:
    """The caller that the session layer found, or None for anonymous readers."""
    caller: Caller | None = connection.scope["state"].get(STATE_KEY)
    return caller


def provide_caller(request: ASGIConnection[Any, Any, Any, Any]) -> Caller:
    """The caller, for handlers behind `require_caller`, where there always is one."""
    caller = caller_of(request)
    if caller is None:
        raise RuntimeError("a handler that asks for the caller must not be public")
    return caller
