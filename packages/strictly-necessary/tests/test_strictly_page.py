"""The policy page: it says what the declaration says, escapes it, and promises what the policy promises."""

import json
import re
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from strictly_necessary import Category, Declaration, Item, Lifetime, Override, Policy, Purpose, ThirdParty, load
from strictly_necessary.page import (
    render_html,
    render_items_html,
    render_json,
    render_markdown,
    render_page,
    render_third_parties_html,
    stylesheet,
)

DECLARATION = load(Path(__file__).parent / "example.toml")
ASKED = {
    *("policy-gate", "policy-news", "policy-consents", "policy-changes", "policy-versions", "policy-asked"),
    *("policy-said", "policy-state", "policy-answers", "policy-answer", "policy-tick", "policy-fine", "policy-mark"),
    *("policy-when", "policy-difference"),
}
"""Classes of what people are asked and told, which test_strictly_gate_look.py looks at."""
VOID = {"meta", "link"}


class Reader(HTMLParser):
    """Checks that tags are balanced, and keeps the tags and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def changed(item_id: str, **fields: object) -> Declaration:
    items = tuple(
        replace(item, **fields) if item.id == item_id else item  # type: ignore[arg-type]
        for item in DECLARATION.items
    )
    return replace(DECLARATION, items=items)


def test_the_page_has_a_card_for_each_item_and_third_party() -> None:
    page = Reader(render_html(DECLARATION))
    cards = [attrs["id"] for tag, attrs in page.tags if tag == "section" and attrs.get("class") == "item"]
    assert cards == [*(f"item-{item.id}" for item in DECLARATION.items), "third-party-1"]
    for item in DECLARATION.items:
        assert item.stem in page.text
        assert item.provider in page.text
        assert item.set_when in page.text
    for purpose in DECLARATION.item("csrf").purposes:
        assert purpose.text in page.text
    assert "Path=/app; Domain=example.org; Secure; SameSite=Lax" in page.text
    assert "A form may lie open for that long." in page.text
    assert "small, large" in page.text


def test_each_heading_names_its_section() -> None:
    page = Reader(render_html(DECLARATION))
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for _, attrs in page.tags:
        assert attrs.get("aria-labelledby", ids[0]) in ids
    headings = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 2
    assert set(headings) == {2, 3}


def test_nothing_from_the_declaration_becomes_markup() -> None:
    html = render_html(DECLARATION)
    assert "<script>" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    for attribute in ("style", "onclick"):
        assert not any(attribute in attrs for _, attrs in Reader(html).tags)
    assert {tag for tag, _ in Reader(html).tags} == {
        *("p", "time", "section", "h2", "h3", "ul", "li", "dl", "div", "dt", "dd", "code", "strong", "a", "nav")
    }


@pytest.mark.parametrize(
    "promise",
    [
        "Last updated: 23 November 2026",
        # 1
        "A cookie is a small piece of text",
        "local storage, session storage",
        "we mean all of them",
        # 2
        "only strictly necessary cookies",
        "no advertising cookies",
        "no Google Analytics, no Meta Pixel, no LinkedIn Insight Tag, no advertising SDK",
        "neither sell what cookies tell nor share it with marketing networks",
        "no consent banner",
        "EU ePrivacy Directive",
        "(PECR)",
        "Some stay longer than the browser session because you asked for it",
        # 3
        "Keeps you signed in.",
        "Session only",
        "Persistent: it stays until you remove it",
        "At most 2 hours",
        "Only the hosting infrastructure",
        "The browser does not send it by itself",
        # 4
        "following you across sites, or recognising your device by its fingerprint",
        "data brokers",
        "Mixpanel, Amplitude or Hotjar",
        "Nothing of it is stored before you agree",
        # 5
        "on its own domain, only after you use its feature",
        "pay.example.com",
        "Privacy Policy",
        # 6
        "you cannot sign in",
        "Chrome: Settings → Privacy and security → Cookies and other site data",
        "Safari: Settings → Privacy → Manage Website Data",
        "Firefox: Settings → Privacy & Security → Cookies and Site Data",
        "Edge: Settings → Cookies and site permissions → Manage and delete cookies",
        # 7
        "Example Desktop signs in with the same kind of token",
        "secure storage of your operating system",
        # 8
        "this page and its date change with it",
        "announced in the product",
        # 9
        "privacy@example.org",
        "Terms of Service",
    ],
)
def test_the_page_says_what_the_policy_promises(promise: str) -> None:
    assert promise in Reader(render_html(DECLARATION)).text
    assert promise in re.sub(r"\\(.)", r"\1", render_markdown(DECLARATION)).replace("**", "")


def test_the_page_changes_with_the_declaration() -> None:
    before, after = render_html(DECLARATION), render_html(changed("csrf", lifetime=Lifetime.parse("3 hours")))
    assert "At most 2 hours." in before
    assert "At most 3 hours." in after
    assert before.replace("At most 2 hours.", "At most 3 hours.") == after
    assert "Another purpose." in render_html(
        changed("csrf", purposes=(Purpose(Category.SECURITY, "Another purpose."),))
    )


def test_readers_are_told_as_they_are() -> None:
    assert "The server of Example. No script can read it." in render_html(DECLARATION)
    assert "The server of Example and its own scripts in your browser." in render_html(DECLARATION)
    unread = changed("session", readable_by_application=False)
    assert "Nobody. No script can read it." in render_html(unread)


def test_the_server_is_told_to_read_the_answer_whether_or_not_the_application_does() -> None:
    asking = load(Path(__file__).parent / "asking.toml")
    choice = asking.choice
    assert choice is not None
    hidden = replace(choice, readable_by_application=False)
    page = render_html(replace(asking, items=tuple(hidden if item == choice else item for item in asking.items)))
    assert "and not its server" not in page


def test_links_lead_where_the_declaration_says() -> None:
    links = links_of(DECLARATION)
    assert links == [
        "https://pay.example.com/privacy",
        "/privacy",
        "mailto:privacy@example.org",
        "/privacy",
        "https://example.org/terms",
    ]
    form = replace(DECLARATION.policy, contact="https://example.org/contact", privacy_policy=None, terms=None)
    assert links_of(replace(DECLARATION, policy=form)) == [
        "https://pay.example.com/privacy",
        "https://example.org/contact",
    ]


def links_of(declaration: Declaration) -> list[str]:
    """Where its links lead, without those of its contents."""
    links = [attrs["href"] or "" for tag, attrs in Reader(render_html(declaration)).tags if tag == "a"]
    return [link for link in links if not link.startswith("#")]


def test_the_page_begins_with_links_to_its_sections() -> None:
    page = Reader(render_html(DECLARATION))
    tags = [tag for tag, _ in page.tags]
    assert tags.index("nav") < tags.index("section")
    assert ("nav", {"class": "policy-contents", "aria-label": "On this page"}) in page.tags
    links = [(attrs["href"] or "")[1:] for tag, attrs in page.tags if tag == "a" and (attrs["href"] or "")[0] == "#"]
    assert links == [attrs["id"] for tag, attrs in page.tags if attrs.get("class") == "policy-section"]
    assert len(links) == 10


def test_what_does_not_exist_is_not_told() -> None:
    policy = replace(DECLARATION.policy, desktop_apps=())
    text = Reader(render_html(replace(DECLARATION, policy=policy, third_parties=(), items=()))).text
    assert "Desktop apps" not in text
    assert "At present there are none." in text
    assert "Example keeps nothing in your browser." in text


def test_the_fragments_are_parts_of_the_page() -> None:
    html = render_html(DECLARATION)
    for fragment in (render_items_html(DECLARATION), render_third_parties_html(DECLARATION)):
        Reader(fragment)
        assert fragment in html


def test_the_whole_page_stands_alone() -> None:
    page = Reader(render_page(DECLARATION))
    assert [tag for tag, _ in page.tags].count("h1") == 1
    assert ("html", {"lang": "en"}) in page.tags
    assert render_html(DECLARATION) in render_page(DECLARATION)


def test_markdown_escapes_what_would_be_markup() -> None:
    markdown = render_markdown(DECLARATION)
    assert r"\<script\>alert(1)\</script\>" in markdown
    assert "`draft_` and names that begin with it" in markdown
    odd = render_markdown(changed("session", name="`a`b``c"))
    assert "``` `a`b``c ```" in odd


def test_json_holds_the_whole_declaration() -> None:
    document = json.loads(render_json(DECLARATION))
    assert document["policy"]["last_updated"] == "2026-11-23"
    assert [item["id"] for item in document["items"]] == [item.id for item in DECLARATION.items]
    assert document["items"][1]["lifetime"] == "2 hours"
    assert document["items"][1]["lifetime_in_words"] == "At most 2 hours."
    assert set(document["items"][0]) >= {field.name for field in fields(Item)} - {"translations"}
    assert set(document["third_parties"][0]) == {field.name for field in fields(ThirdParty)} - {"translations"}
    assert set(document["policy"]) == {field.name for field in fields(Policy)} - {"translations"}
    assert document["policy"]["starts"] == "2026-11-23T00:00:00Z"
    assert (document["consent"], document["changes"]) == (None, None)
    assert document["headers"] == []
    override = Override("referrer-policy", "no-referrer", "Privacy.", paths=("/help",))
    document = json.loads(render_json(replace(DECLARATION, overrides=(override,))))
    assert set(document["headers"][0]) == {field.name for field in fields(Override)} - {"translations"}
    assert document["items"][1]["purposes"] == [
        {"category": "security", "purpose": "Keeps other sites from acting in your name."}
    ]
    assert document["format"] == 1
    assert document["language"] == "en"
    assert document["third_parties"][0]["host"] == "pay.example.com"
    assert [browser["name"] for browser in document["browsers"]] == ["Chrome", "Safari", "Firefox", "Edge"]


def test_the_stylesheet_is_inside_or_linked() -> None:
    page = render_page(DECLARATION)
    assert page.count("<style>") == 1
    assert f"<style>{stylesheet()}</style>" in page
    linked = render_page(DECLARATION, stylesheet="/static/policy.css?a=1&b=2")
    assert "<style>" not in linked
    assert ("link", {"rel": "stylesheet", "href": "/static/policy.css?a=1&b=2"}) in Reader(linked).tags
    for html in (page, linked):
        assert "script" not in {tag for tag, _ in Reader(html).tags}


def test_the_stylesheet_asks_nobody_and_cannot_end_its_element() -> None:
    assert "url(" not in stylesheet()
    assert "@import" not in stylesheet()
    assert "<" not in stylesheet()
    for name in re.findall(r"\.([a-z][a-z-]*)", re.sub(r"/\*.*?\*/", "", stylesheet())):
        page = render_page(DECLARATION, addresses={"en": "/cookies"})
        assert f'class="{name}"' in page or name in ASKED, name


def test_exceptions_from_the_strict_headers_are_told_only_if_there_are_any() -> None:
    assert "Exceptions in our security settings" not in render_html(DECLARATION)
    declaration = replace(
        DECLARATION,
        overrides=(
            Override("content-security-policy", "'self' <x>", "Pictures & films.", "img-src", ("/works/*", "/help")),
            Override("x-frame-options", "", "Partners frame the player."),
        ),
    )
    text = Reader(render_html(declaration)).text
    for part in ("content-security-policy img-src", "'self' <x>", "/works/*", "/help", "Pictures & films."):
        assert part in text
    assert "x-frame-options Set to Not sent Pages All pages Reason Partners frame the player." in text


def test_several_purposes_are_told_one_by_one() -> None:
    purposes = (Purpose(Category.AUTHENTICATION, "Knows you."), Purpose(Category.SECURITY, "Protects you."))
    html = render_items_html(changed("session", purposes=purposes))
    assert "<dt>Purposes</dt><dd><strong>Signing in:</strong> Knows you.</dd><dd><strong>Security:</strong>" in html
    markdown = render_markdown(changed("session", purposes=purposes))
    assert "- **Purposes:**\n  - **Signing in:** Knows you.\n  - **Security:** Protects you.\n" in markdown


def test_an_item_that_needs_consent_is_not_called_necessary() -> None:
    text = Reader(render_html(changed("size", purposes=(Purpose(Category.ANALYTICS, "Counts."),)))).text
    assert "Without your consent it is neither stored nor read." in text
    assert "only what is strictly necessary" not in text
    assert "only strictly necessary cookies" not in text
    assert "no consent banner" not in text
    assert "Consent" not in Reader(render_items_html(DECLARATION)).words


def test_what_nobody_else_gets_and_what_others_get() -> None:
    facts = Reader(render_items_html(changed("csrf", recipients=("Guards & Co",)))).text
    assert "Who else gets it Guards & Co Who can read it" in facts
    assert facts.count("Who else gets it Nobody.") == len(DECLARATION.items) - 1


def test_a_page_without_an_account_does_not_speak_of_signing_in() -> None:
    items = tuple(item for item in DECLARATION.items if item.id != "session")
    text = Reader(render_html(replace(DECLARATION, items=items))).text
    assert "cannot sign in" not in text
    assert "You decide what your browser keeps." in text


DANGEROUS = (
    "<b>bold</b>",
    "<script>alert(1)</script>",
    "</style></title></p></dd><i>",
    '" onclick="alert(1)',
    "&lt;b&gt;",
    "{service} {0} {",
    "`code` ``more",
    "**strong** _emphasis_",
    "[link](https://example.com) ![picture](x)",
    "1. one",
    "- one",
    "# heading",
    "one\n\n- two\n\n    three",
    "=====",
)
TEXTS = st.sampled_from(DANGEROUS) | st.text(
    alphabet=st.sampled_from("<>&\"'`*_[]()#-+=~|\\!{}:;/% 1.\n") | st.characters(exclude_categories=["Cs", "Cc"]),
    min_size=1,
    max_size=30,
)


@st.composite
def declarations(draw: st.DrawFn) -> tuple[Declaration, list[str]]:
    """One with arbitrary words in every place that takes words, and those words."""
    words: list[str] = []

    def some() -> str:
        words.append(draw(TEXTS))
        return words[-1]

    policy = replace(
        DECLARATION.policy,
        service=some(),
        operator=some(),
        version=some(),
        desktop_apps=(some(), some()),
        languages=("en", "de", "fr"),
    )
    items = tuple(
        replace(
            item,
            name=some(),
            purposes=(Purpose(Category.SECURITY, some()), Purpose(Category.PREFERENCE, some())),
            provider=some(),
            set_when=some(),
            title=some(),
            values=(some(),),
            information=some(),
            reason=some(),
            recipients=(some(), some()),
            objection=some(),
        )
        for item in DECLARATION.items[:2]
    )
    party = ThirdParty(some(), "pay.example.com", some(), some(), some(), "https://pay.example.com/privacy")
    override = Override("referrer-policy", some(), some(), paths=(some(),))
    return Declaration(policy, items, (party,), (override,)), words


def tags_of(html: str) -> list[tuple[str, list[str]]]:
    return [(tag, sorted(attrs)) for tag, attrs in Reader(html).tags]


def shape_of(markdown: str) -> list[tuple[str, int]]:
    """What a CommonMark reader makes of it: every element, without the words."""
    return [
        (token.type, token.level)
        for block in MarkdownIt("commonmark").parse(markdown)
        for token in (block, *(block.children or ()))
        if token.type not in {"text", "text_special", "softbreak", "hardbreak"}
    ]


@settings(max_examples=60, deadline=None)
@given(declarations(), st.sampled_from(["en", "de", "fr"]))
def test_no_words_become_markup_anywhere(drawn: tuple[Declaration, list[str]], language: str) -> None:
    declaration, words = drawn
    check_shapes(declaration, language)
    text = "".join(Reader(render_html(declaration, language=language)).words)
    for word in words:
        assert word.removesuffix("*") in text


@pytest.mark.parametrize("words", DANGEROUS)
def test_dangerous_words_in_every_place_at_once_change_nothing(words: str) -> None:
    check_shapes(plainly(EVERYTHING, words), "en")


def check_shapes(declaration: Declaration, language: str) -> None:
    """That the declaration's words make no element more or less than plain ones do."""
    plain = plainly(declaration)
    for renderer in (render_html, render_items_html, render_third_parties_html, render_page):
        assert tags_of(renderer(declaration, language=language)) == tags_of(renderer(plain, language=language))
    markdown = render_markdown(declaration, language=language)
    assert shape_of(markdown) == shape_of(render_markdown(plain, language=language))
    document = json.loads(render_json(declaration, language=language))
    assert document["items"][0]["objection"] == declaration.items[0].objection


