"""Delivering in a real browser: what arrives, what goes wrong, and how it goes on."""

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.support.platform import RunningPlatform
from tests.support.screens import Line, fresh_browser, new_work, sign_in, sign_up

pytestmark = pytest.mark.browser

MIB = 1024 * 1024
SEGMENT = 8 * MIB
SLOW = 12 * MIB  # bytes per second: a file of ten segments takes about seven seconds


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


def delivered(page: Page, path: Path) -> None:
    """The file is in the list with its digest, and gone from the queue."""
    card = page.locator("[data-file]", has=page.get_by_role("heading", name=path.name, exact=True))
    expect(card.get_by_role("link", name="Download", exact=True)).to_be_visible(timeout=30_000)
    expect(card).to_contain_text(hashlib.sha256(path.read_bytes()).hexdigest())
    expect(page.locator("[data-rows] > li", has_text=path.name)).to_have_count(0)


def count_segments(page: Page) -> list[int]:
    """The indexes of the segments that the page sends from now on."""
    sent: list[int] = []

    def note(request: Request) -> None:
        if request.method == "PUT":
            sent.append(int(request.url.rpartition("/")[2]))

    page.on("request", note)
    return sent


def wait_until_sending(page: Page) -> None:
    """More has been sent than the four segments that are on their way together, so some have arrived."""
    expect(page.locator("[data-rows]")).to_contain_text(re.compile(r"[5-7]\d\s%"), timeout=20_000)


def test_several_files_are_delivered_with_their_digests(
    sqlite_platform: RunningPlatform, page: Page, big: Path, tmp_path: Path
) -> None:
    small = tmp_path / "Ünïcødé – 映画.txt"
    small.write_bytes(b"lights")
    long = tmp_path / ("n" * 251 + ".bin")
    long.write_bytes(b"x" * 4321)
    sign_up(page, sqlite_platform)
    new_work(page, sqlite_platform)
    page.set_viewport_size({"width": 360, "height": 740})
    deliver(page, small, big, long)
    for path in (small, big, long):
        delivered(page, path)
    expect(page.locator("[data-queue]")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    with page.expect_download() as download:
        page.locator("[data-file]", has_text=big.name).get_by_role("link", name="Download").click()
    assert download.value.path().read_bytes() == big.read_bytes()
    assert download.value.suggested_filename == big.name


def test_dropped_files_are_sent_at_once(sqlite_platform: RunningPlatform, page: Page) -> None:
    sign_up(page, sqlite_platform)
    new_work(page, sqlite_platform)
    expect(page.get_by_role("button", name="Deliver files")).to_be_enabled()  # the script is there
    files = page.evaluate_handle(
        "() => { const data = new DataTransfer(); data.items.add(new File(['lights'], 'dropped.txt')); return data; }"
    )
    for event in ("dragenter", "dragover", "drop"):
        page.dispatch_event("[data-drop-zone]", event, {"dataTransfer": files})
    expect(page.get_by_role("heading", name="dropped.txt")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("link", name="Download")).to_have_count(1)


def test_an_empty_file_is_refused_in_words_and_does_not_hold_up_the_others(
    sqlite_platform: RunningPlatform, page: Page, tmp_path: Path
) -> None:
    empty, other = tmp_path / "empty.mov", tmp_path / "other.txt"
    empty.write_bytes(b"")
    other.write_bytes(b"lights")
    sign_up(page, sqlite_platform)
    new_work(page, sqlite_platform)
    deliver(page, empty, other)
    delivered(page, other)
    row = page.locator("[data-rows] > li", has_text=empty.name)
    expect(row).to_contain_text("The file is empty")
    expect(row).to_contain_text("choose it again")
    row.get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)
    expect(page.get_by_role("link", name="Download")).to_have_count(1)


def test_after_a_reload_only_what_is_missing_is_sent(sqlite_platform: RunningPlatform, page: Page, big: Path) -> None:
    sign_up(page, sqlite_platform)
    new_work(page, sqlite_platform)
    Line(page).slow(SLOW)
    deliver(page, big)
    wait_until_sending(page)
    page.reload()
    unfinished = page.locator("[data-unfinished]")
    expect(unfinished).to_contain_text(big.name)
    arrived = page.evaluate(
        "fetch(`/api/works/${document.querySelector('[data-work]').dataset.work}/deliveries`)"
        ".then((answer) => answer.json()).then((found) => found.deliveries[0].received.map(({ index }) => index))"
    )
    assert arrived
    sent = count_segments(page)
    deliver(page, big)
    share = len(arrived) * SEGMENT * 100 // big.stat().st_size
    expect(page.locator("[data-rows]")).to_contain_text(re.compile(rf"Continued at {share}\s%"))
    expect(unfinished).to_be_hidden()
    delivered(page, big)
    assert sorted(sent) == sorted(set(range(10)) - set(arrived))


