"""The policy page from the declaration: HTML fragments for a layout of your own, a whole page, Markdown and JSON.

Each takes the `language`, by default the declaration's first one, and for a language that does not come with the
package a `catalogue` with the texts of the page. Each raises ValueError for a language in which they, or those of the
declaration, are missing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, lru_cache
from gettext import NullTranslations
from html import escape
from importlib.resources import files

from strictly_necessary.declaration import Declaration
from strictly_necessary.page import _html, _json, _markdown
from strictly_necessary.page._changes import render_atom, render_changes_html
from strictly_necessary.page._edition import Edition, edition
from strictly_necessary.page._gate import render_consents_html, render_gate_html
from strictly_necessary.page._language import language_for, preferred_language
from strictly_necessary.page._news import render_news_html, render_versions_html
from strictly_necessary.page._others import third_parties_section
from strictly_necessary.page._question import gate_text
from strictly_necessary.page._sentences import change_sentences
from strictly_necessary.page._wording import items_section, scheduled_in_words, sections
from strictly_necessary.versions import Version

__all__ = [
    "WELL_KNOWN",
    "change_sentences",
    "gate_text",
    "heading",
    "preferred_language",
    "render_atom",
    "render_changes_html",
    "render_consents_html",
    "render_gate_html",
    "render_html",
    "render_items_html",
    "render_json",
    "render_languages_html",
    "render_markdown",
    "render_news_html",
    "render_page",
    "render_third_parties_html",
    "render_versions_html",
    "stylesheet",
    "well_known",
]

WELL_KNOWN = "/.well-known/cookie-policy.json"
"""The address at which machines look for the declaration."""


def render_html(
    declaration: Declaration,
    *,
    language: str | None = None,
    catalogue: NullTranslations | None = None,
    consent: str | None = None,
    changes: str | None = None,
    scheduled: Version | None = None,
) -> str:
    """Everything the page says, below its `<h1>`: links to its parts, then `<section class="policy-section">` with
    `<h2>`, cards with `<h3>`. No style and no script; everything from the declaration is escaped. When a `language` is
    given, each part says so in its `lang`. `consent` is the address of the page where people change their answers,
    `changes` that of the list of versions, and `scheduled` the version that follows."""
    view = replace(edition(declaration, language, catalogue), consent=consent, changes=changes, scheduled=scheduled)
    parts = sections(view)
    contents = _html.contents(parts, view.language.gettext("On this page"), language)
    dates = [_updated(view, language), *_coming(view, language)]
    return "\n".join([*dates, contents, *(_html.section(each, language) for each in parts)]) + "\n"


def render_items_html(
    declaration: Declaration, *, language: str | None = None, catalogue: NullTranslations | None = None
) -> str:
    """Only the section with the list of what is kept."""
    return _html.section(items_section(edition(declaration, language, catalogue)), language) + "\n"


def render_third_parties_html(
    declaration: Declaration, *, language: str | None = None, catalogue: NullTranslations | None = None
) -> str:
    """Only the section with the services of others, for a privacy policy."""
    return _html.section(third_parties_section(edition(declaration, language, catalogue)), language) + "\n"


def render_languages_html(
    addresses: Mapping[str, str], *, language: str, catalogue: NullTranslations | None = None
) -> str:
    """Links to the page in other languages: `addresses` by language code, in the order in which they are shown."""
    return _html.languages(addresses, language, language_for(language, catalogue).gettext("Languages")) + "\n"


def render_page(
    declaration: Declaration,
    *,
    language: str | None = None,
    catalogue: NullTranslations | None = None,
    stylesheet: str | None = None,
    addresses: Mapping[str, str] | None = None,
    consent: str | None = None,
    changes: str | None = None,
    scheduled: Version | None = None,
) -> str:
    """A whole HTML page, complete in itself: without the address of a `stylesheet`, ours is inside. No script.
    `addresses` are those of the page in its languages; a line above the heading leads there. The others are those of
    `render_html`."""
    view = edition(declaration, language, catalogue)
    if stylesheet is None:
        head = f"<style>{_stylesheet()}</style>\n"
    else:
        head = f'<link rel="stylesheet" href="{escape(stylesheet)}">\n'
    title = _title(view)
    inner = render_html(
        declaration, language=language, catalogue=catalogue, consent=consent, changes=changes, scheduled=scheduled
    )
    body = f"<h1>{escape(title)}</h1>\n{inner}"
    if addresses:
        head = _html.alternates(addresses) + head
        body = render_languages_html(addresses, language=view.language.code, catalogue=catalogue) + body
    return _html.document(title, body, language=view.language, head=head)


def render_markdown(
    declaration: Declaration,
    *,
    language: str | None = None,
    catalogue: NullTranslations | None = None,
    consent: str | None = None,
    changes: str | None = None,
    scheduled: Version | None = None,
) -> str:
    """The whole page as CommonMark. The parameters are those of `render_html`."""
    view = replace(edition(declaration, language, catalogue), consent=consent, changes=changes, scheduled=scheduled)
    updated = view.language.gettext(
        "Last updated: {date}. Version {version}.",
        date=view.language.date(view.policy.last_updated),
        version=view.policy.version,
    )
    lines = [f"# {_markdown.escape(_title(view))}", "", _markdown.escape(updated), ""]
    for section in sections(view):
        lines += _markdown.section(section, view.language)
    return "\n".join(lines[:-1]) + "\n"


def render_json(
    declaration: Declaration,
    *,
    language: str | None = None,
    catalogue: NullTranslations | None = None,
    consent: str | None = None,
    changes: str | None = None,
) -> str:
    """The whole declaration and its words for machines: one object with `format`, `language`, `policy`, `items`,
    `third_parties`, `headers`, `browsers`, and the addresses `consent` and `changes`."""
    view = replace(edition(declaration, language, catalogue), consent=consent, changes=changes)
    return json.dumps(_json.document(view), indent=2, ensure_ascii=False) + "\n"


@lru_cache(maxsize=8)
def well_known(declaration: Declaration) -> bytes:
    """What is to be served at `WELL_KNOWN`, as application/json: `render_json` in the declaration's first language,
    made once."""
    return render_json(declaration).encode()


def heading(*, language: str = "en", catalogue: NullTranslations | None = None) -> str:
    """What to write into the `<h1>` above `render_html`."""
    return language_for(language, catalogue).gettext("Cookie policy")


@cache
def stylesheet() -> str:
    """Our stylesheet, for `<main class="policy">` or any other element with that class around a fragment; colours, font
    and width are custom properties."""
    return (files("strictly_necessary") / "static" / "policy.css").read_text(encoding="utf-8")


_stylesheet = stylesheet  # render_page has an argument of that name


def _title(view: Edition) -> str:
    return view.language.gettext("Cookie policy of {service}", service=view.policy.service)


def _updated(view: Edition, language: str | None) -> str:
    date = (
        f'<time datetime="{view.policy.last_updated.isoformat()}">{view.language.date(view.policy.last_updated)}</time>'
    )
    text = escape(view.language.catalogue.gettext("Last updated: {date} ·\u00a0Version\u00a0{version}"))
    return (
        f'<p class="policy-updated"{_html.lang(language)}>'
        f"{text.format(date=date, version=escape(view.policy.version))}</p>"
    )


def _coming(view: Edition, language: str | None) -> list[str]:
    """A line about the version that follows."""
    if view.scheduled is None:
        return []
    text = escape(scheduled_in_words(view, view.scheduled))
    told = f'<a href="{escape(view.changes)}">{text}</a>' if view.changes else text
    return [f'<p class="policy-updated"{_html.lang(language)}>{told}</p>']
