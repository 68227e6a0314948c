"""The documentation is a contract: what it names exists, and what exists is named.

What it tells operators to type is tried in `test_journey_operating.py`.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import strictly_necessary
from mixip import __version__
from mixip.app import ROUTES
from mixip.db.tables import Base
from mixip.errors import ERRORS
from mixip.settings import SETTINGS

ROOT = Path(__file__).parent.parent
PLATFORM = ROOT / "packages/mixip/src/mixip"
LIBRARY = ROOT / "packages/strictly-necessary"
DOCS = ROOT / "docs"
ABSENT = "**Not yet**"


def files(*patterns: str) -> list[Path]:
    """Files of the repository, without what is made or installed."""
    made = {"var", "build", "dist", "node_modules"}
    return sorted(
        path
        for pattern in patterns
        for path in ROOT.rglob(pattern)
        if not any(part.startswith(".") or part in made for part in path.relative_to(ROOT).parts)
    )


DOCUMENTS = [pytest.param(path, id=str(path.relative_to(ROOT))) for path in files("*.md")]


def rows(text: str) -> list[list[str]]:
    """The cells of every row of every table, without heads and rules."""
    found = []
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        lines = table.splitlines()[2:]
        found += [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return found


def spans(text: str) -> list[str]:
    """What stands in `code`, outside of blocks; a line break counts as a space."""
    return [
        " ".join(span.split()) for span in re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    ]


def blocks(text: str) -> list[str]:
    return re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)


def anchors(text: str) -> set[str]:
    """The names that headings get."""
    heads = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def has_test(path: Path, name: str) -> bool:
    return path.is_file() and re.search(rf"^def {name}\(", path.read_text(), re.MULTILINE) is not None


def settings_parts() -> tuple[str, str]:
    own, _, foreign = (DOCS / "settings.md").read_text().partition("## Variables that are not settings")
    return own, foreign


def test_every_setting_has_its_row_its_default_and_its_sentence() -> None:
    own, _ = settings_parts()
    told = [(row[0].strip("`"), row[1].strip("`")) for row in rows(own)]
    assert told == [(setting.variable, setting.default or "*(empty)*") for setting in SETTINGS]
    assert re.findall(r"^- \*\*`(\w+)`\*\*", own, re.MULTILINE) == [setting.variable for setting in SETTINGS]


def test_variables_of_tests_are_told_apart_and_complete() -> None:
    _, foreign = settings_parts()
    told = [row[0].strip("`") for row in rows(foreign)]
    sources = [path for path in files("*.py", "Makefile") if path != Path(__file__)]
    used = {name for path in sources for name in re.findall(r"MIXIP_(?:TEST|SOAK|BENCH)_\w*[A-Z]\b", path.read_text())}
    assert sorted(told) == sorted(used)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_document_names_a_variable_that_does_not_exist(document: Path) -> None:
    _, foreign = settings_parts()
    known = {setting.variable for setting in SETTINGS} | {row[0].strip("`") for row in rows(foreign)}
    assert set(re.findall(r"\bMIXIP_\w*[A-Z]\b", document.read_text())) <= known


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document: Path) -> None:
    text = document.read_text()
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", prose) + re.findall(r'(?:src|href|srcset)="([^"]+)"', prose)
    broken = []
    for target in targets:
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = document.parent / path if path else document
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there.read_text())):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_is_named_exists(document: Path) -> None:
    """A path is below the root, one of two packages or the document's folder; `look/x.js` may be a static file."""
    missing = []
    for span in spans(document.read_text()):
        path = span.partition("::")[0]
        if not re.fullmatch(r"[a-z_./-][\w./-]*/[\w./-]+\.(py|toml|md|html|css|js)", path) or path.startswith("/"):
            continue
        feature, _, rest = path.partition("/")
        below = (ROOT, PLATFORM, LIBRARY, LIBRARY / "src/strictly_necessary", document.parent)
        places = (*(folder / path for folder in below), PLATFORM / feature / "static" / rest)
        if not any(place.exists() for place in places):
            missing.append(path)
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    text = document.read_text()
    code = "\n".join(spans(text) + blocks(text))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|[\s;&])make ([a-z]+)", code, re.MULTILINE)) <= targets


def test_newcomers_are_told_every_make_target() -> None:
    explained = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    told = [row[0].strip("`") for row in rows((ROOT / "CONTRIBUTING.md").read_text()) if row[0].startswith("`make ")]
    assert sorted(told) == sorted(f"make {target}" for target in explained if target != "help")


@pytest.mark.parametrize("name", ["transfer-protocol.md", "desktop-sign-in.md"])
def test_every_address_of_the_protocols_exists(name: str) -> None:
    served = {
        (method, re.sub(r"\{(\w+):\w+\}", r"{\1}", path))
        for handler in ROUTES
        for path in handler.paths
        for method in handler.http_methods
    }
    paths = {path for _, path in served}
    told = [re.fullmatch(r"(?:([A-Z]+) )?(/[\w./{}-]+)", span) for span in spans((DOCS / name).read_text())]
    named = [(match[1], match[2]) for match in told if match]
    assert named
    assert [one for one in named if (one not in served if one[0] else one[1] not in paths)] == []


