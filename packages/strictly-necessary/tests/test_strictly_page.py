"""The policy page: it says what the declaration says, escapes it, and promises what the policy promises."""

import json
import re
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from strictly_necessary import Category, Declaration, Item, Lifetime, Override, Policy, Purpose, ThirdParty, load
from strictly_necessary.page import (
    render_html,
    render_items_html,
    render_json,
    render_markdown,
    render_page,
    render_third_parties_html,
)

DECLARATION = load(Path(__file__).parent / "example.toml")
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
        *("p", "time", "section", "h2", "h3", "ul", "li", "dl", "div", "dt", "dd", "code", "strong", "a")
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
        # 3
        "Keeps you signed in.",
        "Session only",
        "Persistent: it stays until you remove it",
        "At most 2 hours",
        "Only the hosting infrastructure",
        "never sent to a server",
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


def test_links_lead_where_the_declaration_says() -> None:
    links = [attrs["href"] for tag, attrs in Reader(render_html(DECLARATION)).tags if tag == "a"]
    assert links == [
        "https://pay.example.com/privacy",
        "/privacy",
        "mailto:privacy@example.org",
        "/privacy",
        "https://example.org/terms",
    ]
    form = replace(DECLARATION.policy, contact="https://example.org/contact", privacy_policy=None, terms=None)
    links = [attrs["href"] for tag, attrs in Reader(render_html(replace(DECLARATION, policy=form))).tags if tag == "a"]
    assert links == ["https://pay.example.com/privacy", "https://example.org/contact"]


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
    assert set(document["policy"]) == {field.name for field in fields(Policy)}
    assert document["headers"] == []
    override = Override("referrer-policy", "no-referrer", "Privacy.", paths=("/help",))
    document = json.loads(render_json(replace(DECLARATION, overrides=(override,))))
    assert set(document["headers"][0]) == {field.name for field in fields(Override)}
    assert document["items"][1]["purposes"] == [
        {"category": "security", "purpose": "Keeps other sites from acting in your name."}
    ]
    assert document["format"] == 1
    assert document["language"] == "en"
    assert document["third_parties"][0]["host"] == "pay.example.com"
    assert [browser["name"] for browser in document["browsers"]] == ["Chrome", "Safari", "Firefox", "Edge"]
