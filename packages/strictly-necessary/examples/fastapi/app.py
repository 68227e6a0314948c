"""Larder on FastAPI. Start it with `python app.py`; GUARD_MODE=raise makes every undeclared cookie an error."""

import argparse
import os
import secrets
from collections import defaultdict, deque
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.middleware.sessions import SessionMiddleware

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


app = FastAPI(title="Larder", docs_url=None, redoc_url=None)  # their pages load scripts from elsewhere
app.mount("/static", StaticFiles(directory=SHARED / "static"))
app.add_middleware(SessionMiddleware, secret_key=SECRET, session_cookie="__Host-session", max_age=None, https_only=True)
# Added last, so that it stands in front of everything else.
app.add_middleware(Guard, policy=declaration, mode=MODE, on_finding=tell)


def show(request: Request, name: str, **words: object) -> Response:
    """A page. One with a form also gets a token against forged forms, and the cookie that goes with it."""
    token = request.cookies.get(csrf.name) or secrets.token_urlsafe(32)
    words |= {"person": request.session.get("person"), "theme_information": declaration.item("theme").information}
    words |= {"mode": MODE, "csrf_field": "csrf_token", "csrf_token": token}
    response = templates.TemplateResponse(request, name, words)
    if name in {"sign_in.html", "notes.html"} and csrf.name not in request.cookies:
        response.headers.append("set-cookie", set_cookie(csrf, token))
    return response


def own_form(request: Request, csrf_token: Annotated[str, Form()] = "") -> None:
    """Refuses a form that no page of ours sent: nobody else can set a cookie whose name begins with __Host-."""
    expected = request.cookies.get(csrf.name, "")
    if not expected or not secrets.compare_digest(csrf_token.encode(), expected.encode()):
        raise HTTPException(403, "This form has expired. Please go back, reload and send it again.")


def signed_in(request: Request) -> str:
    """The person's name. Others are led to the sign-in."""
    person = request.session.get("person")
    if not person:
        raise HTTPException(303, headers={"location": "/sign-in"})
    return str(person)


@app.get("/", response_class=HTMLResponse)
def home(request: Request) -> Response:
    return show(request, "home.html", framework="FastAPI")


@app.get("/sign-in", response_class=HTMLResponse)
def sign_in(request: Request) -> Response:
    return show(request, "sign_in.html")


@app.post("/sign-in", dependencies=[Depends(own_form)])
def signing_in(request: Request, name: Annotated[str, Form(max_length=40)]) -> Response:
    request.session["person"] = name  # an example: a name is enough
    return RedirectResponse("/notes", 303)


@app.post("/sign-out", dependencies=[Depends(own_form)])
def sign_out(request: Request) -> Response:
    request.session.clear()  # the guard adds Clear-Site-Data
    return RedirectResponse("/", 303)


@app.get("/notes", response_class=HTMLResponse)
def my_notes(request: Request, person: Annotated[str, Depends(signed_in)]) -> Response:
    return show(request, "notes.html", notes=notes[person])


@app.post("/notes", dependencies=[Depends(own_form)])
def save(person: Annotated[str, Depends(signed_in)], note: Annotated[str, Form(max_length=1000)]) -> Response:
    notes[person].insert(0, note)
    return RedirectResponse("/notes", 303)


@app.get("/cookies", response_class=HTMLResponse)
def cookies(request: Request) -> Response:
    language = page.preferred_language(request.headers.get("accept-language", ""), declaration.policy.languages)
    words = {"title": page.heading(language=language), "policy": page.render_html(declaration, language=language)}
    return show(request, "cookies.html", language=language, **words)


@app.get("/break", response_class=HTMLResponse)
def try_to_break(request: Request) -> Response:
    return show(request, "break.html", said=list(said), cookies=sorted(request.cookies))


@app.get("/break/header")
def break_by_header() -> Response:
    response = RedirectResponse("/break", 303)
    response.set_cookie("tracker", "by-header")
    return response


@app.get("/break/said")
def what_was_said() -> list[str]:
    return list(said)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8000)
    port = parser.parse_args().port
    print(f"Larder is at http://127.0.0.1:{port}/ (Ctrl-C ends it)", flush=True)
    uvicorn.run(app, port=port, log_level="warning")
