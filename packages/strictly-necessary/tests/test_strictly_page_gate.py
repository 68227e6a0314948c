"""What people are asked and what they answered, as HTML and as the plain text of a receipt."""

import datetime as dt
import re
import runpy
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from strictly_necessary import Category, Declaration, Purpose, load
from strictly_necessary.consent import Choice, Standing, standing
from strictly_necessary.page import (
    gate_text,
    render_consents_html,
    render_gate_html,
    render_html,
    render_items_html,
    render_json,
    render_markdown,
)
from strictly_necessary.versions import History

TESTS = Path(__file__).parent
NEW, item, policy = (runpy.run_path(str(TESTS / "changes.py"))[name] for name in ("NEW", "item", "policy"))
EXAMPLE = load(TESTS / "example.toml")
NOW = dt.datetime(2026, 12, 24, tzinfo=dt.UTC)
YES, NO = frozenset({"visits"}), frozenset({"greeting"})


def standing_of(declaration: Declaration = NEW, choice: Choice | None = None, *, signal: bool = False) -> Standing:
    history = History.of([declaration])
    return standing(history, history.versions[0], NOW, choice=choice, signal=signal)


OPEN = standing_of()
ONE = replace(OPEN, open=OPEN.open[:1])
MIXED = standing_of(choice=Choice("8", YES, NO))
SIGNAL = standing_of(signal=True)


