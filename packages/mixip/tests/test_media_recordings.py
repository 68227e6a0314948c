"""Facts and previews of sound and video: real files, made here by PyAV, read by the code that runs in the child."""

import array
import io
import itertools
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from mixip.media.facts import AudioStream, Facts, VideoStream, read_facts, write_facts
from mixip.media.inspect import inspect as inspect_here
from mixip.media.names import codec_name

RATE = 48_000


def tone(seconds: float, layout: str = "stereo", *, level: float = 0.5, quiet_after: float = 1e9) -> Iterator[Any]:
    """Frames of a 440 Hz tone, a tenth as loud after `quiet_after` seconds."""
    channels = {"mono": 1, "stereo": 2, "5.1": 6}[layout]
    period = [math.sin(2 * math.pi * 440 * i / RATE) for i in range(1200)]  # 11 whole waves
    for index in range(round(seconds * RATE / 1200)):
        loud = level * (0.1 if index * 1200 / RATE >= quiet_after else 1)
        samples = array.array("h", (round(value * loud * 32767) for value in period for _ in range(channels)))
        frame = av.AudioFrame(format="s16", layout=layout, samples=1200)
        frame.planes[0].update(samples.tobytes())
        frame.sample_rate = RATE
        frame.pts = index * 1200
        frame.time_base = Fraction(1, RATE)
        yield frame


