"""The cookie policy in a real browser: a visitor's browser stays empty, a member's holds what is declared."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from mixip.edge.policy import declaration
from tests.support.browser import CHROMIUM_ARGUMENTS, chromium_path
from tests.support.platform import RunningPlatform
from tests.support.storage import NOTHING, cookies, stored, watched

pytestmark = pytest.mark.browser

PUBLIC = (
    "/",
    "/sign-up",
    "/sign-in",
    "/sign-in/done",
    "/account/display",
    "/legal/cookies",
    "/legal/privacy",
    "/legal/terms",
    "/legal/changes",
    "/legal/changes/1",
    "/legal/consent",
    "/help/errors",
    "/api",
    "/nothing-here",
)
MEMBERS = ("/works", "/works/new", "/account", "/account/sessions", "/account/display", "/account/privacy", "/")


@pytest.mark.parametrize("path", PUBLIC)
def test_a_first_visit_stores_nothing_and_asks_nobody_else(
    browser: Browser, platform: RunningPlatform, path: str
) -> None:
    context = browser.new_context()
    page = context.new_page()
    with watched(page) as traffic:
        page.goto(platform.url + path, wait_until="networkidle")
        page.mouse.wheel(0, 4000)
        page.wait_for_timeout(300)
        assert stored(page) == NOTHING
        assert cookies(context, page) == []
        assert traffic.origins == {platform.url}
        expected = ("status of 404", "status of 403") if path in {"/nothing-here", "/sign-in/done"} else ()
        assert [told for told in traffic.complaints if not any(part in told for part in expected)] == []
    context.close()


def test_a_member_holds_exactly_the_declared_items(browser: Browser, platform: RunningPlatform, tmp_path: Path) -> None:
    context = browser.new_context(extra_http_headers={"x-forwarded-for": "198.51.90.1"})
    page = context.new_page()
    with watched(page) as traffic:
        page.goto(f"{platform.url}/sign-up")
        page.get_by_label("Email").fill("policy@example.org")
        page.get_by_label("Password").fill("harbour winter night bus")
        page.get_by_role("button", name="Create account").click()
        page.wait_for_url("**/works")
        page.goto(f"{platform.url}/works/new")
        page.get_by_label("Title").fill("Policy")
        page.get_by_role("button", name="Create work").click()
        file = tmp_path / "a.txt"
        file.write_text("what is delivered is kept on the server only")
        page.get_by_label("Files").set_input_files(str(file))
        page.get_by_role("button", name="Deliver files").click()
        expect(page.get_by_role("link", name="Download")).to_be_visible(timeout=20_000)
        for path in MEMBERS:
            page.goto(platform.url + path, wait_until="networkidle")
            assert stored(page) == NOTHING, path
        assert traffic.origins == {platform.url}
        assert traffic.complaints == []

    held = cookies(context, page)
    policy = declaration()
    declared = [policy.item("session"), policy.item("csrf")]
    assert [cookie["name"] for cookie in held] == sorted(item.name for item in declared)
    by_name = {cookie["name"]: cookie for cookie in held}
    for item in declared:
        cookie = by_name[item.name]
        assert cookie["httpOnly"] == item.http_only
        assert cookie["secure"] == item.secure
        assert cookie["sameSite"] == item.same_site
        assert cookie["path"] == item.path
        assert cookie["session"] is True, "declared for the session, so without an end"
        assert cookie["domain"] == "127.0.0.1", "host-only"

    page.get_by_role("button", name="Sign out").first.click()
    page.wait_for_url(f"{platform.url}/")
    assert cookies(context, page) == []
    assert stored(page) == NOTHING
    page.goto(f"{platform.url}/works")
    assert "/sign-in" in page.url
    context.close()


def test_choosing_a_theme_stores_exactly_one_key_and_system_removes_it(
    browser: Browser, platform: RunningPlatform
) -> None:
    context = browser.new_context(color_scheme="light")
    page = context.new_page()
    page.goto(f"{platform.url}/account/display")
    item = declaration().item("theme")
    expect(page.get_by_text("Stored in this browser only").first).to_be_visible()
    page.get_by_label("Dark").check()
    assert stored(page) == {**NOTHING, "local": {item.name: "dark"}}
    page.goto(f"{platform.url}/")
    background = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.goto(f"{platform.url}/account/display")
    page.get_by_label("Light").check()
    assert stored(page) == {**NOTHING, "local": {item.name: "light"}}
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != background
    page.get_by_label("System").check()
    assert stored(page) == NOTHING
    assert cookies(context, page) == []
    context.close()


def test_the_theme_is_there_before_the_first_paint(browser: Browser, platform: RunningPlatform) -> None:
    context = browser.new_context(color_scheme="light")
    page = context.new_page()
    page.goto(f"{platform.url}/account/display")
    page.get_by_label("Dark").check()
    context.add_init_script(
        """new MutationObserver((_, observer) => {
          if (document.body) { window.themeAtBody = document.documentElement.dataset.theme; observer.disconnect(); }
        }).observe(document, { childList: true, subtree: true });"""
    )
    page.goto(f"{platform.url}/legal/terms")
    assert page.evaluate("window.themeAtBody") == "dark", "set before the body exists, so before anything is painted"
    context.close()


def test_a_browser_that_blocks_cookies_reads_everything_and_is_told_why_it_cannot_sign_in(
    browser: Browser, platform: RunningPlatform, tmp_path: Path
) -> None:
    """Blocked in the browser's own settings, as a person would."""
    profile = tmp_path / "profile" / "Default"
    profile.mkdir(parents=True)
    blocked = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (profile / "Preferences").write_text(json.dumps(blocked))
    context = browser.browser_type.launch_persistent_context(
        profile.parent, executable_path=chromium_path(), args=CHROMIUM_ARGUMENTS
    )
    page = context.new_page()
    for path in ("/", "/legal/cookies", "/account/display"):
        response = page.goto(platform.url + path)
        assert response is not None
        assert response.ok
    page.get_by_label("Dark").check()
    expect(page.get_by_text("did not let us keep the choice")).to_be_visible()
    page.goto(f"{platform.url}/sign-up")
    page.get_by_label("Email").fill("blocked@example.org")
    page.get_by_label("Password").fill("harbour winter night bus")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("cookie", ignore_case=True)
    expect(page.locator("main").get_by_role("link", name="Where to find the setting")).to_be_visible()
    assert cookies(context, page) == []
    context.close()
