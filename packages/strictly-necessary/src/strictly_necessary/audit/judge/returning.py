"""What comes back after it was removed (SN417), and what the browser's cache knew (SN418)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from strictly_necessary.audit._finding import Evidence
from strictly_necessary.audit._observation import Deed, Request, State, Visit
from strictly_necessary.audit.judge._case import Case
from strictly_necessary.audit.judge._evidence import of_request, of_write
from strictly_necessary.audit.judge._merging import Raw, seen
from strictly_necessary.audit.judge._sites import shown
from strictly_necessary.audit.judge._things import Sight, Sights, Thing, removed_by
from strictly_necessary.audit.judge._values import SHORTEST, found_in, looks_drawn
from strictly_necessary.declaration._items import Kind

_SIGNED_IN = frozenset({State.SIGNED_IN, State.SIGNED_OUT})
_MARKS = (("if-none-match", "etag", "ETag"), ("if-modified-since", "last-modified", "Last-Modified"))


@dataclass(slots=True)
class _Removed:
    """What one removal took, with the identifiers in it, and where these were beside."""

    kinds: frozenset[Kind]
    identifiers: dict[Thing, frozenset[str]]
    beside: dict[str, set[Thing]] = field(default_factory=dict)

    @property
    def everything(self) -> bool:
        return self.kinds == frozenset(Kind)


def findings(case: Case) -> Iterator[Raw]:
    for visits, sights in zip(case.visits, case.browsers, strict=True):
        yield from _came_back(case, visits, sights)
    yield from _marked(case)
    yield from _led(case)


def _came_back(case: Case, visits: tuple[Visit, ...], sights: Sights) -> Iterator[Raw]:
    numbers = {id(visit): number for number, visit in enumerate(visits)}
    removals = [
        ((number, index), removed_by(act))
        for number, visit in enumerate(visits)
        for index, act in enumerate(visit.acts)
        if act.deed is Deed.REMOVE
    ]
    if not removals:
        return
    known: dict[Thing, frozenset[str]] = {}
    current: _Removed | None = None
    back: list[tuple[Sight, _Removed, frozenset[str]]] = []
    for sight in sights:
        moment = numbers[id(sight.visit)], sight.act
        while removals and removals[0][0] <= moment:
            current = _remove(removals.pop(0)[1], known)
            known = {thing: identifiers for thing, identifiers in known.items() if thing.kind not in current.kinds}
        identifiers = case.identifiers.of(sight.thing, sight.value)
        if current is not None and sight.deed is not Deed.REMOVE:
            same = identifiers & current.identifiers.get(sight.thing, frozenset())
            if same:
                back.append((sight, current, same))
        if identifiers:
            known[sight.thing] = known.get(sight.thing, frozenset()) | identifiers
    from_cache = {sight.thing for sight, removed, _ in back if removed.everything}
    for sight, removed, same in back:
        yield from _told(case, sight, removed, same, cached=sight.thing in from_cache)


def _remove(kinds: frozenset[Kind], known: dict[Thing, frozenset[str]]) -> _Removed:
    """What was known of these kinds until now. What is not of them stays, and may be where it hides."""
    gone = {thing: identifiers for thing, identifiers in known.items() if thing.kind in kinds and identifiers}
    beside: dict[str, set[Thing]] = defaultdict(set)
    for thing, identifiers in known.items():
        if thing.kind not in kinds:
            for identifier in identifiers:
                beside[identifier].add(thing)
    return _Removed(kinds, gone, dict(beside))


def _told(case: Case, sight: Sight, removed: _Removed, same: frozenset[str], *, cached: bool) -> Iterator[Raw]:
    thing, where = case.named(sight.thing), seen(sight.visit, sight.act)
    if removed.everything:
        message = f"{thing} came back with the same identifier after everything but the browser's cache was removed"
        yield Raw("SN418", str(thing), message, where, of_write(sight.write))
        return
    holding = {other for identifier in same for other in _holding(identifier, removed)} - {sight.thing}
    hidden = sorted(map(case.named, holding))
    if hidden:
        places = ", ".join(dict.fromkeys(map(str, hidden)))
        message = f"{thing} came back with the same identifier after it was removed; it was kept in {places} too"
        yield Raw("SN417", str(thing), message, where, of_write(sight.write, ("kept in", places)))
    elif not cached:
        message = f"{thing} came back with the same identifier after it was removed"
        yield Raw("SN417", str(thing), message, where, of_write(sight.write))


def _holding(identifier: str, removed: _Removed) -> set[Thing]:
    held = set(removed.beside.get(identifier, ()))
    for other, things in removed.beside.items():
        if found_in((identifier,), other):
            held |= things
    return held


def _marked(case: Case) -> Iterator[Raw]:
    """Addresses whose ETag or Last-Modified is another for each person, and which the browser sends back. Pages of
    somebody who signed in may differ."""
    given: dict[tuple[str, str], dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    sent: dict[tuple[str, str], list[tuple[int, Visit, Request, str]]] = defaultdict(list)
    for number, visits in enumerate(case.visits):
        for visit in visits:
            if visit.state in _SIGNED_IN:
                continue
            for request in visit.requests:
                for asked, answered, name in _MARKS:
                    if answered in request.headers:
                        given[request.url, name][number].add(request.headers[answered])
                    if asked in request.asked:
                        sent[request.url, name].append((number, visit, request, request.asked[asked]))
    for (url, name), requests in sent.items():
        by_browser = given[url, name]
        for number, visit, request, mark in requests:
            others = [marks for index, marks in by_browser.items() if index != number]
            kept = request.status == 304 or mark in by_browser[number]
            if not others or not kept or not _is_personal(mark, by_browser[number], others):
                continue
            where = shown(url)
            message = f"{where} has another {name} for each person, and the browser sends it back"
            evidence: Evidence = of_request(request, ("header", name))
            yield Raw("SN418", f"{name} of {where}", message, seen(visit, request.act), evidence)


def _is_personal(mark: str, own: set[str], others: list[set[str]]) -> bool:
    """Whether the mark is of this browser alone: it, or a piece of it that all marks of this browser have."""
    if len(own) == 1:
        return not any(mark in marks for marks in others)
    common = frozenset.intersection(*map(_pieces, own)) & _pieces(mark)
    return bool(common.difference(*(_pieces(each) for marks in others for each in marks)))


def _pieces(mark: str) -> frozenset[str]:
    return frozenset(each for each in re.split(r"[^0-9A-Za-z]+", mark) if len(each) >= SHORTEST)


def _led(case: Case) -> Iterator[Raw]:
    """Redirects that the browser remembers, and that lead each person to an address of their own."""
    targets: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    remembered: list[tuple[int, Visit, Request, str]] = []
    for number, visits in enumerate(case.visits):
        for visit in visits:
            for request in visit.requests:
                if request.redirect_from is None or visit.state in _SIGNED_IN:
                    continue
                before = visit.requests[request.redirect_from]
                targets[before.url][number].add(request.url)
                if before.from_cache:
                    remembered.append((number, visit, before, request.url))
    for number, visit, before, target in remembered:
        by_browser = targets[before.url]
        others = [urls for index, urls in by_browser.items() if index != number]
        if not others or any(target in urls for urls in others) or not any(map(looks_drawn, _pieces(target))):
            continue
        where = shown(before.url)
        message = f"{where} leads each person to another address, and the browser remembers to which"
        yield Raw("SN418", f"redirect of {where}", message, seen(visit, before.act), of_request(before))
