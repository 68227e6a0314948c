"""One version and what changed with it, as a page and as an entry of a feed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from gettext import NullTranslations
from html import escape

from strictly_necessary.page import _html
from strictly_necessary.page._difference import tables
from strictly_necessary.page._language import Language, language_for
from strictly_necessary.page._news import in_force_from, sentences_html, summary_html, summary_of
from strictly_necessary.page._sentences import change_sentences, in_language_if_there, verdict
from strictly_necessary.versions import History, Version

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no place for, even escaped (section 2.2)."""


def render_changes_html(
    version: Version,
    previous: Version | None,
    *,
    language: str | None = None,
    catalogue: NullTranslations | None = None,
) -> str:
    """What changed with this version, in sentences and side by side with the `previous` one (None for the first), as
    `<section class="policy-changes">`. Old texts that are not in the language stay in their own."""
    code = language or version.declaration.policy.languages[0]
    ours = language_for(code, catalogue)
    _ = ours.gettext
    sentences = change_sentences(version, language=code, catalogue=catalogue, previous=previous)
    said = escape(verdict(version, ours))
    parts = [
        f'<section class="policy-changes"{_html.lang(language)}>',
        f'<p class="policy-when">{in_force_from(version, ours)} · <strong>{said}</strong></p>',
        *summary_html(version, code),
        *sentences_html(sentences),
    ]
    if version.difference is not None and not sentences:
        nothing = escape(_("Nothing changed in what we keep."))
        parts.append(f"<p>{nothing}</p>")
    found = []
    if previous is not None:
        old, new = (in_language_if_there(each.declaration, code) for each in (previous, version))
        found = tables(old, new, ours)
    if found:
        heading = escape(_("Side by side"))
        marks = escape(_("What is gone is struck through, what is new is underlined."))
        parts += [f"<h2>{heading}</h2>", f"<p>{marks}</p>", *found]
    return "\n".join([*parts, "</section>"]) + "\n"


def render_atom(
    history: History,
    now: dt.datetime,
    *,
    page: str,
    address: Callable[[str], str],
    feed: str | None = None,
    language: str | None = None,
    catalogue: NullTranslations | None = None,
) -> str:
    """A feed of the versions (RFC 4287), the newest first, for readers who keep nothing with us; served as
    application/atom+xml. A version is in it from when it starts, so that no entry ever changes. The ids are the
    addresses, so these have to stay: `page`, absolute, is that of the list of versions, `address` gives that of one
    version, and `feed` is that of the feed itself."""
    started = [version for version in history.versions if version.starts <= now] or [history.versions[0]]
    ours = language_for(language or started[-1].declaration.policy.languages[0], catalogue)
    policy = in_language_if_there(started[-1].declaration, ours.code).policy
    title = ours.gettext("Cookie policy of {service}", service=policy.service)
    own = f'<link rel="self" type="application/atom+xml" href="{_xml(feed)}"/>\n' if feed else ""
    entries = "\n".join(_atom_entry(each, address(each.number), ours, catalogue) for each in reversed(started))
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" '
        f'xml:lang="{_xml(ours.code)}">\n<title>{_xml(title)}</title>\n<id>{_xml(page)}</id>\n'
        f'<link rel="alternate" type="text/html" href="{_xml(page)}"/>\n{own}'
        f"<updated>{_moment(started[-1])}</updated>\n<author><name>{_xml(policy.operator)}</name></author>\n"
        f"{entries}\n</feed>\n"
    )


def _atom_entry(version: Version, address: str, ours: Language, catalogue: NullTranslations | None) -> str:
    said = verdict(version, ours)
    title = ours.gettext("{verdict} (version {version})", version=version.number, verdict=said)
    sentences = change_sentences(version, language=ours.code, catalogue=catalogue)
    found = summary_of(version, ours.code)
    content = "\n".join([*summary_html(version, ours.code), *sentences_html(sentences)])
    line = found[0] if found else next(iter(sentences), said)
    weight = "significant" if version.is_significant else "editorial"
    return (
        f"<entry>\n<title>{_xml(title)}</title>\n<id>{_xml(address)}</id>\n"
        f'<link rel="alternate" type="text/html" href="{_xml(address)}"/>\n<updated>{_moment(version)}</updated>\n'
        f'<category term="{weight}"/>\n<summary>{_xml(line)}</summary>\n'
        f'<content type="html">{_xml(content or escape(said))}</content>\n</entry>'
    )


def _moment(version: Version) -> str:
    return version.starts.isoformat().replace("+00:00", "Z")


def _xml(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text))