class Form(HTMLParser):
    """The forms of a fragment: where each leads, what it sends along, its buttons and its ticks."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[dict[str, list[str]]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag == "form":
            self.forms.append({"form": [f"{found['method']} {found['action']}"]})
        elif tag in {"input", "button"}:
            self.forms[-1].setdefault(found["name"] or "", []).append(found["value"] or "")


def text_of(html: str) -> str:
    return unescape(re.sub(r"[ \n]+", " ", re.sub(r"<[^>]+>", " ", html)))


def test_one_thing_is_asked_with_a_no_and_a_yes() -> None:
    html = render_gate_html(ONE, back="/works?a=1&b=2", policy="/cookies")
    (form,) = Form(html).forms
    assert form == {
        "form": ["post /.well-known/cookie-consent"],
        "version": ["8"],
        "shown": ["visits"],
        "language": ["en"],
        "back": ["/works?a=1&b=2"],
        "act": ["refuse", "grant"],
    }
    assert re.findall(r"<button[^>]*>(.*?)</button>", html) == ["No", "Yes"]
    assert "<details" not in html
    assert "checkbox" not in html
    text = text_of(html)
    for told in (
        "May we keep this in your browser?",
        "Quay works without it, so we ask. It is neither stored nor read unless you say yes.",
        "Counting visits Purpose Shows us which pages are read. Lifetime At most 6 months. Provider Quay Ltd (first",
        "Who else gets it Tally GmbH",
        "No answer means no. You can change your mind at any time; our cookie policy says where.",
    ):
        assert told in text
    assert '<a href="/cookies#item-visits" aria-describedby="cookie-gate-visits">More about it</a>' in html
    assert 'id="item-visits"' in render_items_html(NEW), "where the link leads"


def test_several_are_answered_at_once_or_one_by_one() -> None:
    html = render_gate_html(OPEN, back="/")
    both, each = Form(html).forms
    assert both["shown"] == each["shown"] == ["visits", "greeting"]
    assert both["act"] == ["refuse", "grant"]
    assert each["act"] == ["choose"]
    assert each["item"] == ["visits", "greeting"]
    assert "item" not in both
    assert re.findall(r"<button[^>]*>(.*?)</button>", html) == ["No to all", "Yes to all", "Allow what I ticked"]
    assert "<a " not in html


def test_nothing_is_chosen_for_anybody() -> None:
    html = render_gate_html(OPEN, back="/", policy="/cookies")
    tags = Form(html).tags
    for name in ("checked", "autofocus", "disabled", "hidden", "open", "onclick", "style", "tabindex"):
        assert not any(name in attributes for _, attributes in tags)
    assert {tag for tag, _ in tags}.isdisjoint({"script", "style", "dialog", "iframe", "img"})
    assert all(attributes["autocomplete"] == "off" for tag, attributes in tags if tag == "form")
    buttons = [attributes for tag, attributes in tags if tag == "button"]
    assert {button["class"] for button in buttons} == {"policy-answer"}
    assert not re.search("close|dismiss|later|×|accept all", html, re.IGNORECASE)


def test_whoever_need_not_be_asked_is_not() -> None:
    for each in (MIXED, SIGNAL, standing_of(EXAMPLE), standing_of(EXAMPLE, signal=True)):
        assert render_gate_html(each, back="/") == ""
    assert render_gate_html(standing_of(choice=Choice("8", YES)), back="/").count('name="shown"') == 1


@pytest.mark.parametrize(
    ("language", "heading", "no", "yes"),
    [
        ("en", "May we keep this in your browser?", "No", "Yes"),
        ("de", "Dürfen wir das in Ihrem Browser speichern?", "Nein", "Ja"),
        ("fr", "Pouvons-nous conserver ceci dans votre navigateur\u202f?", "Non", "Oui"),
    ],
)
def test_it_is_asked_in_the_readers_language(language: str, heading: str, no: str, yes: str) -> None:
    html = render_gate_html(ONE, back="/", language=language)
    assert f'<h2 id="cookie-gate-heading">{heading}</h2>' in html
    assert re.findall(r"<button[^>]*>(.*?)</button>", html) == [no, yes]
    assert f' lang="{language}"' in html
    assert Form(html).forms[0]["language"] == [language]


@pytest.mark.parametrize("language", ["en", "de", "fr"])
@pytest.mark.parametrize("asked", [OPEN, ONE], ids=["two", "one"])
def test_a_receipt_keeps_what_was_shown(asked: Standing, language: str) -> None:
    """Every line of the text was on the page."""
    html = text_of(render_gate_html(asked, back="/", language=language))
    text = gate_text(asked, [each.id for each in asked.open], language=language)
    for line in text.splitlines():
        for part in re.split(r":\s|\] \[|[\[\]]", line):
            assert part.strip() in html, part
    assert text == gate_text(asked.version, {each.id for each in asked.open}, language=language)


def test_the_text_of_a_receipt_is_plain() -> None:
    assert gate_text(ONE, ["visits"]) == (
        "May we keep this in your browser?\n"
        "Quay works without it, so we ask. It is neither stored nor read unless you say yes.\n\n"
        "Counting visits\n"
        "Purpose: Shows us which pages are read.\n"
        "Lifetime: At most 6 months.\n"
        "Provider: Quay Ltd (first party)\n"
        "Who else gets it: Tally GmbH\n\n"
        "No answer means no. You can change your mind at any time; our cookie policy says where.\n\n"
        "[No] [Yes]"
    )
    assert gate_text(ONE, []) == ""
    with pytest.raises(KeyError, match="unknown"):
        gate_text(ONE, ["unknown"])


def test_several_purposes_are_asked_about_one_by_one() -> None:
    purposes = (*NEW.item("visits").purposes, Purpose(Category.ADVERTISING, "Shows you what you may like."))
    text = gate_text(standing_of(item(NEW, "visits", purposes=purposes)), ["visits"])
    assert "Purposes: Statistics: Shows us which pages are read. Advertising: Shows you what you may like.\n" in text


def test_nothing_of_a_declaration_becomes_markup() -> None:
    bad = '<script>alert(1)</script>"&'
    purposes = (Purpose(Category.ANALYTICS, bad),)
    changed = policy(item(NEW, "visits", title=bad, provider=bad, recipients=(bad,), purposes=purposes), service=bad)
    for render in (render_gate_html, render_consents_html):
        html = render(standing_of(changed), back=bad, policy=bad, action=bad)
        assert "<script" not in html
        assert bad not in html
        assert Form(html).forms[0]["back"] == [bad]


def test_each_answer_can_be_changed_at_once() -> None:
    html = render_consents_html(MIXED, back="/privacy", policy="/cookies")
    forms = Form(html).forms
    assert [(form["shown"], form["act"]) for form in forms] == [(["visits"], ["withdraw"]), (["greeting"], ["grant"])]
    assert {form["back"][0] for form in forms} == {"/privacy"}
    text = text_of(html)
    assert "Counting visits You allowed it." in text
    assert "A greeting You refused it. It is neither stored nor read." in text
    assert re.findall(r"<button[^>]*>(.*?)</button>", html) == ["Take it back", "Allow it"]
    assert {attributes["class"] for tag, attributes in Form(html).tags if tag == "button"} == {"policy-answer"}


def test_what_was_not_answered_can_be() -> None:
    html = render_consents_html(OPEN, back="/")
    assert [form["act"] for form in Form(html).forms] == [["refuse", "grant"]] * 2
    assert html.count("You have not answered. It is neither stored nor read.") == 2


def test_the_browsers_own_no_is_told_and_not_asked_about() -> None:
    html = render_consents_html(SIGNAL, back="/")
    assert "Your browser says no for you, by Global Privacy Control. So we do not ask." in html
    assert "<form" not in html
    said = render_consents_html(standing_of(choice=Choice("8", YES, NO), signal=True), back="/")
    assert "You allowed it once, but your browser’s no counts." in said
    assert [(form["shown"], form["act"]) for form in Form(said).forms] == [(["visits"], ["withdraw"])]


def test_where_everything_is_exempt_nothing_is_shown() -> None:
    assert render_consents_html(standing_of(EXAMPLE), back="/") == ""
    assert gate_text(standing_of(EXAMPLE), []) == ""
    for page in (render_html(EXAMPLE, consent="/answers"), render_markdown(EXAMPLE, consent="/answers")):
        assert "/answers" not in page
        assert "Global Privacy Control" not in page
    assert render_html(EXAMPLE, consent="/answers") == render_html(EXAMPLE)


def test_the_policy_says_how_people_are_asked() -> None:
    text = text_of(render_html(NEW, consent="/answers"))
    for told in (
        "For this we need your consent, so we ask you first: Counting visits and A greeting.",
        "no answer means no",
        "The cookie __Host-answer remembers your answer",
        "nothing in it tells who you are",
        "You can change your mind at any time, on the page Your answers . What you take back is removed at once.",
        "If your browser sends Global Privacy Control, we take it as no and do not ask.",
        "Everything else on the list needs no consent: cookies like these are exempt under article 5(3)",
        "Take back your consent, or delete it in your browser’s settings.",
    ):
        assert told in text
    assert "on the page Your answers" not in text_of(render_html(NEW))
    assert "You can change your mind at any time, as easily as you answered." in text_of(render_html(NEW))
    assert '<a href="/answers">Your answers</a>' in render_html(NEW, consent="/answers")
    assert '"consent": "/answers"' in render_json(NEW, consent="/answers")
    assert "[Your answers](</answers>)" in render_markdown(NEW, consent="/answers")


def test_the_policy_claims_only_what_is_declared() -> None:
    alone = replace(NEW, items=tuple(each for each in NEW.items if each.id in {"visits", "greeting"}))
    text = text_of(render_html(alone))
    assert "Everything else on the list" not in text
    assert "remembers your answer" not in text
