"""The legal pages: in the name of who runs the platform, true to the declaration, in the reader's language."""

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from mixip.edge.policy import declaration
from strictly_necessary import Declaration
from tests.support.platform import PlatformThread

LANGUAGES = ("en", "de", "fr")
HEADINGS = {"en": "Cookie policy", "de": "Cookie-Richtlinie", "fr": "Politique relative aux cookies"}
UPDATED = {"en": "23 November 2026", "de": "23. November 2026", "fr": "23 novembre 2026"}


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def of(self, name: str) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.tags if tag == name]


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def in_language(language: str) -> Declaration:
    return declaration().in_language(language)


def test_the_operator_stands_in_every_legal_text(tmp_path: Path) -> None:
    names = ("cookies", "cookies/en", "cookies/de", "cookies/fr", "privacy", "terms")
    with PlatformThread(tmp_path, MIXIP_OPERATOR="Harbour <Films>", MIXIP_CONTACT="data@harbour.example") as running:
        pages = {name: httpx.get(f"{running.url}/legal/{name}").text for name in names}
    for name, text in pages.items():
        assert "Harbour &lt;Films&gt;" in text, name
        assert "mailto:data@harbour.example" in text.replace("&#x2f;", "/"), name
        assert "privacy@mixip.io" not in text, name
    for language, provider in {
        "en": "Amazon Web Services, on behalf of Harbour <Films>",
        "de": "Amazon Web Services, im Auftrag von Harbour <Films>",
        "fr": "Amazon Web Services, pour le compte de Harbour <Films>",
    }.items():
        assert provider in text_of(pages[f"cookies/{language}"])
        assert "Harbour <Films> (" in text_of(pages[f"cookies/{language}"]), "told as the first party"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_cookie_page_names_every_declared_item(http: httpx.Client, language: str) -> None:
    response = http.get(f"/legal/cookies/{language}")
    assert response.headers["content-language"] == language
    text = text_of(response.text)
    for item in in_language(language).items:
        told = [item.name.rstrip("*"), item.title, item.provider, item.set_when, item.information, item.removal]
        told += [purpose.text for purpose in item.purposes]
        for part in told:
            assert text_of(part or "") in text
    for browser in ("Chrome", "Safari", "Firefox", "Edge"):
        assert browser in text
    assert f"{UPDATED[language]}" in text
    assert "privacy@mixip.io" in text


def test_every_text_of_the_declaration_is_translated() -> None:
    english = declaration()
    for language in ("de", "fr"):
        for item, other in zip(english.items, in_language(language).items, strict=True):
            assert item.title != other.title
            assert item.set_when != other.set_when
            assert all(a.text != b.text for a, b in zip(item.purposes, other.purposes, strict=True))
            assert item.information is None or item.information != other.information
            assert item.removal is None or item.removal != other.removal
        assert in_language(language).item("load-balancer").provider != english.item("load-balancer").provider


@pytest.mark.parametrize(
    ("wish", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("de-CH,de;q=0.9,en;q=0.5", "de"),
        ("fr-CA, de;q=0.9", "fr"),
        ("en;q=0.2, fr;q=0.7, de;q=0.4", "fr"),
        ("de;q=0, fr;q=0.1", "fr"),
        ("nl", "en"),
        ("*;q=0.1", "en"),
        ("%%%, \xe9, ;q=1", "en"),
    ],
)
def test_the_page_comes_in_the_language_that_the_browser_asks_for(
    http: httpx.Client, wish: str | None, language: str
) -> None:
    headers = [] if wish is None else [(b"accept-language", wish.encode("latin-1"))]
    request = http.build_request("GET", "/legal/cookies", headers=headers)
    response = http.send(request)
    assert response.status_code == 200
    assert response.headers["content-language"] == language
    assert "accept-language" in response.headers["vary"].lower()
    assert "set-cookie" not in response.headers
    assert f"<h1>{HEADINGS[language]}</h1>" in response.text
    assert f"<title>{HEADINGS[language]} · Mix-IP</title>" in response.text


