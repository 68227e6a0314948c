"""What the endpoints of the desktop sign-in answer, for the API's description."""

from typing import Literal

import msgspec


class ServerMetadata(msgspec.Struct, frozen=True):
    """The authorization server's metadata (RFC 8414 section 2)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str
    response_types_supported: tuple[str, ...]
    grant_types_supported: tuple[str, ...]
    code_challenge_methods_supported: tuple[str, ...]
    token_endpoint_auth_methods_supported: tuple[str, ...]
    revocation_endpoint_auth_methods_supported: tuple[str, ...]
    authorization_response_iss_parameter_supported: bool


class TokenAnswer(msgspec.Struct, frozen=True):
    """A session token (RFC 6749 section 5.1). `expires_in` in seconds."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int


class TokenRefusal(msgspec.Struct, frozen=True):
    """Why there is no token (RFC 6749 section 5.2)."""

    error: str
    error_description: str
