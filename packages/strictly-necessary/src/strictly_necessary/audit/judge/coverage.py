"""What could not be looked at: pages (SN450), parts of pages (SN451), pages without cookies (SN452), and steps of the
script (SN453)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from strictly_necessary.audit._finding import Evidence
from strictly_necessary.audit._observation import Mishap, State, Trouble, Visit
from strictly_necessary.audit.judge._case import Case
from strictly_necessary.audit.judge._merging import Raw, seen
from strictly_necessary.audit.judge._sites import shown

_NOT_SEEN = frozenset(
    {Trouble.UNREACHABLE, Trouble.TLS, Trouble.TIMEOUT, Trouble.CRASH, Trouble.REDIRECTS, Trouble.STATUS}
)
_IN_THE_WAY = frozenset({Trouble.DIALOG, Trouble.POPUP, Trouble.TOO_MUCH, Trouble.DOWNLOAD})
"""What a page did that kept the audit from seeing all of it. That a press leads elsewhere, that an address is no page
and that robots.txt closes one is no fault; the report's list of pages tells it."""

_FAILED = frozenset({Trouble.REDIRECTS, Trouble.TIMEOUT, Trouble.UNREACHABLE, Trouble.CRASH, Trouble.STATUS})
_FEW = 8
_PNG = b"\x89PNG\r\n\x1a\n"


def findings(case: Case) -> Iterator[Raw]:
    fine = {visit.url: visit for visit in case.observation.visits(State.VISIT) if _is_fine(visit)}
    for visit in case.observation.visits():
        if visit.state is State.NO_COOKIES and (before := fine.get(visit.url)) is not None:
            yield from _without_cookies(visit, before)
            continue
        for mishap in visit.mishaps:
            yield from _told(visit, mishap)


def _told(visit: Visit, mishap: Mishap) -> Iterator[Raw]:
    page, trouble = shown(visit.url), mishap.trouble
    where = seen(visit, mishap.act)
    evidence = Evidence(detail=(("trouble", trouble.value),))
    if trouble is Trouble.STEP:
        yield Raw("SN453", f"step {where.act} on {page}", mishap.message, where, evidence)
    elif trouble in _NOT_SEEN and not (trouble is Trouble.TIMEOUT and _was_seen(visit)):
        yield Raw("SN450", f"page {page}", f"{page} could not be looked at: {mishap.message}", where, evidence)
    elif trouble in _IN_THE_WAY or trouble is Trouble.TIMEOUT:
        if trouble is Trouble.DOWNLOAD and not _was_seen(visit):
            return  # a link to a file, which is no page
        yield Raw("SN451", f"{trouble.value} on {page}", f"{page}: {mishap.message}", where, evidence)


def _was_seen(visit: Visit) -> bool:
    return 200 <= visit.status < 400 and bool(visit.snapshots)


def _is_fine(visit: Visit) -> bool:
    return visit.status < 400 and not any(each.trouble in _NOT_SEEN for each in visit.mishaps)


def _without_cookies(visit: Visit, before: Visit) -> Iterator[Raw]:
    page = shown(visit.url)
    why = next((each.message for each in visit.mishaps if each.trouble in _FAILED), None)
    if why is None and visit.status >= 400:
        why = f"the answer is {visit.status}"
    if why is None and _is_empty(visit) and not _is_empty(before):
        why = "the page is empty"
    if why is None:
        return
    message = f"{page} does not work when cookies are blocked: {why}"
    yield Raw("SN452", f"page {page}", message, seen(visit, 0))


def _is_empty(visit: Visit) -> bool:
    """Whether nothing is to be seen: no link, and a picture of one colour, if there is one; else no title either."""
    if visit.links or visit.pages:
        return False
    return is_plain(visit.screenshot) if visit.screenshot else not visit.title


def is_plain(png: bytes) -> bool:
    """Whether the picture (PNG, PNG specification section 11.2) has one colour: then its filtered lines hold next to
    no distinct bytes. What is no PNG is not plain."""
    if not png.startswith(_PNG):
        return False
    data, at = b"", len(_PNG)
    while at + 8 <= len(png):
        size, kind = struct.unpack(">I4s", png[at : at + 8])
        if kind == b"IDAT":
            data += png[at + 8 : at + 8 + size]
        at += 12 + size
    try:
        return len(set(zlib.decompress(data))) <= _FEW
    except zlib.error:
        return False
