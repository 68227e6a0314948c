"""The report opened from a file in a real Chromium: in both themes, on a phone, on paper, by keyboard, and alone."""

import runpy
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from strictly_necessary.audit.report import as_html, as_json, compare

pytestmark = pytest.mark.browser

_HERE = Path(__file__).parent
_MADE: dict[str, Any] = runpy.run_path(str(_HERE / "audit_reports.py"))
CONTRAST = runpy.run_path(str(_HERE / "test_strictly_page_look.py"))["CONTRAST"].replace("main *", "body *")
SCHEMES = ["light", "dark"]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    report, findings = _MADE["report"], _MADE["FINDINGS"]
    made = report()
    path = tmp_path_factory.mktemp("report") / "audit.html"
    path.write_text(as_html(made, compare(as_json(report(findings[1:], waivers=())), as_json(made))), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"],
        )
        yield started
        started.close()


def opened(browser: Browser, file: Path, **options: Any) -> Page:
    page: Page = browser.new_context(offline=True, **options).new_page()
    page.goto(file.as_uri())
    return page


def test_it_asks_for_nothing_and_its_policy_lets_all_of_it_through(browser: Browser, file: Path) -> None:
    page: Page = browser.new_context(offline=True).new_page()
    asked: list[str] = []
    told: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: told.append(message.text))
    page.goto(file.as_uri())
    assert [each for each in asked if not each.startswith("data:image/png")] == [file.as_uri()]
    assert told == []
    assert page.evaluate("getComputedStyle(document.querySelector('.finding')).borderTopWidth") == "1px"
    assert page.locator("script").count() == 0
    # Whatever somebody puts into it later, the policy stops.
    page.evaluate("document.body.append(Object.assign(new Image(), { src: 'https://larder.example/x.png' }))")
    page.wait_for_timeout(100)
    assert any("Content Security Policy" in text for text in told)
    page.context.close()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_everything_can_be_read_in_both_themes(browser: Browser, file: Path, scheme: Any) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1, in folded parts too."""
    page = opened(browser, file, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    contrasts = page.evaluate(CONTRAST)
    assert len(contrasts) > 200
    assert [pair for pair in contrasts if pair[1] < 4.5] == []
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(248, 248, 246)", "dark": "rgb(19, 20, 22)"}[scheme]
    page.context.close()


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_is_wider_than_the_screen(browser: Browser, file: Path, width: int) -> None:
    """WCAG 2.2, 1.4.10; names and addresses wrap."""
    page = opened(browser, file, viewport={"width": width, "height": 700})
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    page.evaluate("document.querySelector('h4').append('__Host-'.padEnd(300, 'x'))")
    page.evaluate("document.querySelector('td code').textContent = 'https://larder.example/'.padEnd(300, 'x')")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = (
        "[...document.querySelectorAll('nav a, summary')].filter((a) => a.getBoundingClientRect().height < 24).length"
    )
    assert page.evaluate(small) == 0
    page.context.close()


def test_headings_landmarks_and_names_are_in_order(browser: Browser, file: Path) -> None:
    page = opened(browser, file)
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map((heading) => +heading.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.title() == "Audit of https://larder.example/"
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.get_by_role("main").count() == page.get_by_role("banner").count() == 1
    assert page.get_by_role("navigation").count() == 2
    named = "[...document.querySelectorAll('section, article')].every((each) => each.ariaLabelledByElements?.[0])"
    assert page.evaluate(named) is True
    assert page.evaluate(
        "new Set([...document.querySelectorAll('[id]')].map((each) => each.id)).size"
    ) == page.evaluate("document.querySelectorAll('[id]').length")
    tables = page.get_by_role("table").all()
    assert len(tables) == 5
    assert all(table.get_by_role("rowheader").count() for table in tables)
    assert page.get_by_role("img", name="Picture of https://larder.example/, First visit").count() == 3
    page.context.close()


def test_it_is_used_by_keyboard(browser: Browser, file: Path) -> None:
    page = opened(browser, file)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the findings"
    page.keyboard.press("Enter")
    assert page.url.endswith("#findings")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#SN401"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    group = page.locator("#SN401")
    group.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert group.get_attribute("open") is None
    assert page.locator("#SN401 .finding").is_hidden()
    page.context.close()


def test_each_link_leads_somewhere(browser: Browser, file: Path) -> None:
    page = opened(browser, file)
    targets = page.evaluate("[...document.links].map((each) => each.hash)")
    assert len(targets) > 20
    assert [each for each in targets if page.locator(each).count() != 1] == []
    picture = page.locator("#SN401 figure a")
    picture.click()
    assert page.locator(":target svg").is_visible()
    page.context.close()


def test_pictures_are_drawn_from_the_one_copy(browser: Browser, file: Path) -> None:
    page = opened(browser, file, viewport={"width": 1100, "height": 800}, color_scheme="dark")
    image = page.locator("#SN401 figure svg").screenshot()
    drawn = page.evaluate(
        """async (bytes) => {
          const bitmap = await createImageBitmap(new Blob([new Uint8Array(bytes)], { type: "image/png" }));
          const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
          const context = canvas.getContext("2d");
          context.drawImage(bitmap, 0, 0);
          return [...context.getImageData(bitmap.width / 2, bitmap.height * 0.7, 1, 1).data];
        }""",
        list(image),
    )
    assert drawn == [228, 226, 219, 255]
    page.context.close()


def test_on_paper_it_is_light_and_nothing_is_folded(browser: Browser, file: Path) -> None:
    page = opened(browser, file, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.querySelector('.finding')).color") == "rgb(27, 28, 31)"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgba(0, 0, 0, 0)"
    assert page.get_by_role("navigation").count() == 0
    folded = page.locator("#SN403 mark")
    assert folded.evaluate("(each) => each.getBoundingClientRect().height") > 0
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.context.close()
