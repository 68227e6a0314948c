"""All versions of the cookie policy: each at an address that stays, with what changed, and a feed of them."""

import hashlib
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from litestar import Request
from litestar.params import FromPath
from litestar.response.base import ASGIResponse
from minijinja import safe

from mixip.edge.address import origin_of
from mixip.edge.injected import Injected, Time
from mixip.edge.pages import page
from mixip.edge.responses import respond
from mixip.errors import Problem
from mixip.legal.language import addresses, fixed_language, language_of, public_at
from mixip.legal.rendered import Rendered
from mixip.legal.words import Words, words_in
from mixip.policies import Policies
from strictly_necessary.page import (
    heading,
    render_atom,
    render_changes_html,
    render_html,
    render_languages_html,
    render_versions_html,
)
from strictly_necessary.versions import History, Version

AnyRequest = Request[Any, Any, Any]
Versions = Injected[Policies]

FEED_HEADERS = {"cache-control": "public, max-age=600"}

_rendered = Rendered()


@public_at("/legal/changes", "/legal/cookies/{language:str}/changes")
def changes_page(request: AnyRequest, policies: Versions, clock: Time) -> ASGIResponse:
    """Every version, the newest first."""
    history, now = policies(), clock()
    current = history.at(now)
    code, headers = language_of(request, current)
    fixed = fixed_language(request)
    pages = {each.number: _address(each.number, fixed) for each in history.versions}
    versions_html = _rendered.of(
        history,
        ("versions", current.number, code, fixed),
        lambda: render_versions_html(history, pages, now, language=code),
    )
    return page(
        request,
        "legal/changes.html",
        headers=headers,
        words=words_in(code),
        feed=_feed(fixed),
        versions_html=safe(versions_html),
        tells_here=True,
        **_around(code, current, "/changes", "/legal/changes"),
    )


@public_at("/legal/changes/{version:str}", "/legal/cookies/{language:str}/changes/{version:str}")
def change_page(request: AnyRequest, version: FromPath[str], policies: Versions, clock: Time) -> ASGIResponse:
    """What changed with a version: in plain words, and side by side with the one before."""
    history, now = policies(), clock()
    code, headers = language_of(request, history.at(now))
    shown, previous = _version(history, version)
    words = words_in(code)
    changes_html = _rendered.of(
        history, ("changes", shown.number, code), lambda: render_changes_html(shown, previous, language=code)
    )
    return page(
        request,
        "legal/change.html",
        headers=headers,
        words=words,
        name=words.version.format(version=shown.number),
        state="" if shown == history.at(now) else _state(history, shown, words, now),
        whole=_address(shown.number, fixed_language(request)) + "/policy",
        versions=_below(fixed_language(request)),
        changes_html=safe(changes_html),
        tells_here=True,
        **_around(code, history.at(now), f"/changes/{quote(version)}", f"/legal/changes/{quote(version)}"),
    )


@public_at("/legal/changes/{version:str}/policy", "/legal/cookies/{language:str}/changes/{version:str}/policy")
def version_page(request: AnyRequest, version: FromPath[str], policies: Versions, clock: Time) -> ASGIResponse:
    """The whole policy of a version, in its own languages."""
    history, now = policies(), clock()
    code, headers = language_of(request, history.at(now))
    shown, _ = _version(history, version)
    own = shown.declaration.policy.languages
    text = code if code in own else own[0]
    below = f"/changes/{quote(version)}/policy"
    return page(
        request,
        "legal/version.html",
        headers=headers,
        words=words_in(code),
        name=words_in(code).version.format(version=shown.number),
        state=_state(history, shown, words_in(code), now),
        is_current=shown.number == history.at(now).number,
        change=_address(shown.number, fixed_language(request)),
        heading=heading(language=code),
        text_language=text,
        policy_html=safe(policy_html(shown, text)),
        **_around(code, history.at(now), below, f"/legal{below}"),
    )


@public_at("/legal/changes.atom", "/legal/cookies/{language:str}/changes.atom")
def changes_feed(request: AnyRequest, policies: Versions, clock: Time) -> ASGIResponse:
    """The same for feed readers (RFC 4287), who keep nothing with us."""
    history, now = policies(), clock()
    current = history.at(now)
    code, headers = language_of(request, current)
    origin, fixed = origin_of(request.scope), fixed_language(request)
    feed = _rendered.of(
        history,
        ("feed", current.number, code, fixed, origin),
        lambda: render_atom(
            history,
            now,
            page=origin + _below(fixed),
            address=lambda number: origin + _address(number, fixed),
            feed=origin + _feed(fixed),
            language=code,
        ),
    )
    body = feed.encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**headers, **FEED_HEADERS, "etag": tag}
    if tag in request.headers.get("if-none-match", ""):
        return respond(b"", "application/atom+xml", status=304, headers=headers)
    return respond(body, "application/atom+xml", headers=headers)


@lru_cache(maxsize=32)
def policy_html(version: Version, language: str, scheduled: Version | None = None) -> str:
    """The policy of a version, as it stands on its page; `scheduled` is the one that follows."""
    below = f"/legal/cookies/{language}"
    return render_html(
        version.declaration,
        language=language,
        consent=f"{below}/consent" if version.declaration.gated else None,
        changes=f"{below}/changes",
        scheduled=scheduled,
    )


def _version(history: History, number: str) -> tuple[Version, Version | None]:
    """The version of this name and the one before it."""
    numbers = [each.number for each in history.versions]
    if number not in numbers:
        raise Problem("not_found")
    index = numbers.index(number)
    return history.versions[index], history.versions[index - 1] if index else None


def _state(history: History, version: Version, words: Words, now: datetime) -> str:
    """Since when, until when or from when it holds."""
    following = history.versions[history.versions.index(version) + 1 :]
    started, end = words.moment(version.starts), next(iter(following), None)
    if version.starts > now and version is not history.versions[0]:
        return words.to_come.format(moment=started)
    if end is not None and end.starts <= now:
        return words.ended.format(moment=started, end=words.moment(end.starts))
    return words.in_force.format(moment=started)


def _around(language: str, current: Version, below: str, negotiated: str) -> dict[str, Any]:
    """What pages in several languages have in common."""
    found = addresses(current, below)
    return {
        "language": language,
        "addresses": found,
        "negotiated": negotiated,
        "languages_html": safe(render_languages_html(found, language=language)),
    }


def _below(language: str | None) -> str:
    """The list of versions; whoever came by an address in a language stays in it."""
    return "/legal/changes" if language is None else f"/legal/cookies/{language}/changes"


def _address(number: str, language: str | None) -> str:
    return f"{_below(language)}/{quote(number)}"


def _feed(language: str | None) -> str:
    return f"{_below(language)}.atom"


ROUTES = (
    *changes_page,
    *change_page,
    *version_page,
    *changes_feed,
)
