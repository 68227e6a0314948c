"""The answers of a receipt as text that can be kept for years: each item whole, as it was declared then.

Everything that an item says is written, also what has its default, so that neither a changed declaration nor a changed
default changes what a person was told. Names of keys and values in here are never reused for something else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from strictly_necessary.consent._receipts import Action, Answer
from strictly_necessary.declaration._items import Category, Item, Kind, Lifetime, Purpose, SameSite, SetBy

FORMAT = 1
"""Of the text. What a later format adds, an older reader refuses, since it could not tell what it means."""

_KEYS = frozenset(field.name for field in fields(Item))


def write_answers(answers: Iterable[Answer]) -> str:
    """The answers as JSON, always the same for the same answers."""
    document = {
        "format": FORMAT,
        "answers": [{"action": answer.action.value, "item": _written(answer.item)} for answer in answers],
    }
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def read_answers(text: str) -> tuple[Answer, ...]:
    """The answers in such a text, equal to those that were written. Raises ValueError for any other text."""
    try:
        return _answers(json.loads(text))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"this is no record of answers that can be read: {error}") from error


def _answers(document: dict[str, Any]) -> tuple[Answer, ...]:
    if document["format"] != FORMAT:
        raise ValueError(f"format {document['format']!r} is not known here")
    return tuple(Answer(_item(each["item"]), Action(each["action"])) for each in document["answers"])


def _written(item: Item) -> dict[str, Any]:
    written = {name: getattr(item, name) for name in _KEYS}
    written["purposes"] = [
        {"category": each.category.value, "text": each.text, "translations": _plain(each.translations)}
        for each in item.purposes
    ]
    written["lifetime"] = {"text": item.lifetime.text, "seconds": item.lifetime.seconds}
    written["translations"] = _plain(item.translations)
    return written


def _plain(translations: Any) -> dict[str, dict[str, str]]:
    return {language: dict(texts) for language, texts in translations.items()}


def _item(written: dict[str, Any]) -> Item:
    if unknown := written.keys() - _KEYS:
        raise ValueError(f"an item has {', '.join(sorted(unknown))}, which is not known here")
    read = dict(written)
    read["kind"], read["set_by"] = Kind(written["kind"]), SetBy(written["set_by"])
    read["same_site"] = None if written["same_site"] is None else SameSite(written["same_site"])
    read["lifetime"] = Lifetime(written["lifetime"]["text"], written["lifetime"]["seconds"])
    read["purposes"] = tuple(
        Purpose(Category(each["category"]), each["text"], each["translations"]) for each in written["purposes"]
    )
    read["values"], read["recipients"] = tuple(written["values"]), tuple(written["recipients"])
    return Item(**read)
