"""The templates for GitHub and GitLab: valid, without an option that the command does not have, and each step of them
runs here, against a real site in a real browser."""

import os
import re
import shutil
import subprocess
import sys
import threading
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from strictly_necessary.audit.browser._process import NAMES
from strictly_necessary.cli import main

PACKAGE = Path(__file__).parent.parent
GITHUB = PACKAGE / "ci" / "github" / "action.yml"
GITLAB = PACKAGE / "ci" / "gitlab" / "strictly-audit.yml"
FOREIGN = {"--quiet", "--disable-pip-version-check", "--with-deps"}
"""Options of pip and Playwright."""

POLICY = """[policy]
service = "Larder"
operator = "Larder Example"
contact = "privacy@example.org"
version = "1"
last_updated = 2026-11-23
jurisdictions = ["EU", "UK"]
"""


def action() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(GITHUB.read_text(encoding="utf-8"))
    return loaded


def job() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(GITLAB.read_text(encoding="utf-8"))[".strictly-audit"]
    return loaded


def github_steps() -> dict[str, dict[str, Any]]:
    return {step["name"]: step for step in action()["runs"]["steps"]}


class Site(BaseHTTPRequestHandler):
    """/clean keeps nothing, / sets a cookie."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path in {"/", "/clean"} else 404)
        self.send_header("content-type", "text/html")
        if self.path == "/":
            self.send_header("set-cookie", "_seen=1; Path=/")
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
def folder(tmp_path: Path) -> Path:
    """A checkout in which strictly is installed where the first step puts it."""
    (tmp_path / "policy.toml").write_text(POLICY)
    for name in ("strictly", ".strictly"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "bin").symlink_to(Path(sys.executable).parent)
    return tmp_path


def run(shell: str, script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*shell.split(), script],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=240,
    )


def filled(step: dict[str, Any], folder: Path, **inputs: str) -> dict[str, str]:
    """The step's environment, as the runner would make it."""
    known = {name: entry.get("default", "") for name, entry in action()["inputs"].items()} | inputs
    values = {"github.action_path": str(GITHUB.parent), "runner.temp": str(folder)}
    values |= {f"inputs.{name}": value for name, value in known.items()}
    return {
        name: re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda found: values[found[1]], text)
        for name, text in step["env"].items()
    }


@pytest.mark.parametrize("file", [GITHUB, GITLAB], ids=["github", "gitlab"])
def test_a_template_names_only_options_that_the_command_has(file: Path) -> None:
    command = main.commands["audit"]
    known = {option for each in command.params if isinstance(each, click.Option) for option in each.opts}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", file.read_text(encoding="utf-8")))
    assert named >= {"--declaration", "--login", "--pages", "--waivers", "--profile", "--report", "--output"}
    assert named - FOREIGN <= known


@pytest.mark.parametrize("file", [GITHUB, GITLAB], ids=["github", "gitlab"])
def test_a_template_looks_for_the_browsers_that_the_audit_finds(file: Path) -> None:
    listed = re.search(r"for name in ([\w -]+); do", file.read_text(encoding="utf-8"))
    assert listed
    assert set(listed[1].split()) == set(NAMES)


def test_every_input_is_described_and_used() -> None:
    text = GITHUB.read_text(encoding="utf-8")
    for name, entry in action()["inputs"].items():
        assert entry["description"].endswith("."), name
        assert entry.get("required") or isinstance(entry["default"], str), name
        assert f"inputs.{name} " in text or f"inputs.{name})" in text, name


def test_no_input_is_put_into_a_script() -> None:
    """An input may hold anything: it reaches a shell in the environment only."""
    scripts = [step["run"] for step in github_steps().values() if "run" in step]
    assert scripts
    assert not [script for script in scripts if "${{" in script]


def test_the_action_installs_the_package_that_it_comes_with(folder: Path) -> None:
    package = Path(filled(github_steps()["Install strictly"], folder)["PACKAGE"]).resolve()
    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    assert project["name"] == "strictly-necessary"
    assert "audit" in project["optional-dependencies"]
    assert job()["variables"]["STRICTLY_PACKAGE"] == "strictly-necessary[audit]"


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_every_script_is_one(shell: str) -> None:
    scripts = [step["run"] for step in github_steps().values() if "run" in step] if shell == "bash" else []
    scripts += job()["script"] if shell == "sh" else []
    assert scripts
    for script in scripts:
        done = run(f"{shell} -n -c", script, PACKAGE)
        assert done.returncode == 0, done.stderr


