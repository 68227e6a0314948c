"""The gate, the announcement and the changes in a real Chromium: both answers weigh the same, by eye, key and ear."""

import datetime as dt
import re
import runpy
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, FloatRect, Locator, Page, sync_playwright

from strictly_necessary.consent import Choice, standing
from strictly_necessary.page import (
    render_changes_html,
    render_consents_html,
    render_gate_html,
    render_news_html,
    render_page,
    render_versions_html,
    stylesheet,
)
from strictly_necessary.versions import History

pytestmark = pytest.mark.browser

TESTS = Path(__file__).parent
NEW, OLD, item, policy = (runpy.run_path(str(TESTS / "changes.py"))[name] for name in ("NEW", "OLD", "item", "policy"))
CONTRAST = runpy.run_path(str(TESTS / "test_strictly_page_look.py"))["CONTRAST"]
LANGUAGES = ("en", "de", "fr")
NOW = dt.datetime(2026, 12, 24, tzinfo=dt.UTC)
LATER = policy(
    item(
        NEW, "visits", recipients=("Tally GmbH", "Abacus SARL"), http_only=False, set_when="You open any page of ours."
    ),
    version="9",
    last_updated=dt.date(2027, 1, 15),
    contact="x" * 80 + "@quay.example",
)
HISTORY = History.of([OLD, NEW, LATER])
TWO = standing(HISTORY, HISTORY.at(NOW), NOW)
ONE = replace(TWO, open=TWO.open[:1])
MIXED = standing(HISTORY, HISTORY.at(NOW), NOW, choice=Choice("8", frozenset({"visits"}), frozenset({"greeting"})))
VIEWS = ("one", "two", "news", "changes", "versions", "consents")

LOOK = """(button) => {
  const style = getComputedStyle(button);
  const names = ["fontFamily", "fontSize", "fontWeight", "color", "backgroundColor", "borderTopColor", "borderTopWidth",
    "borderTopStyle", "borderRadius", "paddingLeft", "paddingTop", "opacity", "textDecorationLine", "boxShadow",
    "outlineStyle", "cursor", "textTransform", "visibility"];
  return Object.fromEntries(names.map((name) => [name, style[name]]));
}"""


def fragment(view: str, language: str) -> str:
    if view in {"one", "two"}:
        asked = ONE if view == "one" else TWO
        return render_gate_html(asked, back="/back", language=language, policy="/cookies")
    if view == "news":
        return render_news_html(
            HISTORY.versions[1:], back="/back", changes="/changes", language=language, acknowledges=True
        )
    if view == "changes":
        return render_changes_html(HISTORY.versions[2], HISTORY.versions[1], language=language)
    if view == "versions":
        return render_versions_html(HISTORY, {"8": "/8", "9": "/9"}, NOW, language=language)
    return render_consents_html(MIXED, back="/back", language=language, policy="/cookies")


class Handler(BaseHTTPRequestHandler):
    """/VIEW/LANGUAGE is a page with one fragment; /cookies is the policy; what is posted is kept in `posted`."""

    posted: list[dict[str, list[str]]] = []  # noqa: RUF012 -- the one server of this module

    def do_GET(self) -> None:
        parts = self.path.strip("/").split("/")
        if self.path.startswith("/cookies"):
            self.answer(render_page(NEW, consent="/answers", changes="/changes"))
            return
        body = fragment(*parts) if len(parts) == 2 and parts[0] in VIEWS else "<p>Back.</p>"
        language = parts[1] if len(parts) == 2 else "en"
        self.answer(
            f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>Quay</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<style>{stylesheet()}</style><body class="policy-page"><main class="policy"><h1>Quay</h1>'
            f'<p><a href="/other">A link of the page</a></p>{body}</main>'
        )

    def do_POST(self) -> None:
        self.posted.append(parse_qs(self.rfile.read(int(self.headers["content-length"])).decode()))
        self.send_response(303)
        self.send_header("location", self.posted[-1]["back"][0])
        self.end_headers()

    def answer(self, html: str) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
        self.end_headers()
        self.wfile.write(html.encode())

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


@pytest.fixture
def opened(browser: Browser) -> Iterator[Any]:
    """Opens pages without JavaScript, and closes what they came from."""
    contexts = []

    def page(**options: Any) -> Page:
        contexts.append(browser.new_context(**{"java_script_enabled": False, **options}))
        found: Page = contexts[-1].new_page()
        return found

    yield page
    for context in contexts:
        context.close()


def answers(page: Page) -> list[Locator]:
    return page.locator(".policy-gate form").first.get_by_role("button").all()


