"""Whose an address is: its site, whether it is ours, and how it may be shown."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from strictly_necessary.declaration import Declaration
from strictly_necessary.declaration._items import ThirdParty

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

_ABROAD = frozenset({"http", "https", "ws", "wss"})
"""Schemes that lead to a host; `data:`, `blob:` and `about:` lead nowhere."""

_RANDOM = re.compile(r"(?=[^/]*[0-9])[A-Za-z0-9_-]{20,}|[0-9]{10,}")
"""A segment of a path that is more likely made for one person, or for one moment, than a name."""


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # of the extra `audit`; it reads a long file

    return PublicSuffixList()


def host_of(address: str) -> str:
    """The host in lower case, of an address or of a bare host; empty where an address leads to none."""
    if "://" in address or address.startswith("//"):
        try:
            return (urlsplit(address).hostname or "").rstrip(".")
        except ValueError:  # such as an unclosed bracket
            return ""
    scheme, colon, rest = address.partition(":")
    if colon and not rest.partition("/")[0].isdigit():
        return _literal(address)
    return scheme.strip("[]").lstrip(".").rstrip(".").lower().partition("/")[0]


def _literal(address: str) -> str:
    """An IPv6 address without brackets, or nothing."""
    try:
        return str(ipaddress.IPv6Address(address.strip("[]")))
    except ValueError:
        return ""


@lru_cache(maxsize=4096)
def site_of(host_or_url: str) -> str:
    """The registrable domain, by the public suffix list; the host itself for addresses in numbers, `localhost`, single
    labels and what is a public suffix itself. Empty where an address leads to no host."""
    host = host_of(host_or_url)
    if not host or _is_numeric(host):
        return host
    return _suffixes().privatesuffix(host) or host


def _is_numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def leads_abroad(url: str) -> bool:
    """Whether asking for it asks a host at all."""
    return url.partition(":")[0].lower() in _ABROAD


def is_ours(host: str, declaration: Declaration | None) -> bool:
    """Whether the policy calls the host, or one above it, its own."""
    return declaration is not None and any(_is_at(host, own) for own in declaration.policy.hosts)


def is_third(url: str, top_url: str, declaration: Declaration | None = None) -> bool:
    """Whether the address is on another site than the page, and not on one of the policy's own `hosts`. What leads to
    no host (`data:`, `blob:`, `about:`) is nobody's."""
    if not leads_abroad(url):
        return False
    host = host_of(url)
    return site_of(host) != site_of(top_url) and not is_ours(host, declaration)


def party_of(host: str, declaration: Declaration | None) -> ThirdParty | None:
    """The declared third party that the host belongs to: its own host, or one below it."""
    parties = declaration.third_parties if declaration else ()
    return next((party for party in parties if _is_at(host, party.host)), None)


def _is_at(host: str, above: str) -> bool:
    return host == above or host.endswith(f".{above}")


def shown(url: str) -> str:
    """The address as it may stand in a report: the names of its query without their values, no user, no fragment, and
    `…` for what looks made for one person."""
    if not leads_abroad(url):
        return url.partition(":")[0] + ":" if ":" in url[:12] else url
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return url.partition(":")[0] + ":"
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    path = "/".join("…" if _RANDOM.fullmatch(each) else each for each in parts.path.split("/"))
    pairs = parse_qsl(parts.query, keep_blank_values=True) if "=" in parts.query else []
    names = "&".join("…" if _RANDOM.fullmatch(name) else f"{name}=…" for name, _ in pairs)
    query = f"?{names or '…'}" if parts.query else ""
    return f"{parts.scheme}://{host}{port}{path}{query}"
