"""The command, run as people run it."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parent / "example.toml"


def strictly(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from strictly_necessary.cli import main; main(prog_name='strictly')"]
    return subprocess.run([*command, *map(str, arguments)], capture_output=True, encoding="utf-8", check=False)


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    file = tmp_path / "faulty.toml"
    text = EXAMPLE.read_text(encoding="utf-8").replace('same_site = "Lax"', 'same_site = "Sometimes"', 1)
    file.write_text(text, encoding="utf-8")
    return file


def test_a_sound_declaration_has_no_findings() -> None:
    result = strictly("check", EXAMPLE)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "No findings.\n")
    assert strictly("check", EXAMPLE, EXAMPLE).stderr == "No findings in 2 files.\n"


def test_a_fault_is_printed_with_its_place_and_what_to_do(faulty: Path) -> None:
    result = strictly("check", EXAMPLE, faulty)
    assert result.returncode == 1
    assert result.stdout == f"{faulty}:27:1 SN006 same_site is 'Sometimes'\n    Fix: write one of: Strict, Lax, None\n"
    assert result.stderr == "1 finding.\n"


def test_findings_as_json(faulty: Path) -> None:
    result = strictly("check", "--format", "json", faulty)
    assert result.returncode == 1
    (finding,) = json.loads(result.stdout)["findings"]
    assert finding == {
        "file": str(faulty),
        "line": 27,
        "column": 1,
        "code": "SN006",
        "severity": "error",
        "message": "same_site is 'Sometimes'",
        "fix": "write one of: Strict, Lax, None",
    }
    assert json.loads(strictly("check", "--format", "json", EXAMPLE).stdout) == {"findings": []}


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "nothing.toml"),
        ("check",),
        ("check", "--format", "xml", str(EXAMPLE)),
        ("page", "nothing.toml"),
        ("page", str(EXAMPLE), "--output", "no-such-folder/page.html"),
        ("bake",),
    ],
)
def test_what_cannot_be_done_ends_with_2(arguments: tuple[str, ...]) -> None:
    result = strictly(*arguments)
    assert result.returncode == 2
    assert "Error: " in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("style", "start"), [("html", "<!doctype html>"), ("md", "# Cookie policy of "), ("json", "{")]
)
def test_the_page_is_printed_or_written(style: str, start: str, tmp_path: Path) -> None:
    printed = strictly("page", EXAMPLE, "--format", style)
    assert printed.returncode == 0
    assert printed.stdout.startswith(start)
    output = tmp_path / "page"
    written = strictly("page", EXAMPLE, "--format", style, "--output", output)
    assert (written.returncode, written.stdout) == (0, "")
    assert output.read_text(encoding="utf-8") == printed.stdout


def test_no_page_is_made_from_a_faulty_declaration(faulty: Path, tmp_path: Path) -> None:
    result = strictly("page", faulty, "--output", tmp_path / "page.html")
    assert result.returncode == 1
    assert "SN006" in result.stderr
    assert not (tmp_path / "page.html").exists()


def test_help_tells_what_there_is() -> None:
    assert "check  Look for errors in declarations." in strictly("--help").stdout
    assert "--output" in strictly("page", "-h").stdout
    assert version("strictly-necessary") in strictly("--version").stdout
