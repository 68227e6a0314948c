"""What is told of versions: the announcement of new ones, and the list of all of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from gettext import NullTranslations
from html import escape

from strictly_necessary.browser import CONSENT_PATH
from strictly_necessary.page import _html
from strictly_necessary.page._gate import hidden
from strictly_necessary.page._language import Language, language_for
from strictly_necessary.page._sentences import change_sentences, significant_sentences, verdict
from strictly_necessary.versions import History, Version


def render_news_html(
    news: Sequence[Version],
    *,
    back: str,
    changes: str | None = None,
    language: str | None = None,
    catalogue: NullTranslations | None = None,
    acknowledges: bool = False,
    action: str = CONSENT_PATH,
) -> str:
    """The announcement of these versions, the newest first, as `<section class="policy-news">`; empty for none.
    `changes` is the address of the page with the changes. With `acknowledges`, for people with an account, a button
    says that it was seen, and `back` is the path to return to; without it, nothing is stored, and what changed is
    folded away, because nobody can make it go."""
    if not news:
        return ""
    newest = max(news, key=lambda version: version.starts)
    code = language or newest.declaration.policy.languages[0]
    ours = language_for(code, catalogue)
    _ = ours.gettext
    heading = escape(_("Our cookie policy has changed"))
    parts = [
        '<section class="policy-news" data-cookie-news role="region" aria-labelledby="cookie-news-heading"'
        f"{_html.lang(language)}>",
        f'<h2 id="cookie-news-heading">{heading}</h2>',
    ]
    told: list[str] = []
    for version in sorted(news, key=lambda each: each.starts, reverse=True):
        told += _told(
            version, ours, catalogue, short=changes is not None, folded=version is newest and not acknowledges
        )
    parts += told if acknowledges else ["<details>", *told, "</details>"]
    if changes:
        link = escape(_("All changes, side by side"))
        parts.append(f'<p><a href="{escape(changes)}">{link}</a></p>')
    if acknowledges:
        seen = escape(_("Got it"))
        button = f'<button class="policy-answer" name="act" value="acknowledge">{seen}</button>'
        fields = hidden(("version", newest.number), ("language", code), ("back", back))
        parts.append(f'<form method="post" action="{escape(action)}">\n{fields}\n{button}\n</form>')
    return "\n".join([*parts, "</section>"]) + "\n"


def render_versions_html(
    history: History,
    addresses: Mapping[str, str],
    now: dt.datetime,
    *,
    language: str | None = None,
    catalogue: NullTranslations | None = None,
) -> str:
    """All versions, the newest first, as `<ol class="policy-versions">`: when each starts, what it means for people and
    one line about it. `addresses` are those of their pages by version; `now` tells which one is in force and which
    ones are still to come."""
    current = history.at(now)
    code = language or current.declaration.policy.languages[0]
    ours = language_for(code, catalogue)
    marks = {current.number: ours.gettext("in force")}
    marks |= {each.number: ours.gettext("still to come") for each in history.versions if each.starts > now}
    entries = [
        _entry(each, addresses.get(each.number), ours, catalogue, marks.get(each.number))
        for each in reversed(history.versions)
    ]
    return f'<ol class="policy-versions" reversed{_html.lang(language)}>\n' + "\n".join(entries) + "\n</ol>\n"


def summary_of(version: Version, code: str) -> tuple[str, str] | None:
    """What its author says of it, and the language that it is in: this one if there is a translation."""
    policy = version.declaration.policy
    if policy.summary is None:
        return None
    if code == policy.languages[0]:
        return policy.summary, code
    translated = policy.translations.get(code, {}).get("summary")
    return (translated, code) if translated else (policy.summary, policy.languages[0])


def in_force_from(version: Version, language: Language) -> str:
    """From which day it holds, as HTML; the day is that of UTC."""
    when = version.starts
    date = f'<time datetime="{when.isoformat().replace("+00:00", "Z")}">{escape(language.date(when.date()))}</time>'
    return escape(language.catalogue.gettext("From {date}")).format(date=date)


def summary_html(version: Version, code: str) -> list[str]:
    found = summary_of(version, code)
    if found is None:
        return []
    other = _html.lang(found[1]) if found[1] != code else ""
    return [f'<p class="policy-summary"{other}>{escape(found[0])}</p>']


def sentences_html(sentences: Sequence[str]) -> list[str]:
    points = "\n".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return [f"<ul>\n{points}\n</ul>"] if sentences else []


def _told(
    version: Version, ours: Language, catalogue: NullTranslations | None, *, short: bool, folded: bool
) -> list[str]:
    """The author's words do not take the place of what changed; what changed little stands behind the link."""
    sentences = significant_sentences(version, language=ours.code, catalogue=catalogue)
    if not sentences or not short:
        sentences = change_sentences(version, language=ours.code, catalogue=catalogue)
    name = escape(ours.gettext("Version {version}", version=version.number))
    tag = "summary" if folded else "h3"
    heading = f"<{tag}>{in_force_from(version, ours)} <span>{name}</span></{tag}>"
    return [heading, *summary_html(version, ours.code), *sentences_html(sentences)]


def _entry(
    version: Version, address: str | None, ours: Language, catalogue: NullTranslations | None, mark: str | None
) -> str:
    name = escape(ours.gettext("Version {version}", version=version.number))
    title = f'<a href="{escape(address)}">{name}</a>' if address else name
    marked = f' <span class="policy-mark">{escape(mark)}</span>' if mark else ""
    said = escape(verdict(version, ours))
    lines = [
        f'<p class="policy-version"><strong>{title}</strong>{marked}</p>',
        f'<p class="policy-when">{in_force_from(version, ours)} · {said}</p>',
        *_one_line(version, ours, catalogue),
    ]
    return "<li>\n" + "\n".join(lines) + "\n</li>"


def _one_line(version: Version, ours: Language, catalogue: NullTranslations | None) -> list[str]:
    sentences = change_sentences(version, language=ours.code, catalogue=catalogue)
    if summary_of(version, ours.code) or not sentences:
        return summary_html(version, ours.code)
    line, more = sentences[0], len(sentences) - 1
    if more:
        rest = ours.ngettext("And {number} more change.", "And {number} more changes.", more)
        line = f"{line} {rest}"
    return [f'<p class="policy-summary">{escape(line)}</p>']
