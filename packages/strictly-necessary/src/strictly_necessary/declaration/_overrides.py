"""What an override of a security header may not do."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from strictly_necessary.declaration._items import Override

MANAGED = (
    "content-security-policy",
    "permissions-policy",
    "referrer-policy",
    "x-content-type-options",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "x-frame-options",
    "clear-site-data",
)
"""The headers that the guard sends, by lower-case name."""

UNSENT = (
    "accept-ch",
    "attribution-reporting-register-source",
    "attribution-reporting-register-trigger",
    "critical-ch",
    "nel",
    "observe-browsing-topics",
    "report-to",
    "reporting-endpoints",
    "set-login",
)
"""Headers that have a browser keep something, tell more about itself or report to somebody: not without a reason."""

IN_PARTS = frozenset({"content-security-policy", "permissions-policy"})
"""The headers of which a part can be overridden alone."""

_RUNS_SCRIPT = frozenset(
    {"default-src", "script-src", "script-src-elem", "script-src-attr", "worker-src", "object-src", "base-uri"}
)
_LOOSE = frozenset({"'unsafe-inline'", "'unsafe-eval'", "http:", "https:", "data:", "blob:", "ws:", "wss:"})
_ANY_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?\*(?::\S*)?(?:/\S*)?", re.IGNORECASE)
_KEPT = frozenset({"require-trusted-types-for", "trusted-types"})
_WITHOUT_FALLBACK = frozenset({"default-src", "base-uri", "form-action"})
_NO_SOURCES = frozenset({"sandbox", "report-to"})
_SCHEME_SOURCE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_HOST_SOURCE = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://)?((?:\*\.)?[a-z0-9][a-z0-9.-]*)(?::(?:\*|[0-9]+))?(?:/\S*)?", re.IGNORECASE
)
_LOOPBACK = frozenset({"127.0.0.1", "localhost"})

Problem = tuple[str, str, str, str]
"""Code, key, message, fix."""


def problems(override: Override, hosts: Collection[str], before: Collection[Override]) -> Iterator[Problem]:
    """What is wrong with the override. `hosts` are those that are declared, `before` the overrides above it."""
    shown = f"{override.name} {override.directive}" if override.directive else override.name
    if override.name not in (*MANAGED, *UNSENT):
        fix = f"write one of: {', '.join((*MANAGED, *UNSENT))}"
        yield "SN006", "name", f"{override.name!r} is not one that the guard watches", fix
        return
    if override.directive and override.name not in IN_PARTS:
        yield "SN012", "directive", f"{override.name} has no directives", "remove directive"
    if any(_overlap(override, other) for other in before):
        yield "SN008", "name", f"{shown} is overridden twice for the same paths", "write it once"
    if ";" in override.value or (override.directive and "," in override.value):
        fix = "write one directive and its value; use an entry for each"
        yield "SN006", "value", "the value holds more than one directive", fix
    elif override.name == "content-security-policy":
        if override.directive is None:
            fix = "override one directive at a time, with directive and value"
            yield "SN015", "name", "the whole Content-Security-Policy cannot be replaced", fix
        else:
            yield from _loose(override.directive, override.value.split(), shown)
            yield from _strange(override.directive, override.value.split(), hosts, shown)


def _loose(directive: str, sources: list[str], shown: str) -> Iterator[Problem]:
    if directive in _KEPT:
        yield "SN015", "directive", f"{shown} is what the browser guard stands on", "remove the override"
    elif directive in _WITHOUT_FALLBACK and not sources:
        yield "SN015", "value", f"without {directive}, browsers allow anything", "write 'none', or what you need"
    elif directive in _RUNS_SCRIPT:
        for source in sources:
            if source.lower() in _LOOSE or _ANY_HOST.fullmatch(source):
                fix = "name the hosts, or give inline scripts a nonce or a hash"
                yield "SN015", "value", f"{shown} with {source} would run what anybody writes", fix


def _strange(directive: str, sources: list[str], hosts: Collection[str], shown: str) -> Iterator[Problem]:
    for source in sources if directive not in _NO_SOURCES else ():
        found = _HOST_SOURCE.fullmatch(source)
        if found is None or _SCHEME_SOURCE.fullmatch(source):
            continue
        host = found[1].lower()
        if host not in _LOOPBACK and host.removeprefix("*.") not in hosts:
            fix = "declare it in [[third_parties]], or among hosts in [policy] if it is yours"
            yield "SN016", "value", f"{shown} names {host}, which is not declared", fix


def _overlap(one: Override, other: Override) -> bool:
    if (one.name, one.directive) != (other.name, other.directive):
        return False
    if not one.paths or not other.paths:
        return one.paths == other.paths
    return any(other.holds_for(path.rstrip("*")) for path in one.paths) or any(
        one.holds_for(path.rstrip("*")) for path in other.paths
    )
