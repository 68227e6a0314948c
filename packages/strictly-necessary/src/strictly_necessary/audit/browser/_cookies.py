"""What the browser did with each Set-Cookie line: its own reasons in plain words, and the jar where it gives none."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
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


_FLEETING = 30
"""Seconds: a shorter life may be over before anybody looks."""


@dataclass(slots=True)
class Jar:
    """What was in the jar whenever it was looked at, and what was removed on the way: what was in neither was not
    taken."""

    kept: set[tuple[str, str, str]] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    cleared: bool = False
    """A response said Clear-Site-Data."""

    looked: bool = False

    def look(self, stored: Iterable[Stored]) -> None:
        """One look: name, host and value of each."""
        self.looked = True
        self.kept.update((each.name, each.origin.removeprefix("//"), each.value) for each in stored)

    def lacks(self, name: str, life: float | None) -> bool:
        """Whether a cookie that nobody removed is nowhere."""
        if not self.looked or self.cleared or name in self.removed or (life is not None and life < _FLEETING):
            return False
        return all(name != each for each, _, _ in self.kept)

    def has_value(self, name: str, value: str) -> bool:
        return any((name, value) == (each, kept) for each, _, kept in self.kept)

    def script_writes(self, writes: list[Write]) -> list[Write]:
        """Cookies of scripts that are nowhere were refused."""
        return [self._script(write) if write.kind is Kind.COOKIE and not write.removes else write for write in writes]

    def _script(self, write: Write) -> Write:
        return replace(write, refused="the browser did not take it") if self.lacks(write.name, write.life) else write


def header_writes(hop: Hop, number: int, jar: Jar) -> list[Write]:
    """One write for each Set-Cookie line of this answer."""
    result = []
    for line in hop.answer.lines if hop.answer else ():
        parsed, broken = _parse(line)
        name = parsed.name.decode("utf-8", "replace") if parsed else line.partition("=")[0].strip()
        life = lifetime(parsed, time.time()) if parsed else None
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
                refused=_refused(line, parsed, broken, hop, jar),
                removes=life == 0,
                request=number,
            )
        )
    return result


def removed_names(line: str) -> Iterator[str]:
    """The cookie's name, if the line removes it."""
    parsed, _ = _parse(line)
    if parsed and lifetime(parsed, time.time()) == 0:
        yield parsed.name.decode("utf-8", "replace")


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


def _refused(line: str, parsed: SetCookie | None, broken: str | None, hop: Hop, jar: Jar) -> str | None:
    if hop.answer is None or parsed is None:
        return broken
    where = urlsplit(hop.url)
    own = refusal(parsed, host=where.hostname or "", secure=where.scheme in {"https", "wss"})
    reasons = hop.answer.blocked.get(line)
    if reasons is not None:
        return own or "; ".join(REASONS.get(each, f"the browser says {each}") for each in reasons)
    name, value = (text.decode("utf-8", "replace") for text in (parsed.name, parsed.value))
    life = lifetime(parsed, time.time())
    if life == 0:
        return None
    if own is not None and not jar.has_value(name, value):
        return own
    return "the browser did not keep it" if jar.lacks(name, life) else None


def stored_cookies(cookies: Iterable[dict[str, Any]], now: float, lives: Mapping[str, float | None]) -> list[Stored]:
    """The jar, as `Storage.getCookies` tells it. `lives` are what scripts asked for: the page's clock runs ahead, and
    an end that a script reckons from it is later by as much."""
    result = []
    for each in cookies:
        life = None if each["session"] else each["expires"] - now
        asked = lives.get(each["name"])
        if life is not None and asked is not None:
            life = min(life, asked)
        partition = (each.get("partitionKey") or {}).get("topLevelSite")
        cookie = Cookie(
            domain=each["domain"],
            path=each["path"],
            secure=each["secure"],
            http_only=each["httpOnly"],
            same_site=each.get("sameSite"),
            life=life,
            partition=partition,
        )
        origin = "//" + each["domain"].removeprefix(".")
        result.append(Stored(Kind.COOKIE, each["name"], origin, each["value"], cookie, partition))
    return result
