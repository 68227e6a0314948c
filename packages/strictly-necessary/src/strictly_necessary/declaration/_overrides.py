"""What an override of a security header may not do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator

from strictly_necessary.declaration._items import Override
from strictly_necessary.declaration._vocabulary import (
    ADVERTISING,
    DIRECTIVES,
    FEATURES,
    KEYWORDS,
    LISTS,
    SOURCE_LISTS,
    VALUES,
)

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
"""The headers that are overridden one part at a time."""

_CSP = "content-security-policy"
_ADVERTISES = frozenset(
    {
        "attribution-reporting-register-source",
        "attribution-reporting-register-trigger",
        "observe-browsing-topics",
    }
)
_RUNS_SCRIPT = frozenset(
    {"default-src", "script-src", "script-src-elem", "script-src-attr", "worker-src", "object-src", "base-uri"}
)
_LOOSE = frozenset({"'unsafe-inline'", "'unsafe-eval'", "http:", "https:", "data:", "blob:", "ws:", "wss:"})
_LOCAL_SCHEMES = frozenset({"blob:", "data:", "filesystem:", "mediastream:"})
_ANY_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?\*(?::\S*)?(?:/\S*)?", re.IGNORECASE)
_KEPT = frozenset({"require-trusted-types-for", "trusted-types"})
_WITHOUT_FALLBACK = frozenset({"default-src", "base-uri", "form-action"})
_SCHEME_SOURCE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_NONCE_OR_HASH = re.compile(r"'(?:nonce|sha(?:256|384|512))-[A-Za-z0-9+/_-]+={0,2}'")
_HOST_SOURCE = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://)?((?:\*\.)?[a-z0-9][a-z0-9.-]*)(?::(?:\*|[0-9]+))?(?:/\S*)?", re.IGNORECASE
)
_ALLOWLIST = re.compile(r'\*|[a-z-]+|"[^"\s]+"|\(\s*(?:(?:[a-z*-]+|"[^"\s]+")\s*)*\)')
_ORIGIN = re.compile(r"https?://([^\s/\"':?#\\]+)", re.IGNORECASE)
_LOOPBACK = frozenset({"127.0.0.1", "localhost"})

Problem = tuple[str, str, str, str]
"""Code, key, message, fix."""

_DECLARE = "declare it in [[third_parties]], or among hosts in [policy] if it is yours"


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
    elif override.name in IN_PARTS and override.directive is None:
        fix = "override one directive at a time, with directive and value"
        yield "SN015", "name", f"the whole of {override.name} cannot be replaced", fix
    elif override.name == _CSP:
        yield from _policy(override.directive or "", override.value.split(), hosts, shown)
    elif override.name == "permissions-policy":
        yield from _feature(override.directive or "", override.value, hosts, shown)
    elif override.name in VALUES:
        yield from _value(override.name, override.value)
    elif override.value:
        yield from _unsent(override.name, override.value, hosts)


def hosts_in(override: Override) -> Iterator[str]:
    """The hosts that the value names, in small letters and without a star in front."""
    if override.name != _CSP:
        yield from (found[1].lower() for found in _ORIGIN.finditer(override.value))
    elif override.directive in SOURCE_LISTS:
        for source in override.value.split():
            found = _HOST_SOURCE.fullmatch(source)
            if found is not None and not _SCHEME_SOURCE.fullmatch(source):
                yield found[1].lower().removeprefix("*.")


def is_declared(host: str, hosts: Collection[str]) -> bool:
    """Whether the host is this machine, or among `hosts`. Letter case does not count."""
    return host.lower() in _LOOPBACK or host.lower() in hosts


def _policy(directive: str, sources: list[str], hosts: Collection[str], shown: str) -> Iterator[Problem]:
    if directive not in DIRECTIVES:
        yield "SN017", "directive", f"no browser knows the directive {directive!r}", _nearest(directive, DIRECTIVES)
    elif directive in _KEPT:
        yield "SN015", "directive", f"{shown} is what the browser guard stands on", "remove the override"
    elif directive in _WITHOUT_FALLBACK and not sources:
        yield "SN015", "value", f"without {directive}, browsers allow anything", "write 'none', or what you need"
    elif directive in SOURCE_LISTS:
        for source in sources:
            yield from _source(directive, source, hosts, shown)


def _source(directive: str, source: str, hosts: Collection[str], shown: str) -> Iterator[Problem]:
    word = source.lower()
    if directive in _RUNS_SCRIPT and (word in _LOOSE or _ANY_HOST.fullmatch(source)):
        fix = "name the hosts, or give inline scripts a nonce or a hash"
        yield "SN015", "value", f"{shown} with {source} would run what anybody writes", fix
    elif word in KEYWORDS or _NONCE_OR_HASH.fullmatch(source) or (directive == "report-uri" and source[0] == "/"):
        return
    elif source.startswith("'"):
        yield "SN017", "value", f"no browser knows the source {source}", _nearest(source, KEYWORDS)
    elif _ANY_HOST.fullmatch(source):
        yield "SN016", "value", f"{shown} with {source} opens it to every host there is", "name the hosts"
    elif _SCHEME_SOURCE.fullmatch(source):
        if word not in _LOCAL_SCHEMES:
            yield "SN016", "value", f"{shown} with {source} opens it to every host there is", "name the hosts"
    elif (found := _HOST_SOURCE.fullmatch(source)) is None:
        fix = "write such as 'self' or https://media.example.org"
        yield "SN017", "value", f"{source} is not a source", fix
    elif not is_declared(found[1].removeprefix("*."), hosts):
        yield "SN016", "value", f"{shown} names {found[1].lower()}, which is not declared", _DECLARE


def _feature(feature: str, value: str, hosts: Collection[str], shown: str) -> Iterator[Problem]:
    if feature not in FEATURES:
        yield "SN017", "directive", f"no browser knows the feature {feature!r}", _nearest(feature, FEATURES)
    elif feature in ADVERTISING:
        if value.replace(" ", "") != "()":
            yield "SN015", "value", f"{shown} serves advertising and stays closed", "remove the override"
    elif value and not _ALLOWLIST.fullmatch(value):
        fix = 'write such as (self), (self "https://media.example.org") or ()'
        yield "SN017", "value", f"{value} does not say who may use {feature}", fix
    else:
        if "*" in value.strip("()").split():
            yield "SN016", "value", f"{shown} with * opens it to every host there is", "name the hosts"
        yield from _origins(value, hosts, shown)


def _value(name: str, value: str) -> Iterator[Problem]:
    allowed = VALUES[name]
    parts = [part.strip() for part in value.split(",")] if name in LISTS else [value.strip()]
    for part in parts if value else ():
        if part.lower() not in {word.lower() for word in allowed}:
            yield "SN017", "value", f"{name} is {part!r}", f"write one of: {', '.join(allowed)}"


def _unsent(name: str, value: str, hosts: Collection[str]) -> Iterator[Problem]:
    if name in _ADVERTISES:
        yield "SN015", "name", f"{name} serves advertising and stays away", "remove the override"
    yield from _origins(value, hosts, name)


def _origins(value: str, hosts: Collection[str], shown: str) -> Iterator[Problem]:
    for found in _ORIGIN.finditer(value):
        host = found[1].lower()
        if not is_declared(host.removeprefix("*."), hosts):
            yield "SN016", "value", f"{shown} names {host}, which is not declared", _DECLARE


def _nearest(word: str, words: Collection[str]) -> str:
    near = difflib.get_close_matches(word, sorted(words), 1)
    # What people leave out is most often the hyphen, and that weighs little in a short word.
    bare = {each.replace("-", "").replace("'", ""): each for each in words}
    same = bare.get(word.replace("-", "").replace("'", ""))
    found = same or (near[0] if near else None)
    return f"did you mean {found}?" if found else f"write one of: {', '.join(sorted(words))}"


def _overlap(one: Override, other: Override) -> bool:
    if (one.name, one.directive) != (other.name, other.directive):
        return False
    if not one.paths or not other.paths:
        return one.paths == other.paths
    return any(other.holds_for(path.rstrip("*")) for path in one.paths) or any(
        one.holds_for(path.rstrip("*")) for path in other.paths
    )
