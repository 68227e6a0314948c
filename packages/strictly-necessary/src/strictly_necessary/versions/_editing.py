"""Changing keys of `[policy]` in the text of a declaration, and nothing else: comments and formatting stay."""

from __future__ import annotations

import json
from collections.abc import Mapping

from strictly_necessary.declaration._positions import Span, scan, span

_BOM = "\ufeff"
_ORDER = ("version", "last_updated", "starts", "change", "summary", "translations", "ask")


def quoted(text: str) -> str:
    """The text as a TOML string."""
    return json.dumps(text, ensure_ascii=False)


def edited(raw: bytes, values: Mapping[str, str | None]) -> bytes:
    """The declaration with these keys of `[policy]`, each given as it is written, or None to take it away. Such a key
    is `starts`, or `translations.de.summary`. Raises ValueError if `[policy]` has no lines of its own. The
    caller has to read the result again: keys can be written in ways that this does not know."""
    text = raw.decode("utf-8")
    mark = _BOM if text.startswith(_BOM) else ""
    text = text.removeprefix(_BOM)
    for key, written in values.items():
        if written is None:
            text = _without(text, key)
    for key, written in values.items():
        if written is not None:
            text = _with(text, key, written)
    return (mark + text).encode("utf-8")


def _with(text: str, key: str, written: str) -> str:
    at = _span(text, key)
    if at is not None:
        return text[: at.value] + written + text[at.end :]
    before = _ORDER[: _ORDER.index(key.partition(".")[0])]
    anchor = next((found for each in reversed(before) if (found := _span(text, each)) is not None), None)
    if anchor is None:
        raise ValueError("[policy] is not written in lines of its own")
    newline = "\r\n" if "\r\n" in text else "\n"
    start = text[anchor.line : anchor.value]
    indent = start[: len(start) - len(start.lstrip())]
    head = "" if text[: anchor.after].endswith("\n") else newline
    return f"{text[: anchor.after]}{head}{indent}{key} = {written}{newline}{text[anchor.after :]}"


def _without(text: str, key: str) -> str:
    at = _span(text, key)
    if at is None:
        return text
    text = text[: at.line] + text[at.after :]
    path = ("policy", *key.split("."))
    for length in range(len(path) - 1, 1, -1):
        text = _without_header(text, path[:length])
    return text


def _without_header(text: str, path: tuple[str, ...]) -> str:
    """Without the header of this table, if nothing stands below it any more."""
    places = scan(text).places
    if path not in places or any(other[: len(path)] == path and other != path for other in places):
        return text
    lines = text.split("\n")  # a text may hold what Python takes for the end of a line, and TOML does not
    first = place = places[path].line - 1
    if not lines[place].lstrip().startswith("["):
        return text
    while first and not lines[first - 1].strip():  # the empty lines that set it apart
        first -= 1
    return "\n".join((*lines[:first], *lines[place + 1 :]))


def _span(text: str, key: str) -> Span | None:
    place = scan(text).places.get(("policy", *key.split(".")))
    return span(text, place) if place is not None else None
