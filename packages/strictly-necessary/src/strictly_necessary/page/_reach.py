"""Whom else the pages reach: what the overrides of security headers let them load from others, or send to them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from strictly_necessary.declaration import Declaration
from strictly_necessary.declaration._items import Override, ThirdParty

_SOURCE = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://)?((?:\*\.)?[a-z0-9][a-z0-9.-]*)(?::(?:\*|[0-9]+))?(?:/\S*)?", re.IGNORECASE
)
_ADDRESS = re.compile(r"(?:https?|wss?)://([a-z0-9.-]+)", re.IGNORECASE)
_NEAR = frozenset({"data:", "blob:", "filesystem:", "mediastream:"})
_LOOPBACK = frozenset({"127.0.0.1", "localhost"})
_SCRIPTS = frozenset({"default-src", "script-src", "script-src-elem", "script-src-attr", "worker-src", "child-src"})
_REPORTING = frozenset({"nel", "report-to", "reporting-endpoints"})
_ADVERTISING = frozenset(
    {
        "attribution-reporting",
        "attribution-reporting-register-source",
        "attribution-reporting-register-trigger",
        "browsing-topics",
        "interest-cohort",
        "join-ad-interest-group",
        "observe-browsing-topics",
        "run-ad-auction",
    }
)


@dataclass(frozen=True)
class Reach:
    """Read from the overrides alone. `form-action` and `frame-ancestors` do not count: a person presses the button, and
    who frames us is not asked by our pages."""

    declaration: Declaration

    @cached_property
    def parties(self) -> tuple[ThirdParty, ...]:
        """The declared ones from which a page may load, or to which it may send, before anybody uses their feature."""
        hosts = [host for each in self._overrides for host in _hosts(each)]
        return tuple(party for party in self.declaration.third_parties if any(_leads_to(host, party) for host in hosts))

    @cached_property
    def runs_scripts(self) -> bool:
        """Whether a page may run scripts of theirs, which read what scripts of ours read."""
        hosts = [host for each in self._overrides if each.directive in _SCRIPTS for host in _hosts(each)]
        return any(host is None or not self._is_ours(host) for host in hosts)

    @cached_property
    def anyone(self) -> bool:
        """Whether a page may also reach hosts that are not declared, as `img-src https:` lets it."""
        return any(host is None or not self._is_known(host) for each in self._overrides for host in _hosts(each))

    @cached_property
    def advertising(self) -> bool:
        """Whether a feature of browsers that serves advertising is asked for."""
        return any(
            (each.directive or each.name) in _ADVERTISING and each.value not in {"", "()", "?0"}
            for each in self.declaration.overrides
        )

    @property
    def is_closed(self) -> bool:
        """Whether the pages reach nobody else, as the guard's own settings have it."""
        return not (self.parties or self.anyone or self.advertising)

    def paths(self, party: ThirdParty) -> tuple[str, ...]:
        """On which pages; none means all of them. Of a party that is not reached, it says nothing."""
        found = [each.paths for each in self._overrides if any(_leads_to(host, party) for host in _hosts(each))]
        return () if () in found else tuple(dict.fromkeys(path for paths in found for path in paths))

    @cached_property
    def _overrides(self) -> tuple[Override, ...]:
        return tuple(each for each in self.declaration.overrides if _has_browsers_ask(each))

    def _is_known(self, host: str) -> bool:
        return self._is_ours(host) or any(_leads_to(host, party) for party in self.declaration.third_parties)

    def _is_ours(self, host: str) -> bool:
        return host.removeprefix("*.") in {*self.declaration.policy.hosts, *_LOOPBACK}


def _has_browsers_ask(override: Override) -> bool:
    """The fetch directives of CSP Level 3 section 6.1, and what has browsers send reports."""
    if override.name != "content-security-policy":
        return override.name in _REPORTING
    directive = override.directive or ""
    return "-src" in directive or directive == "report-uri"


def _hosts(override: Override) -> Iterator[str | None]:
    """The hosts in its value, in lower case; None stands for any."""
    if override.name in _REPORTING:
        yield from (found.lower() for found in _ADDRESS.findall(override.value))
        return
    for source in override.value.lower().split():
        found = _SOURCE.fullmatch(source)
        if source == "'strict-dynamic'":  # what runs may load more from anywhere
            yield None
        elif source.startswith(("'", "/")) or source in _NEAR:
            continue
        else:
            yield found[1] if found else None


def _leads_to(host: str | None, party: ThirdParty) -> bool:
    theirs = party.host.lower()
    if host is None or not host.startswith("*."):
        return host == theirs
    return theirs == host[2:] or theirs.endswith(host[1:])
