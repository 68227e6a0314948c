"""The language of a page: its catalogue of texts, its plurals, dates and lists, and which one a reader prefers."""

from __future__ import annotations

import datetime as dt
import gettext
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Formatter

from strictly_necessary.page._blocks import Word, Words

SHIPPED = ("en", "de", "fr")
"""The languages that come with the package. The texts in the source are the English ones."""

DOMAIN = "strictly_necessary"

NAMES = {
    "bg": "Български",
    "cs": "Čeština",
    "da": "Dansk",
    "de": "Deutsch",
    "el": "Ελληνικά",
    "en": "English",
    "es": "Español",
    "et": "Eesti",
    "fi": "Suomi",
    "fr": "Français",
    "ga": "Gaeilge",
    "hr": "Hrvatski",
    "hu": "Magyar",
    "it": "Italiano",
    "lt": "Lietuvių",
    "lv": "Latviešu",
    "mt": "Malti",
    "nl": "Nederlands",
    "pl": "Polski",
    "pt": "Português",
    "ro": "Română",
    "sk": "Slovenčina",
    "sl": "Slovenščina",
    "sv": "Svenska",
}
"""What the languages of the European Union call themselves."""


def N_(message: str) -> str:  # noqa: N802 -- the name by which gettext's tools know it
    """Marks a text in a table for translation; whoever shows it translates it."""
    return message


_MONTHS = (
    N_("January"),
    N_("February"),
    N_("March"),
    N_("April"),
    N_("May"),
    N_("June"),
    N_("July"),
    N_("August"),
    N_("September"),
    N_("October"),
    N_("November"),
    N_("December"),
)


@dataclass(frozen=True, slots=True)
class Language:
    """A language code such as `de` or `pt-BR`, and the catalogue with the page's texts in it.

    Values are put into the places in braces after translation, so whatever they hold stays as it is.
    """

    code: str
    catalogue: gettext.NullTranslations

    def gettext(self, message: str, **values: str) -> str:
        return self.catalogue.gettext(message).format(**values)

    def ngettext(self, one: str, many: str, number: int, **values: str) -> str:
        """The form that goes with the number, which may stand at `{number}`."""
        return self.catalogue.ngettext(one, many, number).format(number=number, **values)

    def words(self, message: str, **parts: Word) -> Words:
        """As `gettext`, with links and the like for values."""
        return tuple(_filled(self.catalogue.gettext(message), parts))

    def joined(self, texts: Sequence[str]) -> str:
        """`a`, `a and b`, `a, b and c`."""
        if not texts:
            return ""
        *others, last = texts
        if not others:
            return last
        start = others[0]
        for text in others[1:]:
            # Translators: a list of three or more, all but its last entry
            start = self.gettext("{start}, {text}", start=start, text=text)
        # Translators: the last entry of a list
        return self.gettext("{start} and {last}", start=start, last=last)

    def date(self, date: dt.date) -> str:
        """In words; not strftime's, whose language depends on the machine."""
        # Translators: the first day of a month, such as 1er in French
        day = self.gettext("1") if date.day == 1 else str(date.day)
        month = self.gettext(_MONTHS[date.month - 1])
        # Translators: a date, such as 23 November 2026
        return self.gettext("{day} {month} {year}", day=day, month=month, year=str(date.year))


def language_for(code: str, catalogue: gettext.NullTranslations | None = None) -> Language:
    """Our own catalogue for the language, or for the one it is a variety of (`de` for `de-AT`), unless one is given.
    Raises ValueError for a language that we have not."""
    if catalogue is not None:
        return Language(code, catalogue)
    ours = next((known for known in (code, code.partition("-")[0]) if known in SHIPPED), None)
    if ours is None:
        raise ValueError(
            f"the page is not translated into {code!r}, only into {', '.join(SHIPPED)}: give a catalogue of your own, "
            'such as gettext.translation("strictly_necessary", "locales", [language])'
        )
    return Language(code, _shipped(ours))


@cache
def _shipped(code: str) -> gettext.NullTranslations:
    if code == "en":
        return gettext.NullTranslations()
    file = files("strictly_necessary") / "locales" / code / "LC_MESSAGES" / f"{DOMAIN}.mo"
    with file.open("rb") as stream:
        return gettext.GNUTranslations(stream)


def _filled(message: str, parts: dict[str, Word]) -> Iterator[Word]:
    for literal, name, _, _ in Formatter().parse(message):
        if literal:
            yield literal
        if name is not None:
            yield parts[name]


_RANGE = re.compile(
    r"\s*(\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?"
)


def preferred_language(accept_language: str, languages: Sequence[str]) -> str:
    """The one of `languages` that an Accept-Language header prefers, and their first one when it prefers none.

    As RFC 9110 section 12.5.4 and the lookup of RFC 4647 section 3.4 say: the highest weight first; `de-CH` is content
    with `de`, and `de` with `de-CH`; a weight of 0 refuses. What is malformed is passed over. Raises nothing.
    """
    found = (_RANGE.fullmatch(each) for each in accept_language.split(","))
    weighed = [(match[1].lower(), float(match[2] or 1)) for match in found if match]
    refused = [wanted for wanted, weight in weighed if not weight]
    offered = [each for each in languages if not any(_is_within(each, wanted) for wanted in refused)]
    for wanted, weight in sorted(weighed, key=lambda pair: -pair[1]):
        match = _lookup(wanted, offered) if weight else None
        if match:
            return match
    return languages[0]


def _lookup(wanted: str, offered: Sequence[str]) -> str | None:
    if wanted == "*":
        return offered[0] if offered else None
    parts = wanted.split("-")
    for length in range(len(parts), 0, -1):
        shorter = "-".join(parts[:length])
        for each in offered:
            if _is_within(each, shorter):
                return each
    return None


def _is_within(language: str, wanted: str) -> bool:
    """Whether the language is the wanted one or a variety of it."""
    lower = language.lower()
    return lower == wanted or lower.startswith(f"{wanted}-")
