"""The two cookies, made from the declaration, so that what is set is what is declared."""

from functools import cache

from mixip.edge.caller import csrf_token
from mixip.edge.policy import declaration
from strictly_necessary import delete_cookie, set_cookie


@cache
def session_cookie_name() -> bytes:
    """The name of the session cookie, as bytes on the wire."""
    return declaration().item("session").name.encode()


def set_cookies(session_token: str) -> list[str]:
    """Set-Cookie values for a new session: the session token and the CSRF token derived from it."""
    policy = declaration()
    return [
        set_cookie(policy.item("session"), session_token),
        set_cookie(policy.item("csrf"), csrf_token(session_token)),
    ]


def clear_cookies() -> list[str]:
    """Set-Cookie values that remove both."""
    policy = declaration()
    return [delete_cookie(policy.item("session")), delete_cookie(policy.item("csrf"))]
