"""The legal pages."""

from functools import cache
from typing import Any

from litestar import Request, get
from litestar.response.base import ASGIResponse
from minijinja import safe

from mixip.edge.injected import Injected
from mixip.edge.pages import page
from mixip.edge.policy import declaration
from mixip.legal.imprint import Imprint, in_the_name_of
from strictly_necessary.page import render_html

AnyRequest = Request[Any, Any, Any]


@get("/legal/cookies", public=True, include_in_schema=False, sync_to_thread=True)
def cookies_page(request: AnyRequest, imprint: Injected[Imprint]) -> ASGIResponse:
    """What is stored in the browser: the declaration, as a page."""
    return page(request, "legal/cookies.html", policy_html=safe(_policy(imprint)))


@get("/legal/privacy", public=True, include_in_schema=False, sync_to_thread=True)
def privacy_page(request: AnyRequest, imprint: Injected[Imprint]) -> ASGIResponse:
    """What is kept about people, with every third party from the declaration."""
    return page(request, "legal/privacy.html", third_parties=declaration().third_parties, imprint=imprint)


@get("/legal/terms", public=True, include_in_schema=False, sync_to_thread=True)
def terms_page(request: AnyRequest, imprint: Injected[Imprint]) -> ASGIResponse:
    """What both sides may expect."""
    return page(request, "legal/terms.html", imprint=imprint)


@cache
def _policy(imprint: Imprint) -> str:
    return render_html(in_the_name_of(imprint, declaration()))


ROUTES = (cookies_page, privacy_page, terms_page)
