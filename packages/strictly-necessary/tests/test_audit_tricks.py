"""Every trick of the test site is found, with its codes and no others, and nothing is told about its clean twin."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from strictly_necessary._codes import AUDIT_CODES

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
TRYING = runpy.run_path(str(HERE / "audit_site" / "trying.py"))
TRICKS = TRYING["load_tricks"]()
PAGE = HERE.parent / "docs" / "reference" / "tricks.md"

GROUPS = [TRICKS[start : start + 10] for start in range(0, len(TRICKS), 10)]
"""So many at once that two processes can share the work, and few enough that a failure is read at a glance."""

REPRINT = "print the page anew: scripts/tricks > docs/reference/tricks.md"

ELSEWHERE = {
    "SN450": "test_audit_robust.py",
    "SN451": "test_audit_robust.py",
    "SN453": "test_audit_robust.py",
    "SN454": "the tests of waivers",
}
"""Codes that are no tricks of a page, and where they are shown."""


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with TRYING["Trials"](tmp_path_factory.mktemp("scripts")) as trials:
        yield trials
        assert trials.site.broken == []


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: f"{group[0].name} to {group[-1].name}")
def test_tricks_are_found_and_their_twins_are_clean(trials: Any, group: list[Any]) -> None:
    results = trials.results(group)
    assert [problem for result in results for problem in result.problems] == []
    assert {result.row for result in results} <= set(PAGE.read_text().splitlines()), REPRINT


def test_the_page_has_a_row_for_each_trick_and_counts_them() -> None:
    text = PAGE.read_text()
    rows = [f"| {each.title} | {', '.join(sorted(each.codes))} | yes | none |" for each in TRICKS]
    assert sorted(rows) == sorted(line for line in text.splitlines() if "SN" in line and line.startswith("|")), REPRINT
    assert text.startswith(TRYING["INTRODUCTION"]), REPRINT
    count = len(TRICKS)
    assert text.endswith(f"\n{count} of {count} tricks found; false alarms on 0 of {count} twins.\n"), REPRINT


def test_there_is_a_trick_for_each_code_that_a_page_can_have() -> None:
    shown = {code for trick in TRICKS for code in trick.codes}
    assert shown | ELSEWHERE.keys() == AUDIT_CODES.keys()


def test_no_two_tricks_have_the_same_title() -> None:
    titles = [trick.title for trick in TRICKS]
    assert sorted(titles) == sorted(set(titles))


def test_a_trick_differs_from_its_twin_in_a_page_the_declaration_or_a_name() -> None:
    for trick in TRICKS:
        sides = [
            re.sub(rf"{trick.name}-(trick|clean)", "site", repr((each.pages, each.declaration, each.names)))
            for each in (trick.trick, trick.clean)
        ]
        assert sides[0] != sides[1], trick.name
