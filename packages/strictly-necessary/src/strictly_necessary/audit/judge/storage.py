"""What is kept and not declared (SN401), by whom else (SN429), with other values (SN406), without a choice (SN410),
what the browser refused (SN407), and what is declared and never seen (SN402)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from strictly_necessary.audit._finding import Evidence, Sighting
from strictly_necessary.audit._observation import State
from strictly_necessary.audit.judge._case import Case, is_chosen, is_navigation
from strictly_necessary.audit.judge._evidence import of_write, told_life
from strictly_necessary.audit.judge._merging import Raw, seen
from strictly_necessary.audit.judge._sites import host_of, party_of, site_of
from strictly_necessary.audit.judge._things import Sight, Thing, writer_host
from strictly_necessary.declaration._items import Category, Item, Kind, SetBy

_SINGLE = frozenset({Kind.COOKIE, Kind.LOCAL, Kind.SESSION})
"""Kinds that keep one value under one name."""


def findings(case: Case) -> Iterator[Raw]:
    yield from _kept(case)
    yield from _in_workers(case)
    yield from _refused(case)
    yield from _never_seen(case)


def _kept(case: Case) -> Iterator[Raw]:
    stays = {sight.thing for sights in case.browsers for sight in sights if sight.stored is not None}
    for sights in case.browsers:
        chosen: set[str] = set()
        first: dict[Thing, Sight] = {}
        for sight in sights:
            first.setdefault(sight.thing, sight)
            if sight.visit.state is State.NO_COOKIES and sight.stored is None:
                continue  # there, scripts may be told that they wrote although nothing is kept
            if case.foreign(sight.thing):
                if not _is_invited(case, sight, first):
                    yield _of_third_party(case, sight, case.named(sight.thing))
                continue
            item = case.item(sight.thing)
            if item is None:
                yield _undeclared(case, sight, case.named(sight.thing), stays=sight.thing in stays)
                continue
            if item.values and sight.thing.kind in _SINGLE and sight.value not in item.values:
                yield _of_item(case, "SN406", sight, "has a value that is not among the declared ones", item)
            if not item.requires_action:
                continue
            if is_chosen(sight):
                chosen.add(item.id)
            elif sight.fresh and item.id not in chosen:
                message = f"came by itself ({sight.deed}), and is declared for when somebody chooses it"
                yield _of_item(case, "SN410", sight, message, item)


def _in_workers(case: Case) -> Iterator[Raw]:
    """Identifiers in the query of a service worker's script or in its scope, where several browsers can be compared."""
    found = [
        (number, sight)
        for number, sights in enumerate(case.browsers)
        for sight in sights
        if sight.thing.kind is Kind.SERVICE_WORKER and sight.stored is not None and sight.value
    ]
    for number, sight in found:
        is_alone = all(number == other or sight.thing != each.thing for other, each in found)
        if is_alone or case.foreign(sight.thing) or not case.identifiers.of(sight.thing, sight.value):
            continue
        thing = case.named(sight.thing)
        message = f"{thing} is registered with an identifier in its address or scope, which no declaration can name"
        where = seen(sight.visit, sight.act)
        fix = "register it with the same address and scope for everybody"
        yield Raw("SN419", str(thing), message, where, of_write(sight.write), fix=fix)


def _of_item(case: Case, code: str, sight: Sight, message: str, item: Item) -> Raw:
    thing = case.named(sight.thing)
    return Raw(
        code, str(thing), f"{thing} {message}", seen(sight.visit, sight.act), of_write(sight.write), item=item.id
    )


def _undeclared(case: Case, sight: Sight, thing: Thing, *, stays: bool) -> Raw:
    if case.declaration is None:
        message = f"{thing} is kept, and no declaration was given"
        fix = "begin a declaration with strictly draft; or find who writes it by the evidence and remove it"
    else:
        message = f"{thing} is kept, and not declared" + ("" if stays else "; it was removed again")
        where = f'name = "{thing.name}" and kind = "{thing.kind}"'
        fix = f"declare it in [[items]] with {where}, or find who writes it by the evidence and remove it"
    return Raw("SN401", str(thing), message, seen(sight.visit, sight.act), _told(sight), fix=fix)


