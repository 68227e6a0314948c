"""Somebody who signs in, looks at what is theirs, and signs out."""

from __future__ import annotations

from strictly_necessary.audit._observation import State, Stored, Visit
from strictly_necessary.audit.browser import Browser, Person, Tab
from strictly_necessary.audit.crawl._states import Crawl
from strictly_necessary.audit.crawl._visiting import INTERRUPTED, Deeds, Doing
from strictly_necessary.audit.crawl._words import LEAVES
from strictly_necessary.audit.script import Part
from strictly_necessary.declaration._items import Kind

_NOTHING_NEW = "sign_in ran to its end, but the browser keeps nothing new: perhaps nobody is signed in"


async def sign_in(crawl: Crawl, *, stays: bool, leaves: bool) -> None:
    """Sign in; look at the pages if it `stays`; then sign out if it `leaves`."""
    done = [crawl.is_done(each) for each in _signed(stays=stays, leaves=leaves)]
    if all(done):
        return
    async with crawl.place(State.SIGNED_IN, scripted=True):
        if await crawl.known.first() is None:
            for state in _signed(stays=stays, leaves=leaves):
                crawl.skip(state, "no page could be looked at")
            return
        async with crawl.person(State.SIGNED_IN, scripted=True) as (browser, person):
            await _there_and_back(crawl, browser, person, stays=stays, leaves=leaves)


async def _there_and_back(crawl: Crawl, browser: Browser, person: Person, *, stays: bool, leaves: bool) -> None:
    failures: list[str] = []
    texts: dict[str, str] = {}
    crawl.tell(State.SIGNED_IN, 0, len(crawl.known.pages), crawl.plan.url)
    deeds = _signing_in(crawl, browser, person, failures)
    first = await crawl.visiting.visit(person, crawl.plan.url, state=State.SIGNED_IN, deeds=deeds, texts=texts)
    if failures:
        crawl.end(State.SIGNED_IN, [first], failures[0])
        if leaves:
            crawl.skip(State.SIGNED_OUT, "signing in failed")
        return
    if stays and State.SIGNED_IN not in crawl.runs:
        await _account(crawl, person, first, texts)
    if leaves and State.SIGNED_OUT not in crawl.runs:
        await _sign_out(crawl, browser, person)


def _signed(*, stays: bool, leaves: bool) -> list[State]:
    return [State.SIGNED_IN] * stays + [State.SIGNED_OUT] * leaves


def _signing_in(crawl: Crawl, browser: Browser, person: Person, failures: list[str]) -> Deeds:
    async def deeds(tab: Tab, doing: Doing) -> None:
        before = _names(await person.snapshot())
        failure = await crawl.player(browser).play(Part.SIGN_IN, tab)
        doing.begins_anew = True
        if failure is not None:
            failures.append(failure.message)
            doing.mishaps.append(failure.message)
        elif before == _names(await person.snapshot()):
            doing.mishaps.append(_NOTHING_NEW)

    return deeds


async def _account(crawl: Crawl, person: Person, first: Visit, texts: dict[str, str]) -> None:
    """The pages that somebody sees who is signed in: the script's last one, and all that it leads to. `texts` are
    those of the links so far."""
    frontier = crawl.frontier(LEAVES)
    if crawl.visiting.site.has(first.address):
        frontier.add(first.address, asked=True)
    await crawl.seed(frontier)
    for page in first.pages:
        frontier.add(page, first.address, text=texts.get(page, ""))
    old = crawl.old(State.SIGNED_IN)[1:]
    visits = [first, *old]
    for visit in old:
        frontier.knows(visit.url)
        for page in visit.pages:
            frontier.add(page, visit.address, text=texts.get(page, ""))
    seen = {visit.url for visit in old}
    notes = (INTERRUPTED,) if old else ()
    while len(seen) < crawl.plan.pages and crawl.visiting.stopped is None and (url := frontier.next()) is not None:
        if url in seen:
            continue
        seen.add(url)
        if await crawl.visiting.politeness.refusal(url) is not None:
            continue  # told where it was refused first
        crawl.tell(State.SIGNED_IN, len(seen) - 1, len(seen) + len(frontier), url)
        visit = await crawl.visiting.visit(person, url, state=State.SIGNED_IN, notes=notes, texts=texts)
        notes = ()
        visits.append(visit)
        for page in visit.pages:
            frontier.add(page, visit.address, text=texts.get(page, ""))
    crawl.end(State.SIGNED_IN, visits)


async def _sign_out(crawl: Crawl, browser: Browser, person: Person) -> None:
    if not crawl.tells(Part.SIGN_OUT):
        crawl.skip(State.SIGNED_OUT, "the script does not say how to sign out")
        return
    failures: list[str] = []

    async def deeds(tab: Tab, doing: Doing) -> None:
        failure = await crawl.player(browser).play(Part.SIGN_OUT, tab)
        if failure is not None:
            failures.append(failure.message)
            doing.mishaps.append(failure.message)

    first = await crawl.visiting.visit(person, crawl.plan.url, state=State.SIGNED_OUT, deeds=deeds)
    if failures:
        crawl.end(State.SIGNED_OUT, [first], failures[0])
        return
    await crawl.pages(State.SIGNED_OUT, person, [first], own=1)


def _names(stored: tuple[Stored, ...]) -> set[tuple[Kind, str, str, str]]:
    return {(each.kind, each.name, each.origin, each.value) for each in stored}
