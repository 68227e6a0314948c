"""What others may rely on: the public names, what importing brings along, and what the built wheel holds.

`python test_strictly_surface.py` writes docs/reference/api.md anew from the docstrings.
"""

import enum
import importlib
import inspect
import re
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from strictly_necessary._codes import AUDIT_CODES, FILE_CODES, GUARD_CODES, VERSION_CODES
from strictly_necessary.rules import RULES

PACKAGE = Path(__file__).parent.parent
SOURCE = PACKAGE / "src" / "strictly_necessary"
README = PACKAGE / "README.md"
API = PACKAGE / "docs" / "reference" / "api.md"

NAMES = {
    "strictly_necessary": """
        Category CookieSyntaxError Declaration DeclarationError Direction Finding GuardError GuardFinding Item
        Jurisdiction Kind Lifetime Override Policy Purpose SameSite SetBy Severity ThirdParty check delete_cookie load
        set_cookie""",
    "strictly_necessary.asgi": "Guard Mode consent_of granted nonce",
    "strictly_necessary.wsgi": "Guard Mode consent_of granted nonce",
    "strictly_necessary.audit": """
        Act AuditError AuditFinding Deed Evidence ItemProof Judgement Observation Plan Report Sighting State Visit
        Waiver audit judge load_waivers make_report observe waive""",
    "strictly_necessary.page": """
        WELL_KNOWN change_sentences gate_text heading preferred_language render_atom render_changes_html
        render_consents_html render_gate_html render_html render_items_html render_json render_languages_html
        render_markdown render_news_html render_page render_third_parties_html render_versions_html stylesheet
        well_known""",
    "strictly_necessary.headers": """
        DENIED_FEATURES clear_site_data content_security_policy permissions_policy security_headers source_hash""",
    "strictly_necessary.browser": """
        CONSENT_PATH GUARD_PATH REPORT_PATH guard_address guard_script read_report worker_bootstrap""",
    "strictly_necessary.cookies": """
        CookiePair CookieSyntaxError SetCookie lifetime parse_cookie_date parse_cookie_header parse_set_cookie refusal
        serialize_cookie_header serialize_set_cookie""",
    "strictly_necessary.consent": """
        Acknowledgement Action Answer Answers Channel Choice Consent Latest Ledger LedgerError OutdatedError Receipt
        SignalError Standing Tally Ticket Visitor Who as_json export receipt_schema standing""",
    "strictly_necessary.rules": "PREFIXES RULES Breach Rule broken_by prefix_of",
    "strictly_necessary.versions": """
        NOTICE Change ChangeKind Difference History Release Significance Version diff folder_of load_history
        plan_release read_history""",
}
"""Every public name. To take one away breaks somebody's site; to add one is a promise."""

INTRODUCTIONS = {
    "strictly_necessary": "What most sites need.",
    "strictly_necessary.asgi": "The guard for ASGI. Its modes and options are in [the guard](guard.md).",
    "strictly_necessary.wsgi": "The guard for WSGI. Its modes and options are in [the guard](guard.md).",
    "strictly_necessary.audit": "What `strictly audit` does, for programs: see [the audit](audit.md). To drive a "
    'browser needs\n`pip install "strictly-necessary[audit]"`; to import this does not.',
    "strictly_necessary.page": "The policy page. `language` is by default the declaration's first one; a `catalogue` "
    "holds the texts\nof the page in a language that does not come with the package.",
    "strictly_necessary.headers": "The security headers, for those who send them without the guard.",
    "strictly_necessary.browser": "The browser's guard, for those who serve it without the server's: see "
    "[addresses](addresses.md).",
    "strictly_necessary.cookies": "Cookie headers as bytes, read and written as RFC 6265bis says.",
    "strictly_necessary.consent": "Answers, and the record of them. How to use them is in [consent](consent.md).",
    "strictly_necessary.rules": "The rules as a table. What each means is in [rules and codes](rules.md).",
    "strictly_necessary.versions": "What changed from one version to the next, and which of them holds when. See "
    "[how to release\na version](../how-to/release-a-version.md).",
}


CONSTANTS = {
    "CONSENT_PATH": "The address at which people answer the gate.",
    "Answers": "The latest answer of an account by the id of the item.",
    "DENIED_FEATURES": "The features that no page may use, unless the declaration says so.",
    "GUARD_PATH": "The address of the browser's guard.",
    "Ledger": "Where receipts and acknowledgements are kept: a protocol, so that you can write your own.",
    "Mode": "`enforce`, `raise` or `report`.",
    "NOTICE": "How long before it starts a version is released that changes what people agreed to.",
    "PREFIXES": "The prefixes of names that browsers enforce.",
    "REPORT_PATH": "The address to which the browser's guard reports.",
    "RULES": "Every rule, in the order of its code.",
    "Who": "Given the scope of ASGI or the environ of WSGI, who asks: a `Visitor`, None, or something to await.",
    "WELL_KNOWN": "The address at which machines look for the declaration.",
}
"""Constants have no docstring that a program can see."""


def modules() -> Iterator[ModuleType]:
    return (importlib.import_module(name) for name in NAMES)


def documentation(module: ModuleType, name: str) -> str:
    """What stands at the name: its docstring's first paragraph."""
    text = CONSTANTS.get(name) or inspect.getdoc(getattr(module, name)) or ""
    return " ".join(text.split("\n\n")[0].split())


