"""In which language a page comes: at its own address as the browser wishes, and below /legal/cookies/LANGUAGE always in
that one."""

from collections.abc import Callable
from typing import Any

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.response.base import ASGIResponse

from mixip.errors import Problem
from strictly_necessary.page import preferred_language
from strictly_necessary.versions import Version

VARY = {"vary": "Accept-Language"}


def fixed_language(request: Request[Any, Any, Any]) -> str | None:
    """The language in the address, if it has one."""
    found: str | None = request.path_params.get("language")
    return found


def language_of(request: Request[Any, Any, Any], version: Version) -> tuple[str, dict[str, str]]:
    """The language and the headers that tell of it. Raises Problem for one that the policy in force is not in."""
    languages, fixed = version.declaration.policy.languages, fixed_language(request)
    if fixed is None:
        wishes = ", ".join(request.headers.getall("accept-language", []))
        language = preferred_language(wishes, languages)
        return language, {"content-language": language, **VARY}
    if fixed not in languages:
        raise Problem("not_found")
    return fixed, {"content-language": fixed}


def addresses(version: Version, below: str) -> dict[str, str]:
    """The addresses of a page in each language; `below` is what follows the language, such as `/changes`."""
    return {code: f"/legal/cookies/{code}{below}" for code in version.declaration.policy.languages}


def public_at(*paths: str) -> Callable[[Callable[..., ASGIResponse]], tuple[HTTPRouteHandler, ...]]:
    """A decorator: the function answers at each of these addresses, to anyone. One handler for each, because Litestar
    would wrap one for several as often as there are."""

    def routes(function: Callable[..., ASGIResponse]) -> tuple[HTTPRouteHandler, ...]:
        return tuple(get(path, public=True, include_in_schema=False, sync_to_thread=True)(function) for path in paths)

    return routes
