"""The question that the gate asks, before it becomes HTML or plain text: the same words in both."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from gettext import NullTranslations

from strictly_necessary.consent import Standing
from strictly_necessary.declaration._items import Item
from strictly_necessary.page._blocks import Card, Code, Fact, Link, Strong, Weight, Word, Words
from strictly_necessary.page._edition import (
    Edition,
    edition,
    lifetime_in_words,
    provider_in_words,
    purposes_in_words,
    recipients_in_words,
    title_in_words,
)
from strictly_necessary.versions import Version


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked and why, each item with what people need to know of it, what the answers are called, and what
    becomes of no answer."""

    heading: str
    reason: str
    cards: tuple[Card, ...]
    refuse: str
    grant: str
    closing: Words


def question(view: Edition, items: tuple[Item, ...], policy: str | None = None) -> Question:
    """The question about these items, which are in the language of `view` already. `policy` is the address of the
    policy's page."""
    _ = view.language.gettext
    ours: Word = Link(_("cookie policy"), policy) if policy else _("cookie policy")
    return Question(
        heading=_("May we keep this in your browser?"),
        reason=_(
            "{service} works without it, so we ask. It is neither stored nor read unless you say yes.",
            service=view.policy.service,
        ),
        cards=tuple(Card(f"cookie-gate-{item.id}", (title_in_words(view, item),), facts(view, item)) for item in items),
        refuse=_("No") if len(items) == 1 else _("No to all"),
        grant=_("Yes") if len(items) == 1 else _("Yes to all"),
        closing=view.language.words(
            "No answer means no. You can change your mind at any time; our {policy} says where.", policy=ours
        ),
    )


def facts(view: Edition, item: Item) -> tuple[Fact, ...]:
    """What people need to know of an item before they answer (EDPB Guidelines 05/2020, paragraph 64; CJEU C-673/17,
    Planet49: its life, and who gets it)."""
    _ = view.language.gettext
    purposes = purposes_in_words(view, item)
    return (
        Fact(view.language.ngettext("Purpose", "Purposes", len(purposes)), purposes, Weight.LEAD),
        Fact(_("Lifetime"), ((lifetime_in_words(view, item),),)),
        Fact(_("Provider"), ((provider_in_words(view, item),),)),
        Fact(_("Who else gets it"), ((recipients_in_words(view, item),),)),
    )


def gate_text(
    asked: Standing | Version,
    item_ids: Collection[str],
    *,
    language: str | None = None,
    catalogue: NullTranslations | None = None,
) -> str:
    """The question about these items as plain text, as a receipt keeps it; empty for none. Raises KeyError for an id
    that the version does not have."""
    version = asked if isinstance(asked, Version) else asked.version
    view = edition(version.declaration, language, catalogue)
    for item_id in item_ids:
        view.declaration.item(item_id)
    items = tuple(item for item in view.declaration.items if item.id in set(item_ids))
    if not items:
        return ""
    asks = question(view, items)
    blocks = [f"{asks.heading}\n{asks.reason}"]
    blocks += [_card_as_text(view, card) for card in asks.cards]
    blocks += [plain(asks.closing), f"[{asks.refuse}] [{asks.grant}]"]
    return "\n\n".join(blocks)


def plain(words: Words) -> str:
    """Without links and the like."""
    return "".join(word.text if isinstance(word, Link | Code | Strong) else word for word in words)


def _card_as_text(view: Edition, card: Card) -> str:
    lines = [plain(card.title)]
    for fact in card.facts:
        label = view.language.gettext("{label}:", label=fact.term)
        told = " ".join(plain(line) for line in fact.lines)
        lines.append(f"{label} {told}")
    return "\n".join(lines)
