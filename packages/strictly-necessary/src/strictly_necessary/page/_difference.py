"""Two versions side by side: what people read of the one and of the other, with the words that changed marked."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from strictly_necessary.declaration import Declaration
from strictly_necessary.declaration._items import Item
from strictly_necessary.page._blocks import Card, Words
from strictly_necessary.page._claims import LAW
from strictly_necessary.page._edition import Edition, item_card, purposes_in_words, title_in_words
from strictly_necessary.page._language import NAMES, Language
from strictly_necessary.page._others import override_card, party_card
from strictly_necessary.page._question import plain
from strictly_necessary.page._sentences import WRITERS, view_of
from strictly_necessary.versions._diff import paired

Facts = dict[str, str]
"""What is told, by the term for it."""

_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_MOST_TOKENS = 2000
_LIKE = 0.5
"""Texts that have less than this in common are marked as a whole: confetti tells nobody anything."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One thing in both versions; None where it is not there."""

    title: str
    before: Facts | None
    after: Facts | None

    @property
    def rows(self) -> Iterator[tuple[str, str | None, str | None]]:
        """The terms under which something else is told than before."""
        before, after = self.before or {}, self.after or {}
        for term in dict.fromkeys((*after, *before)):
            if before.get(term) != after.get(term):
                yield term, before.get(term), after.get(term)


def tables(old: Declaration, new: Declaration, language: Language) -> list[str]:
    """A table for each thing of which something else is told. The declarations have their texts in the language."""
    before, after = view_of(old, language), view_of(new, language)
    pairs = [
        Pair(language.gettext("In general"), _policy(before), _policy(after)),
        *_items(before, after),
        *_parties(before, after),
        *_overrides(before, after),
    ]
    return [_table(pair, language) for pair in pairs if next(pair.rows, None)]


def _items(before: Edition, after: Edition) -> Iterator[Pair]:
    pairs = paired(before.declaration.items, after.declaration.items)
    was = {id(item): old for old, item in pairs}
    kept = {id(old) for old, _ in pairs}
    for item in after.declaration.items:
        old = was.get(id(item))
        many = max(len(each.purposes) for each in (item, old) if each)
        yield Pair(title_in_words(after, item), _item(before, old, many) if old else None, _item(after, item, many))
    for item in before.declaration.items:
        if id(item) not in kept:
            yield Pair(title_in_words(before, item), _item(before, item, len(item.purposes)), None)


def _item(view: Edition, item: Item, many: int) -> Facts:
    _ = view.language.gettext
    purposes = view.language.ngettext("Purpose", "Purposes", many)
    facts = {_("Title"): title_in_words(view, item), purposes: _lines(purposes_in_words(view, item))}
    facts |= {fact.term: _lines(fact.lines) for fact in item_card(view, item).facts[1:]}
    facts[_("Set by")] = _(WRITERS[item.set_by])
    facts[_("Only at your request")] = _("Yes") if item.requires_action else _("No")
    if item.script:
        facts[_("Script")] = item.script
    return facts


def _parties(before: Edition, after: Edition) -> Iterator[Pair]:
    """By their hosts, which is what people reach."""
    title = before.language.gettext("Title")
    old, new = (
        {each.host: party_card(view, 0, each) for each in view.declaration.third_parties} for view in (before, after)
    )
    yield from _of_cards(old, new, title)


def _overrides(before: Edition, after: Edition) -> Iterator[Pair]:
    old, new = (
        {
            (each.name, each.directive, tuple(sorted(each.paths))): override_card(view, 0, each)
            for each in view.declaration.overrides
        }
        for view in (before, after)
    )
    yield from _of_cards(old, new)


def _of_cards(old: Mapping[Any, Card], new: Mapping[Any, Card], title: str | None = None) -> Iterator[Pair]:
    for key in dict.fromkeys((*new, *old)):
        card = new.get(key) or old[key]
        yield Pair(plain(card.title), _card(old.get(key), title), _card(new.get(key), title))


def _card(card: Card | None, title: str | None) -> Facts | None:
    if card is None:
        return None
    facts = {title: plain(card.title)} if title else {}
    return facts | {fact.term: _lines(fact.lines) for fact in card.facts}


