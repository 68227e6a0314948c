"""Sections as HTML. Everything is escaped; there is no style and no script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from strictly_necessary.page._blocks import (
    Block,
    Bullets,
    Code,
    Fact,
    Link,
    Paragraph,
    Section,
    Strong,
    Word,
    Words,
)
from strictly_necessary.page._language import NAMES, Language


def section(section: Section, language: str | None) -> str:
    blocks = "\n".join(_block(block) for block in section.blocks)
    return (
        f'<section class="policy-section" id="{section.id}" aria-labelledby="{section.id}-heading"{lang(language)}>\n'
        f'<h2 id="{section.id}-heading">{escape(section.title)}</h2>\n{blocks}\n</section>'
    )


def contents(sections: Iterable[Section], label: str, language: str | None) -> str:
    """A list of links to the sections below it."""
    links = "\n".join(f'<li><a href="#{each.id}">{escape(each.title)}</a></li>' for each in sections)
    return f'<nav class="policy-contents" aria-label="{escape(label)}"{lang(language)}>\n<ul>\n{links}\n</ul>\n</nav>'


def languages(addresses: Mapping[str, str], current: str, label: str) -> str:
    """A list of links to the same page in other languages, each named in its own."""
    here = {current: ' aria-current="page"'}
    links = "\n".join(
        f'<li><a href="{escape(address)}" hreflang="{escape(code)}"{lang(code)}{here.get(code, "")}>'
        f"{escape(NAMES.get(code, code))}</a></li>"
        for code, address in addresses.items()
    )
    return f'<nav class="policy-languages" aria-label="{escape(label)}"{lang(current)}>\n<ul>\n{links}\n</ul>\n</nav>'


def alternates(addresses: Mapping[str, str]) -> str:
    """The same for the `<head>`."""
    return "".join(
        f'<link rel="alternate" hreflang="{escape(code)}" href="{escape(address)}">\n'
        for code, address in addresses.items()
    )


def document(title: str, body: str, *, language: Language, head: str) -> str:
    return (
        f'<!doctype html>\n<html lang="{escape(language.code)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<title>{escape(title)}</title>\n{head}</head>\n<body class="policy-page">\n<main class="policy">\n'
        f"{body}</main>\n</body>\n</html>\n"
    )


def lang(code: str | None) -> str:
    return f' lang="{escape(code)}"' if code else ""


def _block(block: Block) -> str:
    if isinstance(block, Paragraph):
        return f"<p>{words(block.words)}</p>"
    if isinstance(block, Bullets):
        points = "\n".join(f"<li>{words(point)}</li>" for point in block.points)
        return f"<ul>\n{points}\n</ul>"
    label = f"{block.id}-heading"
    return (
        f'<section class="item" id="{block.id}" aria-labelledby="{label}">\n'
        f'<h3 id="{label}">{words(block.title)}</h3>\n{facts(block.facts)}\n</section>'
    )


def facts(facts: Iterable[Fact]) -> str:
    return "<dl>\n{}\n</dl>".format("\n".join(_fact(fact) for fact in facts))


def _fact(fact: Fact) -> str:
    lines = "".join(f"<dd>{words(line)}</dd>" for line in fact.lines)
    weight = f' class="item-{fact.weight.value}"' if fact.weight.value else ""
    return f"<div{weight}><dt>{escape(fact.term)}</dt>{lines}</div>"


def words(words: Words) -> str:
    return "".join(_word(word) for word in words)


def _word(word: Word) -> str:
    if isinstance(word, Link):
        return f'<a href="{escape(word.address)}">{escape(word.text)}</a>'
    if isinstance(word, Code):
        return f"<code>{escape(word.text)}</code>"
    return f"<strong>{escape(word.text)}</strong>" if isinstance(word, Strong) else escape(word)
