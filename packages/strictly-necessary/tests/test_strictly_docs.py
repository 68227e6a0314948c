"""Every example in the documentation is executed: the README, and all below docs/.

How to write one. A document is read from top to bottom, in an empty folder of its own; port 8000 becomes a free one.

- A first line that is a comment and nothing but a file's name (`# app.py`, `<!-- page.html -->`) names the file that
  the block is. It is written, and a Python file is imported.
- `toml` is a declaration and has no findings. Without `[policy]` it is a fragment, and one is put in front of it.
- `python` without a name runs, in the names of the blocks before it.
- `console` has lines that begin with `$ `: each is run, and prints what stands below it. `...` stands for anything:
  for part of a line, or alone for any lines.
- `json` and `yaml` are parsed, `html` is well-formed, `js` is parsed by a real browser; `text` is no example.

A comment on the line in front of a block says what is different:

- `<!-- example: not run: REASON -->`, counted below;
- `<!-- example: finds SN202 SN204 -->`, the codes of the findings of a `toml` block;
- `<!-- example: part of an item -->` or `part of [policy]`: keys that are completed to a whole table;
- `<!-- example: added to FILE -->`: the block is put at the end of a file that is there;
- `<!-- example: stays -->`: a `console` command that runs until the document ends, such as a server;
- `<!-- example: exits 1 -->`: the exit code of the last command of a `console` block.

This file is also the program that executes one document: `python test_strictly_docs.py DOCUMENT`, in an empty folder.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import traceback
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from strictly_necessary import check

PACKAGE = Path(__file__).parent.parent
DOCUMENTS = sorted([PACKAGE / "README.md", PACKAGE / "examples" / "README.md", *(PACKAGE / "docs").rglob("*.md")])
EXECUTED_ELSEWHERE = {"docs/reference/rules.md": "test_strictly_rule_pages.py"}
NOT_RUN = {"docs/tutorial.md": 1}

LANGUAGES = {"toml", "python", "console", "html", "js", "css", "json", "yaml", "text"}
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[\w+-]*)[^\n]*\n(?P<text>.*?)^(?P=indent)```$", re.M | re.S)
_MARKER = re.compile(r"<!-- example: (.+?) -->\s*\Z")
_MARKERS = re.compile(
    r"|not run: .+|finds SN\d{3}( SN\d{3})*|part of (an item|\[policy\])|added to [\w./-]+|stays|exits [1-9]\d*"
)
_NAMED = re.compile(r"\A(?:# |// |/\* |<!-- )([\w./-]+\.\w+)(?: \*/| -->)?\n")
_DOTS = re.compile(r"(?<!\.)\.\.\.(?!\.)")
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
_WAIT = 20.0
"""Seconds until a server answers, or has written what it is to write."""


POLICY = """[policy]
service = "Example"
operator = "Example Ltd"
contact = "privacy@example.org"
version = "1"
last_updated = 2026-11-23
jurisdictions = ["EU", "UK"]
"""
ITEM = """id = "example"
name = "__Host-example"
kind = "cookie"
category = "authentication"
purpose = "Keeps you signed in."
provider = "Example Ltd"
lifetime = "session"
set_when = "You sign in."
set_by = "server"
readable_by_application = true
http_only = true
secure = true
same_site = "Lax"
path = "/"
"""


@dataclass(frozen=True)
class Block:
    """One example: where it begins, its language, its text, what its marker says, and its file if it has a name."""

    line: int
    language: str
    text: str
    marker: str
    file: str | None


def blocks(document: str) -> list[Block]:
    found = []
    for match in _FENCE.finditer(document):
        before = document[: match.start()]
        marker = _MARKER.search(before)
        text = re.sub(f"^{match['indent']}", "", match["text"], flags=re.M)
        named = _NAMED.match(text)
        line = before.count("\n") + 2
        found.append(Block(line, match["language"], text, marker[1] if marker else "", named[1] if named else None))
    return found


def missing_keys(fragment: str, whole: str) -> str:
    return "".join(
        line + "\n" for line in whole.splitlines() if not re.search(rf"^{line.split(' = ')[0]} =", fragment, re.M)
    )


def completed(text: str, marker: str) -> str:
    """A whole declaration around a fragment of one."""
    if marker == "part of [policy]":
        return "[policy]\n" + missing_keys(text, POLICY) + text.replace("[policy]\n", "")
    if marker == "part of an item":
        text = "[[items]]\n" + missing_keys(text, ITEM) + text.replace("[[items]]\n", "")
    return text if re.search(r"^\[policy\]", text, re.M) else POLICY + text


def well_formed(text: str) -> None:
    opened: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in _VOID:
                opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert opened, f"</{tag}> closes nothing"
            assert opened.pop() == tag, f"</{tag}> closes another element"

    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not opened, f"not closed: {opened}"


def matches(expected: str, actual: str) -> bool:
    """Whether the output is the expected one, in which `...` stands for anything."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else r"[^\n]*?".join(map(re.escape, _DOTS.split(line))) + r"\n"
        for line in expected.rstrip().splitlines()
    )
    return re.fullmatch(pattern, "".join(line.rstrip() + "\n" for line in actual.rstrip().splitlines())) is not None