def _policy(view: Edition) -> Facts:
    _, policy = view.language.gettext, view.policy
    languages = [NAMES.get(code, code) for code in policy.languages]
    facts = {
        _("Service"): policy.service,
        _("Run by"): policy.operator,
        _("Contact"): policy.contact,
        _("Law"): view.language.joined([_(LAW[each]) for each in policy.jurisdictions]),
        _("Languages"): view.language.joined(languages),
        _("Our other hosts"): view.language.joined(policy.hosts),
        _("Desktop apps"): view.language.joined(policy.desktop_apps),
        _("Link to the Privacy Policy"): policy.privacy_policy or "",
        _("Link to the Terms of Service"): policy.terms or "",
    }
    return {term: told for term, told in facts.items() if told}


def _lines(lines: Iterable[Words]) -> str:
    return "\n".join(plain(line) for line in lines)


def _table(pair: Pair, language: Language) -> str:
    """With the roles of a table, which some browsers forget where style sets it otherwise."""
    _ = language.gettext
    what, before, after = escape(_("What")), escape(_("Before")), escape(_("After"))
    title = escape(pair.title)
    if pair.before is None:
        title = escape(_("New: {title}", title=pair.title))
    elif pair.after is None:
        title = escape(_("No longer there: {title}", title=pair.title))
    rows = "\n".join(_row(*row, language) for row in pair.rows)
    return (
        f'<table class="policy-difference" role="table">\n<caption>{title}</caption>\n<thead role="rowgroup">\n'
        f'<tr role="row"><th role="columnheader" scope="col">{what}</th><th role="columnheader" scope="col">{before}'
        f'</th><th role="columnheader" scope="col">{after}</th></tr>\n</thead>\n<tbody role="rowgroup">\n{rows}\n'
        "</tbody>\n</table>"
    )


def _row(term: str, before: str | None, after: str | None, language: Language) -> str:
    _ = language.gettext
    was, is_now = marked(before or "", after or "")
    labels = escape(_("Before")), escape(_("After"))
    word = escape(_("nothing"))
    nothing = f'<span aria-hidden="true">–</span><span class="policy-said">{word}</span>'
    cells = [
        f'<td role="cell" data-label="{label}">{_runs(runs, tag, said) or nothing}</td>'
        for label, runs, tag, said in (
            (labels[0], was, "del", escape(_("removed:"))),
            (labels[1], is_now, "ins", escape(_("added:"))),
        )
    ]
    return f'<tr role="row"><th role="rowheader" scope="row">{escape(term)}</th>{"".join(cells)}</tr>'


def _runs(runs: Sequence[tuple[bool, str]], tag: str, said: str) -> str:
    return "".join(_mark(text, tag, said) if is_marked else _text(text) for is_marked, text in runs)


def _mark(text: str, tag: str, said: str) -> str:
    """Without the spaces at its ends."""
    inner = text.strip()
    if not inner:
        return _text(text)
    before, _, after = text.partition(inner)
    return f'{before}<{tag}><span class="policy-said">{said} </span>{_text(inner)}</{tag}>{after}'


def _text(text: str) -> str:
    return escape(text).replace("\n", "<br>")


Runs = list[tuple[bool, str]]


def marked(before: str, after: str) -> tuple[Runs, Runs]:
    """Both texts in runs, of which those are marked that the other has not. Of texts with little in common, all is."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    if not old or not new or len(old) + len(new) > _MOST_TOKENS:
        return _whole(before), _whole(after)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < _LIKE:
        return _whole(before), _whole(after)
    runs: tuple[Runs, Runs] = ([], [])
    for tag, start, end, begin, stop in matcher.get_opcodes():
        for side, text in zip(runs, ("".join(old[start:end]), "".join(new[begin:stop])), strict=True):
            if text:
                side.append((tag != "equal", text))
    return _joined(runs[0]), _joined(runs[1])


def _whole(text: str) -> Runs:
    return [(True, text)] if text else []


def _joined(runs: Runs) -> Runs:
    """Marks that only a space keeps apart are one."""
    joined: Runs = []
    for is_marked, text in runs:
        if is_marked and len(joined) > 1 and joined[-2][0] and joined[-1][1].isspace():
            joined[-2:] = [(True, joined[-2][1] + joined[-1][1] + text)]
        else:
            joined.append((is_marked, text))
    return joined