def _told(sight: Sight) -> Evidence:
    cookie = sight.stored.cookie if sight.stored else None
    asked = sight.write.life if sight.write is not None else cookie.life if cookie else None
    if sight.thing.kind is not Kind.COOKIE:
        return of_write(sight.write)
    return of_write(sight.write, ("life", told_life(asked)))


def _of_third_party(case: Case, sight: Sight, thing: Thing) -> Raw:
    party = party_of(thing.host, case.declaration)
    known = f"{party.name}, which is declared for when somebody uses: {party.feature}" if party else "a third party"
    message = f"{thing} is kept by {known}"
    return Raw("SN429", str(thing), message, seen(sight.visit, sight.act), _told(sight))


def _is_invited(case: Case, sight: Sight, first: dict[Thing, Sight]) -> bool:
    """Whether it belongs to a declared third party whom the person, or our own answer, led to; or to a site that
    somebody went to by a link."""
    thing, visit = sight.thing, sight.visit
    site = site_of(thing.host)
    for number, request in enumerate(visit.requests):
        led_here = is_navigation(request) and request.act <= sight.act and site_of(request.url) == site
        if led_here and case.asked_for(visit, number):
            return True
    if party_of(thing.host, case.declaration) is None:
        return False
    before = first[thing]
    return is_chosen(sight) or (before is not sight and not sight.fresh and _is_invited(case, before, first))


def _refused(case: Case) -> Iterator[Raw]:
    for visit in case.observation.visits():
        if visit.state is State.NO_COOKIES:
            continue
        for write in visit.writes:
            if write.refused is None or write.kind is not Kind.COOKIE:
                continue
            thing = Thing(Kind.COOKIE, write.name, writer_host(write, visit))
            if case.foreign(thing):
                continue
            item = case.item(thing)
            does = "the browser did not take its removal" if write.removes else "the browser did not take it"
            why = "" if write.refused.startswith("the browser did not") else f": it {write.refused}"
            message = f"{thing}: {does}{why}"
            yield Raw(
                "SN407", str(thing), message, seen(visit, write.act), of_write(write), item=item.id if item else None
            )


def _never_seen(case: Case) -> Iterator[Raw]:
    if case.declaration is None:
        return
    met = {item.id for sights in case.browsers for sight in sights if (item := case.item(sight.thing)) is not None}
    visits = case.observation.visits()
    if not any(visit.acts for visit in visits):
        return  # nothing was seen at all, which is told by other codes
    took_place = {visit.state for visit in visits}
    host = host_of(case.observation.url)
    for item in case.declaration.items:
        if item.id in met or (item.set_by is SetBy.INFRASTRUCTURE and is_test_host(host)):
            continue  # what stands in front of the server is not there on somebody's own computer
        missing = " and ".join(_not_led_to(case, item, took_place))
        led = f"; the audit was not led to {missing}" if missing else ""
        message = f'"{item.id}" ({item.kind} {item.name}) is declared and was never seen{led}'
        first = min(visits, key=lambda visit: (list(State).index(visit.state), visit.url))
        where = Sighting(first.state, first.url, "load")
        yield Raw("SN402", f"item {item.id}", message, where, item=item.id)


def _not_led_to(case: Case, item: Item, took_place: set[State]) -> Iterator[str]:
    needs_sign_in = Category.AUTHENTICATION in item.categories or "sign in" in item.set_when.lower()
    if needs_sign_in and State.SIGNED_IN not in took_place:
        yield "signing in (--login SCRIPT)"
    asks = case.is_gated(item) or Category.CONSENT_CHOICE in item.categories
    if asks and State.GIVEN not in took_place:
        yield "giving consent"


def is_test_host(host: str) -> bool:
    """Whether a site at this host is on somebody's own computer or network, and not where people meet it."""
    if host.rpartition(".")[2] in {"localhost", "test"}:
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False