@dataclass
class Reader:
    """Executes one document, block by block, in the current folder."""

    port: str
    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "__example__"})
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def execute(self, block: Block) -> None:
        if block.marker.startswith("not run: "):
            return
        text = block.text.replace("8000", self.port)
        added = block.marker.removeprefix("added to ") if block.marker.startswith("added to ") else None
        file = added or block.file
        if file:
            path = Path(file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text((path.read_text(encoding="utf-8") + "\n" if added else "") + text, encoding="utf-8")
            text = path.read_text(encoding="utf-8")
        if block.language in {"toml", "python", "console"}:
            getattr(self, block.language)(text, block, file)
        elif block.language == "html":
            well_formed(text)
        elif block.language == "json":
            json.loads(text)
        elif block.language == "yaml":
            importlib.import_module("yaml").safe_load(text)

    def toml(self, text: str, block: Block, file: str | None) -> None:
        if file and file.endswith("pyproject.toml"):
            tomllib.loads(text)
            return
        path = Path(file or f"example-{block.line}.toml")
        path.write_text(completed(text, block.marker), encoding="utf-8")
        expected = block.marker.removeprefix("finds ").split() if block.marker.startswith("finds ") else []
        findings = check(path)
        assert [finding.code for finding in findings] == expected, "\n".join(map(str, findings)) or "no finding"

    def python(self, text: str, block: Block, file: str | None) -> None:
        if file:
            name = file.removesuffix(".py").replace("/", ".")
            for known in [each for each in sys.modules if each == name]:
                del sys.modules[known]
            importlib.invalidate_caches()
            importlib.import_module(name)
        else:
            exec(compile("\n" * (block.line - 1) + text, "example", "exec"), self.names)  # noqa: S102 -- they are ours

    def console(self, text: str, block: Block, _: str | None) -> None:
        commands = re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", text, re.M)
        assert commands, "no line begins with $"
        for index, (command, expected) in enumerate(commands):
            last = index == len(commands) - 1
            if last and block.marker == "stays":
                self.start(command, expected)
                return
            result = self.run(command)
            end = time.monotonic() + _WAIT
            while not matches(expected, result.stdout) and command.startswith("grep ") and time.monotonic() < end:
                time.sleep(0.1)  # a server writes a moment later what is looked for
                result = self.run(command)
            output = result.stdout
            assert matches(expected, output), f"$ {command}\nexpected:\n{expected}\nprinted:\n{output}"
            code = int(block.marker.split()[1]) if last and block.marker.startswith("exits ") else 0
            assert result.returncode == code, f"$ {command}\nended with {result.returncode}:\n{output}"

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
            timeout=120,
        )

    def start(self, command: str, expected: str) -> None:
        self.stop()
        log = Path(f"server-{len(command)}.log")
        with log.open("wb") as out:
            self.servers.append(subprocess.Popen(["bash", "-c", f"exec {command}"], stdout=out, stderr=out))
        end = time.monotonic() + _WAIT
        while not (matches(expected, log.read_text()) and self.answers()):
            assert time.monotonic() < end, f"$ {command}\nexpected:\n{expected}\nprinted:\n{log.read_text()}"
            time.sleep(0.1)

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", int(self.port))) == 0

    def stop(self) -> None:
        for server in self.servers:
            server.terminate()
            server.wait()
        self.servers.clear()


def main(document: Path) -> int:
    """Execute a document in the current folder; the exit code, and what went wrong on stderr."""
    sys.path.insert(0, str(Path.cwd()))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        reader = Reader(str(probe.getsockname()[1]))
    try:
        for block in blocks(document.read_text(encoding="utf-8")):
            try:
                reader.execute(block)
            except Exception:  # noqa: BLE001 -- an example may fail in any way
                sys.stderr.write(f"{document.name}:{block.line}\n{traceback.format_exc()}")
                return 1
    finally:
        reader.stop()
    return 0