def test_a_lost_connection_is_told_and_ends_by_itself(sqlite_platform: RunningPlatform, page: Page, big: Path) -> None:
    sign_up(page, sqlite_platform)
    new_work(page, sqlite_platform)
    line = Line(page)
    line.slow(SLOW)
    deliver(page, big)
    wait_until_sending(page)
    line.cut()
    expect(page.locator("[data-rows]")).to_contain_text(re.compile(r"Connection lost\. Trying again in \d+\ss"))
    line.whole()
    delivered(page, big)


def test_a_file_waits_for_a_new_sign_in_when_the_session_was_ended(
    sqlite_platform: RunningPlatform, browser: Browser, page: Page, big: Path
) -> None:
    email = sign_up(page, sqlite_platform)
    new_work(page, sqlite_platform)
    elsewhere = fresh_browser(browser)
    other = elsewhere.new_page()
    other.goto(f"{sqlite_platform.url}/sign-in?next=/account/sessions")
    sign_in(other, email)
    end = other.get_by_role("button", name="End all other sessions")
    expect(end).to_be_visible()  # before the file is under way, since it is there in seconds
    Line(page).slow(SLOW)
    deliver(page, big)
    wait_until_sending(page)
    end.click()
    expect(page.locator("[data-rows]")).to_contain_text("Your session has ended")
    elsewhere.close()
    sent = count_segments(page)
    with page.context.expect_page() as opened:
        page.locator("[data-rows]").get_by_role("link", name="Sign in").click()
    sign_in(opened.value, email)
    expect(opened.value.get_by_role("heading", name="Night Bus")).to_be_visible()
    opened.value.close()
    page.evaluate("dispatchEvent(new Event('focus'))")  # headless pages do not lose the focus to one another
    delivered(page, big)
    assert len(set(sent)) < 10


def test_pause_continue_and_cancel(sqlite_platform: RunningPlatform, page: Page, big: Path) -> None:
    sign_up(page, sqlite_platform)
    new_work(page, sqlite_platform)
    Line(page).slow(SLOW)
    deliver(page, big)
    wait_until_sending(page)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[data-rows]")).to_contain_text("Paused at")
    sent = count_segments(page)
    page.wait_for_timeout(500)
    assert sent == []
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("[data-rows]")).to_contain_text("Continued at")
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as removed:
        page.get_by_role("button", name="Cancel").click()
    assert removed.value.status == 204
    expect(page.locator("[data-queue]")).to_be_hidden()
    page.reload()
    expect(page.locator("[data-unfinished]")).to_have_count(0)


def test_an_unfinished_delivery_can_be_removed(sqlite_platform: RunningPlatform, page: Page, big: Path) -> None:
    sign_up(page, sqlite_platform)
    new_work(page, sqlite_platform)
    Line(page).slow(SLOW)
    deliver(page, big)
    wait_until_sending(page)
    page.reload()
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("[data-unfinished]")).to_have_count(0)


def test_a_file_that_changes_on_the_disk_is_not_mixed_with_its_older_self(
    sqlite_platform: RunningPlatform, page: Page, big: Path
) -> None:
    sign_up(page, sqlite_platform)
    new_work(page, sqlite_platform)
    line = Line(page)
    line.slow(SLOW)
    deliver(page, big)
    wait_until_sending(page)
    with big.open("ab") as file:
        file.write(b"one take more")
    expect(page.locator("[data-rows]")).to_contain_text("The file can no longer be read", timeout=20_000)
    expect(page.get_by_role("link", name="Download")).to_have_count(0)
    page.locator("[data-rows]").get_by_role("button", name="Remove").click()
    line.whole()
    deliver(page, big)
    delivered(page, big)


def test_what_is_listed_stays_in_place_when_more_arrives(
    sqlite_platform: RunningPlatform, page: Page, tmp_path: Path
) -> None:
    """A film that is playing must not stop, so its node is neither made anew nor moved."""
    first, second = tmp_path / "first.txt", tmp_path / "second.txt"
    first.write_bytes(b"one")
    second.write_bytes(b"two")
    sign_up(page, sqlite_platform)
    new_work(page, sqlite_platform)
    deliver(page, first)
    delivered(page, first)
    expect(page.locator("[data-pending]")).to_have_count(0, timeout=20_000)
    page.evaluate(
        "window.removed = 0; new MutationObserver((changes) => { for (const { removedNodes } of changes)"
        " window.removed += removedNodes.length; }).observe(document.querySelector('.file-list'), { childList: true })"
    )
    deliver(page, second)
    delivered(page, second)
    assert page.locator(".file-name").all_inner_texts() == [second.name, first.name]
    key = page.locator("[data-file]", has_text=first.name).get_attribute("data-key")
    assert key
    assert key.endswith((" ready", " none"))
    expect(page.locator("[data-pending]")).to_have_count(0, timeout=20_000)
    assert page.evaluate("window.removed") <= 1  # the second one, when its facts were read
