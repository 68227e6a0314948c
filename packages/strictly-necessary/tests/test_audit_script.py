"""Scripts: read with the line of each fault, played by Playwright in the audit's tab, with secrets kept out of what is
told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from strictly_necessary.audit._observation import Deed, Observation, Run, State, Trouble
from strictly_necessary.audit._plan import Plan
from strictly_necessary.audit.crawl import observe
from strictly_necessary.audit.script import Part, ScriptError, Secrets, Target, Verb, read_script
from strictly_necessary.audit.script._reading import read_toml

WHOLE = """
[[sign_in]]
go = "/sign-in"

[[sign_in]]
type = { into = 'label "E-mail"', text = "ada@example.org" }

[[sign_in]]
type = { into = 'css input[type=password]', text = "$PASSWORD" }

[[sign_in]]
submit = 'button "Sign in"'

[[sign_out]]
click = 'link "Sign out"'

[[acts]]
click = 'button "Dark"'

[[acts]]
page = "/settings"
choose = { from = 'label "Language"', option = "Deutsch" }

[[acts]]
wait = 1.5

[[acts]]
wait = "Saved"
"""


def faults(text: str, **environ: str) -> list[str]:
    with pytest.raises(ScriptError) as caught:
        read_toml(text.encode(), "login.toml", environ)
    return [str(fault) for fault in caught.value.faults]


def test_every_step_knows_its_line_and_what_it_does() -> None:
    script = read_toml(WHOLE.encode(), "login.toml", {"PASSWORD": "correct horse"})
    steps = script.steps[Part.SIGN_IN]
    places = [(step.verb, step.line) for step in steps]
    assert places == [(Verb.GO, 3), (Verb.TYPE, 6), (Verb.TYPE, 9), (Verb.SUBMIT, 12)]
    assert steps[2].text == "correct horse"
    assert [str(step.act()) for step in steps] == [
        "go /sign-in",
        'type label "E-mail"',
        "type css input[type=password]",
        'submit button "Sign in"',
    ]
    assert all(step.act().told for step in steps)
    assert [(scene.page, len(scene.steps)) for scene in script.scenes] == [(None, 1), ("/settings", 3)]
    assert [script.tells(part) for part in Part] == [True, True, False, False, True]


def test_a_secret_is_in_no_act_and_no_repr() -> None:
    script = read_toml(WHOLE.encode(), "login.toml", {"PASSWORD": "correct horse"})
    assert "correct horse" not in repr(script)
    assert "correct horse" not in "".join(str(step.act()) + repr(step.act()) for step in script.steps[Part.SIGN_IN])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[sign_in]]\nclick = \n", "login.toml:2 Invalid value"),
        ("[[sign_in]]\nclick = 'Sign in'\n", 'login.toml:2 click: write such as button "Sign in"'),
        ("[[sign_in]]\n\nclick = 'knob \"x\"'\n", "login.toml:3 click: knob is not one of label, text, css"),
        ("[[sign_in]]\ngo = '/'\n[[sign_in]]\nclik = 'x'\n", "login.toml:3 a step has one verb, here stands clik"),
        ("[[sign_in]]\ngo = '/'\nclick = 'text \"x\"'\n", "login.toml:1 a step has one verb, here stands go, click"),
        ("[[login]]\ngo = '/'\n", "login.toml:1 unknown table 'login'; use [[sign_in]]"),
        ("[sign_in]\ngo = '/'\n", "login.toml:1 write [[sign_in]] above each step"),
        ('[[sign_in]]\ntype = { into = \'label "x"\', text = "$NOT_THERE" }\n', "NOT_THERE is not set"),
        ("[[sign_in]]\ntype = 'label \"x\"'\n", "login.toml:2 type: write { into ="),
        ("[[sign_in]]\nwait = true\n", "login.toml:2 wait: write a number of seconds, or a text"),
        ("[[sign_in]]\nscroll = 'down'\n", "login.toml:2 scroll: write a number of pixels"),
        ("[[acts]]\npage = 3\nclick = 'text \"x\"'\n", "login.toml:2 write page as a path"),
        ("", "login.toml:1 no step"),
    ],
)
def test_a_fault_names_its_line(text: str, expected: str) -> None:
    (fault,) = faults(text)
    assert expected in fault


def test_all_faults_are_told_at_once_and_in_order() -> None:
    found = faults("[[sign_in]]\nclick = 'x'\n[[sign_out]]\nscroll = ''\n[[nothing]]\n")
    assert [fault.split()[0] for fault in found] == ["login.toml:2", "login.toml:4", "login.toml:5"]


def test_a_target_is_told_as_it_was_written() -> None:
    for text in ('button "Sign in"', 'label "E-mail"', 'text "It said "no""', "css #id > a"):
        assert str(Target.parse(text)) == text


def test_secrets_are_found_however_they_are_encoded() -> None:
    secrets = Secrets({"PASSWORD": 'a b/ü"c', "SHORT": "abc"})
    told = secrets.without(("a+b%2F%C3%BC%22c", "a%20b/%C3%BC%22c", 'x a b/ü"c x', '{"p":"a b/\\u00fc\\"c"}', "abc"))
    assert told == ("$PASSWORD", "$PASSWORD", "x $PASSWORD x", '{"p":"$PASSWORD"}', "abc")


def test_a_python_file_needs_functions_that_can_be_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "login.py"
    file.write_text("import os\n\n\ndef sign_in(page):\n    pass\n")
    with pytest.raises(ScriptError, match=r"login\.py:4 write async def sign_in\(page\)"):
        read_script(file)
    file.write_text("x = 1\n\n1 / 0\n")
    with pytest.raises(ScriptError, match=r"login\.py:3 ZeroDivisionError"):
        read_script(file)
    file.write_text("def f(:\n")
    with pytest.raises(ScriptError, match=r"login\.py:1 SyntaxError"):
        read_script(file)
    with pytest.raises(OSError, match="missing"):
        read_script(tmp_path / "missing.py")


def test_a_python_file_names_its_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_PASSWORD", "correct horse")
    file = tmp_path / "login.py"
    file.write_text('import os\nasync def sign_in(page):\n    await page.fill("#p", os.environ["AUDIT_PASSWORD"])\n')
    script = read_script(file)
    assert script.tells(Part.SIGN_IN)
    assert not script.tells(Part.ACTS)
    assert script.secrets.without("it was correct horse") == "it was $AUDIT_PASSWORD"


# --- In a real browser ------------------------------------------------------------------------------------------------

FORM = """<!doctype html><title>Sign in</title><h1>Sign in</h1><form method="post" action="/session">
<label>E-mail <input name="who" type="email"></label><label>Password <input name="secret" type="password"></label>
<button>Sign in</button><button type="button">Forgot it?</button></form>"""


class Site(ThreadingHTTPServer):
    """An application and, on another host, an issuer that asks who it is. `gone` are the requests of both."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.gone: list[tuple[str, str]] = []

    def host(self, name: str) -> str:
        return f"http://{name}:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Site
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.gone.append(("GET", self.path))
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        signed_in = "session=ada" in self.headers.get("Cookie", "")
        if path == "/start":
            self.answer(302, "", location=f"{self.server.host('issuer.test')}/authorize")
        elif path == "/authorize":
            self.answer(200, FORM)
        elif path == "/callback" and query.get("code") == ["one"]:
            self.answer(303, "", location="/account", cookie="session=ada; HttpOnly; Path=/")
        elif path == "/account" and signed_in:
            self.answer(200, ACCOUNT)
        elif path == "/orders" and signed_in:
            self.answer(200, "<title>Orders</title><p>None")
        elif path == "/leave":
            self.answer(303, "", location="/", cookie="session=; Max-Age=0; Path=/")
        elif path == "/":
            self.answer(200, HOME + ("" if signed_in else '<a href="/start">Sign in</a>'))
        else:
            self.answer(404, "<title>no</title>")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.gone.append(("POST", self.path))
        if parse_qs(body) == {"who": ["ada@example.org"], "secret": ["correct horse"]}:
            self.answer(303, "", location=f"{self.server.host('shop.test')}/callback?code=one")
        else:
            self.answer(403, "<title>Wrong</title><p>Wrong password")

    def answer(self, status: int, body: str, location: str | None = None, cookie: str | None = None) -> None:
        self.send_response(status)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        if location is not None:
            self.send_header("location", location)
        if cookie is not None:
            self.send_header("set-cookie", cookie)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the standard library's name
        pass


