"""`strictly audit` and `strictly draft`, run as people run them; where a browser is needed, a real one."""

import io
import json
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from strictly_necessary import check
from strictly_necessary.audit import Plan, State
from strictly_necessary.audit.crawl._progress import Progress
from strictly_necessary.audit.report import as_json, report_schema
from strictly_necessary.cli import main
from strictly_necessary.cli._plan import plan_options
from strictly_necessary.cli._progress import ProgressLine
from strictly_necessary.rules._explained import explanations

EXAMPLE = Path(__file__).parent / "example.toml"
COMMAND = [sys.executable, "-c", "from strictly_necessary.cli import main; main(prog_name='strictly')"]
NOWHERE = "http://127.0.0.1:9/"
"""No browser asks this port, and no test that names it gets as far."""

POLICY = """[policy]
service = "Larder"
operator = "Larder Ltd"
contact = "privacy@larder.example"
version = "1"
last_updated = 2026-11-23
jurisdictions = ["EU"]

[[items]]
id = "basket"
name = "basket"
kind = "cookie"
category = "user-input"
purpose = "Keeps what you put into the basket."
provider = "Larder Ltd"
lifetime = "session"
set_when = "You open the shop."
set_by = "server"
readable_by_application = true
http_only = true
secure = false
same_site = "Lax"
path = "/"
"""
WAIVERS = """[[waivers]]
code = "SN401"
subject = "cookie _visitor of *"
reason = "It goes next week."
until = {until}
"""


def strictly(*arguments: str | Path) -> Result:
    """The command within this process, which saves the time to start another."""
    result = CliRunner().invoke(main, [*map(str, arguments)], prog_name="strictly")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("audit", "larder.example"), "write such as https://larder.example"),
        (("audit", "ftp://larder.example/"), "is no address of a page"),
        (("audit", NOWHERE, "--states", "visit,asleep"), "'asleep' is not one of: visit, signed-in"),
        (("audit", NOWHERE, "--resolve", "larder.example"), "is not HOST:ADDRESS"),
        (("audit", NOWHERE, "--report", "html,pdf"), "'pdf' is not one of: html, json, sarif, junit, none"),
        (("audit", NOWHERE, "--only-new"), "--only-new goes with --compare."),
        (("audit", NOWHERE, "--profile", "us"), "'us' is not one of: eu, uk, fr"),
        (("audit", NOWHERE, "--pages", "0"), "0 is not in the range"),
        (("audit", NOWHERE, "--declaration", "-"), "needs a file"),
        (("audit", NOWHERE, "--declaration", "nowhere.toml"), "nowhere.toml: No such file"),
        (("audit", NOWHERE, "--waivers", "nowhere.toml"), "nowhere.toml: No such file"),
        (("audit", NOWHERE, "--compare", str(EXAMPLE)), "cannot be compared: it is not JSON."),
        (("audit", NOWHERE, "--output", str(EXAMPLE)), "is a file"),
        (("audit", NOWHERE, "--report", "none", "--chromium", "/nowhere"), "/nowhere is not a program"),
        (("audit", NOWHERE, "--report", "none", "--login", "nowhere.toml"), "nowhere.toml"),
        (("draft", NOWHERE, "-o", str(EXAMPLE)), "it is there already"),
        (("draft", NOWHERE, "--chromium", "/nowhere"), "/nowhere is not a program"),
    ],
)
def test_what_cannot_be_done_is_told_before_a_browser_starts(arguments: tuple[str, ...], told: str) -> None:
    result = strictly(*arguments)
    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_errors_of_the_files_are_told_as_of_a_declaration(tmp_path: Path) -> None:
    policy, waivers = tmp_path / "policy.toml", tmp_path / "waivers.toml"
    policy.write_text(POLICY.replace('"session"', '"for ever"'), encoding="utf-8")
    result = strictly("audit", NOWHERE, "--declaration", policy)
    assert result.exit_code == 1
    assert f"{policy}:16:1 SN011" in result.stderr
    waivers.write_text(WAIVERS.format(until="2000-13-01"), encoding="utf-8")
    assert "SN001" in strictly("audit", NOWHERE, "--waivers", waivers).stderr
    waivers.write_text(WAIVERS.format(until='"soon"'), encoding="utf-8")
    result = strictly("audit", NOWHERE, "--waivers", waivers)
    assert result.exit_code == 1
    assert f"{waivers}:5:1 SN005 until is not a day" in result.stderr


