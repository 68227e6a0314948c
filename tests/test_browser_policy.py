"""An operator's policy with something that needs consent, in a real browser on the platform's own pages."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.support.platform import PlatformThread, RunningPlatform
from tests.support.policies import ASKING, TOLD, put_in_force
from tests.support.screens import Line, fresh_browser, new_work, sign_up
from tests.support.storage import NOTHING, cookies, stored

pytestmark = pytest.mark.browser

MIB = 1024 * 1024
WRITE = """() => {
  try { document.cookie = "mixip_visits=1; Path=/; Secure; SameSite=Lax; Max-Age=600" } catch {}
  try { localStorage.setItem("mixip_seen", "/") } catch {}
}"""
CHOICE = "__Host-mixip_choice"


@pytest.fixture
def own_platform(tmp_path: Path) -> Iterator[RunningPlatform]:
    """A platform of its own, whose policy the test changes."""
    with PlatformThread(tmp_path / "data") as running:
        yield running


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = fresh_browser(browser)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    return page


def held(page: Page) -> list[str]:
    """The names of everything that the browser holds of the site, but for the two cookies of a session."""
    names = [cookie["name"] for cookie in cookies(page.context, page) if "session" not in cookie["name"]]
    kept = stored(page)
    assert kept == {**NOTHING, "local": kept["local"]}
    return sorted({*names, *kept["local"]} - {"__Host-mixip_csrf"})


def gate(page: Page) -> Locator:
    return page.get_by_role("region", name="May we keep this in your browser?")


def news(page: Page) -> Locator:
    return page.get_by_role("region", name="Our cookie policy has changed")


def test_a_change_is_announced_until_it_was_seen(own_platform: RunningPlatform, page: Page) -> None:
    sign_up(page, own_platform)
    before = [cookie["name"] for cookie in cookies(page.context, page)]
    put_in_force(own_platform, TOLD, "2")
    page.goto(f"{own_platform.url}/account")
    expect(news(page)).to_contain_text("Example Hosting")
    expect(gate(page)).to_have_count(0)
    page.goto(f"{own_platform.url}/works")
    page.evaluate("document.body.dataset.same = 'page'")
    news(page).get_by_role("button", name="Got it").press("Enter")
    expect(news(page)).to_have_count(0)
    assert page.locator("body").get_attribute("data-same") == "page", "it never left"
    assert page.evaluate("document.activeElement.id") == "main"
    page.reload()
    expect(news(page)).to_have_count(0)
    assert [cookie["name"] for cookie in cookies(page.context, page)] == before
    assert stored(page) == NOTHING
    page.goto(f"{own_platform.url}/account/privacy")
    expect(page.get_by_text("Version 2: you have seen it")).to_be_visible()


def test_readers_are_told_without_a_button_and_keep_nothing(own_platform: RunningPlatform, page: Page) -> None:
    put_in_force(own_platform, TOLD, "2")
    page.goto(own_platform.url)
    expect(news(page)).to_be_visible()
    expect(news(page).get_by_role("button")).to_have_count(0)
    what = news(page).get_by_text("Example Hosting").first
    expect(what).to_be_hidden()
    news(page).locator("summary").press("Enter")
    expect(what).to_be_visible()
    news(page).get_by_role("link", name="side by side").click()
    expect(page.get_by_role("heading", name="Version 2", level=1)).to_be_visible()
    expect(news(page)).to_have_count(0)
    expect(page.get_by_role("table")).to_contain_text("Example Hosting")
    assert held(page) == []


def test_no_is_kept_and_nothing_else(own_platform: RunningPlatform, page: Page) -> None:
    put_in_force(own_platform, ASKING, "2")
    page.goto(own_platform.url)
    page.evaluate(WRITE)
    assert held(page) == [], "nothing before an answer"
    no, yes = (gate(page).get_by_role("button", name=name, exact=True) for name in ("No to all", "Yes to all"))
    sizes = [button.bounding_box() for button in (no, yes)]
    assert all(sizes)
    assert {(size["width"], size["height"], size["y"]) for size in sizes if size} == {
        (sizes[0]["width"], sizes[0]["height"], sizes[0]["y"])  # type: ignore[index]
    }
    looks = [button.evaluate("e => { const s = getComputedStyle(e); return [s.color, s.backgroundColor, s.borderColor, "
                             "s.fontSize, s.fontWeight] }") for button in (no, yes)]  # fmt: skip
    assert looks[0] == looks[1]
    no.press("Enter")
    expect(gate(page)).to_have_count(0)
    assert held(page) == [CHOICE]
    page.evaluate(WRITE)
    page.goto(f"{own_platform.url}/sign-in")
    expect(gate(page)).to_have_count(0)
    page.evaluate(WRITE)
    assert held(page) == [CHOICE], "no second question, and nothing after a no"


def test_yes_is_taken_back_where_it_was_given_and_all_is_gone(own_platform: RunningPlatform, page: Page) -> None:
    put_in_force(own_platform, ASKING, "2")
    page.goto(own_platform.url)
    gate(page).get_by_role("button", name="Yes to all").click()
    expect(gate(page)).to_have_count(0)
    page.evaluate(WRITE)
    assert held(page) == [CHOICE, "mixip_seen", "mixip_visits"]

    page.get_by_role("contentinfo").get_by_role("link", name="Your consent").click()
    expect(page.get_by_text("You allowed it.")).to_have_count(2)
    for left in (1, 0):
        page.get_by_role("button", name="Take it back").first.click()
        expect(page.get_by_text("You allowed it.")).to_have_count(left)
    assert held(page) == [CHOICE]
    page.evaluate(WRITE)
    assert held(page) == [CHOICE]


def test_one_by_one_without_a_script(own_platform: RunningPlatform, browser: Browser) -> None:
    put_in_force(own_platform, ASKING, "2")
    context = fresh_browser(browser, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{own_platform.url}/legal/terms?from=here")
    page.get_by_text("Choose one by one").click()
    box = page.get_by_role("checkbox", name="Counting visits")
    expect(box).not_to_be_checked()
    box.check()
    page.get_by_role("button", name="Allow what I ticked").click()
    assert page.url == f"{own_platform.url}/legal/terms?from=here"
    expect(gate(page)).to_have_count(0)
    page.goto(f"{own_platform.url}/legal/consent")
    expect(page.get_by_text("You allowed it.")).to_have_count(1)
    expect(page.get_by_text("You refused it.")).to_have_count(1)
    context.close()


def test_an_account_answers_once_for_all_its_browsers(own_platform: RunningPlatform, page: Page) -> None:
    sign_up(page, own_platform)
    put_in_force(own_platform, ASKING, "2")
    page.goto(f"{own_platform.url}/works")
    expect(news(page)).to_be_visible()
    gate(page).get_by_role("button", name="Yes to all").click()
    expect(gate(page)).to_have_count(0)
    page.evaluate(WRITE)
    assert held(page) == [CHOICE, "mixip_seen", "mixip_visits"]
    page.goto(f"{own_platform.url}/account/privacy")
    expect(page.get_by_text("You allowed it.")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as JSON").click()
    assert "consent given" in download.value.path().read_text()
    page.get_by_role("button", name="Sign out").first.click()
    page.wait_for_url(f"{own_platform.url}/")
    assert held(page) == [], "no yes stays behind"


def test_a_delivery_goes_on_while_people_answer(own_platform: RunningPlatform, page: Page, tmp_path: Path) -> None:
    sign_up(page, own_platform)
    new_work(page, own_platform)
    put_in_force(own_platform, ASKING, "2")
    page.reload()
    file = tmp_path / "reel.bin"
    file.write_bytes(os.urandom(30 * MIB))
    line = Line(page)
    line.slow(6 * MIB)
    page.get_by_label("Files").set_input_files(str(file))
    page.get_by_role("button", name="Deliver files").click()
    expect(page.locator("[data-rows]")).to_contain_text("%")
    page.evaluate("document.body.dataset.same = 'page'")
    gate(page).get_by_role("button", name="No to all").click()
    news(page).get_by_role("button", name="Got it").click()
    expect(gate(page)).to_have_count(0)
    expect(news(page)).to_have_count(0)
    expect(page.locator("[data-rows] > li")).to_have_count(1)
    line.whole()
    card = page.locator("[data-file]", has=page.get_by_role("heading", name=file.name, exact=True))
    expect(card.get_by_role("link", name="Download", exact=True)).to_be_visible(timeout=30_000)
    assert page.locator("body").get_attribute("data-same") == "page"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_told_fits_a_narrow_screen_and_both_themes(
    own_platform: RunningPlatform, browser: Browser, scheme: str
) -> None:
    put_in_force(own_platform, TOLD, "2")
    put_in_force(own_platform, ASKING, "3")
    context = fresh_browser(browser, viewport={"width": 320, "height": 640}, color_scheme=scheme)
    page = context.new_page()
    for path in ("/", "/sign-in", "/legal/changes", "/legal/changes/2", "/legal/changes/3/policy", "/legal/consent"):
        page.goto(own_platform.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
        for name in ("Got it", "No to all", "Yes to all"):
            for button in page.get_by_role("button", name=name).all():
                box = button.bounding_box()
                assert box
                assert box["height"] >= 44, f"{name} on {path}"
    context.close()
