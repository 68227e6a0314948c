"""The report in its four forms, made from an audit that was written by hand."""

import datetime as dt
import json
import random
import re
import runpy
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema  # type: ignore[import-untyped]
import pytest

from strictly_necessary import DeclarationError, Severity
from strictly_necessary._codes import AUDIT_CODES
from strictly_necessary.audit import AuditFinding, Evidence, Judgement, Sighting, State, Waiver, load_waivers, waive
from strictly_necessary.audit._addresses import without_values
from strictly_necessary.audit._declared import source_of
from strictly_necessary.audit._waivers import read_waivers
from strictly_necessary.audit.report import as_document, as_html, as_json, as_junit, as_sarif, compare, report_schema
from strictly_necessary.audit.report._cards import MOST
from strictly_necessary.audit.report._lines import as_text, summary
from strictly_necessary.audit.report._words import STATES, STATES_IN_FULL, TROUBLES, act_in_words, verdict
from strictly_necessary.rules._explained import explanations

_MADE: dict[str, Any] = runpy.run_path(str(Path(__file__).parent / "audit_reports.py"))
DECLARATION, FINDINGS, ITEMS, OBSERVATION = (
    _MADE[name] for name in ("DECLARATION", "FINDINGS", "ITEMS", "OBSERVATION")
)
SECRET, SITE, TODAY, WAIVERS = (_MADE[name] for name in ("SECRET", "SITE", "TODAY", "WAIVERS"))
finding, png, report = (_MADE[name] for name in ("finding", "png", "report"))
SCHEMA = json.loads(report_schema())
FORMS = {"html": as_html, "json": as_json, "sarif": as_sarif, "junit": as_junit}


def validate(text: str) -> None:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(SCHEMA, format_checker=checker).validate(json.loads(text))


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 -- it is our own


def test_the_schema_is_one_and_the_report_is_as_it_says() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validate(as_json(report()))
    validate(as_json(report((), waivers=(), declared=False)))


def test_the_schema_knows_every_state_trouble_and_kind() -> None:
    definitions = SCHEMA["$defs"]
    trouble = definitions["page"]["properties"]["looks"]["items"]["properties"]["mishaps"]["items"]["properties"]
    assert definitions["state"]["enum"] == [str(state) for state in State] == [str(state) for state in STATES]
    assert set(STATES) == set(STATES_IN_FULL)
    assert trouble["trouble"]["enum"] == [str(each) for each in TROUBLES]


@pytest.mark.parametrize("form", FORMS)
def test_no_value_is_in_any_form(form: str) -> None:
    text = FORMS[form](report())
    assert SECRET not in text
    assert "token=…" in text or "token%3D" in text or form == "sarif"


@pytest.mark.parametrize("form", FORMS)
def test_two_runs_differ_only_in_their_times(form: str) -> None:
    later = replace(report(), started="2027-02-01T08:00:00Z", seconds=99.0)
    first, second = FORMS[form](report()), FORMS[form](later)
    if form == "json":
        first, second = (json.dumps({**json.loads(text), "times": None}) for text in (first, second))
    if form == "html":
        first, second = (
            re.sub(r"2026-11-23[T,].22:15|2027-02-01[T,].08:00|\b(12|99) seconds", "", t) for t in (first, second)
        )
        first, second = (re.sub(r"<dd>20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ</dd>", "", text) for text in (first, second))
    if form == "junit":
        first, second = (re.sub(r' time(stamp)?="[^"]*"', "", text) for text in (first, second))
    assert first == second


def test_the_order_in_which_pages_were_seen_changes_nothing() -> None:
    made = OBSERVATION
    shuffled = []
    for run in made.runs:
        visits = list(run.visits)
        random.Random(5).shuffle(visits)
        shuffled.append(replace(run, visits=tuple(visits)))
    other = replace(made, runs=tuple(shuffled))
    assert as_json(report()) == as_json(report(observation=other))


@pytest.mark.parametrize(
    ("findings", "waivers", "sentence"),
    [
        (FINDINGS, (), "What is declared is not what happens: 5 errors on 3 pages."),
        (FINDINGS[:1], (), "What is declared is not what happens: 1 error on 3 pages."),
        ((), (), "What is declared is what happens, on 3 pages."),
        (FINDINGS[2:3], WAIVERS[:1], "What is declared is what happens, on 3 pages, but for 1 waived finding."),
    ],
)
def test_one_sentence_says_what_it_comes_to(
    findings: tuple[AuditFinding, ...], waivers: tuple[Waiver, ...], sentence: str
) -> None:
    made = report(findings, waivers=waivers)
    assert verdict(made) == sentence
    assert sentence in as_html(made)
    assert as_document(made)["verdict"]["sentence"] == sentence
    assert made.fails is ("not what" in sentence)