@pytest.mark.browser
def test_the_action_finds_the_browser_and_audits(folder: Path, site: str) -> None:
    shell = "bash --noprofile --norc -eo pipefail -c"  # as GitHub runs it
    steps = github_steps()
    found = run(shell, steps["Find a browser, or install one"]["run"], folder, FOLDER="/nowhere")
    assert found.returncode == 0, found.stderr
    assert Path(found.stdout.strip()).name in NAMES
    arguments = "--states=visit\n--no-explore\n"
    audit = steps["Audit"]
    clean = {"url": f"{site}/clean", "declaration": "policy.toml", "pages": "1", "arguments": arguments}
    done = run(shell, audit["run"], folder, **filled(audit, folder, **clean))
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path.suffix for path in (folder / "strictly-audit").iterdir()} == {".html", ".json", ".sarif"}
    dirty = clean | {"url": f"{site}/", "output": "second"}
    done = run(shell, audit["run"], folder, **filled(audit, folder, **dirty))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "SN401" in (folder / "second" / "audit.sarif").read_text()
    assert steps["Show the findings"]["with"]["sarif_file"] == steps["Keep the reports"]["with"]["path"]


@pytest.mark.browser
def test_the_job_finds_the_browser_and_audits(folder: Path, site: str) -> None:
    template = job()
    _, find, audit = template["script"]
    found = run("sh -e -c", find, folder)
    assert found.returncode == 0, found.stderr
    assert shutil.which("chromium") is None or "chromium" in found.stdout
    variables = template["variables"] | {
        "STRICTLY_URL": f"{site}/",
        "STRICTLY_DECLARATION": "policy.toml",
        "STRICTLY_PAGES": "1",
        "STRICTLY_ARGUMENTS": "--states=visit\n--no-explore",
    }
    done = run("sh -e -c", audit, folder, **variables)
    assert done.returncode == 1, done.stdout + done.stderr
    (kept,) = template["artifacts"]["paths"]
    (junit,) = folder.glob(template["artifacts"]["reports"]["junit"])
    assert junit.parent == folder / kept
    assert ET.parse(junit).getroot().findall(".//failure")  # noqa: S314 -- we have just written it


def test_a_waiver_and_a_script_are_handed_on(folder: Path) -> None:
    """To a command that only prints what it was given."""
    bin_folder = folder / "told" / "bin"
    bin_folder.mkdir(parents=True)
    (bin_folder / "strictly").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (bin_folder / "strictly").chmod(0o755)
    inputs = {"declaration": "my policy.toml", "login": "acts.toml", "waivers": "waivers.toml", "profile": "eu,fr"}
    audit = github_steps()["Audit"]
    environment = filled(audit, folder, url="http://127.0.0.1:1/", arguments="--exclude=/a b/*", **inputs)
    given = run("bash -e -c", audit["run"], folder, **(environment | {"FOLDER": str(bin_folder.parent)}))
    lines = given.stdout.splitlines()
    assert lines[0] == "audit"
    assert lines[-2:] == ["--", "http://127.0.0.1:1/"]
    pairs = dict(pairwise(lines))
    assert [pairs[f"--{name}"] for name in inputs] == list(inputs.values())
    assert "--exclude=/a b/*" in lines
    (folder / ".strictly" / "bin").unlink()
    (folder / ".strictly").rmdir()
    (folder / "told").rename(folder / ".strictly")
    variables = {f"STRICTLY_{name.upper()}": value for name, value in inputs.items()}
    variables |= {"STRICTLY_URL": "http://127.0.0.1:1/", "STRICTLY_ARGUMENTS": "--exclude=/a b/*"}
    same = run("sh -e -c", job()["script"][-1], folder, **(job()["variables"] | variables))
    assert [each.replace("junit", "sarif") for each in same.stdout.splitlines()] == lines
