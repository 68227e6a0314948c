"""Identifiers that reach other sites: in requests (SN425), in links (SN426), and through redirects (SN427)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl, urlsplit

from strictly_necessary.audit._finding import Evidence
from strictly_necessary.audit._observation import Request, Visit
from strictly_necessary.audit.judge._case import Case, is_navigation, never_left
from strictly_necessary.audit.judge._evidence import of_request
from strictly_necessary.audit.judge._merging import Raw, seen
from strictly_necessary.audit.judge._sites import host_of, party_of, shown, site_of
from strictly_necessary.audit.judge._things import Thing, header_of, is_choice
from strictly_necessary.audit.judge._values import Kept, looks_drawn, parts_of

CLICK_IDS = frozenset(
    {
        "_branch_match_id",
        "_ga",
        "_gl",
        "_hsenc",
        "_kx",
        "dclid",
        "epik",
        "fbclid",
        "gbraid",
        "gclid",
        "igshid",
        "irclickid",
        "li_fat_id",
        "mc_eid",
        "mkt_tok",
        "msclkid",
        "oly_anon_id",
        "oly_enc_id",
        "rdt_cid",
        "sccid",
        "srsltid",
        "ttclid",
        "twclid",
        "vero_id",
        "wbraid",
        "wickedid",
        "yclid",
    }
)
"""Parameters that advertisers and mailers put into links to know who pressed them."""


_BY_BROWSER = frozenset({"referer", "if-none-match", "if-modified-since", "origin", "user-agent"})
"""Headers that no script writes; what they may carry is judged elsewhere."""


def findings(case: Case) -> Iterator[Raw]:
    for browser, visits in enumerate(case.visits):
        identifiers = case.identifiers.in_browser(browser)
        for visit in visits:
            yield from _sent(case, visit, identifiers)
            yield from _links(case, visit, identifiers)
            yield from _redirects(case, visit, identifiers)


def _sent(case: Case, visit: Visit, identifiers: Kept) -> Iterator[Raw]:
    if not identifiers:
        return
    for request in visit.requests:
        if never_left(request) or not case.is_third(request.url):
            continue
        host = host_of(request.url)
        if is_navigation(request):
            followed = is_choice(visit, request.act) and not request.sent
            if followed or party_of(host, case.declaration) is not None:
                continue  # a link is judged as a link; what a sign-in or a payment hands over is what it is for
        elif not case.is_ours(request.top):
            continue
        places = (
            ("its address", (request.url,)),
            ("what is sent", request.sent),
            ("the Referer", tuple(filter(None, (request.asked.get("referer"),)))),
            ("a header", tuple(text for name, text in request.asked.items() if name not in _BY_BROWSER)),
        )
        for place, texts in places:
            things = _kept_elsewhere(host, (each for text in texts for each in identifiers.find(text)), identifiers)
            if things:
                kept = ", ".join(sorted({str(case.named(thing)) for thing in things}))
                message = f"{host} is sent an identifier in {place}; it is kept in {kept}"
                evidence = of_request(request, ("identifier of", kept), ("sent in", place))
                yield Raw("SN425", f"identifier sent to {host}", message, seen(visit, request.act), evidence)


def _kept_elsewhere(host: str, found: Iterable[str], identifiers: Kept) -> list[Thing]:
    """Where these identifiers are kept, if not by the site that gets them: what it keeps itself, it knows."""
    site = site_of(host)
    things: set[Thing] = set()
    for identifier in found:
        holders = identifiers.holders(identifier)
        if not any(site_of(thing.host) == site for thing in holders):
            things |= holders
    return sorted(things)


def _links(case: Case, visit: Visit, identifiers: Kept) -> Iterator[Raw]:
    for link in visit.links:
        for moment, address in (("", link.before), (" once it is pressed", link.after)):
            if not address or not case.is_third(address) or not case.is_ours(visit.address or visit.url):
                continue
            host = host_of(address)
            where = shown(address)
            found = _decoration(case, address, identifiers)
            if party_of(host, case.declaration) is not None and not found.startswith("the parameter"):
                continue
            if found:
                message = f"a link to {host} carries {found}{moment}"
                yield Raw("SN426", f"link to {host}", message, seen(visit, 0), Evidence(request=where))
                break


def _decoration(case: Case, address: str, identifiers: Kept) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    pairs = [*parse_qsl(parts.query), *parse_qsl(parts.fragment)]
    known = sorted({name for name, value in pairs if name.lower() in CLICK_IDS and value})
    if known:
        return f"the parameter {known[0]}"
    found = identifiers.find(address)
    things = sorted({case.named(thing) for identifier in found for thing in identifiers.holders(identifier)})
    return f"an identifier that is kept in {things[0]}" if things else ""


def _redirects(case: Case, visit: Visit, identifiers: Kept) -> Iterator[Raw]:
    leads_on = {each.redirect_from for each in visit.requests if each.redirect_from is not None}
    for number, request in enumerate(visit.requests):
        if request.redirect_from is not None and number not in leads_on:
            yield from _chain(case, visit, _way(visit, number), identifiers)
    yield from _bounces(case, visit, identifiers)


def _way(visit: Visit, number: int) -> list[int]:
    """The requests of a chain of redirects, from the first to the one with this number."""
    way = [number]
    while (before := visit.requests[way[-1]].redirect_from) is not None and before not in way:
        if not 0 <= before < len(visit.requests):
            break
        way.append(before)
    return way[::-1]


def _chain(case: Case, visit: Visit, way: list[int], identifiers: Kept) -> Iterator[Raw]:
    requests = [visit.requests[number] for number in way]
    if not case.is_ours(requests[0].url) and not case.is_ours(requests[0].top):
        return
    whole_page = is_navigation(requests[-1]) or is_navigation(requests[0])
    for place, number in enumerate(way):
        request = requests[place]
        host = host_of(request.url)
        if not case.is_third(request.url) or never_left(request):
            continue
        if party_of(host, case.declaration) is not None and (whole_page or case.asked_for(visit, number)):
            continue  # as a sign-in or a payment at a declared third party leads there and back
        is_last = place == len(way) - 1
        if place == 0 and site_of(requests[-1].url) == site_of(request.url):
            continue  # a third party that leads on within its own site
        if is_last and place > 0 and site_of(requests[place - 1].url) == site_of(request.url):
            continue
        comes_back = whole_page and any(case.is_ours(each.url) for each in requests[place + 1 :])
        why = _burden(visit, number, request, identifiers) or ("comes back" if comes_back else "")
        if why:
            yield _bounce(visit, request, host, why)


def _burden(visit: Visit, number: int, request: Request, identifiers: Kept) -> str:
    """What a stop at another site costs: an identifier in its address, or a cookie that it sets."""
    if identifiers.find(request.url) or _has_drawn(request.url):
        return "carries an identifier"
    for write in visit.writes:
        if write.request == number and write.refused is None and not write.removes and header_of(write) is not None:
            return "keeps a cookie"
    return ""


def _has_drawn(url: str) -> bool:
    """Whether the query holds something long that looks drawn by lot."""
    try:
        pairs = parse_qsl(urlsplit(url).query)
    except ValueError:
        return False
    return any(
        looks_drawn(part) and len(part) >= 16 for _, value in pairs if "://" not in value for part in parts_of(value)
    )


def _bounces(case: Case, visit: Visit, identifiers: Kept) -> Iterator[Raw]:
    """The same by script: the whole page goes to another site by itself, and from there back to ours."""
    whole = [number for number, request in enumerate(visit.requests) if is_navigation(request)]
    for place, number in enumerate(whole):
        request = visit.requests[number]
        before = [visit.requests[each] for each in whole[:place]]
        after = [visit.requests[each] for each in whole[place + 1 :]]
        if not case.is_third(request.url) or is_choice(visit, request.act):
            continue
        if request.redirect_from is not None or party_of(host_of(request.url), case.declaration) is not None:
            continue
        if any(case.is_ours(each.url) for each in before) and any(case.is_ours(each.url) for each in after):
            why = _burden(visit, number, request, identifiers) or "comes back"
            yield _bounce(visit, request, host_of(request.url), why)


_WHY = {
    "carries an identifier": "with an identifier in its address",
    "keeps a cookie": "which keeps a cookie",
    "comes back": "which leads back",
}


def _bounce(visit: Visit, request: Request, host: str, why: str) -> Raw:
    message = f"the way leads through {host}, {_WHY[why]}"
    return Raw("SN427", f"redirect through {host}", message, seen(visit, request.act), of_request(request))
