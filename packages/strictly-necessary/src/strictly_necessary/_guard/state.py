"""What the guard tells programs about consent, and in which language."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from gettext import NullTranslations
from typing import Any

from strictly_necessary.consent._standing import Standing
from strictly_necessary.declaration import Declaration
from strictly_necessary.declaration._items import Item
from strictly_necessary.page import change_sentences, gate_text, preferred_language
from strictly_necessary.page._edition import Edition, edition, lifetime_in_words, title_in_words
from strictly_necessary.page._language import language_for
from strictly_necessary.page._question import plain
from strictly_necessary.versions import Version


@dataclass(frozen=True, slots=True)
class Speech:
    """A language of the declaration, and the catalogue if the package has none of its own for it."""

    language: str
    catalogue: NullTranslations | None = None


def speech(declaration: Declaration, wanted: str | None, accept_language: str) -> Speech:
    """The language that was asked for, else the one that the browser prefers: of those that the declaration and the
    package both have, or, without any, the declaration's first one beside English."""
    offered = [language for language in declaration.policy.languages if _is_ours(language)]
    if not offered:
        return Speech(declaration.policy.languages[0], NullTranslations())
    return Speech(wanted if wanted in offered else preferred_language(accept_language, offered))


def _is_ours(language: str) -> bool:
    try:
        language_for(language)
    except ValueError:
        return False
    return True


def question(version: Version, item_ids: Collection[str], said: Speech) -> str:
    """The question about these items, as a receipt keeps it."""
    return gate_text(version, item_ids, language=said.language, catalogue=said.catalogue)


def state(
    holds: Standing, said: Speech, news: Sequence[Version], seconds: int, shown: Collection[str] = ()
) -> dict[str, Any]:
    """The state as it is told to programs. `seconds` is how long it holds without asking again. The text asks about the
    items `shown` if there are such, else about all that are open."""
    view = edition(holds.version.declaration, said.language, said.catalogue)
    policy = view.policy
    asked = [item.id for item in holds.open] if holds.asks else []
    about = [item.id for item in view.declaration.gated if item.id in shown]
    return {
        "format": 1,
        "version": policy.version,
        "last_updated": policy.last_updated.isoformat(),
        "starts": _moment(holds.version),
        "signal": holds.signal,
        "seconds": seconds,
        "language": said.language,
        "text": question(holds.version, about or asked, said) or None,
        "items": [_item(view, item, holds, asked) for item in view.declaration.gated],
        "news": [
            {
                "version": each.number,
                "starts": _moment(each),
                "last_updated": each.declaration.policy.last_updated.isoformat(),
                "summary": _summary(each, said.language),
                "changes": list(change_sentences(each, language=said.language, catalogue=said.catalogue)),
            }
            for each in news
        ],
    }


def _item(view: Edition, item: Item, holds: Standing, asked: Collection[str]) -> dict[str, Any]:
    answer = "granted" if item.id in holds.granted else "refused" if item.id in holds.refused else None
    return {
        "id": item.id,
        "title": title_in_words(view, item),
        "purposes": [purpose.text for purpose in item.purposes],
        "lifetime": plain((lifetime_in_words(view, item),)),
        "provider": item.provider,
        "recipients": list(item.recipients),
        "answer": answer,
        "asks": item.id in asked,
    }


def _summary(version: Version, language: str) -> str | None:
    policy = version.declaration.policy
    return policy.translations.get(language, {}).get("summary", policy.summary)


def _moment(version: Version) -> str:
    return version.starts.strftime("%Y-%m-%dT%H:%M:%SZ")
