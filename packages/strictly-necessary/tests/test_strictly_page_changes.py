"""What people read of changes: sentences, the announcement, two versions side by side, the list and the feed."""

import datetime as dt
import re
import runpy
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strictly_necessary.page import (
    change_sentences,
    render_atom,
    render_changes_html,
    render_html,
    render_news_html,
    render_versions_html,
)
from strictly_necessary.page._difference import marked
from strictly_necessary.versions import Change, ChangeKind, Difference, History, Significance, Version

MODULE = runpy.run_path(str(Path(__file__).parent / "changes.py"))
CASES, NEW, OLD, item, policy = (MODULE[name] for name in ("CASES", "NEW", "OLD", "item", "policy"))
LANGUAGES = ("en", "de", "fr")
ATOM = {"a": "http://www.w3.org/2005/Atom"}
NOW = dt.datetime(2026, 12, 24, 12, tzinfo=dt.UTC)

SECOND = replace(NEW, items=NEW.items)
THIRD = policy(
    item(NEW, "visits", recipients=("Tally GmbH", "Abacus & Söhne")),
    version="9",
    last_updated=dt.date(2026, 12, 20),
    starts=dt.datetime(2027, 1, 15, tzinfo=dt.UTC),
    summary="<b>We share</b> the count.",
    translations={},
)
FIRST = replace(OLD, items=OLD.items[:1])
HISTORY = History.of([FIRST, SECOND, THIRD])
ADDRESSES = {number: f"/changes/{number}?a=1&b=2" for number in ("7", "8", "9")}


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def rows_of(html: str) -> list[list[str]]:
    """The cells of all rows, with what is marked in brackets."""
    shown = re.sub(r"<(ins|del)>.*?</span>(.*?)</\1>", r"[\2]", html)
    cells = (re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr.*?</tr>", shown))
    return [[re.sub(r"<br>", "/", cell) for cell in row] for row in cells]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_change_is_told_in_words_of_people(case: Any) -> None:
    assert change_sentences(case.version) == case.told


def test_every_kind_of_change_is_among_them() -> None:
    assert {change.kind for case in CASES.values() for change in case.version.difference.changes} == set(ChangeKind)


@pytest.mark.parametrize("language", ["de", "fr"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_change_is_told_in_each_language(case: Any, language: str) -> None:
    """With the previous version at hand, nothing of it is English, and nothing is a word of programs."""
    told = change_sentences(case.version, language=language, previous=case.previous)
    assert len(told) == len(case.told)
    assert set(told).isdisjoint(case.told)
    for sentence in told:
        assert not re.search(r"\b(the|now|before|Counting|Paying|Press|Cards|reads?|it is)\b", sentence)
        assert not re.search(r"[{}]|http_only|same_site|set_by|content-security|\bNone\b|true|false", sentence)


def test_what_is_gone_stays_in_its_own_words_without_the_previous_version() -> None:
    case = CASES["gone"]
    assert change_sentences(case.version, language="de") == ("Nicht mehr da: A greeting.",)
    assert change_sentences(case.version, language="de", previous=case.previous) == ("Nicht mehr da: Ein Gruß.",)


@pytest.mark.parametrize(
    ("life", "told"),
    [
        ("1 minute", ["1 minute", "1 Minute", "1 minute"]),
        ("2 minutes", ["2 minutes", "2 Minuten", "2 minutes"]),
        ("1 hour", ["1 hour", "1 Stunde", "1 heure"]),
        ("2 hours", ["2 hours", "2 Stunden", "2 heures"]),
        ("1 day", ["1 day", "1 Tag", "1 jour"]),
        ("2 days", ["2 days", "2 Tage", "2 jours"]),
        ("1 month", ["1 month", "1 Monat", "1 mois"]),
        ("2 months", ["2 months", "2 Monate", "2 mois"]),
        ("session", ["until the browser session ends", "bis zum Ende der Browsersitzung", "fin de la session"]),
        ("persistent", ["until you remove it", "ohne Frist", "sans limite de durée"]),
    ],
)
def test_lives_take_the_form_of_the_language(life: str, told: list[str]) -> None:
    lasting = MODULE["lasting"](life)
    version = History.of([OLD, item(NEW, "visits", **lasting)]).versions[1]
    for language, words in zip(LANGUAGES, told, strict=True):
        (sentence,) = change_sentences(version, language=language)
        assert words in sentence.replace("\u00a0", " ")
        assert re.search(r"\b6 (months|Monate|mois)\b", sentence)


def test_the_weightiest_comes_first_and_nothing_twice() -> None:
    changed = policy(item(NEW, "visits", set_when="You come.", title="Counting"), contact="hello@quay.example")
    changed = item(changed, "session", name="__Host-boat")
    changed = item(changed, "visits", recipients=("Tally GmbH", "Abacus SARL"))
    told = change_sentences(History.of([OLD, changed]).versions[1])
    assert told == (
        "Counting: now also sent to Abacus SARL.",
        "Staying signed in: now called __Host-boat in your browser. Before: __Host-quay.",
        "You now reach us at hello@quay.example.",
        "Counting: described in other words.",
    )


def test_a_change_that_nobody_foresaw_raises_nothing() -> None:
    """Any kind with any field that the difference can name."""
    for kind in ChangeKind:
        for field in (None, "hosts", "operator", "name", "path", "domain", "values", "privacy_policy"):
            change = Change(kind, "Something", "unknown", field, None, "EU" if field == "jurisdictions" else "x")
            (sentence,) = change_sentences(Version(NEW, Difference((change,))))
            assert "Something" in sentence or field in {"hosts", "operator"} or "x" in sentence


@pytest.mark.parametrize(
    ("case", "verdict"),
    [
        ("new, to be asked", "You are asked"),
        ("asked again", "You are asked"),
        ("new, exempt", "You are told"),
        ("renamed", "You are told"),
        ("other words", "Only wording"),
        ("the policy in other words", "Only wording"),
        ("nothing", "Only wording"),
        ("gone", "Less than before"),
        ("shorter", "Less than before"),
    ],
)
def test_the_verdict_says_what_it_means_for_people(case: str, verdict: str) -> None:
    version = replace(CASES[case].version, declaration=policy(CASES[case].new, change=None))
    assert f"<strong>{verdict}</strong>" in render_changes_html(version, CASES[case].previous)


def test_what_its_author_calls_significant_is_told() -> None:
    case = CASES["other words"]
    version = replace(case.version, declaration=policy(case.new, change=Significance.SIGNIFICANT))
    assert "<strong>You are told</strong>" in render_changes_html(version, case.previous)


def test_the_first_version_has_no_changes() -> None:
    html = render_changes_html(HISTORY.versions[0], None)
    assert "<strong>The first version</strong>" in html
    assert "<table" not in html
    assert "<li>" not in html
    assert change_sentences(HISTORY.versions[0]) == ()


def test_a_version_without_a_difference_says_so() -> None:
    case = CASES["nothing"]
    assert "Nothing changed in what we keep." in render_changes_html(case.version, case.previous)


def test_what_changed_stands_side_by_side() -> None:
    changed = item(
        NEW, "visits", recipients=("Tally GmbH", "Abacus SARL"), http_only=False, set_when="You open any page."
    )
    changed = replace(MODULE["without"](changed, "greeting"), overrides=(MODULE["FRAME"],))
    version = History.of([OLD, changed]).versions[1]
    html = render_changes_html(version, Version(OLD))
    titles = re.findall(r"<caption>(.*?)</caption>", html)
    assert titles == [
        "Counting visits",
        "No longer there: A greeting",
        "New: content-security-policy frame-src",
    ]
    rows = rows_of(html)
    assert rows[0] == ["What", "Before", "After"]
    by_term = {row[0]: row[1:] for row in rows[:6]}
    assert by_term["Who else gets it"] == ["Tally GmbH", "Tally GmbH [and Abacus SARL]"]
    assert by_term["Who can read it"] == [
        "[The server of Quay. No script can read it.]",
        "[The server of Quay and its own scripts in your browser.]",
    ]
    assert by_term["Set when"] == ["You open [a] page[, after you said yes].", "You open [any] page."]
    gone = rows[rows.index(["What", "Before", "After"], 1) :]
    nothing = '<span aria-hidden="true">–</span><span class="policy-said">nothing</span>'
    assert ["Title", "[A greeting]", nothing] in gone
    assert ["Reason", nothing, "[Cards are typed there.]"] in rows


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_whatever_is_told_is_seen_side_by_side(case: Any, language: str) -> None:
    html = render_changes_html(case.version, case.previous, language=language)
    assert f'<section class="policy-changes" lang="{language}">' in html
    if language == "en" and case is not CASES["asked again"]:
        assert ("<table" in html) == bool(case.told)
    assert [row for row in rows_of(html) if len(row) != 3] == []
    for before, after in ((row[1], row[2]) for row in rows_of(html)):
        assert before != after


def test_marks_are_heard_and_seen() -> None:
    html = render_changes_html(CASES["longer"].version, CASES["longer"].previous)
    assert 'At most <del><span class="policy-said">removed: </span>6</del> months.' in html
    assert 'At most <ins><span class="policy-said">added: </span>13</ins> months.' in html
    assert "What is gone is struck through, what is new is underlined." in html


def test_a_table_stays_one_where_style_stacks_it() -> None:
    html = render_changes_html(CASES["longer"].version, CASES["longer"].previous)
    for role in ("table", "rowgroup", "row", "columnheader", "rowheader", "cell"):
        assert f'role="{role}"' in html
    assert '<th role="rowheader" scope="row">Lifetime</th><td role="cell" data-label="Before">' in html


@given(st.text(), st.text())
def test_both_texts_are_whole_between_their_marks(before: str, after: str) -> None:
    old, new = marked(before, after)
    assert "".join(text for _, text in old) == before
    assert "".join(text for _, text in new) == after
    if before == after:
        assert not any(is_marked for is_marked, _ in (*old, *new))
    elif before or after:
        assert any(is_marked for is_marked, _ in (*old, *new))


def test_long_texts_cost_little() -> None:
    old, new = marked("a b " * 5000, "c d " * 5000)
    assert len(old) == len(new) == 1


def test_nothing_of_a_declaration_becomes_markup() -> None:
    bad = '<script>alert(1)</script>"&'
    case = MODULE["Case"](
        OLD,
        policy(
            item(NEW, "visits", title=bad, set_when=bad, recipients=(bad,)), service=bad, summary=bad, version="v-1"
        ),
        (),
    )
    history = History.of([OLD, case.new])
    for html in (
        render_changes_html(case.version, case.previous),
        render_news_html([case.version], back=f"/{bad}", changes=bad, acknowledges=True),
        render_versions_html(history, {"v-1": bad}, NOW),
        render_html(NEW, consent=bad, changes=bad, scheduled=case.version),
    ):
        assert "<script" not in html
        assert bad not in html
    entry = parsed(render_atom(history, NOW, page=bad, address=lambda _: bad)).find("a:entry", ATOM)
    assert entry is not None
    assert "<script" not in (entry.findtext("a:content", namespaces=ATOM) or "<script")


def test_new_versions_are_told_with_the_words_of_their_author_and_ours() -> None:
    html = render_news_html(HISTORY.versions[1:], back="/works?a=1&b=2", changes="/changes", acknowledges=True)
    text = text_of(html)
    assert text.index("Version 9") < text.index("Version 8")
    assert "We would like to count visits, and to greet you." in text
    assert "New, and only if you say yes: Counting visits. Shows us which pages are read." in text
    assert "Counting visits: now also sent to Abacus &amp; Söhne." in text
    assert '<time datetime="2027-01-15T00:00:00Z">15 January 2027</time>' in html
    assert '<a href="/changes">All changes, side by side</a>' in html
    assert '<input type="hidden" name="version" value="9">' in html
    assert '<input type="hidden" name="back" value="/works?a=1&amp;b=2">' in html
    assert '<button class="policy-answer" name="act" value="acknowledge">Got it</button>' in html
    assert render_news_html([], back="/") == ""


def test_others_have_nothing_to_press() -> None:
    html = render_news_html(HISTORY.versions[1:], back="/")
    for tag in ("<form", "<button", "<input", "<a "):
        assert tag not in html
    opening, _, folded = html.partition("</summary>")
    assert "Version 9" in opening
    assert "<li>" not in opening, "it stands on every page and cannot be sent away, so it is short"
    assert folded.index("Abacus") < folded.index("Version 8") < folded.index("</details>")
    assert "<details" not in render_news_html(HISTORY.versions[1:], back="/", acknowledges=True)


def test_what_changed_little_stands_behind_the_link() -> None:
    changed = policy(item(NEW, "visits", name="seen"), contact="hello@quay.example")
    version = History.of([OLD, changed]).versions[1]
    assert "hello@quay.example" not in render_news_html([version], back="/", changes="/changes")
    assert "hello@quay.example" in render_news_html([version], back="/")


@pytest.mark.parametrize(
    ("language", "summary"),
    [
        ("de", '<p class="policy-summary">Wir möchten Besuche zählen und Sie begrüßen.</p>'),
        ("fr", '<p class="policy-summary">Nous aimerions compter les visites et vous saluer.</p>'),
    ],
)
def test_the_author_speaks_in_the_readers_language(language: str, summary: str) -> None:
    html = render_news_html(HISTORY.versions[1:], back="/", language=language)
    assert summary in html
    assert '<p class="policy-summary" lang="en">&lt;b&gt;We share' in html, "what is not translated says its language"


def test_old_versions_need_not_be_in_every_language() -> None:
    english = policy(FIRST, languages=("en",))
    history = History.of([english, NEW])
    german = render_changes_html(history.versions[1], history.versions[0], language="de")
    assert "Neu, und nur, wenn Sie Ja sagen: Besuche zählen." in german
    assert render_news_html(history.versions, back="/", language="de")
    assert render_versions_html(history, {}, NOW, language="de")
    assert render_atom(history, NOW, page="https://quay.example/c", address=str, language="de")


def test_the_list_says_which_version_is_in_force_and_which_is_to_come() -> None:
    html = render_versions_html(HISTORY, ADDRESSES, NOW)
    entries = [text_of(entry).strip() for entry in html.split("<li>")[1:]]
    assert entries[0].startswith("Version 9 still to come From 15 January 2027 · You are asked")
    assert entries[1].startswith("Version 8 in force From 1 December 2026 · You are asked We would like")
    assert entries[2] == "Version 7 From 1 August 2026 · The first version"
    assert '<a href="/changes/8?a=1&amp;b=2">Version 8</a>' in html
    early = render_versions_html(HISTORY, {}, dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    assert early.count("still to come") == 3
    assert "<a " not in early


def test_without_a_summary_the_list_tells_the_weightiest_change() -> None:
    changed = policy(item(NEW, "visits", name="seen"), contact="hello@quay.example", summary=None, terms="/terms")
    html = render_versions_html(History.of([OLD, changed]), {}, NOW)
    assert "Counting visits: now called seen in your browser. Before: visits. And 2 more changes." in html
    german = render_versions_html(History.of([OLD, policy(changed, terms=None)]), {}, NOW, language="de")
    assert "Vorher: visits. Und 1 weitere Änderung." in german


def parsed(xml: str) -> ET.Element:
    return ET.fromstring(xml.encode())  # noqa: S314 -- it is ours


def feed(now: dt.datetime = NOW, **options: Any) -> ET.Element:
    xml = render_atom(
        HISTORY,
        now,
        page="https://quay.example/changes",
        address=lambda number: f"https://quay.example/changes/{number}",
        **options,
    )
    assert xml.startswith('<?xml version="1.0" encoding="utf-8"?>\n')
    return parsed(xml)


def texts(element: ET.Element, path: str) -> list[str]:
    return [found.text or "" for found in element.findall(path, ATOM)]


def test_the_feed_has_what_rfc_4287_asks_for() -> None:
    """Section 4.1: one id, title and updated in the feed and in each entry, an author, a link, and content."""
    root = feed(feed="https://quay.example/changes.atom", language="fr")
    assert root.tag == "{http://www.w3.org/2005/Atom}feed"
    assert root.get("{http://www.w3.org/XML/1998/namespace}lang") == "fr"
    for element in (root, *root.findall("a:entry", ATOM)):
        for name in ("id", "title", "updated"):
            assert len(texts(element, f"a:{name}")) == 1, name
        assert texts(element, "a:id")[0].startswith("https://quay.example/changes")
        assert dt.datetime.fromisoformat(texts(element, "a:updated")[0]).tzinfo is not None
        links = [(link.get("rel"), link.get("type")) for link in element.findall("a:link", ATOM)]
        assert links.count(("alternate", "text/html")) == 1
    assert texts(root, "a:author/a:name") == ["Quay Ltd"]
    assert [link.get("href") for link in root.findall("a:link", ATOM)] == [
        "https://quay.example/changes",
        "https://quay.example/changes.atom",
    ]
    assert [each.get("type") for each in root.findall("a:entry/a:content", ATOM)] == ["html", "html"]
    assert [each.get("term") for each in root.findall("a:entry/a:category", ATOM)] == ["significant", "editorial"]


def test_an_entry_comes_when_its_version_starts_and_stays_as_it_is() -> None:
    before = [ET.tostring(entry) for entry in feed().findall("a:entry", ATOM)]
    after = [ET.tostring(entry) for entry in feed(NOW + dt.timedelta(days=30)).findall("a:entry", ATOM)]
    assert len(before) == 2
    assert after[1:] == before
    root = feed(NOW + dt.timedelta(days=30))
    assert texts(root, "a:entry/a:id") == [f"https://quay.example/changes/{number}" for number in ("9", "8", "7")]
    assert texts(root, "a:updated") == texts(root, "a:entry/a:updated")[:1] == ["2027-01-15T00:00:00Z"]
    assert texts(root, "a:entry/a:content")[0] == (
        '<p class="policy-summary">&lt;b&gt;We share&lt;/b&gt; the count.</p>\n'
        "<ul>\n<li>Counting visits: now also sent to Abacus &amp; Söhne.</li>\n</ul>"
    )


def test_what_xml_cannot_hold_does_not_break_the_feed() -> None:
    history = History.of([OLD, policy(NEW, summary="a\x00b\x08\ud7ff\x1f")])
    root = parsed(render_atom(history, NOW, page="https://q.example/", address=str))
    assert texts(root, "a:entry/a:summary")[0] == "a\ufffdb\ufffd\ud7ff\ufffd"


def test_section_8_names_the_versions_and_the_one_that_follows() -> None:
    text = text_of(render_html(NEW, changes="/changes", scheduled=HISTORY.versions[2]))
    assert text.count("Version 9 follows on 15 January 2027.") == 2
    assert "Every version, and what changed with it, stands on the page Changes to this policy ." in text
    german = text_of(render_html(NEW, language="de", changes="/changes", scheduled=HISTORY.versions[2]))
    assert german.count("Version 9 folgt am 15. Januar 2027.") == 2
    plain = render_html(NEW)
    assert "follows" not in plain
    assert "Every version" not in plain


def test_the_declaration_of_these_tests_loads() -> None:
    assert [each.id for each in NEW.gated] == ["visits", "greeting"]