def test_every_error_code_that_is_named_with_a_status_exists() -> None:
    told = [
        (document, int(status), code)
        for document in files("*.md")
        for status, code in re.findall(r"\b([45]\d\d)\s+`([a-z_]+)`", document.read_text())
    ]
    assert len(told) >= 5
    assert [one for one in told if one[2] not in ERRORS or ERRORS[one[2]].status != one[1]] == []


def test_what_the_protocol_names_is_a_code_or_a_field() -> None:
    """So that a code which is misspelt or renamed is found even where no status stands beside it."""
    text = (DOCS / "transfer-protocol.md").read_text()
    sources = "".join(path.read_text() for path in PLATFORM.rglob("*.py"))
    words = {span for span in spans(text) if re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", span)}
    fields = {word for word in words if re.search(rf"^\s+{word}: |\"{word}\": ", sources, re.MULTILINE)}
    assert words & set(ERRORS)
    assert words - set(ERRORS) - fields == set()


def test_names_of_the_code_are_terms_of_the_glossary() -> None:
    cells = "\n".join(row[0] for row in rows((DOCS / "glossary.md").read_text()))
    terms = set(re.findall(r"\*\*([^*]+)\*\*", cells))
    plumbing = {"CookieSyntaxError", "DeclarationError", "Direction", "GuardError", "GuardFinding", "SameSite", "SetBy"}
    classes = {mapper.class_.__name__ for mapper in Base.registry.mappers}
    classes |= {name for name in strictly_necessary.__all__ if name[0].isupper()} - plumbing - {"Severity"}
    classes |= {"Facts", "Run", "Segment", "Setting", "Problem", "Store", "Caller", "Guard", "Housekeeping"}
    words = {re.sub(r"(?<!^)([A-Z])", r" \1", name).lower() for name in classes}
    assert words - terms == set()


def promises() -> list[list[str]]:
    return rows((DOCS / "promises.md").read_text())


def proofs(row: list[str]) -> list[str]:
    return [span for span in spans(row[3]) if "::" in span]


@pytest.mark.parametrize("row", promises(), ids=lambda row: f"{row[0]}: {row[1][:40]}")
def test_a_promise_is_kept_and_proven_or_says_that_it_is_not_yet(row: list[str]) -> None:
    _, _, mechanism, proof = row
    paths = [span for span in spans(mechanism) if "/" in span]
    assert all((ROOT / path).is_file() for path in paths), mechanism
    assert [one for one in proofs(row) if not has_test(ROOT / one.partition("::")[0], one.partition("::")[2])] == []
    assert paths or ABSENT in mechanism
    assert proofs(row) or ABSENT in proof


@pytest.mark.slow
def test_every_proof_runs_with_make_test() -> None:
    """Pytest itself finds each of them by its name, and does not leave it out."""
    named = sorted({one for row in promises() for one in proofs(row)})
    options = (
        "--collect-only",
        "-q",
        "-m",
        "not soak",
        "-p",
        "no:cacheprovider",
        "-o",
        "addopts=--import-mode=importlib",
    )
    command = [sys.executable, "-m", "pytest", *options, *named]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    found = {line.partition("[")[0] for line in result.stdout.splitlines() if "::" in line}
    assert sorted(found) == named, result.stdout[-2000:] + result.stderr[-2000:]


def test_every_section_of_the_policy_has_its_promises() -> None:
    sections = {section.strip() for row in promises() for section in row[0].split(",")}
    assert sections == {"1", "2", "3.1", "3.2", "3.3", "3.4", "4", "5", "6", "7", "8", "9"}


def test_the_security_checklist_is_complete_in_itself() -> None:
    text = (DOCS / "security.md").read_text()
    states = ("met", "partly", "not yet", "the proxy's business", "the operator's business", "there are none")
    for items, _, state in rows(text):
        assert re.fullmatch(r"(V\d+\.\d+(\.\d+)?(, )?)*", items), items
        assert state.startswith(states), state
    tests = {path.name: path for path in files("test_*.py")}
    named = [span.split("::") for span in spans(text) if "::" in span]
    assert named
    assert [name for file, name in named if not has_test(tests[file], name)] == []


def test_the_indexes_are_complete() -> None:
    decisions = (DOCS / "decisions/README.md").read_text()
    assert re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", decisions) == sorted(
        path.name for path in DOCS.glob("decisions/0*.md")
    )
    index = (DOCS / "README.md").read_text()
    assert [path.name for path in DOCS.glob("*.md") if path.name != "README.md" and f"({path.name})" not in index] == []


def test_the_changelog_knows_this_version() -> None:
    assert f"\n## [{__version__}] - " in (ROOT / "CHANGELOG.md").read_text()
