"""Judging recorders, on observations made by hand: each trick, and what looks like it and is none."""

from __future__ import annotations

import base64
import gzip
import hashlib
import itertools
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from strictly_necessary.audit._observation import Act, Call, Deed, Observation, Place, Request, Run, State, Visit
from strictly_necessary.audit.judge.recording import findings

PAGE = "https://shop.example/"
SCRIPT = "https://shop.example/app.js"
TYPED = "zqb3f7k2w9"
PATH = "137,419 241,97 613,283 457,571 829,163"
LOAD, WAIT, MOVE, TYPE, PRESS, AGAIN, SUBMIT = range(7)
ACTS = (
    Act(Deed.LOAD),
    Act(Deed.WAIT),
    Act(Deed.MOVE, PATH),
    Act(Deed.TYPE, 'field "Message"', typed=TYPED),
    Act(Deed.PRESS, 'button "More"'),
    Act(Deed.PRESS, 'button "Less"'),
    Act(Deed.SUBMIT, "form"),
)
STACK = (Place(SCRIPT, 5, 1, "send"),)


def request(body: str = "", act: int = TYPE, url: str = f"{PAGE}log", type_: str = "fetch") -> Request:
    return Request(url, "POST" if body else "GET", type_, act, PAGE, PAGE, sent=(body,) if body else (), stack=STACK)


def judged(*requests: Request, calls: tuple[Call, ...] = (), acts: tuple[Act, ...] = ACTS) -> list[str]:
    visit = Visit(State.VISIT, PAGE, PAGE, acts=acts, calls=calls, requests=requests)
    return sorted({each.code for each in findings(Observation(PAGE, "Chromium", (Run(State.VISIT, (visit,)),)))})