@pytest.mark.parametrize("missing", ["websockets", "publicsuffixlist"])
def test_without_the_extra_it_says_what_to_install(missing: str) -> None:
    program = f"import sys; sys.modules[{missing!r}] = None; {COMMAND[2]}"
    result = subprocess.run(
        [sys.executable, "-c", program, "audit", NOWHERE, "--report", "none"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr == f"Error: the audit needs {missing}: pip install 'strictly-necessary[audit]'\n"


def test_other_commands_bring_nothing_of_the_audit_along() -> None:
    program = "import sys, strictly_necessary.cli; print(sorted(each.partition('.')[0] for each in sys.modules))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"websockets", "playwright", "dns", "publicsuffixlist", "asyncio"} & set(
        re.findall(r"'(\w+)'", result.stdout)
    )


def planned(*arguments: str) -> Plan:
    found: list[Plan] = []

    @click.command()
    @plan_options
    def command(plan: Plan) -> None:
        found.append(plan)

    command.main([*arguments], standalone_mode=False)
    return found[0]


def test_without_options_the_plan_is_the_usual_one() -> None:
    assert planned("https://larder.example/") == Plan("https://larder.example/")


def test_each_option_is_in_the_plan() -> None:
    plan = planned(
        *("https://larder.example/", "--login", "in.toml", "--pages", "7", "--page", "/a", "--page", "/b"),
        *("--exclude", "/x/*", "--states", "gpc,visit", "--no-explore", "--timeout", "3", "--patience", "4"),
        *("--rate", "0.5", "--ignore-robots", "--insecure", "--resolve", "*.a.example:127.0.0.1:80"),
        *("--resolve", "b.example:[::1]:81", "--nameserver", "127.0.0.1:53", "--chromium", "/c", "--resume", "journal"),
    )
    assert plan == Plan(
        "https://larder.example/",
        pages=7,
        states=(State.GPC, State.VISIT),
        script=Path("in.toml"),
        addresses=("/a", "/b"),
        exclude=("/x/*",),
        timeout=3.0,
        patience=4.0,
        explore=False,
        resolve={"*.a.example": "127.0.0.1:80", "b.example": "[::1]:81"},
        nameserver="127.0.0.1:53",
        insecure=True,
        rate=0.5,
        ignore_robots=True,
        chromium="/c",
        resume=Path("journal"),
    )


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_one_line_that_changes_and_goes() -> None:
    stream, clock = Terminal(), iter([0.0, 1.0, 2.0])
    line = ProgressLine(stream, lambda: next(clock))
    line(Progress(State.VISIT, 0, 3, "https://larder.example/"))
    line(Progress(State.GPC, 1, 3, "https://larder.example/a"))
    line.end()
    line.end()
    assert stream.getvalue() == "\r\x1b[K1 s, 0 pages: visit 0/3\r\x1b[K2 s, 1 page: visit 0/3, gpc 1/3\r\x1b[K"


def test_a_log_has_a_line_now_and_then() -> None:
    stream, clock = io.StringIO(), iter([0.0, 1.0, 11.0, 12.0, 30.0])
    line = ProgressLine(stream, lambda: next(clock))
    for done in range(4):
        line(Progress(State.VISIT, done, 3, "https://larder.example/"))
    line.end()
    assert stream.getvalue() == "11 s, 1 page: visit 1/3\n30 s, 3 pages\n"


def test_the_schema_of_reports_is_printed() -> None:
    assert strictly("schema", "audit").stdout == report_schema()
    assert strictly("schema", "declaration").stdout == strictly("schema").stdout != report_schema()


def test_a_code_of_the_audit_is_explained_with_its_source() -> None:
    told = " ".join(strictly("explain", "425").stdout.split())
    assert f"Source: {explanations()['SN425'].source} To mend it: keep identifiers on your own host" in told
    assert explanations()["SN425"].text in told


class Handler(BaseHTTPRequestHandler):
    """Two pages. The first sets what is declared by its header, and a script on it what is not."""

    def do_GET(self) -> None:
        pages = {
            "/": b"<!doctype html><html lang=en><title>Larder</title><h1>Larder</h1><a href=/two>Two</a>"
            b"<script src=/count.js></script>",
            "/two": b"<!doctype html><html lang=en><title>Two</title><h1>Two</h1>",
            "/count.js": b"document.cookie ||= '_visitor=' + Math.random().toString(36).slice(2) + '; max-age=999999';",
        }
        body = pages.get(self.path)
        self.send_response(200 if body else 404)
        self.send_header("content-type", "text/javascript" if self.path.endswith(".js") else "text/html")
        if self.path == "/":
            self.send_header("set-cookie", "basket=empty; Path=/; HttpOnly; SameSite=Lax")
        self.end_headers()
        self.wfile.write(body or b"<h1>not here</h1>")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- so named in the base class
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


QUICK = ("--states", "visit", "--no-explore", "--pages", "2", "--timeout", "40")


@pytest.mark.browser
def test_an_audit_prints_findings_and_writes_all_reports(site: str, tmp_path: Path) -> None:
    policy, out = tmp_path / "policy.toml", tmp_path / "out"
    policy.write_text(POLICY, encoding="utf-8")
    result = strictly("audit", site, "-d", policy, *QUICK, "--report", "html,json,sarif,junit", "--output", out)
    assert result.exit_code == 1, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].startswith("SN401 cookie _visitor of 127.0.0.1")
    assert lines[1].startswith(f"    Seen: {site} (First visit, while it loads)")
    assert f"{site}count.js:1:" in lines[2]
    assert lines[3].startswith("    Fix: declare it")
    assert "What is declared is not what happens: 1 error on 2 pages.\n1 error; 2 pages in 1 state, " in result.stderr
    assert sorted(each.name for each in out.iterdir()) == ["audit.html", "audit.json", "audit.junit.xml", "audit.sarif"]
    document = json.loads((out / "audit.json").read_text(encoding="utf-8"))
    assert [(each["id"], each["holds"]) for each in document["items"]] == [("basket", True)]

    # What it was yesterday is nothing new, and what somebody lets pass is no error.
    again = strictly(
        "audit", site, "-d", policy, *QUICK, "--report", "none", "--compare", out / "audit.json", "--only-new"
    )
    assert (again.exit_code, again.stdout) == (0, "")
    assert "Since the earlier audit: 0 new, 0 gone, 1 as before." in again.stderr
    waivers = tmp_path / "waivers.toml"
    waivers.write_text(WAIVERS.format(until=time.strftime("%Y-%m-%d", time.gmtime())), encoding="utf-8")
    waived = strictly("audit", site, "-d", policy, *QUICK, "--report", "none", "--waivers", waivers, "--format", "json")
    assert waived.exit_code == 0, waived.stderr
    (finding,) = json.loads(waived.stdout)["findings"]
    assert finding["waived"] == "It goes next week."
    # The same site in the same way: the same report, but for the times and for who lets what pass.
    for each in (first := document, second := json.loads(waived.stdout)):
        for key in ("times", "waivers", "verdict"):
            del each[key]
        each["findings"][0]["waived"] = None
    assert first == second


