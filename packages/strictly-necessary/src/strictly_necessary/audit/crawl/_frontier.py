"""Which pages come next: always in the same order, on the same site only, and not for ever."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import parse_qsl, urljoin, urlsplit, urlunsplit

_PORTS = {"http": 80, "https": 443}
_FILES = re.compile(
    r"\.(?:7z|avi|avif|bmp|bz2|css|csv|deb|dmg|docx?|eot|epub|exe|flac|gif|gz|ico|ics|iso|jar|jpe?g|js|json|m4[av]|mjs|mov|"
    r"mp[34]|msi|odt|og[gv]|otf|pdf|png|pptx?|rar|rpm|rss|svg|tar|tgz|tiff?|ttf|wasm|wav|web[mp]|woff2?|xlsx?|xml|xz|zip)$",
    re.IGNORECASE,
)
_VARIABLE = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{12,}|\d+", re.IGNORECASE)
_LONGEST = 2000

ALIKE = 10
"""So many addresses of one pattern come in their turn; the others after everything else."""

CHAIN = 25
"""So many pages of one pattern in a row, each found on the one before, as in a calendar; then it ends."""


def normal(url: str, base: str | None = None) -> str | None:
    """The address as one page is written once: without fragment and default port, the host in lower case. None if it
    is not the address of a page on the web."""
    try:
        parts = urlsplit(urljoin(base, url.strip()) if base else url.strip())
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not host or len(url) > _LONGEST:
        return None
    where = f"[{host}]" if ":" in host else host
    if port is not None and port != _PORTS[parts.scheme]:
        where = f"{where}:{port}"
    return urlunsplit((parts.scheme, where, parts.path or "/", parts.query, ""))


def pattern(url: str) -> str:
    """What addresses have in common that differ in numbers, long identifiers, or what a query says."""
    parts = urlsplit(url)
    names = sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)})
    return f"{parts.netloc}{_VARIABLE.sub('#', parts.path)}?{'&'.join(names)}"


@dataclass(frozen=True, slots=True)
class Site:
    """What belongs to the site: its own host and port, and the policy's other hosts on any usual port."""

    host: str
    port: int | None
    others: frozenset[str] = frozenset()

    @classmethod
    def of(cls, url: str, others: Iterable[str] = ()) -> Site:
        parts = urlsplit(normal(url) or url)
        return cls(parts.hostname or "", parts.port, frozenset(others))

    def has(self, url: str) -> bool:
        """False, too, for what is no address: sites write anything."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            return False
        return (host, port) == (self.host, self.port) or (host in self.others and port in {None, self.port})

    @property
    def hosts(self) -> list[str]:
        return sorted({self.host, *self.others})


class Frontier:
    """The pages of one crawl, breadth first. `add` takes what was found, `next` gives what to look at; `leaves` are
    words in addresses that are not followed."""

    def __init__(self, site: Site, *, exclude: Iterable[str] = (), leaves: str | None = None) -> None:
        self.site = site
        self._exclude = tuple(exclude)
        self._leaves = re.compile(leaves, re.IGNORECASE) if leaves else None
        self._seen: set[str] = set()
        self._soon: deque[str] = deque()
        self._later: deque[str] = deque()
        self._alike: Counter[str] = Counter()
        self._chain: dict[str, int] = {}

    def add(self, url: str, found_on: str | None = None, *, text: str = "", asked: bool = False) -> bool:
        """Whether it is a page to look at that was not known. `asked` means that a person named it."""
        address = normal(url, found_on)
        if address is None or address in self._seen or not self.site.has(address):
            return False
        if self._ends(address, text) or not (asked or self._welcome(address)):
            return False
        same = pattern(address)
        chain = self._chain.get(found_on, 0) + 1 if found_on and pattern(found_on) == same else 0
        if chain > CHAIN:
            return False
        self._seen.add(address)
        self._chain[address] = chain
        self._alike[same] += 1
        is_usual = asked or (self._alike[same] <= ALIKE and not _repeats(address))
        (self._soon if is_usual else self._later).append(address)
        return True

    def knows(self, url: str) -> None:
        """It was looked at, by whatever way."""
        address = normal(url)
        if address:
            self._seen.add(address)

    def next(self) -> str | None:
        queue = self._soon or self._later
        return queue.popleft() if queue else None

    def __len__(self) -> int:
        return len(self._soon) + len(self._later)

    def _welcome(self, address: str) -> bool:
        parts = urlsplit(address)
        path = _path(address)
        if _FILES.search(parts.path):
            return False
        return not any(fnmatchcase(parts.path, each) or fnmatchcase(path, each) for each in self._exclude)

    def _ends(self, address: str, text: str) -> bool:
        """Whether looking at it may already end something: then it is not followed, whoever named it."""
        if self._leaves is None:
            return False
        return bool(self._leaves.search(_path(address)) or self._leaves.search(text.replace(" ", "-")))


def _path(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _repeats(address: str) -> bool:
    """Whether one part of the path stands there three times, as where relative links go round in circles."""
    parts = [part for part in urlsplit(address).path.split("/") if part]
    return bool(parts) and max(Counter(parts).values()) >= 3
