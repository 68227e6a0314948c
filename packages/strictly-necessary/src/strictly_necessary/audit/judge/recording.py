"""Recording: what is typed leaves the page before it is sent, and what a person does is written down and sent."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from strictly_necessary.audit._finding import Evidence
from strictly_necessary.audit._observation import Call, Deed, Observation, Request, Stack, Visit
from strictly_necessary.audit.judge._calls import Script, deed_of, of_call, scripts, uses
from strictly_necessary.audit.judge._evidence import of_request
from strictly_necessary.audit.judge._merging import Raw, seen
from strictly_necessary.audit.judge._sites import host_of, is_third, shown
from strictly_necessary.audit.judge._typed import readings, tells
from strictly_necessary.declaration import Declaration

_QUIET = frozenset({Deed.LOAD, Deed.WAIT, Deed.SCROLL, Deed.MOVE, Deed.TYPE})
"""Acts in which nobody asks that something be sent."""

_SENT = frozenset({Deed.SUBMIT, Deed.SIGN_IN})
_DOING = frozenset({Deed.MOVE, Deed.SCROLL, Deed.TYPE})
_PRESSED = frozenset({Deed.CLICK, Deed.PRESS, Deed.CHOOSE})

KINDS = {
    "pointer": ("mousemove", "pointermove", "pointerrawupdate", "touchmove", "mouseover", "pointerover"),
    "press": ("click", "dblclick", "auxclick", "contextmenu", "mousedown", "mouseup", "pointerdown", "pointerup",
              "touchstart", "touchend"),
    "scroll": ("scroll", "wheel", "mousewheel"),
    "keys": ("keydown", "keyup", "keypress"),
    "input": ("input", "beforeinput", "change", "textInput", "compositionend"),
    "clipboard": ("copy", "cut", "paste"),
    "selection": ("selectionchange", "selectstart"),
}  # fmt: skip
ENOUGH_KINDS = 3

_WHOLE = frozenset({"window", "document", "html", "body"})
_DUMPS = ("Element.outerHTML", "Element.innerHTML", "Element.getHTML", "XMLSerializer.serializeToString",
          "Node.cloneNode", "Document.createTreeWalker", "Document.createNodeIterator")  # fmt: skip
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w])")
_PLACE = re.compile(r"(\d+),(\d+)")
_X = re.compile(
    r"[\"'&?;\s](?:(?:client|page|screen|offset|mouse|click|pos|touch)_?)?x[\"']?\s*[=:]\s*[\"']?-?\d", re.IGNORECASE
)
_Y = re.compile(_X.pattern.replace("?x[", "?y["), re.IGNORECASE)
_NEAR = 4
_ENOUGH_PLACES = 3


@dataclass(frozen=True, slots=True)
class Sending:
    """One request as a judge of recording needs it: all that went out with it."""

    request: Request
    texts: tuple[str, ...]


def findings(observation: Observation, declaration: Declaration | None = None) -> Iterator[Raw]:
    """SN440 and SN441."""
    for visit in observation.visits():
        sendings = [Sending(each, (each.url, *each.sent)) for each in visit.requests if _leaves(each)]
        yield from _typed(visit, sendings, declaration)
        yield from _recorded(visit, sendings)


def _leaves(request: Request) -> bool:
    return request.url.partition(":")[0] in {"http", "https", "ws", "wss"} and request.type != "preflight"


# --- What is typed ---------------------------------------------------------------------------------------------------


def _typed(visit: Visit, sendings: list[Sending], declaration: Declaration | None) -> Iterator[Raw]:
    for number, act in enumerate(visit.acts):
        if act.deed is not Deed.TYPE or not act.typed:
            continue
        end = next((at for at in range(number, len(visit.acts)) if visit.acts[at].deed in _SENT), len(visit.acts))
        later = [each for each in sendings if number <= _last(each, visit) and each.request.act < end]
        search = (act.target or "").startswith("search")
        for host in sorted({host_of(each.request.url) for each in later}):
            group = [each for each in later if host_of(each.request.url) == host and _unasked(each, visit, number)]
            if not group or (search and not is_third(group[0].request.url, visit.address or visit.url, declaration)):
                continue
            how = tells((text for each in group for text in each.texts), act.typed)
            if how:
                yield _told(visit, group, act.typed, how, host)


def _last(sending: Sending, visit: Visit) -> int:
    """The last act in which it can have sent something: an open socket goes on."""
    return len(visit.acts) if sending.request.type == "websocket" else sending.request.act


def _unasked(sending: Sending, visit: Visit, typed: int) -> bool:
    """Whether nobody asked for it: a page that somebody went to, or what a button sends, was asked for. A beacon and a
    socket never are."""
    request = sending.request
    if request.type in {"ping", "websocket"}:
        return True
    went = request.type == "document" and request.url == request.top
    return not went and request.act >= typed and deed_of(visit, request.act) in _QUIET


def _told(visit: Visit, group: list[Sending], typed: str, how: str, host: str) -> Raw:
    first = next((each for each in group if tells(each.texts, typed)), group[0]).request
    script = _script(visit, first)
    subject = f"what is typed, sent to {host}" + (f" by {shown(script)}" if script else "")
    message = "what is typed leaves the page before anybody sends it"
    return Raw("SN440", subject, message, seen(visit, first.act), _evidence(visit, first, ("found in it", _HOW[how])))


_HOW = {
    "plain": "the text that was typed",
    "hashed": "a hash of the text that was typed, from which an address can be found again",
    "letter by letter": "the beginnings of the text, as it grew",
    "key by key": "the keys, one by one",
}


# --- What a person does ----------------------------------------------------------------------------------------------


def _recorded(visit: Visit, sendings: list[Sending]) -> Iterator[Raw]:
    found = [*_with_places(visit, sendings), *_with_presses(visit, sendings)]
    told = {_script(visit, each) for each, _ in found}
    for script in scripts(visit):
        if script.url not in told and _watches(script):
            sent = next((each for each in sendings if _sends(script, each.request)), None)
            if sent:
                found.append((sent.request, "what several listeners and a watcher of the whole document saw"))
                told.add(script.url)
    for request, what in found:
        script_url = _script(visit, request)
        subject = f"what people do, sent to {host_of(request.url)}" + (f" by {shown(script_url)}" if script_url else "")
        message = "what people do on the page is recorded and sent"
        yield Raw("SN441", subject, message, seen(visit, request.act), _evidence(visit, request, ("found in it", what)))


def _with_places(visit: Visit, sendings: list[Sending]) -> Iterator[tuple[Request, str]]:
    """Sendings with the places where the pointer was, or the ways between them."""
    for number, act in enumerate(visit.acts):
        if act.deed is not Deed.MOVE or not act.target:
            continue
        path = [(int(x), int(y)) for x, y in _PLACE.findall(act.target)]
        ways = [(b[0] - a[0], b[1] - a[1]) for a, b in itertools.pairwise(path)]
        by_host: dict[str, list[Sending]] = {}
        for each in sendings:
            if _last(each, visit) >= number:
                by_host.setdefault(host_of(each.request.url), []).append(each)
        for group in by_host.values():
            texts = [reading for each in group for text in each.texts for reading in readings(text)]
            if _holds(texts, path) or _holds(texts, ways):
                bearer = next((each for each in group if _any_place(each, path) or _any_place(each, ways)), group[0])
                yield bearer.request, "the places where the pointer was"


def _any_place(sending: Sending, places: list[tuple[int, int]]) -> bool:
    return any(_places_in(reading, places) for text in sending.texts for reading in readings(text))


def _holds(texts: list[str], places: list[tuple[int, int]]) -> bool:
    seen_places = set().union(*(_places_in(text, places) for text in texts)) if texts else set()
    return len(seen_places) >= min(_ENOUGH_PLACES, len(places)) > 0


def _places_in(text: str, places: list[tuple[int, int]]) -> set[tuple[int, int]]:
    """The places whose two numbers stand near each other."""
    numbers = [round(float(each)) for each in _NUMBER.findall(text)[:20_000]]
    at: dict[int, list[int]] = {}
    for index, each in enumerate(numbers):
        at.setdefault(each, []).append(index)
    return {
        (x, y)
        for x, y in places
        if any(abs(first - second) <= _NEAR for first in at.get(x, ()) for second in at.get(y, ()) if first != second)
    }


def _with_presses(visit: Visit, sendings: list[Sending]) -> Iterator[tuple[Request, str]]:
    """Presses that are sent with their place, from two controls or more."""
    groups: dict[str, dict[int, Request]] = {}
    for each in sendings:
        request = each.request
        if deed_of(visit, request.act) in _PRESSED and (request.sent or request.type in {"ping", "image"}):
            texts = [f"&{reading}" for text in each.texts for reading in readings(text)]
            if any(_X.search(text) and _Y.search(text) for text in texts):
                groups.setdefault(request.url.partition("?")[0], {}).setdefault(request.act, request)
    for acts in groups.values():
        if len(acts) > 1:
            yield acts[min(acts)], "the places that were pressed"


def _watches(script: Script) -> bool:
    """Whether it listens to the whole page for several kinds of what people do, the pointer or typing among them, and
    reads or watches the whole document."""
    listened = {use[0] for use in uses(script.of("EventTarget.addEventListener")) if use[1] in _WHOLE}
    kinds = {kind for kind, types in KINDS.items() if listened.intersection(types)}
    if len(kinds) < ENOUGH_KINDS or not kinds & {"pointer", "input"}:
        return False
    wide = any(
        use[0] in _WHOLE and ("characterData" in use[1] or "attributes" in use[1])
        for use in uses(script.of("MutationObserver.observe"))
    )
    return wide or bool(script.of(*_DUMPS))


def _sends(script: Script, request: Request) -> bool:
    """Whether the script sent something while people moved, scrolled or typed."""
    visit = script.visit
    if request.type == "websocket":
        calls = script.of("WebSocket.send")
        return any(deed_of(visit, each.act) in _DOING and (request.url,) in each.arguments for each in calls)
    if deed_of(visit, request.act) not in _DOING or not (request.sent or len(request.url) > 500):
        return False
    return script.url in {place.url for place in request.stack} or script.url == _script(visit, request)


# --- Who sent it -----------------------------------------------------------------------------------------------------


def _script(visit: Visit, request: Request) -> str:
    """The script that sent it: by the network's own stack, or by who called sendBeacon or the socket."""
    if request.stack:
        return request.stack[0].url
    call = _sender(visit, request)
    return call.script if call else ""


def _sender(visit: Visit, request: Request) -> Call | None:
    api = {"ping": "Navigator.sendBeacon", "websocket": "WebSocket.send"}.get(request.type)
    for call in visit.calls:
        timely = call.api == api and (api == "WebSocket.send" or call.act == request.act)
        if timely and any(request.url.endswith(use[0].lstrip(".")) for use in call.arguments):
            return call
    return None


def _evidence(visit: Visit, request: Request, *detail: tuple[str, str]) -> Evidence:
    made = of_request(request, *detail)
    call = None if request.stack else _sender(visit, request)
    if call is None:
        return made
    sender = of_call(call)
    stack: Stack = sender.stack
    return Evidence(script=sender.script, stack=stack, request=made.request, detail=detail)
