"""docs/reference/rules.md, executed: each example is completed, checked, and compared with what the page says."""

import re
from importlib import resources
from pathlib import Path

import pytest

from strictly_necessary import Finding, check
from strictly_necessary._codes import AUDIT_CODES, FILE_CODES, FIXES, GUARD_CODES, VERSION_CODES, WARNINGS
from strictly_necessary.declaration._items import Jurisdiction
from strictly_necessary.rules import RULES, Rule

PAGE = (Path(__file__).parent.parent / "docs" / "reference" / "rules.md").read_text(encoding="utf-8")
SECTIONS = {
    found[1]: (found[2], found[3])
    for found in re.finditer(r"^### (SN\d{3}): (.*)\n((?:(?!^##).*\n)*)", PAGE, re.MULTILINE)
}
BLOCK = re.compile(r"```toml\n(.*?)```", re.DOTALL)
COMPLETION = BLOCK.search(PAGE)
COOKIE_KEYS = {"http_only", "secure", "same_site", "path", "readable_by_application"}


def tables(text: str) -> list[list[str]]:
    """The lines of each table, its header first."""
    found: list[list[str]] = []
    for line in text.splitlines():
        if line.startswith("["):
            found.append([])
        if line.strip():
            found[-1].append(line)
    return found


def keys(lines: list[str]) -> dict[str, str]:
    return {line.partition(" = ")[0]: line.partition(" = ")[2] for line in lines if " = " in line}


def completed(example: str) -> tuple[str, int | None]:
    """The example as a whole declaration, and the line that it marks."""
    assert COMPLETION is not None
    policy, item = tables(COMPLETION[1])
    given = tables(example)
    if not given[0][0].startswith("[policy]"):
        given.insert(0, ["[policy]"])
    lines: list[str] = []
    several = any(table[0].startswith("[[items.purposes]]") for table in given)
    for table in given:
        lines += table
        own = keys(table)
        if table[0].startswith("[policy]"):
            lines += [line for line in policy[1:] if line.partition(" = ")[0] not in own]
        elif table[0].startswith("[[items]]"):
            is_cookie = own.get("kind", '"cookie"').startswith('"cookie"')
            for key, value in keys(item).items():
                if key in own or (several and key in {"category", "purpose"}) or (key in COOKIE_KEYS and not is_cookie):
                    continue
                lines.append('set_by = "script"' if key == "set_by" and not is_cookie else f"{key} = {value}")
            if not is_cookie:
                lines.append('script = "/static/example.js"')
    marked = [number for number, line in enumerate(lines, 1) if re.search(r"# SN\d{3}$", line)]
    assert len(marked) <= 1
    return "\n".join(lines) + "\n", marked[0] if marked else None


def findings(example: str, folder: Path) -> tuple[list[Finding], int | None]:
    text, marked = completed(example)
    file = folder / "policy.toml"
    file.write_text(text, encoding="utf-8")
    return check(file), marked


def test_every_rule_has_its_section_and_no_section_lacks_its_rule() -> None:
    assert list(SECTIONS) == sorted(rule.code for rule in RULES)
    assert len({rule.code for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_section_says_what_the_table_says(rule: Rule) -> None:
    title, body = SECTIONS[rule.code]
    plain = " ".join(body.split())
    profiles = ", ".join(each.value for each in Jurisdiction if each in rule.jurisdictions)
    assert title == rule.text
    assert plain.startswith(f"**{rule.severity.value.capitalize()}** · {profiles} · {rule.source} ")
    assert plain.endswith(f"To mend it: {rule.fix}.")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_the_examples_keep_and_break_the_rule(rule: Rule, tmp_path: Path) -> None:
    good, bad = BLOCK.findall(SECTIONS[rule.code][1])
    found, marked = findings(good, tmp_path)
    assert (found, marked) == ([], None)
    found, marked = findings(bad, tmp_path)
    ours = [finding for finding in found if finding.code == rule.code]
    assert [(finding.line, finding.severity, finding.fix) for finding in ours] == [(marked, rule.severity, rule.fix)]
    assert ours[0].message.startswith('"example"') == (rule.party is None and rule.override is None)
    assert ours[0].message.endswith(rule.text)


def test_the_package_has_the_page_with_it() -> None:
    """`strictly explain` reads it from there."""
    packaged = resources.files("strictly_necessary.rules") / "rules.md"
    assert packaged.read_text(encoding="utf-8") == PAGE, "copy docs/reference/rules.md to it"


def test_the_other_codes_stand_in_tables() -> None:
    rows = re.findall(r"^\| (SN\d{3}) \| (.*) \| (error|warning) \| (.*) \|$", PAGE, re.MULTILINE)
    assert rows == [
        (code, text, "warning" if code in WARNINGS else "error", FIXES[code])
        for code, text in (*FILE_CODES.items(), *GUARD_CODES.items(), *AUDIT_CODES.items(), *VERSION_CODES.items())
    ]
    assert FIXES.keys() == FILE_CODES.keys() | GUARD_CODES.keys() | AUDIT_CODES.keys() | VERSION_CODES.keys()


def test_every_code_in_the_program_is_explained() -> None:
    source = Path(__file__).parent.parent / "src"
    used = {
        code for file in source.rglob("*.py") for code in re.findall(r"\bSN\d{3}\b", file.read_text(encoding="utf-8"))
    }
    assert used == FIXES.keys() | {rule.code for rule in RULES}
