"""The legal pages."""

from typing import Any

from litestar import Request, get
from litestar.response.base import ASGIResponse
from minijinja import safe

from mixip.edge.injected import Injected, Time
from mixip.edge.pages import page
from mixip.legal import changes, consent
from mixip.legal.changes import policy_html
from mixip.legal.language import addresses, language_of, public_at
from mixip.legal.words import words_in
from mixip.policies import Imprint, Policies
from strictly_necessary.page import heading, render_languages_html

AnyRequest = Request[Any, Any, Any]


@public_at("/legal/cookies", "/legal/cookies/{language:str}")
def cookies_page(request: AnyRequest, policies: Injected[Policies], clock: Time) -> ASGIResponse:
    """What is stored in the browser: the declaration in force, as a page in the language that the browser asks for, or
    in one at an address that stays. A version that is scheduled is announced on it."""
    history, now = policies(), clock()
    current, scheduled = history.at(now), history.after(now)
    code, headers = language_of(request, current)
    found = addresses(current, "")
    return page(
        request,
        "legal/cookies.html",
        headers=headers,
        language=code,
        addresses=found,
        negotiated="/legal/cookies",
        words=words_in(code),
        heading=heading(language=code),
        languages_html=safe(render_languages_html(found, language=code)),
        policy_html=safe(policy_html(current, code, scheduled)),
    )


@get("/legal/privacy", public=True, include_in_schema=False, sync_to_thread=True)
def privacy_page(
    request: AnyRequest, imprint: Injected[Imprint], policies: Injected[Policies], clock: Time
) -> ASGIResponse:
    """What is kept about people, with every third party from the declaration."""
    third_parties = policies().at(clock()).declaration.third_parties
    return page(request, "legal/privacy.html", third_parties=third_parties, imprint=imprint)


@get("/legal/terms", public=True, include_in_schema=False, sync_to_thread=True)
def terms_page(request: AnyRequest, imprint: Injected[Imprint]) -> ASGIResponse:
    """What both sides may expect."""
    return page(request, "legal/terms.html", imprint=imprint)


ROUTES = (
    *cookies_page,
    privacy_page,
    terms_page,
    *changes.ROUTES,
    *consent.ROUTES,
)
