"""Why there are the codes of the audit: their sources and explanations, from the page about the rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_ENTRY = re.compile(r"^\*\*(SN\d{3})\*\* · (.+)\n\n((?:(?!^(?:#|\*\*SN)).*\n)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What makes it wrong, such as an article of a law, and what is meant: Markdown with nothing but backticks."""

    source: str
    text: str


@cache
def explanations() -> dict[str, Explanation]:
    """By code, in the order of the page."""
    page = (files("strictly_necessary.rules") / "rules.md").read_text(encoding="utf-8")
    return {code: Explanation(source, " ".join(text.split())) for code, source, text in _ENTRY.findall(page)}