def b64(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


DISGUISES: dict[str, Callable[[str], str]] = {
    "plain": lambda text: json.dumps({"message": text}),
    "percent signs": lambda text: "m=" + "".join(f"%{ord(each):02X}" for each in text),
    "twice": lambda text: quote(quote(json.dumps([f"é{text}"]))),
    "escapes": lambda text: '"' + "".join(f"\\u{ord(each):04x}" for each in text) + '"',
    "base64": lambda text: json.dumps({"d": b64(json.dumps({"value": text}))}),
    "base64 twice": lambda text: b64(b64(f"value={text}")),
    "hexadecimal": lambda text: f"h={text.encode().hex()}",
    "reversed": lambda text: f"r={text[::-1]}",
    "packed": lambda text: b64(gzip.compress(json.dumps({"value": text}).encode())),
    "upper case": str.upper,
    "md5": lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
    "sha1 in base64": lambda text: b64(hashlib.sha1(text.encode(), usedforsecurity=False).digest()),
    "sha256": lambda text: json.dumps({"em": hashlib.sha256(text.encode()).hexdigest()}),
    "a part": lambda text: f"v={text[:7]}",
    "keys": lambda text: json.dumps([{"k": each, "t": 17 + at} for at, each in enumerate(text)]),
    "codes of keys": lambda text: json.dumps([f"Key{e.upper()}" if e.isalpha() else f"Digit{e}" for e in text]),
    "numbers of keys": lambda text: ",".join(str(ord(each.upper())) for each in text),
}


@pytest.mark.parametrize("name", DISGUISES)
def test_typed_text_is_found_in_a_body(name: str) -> None:
    assert judged(request(DISGUISES[name](TYPED))) == ["SN440"]


@pytest.mark.parametrize("name", DISGUISES)
def test_the_same_disguise_of_other_text_is_clean(name: str) -> None:
    assert judged(request(DISGUISES[name]("the basket has 3 chairs and 2 lamps"))) == []


def test_typed_text_is_found_in_an_address_a_socket_and_a_beacon() -> None:
    assert judged(request(url=f"{PAGE}log?v={TYPED}", type_="image")) == ["SN440"]
    assert judged(request(TYPED, act=LOAD, url="wss://shop.example/s", type_="websocket")) == ["SN440"]
    assert judged(request(TYPED, act=PRESS, type_="ping")) == ["SN440"]


def test_one_letter_for_each_request_is_found() -> None:
    assert judged(*(request(url=f"{PAGE}key?is={each}") for each in TYPED)) == ["SN440"]
    assert judged(*(request(url=f"{PAGE}key?is={each}") for each in "kanmshdyte")) == []


def test_beginnings_that_grow_are_found() -> None:
    assert judged(*(request(json.dumps({"v": TYPED[:size]})) for size in range(1, 5))) == ["SN440"]


def test_the_hash_of_an_address_is_found() -> None:
    mail = f"{TYPED}@example.com"
    acts = (*ACTS[:TYPE], Act(Deed.TYPE, 'field "E-mail"', typed=mail), *ACTS[PRESS:])
    assert judged(request(hashlib.sha256(mail.encode()).hexdigest()), acts=acts) == ["SN440"]


@pytest.mark.parametrize("act", [PRESS, SUBMIT])
def test_what_somebody_sends_is_clean(act: int) -> None:
    assert judged(request(json.dumps({"message": TYPED}), act=act)) == []


def test_suggestions_of_our_own_search_are_clean_and_a_strangers_are_not() -> None:
    acts = (*ACTS[:TYPE], Act(Deed.TYPE, 'search "Find"', typed=TYPED), *ACTS[PRESS:])
    assert judged(request(url=f"{PAGE}suggest?q={TYPED}"), acts=acts) == []
    assert judged(request(url=f"https://log.example/suggest?q={TYPED}"), acts=acts) == ["SN440"]


def test_counting_and_checking_without_the_text_is_clean() -> None:
    assert judged(request(json.dumps({"field": "message", "length": 10, "valid": True}))) == []


def test_places_of_the_pointer_are_found_in_any_shape() -> None:
    places = [tuple(map(int, each.split(","))) for each in PATH.split()]
    events = json.dumps([["mousemove", x, y, 12.5 * at] for at, (x, y) in enumerate(places)])
    assert judged(request(events, act=MOVE)) == ["SN441"]
    assert judged(request(b64(events), act=WAIT + 2)) == ["SN441"]
    assert judged(request(events, act=PRESS)) == ["SN441"]
    assert judged(*(request(json.dumps({"y": y, "x": x}), act=MOVE) for x, y in places)) == ["SN441"]
    ways = [[b[0] - a[0], b[1] - a[1]] for a, b in itertools.pairwise(places)]
    assert judged(request(json.dumps(ways), act=MOVE)) == ["SN441"]


def test_numbers_that_are_no_places_are_clean() -> None:
    assert judged(request(json.dumps({"page": 137, "of": 419, "items": list(range(60))}), act=MOVE)) == []


def test_two_presses_with_their_places_are_found_and_one_is_not() -> None:
    first, second = (request(json.dumps({"x": 20, "y": 30, "on": "b"}), act=act) for act in (PRESS, AGAIN))
    assert judged(first, second) == ["SN441"]
    assert judged(first) == []
    assert judged(*(request(json.dumps({"theme": "dark"}), act=act) for act in (PRESS, AGAIN))) == []


def call(api: str, *uses: tuple[str, ...]) -> Call:
    return Call(api, SCRIPT, LOAD, arguments=uses, stack=STACK, frame=PAGE)


LISTENS = call("EventTarget.addEventListener", ("mousemove", "document"), ("scroll", "window"), ("click", "document"))
WATCHES = call("MutationObserver.observe", ("document", "childList attributes characterData subtree"))


def test_a_recorder_that_packs_what_it_sends_is_found() -> None:
    assert judged(request("\ufffd\ufffdpacked", act=MOVE), calls=(LISTENS, WATCHES)) == ["SN441"]
    assert judged(request("packed", act=MOVE), calls=(LISTENS, call("Element.outerHTML", ("html",)))) == ["SN441"]


@pytest.mark.parametrize(
    ("calls", "act"),
    [
        ((LISTENS, WATCHES), PRESS),  # an app in one file that sends when somebody presses something
        ((LISTENS,), MOVE),  # a session that is kept alive
        ((WATCHES,), MOVE),
        ((call("EventTarget.addEventListener", ("mousemove", "div"), ("scroll", "ul"), ("click", "a")), WATCHES), MOVE),
        ((LISTENS, call("MutationObserver.observe", ("body", "childList subtree"))), MOVE),
    ],
)
def test_half_a_recorder_is_none(calls: tuple[Call, ...], act: int) -> None:
    assert judged(request("still here", act=act), calls=calls) == []


def test_a_recorder_that_sends_nothing_is_clean() -> None:
    assert judged(request(act=MOVE, url=f"{PAGE}next?page=2"), calls=(LISTENS, WATCHES)) == []


def test_the_finding_tells_no_typed_text() -> None:
    visit = Visit(State.VISIT, PAGE, PAGE, acts=ACTS, requests=(request(url=f"https://log.example/?v={TYPED}"),))
    [raw] = findings(Observation(PAGE, "Chromium", (Run(State.VISIT, (visit,)),)))
    assert raw.subject == f"what is typed, sent to log.example by {SCRIPT}"
    assert TYPED not in repr(raw)