def shown(document: Path) -> str:
    return document.relative_to(PACKAGE).as_posix()


@pytest.mark.slow
@pytest.mark.parametrize("document", [each for each in DOCUMENTS if shown(each) not in EXECUTED_ELSEWHERE], ids=shown)
def test_every_example_runs(document: Path, tmp_path: Path) -> None:
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path / "home"),
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    folder = tmp_path / "site"
    folder.mkdir()
    result = subprocess.run(
        [sys.executable, __file__, str(document)],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_what_is_executed_elsewhere_is() -> None:
    for document, test in EXECUTED_ELSEWHERE.items():
        assert Path(document).name in Path(__file__).with_name(test).read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_every_example_is_in_a_language_that_is_executed(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert len(re.findall(r"^ *```", text, re.M)) == 2 * len(blocks(text))
    assert text.count("<!-- example: ") == sum(bool(block.marker) for block in blocks(text))
    for block in blocks(text):
        assert block.language in LANGUAGES or block.marker.startswith("not run: "), f"line {block.line}"
        assert _MARKERS.fullmatch(block.marker), f"line {block.line}: {block.marker}"


def test_what_is_not_run_is_counted() -> None:
    counted = {
        shown(document): sum(block.marker.startswith("not run: ") for block in blocks(document.read_text()))
        for document in DOCUMENTS
    }
    assert {name: count for name, count in counted.items() if count} == NOT_RUN


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_every_link_leads_to_a_document_and_its_heading(document: Path) -> None:
    text = re.sub(_FENCE, "", document.read_text(encoding="utf-8"))
    for target, anchor in re.findall(r"\]\((?!https?://|mailto:)([^)#\s]*)(#[^)\s]*)?\)", text):
        other = (document.parent / target).resolve() if target else document
        assert other.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", other.read_text(encoding="utf-8"), re.M)
            anchors = {"#" + re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in anchors, target + anchor


def test_every_document_is_in_the_index() -> None:
    index = PACKAGE / "docs" / "README.md"
    linked = {(index.parent / target).resolve() for target in re.findall(r"\]\(([^)#]+\.md)\)", index.read_text())}
    assert linked == set((PACKAGE / "docs").rglob("*.md")) - {index}


@pytest.mark.browser
def test_every_script_is_parsed_by_a_browser() -> None:
    from playwright.sync_api import sync_playwright

    scripts = [
        (shown(document), block)
        for document in DOCUMENTS
        for block in blocks(document.read_text(encoding="utf-8"))
        if block.language == "js"
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        said = {
            f"{name}:{block.line}": page.evaluate(
                "(text) => { try { new Function(text); return null; } catch (error) { return error.message; } }",
                block.text,
            )
            for name, block in scripts
        }
        browser.close()
    assert {place: message for place, message in said.items() if message} == {}


@pytest.mark.parametrize(
    ("expected", "actual", "same"),
    [
        ("one\n", "one\n", True),
        ("one\n", "two\n", False),
        ("one ... three\n", "one two three\n", True),
        ("one ... three\n", "one\nthree\n", False),
        ("one\n...\nfour\n", "one\ntwo\nthree\nfour\n", True),
        ("...\n", "", True),
        ("a....b\n", "axb\n", False),
        ("", "noise\n", False),
    ],
)
def test_dots_stand_for_anything(expected: str, actual: str, same: bool) -> None:
    assert matches(expected, actual) is same


FAULTY = {
    "a declaration with a finding": "```toml\n[[items]]\nid = 1\n```\n",
    "a marker without the finding": "<!-- example: finds SN202 -->\n```toml\n[[third_parties]]\n```\n",
    "a program that fails": "```python\nassert False\n```\n",
    "a name that no block made": "```python\nunknown\n```\n",
    "a file that cannot be imported": "```python\n# module.py\nraise ValueError\n```\n",
    "a command with another output": "```console\n$ echo one\ntwo\n```\n",
    "a command with another code": "```console\n$ false\n```\n",
    "an element that stays open": "```html\n<p><b>x</p>\n```\n",
    "no JSON": "```json\n{,}\n```\n",
    "no YAML": "```yaml\na: [\n```\n",
}


@pytest.mark.parametrize("text", FAULTY.values(), ids=FAULTY)
def test_a_faulty_example_is_found(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "faulty.md").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert main(tmp_path / "faulty.md") == 1


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
