"""What the browser did with each Set-Cookie line: its own reasons in plain words, and the jar where it gives none."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from strictly_necessary.audit._observation import Cookie, Stored, Write
from strictly_necessary.cookies import CookieSyntaxError, SetCookie, lifetime, parse_set_cookie, refusal
from strictly_necessary.declaration._items import Kind

if TYPE_CHECKING:
    from strictly_necessary.audit.browser._recording import Hop

REASONS = {
    "SecureOnly": "is Secure, and did not come over https",
    "SameSiteStrict": "has SameSite=Strict, and came in an answer to another site",
    "SameSiteLax": "has SameSite=Lax, and came in an answer to another site",
    "SameSiteUnspecifiedTreatedAsLax": "has no SameSite, so counts as Lax, and came in an answer to another site",
    "SameSiteNoneInsecure": "has SameSite=None, and is not Secure",
    "UserPreferences": "the browser is set to take no such cookie",
    "ThirdPartyPhaseout": "the browser takes no cookie of a third party",
    "ThirdPartyBlockedInFirstPartySet": "the browser takes no cookie of a third party",
    "SyntaxError": "is not a cookie",
    "SchemeNotSupported": "came over something that has no cookies",
    "OverwriteSecure": "would replace a Secure cookie, and did not come over https",
    "InvalidDomain": "has a Domain to which the host does not belong",
    "InvalidPrefix": "has the prefix of a protected cookie, and not what the prefix asks for",
    "UnknownError": "the browser did not take it and gives no reason",
    "SchemefulSameSiteStrict": "has SameSite=Strict, and came in an answer to another scheme",
    "SchemefulSameSiteLax": "has SameSite=Lax, and came in an answer to another scheme",
    "SchemefulSameSiteUnspecifiedTreatedAsLax": "has no SameSite, and came in an answer to another scheme",
    "NameValuePairExceedsMaxSize": "is longer than 4096 bytes",
    "DisallowedCharacter": "has a control character",
    "NoCookieContent": "has neither name nor value",
}
"""The browser's words of `Network.SetCookieBlockedReason`."""


@dataclass(slots=True)
class Jar:
    """What is in the jar at the end, and what was there or removed on the way: who is absent, and was never removed,
    was not taken."""

    kept: set[tuple[str, str]] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    blocks_all: bool = False

    def look(self, stored: Iterable[Stored]) -> None:
        for each in stored:
            if each.kind is Kind.COOKIE:
                self.kept.add((each.name, each.origin.removeprefix("//")))

    def has(self, name: str, domain: str | None, host: str) -> bool:
        return (name, domain or host) in self.kept or (name, host) in self.kept

    def script_writes(self, writes: list[Write]) -> list[Write]:
        """Cookies of scripts that are nowhere were refused."""
        return [self._script(write) if write.kind is Kind.COOKIE and not write.removes else write for write in writes]

    def _script(self, write: Write) -> Write:
        if write.name in self.removed or any(name == write.name for name, _ in self.kept):
            return write
        return replace(write, refused=write.refused or "the browser did not take it")


def header_writes(hop: Hop, number: int, jar: Jar) -> list[Write]:
    """One write for each Set-Cookie line of this answer."""
    assert hop.answer is not None  # noqa: S101 - the caller has looked
    where = urlsplit(hop.url)
    host = where.hostname or ""
    result = []
    for line in hop.answer.lines:
        parsed, broken = _parse(line)
        name = parsed.name.decode("utf-8", "replace") if parsed else line.partition("=")[0].strip()
        life = lifetime(parsed, time.time()) if parsed else None
        removes = life == 0
        result.append(
            Write(
                kind=Kind.COOKIE,
                name=name,
                address=hop.url,
                act=hop.act,
                header=without_value(line),
                frame=hop.frame,
                worker=hop.worker,
                value=parsed.value.decode("utf-8", "replace") if parsed else "",
                life=life,
                refused=_refused(line, parsed, broken, hop, host, where.scheme in {"https", "wss"}, jar, removes),
                removes=removes,
                request=number,
            )
        )
    return result


def without_value(line: str) -> str:
    """The Set-Cookie line with `…` for the value."""
    pair, semicolon, rest = line.partition(";")
    name, equals, _ = pair.partition("=")
    return f"{name}=…{semicolon}{rest}" if equals else f"…{semicolon}{rest}"


def _parse(line: str) -> tuple[SetCookie | None, str | None]:
    try:
        return parse_set_cookie(line.encode("utf-8", "surrogateescape")), None
    except CookieSyntaxError as error:
        return None, str(error)


def _refused(
    line: str, parsed: SetCookie | None, broken: str | None, hop: Hop, host: str, secure: bool, jar: Jar, removes: bool
) -> str | None:
    assert hop.answer is not None  # noqa: S101
    reasons = hop.answer.blocked.get(line)
    own = broken or (refusal(parsed, host=host, secure=secure) if parsed else None)
    if reasons is not None:
        return own or "; ".join(REASONS.get(each, f"the browser says {each}") for each in reasons)
    if parsed is None:
        return own
    name = parsed.name.decode("utf-8", "replace")
    if removes or name in jar.removed or jar.has(name, parsed.domain, host):
        return None
    return own or "the browser did not keep it"


def stored_cookies(cookies: Iterable[dict[str, Any]], now: float) -> list[Stored]:
    """The jar, as `Storage.getCookies` tells it."""
    result = []
    for each in cookies:
        partition = (each.get("partitionKey") or {}).get("topLevelSite")
        cookie = Cookie(
            domain=each["domain"],
            path=each["path"],
            secure=each["secure"],
            http_only=each["httpOnly"],
            same_site=each.get("sameSite"),
            life=None if each["session"] else each["expires"] - now,
            partition=partition,
        )
        origin = "//" + each["domain"].removeprefix(".")
        result.append(Stored(Kind.COOKIE, each["name"], origin, each["value"], cookie, partition))
    return result
