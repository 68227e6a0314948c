"""Larder on Litestar. Start it with `python app.py`; GUARD_MODE=raise makes every undeclared cookie an error."""

import argparse
import os
import secrets
from collections import defaultdict, deque
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from litestar import Litestar, Request, get, post
from litestar.config.csrf import CSRFConfig
from litestar.connection import ASGIConnection
from litestar.contrib.jinja import JinjaTemplateEngine
from litestar.enums import RequestEncodingType
from litestar.middleware.session.server_side import ServerSideSessionBackend, ServerSideSessionConfig
from litestar.params import Body
from litestar.response import Redirect, Template
from litestar.static_files import create_static_files_router
from litestar.template import TemplateConfig
from litestar.template.base import csrf_token
from litestar.types import Empty, Message, ScopeSession

from strictly_necessary import GuardFinding, load, page
from strictly_necessary.asgi import Guard

SHARED = Path(__file__).resolve().parent.parent / "shared"
MODE: Any = os.environ.get("GUARD_MODE", "enforce")  # raise in development, enforce in production
SECRET = os.environ.get("SECRET_KEY") or secrets.token_urlsafe(32)
Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]

declaration = load(SHARED / "policy.toml")
notes: defaultdict[str, list[str]] = defaultdict(list)  # a database, in a real site
said: deque[str] = deque(maxlen=10)


def tell(finding: GuardFinding) -> None:
    """Keeps what the guards said, for everybody to see: an example. Without it, they write to the log."""
    said.appendleft(f"{finding} ({finding.kind or finding.direction})")


class Sessions(ServerSideSessionBackend):
    """Litestar's own, without a cookie for those who have no session: it would give one to every visitor."""

    async def store_in_message(
        self, scope_session: ScopeSession, message: Message, connection: ASGIConnection[Any, Any, Any, Any]
    ) -> None:
        if scope_session or self.config.key in connection.cookies:
            await super().store_in_message(scope_session or Empty, message, connection)


sessions = ServerSideSessionConfig(key="__Host-session", secure=True, httponly=True, samesite="lax")
sessions._backend_class = Sessions
sessions.max_age = None  # type: ignore[assignment] # no Max-Age: the cookie ends with the browser session

forgery = CSRFConfig(
    SECRET,
    cookie_name="__Host-csrf",
    cookie_secure=True,
    cookie_httponly=True,
    cookie_samesite="strict",
    exclude=["^/$", "^/cookies", "^/break", "^/static"],  # pages without a form need no cookie
)


def show(request: Request[Any, Any, Any], name: str, **words: object) -> Template:
    words |= {"person": request.session.get("person"), "theme_information": declaration.item("theme").information}
    words |= {"mode": MODE, "csrf_field": "_csrf_token", "csrf_token": csrf_token({"request": request})}
    return Template(name, context=words)


@get("/", sync_to_thread=False)
def home(request: Request[Any, Any, Any]) -> Template:
    return show(request, "home.html", framework="Litestar")


@get("/sign-in", sync_to_thread=False)
def sign_in(request: Request[Any, Any, Any]) -> Template:
    return show(request, "sign_in.html")


@post("/sign-in", sync_to_thread=False)
def signing_in(request: Request[Any, Any, Any], data: Form) -> Redirect:
    request.session["person"] = data.get("name", "")[:40]  # an example: a name is enough
    return Redirect("/notes", status_code=303)


@post("/sign-out", sync_to_thread=False)
def sign_out(request: Request[Any, Any, Any]) -> Redirect:
    request.clear_session()  # the guard adds Clear-Site-Data
    return Redirect("/", status_code=303)


@get("/notes", sync_to_thread=False)
def my_notes(request: Request[Any, Any, Any]) -> Template | Redirect:
    person = request.session.get("person")
    return show(request, "notes.html", notes=notes[person]) if person else Redirect("/sign-in", status_code=303)


@post("/notes", sync_to_thread=False)
def save(request: Request[Any, Any, Any], data: Form) -> Redirect:
    if person := request.session.get("person"):
        notes[person].insert(0, data.get("note", "")[:1000])
    return Redirect("/notes", status_code=303)


@get("/cookies", sync_to_thread=False)
def cookies(request: Request[Any, Any, Any]) -> Template:
    language = page.preferred_language(request.headers.get("accept-language", ""), declaration.policy.languages)
    words = {"title": page.heading(language=language), "policy": page.render_html(declaration, language=language)}
    return show(request, "cookies.html", language=language, **words)


@get("/break", sync_to_thread=False)
def try_to_break(request: Request[Any, Any, Any]) -> Template:
    return show(request, "break.html", said=list(said), cookies=sorted(request.cookies))


@get("/break/header", sync_to_thread=False)
def break_by_header() -> Redirect:
    response = Redirect("/break", status_code=303)
    response.set_cookie("tracker", "by-header")
    return response


@get("/break/said", sync_to_thread=False)
def what_was_said() -> list[str]:
    return list(said)


site: Any = Litestar(
    [
        *(home, sign_in, signing_in, sign_out, my_notes, save, cookies, try_to_break, break_by_header, what_was_said),
        create_static_files_router("/static", [SHARED / "static"]),
    ],
    middleware=[sessions.middleware],
    csrf_config=forgery,
    template_config=TemplateConfig(directory=SHARED / "pages", engine=JinjaTemplateEngine),
    openapi_config=None,
)
app = Guard(site, declaration, mode=MODE, on_finding=tell)

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8000)
    port = parser.parse_args().port
    print(f"Larder is at http://127.0.0.1:{port}/ (Ctrl-C ends it)", flush=True)
    uvicorn.run(app, port=port, log_level="warning")
