"""What is kept, as things with a name and an owner, and when each was seen: the order of events in each browser."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

from strictly_necessary.audit._observation import NO_CHOICE, Act, Deed, Observation, State, Stored, Visit, Write
from strictly_necessary.audit.judge._sites import host_of, is_third, site_of
from strictly_necessary.cookies import CookieSyntaxError, SetCookie, parse_set_cookie
from strictly_necessary.declaration import Declaration
from strictly_necessary.declaration._items import Item, Kind

BROWSERS: tuple[tuple[State, ...], ...] = (
    (State.VISIT, State.RETURNED),
    (State.SIGNED_IN, State.SIGNED_OUT),
    (State.REFUSED,),
    (State.GIVEN,),
    (State.GPC,),
    (State.NO_JAVASCRIPT,),
    (State.NO_COOKIES,),
)
"""The states that share a browser, in the order in which they take place."""

_WORDS = {
    Kind.COOKIE: "cookie",
    Kind.LOCAL: "local storage key",
    Kind.SESSION: "session storage key",
    Kind.INDEXEDDB: "database",
    Kind.CACHE: "cache",
    Kind.SERVICE_WORKER: "service worker",
    Kind.OPFS: "file",
}
_TURNS = frozenset({Deed.SIGN_IN, Deed.SIGN_OUT, Deed.GIVE, Deed.REFUSE, Deed.REMOVE})
"""After these, all that is there counts anew."""

_ENDS = frozenset({Deed.SIGN_IN, Deed.SIGN_OUT, Deed.GIVE, Deed.REFUSE})
"""Stand after the steps of a script that led there."""

_NO_CHOICE = NO_CHOICE | {Deed.GO}

_KEYS = frozenset({Kind.LOCAL, Kind.SESSION})


@dataclass(frozen=True, slots=True, order=True)
class Thing:
    """Something under one name, in one place, of one host."""

    kind: Kind
    name: str
    host: str

    def __str__(self) -> str:
        return f"{_WORDS[self.kind]} {self.name or '(no name)'} of {self.host or '(no host)'}"


@dataclass(frozen=True, slots=True)
class Sight:
    """One moment at which a thing was seen: kept, or written. `fresh` says that it was not there before; `write` is
    what brought it, as far as that is known."""

    thing: Thing
    visit: Visit
    act: int
    stored: Stored | None = None
    write: Write | None = None
    fresh: bool = False

    @property
    def deed(self) -> Deed:
        return deed_of(self.visit, self.act)

    @property
    def value(self) -> str:
        return self.stored.value if self.stored is not None else self.write.value if self.write is not None else ""


Sights: TypeAlias = tuple[Sight, ...]
"""What happened in one browser, in the order of time."""


def deed_of(visit: Visit, act: int) -> Deed:
    return visit.acts[act].deed if 0 <= act < len(visit.acts) else Deed.LOAD


def purpose_of(visit: Visit, act: int) -> Deed:
    """What an act was part of: the steps of a script that end in signing in or out, or in an answer, are that; others
    are what they are."""
    if not 0 <= act < len(visit.acts):
        return Deed.LOAD
    if visit.acts[act].told:
        for later in visit.acts[act:]:
            if later.deed in _ENDS:
                return later.deed
            if not later.told:
                break
    return visit.acts[act].deed


def is_choice(visit: Visit, act: int) -> bool:
    """Whether the act is a choice of the person. Going to a page is none about what the page does then."""
    return purpose_of(visit, act) not in _NO_CHOICE


def thing_of(stored: Stored) -> Thing:
    return Thing(stored.kind, _name(stored.kind, stored.name), host_of(stored.origin))


def _name(kind: Kind, name: str) -> str:
    """A service worker is known by the path of its script, a file by its path without a slash in front."""
    if kind is Kind.SERVICE_WORKER and "://" in name:
        return unquote(urlsplit(name).path)
    return name.strip("/") if kind is Kind.OPFS else name


def item_of(thing: Thing, declaration: Declaration | None) -> Item | None:
    """The item that declares it. A service worker may be declared by its script or by the folder of that, which is its
    scope; a file by the folder or file at the root that it lies in, as the browser's guard compares them."""
    if declaration is None:
        return None
    names = [thing.name]
    if thing.kind is Kind.SERVICE_WORKER:
        names.append(thing.name.rpartition("/")[0] + "/")
    if thing.kind is Kind.OPFS:
        top = thing.name.partition("/")[0]
        names += [top, f"{top}/", f"/{thing.name}"]
    found = (declaration.match(thing.kind, name) for name in names)
    return next((item for item in found if item is not None), None)


def is_foreign(thing: Thing, observation: Observation, declaration: Declaration | None) -> bool:
    """Whether it belongs to another site than the one that is audited, and to none of the policy's own hosts."""
    return bool(thing.host) and is_third(f"https://{_bracketed(thing.host)}/", observation.url, declaration)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def header_of(write: Write) -> SetCookie | None:
    """The attributes of the header that wrote it; the value in it is not the real one."""
    if write.header is None:
        return None
    try:
        return parse_set_cookie(write.header.replace("…", "x").encode("utf-8", "surrogatepass"))
    except CookieSyntaxError:
        return None


def visits_of(observation: Observation) -> tuple[tuple[Visit, ...], ...]:
    """The visits in each browser, in the order of `BROWSERS` and of time."""
    return tuple(tuple(visit for state in states for visit in observation.visits(state)) for states in BROWSERS)


