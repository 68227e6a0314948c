"""Larder on Flask. Start it with `python app.py`; GUARD_MODE=raise makes every undeclared cookie an error."""

import argparse
import os
import secrets
from collections import defaultdict, deque
from pathlib import Path
from typing import Any

from flask import Flask, abort, jsonify, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from strictly_necessary import GuardFinding, load, page, set_cookie
from strictly_necessary.wsgi import Guard

SHARED = Path(__file__).resolve().parent.parent / "shared"
MODE: Any = os.environ.get("GUARD_MODE", "enforce")  # raise in development, enforce in production

declaration = load(SHARED / "policy.toml")
csrf = declaration.item("csrf")
notes: defaultdict[str, list[str]] = defaultdict(list)  # a database, in a real site
said: deque[str] = deque(maxlen=10)


def tell(finding: GuardFinding) -> None:
    """Keeps what the guards said, for everybody to see: an example. Without it, they write to the log."""
    said.appendleft(f"{finding} ({finding.kind or finding.direction})")


app = Flask(__name__, template_folder=str(SHARED / "pages"), static_folder=str(SHARED / "static"))
app.config.update(
    SECRET_KEY=os.environ.get("SECRET_KEY") or secrets.token_urlsafe(32),
    SESSION_COOKIE_NAME="__Host-session",
    SESSION_COOKIE_SECURE=True,
    SESSION_COOKIE_HTTPONLY=True,
    SESSION_COOKIE_SAMESITE="Lax",
)
app.wsgi_app = Guard(  # type: ignore[method-assign]
    app.wsgi_app, declaration, mode=MODE, on_finding=tell
)


@app.before_request
def refuse_forged_forms() -> None:
    """Refuses a form that no page of ours sent: nobody else can set a cookie whose name begins with __Host-."""
    if request.method == "POST":
        expected = request.cookies.get(csrf.name, "")
        given = request.form.get("csrf_token", "")
        if not expected or not secrets.compare_digest(given.encode(), expected.encode()):
            abort(403, "This form has expired. Please go back, reload and send it again.")


def show(name: str, **words: object) -> Response:
    """A page. One with a form also gets a token against forged forms, and the cookie that goes with it."""
    token = request.cookies.get(csrf.name) or secrets.token_urlsafe(32)
    words |= {"person": session.get("person"), "theme_information": declaration.item("theme").information}
    words |= {"mode": MODE, "csrf_field": "csrf_token", "csrf_token": token}
    response = make_response(render_template(name, **words))
    if name in {"sign_in.html", "notes.html"} and csrf.name not in request.cookies:
        response.headers.add("set-cookie", set_cookie(csrf, token))
    return response


@app.get("/")
def home() -> ResponseReturnValue:
    return show("home.html", framework="Flask")


@app.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    if request.method == "GET":
        return show("sign_in.html")
    session["person"] = request.form["name"][:40]  # an example: a name is enough
    return redirect("/notes", 303)


@app.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    session.clear()  # the guard adds Clear-Site-Data
    return redirect("/", 303)


@app.route("/notes", methods=["GET", "POST"])
def my_notes() -> ResponseReturnValue:
    person = session.get("person")
    if not person:
        return redirect("/sign-in", 303)
    if request.method == "GET":
        return show("notes.html", notes=notes[person])
    notes[person].insert(0, request.form["note"][:1000])
    return redirect("/notes", 303)


@app.get("/cookies")
def cookies() -> ResponseReturnValue:
    language = page.preferred_language(request.headers.get("accept-language", ""), declaration.policy.languages)
    words = {"title": page.heading(language=language), "policy": page.render_html(declaration, language=language)}
    return show("cookies.html", language=language, **words)


@app.get("/break")
def try_to_break() -> ResponseReturnValue:
    return show("break.html", said=list(said), cookies=sorted(request.cookies))


@app.get("/break/header")
def break_by_header() -> ResponseReturnValue:
    response = redirect("/break", 303)
    response.set_cookie("tracker", "by-header")
    return response


@app.get("/break/said")
def what_was_said() -> ResponseReturnValue:
    return jsonify(list(said))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8000)
    port = parser.parse_args().port
    print(f"Larder is at http://127.0.0.1:{port}/ (Ctrl-C ends it)", flush=True)
    app.run(port=port)
