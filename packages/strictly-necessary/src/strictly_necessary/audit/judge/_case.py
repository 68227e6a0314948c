"""What all judges look at: the observation, the declaration, and what follows from both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from strictly_necessary.audit._observation import Deed, Observation, Request, Visit
from strictly_necessary.audit.judge._naming import namer
from strictly_necessary.audit.judge._sites import host_of, is_third, leads_abroad, party_of, site_of
from strictly_necessary.audit.judge._things import (
    Sight,
    Sights,
    Thing,
    deed_of,
    history,
    is_choice,
    is_foreign,
    item_of,
    visits_of,
)
from strictly_necessary.audit.judge._values import Identifiers
from strictly_necessary.declaration import Declaration
from strictly_necessary.declaration._items import EVERYWHERE, Item, Jurisdiction


@dataclass(frozen=True, slots=True)
class Case:
    """Made once for all judges by `open_case`."""

    observation: Observation
    declaration: Declaration | None
    jurisdictions: frozenset[Jurisdiction]
    visits: tuple[tuple[Visit, ...], ...]
    browsers: tuple[Sights, ...]
    identifiers: Identifiers
    named: Callable[[Thing], Thing]
    """The name by which a thing is told."""

    def item(self, thing: Thing) -> Item | None:
        """The item that declares it, if it is ours."""
        return None if self.foreign(thing) else item_of(thing, self.declaration)

    def foreign(self, thing: Thing) -> bool:
        return is_foreign(thing, self.observation, self.declaration)

    def is_third(self, url: str) -> bool:
        """Whether asking for it tells another site."""
        return is_third(url, self.observation.url, self.declaration)

    def is_ours(self, page: str) -> bool:
        """Whether the page is one of ours, or has no site of its own."""
        return not leads_abroad(page) or not self.is_third(page)

    def is_gated(self, item: Item) -> bool:
        return not item.is_exempt(self.jurisdictions)

    def asked_for(self, visit: Visit, number: int) -> bool:
        """Whether somebody asked for this request to another site: it goes to a declared third party, and this, or an
        earlier one on this page, came with a choice; or it is the page that a choice or our own answer leads to."""
        request = visit.requests[number]
        chosen = is_choice(visit, request.act)
        if is_navigation(request):
            chosen = chosen or deed_of(visit, request.act) is Deed.GO
            if chosen and request.method == "GET" and not request.sent:
                return True  # a link that somebody followed
            if party_of(host_of(request.url), self.declaration) is None:
                return False
            return chosen or request.redirect_from is not None or request.url == visit.url
        if party_of(host_of(request.url), self.declaration) is None:
            return False
        return chosen or self._reached(visit, request)

    def _reached(self, visit: Visit, request: Request) -> bool:
        """Whether the feature was used on this page before."""
        site = site_of(request.url)
        return any(
            each.act < request.act and is_choice(visit, each.act) and site_of(each.url) == site
            for each in visit.requests
        )


def open_case(
    observation: Observation, declaration: Declaration | None, jurisdictions: tuple[Jurisdiction, ...] = ()
) -> Case:
    visits = visits_of(observation)
    browsers = tuple(tuple(history(each)) for each in visits)
    wanted = jurisdictions or (declaration.policy.jurisdictions if declaration else ())
    return Case(
        observation,
        declaration,
        frozenset(wanted) or EVERYWHERE,
        visits,
        browsers,
        Identifiers(browsers),
        namer(browsers, declaration),
    )


def is_navigation(request: Request) -> bool:
    """Whether the whole page went there, and not a frame in it."""
    return request.type == "document" and request.top == request.url


def is_chosen(sight: Sight) -> bool:
    """Whether it came with a choice of the person."""
    return is_choice(sight.visit, sight.act)


def never_left(request: Request) -> bool:
    """Whether the browser itself stopped it before it went out."""
    failure = (request.failure or "").lower()
    return any(word in failure for word in ("csp", "mixed-content", "inspector", "subresource-filter", "by_client"))
