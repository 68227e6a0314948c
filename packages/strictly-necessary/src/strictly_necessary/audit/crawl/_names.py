"""Which hosts are other names of somebody else's: the chains of CNAMEs (RFC 1034 section 3.6.2)."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from strictly_necessary.audit._observation import Run

SECONDS = 2.0
_AT_ONCE = 20


def hosts_of(runs: Iterable[Run]) -> list[str]:
    """All that were asked in these runs and have a name in the DNS, sorted."""
    urls = {request.url for run in runs for visit in run.visits for request in visit.requests}
    return sorted({host for url in urls if (host := _host(url)) and _is_name(host)})


async def chains(hosts: Iterable[str], nameserver: str | None) -> Mapping[str, tuple[str, ...]]:
    """The chain of each host, empty if it has none; a host that nobody could tell about is left out. `nameserver` is
    `ip:port`, and None those of the system."""
    wanted = list(hosts)
    if not wanted:
        return {}
    from dns import asyncresolver, exception, rdatatype  # only whoever audits has it

    try:
        resolver = asyncresolver.Resolver(configure=nameserver is None)
    except exception.DNSException:
        return {}
    if nameserver is not None:
        address, _, port = nameserver.rpartition(":")
        resolver.nameservers = [address.strip("[]")]
        resolver.port = int(port)
    gate = asyncio.Semaphore(_AT_ONCE)

    async def chain(host: str) -> tuple[str, ...] | None:
        async with gate:
            try:
                answer = await resolver.resolve(
                    f"{host}.", rdatatype.A, lifetime=SECONDS, raise_on_no_answer=False, search=False
                )
            except (exception.DNSException, OSError, ValueError):
                return None
        return tuple(str(each[0].target).rstrip(".").lower() for each in answer.chaining_result.cnames)

    found = await asyncio.gather(*map(chain, wanted))
    return {host: names for host, names in zip(wanted, found, strict=True) if names is not None}


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_name(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost") or "." not in host:
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return False