ACCOUNT = """<title>Account</title><h1>Hello Ada</h1><a href="/orders">Orders</a> <a href="/leave">Log out</a>"""
HOME = """<title>Shop</title><button type="button" onclick="localStorage.theme = 'dark'">Dark</button>"""

SIGN_IN = """
[[sign_in]]
click = 'link "Sign in"'
[[sign_in]]
type = { into = 'label "E-mail"', text = "ada@example.org" }
[[sign_in]]
type = { into = 'label "Password"', text = "$AUDIT_PASSWORD" }
[[sign_in]]
submit = 'button "Sign in"'
[[sign_in]]
wait = "Hello Ada"
[[sign_out]]
go = "/account"
[[sign_out]]
click = 'link "Log out"'
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    server = Site()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def audit(site: Site, script: Path, *states: State) -> Observation:
    where = {f"{name}.test": f"127.0.0.1:{site.server_port}" for name in ("shop", "issuer")}
    plan = Plan(f"{site.host('shop.test')}/", script=script, states=states, resolve=where, patience=1, explore=False)
    return asyncio.run(observe(plan))


def run(observation: Observation, state: State) -> Run:
    return next(run for run in observation.runs if run.state is state)


@pytest.mark.browser
def test_signing_in_passes_through_another_host_and_out_again(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIT_PASSWORD", "correct horse")
    script = tmp_path / "login.toml"
    script.write_text(SIGN_IN)
    site.gone.clear()
    seen = audit(site, script, State.SIGNED_IN, State.SIGNED_OUT)
    signed_in = run(seen, State.SIGNED_IN)
    assert signed_in.skipped is None
    first = signed_in.visits[0]
    assert [each for each in first.mishaps if each.trouble is Trouble.STEP] == []
    deeds = [act.deed for act in first.acts if act.told]
    assert deeds == [Deed.CLICK, Deed.TYPE, Deed.TYPE, Deed.SUBMIT, Deed.WAIT, Deed.SIGN_IN]
    writes = [(write.name, first.acts[write.act].deed) for write in first.writes]
    assert writes == [("session", Deed.SUBMIT)]
    assert [urlsplit(visit.url).path for visit in signed_in.visits[1:]] == ["/account", "/", "/orders"]
    left = run(seen, State.SIGNED_OUT)
    assert left.skipped is None
    assert left.visits[0].acts[-1].deed is Deed.SIGN_OUT
    assert "session" in {each.name for each in left.visits[0].snapshots[0].stored}
    assert "session" not in {each.name for each in left.visits[0].snapshots[-1].stored}
    assert sum(path == "/leave" for _, path in site.gone) == 1  # no link to it was followed
    sent = [text for visit in seen.visits() for request in visit.requests for text in request.sent]
    assert "correct horse" not in repr(seen) + " ".join(sent)
    assert any("$AUDIT_PASSWORD" in text for request in first.requests for text in request.sent)


@pytest.mark.browser
def test_a_step_that_fails_says_where_and_what_the_page_offers(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIT_PASSWORD", "not the one it was")
    monkeypatch.setattr("strictly_necessary.audit.script._playing._LONGEST_STEP", 2.0)
    script = tmp_path / "login.toml"
    script.write_text(SIGN_IN.replace("submit = 'button \"Sign in\"'", "submit = 'button \"Enter\"'"))
    signed_in = run(audit(site, script, State.SIGNED_IN), State.SIGNED_IN)
    assert signed_in.skipped is not None
    assert signed_in.skipped.startswith(f'{script.as_posix()}:9 button "Enter" is not there; the page offers ')
    for offer in ('button "Sign in"', 'button "Forgot it?"', 'label "E-mail"', 'label "Password"'):
        assert offer in signed_in.skipped
    (visit,) = signed_in.visits
    assert [each.message for each in visit.mishaps if each.trouble is Trouble.STEP] == [signed_in.skipped]
    assert "not the one it was" not in repr(visit)


@pytest.mark.browser
def test_acts_are_choices_and_come_before_the_audit_tries_anything(site: Site, tmp_path: Path) -> None:
    script = tmp_path / "acts.toml"
    script.write_text("[[acts]]\nclick = 'button \"Dark\"'\n")
    visit = run(audit(site, script, State.VISIT), State.VISIT).visits[0]
    (write,) = [write for write in visit.writes if write.name == "theme"]
    assert str(visit.acts[write.act]) == 'click button "Dark"'
    assert visit.acts[write.act].told
    assert [act.deed for act in visit.acts] == [Deed.LOAD, Deed.WAIT, Deed.CLICK]


@pytest.mark.browser
def test_a_python_script_signs_in_and_names_its_acts(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIT_PASSWORD", "correct horse")
    script = tmp_path / "login.py"
    script.write_text(
        """import os


