"""Sections as CommonMark, in which nothing from the declaration becomes markup."""

from __future__ import annotations

import re
from urllib.parse import quote

from strictly_necessary.page._blocks import Block, Bullets, Code, Fact, Link, Paragraph, Section, Strong, Word, Words
from strictly_necessary.page._language import Language

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|&~])")
_BREAKS = re.compile(r"[\r\n]+")
_LIST = re.compile(r"([-+=]|\d{1,9}(?=[.)]))")


def section(section: Section, language: Language) -> list[str]:
    lines = [f"## {escape(section.title)}", ""]
    for block in section.blocks:
        lines += [*_block(block, language), ""]
    return lines


def escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", _BREAKS.sub(" ", text))


def _block(block: Block, language: Language) -> list[str]:
    if isinstance(block, Paragraph):
        return [_line(block.words)]
    if isinstance(block, Bullets):
        return [f"- {_line(point)}" for point in block.points]
    return [f"### {_line(block.title)}", "", *(line for fact in block.facts for line in _fact(fact, language))]


def _fact(fact: Fact, language: Language) -> list[str]:
    label = language.gettext("{label}:", label=fact.term)  # Babel reads no f-string in every version of Python
    term = f"- **{escape(label)}**"
    if len(fact.lines) == 1:
        return [f"{term} {_line(fact.lines[0])}"]
    return [term, *(f"  - {_line(line)}" for line in fact.lines)]


def _line(words: Words) -> str:
    """What stands at the beginning makes neither a list nor code of the line."""
    text = "".join(_word(word) for word in words).lstrip()
    found = _LIST.match(text)
    if not found:
        return text
    at = found.end() if found[1].isdigit() else 0
    return f"{text[:at]}\\{text[at:]}"


def _word(word: Word) -> str:
    if isinstance(word, Link):
        return f"[{escape(word.text)}](<{_address(word.address)}>)"
    if isinstance(word, Code):
        return _code(_BREAKS.sub(" ", word.text))
    if isinstance(word, Strong):
        return f"**{escape(word.text)}**"
    return escape(word)


def _code(text: str) -> str:
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    space = " " if text.startswith(("`", " ")) or text.endswith(("`", " ")) else ""
    return f"{fence}{space}{text}{space}{fence}"


def _address(address: str) -> str:
    return re.sub(r"[\\<>\s]", lambda found: quote(found[0]), address)
