"""Where everybody sees and changes what this browser or account has agreed to: as easy as it was to agree."""

from typing import Any

from litestar import Request
from litestar.response.base import ASGIResponse
from minijinja import safe

from mixip.edge.pages import page
from mixip.edge.told import consent_of, consents_html
from mixip.legal.language import addresses, language_of, public_at
from mixip.legal.words import words_in
from strictly_necessary.page import render_languages_html

AnyRequest = Request[Any, Any, Any]


@public_at("/legal/consent", "/legal/cookies/{language:str}/consent")
def consent_page(request: AnyRequest) -> ASGIResponse:
    """What was answered, each with a button that withdraws or gives; or plainly that nothing is asked."""
    version = consent_of(request.scope).standing.version
    code, headers = language_of(request, version)
    found = addresses(version, "/consent")
    return page(
        request,
        "legal/consent.html",
        headers=headers,
        language=code,
        addresses=found,
        negotiated="/legal/consent",
        words=words_in(code),
        languages_html=safe(render_languages_html(found, language=code)),
        consents_html=consents_html(request.scope, code),
        asks_here=True,
    )


ROUTES = (*consent_page,)