def test_without_a_declaration_or_a_page_the_sentence_says_so() -> None:
    assert verdict(report((), waivers=(), declared=False)).startswith("There is no declaration")
    assert verdict(report(waivers=(), declared=False)).startswith("Nothing was compared, for want of a declaration; 5")
    nothing = replace(report(), pages=())
    assert nothing.saw_nothing
    assert verdict(nothing) == "No page could be looked at, so nothing is proved."


def test_a_card_has_all_that_is_known_of_a_finding() -> None:
    page = as_html(report())
    (card,) = re.findall(
        r'<article class="finding error" id="f-\w+" [^>]*>\n<header><h4[^>]*><span[^>]*>SN403.*?</article>', page, re.S
    )
    for text in (
        "cookie size of example.org",
        "SameSite is None and not Lax; it goes along with requests from other sites.",
        "Set the cookie as declared, or declare what is set and release a version.",
        f"<code>{SITE}/app</code> <span>First visit, on pressing button &quot;Large&quot;</span>",
        "size=…; Domain=example.org; Path=/app; Secure; SameSite=None; Max-Age=2592000",
        f"POST {SITE}/app/size?from=menu&amp;token=…",
        "<code>policy.toml:60</code>",
        '<mark><span class="line">60</span>same_site = &quot;Lax&quot;</mark>',
        f'aria-label="Picture of {SITE}/app, First visit"',
    ):
        assert text in card, text
    assert explanations()["SN403"].source in page


def test_more_than_three_places_are_folded_and_each_is_there() -> None:
    page = as_html(report())
    assert "<details><summary>2 more</summary><ul><li><code>https://larder.example/recipes?sort=name" in page


