"""What a new user stumbled over: small things in a real browser that have to stay right."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.media import make_audio
from tests.support.platform import RunningPlatform
from tests.support.screens import Line, fresh_browser, new_work, sign_in, sign_up

pytestmark = pytest.mark.browser

SEGMENT = 8 * 1024 * 1024
SLOW = 12 * 1024 * 1024  # bytes per second


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = fresh_browser(browser)
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    yield page
    context.close()


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """A file of nine and a half segments."""
    path = tmp_path / "night-bus.bin"
    path.write_bytes(os.urandom(9 * SEGMENT + SEGMENT // 2))
    return path


def deliver(page: Page, *paths: Path) -> None:
    page.get_by_label("Files").set_input_files([str(path) for path in paths])
    page.get_by_role("button", name="Deliver files").click()


def row(page: Page, path: Path) -> Locator:
    return page.locator("[data-rows] > li", has_text=path.name)


def share(text: str) -> int:
    """The percentage in the line of a delivery."""
    found = re.search(r"(\d+)\s%", text)
    assert found, text
    return int(found[1])


def test_a_form_outlives_its_session(sqlite_platform: RunningPlatform, page: Page) -> None:
    """Signed out in another tab, signed in again there: what was typed is still here, and one press sends it."""
    email = sign_up(page, sqlite_platform)
    page.goto(f"{sqlite_platform.url}/works/new")
    page.get_by_label("Title").fill("Typed with care")
    page.context.clear_cookies()
    page.get_by_role("button", name="Create work").click()
    expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    expect(page.get_by_text("Typed with care")).to_be_visible()
    with page.context.expect_page() as opened:
        page.get_by_role("main").get_by_role("link", name="Sign in").click()
    sign_in(opened.value, email)
    opened.value.wait_for_url("**/works/new")
    opened.value.close()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Typed with care", level=1)).to_be_visible()


def test_a_pause_loses_nothing_of_what_is_under_way(sqlite_platform: RunningPlatform, page: Page, big: Path) -> None:
    sign_up(page, sqlite_platform)
    new_work(page, sqlite_platform)
    Line(page).slow(SLOW)
    deliver(page, big)
    line = row(page, big).locator("[data-status]")
    expect(line).to_contain_text(re.compile(r"[2-5]\d\s%"), timeout=20_000)
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    before = share(line.inner_text())
    page.get_by_role("button", name="Pause").click()
    expect(line).to_contain_text("Pausing…")
    expect(page.get_by_role("button", name="Continue")).to_be_focused()
    expect(line).to_contain_text("Paused at", timeout=20_000)
    assert share(line.inner_text()) >= before
    assert failed == []
    assert page.locator("[data-bar]").evaluate("bar => bar.value") < 1
    page.get_by_role("button", name="Continue").click()
    expect(line).to_contain_text(re.compile(r"Continued at \d+\s%\. Now \d+\s%"))
    page.get_by_role("button", name="Pause").click()
    expect(line).to_contain_text("Pausing…")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("link", name="Download", exact=True)).to_be_visible(timeout=30_000)


def test_a_delivery_that_another_tab_cancelled_can_be_started_anew(
    sqlite_platform: RunningPlatform, page: Page, big: Path
) -> None:
    sign_up(page, sqlite_platform)
    new_work(page, sqlite_platform)
    slow = Line(page)
    slow.slow(SLOW)
    deliver(page, big)
    line = row(page, big)
    expect(line).to_contain_text(re.compile(r"[2-5]\d\s%"), timeout=20_000)
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_role("button", name="Remove").click()
    expect(other.locator("[data-unfinished]")).to_have_count(0)
    other.close()
    expect(line).to_contain_text("It was cancelled elsewhere.", timeout=20_000)
    slow.whole()
    line.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("link", name="Download", exact=True)).to_be_visible(timeout=30_000)


def test_what_can_never_be_delivered_is_not_offered_again_and_not_counted(
    sqlite_platform: RunningPlatform, page: Page, tmp_path: Path, big: Path
) -> None:
    empty = tmp_path / "empty.mov"
    empty.write_bytes(b"")
    sign_up(page, sqlite_platform)
    new_work(page, sqlite_platform)
    deliver(page, empty)
    expect(row(page, empty)).to_contain_text("The file is empty")
    expect(row(page, empty).get_by_role("button", name="Try again")).to_be_hidden()
    expect(row(page, empty).get_by_role("button", name="Remove")).to_be_visible()
    expect(page.locator("[data-total]")).to_be_hidden()
    Line(page).slow(SLOW)
    deliver(page, big)
    expect(page.locator("[data-total]")).to_contain_text("1 file,")


def test_facts_are_looked_for_soon_however_many_other_news_came(sqlite_platform: RunningPlatform, page: Page) -> None:
    sign_up(page, sqlite_platform)
    new_work(page, sqlite_platform)
    expect(page.get_by_role("button", name="Deliver files")).to_be_enabled()  # the script has begun
    with page.expect_request(lambda request: request.url == page.url, timeout=12_000):
        page.evaluate(
            """() => {
              const waiting = document.createElement("p");
              waiting.dataset.pending = "";
              document.querySelector("main").append(waiting);
              for (let i = 0; i < 6; i += 1) document.dispatchEvent(new Event("mixip:refreshed"));
            }"""
        )


def test_dropped_folders_get_true_advice(sqlite_platform: RunningPlatform, page: Page) -> None:
    sign_up(page, sqlite_platform)
    new_work(page, sqlite_platform)
    expect(page.get_by_role("button", name="Deliver files")).to_be_enabled()  # the script has begun
    page.evaluate(
        """() => {
          const item = { kind: "file", webkitGetAsEntry: () => ({ isDirectory: true }), getAsFile: () => null };
          const drop = new Event("drop", { bubbles: true, cancelable: true });
          Object.defineProperty(drop, "dataTransfer", { value: { items: [item], types: ["Files"] } });
          document.querySelector("[data-drop-zone]").dispatchEvent(drop);
        }"""
    )
    expect(page.locator("[data-note]")).to_have_text("Folders are not delivered: drop the files in them.")


def test_a_sound_that_has_just_arrived_shows_how_long_it_is(
    sqlite_platform: RunningPlatform, page: Page, tmp_path: Path
) -> None:
    tone = make_audio(tmp_path / "tone.wav", seconds=3)
    sign_up(page, sqlite_platform)
    new_work(page, sqlite_platform)
    deliver(page, tone)
    expect(page.locator("audio")).to_have_js_property("duration", 3, timeout=20_000)
    page.reload()
    expect(page.locator("audio")).to_have_js_property("duration", 3, timeout=20_000)


@pytest.mark.parametrize("width", [360, 1440])
def test_small_things_have_room(sqlite_platform: RunningPlatform, page: Page, tmp_path: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{sqlite_platform.url}/help/errors")
    touching = """() => [...document.querySelectorAll(".error-entry h2")].filter((heading) => {
        const [code, tag] = [...heading.children].map((child) => child.getBoundingClientRect());
        return tag.left < code.right + 4 && tag.top < code.bottom + 4;
      }).length"""
    assert page.evaluate(touching) == 0
    sign_up(page, sqlite_platform)
    new_work(page, sqlite_platform)
    text = tmp_path / "notes.txt"
    text.write_bytes(b"lights")
    deliver(page, text)
    record = page.locator(".file-record dd", has_text="@example.org")
    expect(record).to_be_visible(timeout=20_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width == 1440:
        assert record.evaluate(
            "dd => dd.getBoundingClientRect().height < 1.9 * parseFloat(getComputedStyle(dd).fontSize)"
        )
    files = page.get_by_label("Files")
    assert files.evaluate("input => getComputedStyle(input).fontSize") == "0px", "the browser's own words are not shown"
    assert files.evaluate("input => input.getBoundingClientRect().height") >= 40


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pictures_of_the_themes_show_their_button_in_every_accent(
    sqlite_platform: RunningPlatform, page: Page, scheme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{sqlite_platform.url}/account/display")
    page.get_by_role("radio", name="Plain").check()
    button = """name => {
      const sample = document.querySelector(`.sample-${name}`);
      const probe = sample.appendChild(document.createElement("i"));
      probe.style.color = "var(--lamp)";
      return getComputedStyle(probe).color;
    }"""
    assert page.evaluate(button, "dark") == "rgb(240, 240, 236)"
    assert page.evaluate(button, "light") == "rgb(22, 23, 26)"
    assert page.evaluate(button, "system") == "rgb(22, 23, 26)"


def test_without_javascript_what_holds_looks_chosen(sqlite_platform: RunningPlatform, browser: Browser) -> None:
    context = fresh_browser(browser, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{sqlite_platform.url}/account/display")
    for name in ("System", "Amber"):
        expect(page.get_by_role("radio", name=name)).to_be_checked()
    lead, notice = (page.locator(part).first.bounding_box() for part in (".lead", ".notice"))
    assert lead
    assert notice
    assert notice["y"] - (lead["y"] + lead["height"]) >= 16
    context.close()


def test_the_first_page_tells_the_whole_truth(sqlite_platform: RunningPlatform, page: Page) -> None:
    page.goto(f"{sqlite_platform.url}/")
    main = page.get_by_role("main")
    expect(main).to_contain_text("Choosing a theme or an accent colour stores that choice.")
    expect(main).to_contain_text("The segments that have arrived stay; only the others are sent.")
