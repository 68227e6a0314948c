"""Texts of pages as they can be written down: JavaScript has halves of characters, which no encoding has."""

from __future__ import annotations

from typing import Any


def whole(thing: Any) -> Any:
    """What JSON told, with U+FFFD for each half of a character (a lone surrogate, Unicode section 3.8)."""
    if isinstance(thing, str):
        try:
            thing.encode()
        except UnicodeEncodeError:
            return thing.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return thing
    if isinstance(thing, list):
        return [whole(each) for each in thing]
    if isinstance(thing, dict):
        return {whole(name): whole(value) for name, value in thing.items()}
    return thing


def may_have_halves(text: str) -> bool:
    """Whether JSON may hold one: it writes them as `\\ud800` to `\\udfff`."""
    return "\\ud" in text or "\\uD" in text
