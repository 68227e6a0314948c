"""Politeness to sites that are not on this machine: what robots.txt asks for, and time between pages."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urljoin, urlsplit

from strictly_necessary.audit._plan import Plan
from strictly_necessary.audit.crawl._fetching import AGENT, fetch, is_local

_LIMIT = 512 * 1024
"""RFC 9309 section 2.5 asks for at least 500 KiB."""

LONGEST_DELAY = 60.0
_USUAL_DELAY = 1.0


@dataclass(frozen=True, slots=True)
class Rules:
    """What one robots.txt asks of us (RFC 9309): paths with whether they are allowed, the delay in seconds that many
    write, and the sitemaps."""

    paths: tuple[tuple[str, bool], ...] = ()
    delay: float | None = None
    sitemaps: tuple[str, ...] = ()

    def allow(self, url: str) -> bool:
        """The longest matching rule counts, and of two alike the one that allows (section 2.2.2)."""
        parts = urlsplit(url)
        path = _plain(parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        fitting = [(len(rule), allowed) for rule, allowed in self.paths if _matches(rule, path)]
        return max(fitting)[1] if fitting else True


ALL_REFUSED = Rules(paths=(("/", False),))


def parse(text: str) -> Rules:
    """Those for our own name if there are any, else those for everybody."""
    groups: dict[str, list[tuple[str, str]]] = {}
    agents: list[str] = []
    sitemaps: list[str] = []
    heads = False
    for line in text.lstrip("\ufeff").splitlines():
        key, separator, value = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if not separator:
            continue
        if key == "sitemap":
            sitemaps.append(value)
        elif key == "user-agent":
            agents = [*agents, value.lower()] if heads else [value.lower()]
            groups.setdefault(value.lower(), [])
        else:
            for agent in agents:
                groups[agent].append((key, value))
        heads = key == "user-agent" or (heads and key == "sitemap")
    ours = groups.get(AGENT, groups.get("*", []))
    paths = tuple((value, key == "allow") for key, value in ours if key in {"allow", "disallow"} and value)
    delay = next((_seconds(value) for key, value in ours if key == "crawl-delay"), None)
    return Rules(paths, delay, tuple(sitemaps))


def _seconds(text: str) -> float | None:
    try:
        return min(max(float(text), 0.0), LONGEST_DELAY)
    except ValueError:
        return None


def _plain(path: str) -> str:
    return quote(unquote(path), safe="/:@!$&'()*+,;=~-._%")


def _matches(rule: str, path: str) -> bool:
    ends = rule.endswith("$")
    parts = _plain(rule.removesuffix("$")).split("*")
    return re.match(".*".join(map(re.escape, parts)) + ("$" if ends else ""), path, re.DOTALL) is not None


@dataclass
class Politeness:
    """One for a whole audit, whatever the number of persons."""

    plan: Plan
    _rules: dict[str, Rules] = field(default_factory=dict)
    _last: dict[str, float] = field(default_factory=dict)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def rules(self, url: str) -> Rules:
        """Of the site of this address. Sites on this machine are asked only for sitemaps. Where a server fails, all is
        refused; where there is no file, nothing is (RFC 9309 section 2.3.1)."""
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        async with self._lock:
            if site not in self._rules:
                self._rules[site] = await self._read(site)
        return self._rules[site]

    async def _read(self, site: str) -> Rules:
        plan = self.plan
        address = urljoin(site, "/robots.txt")
        answer = await fetch(address, resolve=plan.resolve, insecure=plan.insecure, limit=_LIMIT, seconds=plan.timeout)
        if answer.status == 200:
            rules = parse(answer.body.decode("utf-8", "replace"))
        else:
            rules = ALL_REFUSED if answer.status >= 500 or answer.status == 429 else Rules()
        if plan.ignore_robots or is_local(site, plan.resolve):
            return Rules(sitemaps=rules.sitemaps)
        return rules

    async def refusal(self, url: str) -> str | None:
        """Why the page is not to be looked at, in words, or None."""
        rules = await self.rules(url)
        if rules.allow(url):
            return None
        if rules is ALL_REFUSED:
            return "robots.txt could not be read because the server fails, so nothing here is looked at"
        return f"robots.txt asks {AGENT} not to look at this page"

    async def turn(self, url: str) -> None:
        """Wait until the next page of this site may be asked for."""
        if is_local(url, self.plan.resolve):
            return
        delay = self.plan.rate
        if delay is None:
            told = (await self.rules(url)).delay
            delay = _USUAL_DELAY if told is None else told
        host = urlsplit(url).hostname or ""
        now = time.monotonic()
        at = max(now, self._last.get(host, 0.0) + delay)
        self._last[host] = at
        if at > now:
            await asyncio.sleep(at - now)
