"""The examples in each framework's own test client, without a browser.

Each runs in a process of its own, since Django's settings are one for a process: `python test_strictly_examples.py
NAME` walks through the example and prints what it got as JSON.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from strictly_necessary import GuardError, SetBy, load
from strictly_necessary.cookies import parse_set_cookie

EXAMPLES = Path(__file__).parent.parent / "examples"
NAMES = ("django", "fastapi", "flask", "litestar", "starlette")
DECLARATION = load(EXAMPLES / "shared" / "policy.toml")
HOST = "https://larder.example"

Answer = dict[str, Any]
each_example = pytest.mark.parametrize("name", NAMES)


@cache
def walk(name: str, mode: str) -> dict[str, Answer]:
    """The answers to the steps of `steps`, by their names."""
    command = [sys.executable, __file__, name]
    environment = {**os.environ, "GUARD_MODE": mode}
    result = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False)
    assert result.returncode == 0, result.stderr
    found: dict[str, Answer] = json.loads(result.stdout.splitlines()[-1])
    return found


def open_client(name: str) -> Any:
    """The framework's own test client. Django's goes past the guard, so its application is called through WSGI."""
    path = EXAMPLES / name / "app.py"
    spec = importlib.util.spec_from_file_location(f"larder_{name}", path)
    assert spec
    assert spec.loader
    example = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = example
    spec.loader.exec_module(example)
    if name == "django":
        import httpx
        from django.conf import settings  # type: ignore[import-untyped]

        settings.ALLOWED_HOSTS = ["larder.example"]
        return httpx.Client(transport=httpx.WSGITransport(example.application), base_url=HOST)
    if name == "flask":
        return example.app.test_client()
    if name == "litestar":
        from litestar.testing import TestClient as LitestarClient

        return LitestarClient(example.app, base_url=HOST, raise_server_exceptions=False)
    from starlette.testclient import TestClient

    return TestClient(example.app, base_url=HOST, raise_server_exceptions=False)


def ask(
    client: Any, method: str, path: str, form: dict[str, str] | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """What the site answers, in one shape for all clients. A `GuardError` in the test is a 500 of a server."""
    sent = {"referer": HOST + "/", **(headers or {})}  # Django wants one on https
    try:
        if hasattr(client, "open"):
            answer = client.open(path, method=method, data=form, headers=sent, base_url=HOST)
            cookies = answer.headers.getlist("Set-Cookie")
        else:
            answer = client.request(method, path, data=form, headers=sent, follow_redirects=False)
            cookies = answer.headers.get_list("set-cookie")
    except GuardError as error:
        return {"status": 500, "headers": {}, "cookies": [], "text": str(error)}
    received = {key.lower(): value for key, value in answer.headers.items()}
    return {"status": answer.status_code, "headers": received, "cookies": cookies, "text": answer.text}


def hidden_field(text: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)">', text))


def steps(client: Any) -> dict[str, Answer]:
    """One visit, from the first page to the sign-out."""
    taken = {"first": ask(client, "GET", "/", headers={"cookie": "_ga=GA1.2.3"})}
    taken["break"] = ask(client, "GET", "/break", headers={"cookie": "_ga=GA1.2.3"})
    taken["cookies"] = ask(client, "GET", "/cookies", headers={"accept-language": "de-AT,de;q=0.9,en;q=0.5"})
    taken["form"] = ask(client, "GET", "/sign-in")
    taken["stranger"] = ask(client, "GET", "/notes")
    token = hidden_field(taken["form"]["text"])
    taken["forged"] = ask(client, "POST", "/sign-in", {"name": "Eve", **dict.fromkeys(token, "forged")})
    taken["odd"] = ask(client, "POST", "/sign-in", dict.fromkeys(token, "\N{SNOWMAN}"))
    taken["empty form"] = ask(client, "POST", "/sign-in", token)
    taken["signed in"] = ask(client, "POST", "/sign-in", {"name": "Ada <b>", **token})
    taken["empty"] = ask(client, "GET", "/notes")
    token = hidden_field(taken["empty"]["text"])
    taken["saved"] = ask(client, "POST", "/notes", {"note": "Plums & jam", **token})
    taken["notes"] = ask(client, "GET", "/notes")
    taken["by header"] = ask(client, "GET", "/break/header")
    taken["said"] = ask(client, "GET", "/break/said")
    taken["signed out"] = ask(client, "POST", "/sign-out", token)
    taken["after"] = ask(client, "GET", "/notes")
    return taken


def only_cookie(answer: Answer, item_id: str) -> None:
    """The answer sets this one cookie, with exactly the declared attributes, for the browser session."""
    (header,) = answer["cookies"]
    cookie, item = parse_set_cookie(header.strip().encode()), DECLARATION.item(item_id)
    assert item.set_by is SetBy.SERVER
    assert cookie.name.decode() == item.name
    assert (cookie.path, cookie.secure, cookie.http_only) == (item.path, item.secure, item.http_only)
    assert (cookie.same_site, cookie.max_age, cookie.expires) == (item.same_site, None, None)


@each_example
def test_a_visitor_gets_no_cookie_and_the_headers(name: str) -> None:
    taken = walk(name, "enforce")
    for step in ("first", "break", "cookies"):
        assert taken[step]["status"] == 200
        assert taken[step]["cookies"] == []
        assert "script-src 'self';" in taken[step]["headers"]["content-security-policy"]
        assert taken[step]["text"].index("/.well-known/cookie-guard.js") == taken[step]["text"].index("/.well-known")
    assert "_ga" not in re.sub(r"SN\d+.*", "", taken["break"]["text"])


@each_example
def test_the_policy_is_in_the_language_of_the_browser(name: str) -> None:
    text = walk(name, "enforce")["cookies"]["text"]
    assert '<article class="policy" lang="de">' in text
    for item in DECLARATION.in_language("de").items:
        assert item.title is not None
        assert item.title in text


@each_example
def test_the_cookies_are_the_declared_ones(name: str) -> None:
    taken = walk(name, "enforce")
    assert taken["stranger"]["headers"]["location"] == "/sign-in"
    only_cookie(taken["form"], "csrf")
    only_cookie(taken["signed in"], "session")
    assert taken["signed in"]["headers"]["location"] == "/notes"
    assert "Hello, Ada &lt;b&gt;" in taken["empty"]["text"]
    assert "Plums &amp; jam" in taken["notes"]["text"]


@each_example
def test_a_forged_form_is_refused(name: str) -> None:
    answer = walk(name, "enforce")["forged"]
    assert answer["status"] == 403
    assert "__Host-session" not in str(answer["cookies"])


@each_example
def test_no_form_makes_the_site_stumble(name: str) -> None:
    taken = walk(name, "enforce")
    assert taken["odd"]["status"] == 403
    assert taken["empty form"]["status"] in {303, 302, 400, 422}


@each_example
def test_signing_out_removes_the_session_and_clears(name: str) -> None:
    taken = walk(name, "enforce")
    (removal,) = taken["signed out"]["cookies"]
    cookie = parse_set_cookie(removal.strip().encode())
    assert cookie.name == b"__Host-session"
    assert cookie.max_age == 0 or cookie.expires is not None
    assert taken["signed out"]["headers"]["clear-site-data"] == '"cache"'
    assert taken["after"]["headers"]["location"] == "/sign-in"


@each_example
def test_an_undeclared_cookie_does_not_leave_and_is_told(name: str) -> None:
    taken = walk(name, "enforce")
    assert taken["by header"]["status"] in {302, 303}
    assert "tracker" not in str(taken["by header"]["cookies"])
    assert json.loads(taken["said"]["text"])[0] == 'SN311 "tracker" is not declared (response)'


@each_example
def test_in_mode_raise_an_undeclared_cookie_is_an_error_and_the_rest_is_the_same(name: str) -> None:
    taken, usual = walk(name, "raise"), walk(name, "enforce")
    assert taken["by header"]["status"] == 500
    assert taken["by header"]["cookies"] == []
    assert "script-src 'self';" in taken["first"]["headers"]["content-security-policy"]
    for step in taken.keys() - {"by header"}:
        assert taken[step]["status"] == usual[step]["status"], step


def main(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = open_client(name)
        with client:
            taken = steps(client)
    print(json.dumps(taken))


if __name__ == "__main__":
    main(sys.argv[1])
