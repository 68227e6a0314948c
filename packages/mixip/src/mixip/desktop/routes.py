"""Authorization, token and revocation endpoints (RFC 6749, RFC 7009, RFC 7636, RFC 8252, RFC 8414, RFC 9207)."""

from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, get, post
from litestar.params import URLEncodedBody
from litestar.response.base import ASGIResponse

from mixip.desktop import actions
from mixip.desktop.requests import CLIENT_ID, AuthorizationRequest, check
from mixip.desktop.schemas import ServerMetadata, TokenAnswer, TokenRefusal
from mixip.edge.address import origin_of
from mixip.edge.described import FORM, answer, operation, refusals
from mixip.edge.injected import Db, Time, Who
from mixip.edge.pages import page
from mixip.edge.responses import as_json
from mixip.errors import Problem
from mixip.sessions import end_token

AnyRequest = Request[Any, Any, Any]
_HIDDEN = ("response_type", "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method", "device")


class TokenRequest(msgspec.Struct, frozen=True):
    """The fields of the token endpoint."""

    grant_type: str = ""
    code: str = ""
    redirect_uri: str = ""
    client_id: str = ""
    code_verifier: str = ""

    def __repr__(self) -> str:
        """Without its secrets, wherever it may be printed."""
        return "TokenRequest(…)"


class RevocationRequest(msgspec.Struct, frozen=True):
    """The fields of the revocation endpoint."""

    token: str = ""
    client_id: str = ""

    def __repr__(self) -> str:
        """Without its secret, wherever it may be printed."""
        return "RevocationRequest(…)"


@get(
    "/.well-known/oauth-authorization-server",
    public=True,
    tags=["Desktop sign-in"],
    summary="Where to sign in",
    responses={200: answer(ServerMetadata, "The metadata.")},
    operation_class=operation(public=True),
)
async def metadata(request: AnyRequest) -> ASGIResponse:
    """The authorization server's metadata (RFC 8414)."""
    issuer = origin_of(request.scope)
    return as_json(
        {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/oauth/authorize",
            "token_endpoint": f"{issuer}/oauth/token",
            "revocation_endpoint": f"{issuer}/oauth/revoke",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "revocation_endpoint_auth_methods_supported": ["none"],
            "authorization_response_iss_parameter_supported": True,
        }
    )


@get("/oauth/authorize", include_in_schema=False, sync_to_thread=True)
def authorize_page(request: AnyRequest, caller: Who) -> ASGIResponse:
    """Ask the person whether this app on this computer may sign in."""
    asked = check(_asked(dict(request.query_params)))
    fields = {name: getattr(asked, name) for name in _HIDDEN}
    return page(request, "desktop/authorize.html", device=asked.device, email=caller.email, fields=fields)


@post("/oauth/authorize", include_in_schema=False, sync_to_thread=True)
def authorize(
    request: AnyRequest,
    data: URLEncodedBody[AuthorizationRequest],
    db: Db,
    caller: Who,
    clock: Time,
) -> ASGIResponse:
    """Send the browser back to the app with a code, or with a refusal.

    By a page with Refresh rather than by 303: browsers hold a redirect after a form against form-action in the CSP,
    and that stays at 'self'.
    """
    asked = check(data)
    result = {"state": asked.state, "iss": origin_of(request.scope)}
    denied = asked.answer != "allow"
    if denied:
        result["error"] = "access_denied"
    else:
        result["code"] = actions.give_code(db, account_id=caller.account_id, asked=asked, at=clock())
    target = f"{asked.redirect_uri}?{urlencode(result)}"
    return page(request, "desktop/returned.html", target=target, denied=denied, headers={"refresh": f"0; url={target}"})


@post(
    "/oauth/token",
    public=True,
    tags=["Desktop sign-in"],
    summary="Code for token",
    responses={
        **refusals(*FORM),
        200: answer(TokenAnswer, "The session token."),
        400: answer(TokenRefusal, "The code is not good, or the grant is another one (RFC 6749 section 5.2)."),
        401: answer(TokenRefusal, "There is no such client."),
    },
    operation_class=operation(public=True),
    status_code=200,
    sync_to_thread=True,
)
def token(data: URLEncodedBody[TokenRequest], db: Db, clock: Time) -> ASGIResponse:
    """Exchange an authorization code for a session token."""
    if data.grant_type != "authorization_code":
        return _refusal("unsupported_grant_type", "Only authorization_code is offered.")
    if data.client_id != CLIENT_ID:
        return _refusal("invalid_client", "There is no such client.", status=401)
    at = clock()
    session = actions.redeem_code(
        db, code=data.code, redirect_uri=data.redirect_uri, code_verifier=data.code_verifier, at=at
    )
    if session is None:
        return _refusal("invalid_grant", "The code is wrong, used or too old. Start again.")
    return as_json(
        {
            "access_token": session.token,
            "token_type": "Bearer",
            "expires_in": int((session.expires_at - at).total_seconds()),
        }
    )


@post(
    "/oauth/revoke",
    public=True,
    tags=["Desktop sign-in"],
    summary="End a session",
    responses={200: answer(dict[str, str], "The session is over."), **refusals(*FORM)},
    operation_class=operation(public=True),
    status_code=200,
    sync_to_thread=True,
)
def revoke(data: URLEncodedBody[RevocationRequest], db: Db) -> ASGIResponse:
    """End the session of a token. A token that is not known is over already: 200 as well (RFC 7009 section 2.2)."""
    end_token(db, data.token)
    return as_json({})


def _asked(query: dict[str, Any]) -> AuthorizationRequest:
    try:
        return msgspec.convert({**query, "answer": ""}, AuthorizationRequest)
    except msgspec.ValidationError:
        raise Problem("authorization_invalid") from None


def _refusal(error: str, description: str, *, status: int = 400) -> ASGIResponse:
    return as_json({"error": error, "error_description": description}, status=status)


ROUTES = (metadata, authorize_page, authorize, token, revoke)