def test_wishes_in_several_lines_count_as_one(http: httpx.Client) -> None:
    headers = [("accept-language", "nl, de;q=0.5"), ("accept-language", "fr;q=0.8")]
    assert http.get("/legal/cookies", headers=headers).headers["content-language"] == "fr"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_an_address_that_stays(http: httpx.Client, language: str) -> None:
    other = "fr" if language == "de" else "de"
    response = http.get(f"/legal/cookies/{language}", headers={"accept-language": other})
    assert response.headers["content-language"] == language
    assert "accept-language" not in response.headers.get("vary", "").lower()
    tags = Tags(response.text)
    assert tags.of("html") == [{"lang": language}]
    frame = [*tags.of("header"), *tags.of("footer"), *(a for a in tags.of("a") if a.get("class") == "skip")]
    assert [attrs.get("lang") for attrs in frame] == [None if language == "en" else "en"] * 3, "it is in English"
    links = {attrs["hreflang"]: attrs for attrs in tags.of("a") if "hreflang" in attrs}
    assert {code: (attrs["href"], attrs["lang"]) for code, attrs in links.items()} == {
        code: (f"/legal/cookies/{code}", code) for code in LANGUAGES
    }
    assert [code for code, attrs in links.items() if "aria-current" in attrs] == [language]
    alternates = {
        attrs["hreflang"]: attrs["href"]
        for attrs in tags.of("link")
        if attrs["rel"] == "alternate" and "type" not in attrs
    }
    expected = {code: f"/legal/cookies/{code}" for code in LANGUAGES}
    assert {code: unescape(address or "") for code, address in alternates.items()} == {
        **expected,
        "x-default": "/legal/cookies",
    }


@pytest.mark.parametrize("language", ["nl", "DE", "de-AT", "x", "..%2fde"])
def test_a_language_that_we_have_not_is_not_found(http: httpx.Client, language: str) -> None:
    response = http.get(f"/legal/cookies/{language}", headers={"accept": "text/html"})
    assert response.status_code == 404
    assert "text/html" in response.headers["content-type"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_links_into_the_page_stay_good_in_every_language(http: httpx.Client, language: str) -> None:
    """The sign-in pages lead to #control, and others may have kept a link to an item."""
    ids = {attrs.get("id") for _, attrs in Tags(http.get(f"/legal/cookies/{language}").text).tags}
    assert ids >= {"summary", "items", "third-parties", "control", "changes", "contact"}
    assert ids >= {f"item-{item.id}" for item in declaration().items}


def test_the_hints_beside_the_controls_are_the_declared_ones(http: httpx.Client) -> None:
    text = http.get("/account/display").text
    for name in ("theme", "accent"):
        information = declaration().item(name).information
        assert information
        assert information in text


def test_whatever_we_set_can_be_removed_on_the_site(http: httpx.Client) -> None:
    text = text_of(http.get("/legal/cookies/en").text)
    for item in declaration().items:
        assert (item.removal is None) == (item.set_by == "infrastructure"), item.id
        if item.removal:
            assert f"How to remove it {item.removal} Or delete it in your browser’s settings" in text


@pytest.mark.parametrize("path", ["/", "/legal/privacy", "/legal/terms", "/sign-in"])
def test_pages_in_english_say_so_once(http: httpx.Client, path: str) -> None:
    response = http.get(path, headers={"accept-language": "de"})
    assert Tags(response.text).of("html") == [{"lang": "en"}]
    assert response.text.startswith("<!doctype html>")
    assert response.text.count('lang="') == 1


SPECIFIED = (
    # the summary, 1 and 2
    "only what is strictly necessary to keep the service running, keep you signed in, protect you and remember how you",
    "Nothing is kept for advertising, for profiling, for following you across sites or for the statistics of other",
    "A cookie is a small piece of text",
    "We use only strictly necessary cookies.",
    "We use no advertising cookies.",
    "no Google Analytics, no Meta Pixel, no LinkedIn Insight Tag, no advertising SDK",
    "We neither sell what cookies tell nor share it with marketing networks.",
    "You see no consent banner",
    "article 5(3) of the EU ePrivacy Directive and regulation 6 of the UK Privacy",
    # 3
    "Mix-IP (first party)",
    "Amazon Web Services, on behalf of Mix-IP",
    "Only the hosting infrastructure.",
    "Session only",
    "Persistent: it stays until you remove it or clear your browser’s storage.",
    # 4
    "advertising, showing you an advertisement again elsewhere, or building audiences",
    "recognising your device by its fingerprint",
    "data brokers",
    "no Google Analytics, Mixpanel, Amplitude or Hotjar, and no LinkedIn, Meta or TikTok pixel",
    "Nothing of it is stored before you agree.",
    # 5
    "such as payment, cloud storage or signing in",
    "It can set cookies of its own, on its own domain, only after you use its feature.",
    "No such company is embedded in the pages of Mix-IP.",
    # 6, 7
    "If you block all of it, some things stop working",
    "you cannot sign in",
    "Pro Transfer App signs in with the same kind of token as the website.",
    # 8, 9
    "announced in the product and, where the law asks for it, made only with your consent",
    "privacy@mixip.io",
    "read together with our Privacy Policy and our Terms of Service",
)


@pytest.mark.parametrize("promise", SPECIFIED)
def test_the_platform_promises_all_that_its_policy_does(http: httpx.Client, promise: str) -> None:
    assert promise in text_of(http.get("/legal/cookies/en").text)