def test_a_picture_is_in_the_file_once() -> None:
    page = as_html(report())
    assert page.count("data:image/png") == 2
    assert page.count('<use href="#image-') > 2
    ids = set(re.findall(r' id="([^"]+)"', page))
    assert len(ids) == len(re.findall(r' id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= ids


def test_pictures_stop_where_the_file_would_be_too_large() -> None:
    made = report()
    large = {key: png(64, 40, (1, 2, 3)) + bytes(7 * 1024 * 1024) for key in made.pictures}
    assert "data:image" not in as_html(replace(made, pictures=large))
    assert "data:image" not in as_html(replace(made, pictures=dict.fromkeys(made.pictures, b"GIF89a")))


def test_ten_thousand_findings_are_all_told_in_a_file_that_opens() -> None:
    many = tuple(finding("SN401", f"key k{n:05} of {SITE}", "nothing declares it") for n in range(10_000))
    page = as_html(report(many, waivers=()))
    assert page.count("<article") == MOST
    assert len(set(re.findall(r"\bk\d{5}\b", page))) == 10_000
    assert len(page) < 3_000_000


def test_names_from_pages_are_escaped_and_cannot_turn_the_text() -> None:
    hostile = '<script>alert(1)</script>\u202e"&\x1b[2J'
    made = report((finding("SN401", hostile, hostile, Sighting(State.VISIT, SITE, hostile)),), waivers=())
    page = as_html(made)
    assert "<script" not in page
    assert "\u202e" not in page
    parsed(as_junit(made))
    assert "\x1b" not in as_text(made, made.findings[0])


def test_sarif_has_what_github_shows() -> None:
    (run,) = json.loads(as_sarif(report()))["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted({each.code for each in report().findings})
    assert all(rule["help"]["markdown"] and rule["help"]["text"] and rule["fullDescription"]["text"] for rule in rules)
    assert all(re.fullmatch(r"[A-Z][A-Za-z0-9]+", rule["name"]) for rule in rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == "policy.toml"
        assert re.fullmatch(r"[0-9a-f]{16}", result["partialFingerprints"]["strictlyNecessary/v1"])
    by_code = {result["ruleId"]: result for result in run["results"]}
    assert by_code["SN403"]["locations"][0]["physicalLocation"]["region"] == {"startLine": 60}
    assert by_code["SN401"]["locations"][0]["physicalLocation"]["region"] == {"startLine": 1}
    assert by_code["SN401"]["relatedLocations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": f"{SITE}/static/count.js"},
        "region": {"startLine": 14, "startColumn": 9},
    }
    assert len(by_code["SN401"]["stacks"][0]["frames"]) == 3
    assert by_code["SN420"]["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "The fonts move to our host in March."}
    ]
    assert [code for code, result in by_code.items() if "suppressions" in result] == ["SN420"]


def test_sarif_without_a_declaration_names_the_script_or_the_page() -> None:
    (run,) = json.loads(as_sarif(report(FINDINGS[:3], waivers=(), declared=False)))["runs"]
    places = [each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in run["results"]]
    assert places == [f"{SITE}/static/count.js", f"{SITE}/app", f"{SITE}/"]


def test_junit_has_a_case_for_each_finding_item_and_page() -> None:
    root = parsed(as_junit(report()))
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert len(cases) == len(report().findings) + len(ITEMS) + 7 == len(list(root.iter("testcase")))
    assert root.get("tests") == str(len(cases))
    failed = {name for name, case in cases.items() if case.find("failure") is not None}
    assert failed == {
        *(f"{each.code} {each.subject}" for each in report().errors),
        "cookie size (size)",
        f"{SITE}/old · Global Privacy Control",
    }
    skipped = {name for name, case in cases.items() if case.find("skipped") is not None}
    assert skipped == {
        "SN420 request to fonts.example.net",
        "cookie __Host-session (session)",
        "cookie draft_* (draft)",
    }
    assert (cases["SN403 cookie size of example.org"].get("file"), cases["cookie size (size)"].get("line")) == (
        "policy.toml",
        "47",
    )
    for suite in root.iter("testsuite"):
        found = list(suite.iter("testcase"))
        assert suite.get("failures") == str(sum(case.find("failure") is not None for case in found))
        assert suite.get("skipped") == str(sum(case.find("skipped") is not None for case in found))


def test_a_comparison_says_what_is_new_gone_and_the_same() -> None:
    old, new = report(FINDINGS[:3], waivers=()), report(FINDINGS[1:5], waivers=WAIVERS[:1])
    found = compare(as_json(old), as_json(new))
    assert [each.code for each in found.new] == ["SN440", "SN450"]
    assert [each.code for each in found.gone] == ["SN401", "SN420"]
    assert [each.code for each in found.same] == ["SN403"]
    assert found.fails
    page = as_html(new, found)
    assert page.count('<span class="badge new">New</span>') == 2
    assert "2 new, 2 gone, 1 as before" in page
    states = [result["baselineState"] for result in json.loads(as_sarif(new, found))["runs"][0]["results"]]
    assert sorted(states) == ["absent", "absent", "new", "new", "unchanged", "unchanged"]
    assert "Since the earlier audit: 2 new, 2 gone, 1 as before." in summary(new, found)


def test_what_a_waiver_covered_and_covers_no_more_is_new() -> None:
    before, after = report(FINDINGS[2:3], waivers=WAIVERS[:1]), report(FINDINGS[2:3], waivers=())
    assert [each.code for each in compare(as_json(before), as_json(after)).new] == ["SN420"]
    assert compare(as_json(after), as_json(after)).new == ()
    assert not compare(as_json(after), as_json(after)).fails


def test_a_comparison_tells_of_sites_pages_and_options_that_differ() -> None:
    old = report()
    new = replace(old, parties=old.parties[1:], pages=old.pages[1:], options={**old.options, "pages": 50})
    found = compare(as_json(old), as_json(new))
    assert (found.sites, found.sites_gone) == ((), ("example.net",))
    assert (found.pages, found.pages_gone, found.made) == ((), (f"{SITE}/",), ("pages",))
    assert "example.net" in as_html(new, found)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema_version": "strictly-necessary-audit-1"}'])
def test_what_is_no_report_cannot_be_compared(text: str) -> None:
    with pytest.raises(ValueError, match="it is not"):
        compare(text, as_json(report()))


def test_the_command_makes_such_an_audit_again() -> None:
    page = as_html(report())
    command = (
        f"strictly audit {SITE}/ --declaration policy.toml --pages 20 --exclude &#x27;/admin/*&#x27; --patience 10"
    )
    assert f"<pre>{command}</pre>" in page


WAIVER = """[[waivers]]
code = "SN420"
subject = "request to *.example.net"
reason = "They move in March."
until = 2027-03-31
"""


def waivers_in(text: str) -> list[str]:
    _, findings = read_waivers(text.encode(), "w.toml", TODAY)
    return [f"{each.line}:{each.column} {each.code}" for each in findings]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('code = "SN420"', "", ["1:1 SN004"]),
        ('code = "SN420"', 'code = "SN420"\nuntill = 2027-01-01', ["3:1 SN003"]),
        ('code = "SN420"', 'code = "SN201"', ["2:1 SN006"]),
        ('code = "SN420"', "code = 420", ["2:1 SN005"]),
        ("They move in March.", "  ", ["4:1 SN006"]),
        ("until = 2027-03-31", "", ["1:1 SN004"]),
        ("2027-03-31", '"2027-03-31"', ["5:1 SN005"]),
        ("2027-03-31", "2027-03-31T00:00:00Z", ["5:1 SN005"]),
        ("2027-03-31", "2028-01-01", ["5:1 SN006"]),
        ("[[waivers]]", "[waivers]", ["1:1 SN005"]),
        ("[[waivers]]", "[[waiver]]", ["1:1 SN003"]),
        ("[[waivers]]", "[[waivers", ["1:10 SN001"]),
    ],
)
def test_what_is_wrong_with_a_waiver_has_its_line(old: str, new: str, told: list[str]) -> None:
    assert waivers_in(WAIVER.replace(old, new)) == told


def test_a_waiver_stands_once_and_a_file_may_be_without() -> None:
    assert waivers_in(WAIVER + WAIVER) == ["6:1 SN008"]
    assert waivers_in("") == []
    assert [each.code for each in read_waivers(b"\xff", "w.toml", TODAY)[1]] == ["SN002"]


def test_waivers_are_loaded_or_refused(tmp_path: Path) -> None:
    file = tmp_path / "waivers.toml"
    file.write_text(WAIVER, encoding="utf-8")
    expected = Waiver("SN420", "request to *.example.net", "They move in March.", dt.date(2027, 3, 31), f"{file}:1")
    assert load_waivers(file, today=TODAY) == (expected,)
    file.write_text(WAIVER.replace("reason", "season"), encoding="utf-8")
    with pytest.raises(DeclarationError, match="season is unknown"):
        load_waivers(file, today=TODAY)


@pytest.mark.parametrize(
    ("pattern", "covers"),
    [
        ("request to fonts.example.net", True),
        ("request to *.example.net", True),
        ("*", True),
        ("request to *.example.org", False),
        ("request to fonts", False),
        ("request to fonts?example.net", False),
        ("REQUEST TO *", False),
    ],
)
def test_only_the_star_stands_for_anything(pattern: str, covers: bool) -> None:
    assert Waiver("SN420", pattern, "x", TODAY).covers(FINDINGS[2]) is covers
    assert not Waiver("SN421", pattern, "x", TODAY).covers(FINDINGS[2])


def test_a_waiver_holds_to_the_end_of_its_last_day() -> None:
    judgement = Judgement(FINDINGS[2:3])
    waiver = replace(WAIVERS[0], until=TODAY)
    last = waive(judgement, (waiver,), TODAY)
    assert (last.findings[0].waived, last.fails, len(last.findings)) == (waiver.reason, False, 1)
    over = waive(judgement, (waiver,), TODAY + dt.timedelta(days=1))
    assert [(each.code, each.waived) for each in over.findings] == [("SN420", None), ("SN454", None)]
    assert over.fails


def test_a_waiver_that_covers_nothing_is_told() -> None:
    told = waive(Judgement(()), WAIVERS[:1], TODAY).findings
    assert [(each.code, each.severity) for each in told] == [("SN454", Severity.WARNING)]
    assert told[0].evidence.detail[0] == ("written in", "w.toml:1")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://a.example/x?id=8f3a1c77", "https://a.example/x?id=…"),
        ("https://a.example/x?page=2&sort=name", "https://a.example/x?page=2&sort=name"),
        ("https://a.example/x?8f3a1c77#top", "https://a.example/x?…"),
        (
            "GET https://a.example/x?a=Bob%20B and wss://b.example/?k=AAA",
            "GET https://a.example/x?a=… and wss://b.example/?k=…",
        ),
        ("https://a.example/x?id=…&n=…", "https://a.example/x?id=…&n=…"),
        ("no address? id=8f3a1c77", "no address? id=8f3a1c77"),
    ],
)
def test_values_in_addresses_are_left_out(text: str, shown: str) -> None:
    assert without_values(text) == shown
    assert without_values(shown) == shown