def box(element: Locator) -> FloatRect:
    found = element.bounding_box()
    assert found is not None
    return found


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("forced", ["none", "active"])
def test_no_and_yes_look_the_same(opened: Any, site: str, width: int, scheme: Any, forced: Any) -> None:
    page = opened(
        viewport={"width": width, "height": 800}, color_scheme=scheme, forced_colors=forced, java_script_enabled=True
    )
    for view in ("one", "two"):
        for language in LANGUAGES if (scheme, forced) == ("light", "none") else ["de"]:
            page.goto(f"{site}/{view}/{language}")
            no, yes = answers(page)
            assert no.evaluate(LOOK) == yes.evaluate(LOOK)
            first, second = box(no), box(yes)
            assert (first["width"], first["height"], first["y"]) == (second["width"], second["height"], second["y"])
            assert first["x"] < second["x"]
            assert first["height"] >= 44
            assert second["x"] - first["x"] - first["width"] >= 8
            no.focus()
            focused = no.evaluate(LOOK)
            yes.focus()
            assert yes.evaluate(LOOK) == focused
    yes.blur()
    no.hover()
    hovered = no.evaluate(LOOK)
    yes.hover()
    assert yes.evaluate(LOOK) == hovered


@pytest.mark.parametrize("width", [320, 1280])
def test_taking_back_is_as_easy_as_giving(opened: Any, site: str, width: int) -> None:
    page = opened(viewport={"width": width, "height": 800}, java_script_enabled=True)
    for language in LANGUAGES:
        page.goto(f"{site}/consents/{language}")
        take_back, allow = page.locator(".policy-consents").get_by_role("button").all()
        assert take_back.evaluate(LOOK) == allow.evaluate(LOOK)
        assert [box(take_back)[side] for side in ("x", "width", "height")] == [
            box(allow)[side] for side in ("x", "width", "height")
        ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read_in_both_themes(opened: Any, site: str, scheme: Any) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1; both answers have the same."""
    page = opened(color_scheme=scheme, java_script_enabled=True)
    for view in VIEWS:
        page.goto(f"{site}/{view}/en")
        contrasts = page.evaluate(CONTRAST)
        assert len(contrasts) > 5
        assert [pair for pair in contrasts if pair[1] < 4.5] == []
        buttons = [ratio for html, ratio in contrasts if html.startswith("<button")]
        assert len(set(buttons)) <= 1


@pytest.mark.parametrize("options", [{"width": 320}, {"width": 1280}, {"width": 640, "zoom": 2}], ids=str)
def test_nothing_is_wider_than_the_screen(opened: Any, site: str, options: dict[str, int]) -> None:
    """WCAG 2.2, 1.4.4 and 1.4.10; 2.5.8 for what is pressed."""
    zoom = options.get("zoom", 1)  # 200 % of 640 pixels leave 320 of them, each twice as large
    viewport = {"width": options["width"] // zoom, "height": 700 // zoom}
    page = opened(viewport=viewport, device_scale_factor=zoom, java_script_enabled=True)
    for view in VIEWS:
        for language in LANGUAGES:
            page.goto(f"{site}/{view}/{language}")
            assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], (view, language)
            small = "[...document.querySelectorAll('button, summary, label')].filter((each) => each.offsetHeight < 24)"
            assert page.evaluate(f"{small}.filter((each) => each.checkVisibility()).length") == 0
            clipped = "[...document.querySelectorAll('button')].filter((b) => b.scrollWidth > b.clientWidth).length"
            assert page.evaluate(clipped) == 0


def test_larger_text_is_not_cut(opened: Any, site: str) -> None:
    page = opened(viewport={"width": 640, "height": 700}, java_script_enabled=True)
    for language in LANGUAGES:
        page.goto(f"{site}/two/{language}")
        page.add_style_tag(content="html { font-size: 200%; }")
        assert page.evaluate("document.documentElement.scrollWidth") <= 640
        no, yes = answers(page)
        assert box(no)["width"] == box(yes)["width"]
        assert box(no)["height"] == box(yes)["height"]


def test_the_keys_reach_no_before_yes_and_are_not_kept(opened: Any, site: str) -> None:
    """WCAG 2.2, 2.1.1, 2.1.2 and 2.4.3; nothing takes the focus, and one can walk past it."""
    page = opened(java_script_enabled=True)
    page.goto(f"{site}/two/en")
    focused = "document.activeElement.innerText || document.activeElement.name || document.activeElement.tagName"
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(focused))
    assert reached[:7] == [
        "A link of the page",
        "More about it",
        "More about it",
        "No to all",
        "Yes to all",
        "Choose one by one",
        "cookie policy",
    ]
    assert page.evaluate("getComputedStyle(document.querySelector('.policy-gate')).position") == "static"
    assert page.get_by_role("dialog").count() == 0


@pytest.mark.parametrize(("presses", "act"), [(4, "refuse"), (5, "grant")])
def test_one_key_answers_without_javascript(opened: Any, site: str, presses: int, act: str) -> None:
    Handler.posted.clear()
    page = opened()
    page.goto(f"{site}/two/en")
    for _ in range(presses):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/back")
    assert Handler.posted == [
        {"version": ["8"], "shown": ["visits", "greeting"], "language": ["en"], "back": ["/back"], "act": [act]}
    ]


def test_what_is_ticked_is_allowed_even_by_the_enter_key(opened: Any, site: str) -> None:
    Handler.posted.clear()
    page = opened()
    page.goto(f"{site}/two/en")
    page.get_by_text("Choose one by one").click()
    assert [each.is_checked() for each in page.get_by_role("checkbox").all()] == [False, False]
    page.get_by_role("checkbox", name="A greeting").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url("**/back")
    (posted,) = Handler.posted
    assert posted["act"] == ["choose"]
    assert posted["item"] == ["greeting"]
    assert posted["shown"] == ["visits", "greeting"]


def test_nothing_is_sent_or_stored_by_looking(opened: Any, site: str) -> None:
    Handler.posted.clear()
    page = opened()
    for view in VIEWS:
        page.goto(f"{site}/{view}/en")
    assert Handler.posted == []
    assert page.context.cookies() == []


def test_a_screen_reader_hears_the_question_and_both_answers(opened: Any, site: str) -> None:
    page = opened()
    page.goto(f"{site}/one/en")
    tree = page.get_by_role("region", name="May we keep this in your browser?").aria_snapshot()
    assert re.findall(r"- (heading|button|link) \"(.*?)\"", tree) == [
        ("heading", "May we keep this in your browser?"),
        ("heading", "Counting visits"),
        ("link", "More about it"),
        ("button", "No"),
        ("button", "Yes"),
        ("link", "cookie policy"),
    ]
    for part in ("term: Purpose", "Shows us which pages are read.", "term: Lifetime", "No answer means no."):
        assert part in tree
    for button in answers(page):
        described = page.locator(f"#{button.get_attribute('aria-describedby')}")
        assert described.inner_text() == "May we keep this in your browser?"
    page.goto(f"{site}/two/en")
    page.get_by_text("Choose one by one").click()
    assert page.get_by_role("group", name="Tick what you allow").get_by_role("checkbox").count() == 2


def test_headings_are_in_order_and_ids_are_one(opened: Any, site: str) -> None:
    page = opened(java_script_enabled=True)
    for view in VIEWS:
        page.goto(f"{site}/{view}/fr")
        levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map((each) => +each.tagName[1])")
        assert all(after - before <= 1 for before, after in pairwise(levels))
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map((each) => each.id)")
        assert len(ids) == len(set(ids))
        named = "[...document.querySelectorAll('[aria-labelledby], [aria-describedby]')].every((each) => "
        named += (
            "document.getElementById(each.getAttribute('aria-labelledby') ?? each.getAttribute('aria-describedby')))"
        )
        assert page.evaluate(named) is True


@pytest.mark.parametrize("width", [320, 1280])
def test_versions_stand_side_by_side_and_below_each_other_on_a_phone(opened: Any, site: str, width: int) -> None:
    page = opened(viewport={"width": width, "height": 800}, java_script_enabled=True)
    page.goto(f"{site}/changes/en")
    table = page.get_by_role("table", name="Counting visits")
    row = table.get_by_role("row").filter(has_text="Who else gets it")
    cells = [" ".join((each.text_content() or "").split()) for each in row.get_by_role("cell").all()]
    assert cells == ["Tally GmbH", "Tally GmbH added: and Abacus SARL"]
    assert row.get_by_role("rowheader").inner_text() == "Who else gets it"
    before, after = (box(each) for each in row.get_by_role("cell").all())
    if width == 320:
        assert before["y"] + before["height"] <= after["y"]
        label = "getComputedStyle(document.querySelector('td'), '::before').content"
        assert "Before" in page.evaluate(label)
    else:
        assert before["y"] == after["y"]
        assert before["x"] + before["width"] <= after["x"]
    mark = "getComputedStyle(document.querySelector('{}')).textDecorationLine"
    assert page.evaluate(mark.format("ins")) == "underline"
    assert page.evaluate(mark.format("del")) == "line-through"


def test_the_properties_change_the_look(opened: Any, site: str) -> None:
    page = opened(java_script_enabled=True)
    page.goto(f"{site}/two/en")
    page.add_style_tag(content=":root { --policy-ink: rgb(1, 2, 3); --policy-card: rgb(4, 5, 6); --policy-radius: 0; }")
    for button in answers(page):
        assert button.evaluate("(each) => getComputedStyle(each).backgroundColor") == "rgb(1, 2, 3)"
        assert button.evaluate("(each) => getComputedStyle(each).color") == "rgb(4, 5, 6)"
        assert button.evaluate("(each) => getComputedStyle(each).borderRadius") == "0px"


def test_nothing_moves(opened: Any, site: str) -> None:
    page = opened(java_script_enabled=True, reduced_motion="no-preference")
    for view in VIEWS:
        page.goto(f"{site}/{view}/en")
        assert page.evaluate("document.getAnimations().length") == 0
    assert not re.search("transition|animation", stylesheet())


def test_the_link_leads_to_the_item_in_the_policy(opened: Any, site: str) -> None:
    page = opened()
    page.goto(f"{site}/one/en")
    page.get_by_role("link", name="More about it").click()
    assert page.url.endswith("/cookies#item-visits")
    assert page.get_by_role("heading", name="Counting visits").is_visible()
    assert page.get_by_role("link", name="Your answers").get_attribute("href") == "/answers"


def test_what_is_asked_is_not_printed(opened: Any, site: str) -> None:
    page = opened()
    page.goto(f"{site}/two/en")
    page.emulate_media(media="print")
    assert not page.locator(".policy-gate").is_visible()
