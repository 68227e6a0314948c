"""Facts and previews of delivered files, from delivery to page."""

import io
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from tests.support.people import Person


def image(size: tuple[int, int] = (640, 480)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (200, 60, 20)).save(buffer, "PNG")
    return buffer.getvalue()


def recording(path: Path, *, seconds: int = 1) -> bytes:
    """A WebM with VP9 and Opus: encoders that every build has."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("libvpx-vp9", rate=Fraction(25))
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        audio = output.add_stream("libopus", rate=48_000)
        for number in range(25 * seconds):
            frame = av.VideoFrame.from_image(Image.new("RGB", (320, 180), (number * 9 % 255, 90, 160)))  # type: ignore[no-untyped-call]
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        for number in range(50 * seconds):
            sound = av.AudioFrame(format="s16", layout="stereo", samples=960)
            sound.sample_rate, sound.pts, sound.time_base = 48_000, number * 960, Fraction(1, 48_000)
            for plane in sound.planes:
                plane.update(bytes(plane.buffer_size))
            output.mux(audio.encode(sound))
        output.mux(audio.encode(None))
    return path.read_bytes()


def facts_of(person: Person, file: dict[str, Any]) -> dict[str, Any]:
    """The file once it was looked into."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        shown = dict(person.get(f"/api/files/{file['id']}").json())
        if shown["facts_state"] != "pending":
            return shown
        time.sleep(0.1)
    raise AssertionError("no facts after a minute")


def test_an_image_gets_facts_and_a_thumbnail(owner: Person) -> None:
    shown = facts_of(owner, owner.deliver(owner.create_work(), "still.png", image()))
    assert (shown["facts"]["kind"], shown["facts"]["width"], shown["facts"]["height"]) == ("image", 640, 480)
    preview = owner.get(shown["preview_url"])
    assert preview.headers["content-type"] in {"image/jpeg", "image/webp"}
    assert Image.open(io.BytesIO(preview.content)).size == (640, 480)
    assert preview.headers["cache-control"].startswith("private")
    assert "640 × 480" in owner.get(f"/works/{shown['work_id']}").text


def test_a_video_gets_facts_a_poster_and_playback(owner: Person, tmp_path: Path) -> None:
    data = recording(tmp_path / "clip.webm")
    shown = facts_of(owner, owner.deliver(owner.create_work(), "clip.webm", data))
    video, audio = shown["facts"]["streams"]
    assert (video["codec"], video["width"], video["height"]) == ("vp9", 320, 180)
    assert (audio["codec"], audio["sample_rate"], audio["channels"]) == ("opus", 48_000, 2)
    assert shown["facts"]["duration"] == pytest.approx(1, abs=0.1)
    part = owner.get(shown["media_url"], headers={"range": "bytes=0-99"})
    assert (part.status_code, part.content) == (206, data[:100])
    assert part.headers["content-type"] == "video/webm"
    assert "sandbox" in part.headers["content-security-policy"]
    page = owner.get(f"/works/{shown['work_id']}").text
    assert "<video" in page
    assert "VP9" in page


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("page.html", b"<!doctype html><script>alert(document.domain)</script>"),
        ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
        ("picture.png", b"not a picture at all"),
        ("broken.mp4", b"\0\0\0\x18ftypmp42" + bytes(500)),
    ],
)
def test_nothing_that_was_delivered_runs_here(owner: Person, name: str, data: bytes) -> None:
    shown = facts_of(owner, owner.deliver(owner.create_work(), name, data))
    assert shown["preview_url"] is None
    assert shown["media_url"] is None
    response = owner.get(shown["content_url"])
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-disposition"].startswith("attachment")
    assert owner.get(f"/api/files/{shown['id']}/media").status_code == 404
    assert owner.get(f"/api/files/{shown['id']}/preview").status_code == 404
