"""The main job in a real browser: deliver real media, get it back bit for bit, through a killed server."""

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from tests.support.media import make_audio, make_video
from tests.support.process import PlatformProcess
from tests.support.screens import PASSWORD

pytestmark = pytest.mark.browser

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformProcess]:
    """A platform in a process of its own, as `make run` starts it."""
    with PlatformProcess(tmp_path_factory.mktemp("journey") / "var") as started:
        started.start()
        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    yield page
    context.close()


def begin(page: Page, process: PlatformProcess, email: str, title: str) -> None:
    """Sign up and open a new work, by what is on the screen."""
    page.goto(process.url)
    page.goto(f"{process.url}/sign-up")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.get_by_role("button", name="New work").click()
    page.get_by_label("Title").fill(title)
    page.get_by_role("button", name="Create work").click()
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()


def deliver(page: Page, *paths: Path) -> None:
    page.get_by_label("Files").set_input_files([str(path) for path in paths])
    page.get_by_role("button", name="Deliver files").click()


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_a_quarter_gigabyte_through_a_killed_server(page: Page, process: PlatformProcess, tmp_path: Path) -> None:
    file = tmp_path / "master.mov"
    source = random.Random(1)
    with file.open("wb") as output:
        for _ in range(256):
            output.write(source.randbytes(MIB))
    begin(page, process, "master@example.org", "Master")
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 40 * MIB}
    line.send("Network.emulateNetworkConditions", slow)

    arrived: list[int] = []

    def note(response: Response) -> None:
        if response.request.method == "PUT" and response.ok:
            arrived.append(int(response.url.rpartition("/")[2]))

    page.on("response", note)
    deliver(page, file)
    while len(arrived) < 8:
        page.wait_for_timeout(50)
    process.kill()
    expect(page.locator("[data-rows]")).to_contain_text("Trying again", timeout=20_000)
    before = len(arrived)
    line.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    process.start()
    expect(page.get_by_role("link", name="Download")).to_be_visible(timeout=90_000)
    expect(page.get_by_text(sha256(file))).to_be_visible()
    assert 8 <= before < len(arrived), "it was killed in the middle"
    assert len(set(arrived)) == len(arrived), "what had arrived was not sent again"
    assert set(arrived) <= set(range(32))

    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download").click()
    downloaded = tmp_path / "downloaded"
    downloading.value.save_as(downloaded)
    assert downloading.value.suggested_filename == "master.mov"
    assert sha256(downloaded) == sha256(file)


def test_killed_and_reloaded_the_same_file_continues(page: Page, process: PlatformProcess, tmp_path: Path) -> None:
    file = tmp_path / "reel.bin"
    file.write_bytes(random.Random(2).randbytes(80 * MIB))
    begin(page, process, "reel@example.org", "Reel")
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 16 * MIB}
    line.send("Network.emulateNetworkConditions", slow)
    sent: list[int] = []
    page.on(
        "request", lambda request: sent.append(int(request.url.rpartition("/")[2])) if request.method == "PUT" else None
    )
    deliver(page, file)
    while len(sent) < 7:
        page.wait_for_timeout(50)
    process.kill()
    process.start()
    page.reload()
    expect(page.get_by_text("Nothing has been delivered yet.")).to_be_visible()
    expect(page.locator("[data-unfinished]")).to_contain_text("reel.bin")
    line.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    sent.clear()
    deliver(page, file)
    expect(page.get_by_text(sha256(file))).to_be_visible(timeout=60_000)
    assert 0 < len(sent) < 10, "only the missing part was sent"
    expect(page.locator("[data-unfinished]")).to_have_count(0)


def test_real_media_shows_its_facts_and_plays(page: Page, process: PlatformProcess, tmp_path: Path) -> None:
    video, audio = make_video(tmp_path / "clip.mp4", seconds=3), make_audio(tmp_path / "mix.wav", seconds=5)
    begin(page, process, "media@example.org", "Media")
    deliver(page, video, audio)
    for path in (video, audio):
        expect(page.get_by_text(sha256(path))).to_be_visible(timeout=60_000)
    clip = page.locator("[data-file]", has=page.get_by_role("heading", name="clip.mp4"))
    mix = page.locator("[data-file]", has=page.get_by_role("heading", name="mix.wav"))
    expect(clip).to_contain_text("320 × 180", timeout=60_000)
    for fact in ("0:03", "H.264", "25 fps", "AAC", "48 kHz", "stereo"):
        expect(clip).to_contain_text(fact)
    for fact in ("0:05", "PCM", "44.1 kHz", "mono"):
        expect(mix).to_contain_text(fact, timeout=60_000)
    expect(mix.locator("svg path").first).to_be_attached()
    poster = clip.locator("video").get_attribute("poster")
    assert poster
    shown = page.evaluate(
        """async (source) => {
          const picture = new Image(); picture.src = source; await picture.decode();
          return [picture.naturalWidth, picture.naturalHeight];
        }""",
        poster,
    )
    assert shown == [320, 180]

    statuses: list[int] = []
    page.on("response", lambda response: statuses.append(response.status) if response.url.endswith("/media") else None)
    played = clip.locator("audio, video").evaluate(
        """async (player) => {
          player.muted = true;
          await player.play();
          player.currentTime = 2;
          await new Promise((resolve) => player.addEventListener("seeked", resolve, { once: true }));
          player.pause();
          return [player.duration, player.currentTime, player.videoWidth];
        }"""
    )
    assert played[0] == pytest.approx(3, abs=0.2)
    assert played[1] >= 2
    assert played[2] == 320
    assert 206 in statuses, "played by range requests"
