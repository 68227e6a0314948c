"""Sign in with the system's browser: loopback redirect and PKCE (RFC 8252, RFC 7636, RFC 9207).

Source: docs/desktop-sign-in.md.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from mixip_transfer.answers import AuthorizationServer
from mixip_transfer.errors import BadAnswerError, NotSignedInError, StoppedError, UsageError
from mixip_transfer.loopback import Answer, Listener
from mixip_transfer.platform import CLIENT_ID, Platform

ANSWER_SECONDS = 300.0
LONGEST_DEVICE_NAME = 80


def sign_in(
    platform: Platform,
    *,
    device: str,
    show: Callable[[str], None],
    stop: threading.Event,
    seconds: float = ANSWER_SECONDS,
) -> str:
    """Ask the person in the browser and return the session token.

    `show` gets the address to open; `device` is the computer's name as the person will see it. Raises
    NotSignedInError when the person refuses or does not answer within `seconds`, BadAnswerError when the answer is
    not the platform's.
    """
    server = platform.authorization_server()
    require_own_endpoints(server, platform.address)
    verifier, state = secrets.token_urlsafe(64), secrets.token_urlsafe(32)
    with Listener(state) as listener:
        query = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": listener.redirect_uri,
            "state": state,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
            "device": device[:LONGEST_DEVICE_NAME],
        }
        show(f"{server.authorization_endpoint}?{urlencode(query)}")
        code = _code(_wait(listener, stop, seconds), server.issuer)
        return platform.exchange_code(
            server.token_endpoint, code=code, redirect_uri=listener.redirect_uri, verifier=verifier
        )


def sign_out(platform: Platform, token: str) -> None:
    """End the session of `token` on the platform (RFC 7009)."""
    server = platform.authorization_server()
    require_own_endpoints(server, platform.address)
    platform.revoke(server.revocation_endpoint, token)


def challenge(verifier: str) -> str:
    """The S256 code challenge of a verifier (RFC 7636 section 4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def require_own_endpoints(server: AuthorizationServer, address: str) -> None:
    """Raise unless the platform names itself, and only itself, as the place to sign in (RFC 8414 section 3.3)."""
    issuer = server.issuer.rstrip("/")
    if issuer != address:
        raise UsageError(
            f"The platform at {address} calls itself {issuer[:200]!r}.",
            "If you trust that address, sign in there; else tell whoever runs the platform.",
        )
    own = urlsplit(address)
    for endpoint in (server.authorization_endpoint, server.token_endpoint, server.revocation_endpoint):
        parts = urlsplit(endpoint)
        if (parts.scheme, parts.netloc) != (own.scheme, own.netloc):
            raise BadAnswerError("The platform wants the sign-in to go to another address than its own.")


def _wait(listener: Listener, stop: threading.Event, seconds: float) -> Answer:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if stop.is_set():
            raise StoppedError
        answer = listener.answer(0.2)
        if answer is not None:
            return answer
    raise NotSignedInError(
        f"Nobody answered in the browser within {seconds:g} seconds, so you are not signed in.",
        "Run the same command again.",
    )


def _code(answer: Answer, issuer: str) -> str:
    # RFC 9207: a code of another platform must not be shown to this one. Errors may come without `iss`.
    if not (answer.error and not answer.iss) and not hmac.compare_digest(answer.iss.encode(), issuer.encode()):
        raise BadAnswerError("The browser came back from another platform than the one that you sign in to.")
    if answer.error == "access_denied":
        raise NotSignedInError("The sign-in was refused in the browser.", "Run the same command again if you meant to.")
    if answer.error or not answer.code:
        raise BadAnswerError("The browser came back without a code.")
    return answer.code
