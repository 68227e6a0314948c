"""What every page tells of the policy: that it has changed, and what it asks. Where there is nothing, nothing."""

from functools import lru_cache
from typing import Any
from urllib.parse import quote

from litestar import Litestar
from litestar.exceptions import HTTPException
from minijinja import safe

from mixip.edge.asgi import Scope
from mixip.edge.caller import STATE_KEY, Caller
from mixip.edge.headers import values
from mixip.edge.responses import local_path
from strictly_necessary import Declaration, asgi
from strictly_necessary.browser import guard_address
from strictly_necessary.consent import Channel, Ticket, Visitor
from strictly_necessary.page import preferred_language, render_consents_html, render_gate_html, render_news_html

LONGEST_BACK = 2048  # as the guard takes it

_guard_address = lru_cache(maxsize=8)(guard_address)


def consent_of(scope: Scope) -> Ticket:
    """What the guard knows of consent for this request."""
    return asgi.consent_of(scope)


def told(scope: Scope, language: str | None, *, asks_here: bool, tells_here: bool) -> dict[str, Any]:
    """What the layout needs: the announcement and the question as HTML, empty for none; whether the policy in force
    holds anything that needs consent; what it says beside controls; and the address of the browser guard.

    Both are in the `language` of the page if that is one of the policy's, else in the one that the browser prefers.
    `asks_here`: the page itself shows every question. `tells_here`: it shows what changed, so that only those are told
    who can say that they have seen it.
    """
    ticket = consent_of(scope)
    declaration = ticket.standing.version.declaration
    visitor = visitor_of(scope)
    news = () if tells_here and visitor is None else ticket.news(visitor)
    asks = ticket.standing.asks and not asks_here
    shown = {"news": "", "gate": ""}
    if news or asks:
        code = language if language in declaration.policy.languages else wished_language(scope, declaration)
        policy, back = f"/legal/cookies/{code}", _back(scope)
        changes = f"{policy}/changes" + (f"/{news[0].number}" if len(news) == 1 else "")
        shown["news"] = render_news_html(
            news, back=back, changes=changes, language=code, acknowledges=visitor is not None
        )
        if asks:
            shown["gate"] = render_gate_html(ticket.standing, back=back, language=code, policy=policy)
    return {
        **{name: safe(html) for name, html in shown.items()},
        "asks": bool(declaration.gated),
        "information": {item.id: item.information for item in declaration.items},
        "guard_address": _guard_address(declaration),
    }


def consents_html(scope: Scope, language: str) -> str:
    """What was answered, with a button for each that takes it back or gives it; empty if nothing needs consent."""
    standing = consent_of(scope).standing
    html = render_consents_html(standing, back=scope["path"], language=language, policy=f"/legal/cookies/{language}")
    return safe(html)


def visitor_of(scope: Scope) -> Visitor | None:
    """Whoever is signed in, as the policy library calls them."""
    caller: Caller | None = scope.get("state", {}).get(STATE_KEY)
    if caller is None:
        return None
    return Visitor(caller.account_id, caller.since, Channel.APP if caller.kind == "app" else Channel.PAGE)


def wished_language(scope: Scope, declaration: Declaration) -> str:
    """The one of the policy's languages that the browser prefers."""
    wishes: str = b", ".join(values(scope, b"accept-language")).decode("latin-1")
    return preferred_language(wishes, declaration.policy.languages)


def _back(scope: Scope) -> str:
    """Where an answer returns to: here, if this is an address that can be opened."""
    if scope["method"] in {"GET", "HEAD"}:
        query = scope["query_string"].decode("latin-1")
        path = quote(scope["path"])
        here = local_path(f"{path}?{query}" if query else path, "/")
        return here if len(here) <= LONGEST_BACK else "/"
    app: Litestar | None = scope.get("litestar_app")  # absent when the request did not come as far as a handler
    try:
        if app is not None:
            app.asgi_router.handle_routing(path=scope["path"], method="GET")
            return local_path(quote(scope["path"]), "/")
    except HTTPException:
        pass
    return "/"
