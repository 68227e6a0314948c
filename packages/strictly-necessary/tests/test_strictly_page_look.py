"""The whole page in a real Chromium: its look in both themes, on a phone and on paper, and behind the guard's CSP."""

import re
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FloatRect, Locator, Page, sync_playwright

from strictly_necessary import load
from strictly_necessary.headers import source_hash
from strictly_necessary.page import render_page, stylesheet

pytestmark = pytest.mark.browser

DECLARATION = load(Path(__file__).parent / "languages.toml")
LANGUAGES = DECLARATION.policy.languages
ADDRESSES = {language: f"/{language}" for language in LANGUAGES}

CONTRAST = """() => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
  const luminance = (colour) => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
    return "white";
  };
  return [...document.querySelectorAll("main *")]
    .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .map((element) => {
      const pair = [luminance(getComputedStyle(element).color), luminance(ground(element))];
      const [dark, bright] = pair.sort((a, b) => a - b);
      return [element.outerHTML.slice(0, 80), (bright + 0.05) / (dark + 0.05)];
    });
}"""


class Handler(BaseHTTPRequestHandler):
    """Each language at its address; /hashed with a CSP that names the style, /strict with one that does not."""

    def do_GET(self) -> None:
        name = self.path.strip("/")
        linked = "/policy.css" if name == "linked" else None
        language = name if name in LANGUAGES else "en"
        body, kind = render_page(DECLARATION, language=language, stylesheet=linked, addresses=ADDRESSES), "text/html"
        style = {"hashed": source_hash(stylesheet()), "strict": "'self'", "linked": "'self'"}.get(name)
        if name == "policy.css":
            body, kind = stylesheet(), "text/css"
        self.send_response(200)
        self.send_header("content-type", f"{kind}; charset=utf-8")
        if style:
            self.send_header("content-security-policy", f"default-src 'none'; img-src 'self'; style-src {style}")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- so named in the base class
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"],
        )
        yield started
        started.close()


def opened(browser: Browser, **options: Any) -> Page:
    page: Page = browser.new_context(**options).new_page()
    return page


def box(element: Locator) -> FloatRect:
    found = element.bounding_box()
    assert found is not None
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read_in_both_themes(browser: Browser, site: str, scheme: Any) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1."""
    page = opened(browser, color_scheme=scheme)
    for language in LANGUAGES:
        page.goto(f"{site}/{language}")
        contrasts = page.evaluate(CONTRAST)
        assert len(contrasts) > 100
        assert [pair for pair in contrasts if pair[1] < 4.5] == []
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(248, 248, 246)", "dark": "rgb(19, 20, 22)"}[scheme]
    page.context.close()


@pytest.mark.parametrize("width", [320, 1100])
def test_nothing_is_wider_than_the_screen(browser: Browser, site: str, width: int) -> None:
    """WCAG 2.2, 1.4.10; the names of cookies wrap."""
    page = opened(browser, viewport={"width": width, "height": 700})
    for language in LANGUAGES:
        page.goto(f"{site}/{language}")
        page.evaluate("document.querySelector('.item code').textContent = '__Host-'.padEnd(300, 'x')")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        small = "[...document.querySelectorAll('nav a')].filter((a) => a.getBoundingClientRect().height < 24).length"
        assert page.evaluate(small) == 0
    page.context.close()


def test_headings_languages_and_landmarks_are_in_order(browser: Browser, site: str) -> None:
    page = opened(browser)
    for language in LANGUAGES:
        page.goto(f"{site}/{language}")
        levels = page.evaluate(
            "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map((heading) => +heading.tagName[1])"
        )
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        assert page.evaluate("document.documentElement.lang") == language
        assert page.title().endswith("Quay")
        assert page.get_by_role("main").count() == 1
        languages, contents = page.get_by_role("navigation").all()
        assert languages.get_by_role("link").count() == 3
        assert contents.get_by_role("link").count() == page.locator("h2").count()
        names = page.evaluate(
            "[...document.querySelectorAll('section')].every((each) => each.ariaLabelledByElements?.[0])"
        )
        assert names is True
        page.get_by_role("link", name="Deutsch").click()
        assert page.url == f"{site}/de"
    page.context.close()


def test_the_contents_lead_to_the_sections(browser: Browser, site: str) -> None:
    page = opened(browser, viewport={"width": 390, "height": 800})
    for language in LANGUAGES:
        page.goto(f"{site}/{language}")
        contents = page.locator(".policy-contents")
        assert box(contents)["y"] < 300
        assert (
            contents.get_attribute("aria-label")
            == {
                "en": "On this page",
                "de": "Auf dieser Seite",
                "fr": "Sur cette page",
            }[language]
        )
        for link in contents.get_by_role("link").all():
            link.click()
            section = page.locator(link.get_attribute("href") or "")
            assert section.get_by_role("heading", level=2).inner_text() == link.inner_text()
            assert box(section)["y"] < 800
    page.context.close()


def test_an_item_is_read_at_a_glance_on_a_phone(browser: Browser, site: str) -> None:
    """What it is for stands below its name without a label, and short facts stand side by side."""
    page = opened(browser, viewport={"width": 390, "height": 800})
    page.goto(f"{site}/en")
    card = page.locator("#item-theme")
    facts = {row.locator("dt").inner_text(): box(row) for row in card.locator("dl > div").all()}
    lead = card.locator(".item-lead")
    assert lead.locator("dd").inner_text() == "Remembers the theme."
    assert box(lead.locator("dt"))["width"] == 1
    assert lead.locator("dd").evaluate("each => parseFloat(getComputedStyle(each).fontSize)") == 16
    assert facts["Provider"]["y"] == facts["Who else gets it"]["y"]
    assert facts["Name"]["y"] == facts["Kind"]["y"]
    assert facts["Lifetime"]["y"] < facts["Set when"]["y"]
    page.context.close()


def test_the_properties_change_the_look(browser: Browser, site: str) -> None:
    page = opened(browser)
    page.goto(f"{site}/en")
    page.add_style_tag(
        content=":root { --policy-ink: rgb(1, 2, 3); --policy-card: rgb(4, 5, 6); --policy-font: serif; }"
    )
    style = "getComputedStyle(document.querySelector('.item'))"
    assert page.evaluate(f"{style}.color") == "rgb(1, 2, 3)"
    assert page.evaluate(f"{style}.backgroundColor") == "rgb(4, 5, 6)"
    assert page.evaluate(f"{style}.fontFamily") == "serif"
    page.context.close()


@pytest.mark.parametrize(("path", "styled"), [("hashed", True), ("linked", True), ("strict", False)])
def test_the_stylesheet_works_behind_a_strict_csp(browser: Browser, site: str, path: str, styled: bool) -> None:
    page = opened(browser)
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.goto(f"{site}/{path}")
    assert (page.evaluate("getComputedStyle(document.querySelector('.item')).borderTopWidth") == "1px") is styled
    assert any(re.search("Content.Security.Policy", text) for text in told) is not styled
    page.context.close()


def test_it_prints_on_white_without_the_links_to_other_languages(browser: Browser, site: str) -> None:
    page = opened(browser, color_scheme="dark")
    page.goto(f"{site}/fr")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.querySelector('.item')).color") == "rgb(27, 28, 31)"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgba(0, 0, 0, 0)"
    assert page.get_by_role("navigation").count() == 0
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.context.close()
