"""Requests to other sites: unasked (SN420), to trackers (SN421), pixels (SN422), beacons (SN423), sockets (SN424); and
hosts of ours that are others' by their CNAME (SN428). What third parties keep is SN429, in `storage`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from strictly_necessary.audit._finding import Evidence
from strictly_necessary.audit._observation import Request, Visit
from strictly_necessary.audit.judge._case import Case, is_navigation, never_left
from strictly_necessary.audit.judge._evidence import of_request
from strictly_necessary.audit.judge._merging import Raw, seen
from strictly_necessary.audit.judge._sites import host_of, is_ours, leads_abroad, party_of, shown, site_of
from strictly_necessary.audit.judge._things import header_of, is_choice
from strictly_necessary.audit.judge._trackers import entity_of, is_carrier, is_cloaker, tracker_of
from strictly_necessary.audit.judge._values import Kept, looks_drawn

_SOCKETS = {"websocket": "a web socket", "webtransport": "a WebTransport connection"}
_NAME_ONLY = "dns-prefetch"
_ADDRESS = re.compile(r"https?://[^\s\"'<>,;]+")
_SMALL = 3
"""Pixels of width and height up to which a picture shows nothing."""


def findings(case: Case) -> Iterator[Raw]:
    for browser, visits in enumerate(case.visits):
        identifiers = case.identifiers.in_browser(browser)
        for visit in visits:
            for number, request in enumerate(visit.requests):
                if not leads_abroad(request.url) or never_left(request):
                    continue
                if case.is_third(request.url):
                    if request.type == _NAME_ONLY and not any(map(looks_drawn, host_of(request.url).split("."))):
                        continue  # only who looks after the name learns of it, and nothing of whom it is for
                    if is_navigation(request) or case.is_ours(request.top):
                        yield from _of_third(case, visit, number, request)
                else:
                    yield from _pixel_of_ours(visit, request, identifiers)
            yield from _cloaked(case, visit, identifiers)
            yield from _reports(case, visit)


def _reports(case: Case, visit: Visit) -> Iterator[Raw]:
    """Other sites to which headers make the browser report by itself, now or at the next visit (W3C Reporting API,
    Network Error Logging)."""
    for request in visit.requests:
        if case.is_third(request.url):
            continue
        for header in ("report-to", "reporting-endpoints"):
            for url in _ADDRESS.findall(request.headers.get(header, "")):
                if not case.is_third(url):
                    continue
                host = host_of(url)
                message = f"{host} is named in the header {header}, so that browsers report to it by themselves"
                evidence = Evidence(header=f"{header}: …", request=shown(request.url))
                yield Raw("SN420", f"requests to {host}", message, seen(visit, request.act), evidence)


def _of_third(case: Case, visit: Visit, number: int, request: Request) -> Iterator[Raw]:
    host = host_of(request.url)
    asked = case.asked_for(visit, number)
    tracker = tracker_of(host)
    entity = tracker or entity_of(host)
    detail = (("who", entity.name), ("category", entity.category)) if entity else ()
    where, evidence = seen(visit, request.act), of_request(request, *detail)
    followed = asked and is_navigation(request) and is_choice(visit, request.act)
    if tracker is not None and not followed:
        message = f"{host} was asked, which is known for tracking: {tracker.name} ({tracker.category})"
        yield Raw("SN421", f"requests to {host}", message, where, evidence)
    if asked:
        return
    party = party_of(host, case.declaration)
    if party is not None:
        why = f"was asked by itself, and {party.name} is declared for when people use: {party.feature}"
    elif case.declaration is None:
        why = "was asked, and no declaration was given"
    else:
        why = "was asked, and is not declared"
    yield Raw("SN420", f"requests to {host}", f"{host} {why}", where, evidence)
    address = shown(request.url).partition("?")[0]
    if _is_pixel(request):
        yield Raw(
            "SN422",
            f"picture {address}",
            f"{address} is a picture that shows nothing, on another site",
            where,
            evidence,
        )
    if _is_beacon(request):
        yield Raw("SN423", f"beacon to {host}", f"{host} is told something that needs no answer", where, evidence)
    if request.type in _SOCKETS:
        yield Raw("SN424", f"socket to {host}", f"{_SOCKETS[request.type]} to {host} was opened", where, evidence)


def _is_picture(request: Request) -> bool:
    return request.type == "image" or request.headers.get("content-type", "").startswith("image/gif")


def _is_pixel(request: Request) -> bool:
    """A picture of next to no size, or none at all. Drawings have no size of their own."""
    if not _is_picture(request) or "svg" in request.headers.get("content-type", ""):
        return False
    if request.image is None:
        return not 300 <= request.status < 400
    return max(request.image) <= _SMALL


def _is_beacon(request: Request) -> bool:
    """Sent for its own sake: by sendBeacon or the attribute ping, or posted so that no script can read the answer."""
    if request.type == "ping":
        return True
    blind = request.asked.get("sec-fetch-mode") == "no-cors"
    return request.type in {"fetch", "xhr"} and request.method == "POST" and blind


def _pixel_of_ours(visit: Visit, request: Request, identifiers: Kept) -> Iterator[Raw]:
    query = request.url.partition("?")[2]
    if not query or request.type != "image" or not _is_pixel(request) or not identifiers.find(query):
        return
    address = shown(request.url).partition("?")[0]
    message = f"{address} is a picture that shows nothing, and its address carries an identifier"
    yield Raw("SN422", f"picture {address}", message, seen(visit, request.act), of_request(request))


def _cloaked(case: Case, visit: Visit, identifiers: Kept) -> Iterator[Raw]:
    """Hosts of our site that are another site's by their CNAME: those of known trackers, and unknown ones that learn or
    give an identifier. Delivery networks and hosting are what CNAMEs are for."""
    own = host_of(case.observation.url)
    for request in visit.requests:
        host = host_of(request.url)
        chain = case.observation.names.get(host, ())
        if not chain or not leads_abroad(request.url) or case.is_third(request.url):
            continue
        others = [name.rstrip(".").lower() for name in chain]
        others = [name for name in others if site_of(name) != site_of(own)]
        if not others:
            continue
        tracker = next((found for name in others if (found := tracker_of(name)) is not None), None)
        known = tracker is not None or any(map(is_cloaker, others))
        if not known:
            if host == own or is_ours(host, case.declaration) or any(map(is_carrier, others)):
                continue
            if not _learns(request, identifiers) and not _marks(case, visit, request):
                continue
        who = f", a known tracker: {tracker.name}" if tracker else ", a known tracker" if known else ""
        message = f"{host} is a host of this site, and by its CNAME it is {others[-1]}{who}"
        evidence = of_request(request, ("CNAME", " → ".join((host, *others))))
        yield Raw("SN428", f"host {host}", message, seen(visit, request.act), evidence)


def _learns(request: Request, identifiers: Kept) -> bool:
    """Whether the request carries an identifier beside its cookies, or is of a kind that only tells something."""
    if request.type == "ping":
        return True
    texts = (request.url.partition("?")[2], *request.sent)
    return any(identifiers.find(text) for text in texts if text)


def _marks(case: Case, visit: Visit, request: Request) -> bool:
    """Whether the answer set an undeclared cookie that outlives the session."""
    for write in visit.writes:
        if write.header is None or write.address != request.url or write.refused is not None or write.removes:
            continue
        declared = case.declaration.match("cookie", write.name) if case.declaration else None
        if declared is None and write.life is not None and header_of(write) is not None:
            return True
    return False
