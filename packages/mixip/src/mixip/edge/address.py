"""Where a request came from and where it was sent to, with and without proxies in front."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import cast

from mixip.edge.asgi import App, Receive, Scope, Send
from mixip.edge.headers import header
from mixip.settings import Network, Settings

_ORIGIN = "mixip_origin"
_CLIENT = "mixip_client"

# What proxies write: an address, with or without a port, an IPv6 one perhaps in brackets (as in RFC 7239 section 6).
_HOP = re.compile(r"\[(?P<six>[^\[\]]*)\](?::\d{1,5})?|(?P<four>[\d.]+)(?::\d{1,5})?|(?P<bare>.+)")

Address = IPv4Address | IPv6Address


def origin_of(scope: Scope) -> str:
    """The platform's own origin as this request sees it, like `https://mixip.example.org`."""
    return cast("str", scope["state"][_ORIGIN])


def network_of(scope: Scope) -> str:
    """The network the request came from: an IPv4 address, or the /64 that an IPv6 host or home owns."""
    return cast("str", scope["state"][_CLIENT])


def resolve_address(app: App, settings: Settings) -> App:
    """Wrap an app so that `origin_of` and `network_of` have answers.

    X-Forwarded-For and X-Forwarded-Proto are believed only from the trusted proxies; of the chain, the last address
    that is not one of them is the client. When no address can be read there, it is the proxy.
    """

    async def resolved(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        peer = scope["client"][0] if scope.get("client") else "0.0.0.0"  # noqa: S104  a name for "unknown", not a bind
        trusted = _is_in(_parsed(peer), settings.trusted_proxies)
        scheme = (header(scope, b"x-forwarded-proto") if trusted else None) or scope["scheme"]
        state = scope.setdefault("state", {})
        state[_ORIGIN] = settings.public_url or f"{scheme}://{header(scope, b'host') or ''}"
        state[_CLIENT] = network_name(_client(scope, peer, settings.trusted_proxies) if trusted else peer)
        await app(scope, receive, send)

    return resolved


def network_name(address: str) -> str:
    """The network of an address, with or without a port: `203.0.113.5`, `2001:0db8:0000:0001::/64`, or `unknown`."""
    parsed = _parsed(address)
    if parsed is None:
        return "unknown"
    return f"{parsed.exploded[:19]}::/64" if parsed.version == 6 else str(parsed)


def _client(scope: Scope, peer: str, trusted: tuple[Network, ...]) -> str:
    chain = [
        hop.strip()
        for key, value in scope["headers"]
        if key.lower() == b"x-forwarded-for"
        for hop in value.decode("latin-1").split(",")
        if hop.strip()
    ]
    client = next((hop for hop in reversed(chain) if not _is_in(_parsed(hop), trusted)), peer)
    # Not the hop before an unreadable one: what stands there may be the client's own invention.
    return client if _parsed(client) else peer


def _is_in(address: Address | None, networks: tuple[Network, ...]) -> bool:
    return address is not None and any(
        address.version == network.version and address in network for network in networks
    )


def _parsed(hop: str) -> Address | None:
    """The address of a hop, IPv4 also when it is written as IPv6 (`::ffff:203.0.113.5`); None when it is none."""
    found = _HOP.fullmatch(hop)
    try:
        parsed = ip_address(found["six"] or found["four"] or found["bare"]) if found else None
    except ValueError:
        return None
    return (isinstance(parsed, IPv6Address) and parsed.ipv4_mapped) or parsed
