"""The pytest plugin: real test runs, in processes of their own, which audit a real site in a real browser."""

import _thread
import asyncio
import re
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from strictly_necessary.audit._apart import run_apart

pytest_plugins = ["pytester"]

PACKAGE = Path(__file__).parent.parent
POLICY = """[policy]
service = "Larder"
operator = "Larder Example"
contact = "privacy@example.org"
version = "1"
last_updated = 2026-11-23
jurisdictions = ["EU", "UK"]
"""
QUICK = 'pages=1, states=["visit"], explore=False, patience=1'
PLUGIN = ("-p", "strictly_necessary.pytest_plugin")


class Site(BaseHTTPRequestHandler):
    """/clean keeps nothing, /dirty sets two cookies."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path in {"/clean", "/dirty"} else 404)
        self.send_header("content-type", "text/html")
        for name in ("_seen", "_count") if self.path == "/dirty" else ():
            self.send_header("set-cookie", f"{name}=1; Path=/")
        self.end_headers()
        self.wfile.write(b"<!doctype html><html lang=en><title>Site</title><link rel=icon href=data:,><h1>Site</h1>")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- so named in the base class
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An empty project with a declaration of nothing, in which only the named plugins are loaded."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    for name in ("PYTEST_ADDOPTS", "CI", "BUILD_NUMBER"):  # in CI, pytest prints whole messages in its summary too
        monkeypatch.delenv(name, raising=False)
    (pytester.path / "policy.toml").write_text(POLICY)
    return pytester


@pytest.mark.browser
def test_a_test_fails_with_each_finding_in_one_line(run: pytest.Pytester, site: str) -> None:
    run.makepyfile(
        f"""
        def test_dirty(strictly_audit):
            strictly_audit("{site}/dirty", declaration="policy.toml", {QUICK})

        def test_clean(strictly_audit):
            report = strictly_audit("{site}/clean", declaration="policy.toml", {QUICK})
            assert report.findings == ()

        def test_looks_itself(strictly_audit):
            report = strictly_audit("{site}/dirty", declaration="policy.toml", fails=False, {QUICK})
            assert {{each.code for each in report.errors}} == {{"SN401"}}
        """
    )
    result = run.runpytest_subprocess(*PLUGIN, "--strictly-report", "reports")
    result.assert_outcomes(passed=2, failed=1)
    lines = [line for line in result.outlines if re.match("SN[0-9]{3} ", line)]
    assert len(lines) == 2, result.outlines
    for name, line in zip(("_count", "_seen"), lines, strict=True):
        assert line.startswith(f"SN401 cookie {name} of 127.0.0.1 ")
        assert line.count(" of 127.0.0.1") == 1, "its subject is said once"
        assert f"Seen: {site}/dirty (First visit, while it loads), and 1 time more. Fix: declare it" in line
    told = [line.partition(" Report: ") for line in result.outlines if " Report: " in line]
    assert sorted(line for line, _, _ in told) == [
        f"{site}/clean: 1 page in 1 state, no findings.",
        *[f"{site}/dirty: 1 page in 1 state, 2 errors."] * 2,
    ]
    for _, _, page in told:
        assert "<html" in Path(page).read_text()
        assert Path(page).with_suffix(".json").read_text().startswith("{")


@pytest.mark.browser
def test_it_works_beside_loops_that_are_running_and_on_several_workers(run: pytest.Pytester, site: str) -> None:
    run.makeini("[pytest]\nstrictly_declaration = policy.toml")
    run.makepyfile(
        f"""
        import asyncio
        import shutil

        import pytest
        from playwright.sync_api import sync_playwright

        @pytest.fixture
        def page():
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
                yield browser.new_page()
                browser.close()

        def test_beside_playwright(strictly_audit, page):
            page.goto("{site}/clean")
            strictly_audit(page.url, {QUICK})
            assert page.title() == "Site"

        def test_in_a_coroutine(strictly_audit):
            async def test():
                strictly_audit("{site}/clean", {QUICK})
            asyncio.run(test())
        """
    )
    result = run.runpytest_subprocess(*PLUGIN, "-p", "xdist", "-n", "2")
    result.assert_outcomes(passed=2)
    assert result.outlines.count(f"{site}/clean: 1 page in 1 state, no findings.") == 2


@pytest.mark.browser
def test_the_configuration_counts_from_its_file_and_the_command_line_wins(run: pytest.Pytester, site: str) -> None:
    run.makeini("[pytest]\nstrictly_declaration = missing.toml")
    below = run.mkdir("below")
    (below / "test_it.py").write_text(f"def test_it(strictly_audit):\n    strictly_audit('{site}/clean', {QUICK})\n")
    result = run.runpytest_subprocess(*PLUGIN, "below")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*FileNotFoundError*{run.path.name}/missing.toml*"])
    result = run.runpytest_subprocess(*PLUGIN, "below", "--strictly-declaration", "policy.toml")
    result.assert_outcomes(passed=1)


def test_without_a_browser_it_fails_and_says_what_to_do_or_skips_if_asked(run: pytest.Pytester) -> None:
    run.makepyfile("def test_it(strictly_audit):\n    strictly_audit('http://127.0.0.1:1/')\n")
    result = run.runpytest_subprocess(*PLUGIN, "--strictly-chromium", "nowhere/chromium")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*nowhere/chromium is not a program*"])
    run.makeini("[pytest]\nstrictly_skip_without_browser = true\nstrictly_chromium = nowhere/chromium")
    result = run.runpytest_subprocess(*PLUGIN, "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*nowhere/chromium is not a program*"])


@pytest.mark.browser
def test_a_site_that_is_not_there_proves_nothing(run: pytest.Pytester) -> None:
    run.makepyfile(f"def test_it(strictly_audit):\n    strictly_audit('http://127.0.0.1:1/', {QUICK})\n")
    result = run.runpytest_subprocess(*PLUGIN)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["http://127.0.0.1:1/: 0 pages in*", "SN450 *"])


def test_who_does_not_audit_imports_nothing_of_it(run: pytest.Pytester) -> None:
    run.makepyfile(
        """
        import sys

        def test_it():
            assert not [name for name in sys.modules if name.startswith(("strictly_necessary.audit", "playwright"))]
        """
    )
    run.runpytest_subprocess(*PLUGIN).assert_outcomes(passed=1)


def test_an_interruption_ends_the_work_before_it_goes_on() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            threading.Timer(0.2, _thread.interrupt_main).start()
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            ended.append("cleaned up")

    with pytest.raises(KeyboardInterrupt):
        run_apart(work())
    assert ended == ["cleaned up"]


def test_what_the_work_raises_is_raised() -> None:
    async def work() -> None:
        raise LookupError("nothing there")

    with pytest.raises(LookupError, match="nothing there"):
        run_apart(work())


def test_pytest_finds_the_plugin_where_the_package_is_installed() -> None:
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"strictly": "strictly_necessary.pytest_plugin"}