def title(name: str, value: Any) -> str:
    """The name as it is used, with its parameters."""
    if inspect.isclass(value) and issubclass(value, enum.Enum | Exception):
        return name
    if name in CONSTANTS:
        return name
    parts: list[str] = []
    for parameter in inspect.signature(value).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        parts.append(parameter.name)
    return f"{name}({', '.join(parts)})"


def entry(module: ModuleType, name: str) -> str:
    value = getattr(module, name)
    text = documentation(module, name)
    if inspect.isclass(value) and issubclass(value, enum.Enum):
        text += " " + ", ".join(f"`{each.value}`" for each in value) + "."
    return textwrap.fill(
        f"- `{title(name, value)}`: {text}",
        width=120,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def reference() -> str:
    """The page about all names."""
    parts = [
        "# Names\n\nAll that you may import. Everything else may change without notice. Everything is typed, and no "
        "import brings a\nthird-party module. What stands behind a `*` is given by name.\n"
    ]
    for module in modules():
        parts.append(f"## {module.__name__}\n\n{INTRODUCTIONS[module.__name__]}\n")
        parts.append("\n".join(entry(module, name) for name in NAMES[module.__name__].split()) + "\n")
    return "\n".join(parts)


def test_the_public_names_are_pinned() -> None:
    assert {module.__name__: sorted(module.__all__) for module in modules()} == {
        module: sorted(names.split()) for module, names in NAMES.items()
    }


def test_every_module_is_public_and_pinned_or_private() -> None:
    found = {path.stem for path in SOURCE.glob("*.py")} | {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    public = {name for name in found if not name.startswith("_")} - {"cli", "declaration", "pytest_plugin"}
    assert {f"strictly_necessary.{name}" for name in public} | {"strictly_necessary"} == set(NAMES)


@pytest.mark.parametrize(("module", "name"), [(module, name) for module in NAMES for name in NAMES[module].split()])
def test_every_public_name_is_explained_and_typed(module: str, name: str) -> None:
    space = importlib.import_module(module)
    assert documentation(space, name).endswith("."), f"{module}.{name} has no docstring that is a sentence"
    value = getattr(space, name)
    if name not in CONSTANTS and not inspect.isclass(value):
        signature = inspect.signature(value)
        assert signature.return_annotation is not signature.empty
        assert all(each.annotation is not each.empty for each in signature.parameters.values())


def test_the_reference_says_of_each_name_what_its_docstring_says() -> None:
    assert API.read_text(encoding="utf-8") == reference(), f"write it anew: python {Path(__file__).name}"


@pytest.mark.parametrize("module", NAMES)
def test_importing_brings_no_third_party_along(module: str) -> None:
    program = (
        f"import sys; before = set(sys.modules); import {module}\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(new - set(sys.stdlib_module_names)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True)
    assert result.stdout == "['strictly_necessary']\n"


def test_every_code_is_explained_in_the_reference_and_not_in_the_readme() -> None:
    source = "".join(file.read_text(encoding="utf-8") for file in SOURCE.rglob("*.py"))
    used = (
        set(re.findall(r"\bSN\d{3}\b", source))
        | {rule.code for rule in RULES}
        | {*FILE_CODES, *GUARD_CODES, *AUDIT_CODES, *VERSION_CODES}
    )
    page = (PACKAGE / "docs" / "reference" / "rules.md").read_text(encoding="utf-8")
    explained = re.findall(r"^(?:### |\| )(SN\d{3})\b", page, re.MULTILINE)
    assert sorted(used) == sorted(explained)
    assert not re.findall(r"SN\d{3}", README.read_text(encoding="utf-8"))


def test_the_program_in_the_readme_has_ten_lines() -> None:
    (program,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len([line for line in program.splitlines() if line.strip() and not line.startswith("#")]) <= 10


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"]
    subprocess.run([*command, "--wheel-dir", folder, PACKAGE], check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.slow
def test_the_wheel_holds_everything_that_is_read_when_it_runs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    wanted = {".py", ".typed", ".js", ".css", ".json", ".toml", ".mo"}
    expected = {
        f"strictly_necessary/{path.relative_to(SOURCE).as_posix()}"
        for path in SOURCE.rglob("*")
        if path.suffix in wanted or path.name == "py.typed"
    }
    assert expected <= held
    for file in ("py.typed", "static/guard.min.js", "static/policy.css", "declaration.schema.json"):
        assert f"strictly_necessary/{file}" in held
    assert {f"strictly_necessary/locales/{code}/LC_MESSAGES/strictly_necessary.mo" for code in ("de", "fr")} <= held
    assert not any(re.search(r"(^|/)(tests?|examples)/|(^|/)test_|_test\.py$", name) for name in held)


@pytest.mark.slow
def test_the_wheel_works_alone(wheel: Path, tmp_path: Path) -> None:
    (toml,) = re.findall(r"```toml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "policy.toml").write_text(toml, encoding="utf-8")
    program = (
        "import sys; sys.path[0] = sys.argv[1]\n"
        "from strictly_necessary import load, page, browser\n"
        "import strictly_necessary, strictly_necessary.asgi, strictly_necessary.wsgi\n"
        "assert '.whl' in strictly_necessary.__file__\n"
        "declaration = load('policy.toml')\n"
        "print(page.heading(language='de'), len(browser.guard_script(declaration)) > 1000, bool(page.stylesheet()))"
    )
    result = subprocess.run(
        [sys.executable, "-I", "-c", program, wheel], cwd=tmp_path, capture_output=True, encoding="utf-8", check=False
    )
    assert result.stderr == ""
    assert result.stdout.endswith(" True True\n")


if __name__ == "__main__":
    API.write_text(reference(), encoding="utf-8")
