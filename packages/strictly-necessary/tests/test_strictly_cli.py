"""The command, run as people run it: each option has a test that fails without it."""

import json
import os
import re
import subprocess
import sys
import textwrap
import tomllib
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from strictly_necessary import check, load
from strictly_necessary._codes import FIXES
from strictly_necessary.cli import main
from strictly_necessary.headers import clear_site_data, security_headers
from strictly_necessary.page import render_json, render_markdown, render_page
from strictly_necessary.rules import RULES, Rule

EXAMPLE = Path(__file__).parent / "example.toml"
COMMAND = [os.fsencode(sys.executable), b"-c", b"from strictly_necessary.cli import main; main(prog_name='strictly')"]
OVERRIDES = """
[[headers]]
name = "content-security-policy"
directive = "img-src"
value = "'self' https://pay.example.com"
reason = "The logo of the payment service."
paths = ["/pay", "/shop/*"]

[[headers]]
name = "x-frame-options"
value = ""
reason = "frame-ancestors says the same."
"""


def strictly(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    """The command within this process, which saves the time to start another."""
    result = CliRunner().invoke(main, [*map(str, arguments)], input=stdin, prog_name="strictly")
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def process(
    *arguments: str | Path, environment: dict[str, str] | None = None, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """The command as a program of its own."""
    return subprocess.run(
        [*COMMAND, *map(os.fsencode, arguments)],
        capture_output=True,
        env={**os.environ, **(environment or {})},
        input=stdin,
        check=False,
    )


def changed(folder: Path, *changes: tuple[str, str], more: str = "") -> Path:
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file = folder / "changed.toml"
    file.write_text(text + more, encoding="utf-8")
    return file


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    return changed(tmp_path, ('same_site = "Lax"', 'same_site = "Sometimes"'))


@pytest.fixture
def doubtful(tmp_path: Path) -> Path:
    """A declaration with a warning and no error."""
    return changed(tmp_path, ('same_site = "Lax"', 'same_site = "None"'))


def test_a_sound_declaration_has_no_findings() -> None:
    result = strictly("check", EXAMPLE)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No findings.\n")
    assert strictly("check", EXAMPLE, EXAMPLE).stderr == "No findings in 2 files.\n"


def test_a_fault_is_printed_with_its_place_and_what_to_do(faulty: Path) -> None:
    result = strictly("check", EXAMPLE, faulty)
    assert result.exit_code == 1
    assert result.stdout == f"{faulty}:27:1 SN006 same_site is 'Sometimes'\n    Fix: write one of: Strict, Lax, None\n"
    assert result.stderr == "1 error.\n"


def test_a_warning_fails_only_when_asked(doubtful: Path, tmp_path: Path) -> None:
    result = strictly("check", doubtful)
    assert (result.exit_code, result.stderr) == (0, "1 warning.\n")
    assert result.stdout.startswith(f'{doubtful}:27:1 SN117 warning: "session": with same_site = None, ')
    strict = strictly("check", "--strict", doubtful)
    assert (strict.exit_code, strict.stdout) == (1, result.stdout)
    assert strictly("check", "--strict", EXAMPLE).exit_code == 0
    both = changed(tmp_path, ('same_site = "Lax"', 'same_site = "None"'), ("http_only = true", "http_only = false"))
    assert strictly("check", both, both).stderr == "2 errors, 2 warnings.\n"


def test_other_profiles_can_be_asked(tmp_path: Path) -> None:
    file = changed(
        tmp_path, ('["EU", "UK", "FR"]', '["UK"]'), ('"user-input"', '"audience-measurement"\nrenewed = true')
    )
    assert "SN221" in strictly("check", file).stdout
    told = {
        profile: [line.split()[1] for line in strictly("check", "--profile", profile, file).stdout.splitlines()[::2]]
        for profile in ("uk", "fr", "EU, uk")
    }
    assert told == {
        "uk": ["SN221", "SN222"],
        "fr": ["SN230", "SN231", "SN226"],
        "EU, uk": ["SN221", "SN222", "SN201"],
    }
    wrong = strictly("check", "--profile", "eu,us", file)
    assert wrong.exit_code == 2
    assert "'us' is not one of: eu, uk, fr" in wrong.stderr


def test_findings_as_json(faulty: Path) -> None:
    result = strictly("check", "--format", "json", faulty)
    assert (result.exit_code, result.stderr) == (1, "")
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


def test_findings_as_annotations(tmp_path: Path) -> None:
    folder = tmp_path / "a,b: 100%"
    folder.mkdir()
    file = changed(folder, ('same_site = "Lax"', 'same_site = "None"'), ('id = "csrf"', 'id = "100%: a,b"'))
    result = strictly("check", "--format", "github", file)
    shown = str(file).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
    warning, error = result.stdout.splitlines()
    assert warning.startswith(f"::warning file={shown},line=27,col=1,title=SN117::")
    assert warning.endswith("%0AFix: write Lax or Strict")
    assert error.startswith(f"::error file={shown},line=31,col=1,title=SN006::id is '100%25: a,b'%0AFix: ")
    assert (result.exit_code, result.stderr) == (1, "1 error, 1 warning.\n")


def test_standard_input_is_read(faulty: Path) -> None:
    result = strictly("check", "-", stdin=faulty.read_bytes())
    assert result.exit_code == 1
    assert result.stdout.startswith("<stdin>:27:1 SN006 ")
    assert strictly("check", "-", stdin=EXAMPLE.read_bytes()).exit_code == 0
    assert strictly("check", "-", stdin=b"\xff").stdout.startswith("<stdin>:1:1 SN002 ")
    assert strictly("page", "-", stdin=EXAMPLE.read_bytes()).stdout == render_page(load(EXAMPLE))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("check", "nothing.toml"), "nothing.toml: No such file or directory"),
        (("check",), "Missing argument 'FILE...'"),
        (("check", "/"), "is a directory"),
        (("check", "--format", "xml", str(EXAMPLE)), "'xml' is not one of"),
        (("page", "nothing.toml"), "nothing.toml: No such file or directory"),
        (("page", str(EXAMPLE), "--output", "no-such-folder/page.html"), "no-such-folder/page.html: No such file"),
        (("page", str(EXAMPLE), "--language", "de"), "is not in 'de'"),
        (("page", str(EXAMPLE), "--format", "md", "--stylesheet", "/x.css"), "--stylesheet goes with --format html."),
        (("headers", "nothing.toml"), "nothing.toml: No such file or directory"),
        (("headers", str(EXAMPLE), "--path", "pay"), "--path begins with a slash, unlike 'pay'."),
        (("explain", "SN999"), "There is no code 'SN999'."),
        (("explain", "202", "999"), "There is no code '999'."),
        (("schema", "--output", "no-such-folder/x"), "no-such-folder/x: No such file"),
        (("init", "no-such-folder/x"), "no-such-folder/x: there is no folder no-such-folder; make it first"),
        (("bake",), "No such command 'bake'."),
    ],
)
def test_what_cannot_be_done_ends_with_2(arguments: tuple[str, ...], told: str) -> None:
    result = strictly(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in " ".join(result.stderr.split())


def test_the_page_is_printed_or_written(tmp_path: Path) -> None:
    declaration = load(EXAMPLE)
    for style, expected in (
        ("html", render_page(declaration)),
        ("md", render_markdown(declaration)),
        ("json", render_json(declaration)),
    ):
        printed = strictly("page", EXAMPLE, "--format", style)
        assert (printed.exit_code, printed.stdout) == (0, expected)
        output = tmp_path / "page"
        written = strictly("page", EXAMPLE, "--format", style, "--output", output)
        assert (written.exit_code, written.stdout) == (0, "")
        assert output.read_text(encoding="utf-8") == expected
    assert strictly("page", EXAMPLE).stdout == render_page(declaration)


def test_the_page_speaks_another_language_and_wears_another_look(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    text = EXAMPLE.read_text(encoding="utf-8").partition("[[items]]")[0]
    file.write_text(text + 'languages = ["en", "de"]\n', encoding="utf-8")
    declaration = load(file)
    for style, render in (("html", render_page), ("md", render_markdown), ("json", render_json)):
        german = strictly("page", file, "--language", "de", "--format", style)
        assert german.stdout == render(declaration, language="de") != render(declaration)
    styled = strictly("page", file, "--stylesheet", "/look.css")
    assert styled.stdout == render_page(declaration, stylesheet="/look.css")


@pytest.mark.parametrize(("style", "render"), [("html", render_page), ("md", render_markdown), ("json", render_json)])
def test_the_page_leads_to_the_answers_and_to_the_versions(style: str, render: Any) -> None:
    asking = Path(__file__).parent / "asking.toml"
    printed = strictly("page", asking, "--format", style, "--consent", "/answers", "--changes", "/versions").stdout
    assert printed == render(load(asking), consent="/answers", changes="/versions")
    assert "/answers" in printed
    assert "/versions" in printed


def test_nothing_is_made_from_a_faulty_declaration(faulty: Path, tmp_path: Path) -> None:
    for arguments in (("page", faulty, "--output", tmp_path / "page.html"), ("headers", faulty)):
        result = strictly(*arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "SN006 same_site is 'Sometimes'\n    Fix: write one of" in result.stderr
    assert not (tmp_path / "page.html").exists()


def test_a_warning_does_not_keep_the_page_back(doubtful: Path) -> None:
    result = strictly("page", doubtful)
    assert (result.exit_code, result.stderr) == (0, "")


def test_the_headers_of_a_path_are_shown_with_the_reasons(tmp_path: Path) -> None:
    file = changed(tmp_path, more=OVERRIDES)
    declaration = load(file)
    usual = strictly("headers", file)
    assert usual.exit_code == 0
    assert [line for line in usual.stdout.splitlines() if ": " in line and line[0] != " "] == [
        *(f"{name}: {value}" for name, value in security_headers(declaration).items()),
        f"clear-site-data: {clear_site_data(declaration)}",
    ]
    assert usual.stdout.endswith("\nOverridden:\nx-frame-options\n    Reason: frame-ancestors says the same.\n")
    paying = strictly("headers", file, "--path", "/pay").stdout
    assert "img-src 'self' https://pay.example.com;" in paying
    told = "\ncontent-security-policy img-src for /pay, /shop/*\n    Reason: The logo of the payment service.\n"
    assert told in paying
    assert told not in usual.stdout
    assert "Overridden" not in strictly("headers", EXAMPLE).stdout


def test_the_headers_as_json(tmp_path: Path) -> None:
    file = changed(tmp_path, more=OVERRIDES)
    document = json.loads(strictly("headers", file, "--path", "/shop/1", "--format", "json").stdout)
    assert document["path"] == "/shop/1"
    assert document["headers"] == security_headers(load(file), path="/shop/1")
    assert document["headers_at_sign_out"] == {"clear-site-data": '"cache"'}
    assert document["overrides"] == [
        {"directive": None, "paths": [], **each} for each in tomllib.loads(OVERRIDES)["headers"]
    ]
    quiet = changed(tmp_path, more='[[headers]]\nname = "clear-site-data"\nvalue = ""\nreason = "r"\n')
    assert json.loads(strictly("headers", quiet, "--format", "json").stdout)["headers_at_sign_out"] == {}
    assert "At sign-out" not in strictly("headers", quiet).stdout


def test_the_schema_is_printed_or_written(tmp_path: Path) -> None:
    schema = (resources.files("strictly_necessary") / "declaration.schema.json").read_text(encoding="utf-8")
    assert strictly("schema").stdout == schema
    output = tmp_path / "schema.json"
    assert strictly("schema", "--output", output).stdout == ""
    assert output.read_text(encoding="utf-8") == schema


def test_a_code_is_explained() -> None:
    result = strictly("explain", "sn225", "SN303", "SN001")
    assert result.exit_code == 0
    rule, guard, file = re.split(r"\n\n(?=SN\d{3} )", result.stdout)
    assert rule.partition("\n\n")[0].splitlines() == [
        "SN225 warning: what measures the audience lives for 13 months at most",
        "Source: CNIL on audience measurement, 4 July 2025",
        "Asked in: FR",
        "Key: lifetime",
        'To mend it: write a limit of at most "13 months"',
    ]
    assert guard.startswith(
        "SN303 warning: a declared cookie came more than once; all of them passed\nTo mend it: look"
    )
    assert file.startswith("SN001 error: not TOML\nTo mend it: write it")
    assert "SN115 warning: " in strictly("explain", "SN115").stdout
    assert strictly("explain", "202", "sn303").stdout == strictly("explain", "SN202", "303").stdout


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_is_explained_with_its_why_and_its_examples(rule: Rule) -> None:
    page = (Path(__file__).parent.parent / "docs" / "reference" / "rules.md").read_text(encoding="utf-8")
    section = page.partition(f"### {rule.code}: ")[2].partition("\nTo mend it: ")[0]
    why, keeps, breaks = re.split(r"^(?:Keeps the rule|Breaks it):$", section.partition("\n\n")[2], flags=re.MULTILINE)
    told = strictly("explain", rule.code).stdout
    assert f"\n\n{why.partition(chr(10) * 2)[2]}Keeps the rule:\n\n    [" in told
    for example in (keeps, breaks):
        code = example.strip().removeprefix("```toml\n").removesuffix("\n```")
        assert textwrap.indent(code, "    ") in told
    assert "```" not in told
    assert told.count("To mend it") == 1


def test_all_codes_are_listed() -> None:
    listed = [line[:5] for line in strictly("explain").stdout.splitlines()]
    assert listed == sorted(FIXES.keys() | {rule.code for rule in RULES})


def test_a_first_declaration_is_written_and_passes_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written = strictly("init")
    assert (written.exit_code, written.stdout) == (0, "")
    assert written.stderr.startswith("Wrote policy.toml. ")
    first = tmp_path / "policy.toml"
    assert check(first) == []
    assert strictly("check", "--strict", "--profile", "eu,uk,fr", first).exit_code == 0
    uncommented = first.read_text(encoding="utf-8").replace("# [[", "[[")
    for key in ("name", "host", "feature", "action", "storage", "privacy", "directive", "value", "reason", "hosts"):
        uncommented = uncommented.replace(f"# {key} = ", f"{key} = ")
    assert strictly("check", "-", stdin=uncommented.encode()).stdout == ""
    assert len(tomllib.loads(uncommented)["headers"]) == 1


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("mine", encoding="utf-8")
    result = strictly("init", mine)
    assert (result.exit_code, result.stderr) == (2, f"Error: {mine}: File exists\n")
    assert mine.read_text(encoding="utf-8") == "mine"


def test_a_first_declaration_bears_todays_date(tmp_path: Path) -> None:
    before = subprocess.run(["date", "-u", "+%F"], capture_output=True, encoding="ascii", check=True).stdout.strip()
    strictly("init", tmp_path / "x.toml")
    after = subprocess.run(["date", "-u", "+%F"], capture_output=True, encoding="ascii", check=True).stdout.strip()
    assert before <= load(tmp_path / "x.toml").policy.last_updated.isoformat() <= after


@pytest.mark.parametrize("encoding", ["ascii", "utf-16"])
def test_output_is_utf_8_in_any_locale(encoding: str, tmp_path: Path) -> None:
    file = changed(tmp_path, ('"Example"', '"Exämple – 例"'), ('id = "csrf"', 'id = "ä"'))
    environment = {"PYTHONIOENCODING": encoding, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert "SN006 id is 'ä'" in process("check", file, environment=environment).stdout.decode("utf-8")
    assert "SN006 id is 'ä'" in process("page", file, environment=environment).stderr.decode("utf-8")
    sound = changed(tmp_path, ('"Example"', '"Exämple – 例"'))
    assert "Exämple – 例" in process("page", sound, environment=environment).stdout.decode("utf-8")


def test_files_are_utf_8_in_any_locale(tmp_path: Path) -> None:
    sound = changed(tmp_path, ('"Example"', '"Exämple – 例"'))
    output = tmp_path / "page"
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert process("page", sound, "--output", output, environment=environment).returncode == 0
    assert "Exämple – 例" in output.read_text(encoding="utf-8")


def test_a_name_that_is_not_utf_8_is_no_reason_to_fall_over(tmp_path: Path) -> None:
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.toml"))
    file.write_bytes(b"x = 1\n")
    result = process("check", file)
    assert (result.returncode, result.stderr) == (1, b"2 errors.\n")
    assert b"SN004" in result.stdout


def test_standard_input_is_read_as_bytes() -> None:
    result = process("check", "-", stdin=EXAMPLE.read_bytes(), environment={"PYTHONIOENCODING": "utf-16"})
    assert (result.returncode, result.stderr) == (0, b"No findings.\n")


def test_a_reader_that_goes_away_is_nothing_to_complain_about() -> None:
    with subprocess.Popen([*COMMAND, "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


def test_help_tells_what_there_is() -> None:
    main = strictly("--help").stdout
    order = ["init", "draft", "check", "explain", "page", "headers", "diff", "release", "audit", "schema"]
    assert [line.split()[0] for line in main.partition("Commands:\n")[2].splitlines()] == order
    for command in order:
        text = strictly(command, "-h").stdout
        assert f"\n    strictly {command}" in text, command
    assert strictly("--version").stdout == f"strictly, version {version('strictly-necessary')}\n"


def test_the_pre_commit_hook_checks_the_declarations_of_a_commit(tmp_path: Path) -> None:
    """Real pre-commit with our hook, but with the command that is installed here, so that it needs no network."""
    hooks = (Path(__file__).parents[3] / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    installs = "  language: python\n  additional_dependencies: [./packages/strictly-necessary]\n"
    assert installs in hooks
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(tmp_path / "home"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        **{f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }

    def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False)

    source, site = tmp_path / "source", tmp_path / "site"
    for folder in (source, site):
        folder.mkdir()
        run(folder, "git", "init", "-q")
    (source / ".pre-commit-hooks.yaml").write_text(hooks.replace(installs, "  language: system\n"), encoding="utf-8")
    (site / "policy.toml").write_bytes(EXAMPLE.read_bytes())
    (site / "pyproject.toml").write_text("x = 1\n", encoding="utf-8")
    for folder in (source, site):
        run(folder, "git", "add", "-A")
        run(folder, "git", "commit", "-qm", "x")
    check = (sys.executable, "-m", "pre_commit", "try-repo", str(source), "strictly-check", "--all-files", "--verbose")
    sound = run(site, *check)
    assert (sound.returncode, "No findings.\n" in sound.stdout) == (0, True), sound.stdout + sound.stderr
    (site / "legal").mkdir()
    changed(site / "legal", ('same_site = "Lax"', 'same_site = "Sometimes"')).rename(site / "legal" / "cookies.toml")
    run(site, "git", "add", "-A")
    faulty = run(site, *check)
    assert faulty.returncode == 1
    assert "legal/cookies.toml:27:1 SN006 same_site is 'Sometimes'\n    Fix: " in faulty.stdout
    assert "pyproject.toml" not in faulty.stdout
