"""Finds the session of a request: the cookie of a browser, or the Authorization header of an app."""

from collections.abc import Awaitable, Callable

from mixip.edge.asgi import App, Message, Receive, Scope, Send
from mixip.edge.caller import STATE_KEY, Caller, SignedIn, csrf_token
from mixip.edge.cookies import clear_cookies, session_cookie_name
from mixip.edge.headers import header
from strictly_necessary.consent import Channel, Visitor

FindSession = Callable[[str], Awaitable[SignedIn | None]]
"""Given a session token, what it stands for, or None when it is not valid."""

_FOUND = "mixip_signed_in"


def resolve_session(app: App, find: FindSession) -> App:
    """Wrap an app so that `caller_of` has an answer.

    A cookie wins over an Authorization header, so that a request with a cookie always needs its CSRF token. A cookie
    whose session has ended is cleared with the answer.
    """

    async def resolved(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/static/"):
            await app(scope, receive, send)
            return
        found = await signed_in(scope, find)
        cookie = _cookie_token(scope)
        token = cookie or _bearer_token(scope)
        if token and found:
            scope["state"][STATE_KEY] = Caller(
                account_id=found.account_id,
                email=found.email,
                since=found.since,
                session_id=found.session_id,
                kind=found.kind,
                via="cookie" if cookie else "bearer",
                csrf=csrf_token(token),
            )
        await app(scope, receive, _clearing(send) if cookie and not found else send)

    return resolved


async def signed_in(scope: Scope, find: FindSession) -> SignedIn | None:
    """Who is signed in behind this request. Whoever asks first looks it up; the state of the request remembers it."""
    state = scope["state"]
    if _FOUND not in state:
        token = _cookie_token(scope) or _bearer_token(scope)
        state[_FOUND] = await find(token) if token else None
    found: SignedIn | None = state[_FOUND]
    return found


def visitor_by(find: FindSession) -> Callable[[Scope], Awaitable[Visitor | None]]:
    """Who asks, for the guard: it stands outside of all layers, and asks only if something needs consent. Static files
    are the same for everybody."""

    async def visitor(scope: Scope) -> Visitor | None:
        if scope["type"] != "http" or scope["path"].startswith("/static/"):
            return None
        found = await signed_in(scope, find)
        return found and Visitor(found.account_id, found.since, Channel.APP if found.kind == "app" else Channel.PAGE)

    return visitor


def _cookie_token(scope: Scope) -> str | None:
    """The session cookie's value; two of them are none, since somebody else may have planted one."""
    name = session_cookie_name()
    values = [
        value
        for key, line in scope["headers"]
        if key == b"cookie"
        for cookie, _, value in (pair.strip().partition(b"=") for pair in line.split(b";"))
        if cookie == name
    ]
    return values[0].decode("latin-1") if len(values) == 1 else None


def _bearer_token(scope: Scope) -> str | None:
    scheme, _, token = (header(scope, b"authorization") or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _clearing(send: Send) -> Send:
    async def send_clearing(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message["headers"])
            if not any(key.lower() == b"set-cookie" for key, _ in headers):
                headers += [(b"set-cookie", line.encode("latin-1")) for line in clear_cookies()]
            message["headers"] = headers
        await send(message)

    return send_clearing
