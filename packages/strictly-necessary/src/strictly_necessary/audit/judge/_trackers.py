"""Who is behind a host, and whether tracking people is what they do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from strictly_necessary.rules.trackers import is_tracker_host

TRACKING = frozenset({"ad", "analytics", "social", "tag-manager", "marketing", "customer-success"})
"""Categories of the list whose work is to know people; hosting, video, fonts and the like are not."""

CLOAKERS = (
    "actonservice.com",
    "actonsoftware.com",
    "adobedc.net",
    "affex.org",
    "at-o.net",
    "dnsdelegation.io",
    "ebis.ne.jp",
    "eulerian.net",
    "extole.io",
    "fathomdns.com",
    "go.pardot.com",
    "iocnt.net",
    "keyade.com",
    "nc0.co",
    "oghub.io",
    "rdtk.io",
    "storetail.io",
    "t.eloqua.com",
    "tagcommander.com",
    "wizaly.com",
)
"""Domains that trackers let others name as their own hosts, beside those of the list."""


CARRIERS = (
    "akamai.net",
    "akamaiedge.net",
    "amazonaws.com",
    "awsglobalaccelerator.com",
    "azureedge.net",
    "azurefd.net",
    "azurewebsites.net",
    "b-cdn.net",
    "cdn.cloudflare.net",
    "cdn77.org",
    "cloudapp.azure.com",
    "cloudfront.net",
    "edgekey.net",
    "edgesuite.net",
    "fastly.net",
    "fly.dev",
    "ghs.googlehosted.com",
    "github.io",
    "gitlab.io",
    "herokuapp.com",
    "herokudns.com",
    "kxcdn.com",
    "netlify.app",
    "netlify.com",
    "onrender.com",
    "pages.dev",
    "trafficmanager.net",
    "vercel-dns.com",
    "windows.net",
    "workers.dev",
)
"""Delivery networks and hosting, which many sites are reached through by a CNAME."""


@dataclass(frozen=True, slots=True)
class Entity:
    """Who is behind a host."""

    name: str
    category: str

    @property
    def tracks(self) -> bool:
        return self.category in TRACKING


@lru_cache(maxsize=1)
def _entities() -> dict[str, Entity]:
    """By domain; a domain with a star in front counts for all below it too."""
    source = resources.files("strictly_necessary") / "audit" / "data" / "trackers.json"
    rows = json.loads(source.read_text(encoding="utf-8"))["entities"]
    return {domain: Entity(name, category) for name, category, domains, _ in rows for domain in domains}


@lru_cache(maxsize=4096)
def entity_of(host: str) -> Entity | None:
    """Who is behind the host, by the nearest domain that the list has."""
    entities = _entities()
    if host in entities:
        return entities[host]
    labels = host.split(".")
    for start in range(len(labels) - 1):
        domain = ".".join(labels[start:])
        if (found := entities.get(f"*.{domain}")) is not None:
            return found
    return None


def tracker_of(host: str) -> Entity | None:
    """Who is behind the host, if they are known for tracking people."""
    entity = entity_of(host)
    if entity is not None and entity.tracks:
        return entity
    if is_tracker_host(host):
        return Entity(entity.name if entity else "a tracker on our own list", "tracker")
    return None


def is_cloaker(host: str) -> bool:
    return _is_below(host, CLOAKERS)


def is_carrier(host: str) -> bool:
    entity = entity_of(host)
    return _is_below(host, CARRIERS) or (entity is not None and not entity.tracks)


def _is_below(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)
