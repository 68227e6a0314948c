"""Larder on Django. Start it with `python app.py`; GUARD_MODE=raise makes every undeclared cookie an error.

Django's settings, views and addresses stand in this one file; in a project of yours, only the lines between the two
rulers are new."""

import argparse
import os
import secrets
from collections import defaultdict, deque
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST
from django.views.static import serve

from strictly_necessary import GuardFinding, load, page
from strictly_necessary.wsgi import Guard

SHARED = Path(__file__).resolve().parent.parent / "shared"
MODE: Any = os.environ.get("GUARD_MODE", "enforce")  # raise in development, enforce in production

notes: defaultdict[str, list[str]] = defaultdict(list)  # a database, in a real site
said: deque[str] = deque(maxlen=10)


def tell(finding: GuardFinding) -> None:
    """Keeps what the guards said, for everybody to see: an example. Without it, they write to the log."""
    said.appendleft(f"{finding} ({finding.kind or finding.direction})")


# ---------------------------------------------------------------------------------------------------------------------
declaration = load(SHARED / "policy.toml")
settings.configure(
    SESSION_COOKIE_NAME="__Host-session",
    SESSION_COOKIE_SECURE=True,
    SESSION_COOKIE_SAMESITE="Lax",
    SESSION_EXPIRE_AT_BROWSER_CLOSE=True,
    CSRF_COOKIE_NAME="__Host-csrf",
    CSRF_COOKIE_SECURE=True,
    CSRF_COOKIE_HTTPONLY=True,
    CSRF_COOKIE_SAMESITE="Strict",
    CSRF_COOKIE_AGE=None,
    # ------------------------------------------------------------------------------------------------------------------
    SECRET_KEY=os.environ.get("SECRET_KEY") or secrets.token_urlsafe(32),
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [SHARED / "pages"]}],
    ROOT_URLCONF=__name__,
    WSGI_APPLICATION=f"{__name__}.application",
    DEBUG=MODE == "raise",
)


def show(request: HttpRequest, name: str, **words: object) -> HttpResponse:
    words |= {"person": request.session.get("person"), "theme_information": declaration.item("theme").information}
    return render(request, name, words | {"mode": MODE, "csrf_field": "csrfmiddlewaretoken"})


def home(request: HttpRequest) -> HttpResponse:
    return show(request, "home.html", framework="Django")


def sign_in(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        return show(request, "sign_in.html")
    request.session["person"] = request.POST.get("name", "")[:40]  # an example: a name is enough
    return HttpResponseRedirect("/notes")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    request.session.flush()  # the guard adds Clear-Site-Data
    return HttpResponseRedirect("/")


def my_notes(request: HttpRequest) -> HttpResponse:
    person = request.session.get("person")
    if not person:
        return HttpResponseRedirect("/sign-in")
    if request.method == "GET":
        return show(request, "notes.html", notes=notes[person])
    notes[person].insert(0, request.POST.get("note", "")[:1000])
    return redirect("/notes")


def cookies(request: HttpRequest) -> HttpResponse:
    language = page.preferred_language(request.headers.get("Accept-Language", ""), declaration.policy.languages)
    words = {"title": page.heading(language=language), "policy": page.render_html(declaration, language=language)}
    return show(request, "cookies.html", language=language, **words)


def try_to_break(request: HttpRequest) -> HttpResponse:
    return show(request, "break.html", said=list(said), cookies=sorted(request.COOKIES))


def break_by_header(_: HttpRequest) -> HttpResponse:
    response = HttpResponseRedirect("/break")
    response.set_cookie("tracker", "by-header")
    return response


urlpatterns = [
    path("", home),
    path("sign-in", sign_in),
    path("sign-out", sign_out),
    path("notes", my_notes),
    path("cookies", cookies),
    path("break", try_to_break),
    path("break/header", break_by_header),
    path("break/said", lambda _: JsonResponse(list(said), safe=False)),
    path("static/<path:path>", serve, {"document_root": SHARED / "static"}),
]
application = Guard(get_wsgi_application(), declaration, mode=MODE, on_finding=tell)

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8000)
    port = parser.parse_args().port
    print(f"Larder is at http://127.0.0.1:{port}/ (Ctrl-C ends it)", flush=True)
    execute_from_command_line(["app.py", "runserver", "--noreload", "--skip-checks", f"127.0.0.1:{port}"])