def history(visits: tuple[Visit, ...]) -> Iterator[Sight]:
    """What happened in the browser of these visits."""
    resolve = _Resolver(visits)
    present: dict[tuple[object, ...], Stored] = {}
    previous: State | None = None
    for visit in visits:
        begins = visit.state is not previous and previous is not None
        previous = visit.state
        # A tab begins without keys of its session.
        present = {key: stored for key, stored in present.items() if stored.kind is not Kind.SESSION}
        writes: dict[int, list[Write]] = defaultdict(list)
        for write in visit.writes:
            writes[write.act].append(write)
        snapshots = {snapshot.act: snapshot for snapshot in visit.snapshots}
        pending: dict[Thing, Write] = {}
        last = max([len(visit.acts) - 1, *writes, *snapshots], default=-1)
        for act in range(last + 1):
            if act < len(visit.acts) and visit.acts[act].deed is Deed.REMOVE:
                gone = removed_by(visit.acts[act])
                present = {key: stored for key, stored in present.items() if stored.kind not in gone}
                pending = {thing: write for thing, write in pending.items() if thing.kind not in gone}
            there = {thing_of(stored) for stored in present.values()} if writes[act] else set()
            for write in writes[act]:
                if write.refused is not None:
                    continue
                thing = resolve(write, visit)
                if write.removes or (write.life is not None and write.life <= 0):
                    there.discard(thing)
                    pending.pop(thing, None)
                    continue
                fresh = thing not in there and thing not in pending
                pending[thing] = write
                yield Sight(thing, visit, act, None, write, fresh)
            if (snapshot := snapshots.get(act)) is not None:
                after = {_key(stored): stored for stored in snapshot.stored}
                for key, stored in after.items():
                    before = present.get(key)
                    if before is not None and _same(before, stored):
                        continue
                    thing = thing_of(stored)
                    by = pending.get(thing)
                    yield Sight(thing, visit, act, stored, by, before is None and by is None)
                present = after | _unseen(present, after, visit)
            if deed_of(visit, act) in _TURNS or (begins and snapshot is not None):
                begins = False
                yield from (Sight(thing_of(stored), visit, act, stored) for stored in present.values())


def removed_by(act: Act) -> frozenset[Kind]:
    """What an act of removing takes away, by the words of its target: `cookies`, `keys`, `all but cookies` or
    `everything`, which is meant by no words too."""
    text, but, kept = (act.target or "").lower().partition(" but ")
    if but and (rest := removed_by(Act(act.deed, kept))) != frozenset(Kind):
        return removed_by(Act(act.deed, text)) - rest
    words = frozenset(re.findall(r"[a-z]+", text))
    if words & {"everything", "all"} or not words:
        return frozenset(Kind)
    kinds: frozenset[Kind] = frozenset()
    if words & {"cookies", "cookie"}:
        kinds |= {Kind.COOKIE}
    if words & {"keys", "key", "local", "session", "storage"}:
        kinds |= _KEYS
    return kinds or frozenset(Kind)


def _key(stored: Stored) -> tuple[object, ...]:
    cookie = stored.cookie
    place = (cookie.domain, cookie.path) if cookie else (stored.origin, "")
    return stored.kind, stored.name, *place, stored.partition


def _same(before: Stored, after: Stored) -> bool:
    if before is after:
        return True
    if before.value != after.value:
        return False
    if before.cookie is None or after.cookie is None:
        return before.cookie is after.cookie
    return replace(before.cookie, life=None) == replace(after.cookie, life=None)


def _unseen(
    before: dict[tuple[object, ...], Stored], after: dict[tuple[object, ...], Stored], visit: Visit
) -> dict[tuple[object, ...], Stored]:
    """What is not in a snapshot because no frame of its origin was there to be asked. The jar is always whole."""
    here = host_of(visit.address)
    return {
        key: stored
        for key, stored in before.items()
        if key not in after
        and stored.kind is not Kind.COOKIE
        and (stored.partition is not None or host_of(stored.origin) != here)
    }


class _Resolver:
    """Finds the thing that a write is about: a cookie may belong to a host above the one that wrote it, and a frame of
    another host on the same site may share its process, and so the address, with the page."""

    def __init__(self, visits: tuple[Visit, ...]) -> None:
        self._hosts: dict[tuple[Kind, str], set[str]] = defaultdict(set)
        last: tuple[Stored, ...] | None = None
        for visit in visits:
            for snapshot in visit.snapshots:
                if snapshot.stored is last:
                    continue
                last = snapshot.stored
                for stored in last:
                    self._hosts[stored.kind, _name(stored.kind, stored.name)].add(host_of(stored.origin))

    def __call__(self, write: Write, visit: Visit) -> Thing:
        host = writer_host(write, visit)
        name = _name(write.kind, write.name)
        cookie = header_of(write)
        if cookie is not None:
            return Thing(write.kind, name, cookie.domain or host)
        known = self._hosts.get((write.kind, name), set())
        if host in known:
            return Thing(write.kind, name, host)
        near = [each for each in known if host.endswith(f".{each}") or site_of(each) == site_of(host)]
        return Thing(
            write.kind, name, max(near, key=lambda each: (host.endswith(f".{each}"), len(each), each), default=host)
        )


def writer_host(write: Write, visit: Visit) -> str:
    """The host in whose name something was written: that of the answer, or of the document or worker. What has no
    address of its own, such as about:blank, has that of the page."""
    if write.header is not None:
        return host_of(write.address)
    for address in (write.worker, write.frame):
        host = host_of((address or "").removeprefix("blob:"))
        if host:
            return host
    return host_of(visit.address) or host_of(visit.url)