def plainly(declaration: Declaration, word: str = "word") -> Declaration:
    """The same with one word in each place; a name stays a pattern."""
    policy = replace(declaration.policy, service=word, operator=word, version=word, desktop_apps=(word, word))
    items = tuple(
        replace(
            item,
            name=f"{word}*" if item.is_pattern else word,
            purposes=tuple(replace(purpose, text=word) for purpose in item.purposes),
            provider=word,
            set_when=word,
            title=word,
            values=(word,),
            information=word,
            reason=word,
            recipients=(word, word),
            objection=word,
        )
        for item in declaration.items
    )
    parties = tuple(
        replace(each, name=word, feature=word, action=word, storage=word) for each in declaration.third_parties
    )
    overrides = tuple(replace(each, value=word, reason=word, paths=(word,)) for each in declaration.overrides)
    return Declaration(policy, items, parties, overrides)


EVERYTHING = replace(
    DECLARATION,
    policy=replace(DECLARATION.policy, desktop_apps=("one", "two"), languages=("en", "de", "fr")),
    items=tuple(
        replace(
            item,
            purposes=(*item.purposes, Purpose(Category.SECURITY, "And another.")),
            recipients=("one", "two"),
            objection="No.",
        )
        for item in DECLARATION.items
    ),
    overrides=(Override("referrer-policy", "no-referrer", "Privacy.", paths=("/help",)),),
)
