"""The legal pages."""

from functools import cache
from typing import Any

from litestar import Request, get
from litestar.params import FromPath
from litestar.response.base import ASGIResponse
from minijinja import safe

from mixip.edge.injected import Injected
from mixip.edge.pages import page
from mixip.edge.policy import declaration
from mixip.errors import Problem
from mixip.policies import Imprint, in_the_name_of
from strictly_necessary.page import heading, preferred_language, render_html, render_languages_html

AnyRequest = Request[Any, Any, Any]


@get("/legal/cookies", public=True, include_in_schema=False, sync_to_thread=True)
def cookies_page(request: AnyRequest, imprint: Injected[Imprint]) -> ASGIResponse:
    """What is stored in the browser: the declaration, as a page in the language that the browser asks for."""
    wishes = ", ".join(request.headers.getall("accept-language", []))
    language = preferred_language(wishes, declaration().policy.languages)
    return _cookies(request, imprint, language, {"vary": "Accept-Language"})


@get("/legal/cookies/{language:str}", public=True, include_in_schema=False, sync_to_thread=True)
def cookies_page_in(request: AnyRequest, imprint: Injected[Imprint], language: FromPath[str]) -> ASGIResponse:
    """The same in one language, at an address that stays."""
    if language not in declaration().policy.languages:
        raise Problem("not_found")
    return _cookies(request, imprint, language, {})


@get("/legal/privacy", public=True, include_in_schema=False, sync_to_thread=True)
def privacy_page(request: AnyRequest, imprint: Injected[Imprint]) -> ASGIResponse:
    """What is kept about people, with every third party from the declaration."""
    return page(request, "legal/privacy.html", third_parties=declaration().third_parties, imprint=imprint)


@get("/legal/terms", public=True, include_in_schema=False, sync_to_thread=True)
def terms_page(request: AnyRequest, imprint: Injected[Imprint]) -> ASGIResponse:
    """What both sides may expect."""
    return page(request, "legal/terms.html", imprint=imprint)


def _cookies(request: AnyRequest, imprint: Imprint, language: str, headers: dict[str, str]) -> ASGIResponse:
    addresses = {each: f"/legal/cookies/{each}" for each in declaration().policy.languages}
    return page(
        request,
        "legal/cookies.html",
        headers={"content-language": language, **headers},
        language=language,
        addresses=addresses,
        heading=heading(language=language),
        languages_html=safe(render_languages_html(addresses, language=language)),
        policy_html=safe(_policy(imprint, language)),
    )


@cache
def _policy(imprint: Imprint, language: str) -> str:
    return render_html(in_the_name_of(imprint, declaration()), language=language)


ROUTES = (cookies_page, cookies_page_in, privacy_page, terms_page)
