"""Signing in and out: what is still there afterwards (SN415), and what is there though nobody signed in (SN416)."""

from __future__ import annotations

from collections.abc import Iterator

from strictly_necessary.audit._observation import Deed, State, Trouble
from strictly_necessary.audit.judge._case import Case, is_chosen
from strictly_necessary.audit.judge._evidence import of_write
from strictly_necessary.audit.judge._merging import Raw, seen
from strictly_necessary.audit.judge._things import Sight, Thing, purpose_of
from strictly_necessary.declaration._items import Category, Item

_SIGNS = frozenset({Category.AUTHENTICATION, Category.SECURITY})


def findings(case: Case) -> Iterator[Raw]:
    for visits, sights in zip(case.visits, case.browsers, strict=True):
        numbers = {id(visit): number for number, visit in enumerate(visits)}
        moments = {
            deed: next(
                (
                    (number, index)
                    for number, visit in enumerate(visits)
                    for index, act in enumerate(visit.acts)
                    if act.deed is deed
                ),
                None,
            )
            for deed in (Deed.SIGN_IN, Deed.SIGN_OUT)
        }
        signed_in, signed_out = moments[Deed.SIGN_IN], moments[Deed.SIGN_OUT]
        if signed_out is None:  # then the state itself says when it was
            signed_out = next(
                ((number, 0) for number, visit in enumerate(visits) if visit.state is State.SIGNED_OUT), None
            )
        if any(mishap.trouble is Trouble.STEP for visit in visits for mishap in visit.mishaps):
            signed_out = None  # a script that stopped half-way signed nobody out, which is told by itself
        before: dict[Thing, str] = {}
        brought: set[Thing] = set()
        for sight in sights:
            moment = numbers[id(sight.visit)], sight.act
            item = case.item(sight.thing)
            if case.foreign(sight.thing):
                continue
            if signed_out is not None and moment >= signed_out:
                yield from _left(case, sight, item, before, brought)
                continue
            before[sight.thing] = sight.value
            if purpose_of(sight.visit, sight.act) is Deed.SIGN_IN and (sight.fresh or sight.write is not None):
                brought.add(sight.thing)
            if signed_in is None or moment < signed_in:
                yield from _too_early(case, sight, item)


def _left(case: Case, sight: Sight, item: Item | None, before: dict[Thing, str], brought: set[Thing]) -> Iterator[Raw]:
    """Still kept after signing out, with the value of before: a sign-in, or what came with it and is somebody's."""
    thing = sight.thing
    if sight.stored is None or before.get(thing) != sight.value:
        return
    if item is None:
        if case.declaration is None or thing not in brought or not case.identifiers.of(thing, sight.value):
            return
    elif Category.AUTHENTICATION not in item.categories and (
        thing not in brought or item.categories.isdisjoint(_SIGNS)
    ):
        return
    told = case.named(thing)
    message = f"{told} is still there after signing out, as it was before"
    where = seen(sight.visit, sight.act)
    yield Raw("SN415", str(told), message, where, of_write(sight.write), item=item.id if item else None)


def _too_early(case: Case, sight: Sight, item: Item | None) -> Iterator[Raw]:
    if item is None or Category.AUTHENTICATION not in item.categories or is_chosen(sight):
        return
    if sight.visit.state is State.NO_COOKIES and sight.stored is None:
        return
    thing = case.named(sight.thing)
    message = f"{thing} is declared to sign people in, and is there though nobody signed in"
    where = seen(sight.visit, sight.act)
    yield Raw("SN416", str(thing), message, where, of_write(sight.write), item=item.id)