def test_lines_of_the_declaration_are_found() -> None:
    source = source_of(DECLARATION.read_bytes())
    whole = source.excerpt("size")
    assert whole is not None
    assert (whole.line, whole.first, whole.lines[0], whole.lines[-1]) == (
        47,
        47,
        "[[items]]",
        'removal = "Choose the usual size."',
    )
    life = source.excerpt("size", "SN404")
    assert life is not None
    assert life.lines[life.line - life.first] == 'lifetime = "30 days"'
    last = source.excerpt("theme")
    assert last is not None
    assert last.lines[-1] == 'removal = "Choose System."'
    assert source.excerpt("nobody") is None


def test_every_code_of_the_audit_has_its_source_and_its_words() -> None:
    assert list(explanations()) == list(AUDIT_CODES)
    assert all(each.source and each.text.endswith(".") for each in explanations().values())
    assert act_in_words("load") == "while it loads"
    assert act_in_words('go "/x"') == 'on going to "/x"'


def test_the_style_is_with_the_package_and_asks_for_nothing() -> None:
    style = (resources.files("strictly_necessary.audit.report") / "report.css").read_text(encoding="utf-8")
    assert "url(" not in style
    assert "@import" not in style


def test_evidence_without_anything_is_shown_as_such() -> None:
    made = report((replace(FINDINGS[0], evidence=Evidence(), sightings=()),), waivers=())
    assert "<dt>Seen on</dt>" not in as_html(made)
    assert as_text(made, made.findings[0]).splitlines()[-1].startswith("    Fix: ")
