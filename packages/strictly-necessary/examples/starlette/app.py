"""Larder on Starlette. Start it with `python app.py`; GUARD_MODE=raise makes every undeclared cookie an error."""

import argparse
import os
import secrets
from collections import defaultdict, deque
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from strictly_necessary import GuardFinding, load, page, set_cookie
from strictly_necessary.asgi import Guard

SHARED = Path(__file__).resolve().parent.parent / "shared"
MODE: Any = os.environ.get("GUARD_MODE", "enforce")  # raise in development, enforce in production
SECRET = os.environ.get("SECRET_KEY") or secrets.token_urlsafe(32)

declaration = load(SHARED / "policy.toml")
csrf = declaration.item("csrf")
templates = Jinja2Templates(SHARED / "pages")
notes: defaultdict[str, list[str]] = defaultdict(list)  # a database, in a real site
said: deque[str] = deque(maxlen=10)


def tell(finding: GuardFinding) -> None:
    """Keeps what the guards said, for everybody to see: an example. Without it, they write to the log."""
    said.appendleft(f"{finding} ({finding.kind or finding.direction})")


def show(request: Request, name: str, **words: object) -> Response:
    """A page. One with a form also gets a token against forged forms, and the cookie that goes with it."""
    token = request.cookies.get(csrf.name) or secrets.token_urlsafe(32)
    words |= {"person": request.session.get("person"), "theme_information": declaration.item("theme").information}
    words |= {"mode": MODE, "csrf_field": "csrf_token", "csrf_token": token}
    response = templates.TemplateResponse(request, name, words)
    if name in {"sign_in.html", "notes.html"} and csrf.name not in request.cookies:
        response.headers.append("set-cookie", set_cookie(csrf, token))
    return response


async def read_form(request: Request) -> dict[str, str]:
    """The form, if it was sent from a page of ours: nobody else can set a cookie whose name begins with __Host-."""
    form = {key: str(value) for key, value in (await request.form()).items()}
    expected = request.cookies.get(csrf.name, "")
    if not expected or not secrets.compare_digest(form.get("csrf_token", "").encode(), expected.encode()):
        raise HTTPException(403, "This form has expired. Please go back, reload and send it again.")
    return form


def home(request: Request) -> Response:
    return show(request, "home.html", framework="Starlette")


async def sign_in(request: Request) -> Response:
    if request.method == "GET":
        return show(request, "sign_in.html")
    form = await read_form(request)
    request.session["person"] = form.get("name", "")[:40]  # an example: a name is enough
    return RedirectResponse("/notes", 303)


async def sign_out(request: Request) -> Response:
    await read_form(request)
    request.session.clear()  # the guard adds Clear-Site-Data
    return RedirectResponse("/", 303)


async def my_notes(request: Request) -> Response:
    person = request.session.get("person")
    if not person:
        return RedirectResponse("/sign-in", 303)
    if request.method == "GET":
        return show(request, "notes.html", notes=notes[person])
    notes[person].insert(0, (await read_form(request)).get("note", "")[:1000])
    return RedirectResponse("/notes", 303)


def cookies(request: Request) -> Response:
    language = page.preferred_language(request.headers.get("accept-language", ""), declaration.policy.languages)
    words = {"title": page.heading(language=language), "policy": page.render_html(declaration, language=language)}
    return show(request, "cookies.html", language=language, **words)


def try_to_break(request: Request) -> Response:
    return show(request, "break.html", said=list(said), cookies=sorted(request.cookies))


def break_by_header(_: Request) -> Response:
    response = RedirectResponse("/break", 303)
    response.set_cookie("tracker", "by-header")
    return response


site = Starlette(
    routes=[
        Route("/", home),
        Route("/sign-in", sign_in, methods=["GET", "POST"]),
        Route("/sign-out", sign_out, methods=["POST"]),
        Route("/notes", my_notes, methods=["GET", "POST"]),
        Route("/cookies", cookies),
        Route("/break", try_to_break),
        Route("/break/header", break_by_header),
        Route("/break/said", lambda _: JSONResponse(list(said))),
        Mount("/static", StaticFiles(directory=SHARED / "static")),
    ],
    middleware=[
        Middleware(SessionMiddleware, secret_key=SECRET, session_cookie="__Host-session", max_age=None, https_only=True)
    ],
)
app = Guard(site, declaration, mode=MODE, on_finding=tell)

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8000)
    port = parser.parse_args().port
    print(f"Larder is at http://127.0.0.1:{port}/ (Ctrl-C ends it)", flush=True)
    uvicorn.run(app, port=port, log_level="warning")
