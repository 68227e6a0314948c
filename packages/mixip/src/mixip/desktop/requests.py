"""What the app asks for. Pure checks (RFC 6749, RFC 7636, RFC 8252)."""

import re

import msgspec

from mixip.errors import Problem

CLIENT_ID = "mixip-transfer"

_REDIRECT = re.compile(r"http://(127\.0\.0\.1|\[::1\]):([1-9][0-9]{0,4})/callback")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_PRINTABLE = re.compile(r"[\x20-\x7e]{1,512}")


class AuthorizationRequest(msgspec.Struct, frozen=True):
    """The parameters of the authorization endpoint."""

    response_type: str = ""
    client_id: str = ""
    redirect_uri: str = ""
    state: str = ""
    code_challenge: str = ""
    code_challenge_method: str = ""
    device: str = ""
    answer: str = ""


def check(asked: AuthorizationRequest) -> AuthorizationRequest:
    """The request if it is right. Raises Problem: nothing of it is trusted, so nobody is sent back anywhere.

    The redirect address is a loopback literal with any port and one fixed path (RFC 8252 sections 7.3 and 8.3).
    """
    redirect = _REDIRECT.fullmatch(asked.redirect_uri)
    wrong = [
        name
        for name, right in (
            ("response_type", asked.response_type == "code"),
            ("client_id", asked.client_id == CLIENT_ID),
            ("redirect_uri", redirect is not None and int(redirect[2]) <= 65535),
            ("state", _PRINTABLE.fullmatch(asked.state) is not None),
            ("code_challenge", _CHALLENGE.fullmatch(asked.code_challenge) is not None),
            ("code_challenge_method", asked.code_challenge_method == "S256"),
            ("device", len(asked.device) <= 80 and asked.device.isprintable()),
        )
        if not right
    ]
    if wrong:
        raise Problem("authorization_invalid", detail=f"These parameters are missing or wrong: {', '.join(wrong)}.")
    return msgspec.structs.replace(asked, device=asked.device.strip() or "Unknown computer")
