"""Where a request came from and where it was sent to, with and without proxies in front."""

from ipaddress import ip_address
from typing import cast

from mixip.edge.asgi import App, Receive, Scope, Send
from mixip.edge.headers import header
from mixip.settings import Network, Settings

_ORIGIN = "mixip_origin"
_CLIENT = "mixip_client"


def origin_of(scope: Scope) -> str:
    """The platform's own origin as this request sees it, like `https://mixip.example.org`."""
    return cast("str", scope["state"][_ORIGIN])


def network_of(scope: Scope) -> str:
    """The network the request came from: an IPv4 address, or the /64 that an IPv6 host or home owns."""
    return cast("str", scope["state"][_CLIENT])


def resolve_address(app: App, settings: Settings) -> App:
    """Wrap an app so that `origin_of` and `network_of` have answers.

    X-Forwarded-For and X-Forwarded-Proto are believed only from the trusted proxies; of the chain, the last address
    that is not one of them is the client.
    """

    async def resolved(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        peer = scope["client"][0] if scope.get("client") else "0.0.0.0"  # noqa: S104  a name for "unknown", not a bind
        trusted = _is_in(peer, settings.trusted_proxies)
        scheme = (header(scope, b"x-forwarded-proto") if trusted else None) or scope["scheme"]
        state = scope.setdefault("state", {})
        state[_ORIGIN] = settings.public_url or f"{scheme}://{header(scope, b'host') or ''}"
        state[_CLIENT] = _network(_client(scope, peer, settings.trusted_proxies) if trusted else peer)
        await app(scope, receive, send)

    return resolved


def _client(scope: Scope, peer: str, trusted: tuple[Network, ...]) -> str:
    chain = [
        hop.strip()
        for key, value in scope["headers"]
        if key == b"x-forwarded-for"
        for hop in value.decode("latin-1").split(",")
    ]
    return next((hop for hop in reversed(chain) if not _is_in(hop, trusted)), peer)


def _is_in(address: str, networks: tuple[Network, ...]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed.version == network.version and parsed in network for network in networks)


def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 6 and parsed.ipv4_mapped is None:
        return f"{parsed.exploded[:19]}::/64"
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)
