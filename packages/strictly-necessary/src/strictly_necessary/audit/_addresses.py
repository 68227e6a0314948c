"""Addresses as they may stand in a report. Values in a query may be somebody's: what a report needs is their names."""

from __future__ import annotations

import re

_QUERY = re.compile(
    r"(?P<before>\b(?:https?|wss?)://[^\s\"'<>?#]+\?)(?P<query>[^\s\"'<>#]*)(?P<fragment>#[^\s\"'<>]*)?"
)
_HARMLESS = re.compile(r"[a-z]{0,16}|[0-9]{1,4}|…")
"""A word or a small number, such as `page=2` or `sort=name`: too few to tell people apart."""


def without_values(text: str) -> str:
    """The text with `…` for each value in the query of an address that is more than a word or a small number, and
    without the fragments of addresses that have a query. What was shortened before stays as it is."""
    return _QUERY.sub(lambda found: found["before"] + _pairs(found["query"]), text)


def _pairs(query: str) -> str:
    return "&".join(_pair(pair) for pair in query.split("&"))


def _pair(pair: str) -> str:
    name, equals, value = pair.partition("=")
    if not equals:
        return name if _HARMLESS.fullmatch(name) else "…"
    return pair if _HARMLESS.fullmatch(value) else f"{name}=…"
