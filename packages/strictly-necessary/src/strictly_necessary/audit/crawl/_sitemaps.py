"""The pages that a site lists itself (sitemaps.org, protocol 0.9)."""

from __future__ import annotations

import re
import zlib
from collections import deque
from collections.abc import Iterable
from html import unescape
from urllib.parse import urljoin

from strictly_necessary.audit._plan import Plan
from strictly_necessary.audit.crawl._fetching import fetch
from strictly_necessary.audit.crawl._frontier import Site

MOST_ENTRIES = 10_000
_MOST_FILES = 50
_MOST_BYTES = 50 * 1024 * 1024
"""Of one file, unpacked, as the protocol has it."""

# A pattern and no parser: sitemaps are often not quite XML, and entities of XML can be made to fill any memory.
_PLACE = re.compile(
    r"<(?:[\w-]+:)?loc\s*>\s*(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?\s*</(?:[\w-]+:)?loc\s*>", re.DOTALL | re.IGNORECASE
)
_INDEX = re.compile(rb"<(?:[\w-]+:)?sitemapindex[\s>]", re.IGNORECASE)


def entries(body: bytes) -> tuple[list[str], bool]:
    """The addresses in one file, and whether they are further sitemaps. A text file has one in each line."""
    raw = _unpacked(body)
    text = raw.decode("utf-8-sig", "replace")
    if "<" not in text[:1000]:
        return [line.strip() for line in text.splitlines()[:MOST_ENTRIES] if line.strip().startswith("http")], False
    found: list[str] = []
    for match in _PLACE.finditer(text):
        found.append(unescape(match[1].strip()))
        if len(found) >= MOST_ENTRIES:
            break
    return found, _INDEX.search(raw[:10_000]) is not None


def _unpacked(body: bytes) -> bytes:
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        return zlib.decompressobj(wbits=31).decompress(body, _MOST_BYTES)
    except zlib.error:
        return b""


async def listed(plan: Plan, site: Site, named: Iterable[str]) -> list[str]:
    """The site's pages in the order of its sitemaps: those that robots.txt names, else /sitemap.xml."""
    waiting = deque(named) or deque([urljoin(plan.url, "/sitemap.xml")])
    known = set(waiting)
    found: dict[str, None] = {}
    files = 0
    while waiting and files < _MOST_FILES and len(found) < MOST_ENTRIES:
        address = waiting.popleft()
        if not site.has(address):
            continue
        files += 1
        answer = await fetch(
            address, resolve=plan.resolve, insecure=plan.insecure, limit=_MOST_BYTES, seconds=plan.timeout
        )
        if answer.status != 200:
            continue
        places, is_index = entries(answer.body)
        for place in places:
            if is_index and place not in known:
                known.add(place)
                waiting.append(place)
            elif not is_index and site.has(place) and len(found) < MOST_ENTRIES:
                found[place] = None
    return list(found)