@pytest.mark.browser
def test_a_draft_passes_the_check_and_is_never_written_over(site: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    result = strictly("draft", site, *QUICK, "--service", "Larder", "-o", policy)
    assert result.exit_code == 0, result.stderr
    text = policy.read_text(encoding="utf-8")
    assert 'service = "Larder"' in text
    assert [name for name in ("basket", "_visitor") if f'name = "{name}"' in text] == ["basket", "_visitor"]
    assert not [each for each in check(policy) if each.code < "SN1"]
    assert strictly("draft", site, "-o", policy).exit_code == 2
    assert policy.read_text(encoding="utf-8") == text


@pytest.mark.browser
def test_a_site_that_nobody_can_reach_proves_nothing(tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port = server.server_address[1]
    server.server_close()
    result = strictly("audit", f"http://127.0.0.1:{port}/", *QUICK, "--output", tmp_path)
    assert result.exit_code == 2
    assert "No page could be looked at, so nothing is proved." in result.stderr
    assert result.stdout.startswith("SN450 ")
    assert json.loads((tmp_path / "audit.json").read_text(encoding="utf-8"))["verdict"]["pages"] == 0
    assert strictly("draft", f"http://127.0.0.1:{port}/", *QUICK).exit_code == 2


@pytest.mark.parametrize(
    "first", ["", "import strictly_necessary.audit.judge.storage; "], ids=["alone", "after-its-rooms"]
)
def test_judge_is_a_function_whatever_was_imported_before(first: str) -> None:
    program = f"{first}from strictly_necessary.audit import judge; import strictly_necessary.audit.judge.drift; "
    program += "from strictly_necessary.audit import judge as again; assert callable(judge); assert judge is again"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.browser
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["by-hand", "by-ci"])
def test_an_interrupted_audit_says_how_to_go_on_and_leaves_no_browser(
    site: str, tmp_path: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    profiles = Path(tempfile.mkdtemp(prefix="p"))  # a short path: Chromium makes a socket in it
    monkeypatch.setenv("TMPDIR", str(profiles))
    journal = tmp_path / "journal"
    command = [*COMMAND, "audit", site, "--report", "none", "--resume", str(journal), "--timeout", "40"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 60
        while time.monotonic() < until and not (journal.exists() and journal.stat().st_size > 500):
            time.sleep(0.05)
        os.kill(process.pid, number)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert told.endswith(f"Interrupted. The same command goes on from {journal}.\n")
    assert "Traceback" not in told
    assert journal.stat().st_mode & 0o777 == 0o600
    assert not list(profiles.glob("strictly-audit-*")), "the browser is ended before its profile can be removed"
    shutil.rmtree(profiles)


def test_the_examples_of_the_pages_are_read() -> None:
    """They are TOML, but no declarations."""
    from strictly_necessary.audit._waivers import read_waivers
    from strictly_necessary.audit.script._reading import read_toml

    docs = Path(__file__).parent.parent / "docs"
    made: dict[str, Any] = runpy.run_path(str(Path(__file__).parent / "audit_reports.py"))
    for page in ("reference/audit.md", "how-to/audit-a-site.md"):
        text = (docs / page).read_text(encoding="utf-8")
        (waivers,) = re.findall(r"```text\n(# waivers.toml\n.*?)```", text, re.S)
        (script,) = re.findall(r"```text\n(# sign-in.toml\n.*?)```", text, re.S)
        assert read_waivers(waivers.encode(), page, made["TODAY"])[1] == []
        read_toml(script.encode(), page, {"AUDIT_EMAIL": "a", "AUDIT_PASSWORD": "b"})
    keys = set(json.loads(as_json(made["report"]()))) - {"schema_version", "url"}
    table = (
        (docs / "reference" / "audit.md").read_text(encoding="utf-8").partition("the parts are")[2].partition("##")[0]
    )
    assert keys == {key for row in re.findall(r"^\| (`.*?) \|", table, re.M) for key in re.findall(r"`(\w+)`", row)}
