"""Coming back after something was removed: what then returns was hidden somewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from strictly_necessary.audit._observation import Visit
from strictly_necessary.declaration._items import Kind

ROUNDS: Final = (
    ("cookies", frozenset({Kind.COOKIE})),
    ("all but cookies", frozenset(Kind) - {Kind.COOKIE}),
    ("everything", frozenset(Kind)),
)
"""What is removed, and what the act says of it. The HTTP cache stays each time."""

MOST_LINKED = 20
"""Pages that keep things in several places, of which one may bring back the other."""

MOST_OTHERS = 10
"""Pages that keep one thing, and as many that only have answers with a tag of their own."""


def pages(visits: Sequence[Visit]) -> list[str]:
    """The pages to come back to, in the order of the visits: the first, and those where something began to be kept or
    came with an ETag of its own."""
    kept: set[tuple[str, str, str]] = set()
    tags: set[str] = set()
    ranks: dict[str, int] = {}
    for visit in visits:
        last = visit.snapshots[-1].stored if visit.snapshots else ()
        new = {(each.kind, each.name, each.origin) for each in last} - kept
        tagged = _tagged(visit) - tags
        kept |= new
        tags |= tagged
        kinds = {kind for kind, _, _ in new}
        if len(kinds) > 1 or (kinds and tagged):
            rank = 0
        elif kinds or tagged:
            rank = 1 if kinds else 2
        else:
            continue
        ranks[visit.url] = min(rank, ranks.get(visit.url, rank))
    chosen = {url for rank in range(3) for url in _first(ranks, rank, MOST_OTHERS if rank else MOST_LINKED)}
    first = visits[0].url if visits else None
    return list(dict.fromkeys(visit.url for visit in visits if visit.url in chosen or visit.url == first))


def _first(ranks: dict[str, int], rank: int, most: int) -> list[str]:
    return [url for url, each in ranks.items() if each == rank][:most]


def _tagged(visit: Visit) -> set[str]:
    """Addresses whose answers have a tag, but no date: servers of files give both."""
    return {
        each.url
        for each in visit.requests
        if "etag" in each.headers and "last-modified" not in each.headers and each.type != "document"
    }


def trouble_free(visits: Iterable[Visit]) -> list[Visit]:
    """Those that showed a page."""
    return [visit for visit in visits if any(each.type == "document" and each.status for each in visit.requests)]
