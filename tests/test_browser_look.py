"""The pages as people meet them: display choices, contrast, narrow screens, keyboard, no JavaScript."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from mixip.edge.pages import human_bytes
from mixip.edge.static import static_url
from mixip.sessions.actions import ABSOLUTE_LIMIT
from tests.support.platform import RunningPlatform
from tests.support.screens import fresh_browser, new_work, sign_up

pytestmark = pytest.mark.browser

PUBLIC = (
    "/",
    "/sign-up",
    "/sign-in",
    "/account/display",
    "/legal/cookies",
    "/legal/privacy",
    "/legal/terms",
    "/help/errors",
    "/api",
)
SIGNED_IN = ("/works", "/works/new", "/account", "/account/sessions", "/account/display")
ACCENTS = ("", "red", "pink", "violet", "blue", "teal", "green", "plain")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = fresh_browser(browser)
    yield context.new_page()
    context.close()


def stored(page: Page) -> dict[str, str]:
    return dict(page.evaluate("Object.entries(localStorage)"))


def test_a_theme_is_stored_only_by_choosing_it_and_holds_before_the_first_paint(
    sqlite_platform: RunningPlatform, page: Page
) -> None:
    page.goto(f"{sqlite_platform.url}/")
    page.get_by_role("link", name="Display").click()
    expect(page.get_by_role("radio", name="System")).to_be_checked()
    assert stored(page) == {}
    page.get_by_role("radio", name="Dark").check()
    assert stored(page) == {"mixip_theme": "dark"}
    page.get_by_role("radio", name="Violet").check()
    assert stored(page) == {"mixip_theme": "dark", "mixip_accent": "violet"}
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"

    # The parser stops at a style sheet after theme.js, so what the first paint sees is what stands there now.
    page.add_init_script(
        """new MutationObserver((_, observer) => {
             if (!document.body) return;
             observer.disconnect();
             window.atFirstPaint = { ...document.documentElement.dataset };
           }).observe(document, { childList: true, subtree: true });"""
    )
    page.goto(f"{sqlite_platform.url}/legal/terms")
    assert page.evaluate("window.atFirstPaint") == {"theme": "dark", "accent": "violet"}

    page.goto(f"{sqlite_platform.url}/account/display")
    expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    expect(page.get_by_role("radio", name="Violet")).to_be_checked()
    page.get_by_role("radio", name="System").check()
    page.get_by_role("radio", name="Amber").check()
    assert stored(page) == {}
    assert page.evaluate("({ ...document.documentElement.dataset })") == {}


def test_a_stored_value_that_is_not_a_choice_is_ignored(sqlite_platform: RunningPlatform, page: Page) -> None:
    page.goto(f"{sqlite_platform.url}/account/display")
    developer_tools = page.context.new_cdp_session(page)  # past the browser guard, as a person can
    storage = {"securityOrigin": sqlite_platform.url, "isLocalStorage": True}
    for key, value in (("mixip_theme", 'dark" onload="x'), ("mixip_accent", "amber")):
        item = {"storageId": storage, "key": key, "value": value}
        developer_tools.send("DOMStorage.setDOMStorageItem", item)
    assert len(stored(page)) == 2
    page.reload()
    assert page.evaluate("({ ...document.documentElement.dataset })") == {}
    expect(page.get_by_role("radio", name="System")).to_be_checked()
    expect(page.get_by_role("radio", name="Amber")).to_be_checked()


def test_beside_the_control_stands_where_the_choice_is_kept(sqlite_platform: RunningPlatform, page: Page) -> None:
    page.goto(f"{sqlite_platform.url}/account/display")
    for group in ("Theme", "Accent colour"):
        fieldset = page.get_by_role("group", name=group)
        expect(fieldset).to_contain_text("Stored in this browser only, until you clear it.")


def test_display_and_the_legal_texts_are_linked_from_every_page(sqlite_platform: RunningPlatform, page: Page) -> None:
    for path in PUBLIC:
        page.goto(f"{sqlite_platform.url}{path}")
        assert page.locator('header a[href="/account/display"]').is_visible(), path
        for text in ("cookies", "privacy", "terms"):
            assert page.locator(f'footer a[href="/legal/{text}"]').is_visible(), path


PAIRS = [
    *[("--ink", ground) for ground in ("--ground", "--surface", "--raised", "--warn-ground")],
    *[("--ink-soft", ground) for ground in ("--ground", "--surface", "--raised")],
    *[("--lamp-text", ground) for ground in ("--ground", "--surface")],
    *[("--error", ground) for ground in ("--surface", "--error-ground")],
    ("--done", "--surface"),
    ("--on-lamp", "--lamp"),
    ("--line-strong", "--ground"),
    ("--line-strong", "--surface"),
]


LUMINANCE = """([theme, accent, pairs]) => {
    const { dataset } = document.documentElement;
    dataset.theme = theme;
    dataset.accent = accent;
    document.body.style.transition = "none";
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const luminance = (name) => {
        document.body.style.color = `var(${name})`;
        canvas.fillStyle = getComputedStyle(document.body).color;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data]
            .map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    return pairs.map((pair) => pair.map(luminance));
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_contrast_in_every_theme_and_accent(sqlite_platform: RunningPlatform, page: Page, theme: str) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1. Lines around controls, 1.4.11: 3 to 1."""
    page.goto(f"{sqlite_platform.url}/sign-in")
    for accent in ACCENTS:
        for pair, found in zip(PAIRS, page.evaluate(LUMINANCE, [theme, accent, PAIRS]), strict=True):
            dark, bright = sorted(found)
            needed = 3.0 if pair[0] == "--line-strong" else 4.5
            assert (bright + 0.05) / (dark + 0.05) >= needed, (accent, pair)


@pytest.mark.parametrize("width", [360, 820, 1920])
def test_nothing_is_wider_than_the_screen_and_targets_can_be_hit(
    sqlite_platform: RunningPlatform, page: Page, width: int
) -> None:
    """WCAG 2.2, 1.4.10 and 2.5.8 (links within a sentence are excepted)."""
    page.set_viewport_size({"width": width, "height": 800})
    for path in PUBLIC:
        page.goto(f"{sqlite_platform.url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    sign_up(page, sqlite_platform)
    new_work(page, sqlite_platform, "W" * 200)
    addresses = [*(f"{sqlite_platform.url}{path}" for path in SIGNED_IN), page.url]
    small = """() => [...document.querySelectorAll("button, select, input:not([type=hidden]), nav a, .button")]
        .filter((element) => element.checkVisibility() && !element.closest("label"))
        .filter((element) => ["width", "height"].some((side) => element.getBoundingClientRect()[side] < 24))
        .map((element) => element.outerHTML)"""
    for address in addresses:
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        assert page.evaluate(small) == [], address


def test_the_space_bar_presses_what_looks_like_a_button(sqlite_platform: RunningPlatform, page: Page) -> None:
    sign_up(page, sqlite_platform)
    page.get_by_role("button", name="New work").press("Space")
    page.wait_for_url("**/works/new")


def test_the_keyboard_skips_to_the_content_and_shows_where_it_is(sqlite_platform: RunningPlatform, page: Page) -> None:
    page.goto(f"{sqlite_platform.url}/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_without_javascript_everything_works_but_delivering(sqlite_platform: RunningPlatform, browser: Browser) -> None:
    context = fresh_browser(browser, java_script_enabled=False)
    page = context.new_page()
    sign_up(page, sqlite_platform)
    new_work(page, sqlite_platform)
    expect(page.get_by_text("Delivering in the browser needs JavaScript")).to_be_visible()
    expect(page.get_by_role("button", name="Deliver files")).to_be_disabled()
    page.goto(f"{sqlite_platform.url}/account/display")
    expect(page.get_by_text("Without JavaScript the platform follows")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in")).not_to_have_count(0)
    context.close()


def test_no_page_breaks_its_own_security_policy(sqlite_platform: RunningPlatform, page: Page) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{page.url}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
    for path in PUBLIC:
        page.goto(f"{sqlite_platform.url}{path}")
    sign_up(page, sqlite_platform)
    new_work(page, sqlite_platform)
    for path in SIGNED_IN:
        page.goto(f"{sqlite_platform.url}{path}")
    assert said == []


def test_the_script_writes_sizes_as_the_server_does(sqlite_platform: RunningPlatform, page: Page) -> None:
    page.goto(f"{sqlite_platform.url}/")
    sizes = [0, 1, 999, 1000, 1536, 99_949, 99_950, 999_499, 999_500, 8_388_608, 268_435_456, 10**12, 5 * 2**40]
    script = "async ([url, sizes]) => { const { bytesInWords } = await import(url); return sizes.map(bytesInWords); }"
    words = page.evaluate(script, [static_url("transfers/words.js"), sizes])
    assert [word.replace("\u00a0", " ") for word in words] == [str(human_bytes(size)) for size in sizes]


def test_the_privacy_page_tells_how_long_sessions_last(sqlite_platform: RunningPlatform, page: Page) -> None:
    page.goto(f"{sqlite_platform.url}/legal/privacy")
    text = re.sub(r"\s+", " ", page.get_by_role("main").inner_text())
    browser_days, app_days = ABSOLUTE_LIMIT["browser"].days, ABSOLUTE_LIMIT["app"].days
    assert f"after {browser_days} days at most in a browser, after {app_days} in the app" in text