def pictures(count: int, size: tuple[int, int], *, black_until: int = 0) -> Iterator[Any]:
    """Frames whose left half is red and whose right half is blue, the first of them black."""
    coloured = Image.new("RGB", size, (220, 30, 30))
    coloured.paste((30, 30, 220), (size[0] // 2, 0, *size))
    black = Image.new("RGB", size)
    for index in range(count):
        frame = av.VideoFrame.from_image(black if index < black_until else coloured)  # type: ignore[no-untyped-call]
        frame.pts = index
        frame.time_base = Fraction(1, 25)
        yield frame


def record(  # a recorder has many knobs
    path: Path,
    *,
    container: str | None = None,
    video: str | None = None,
    audio: str | None = None,
    size: tuple[int, int] = (640, 360),
    seconds: float = 2,
    pixels: str = "yuv420p",
    layout: str = "stereo",
    black_until: int = 0,
    turned: float | None = None,
    mirrored: bool = False,
    aspect: Fraction | None = None,
    sound: Iterator[Any] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    with av.open(str(path), "w", format=container) as output:
        made: list[tuple[Any, Iterator[Any]]] = []
        if video:
            stream: Any = output.add_stream(video, rate=25, options=options)
            stream.width, stream.height, stream.pix_fmt = *size, pixels
            stream.time_base = Fraction(1, 25)
            if aspect:
                stream.codec_context.sample_aspect_ratio = aspect
            if turned is not None:
                stream.set_display_rotation(turned, hflip=mirrored)
            made.append((stream, pictures(round(seconds * 25), size, black_until=black_until)))
        if audio:
            heard: Any = output.add_stream(audio, rate=RATE, layout=layout)
            made.append((heard, sound or tone(seconds, layout)))
        for stream, frames in made:
            for frame in itertools.chain(frames, [None]):
                output.mux(stream.encode(frame))
    return path


def inspect(path: Path, name: str | None = None) -> Facts:
    folder = path.parent / "previews"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    # In this process, which is quick: test_media_run.py shows that the child of its own gives the same.
    facts = read_facts(write_facts(inspect_here(path, folder, name or path.name, most_pixels=10**8)))
    assert sorted(file.name for file in folder.iterdir()) == ([facts.preview] if facts.preview else [])
    return facts


def preview(path: Path, facts: Facts) -> Image.Image:
    assert facts.preview is not None
    return Image.open(io.BytesIO((path.parent / "previews" / facts.preview).read_bytes())).convert("RGB")


def is_red(colour: Any) -> bool:
    return bool(colour[0] > 150 and colour[2] < 100)


def is_blue(colour: Any) -> bool:
    return bool(colour[2] > 150 and colour[0] < 100)


def of_type(facts: Facts, kind: type[VideoStream] | type[AudioStream]) -> Any:
    return next(stream for stream in facts.streams if isinstance(stream, kind))


def test_an_mp4_as_every_browser_plays_it(tmp_path: Path) -> None:
    path = record(tmp_path / "film.bin", container="mp4", video="libx264", audio="aac")
    facts = inspect(path)
    assert (facts.kind, facts.container, facts.media_type, facts.playable) == ("video", "mp4", "video/mp4", True)
    assert facts.duration == pytest.approx(2, abs=0.1)
    assert facts.duration
    assert facts.bit_rate == pytest.approx(path.stat().st_size * 8 / facts.duration, rel=0.02)
    assert (facts.width, facts.height, facts.waveform) == (640, 360, None)
    video, audio = facts.streams
    assert isinstance(video, VideoStream)
    assert isinstance(audio, AudioStream)
    assert (video.codec, video.width, video.height, video.frame_rate) == ("h264", 640, 360, 25.0)
    assert (video.pixel_format, video.rotation, video.display_aspect_ratio) == ("yuv420p", 0, "16:9")
    assert (audio.codec, audio.sample_rate, audio.channels, audio.layout) == ("aac", 48_000, 2, "stereo")
    assert audio.bits is None
    image = preview(path, facts)
    assert image.size == (640, 360)
    assert is_red(image.getpixel((100, 100)))
    assert is_blue(image.getpixel((500, 100)))


def test_a_webm(tmp_path: Path) -> None:
    path = record(tmp_path / "film.webm", video="libvpx-vp9", audio="libopus", size=(320, 240))
    facts = inspect(path)
    assert (facts.kind, facts.container, facts.media_type, facts.playable) == ("video", "webm", "video/webm", True)
    assert [codec_name(stream.codec) for stream in facts.streams] == ["VP9", "Opus"]
    assert of_type(facts, VideoStream).display_aspect_ratio == "4:3"


def test_the_same_streams_in_plain_matroska_are_not_playable(tmp_path: Path) -> None:
    facts = inspect(record(tmp_path / "film.mkv", video="libvpx-vp9", audio="libopus", size=(320, 240)))
    assert (facts.container, facts.media_type, facts.playable) == ("matroska", "video/matroska", False)


def test_prores_in_quicktime_is_named_and_not_playable(tmp_path: Path) -> None:
    path = record(
        tmp_path / "master.mov", video="prores_ks", audio="pcm_s24le", pixels="yuv422p10le", options={"profile": "3"}
    )
    facts = inspect(path)
    assert (facts.container, facts.media_type, facts.playable) == ("mov", "video/quicktime", False)
    video = of_type(facts, VideoStream)
    assert codec_name(video.codec, video.profile) == "ProRes 422 HQ"
    assert of_type(facts, AudioStream).bits == 24
    assert preview(path, facts).size == (640, 360)


def test_high_bit_depth_h264_is_not_playable(tmp_path: Path) -> None:
    facts = inspect(record(tmp_path / "film.mp4", video="libx264", pixels="yuv422p10le"))
    assert of_type(facts, VideoStream).pixel_format == "yuv422p10le"
    assert not facts.playable


@pytest.mark.parametrize(("turned", "rotation"), [(-90, 90), (90, 270), (180, 180)])
def test_a_turned_video_is_shown_upright(tmp_path: Path, turned: float, rotation: int) -> None:
    path = record(tmp_path / "phone.mp4", video="libx264", turned=turned)
    facts = inspect(path)
    video = of_type(facts, VideoStream)
    assert (video.width, video.height, video.rotation) == (640, 360, rotation)
    image = preview(path, facts)
    upright = (640, 360) if rotation == 180 else (360, 640)
    assert image.size == (facts.width, facts.height) == upright
    # Red was on the left: clockwise by a quarter it is on top, by three at the bottom, by two on the right.
    x, y = {90: (180, 100), 270: (180, 540), 180: (540, 180)}[rotation]
    assert is_red(image.getpixel((x, y)))
    assert is_blue(image.getpixel((image.width - 1 - x, image.height - 1 - y)))


def test_a_mirrored_video_is_shown_as_the_file_asks(tmp_path: Path) -> None:
    path = record(tmp_path / "selfie.mp4", video="libx264", turned=0, mirrored=True)
    image = preview(path, inspect(path))
    assert is_blue(image.getpixel((100, 100)))
    assert is_red(image.getpixel((540, 100)))


def test_pixels_that_are_not_square_are_shown_as_they_should_look(tmp_path: Path) -> None:
    path = record(tmp_path / "dvd.mp4", video="libx264", size=(720, 576), aspect=Fraction(64, 45))
    facts = inspect(path)
    assert of_type(facts, VideoStream).display_aspect_ratio == "16:9"
    assert (facts.width, facts.height) == (1024, 576)
    assert preview(path, facts).size == (960, 540)


def test_pixels_of_an_impossible_shape_are_taken_as_square(tmp_path: Path) -> None:
    path = record(tmp_path / "odd.mp4", video="libx264", aspect=Fraction(60_000, 1))
    facts = inspect(path)
    assert (facts.width, facts.height) == preview(path, facts).size == (640, 360)


def test_the_poster_is_not_the_black_beginning(tmp_path: Path) -> None:
    # One key frame in all, at the black beginning: the poster has to be decoded up to.
    path = record(tmp_path / "film.mp4", video="libx264", seconds=4, black_until=8, options={"g": "1000"})
    assert is_red(preview(path, inspect(path)).getpixel((100, 100)))


def test_the_poster_is_looked_for_further_on_when_a_tenth_is_black_too(tmp_path: Path) -> None:
    path = record(tmp_path / "film.mp4", video="libx264", seconds=4, black_until=40)
    assert is_red(preview(path, inspect(path)).getpixel((100, 100)))


def test_a_black_video_has_a_black_poster(tmp_path: Path) -> None:
    path = record(tmp_path / "film.mp4", video="libx264", seconds=1, black_until=25)
    assert preview(path, inspect(path)).size == (640, 360)


@pytest.mark.parametrize(
    ("container", "codec", "media_type", "name", "bits"),
    [
        ("wav", "pcm_s16le", "audio/wav", "PCM", 16),
        ("wav", "pcm_s24le", "audio/wav", "PCM", 24),
        ("flac", "flac", "audio/flac", "FLAC", 16),
        ("mp3", "libmp3lame", "audio/mpeg", "MP3", None),
        ("ipod", "aac", "audio/mp4", "AAC", None),
        ("ogg", "libopus", "audio/ogg", "Opus", None),
    ],
)
def test_sounds_that_browsers_play(
    tmp_path: Path, container: str, codec: str, media_type: str, name: str, bits: int | None
) -> None:
    # The name says nothing here, so that only the content can.
    facts = inspect(record(tmp_path / "sound", container=container, audio=codec))
    assert (facts.kind, facts.media_type, facts.playable) == ("audio", media_type, True)
    assert facts.duration == pytest.approx(2, abs=0.1)
    (stream,) = facts.streams
    assert isinstance(stream, AudioStream)
    assert (codec_name(stream.codec), stream.sample_rate, stream.channels, stream.bits) == (name, 48_000, 2, bits)
    assert facts.waveform is not None
    assert len(facts.waveform) == 400
    assert 45 <= max(facts.waveform[10:390]) <= 56
    assert facts.preview is None


def test_a_surround_sound_keeps_its_layout(tmp_path: Path) -> None:
    facts = inspect(record(tmp_path / "mix.flac", audio="flac", layout="5.1"))
    stream = of_type(facts, AudioStream)
    assert (stream.channels, stream.layout) == (6, "5.1")
    assert facts.waveform is not None
    assert max(facts.waveform) > 10


def test_the_waveform_shows_where_it_is_loud(tmp_path: Path) -> None:
    path = record(tmp_path / "a.wav", audio="pcm_s16le", sound=tone(4, level=0.8, quiet_after=1))
    waveform = inspect(path).waveform
    assert waveform is not None
    assert all(75 <= peak <= 82 for peak in waveform[2:95])
    assert all(5 <= peak <= 10 for peak in waveform[105:395])


def test_channels_in_opposite_phase_do_not_cancel_in_the_waveform(tmp_path: Path) -> None:
    path = tmp_path / "phase.wav"
    samples = array.array("h", itertools.chain.from_iterable((s, -s) for s in itertools.islice(square(), RATE)))
    path.write_bytes(wav(samples.tobytes(), channels=2))
    waveform = inspect(path).waveform
    assert waveform is not None
    assert min(waveform[5:395]) > 40


def test_a_sound_of_ten_minutes_and_more_is_sampled_in_windows(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    loud = array.array("h", itertools.islice(square(), 8000)).tobytes()
    minutes = 11
    path.write_bytes(wav(bytes(len(loud)) * (30 * minutes) + loud * (30 * minutes), channels=1, rate=8000))
    facts = inspect(path)
    assert facts.duration == pytest.approx(60 * minutes)
    assert of_type(facts, AudioStream).layout == "mono"
    assert facts.waveform is not None
    assert max(facts.waveform[:198]) == 0
    assert min(facts.waveform[202:]) > 45


def test_a_cover_is_the_preview_of_a_sound_and_not_a_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    plain = record(tmp_path / "plain.mp3", audio="libmp3lame").read_bytes()
    picture = io.BytesIO()
    Image.new("RGB", (300, 300), (220, 30, 30)).save(picture, "JPEG")
    body = b"\0image/jpeg\0\x03\0" + picture.getvalue()
    tag = b"APIC" + len(body).to_bytes(4) + b"\0\0" + body
    size = bytes(len(tag) >> shift & 127 for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\x03\0\0" + size + tag + plain)
    facts = inspect(path)
    assert facts.kind == "audio"
    assert [stream.codec for stream in facts.streams] == ["mp3"]
    assert facts.playable
    assert preview(path, facts).size == (300, 300)
    assert is_red(preview(path, facts).getpixel((150, 150)))
    assert facts.waveform is not None


def square() -> Iterator[int]:
    """A square wave, 200 samples long, at half of full scale."""
    return itertools.cycle([16_000] * 100 + [-16_000] * 100)


def wav(data: bytes, *, channels: int, rate: int = RATE) -> bytes:
    """A WAV file of 16-bit samples (RIFF, WAVE format 1)."""
    form = array.array("H", [1, channels]).tobytes() + array.array("I", [rate, rate * channels * 2]).tobytes()
    form += array.array("H", [channels * 2, 16]).tobytes()
    chunks = b"fmt " + len(form).to_bytes(4, "little") + form + b"data" + len(data).to_bytes(4, "little") + data
    return b"RIFF" + (len(chunks) + 4).to_bytes(4, "little") + b"WAVE" + chunks