async def sign_in(page):
    await page.get_by_role("link", name="Sign in").click()
    await page.get_by_label("E-mail").fill("ada@example.org")
    await page.get_by_label("Password").fill(os.environ["AUDIT_PASSWORD"])
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_text("Hello Ada").wait_for()


async def sign_out(page):
    raise RuntimeError(f"no way out for {os.environ['AUDIT_PASSWORD']}")


async def acts(page, act):
    async with act("click", "the dark theme"):
        await page.get_by_role("button", name="Dark").click()
"""
    )
    seen = audit(site, script, State.VISIT, State.SIGNED_IN, State.SIGNED_OUT)
    first = run(seen, State.VISIT).visits[0]
    (write,) = [write for write in first.writes if write.name == "theme"]
    assert str(first.acts[write.act]) == "click the dark theme"
    signed_in = run(seen, State.SIGNED_IN)
    assert signed_in.skipped is None
    (cookie,) = [write for write in signed_in.visits[0].writes if write.name == "session"]
    assert signed_in.visits[0].acts[cookie.act].deed is Deed.SIGN_IN
    left = run(seen, State.SIGNED_OUT)
    assert left.skipped is not None
    assert f"{script.as_posix()}:13 RuntimeError: no way out for $AUDIT_PASSWORD" in left.skipped
