"""The few pieces of HTML that all parts of the report are made of. Everything is escaped here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

_LONGEST = 2000
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Section:
    """A part with a heading, to which the list at the top leads."""

    id: str
    title: str
    body: str
    lead: str = ""

    @property
    def html(self) -> str:
        lead = f'<p class="lead">{esc(self.lead)}</p>\n' if self.lead else ""
        return (
            f'<section id="{self.id}" aria-labelledby="{self.id}-heading">\n'
            f'<h2 id="{self.id}-heading">{esc(self.title)}</h2>\n{lead}{self.body}\n</section>'
        )


def esc(text: str) -> str:
    """Text from a page may be long, and hold what turns the direction of the rest."""
    return escape(_HIDDEN.sub("\ufffd", text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"))


def code(text: str) -> str:
    """Names and addresses."""
    return f"<code>{esc(text)}</code>"


def prose(text: str) -> str:
    """Text with backticks around names."""
    return _CODE.sub(r"<code>\1</code>", esc(text))


def badge(text: str, mood: str = "") -> str:
    return f'<span class="badge {mood}">{esc(text)}</span>'


def bullets(lines: Iterable[str], *, fold_after: int | None = None) -> str:
    """A list of lines that are HTML already; what comes after the first few is folded."""
    shown = list(lines)
    if fold_after is None or len(shown) <= fold_after:
        return _list(shown)
    more = shown[fold_after:]
    return f"{_list(shown[:fold_after])}<details><summary>{len(more)} more</summary>{_list(more)}</details>"


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML already. On a phone each row stands by itself, and each cell says what it is."""
    head = "".join(f'<th scope="col">{esc(each)}</th>' for each in heads)
    body = []
    for first, *rest in rows:
        cells = "".join(_cell(name, cell) for name, cell in zip(heads[1:], rest, strict=True))
        body.append(f'<tr><th scope="row">{first}</th>{cells}</tr>')
    rows_html = "\n".join(body)
    head_html = f"<caption>{esc(caption)}</caption><thead><tr>{head}</tr></thead>"
    return f"<table>{head_html}\n<tbody>\n{rows_html}\n</tbody></table>"


def _cell(name: str, cell: str) -> str:
    return f'<td data-label="{esc(name)}">{cell}</td>' if cell else '<td class="empty">–</td>'


def _list(lines: Iterable[str]) -> str:
    return "<ul>{}</ul>".format("".join(f"<li>{line}</li>" for line in lines))
