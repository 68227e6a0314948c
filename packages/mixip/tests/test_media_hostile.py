"""Files that are not what they seem: none of them leads anywhere else, and none of them stops the platform."""

import array
import functools
import io
import os
import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from mixip.media.facts import Facts, read_facts, write_facts
from mixip.media.inspect import inspect as inspect_here
from mixip.media.run import inspect_file


def inspect(path: Path, name: str = "film.mp4") -> Facts:
    folder = path.parent / "previews"
    folder.mkdir(exist_ok=True)
    # In this process, which is quick: test_media_run.py shows that the child of its own gives the same.
    return read_facts(write_facts(inspect_here(path, folder, name, most_pixels=10**8)))


def wav(seconds: float) -> bytes:
    """Silence, 16-bit mono at 8 kHz."""
    data = bytes(int(seconds * 8000) * 2)
    form = array.array("H", [1, 1]).tobytes() + array.array("I", [8000, 16000]).tobytes()
    chunks = b"fmt \x10\0\0\0" + form + b"\x02\0\x10\0data" + len(data).to_bytes(4, "little") + data
    return b"RIFF" + (len(chunks) + 4).to_bytes(4, "little") + b"WAVE" + chunks


@functools.cache
def mp4(*, fast_start: bool = False) -> bytes:
    """Four seconds of noise. The index comes last, or first for a fast start."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream = output.add_stream("libx264", rate=5, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        noise = random.Random(1)
        for index in range(20):
            frame = av.VideoFrame(320, 240, "yuv420p")
            for plane in frame.planes:
                plane.update(noise.randbytes(plane.buffer_size))
            frame.pts = index
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    data = file.getvalue()
    if not fast_start:
        return data
    # Index before data: the same boxes in another order, every chunk as much further on as the index is long.
    start, end = data.index(b"mdat") - 4, data.index(b"moov") - 4
    movie = bytearray(data[end:])
    at = movie.index(b"stco") + 12
    for place in range(at, at + 4 * int.from_bytes(movie[at - 4 : at]), 4):
        movie[place : place + 4] = (int.from_bytes(movie[place : place + 4]) + len(movie)).to_bytes(4)
    return data[:start] + bytes(movie) + data[start:end]


class Listener:
    """An address that counts who comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.visits = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.visits += 1
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
            connection.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n",
    "hls-key": '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-KEY:METHOD=AES-128,URI="{target}"\n#EXTINF:1,\n{target}\n'
    "#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{target}'\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" profiles="urn:mpeg:dash:'
    'profile:isoff-live:2011"><Period><AdaptationSet mimeType="audio/wav"><Representation id="1" bandwidth="1">'
    "<BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0\n",
    "rtsp-text": "RTSPtext\nrtsp://127.0.0.1:{port}/x\n",
    "imf": '<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016">{target}'
    "</CompositionPlaylist>",
}


SCHEMES = ["file", "relative", "http", "tcp", "subfile", "concat", "data", "pipe", "crypto"]


@pytest.mark.parametrize(
    ("kind", "scheme", "padding"),
    [(kind, scheme, padding) for kind in ("hls", "concat") for scheme in SCHEMES for padding in (b"", b"\0")]
    + [(kind, "http", b"\0") for kind in PLAYLISTS],
)
def test_a_playlist_in_disguise_leads_nowhere(
    tmp_path: Path, listener: Listener, kind: str, scheme: str, padding: bytes
) -> None:
    # Ended by a NUL it is not a text any more, and comes to FFmpeg.
    secret = tmp_path / "secret.wav"
    secret.write_bytes(wav(1))
    target = {
        "file": str(secret),
        "relative": "secret.wav",
        "http": f"http://127.0.0.1:{listener.port}/secret.wav",
        "tcp": f"tcp://127.0.0.1:{listener.port}",
        "subfile": f"subfile,,start,0,end,0,,:{secret}",
        "concat": f"concat:{secret}|{secret}",
        "data": "data:audio/wav;base64,UklGRg==",
        "pipe": "pipe:0",
        "crypto": f"crypto:{secret}",
    }[scheme]
    path = tmp_path / "film.mp4"
    path.write_bytes(PLAYLISTS[kind].format(target=target, port=listener.port).encode() + padding)
    facts = inspect(path)
    assert (facts.kind, facts.streams, facts.duration, facts.preview) == ("other", (), None, None)
    assert listener.visits == 0


def test_the_secret_would_have_been_read_without_the_protection(tmp_path: Path) -> None:
    """The tests above can fail: FFmpeg opened by name does follow the same playlist."""
    secret = tmp_path / "secret.wav"
    secret.write_bytes(wav(1))
    path = tmp_path / "film.mp4"
    path.write_text(PLAYLISTS["concat"].format(target="secret.wav"))
    with av.open(str(path)) as container:
        assert container.streams.audio


def test_a_movie_that_refers_to_another_file_does_not_get_it(tmp_path: Path) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(mp4())
    data = bytearray(mp4())
    # Where the pictures should be there is nothing; they are said to be in the other file, by a Macintosh alias as in
    # the data references of QuickTime, with the absolute path in a record of type 2.
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    data[start:end] = bytes(end - start)
    address = str(other).encode()
    alias = bytes(10) + b"\4disk" + bytes(23) + bytes(12) + b"\x09other.mp4" + bytes(54) + bytes(16) + bytes(20)
    alias += b"\0\2" + len(address).to_bytes(2) + address + bytes(len(address) % 2) + b"\xff\xff\0\0"
    entry = b"alis" + bytes(4) + alias
    at = data.index(b"url \0\0\0\1") - 4
    data[at : at + 12] = (len(entry) + 4).to_bytes(4) + entry
    for box in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        place = data.index(box) - 4
        data[place : place + 4] = (int.from_bytes(data[place : place + 4]) + len(entry) + 4 - 12).to_bytes(4)
    path = tmp_path / "film.mp4"
    path.write_bytes(data)
    with av.open(str(path), options={"enable_drefs": "1", "use_absolute_path": "1"}) as container:
        # FFmpeg follows it when it may, so this test can fail.
        assert next(container.decode(video=0)).width == 320
    facts = inspect(path)
    assert (facts.kind, facts.width, facts.preview) == ("video", 320, None)


def test_the_name_decides_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.m3u8"
    path.write_bytes(mp4())
    assert inspect(path, "playlist.m3u8").media_type == "video/mp4"
    path = tmp_path / "b.mp4"
    path.write_bytes(wav(1))
    assert inspect(path, "film.mp4").media_type == "audio/wav"


@pytest.mark.parametrize("name", ["", "-x", "--help", "a\nb", "ünïcödé.mov", "x" * 5000, "'; rm -rf / #", "a\0b"])
def test_any_name_will_do(tmp_path: Path, name: str) -> None:
    path = tmp_path / "-f"
    path.write_bytes(wav(1))
    (tmp_path / "previews").mkdir()
    facts = inspect_file(path, tmp_path / "previews", name)
    # A name with a NUL cannot be given to a program at all: no facts, and nothing raised.
    assert facts is None if "\0" in name else facts is not None and facts.kind == "audio"


def test_nothing_at_all(tmp_path: Path) -> None:
    path = tmp_path / "empty.mp4"
    path.touch()
    assert inspect(path) == Facts(kind="other")


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [
        (b"Dear diary\n", "diary.txt", "text/plain"),
        ("Grüße\n".encode() * 1000, "mail.mp4", "text/plain"),
        (b"a,b\n1,2\n", "list.csv", "text/csv"),
        (b"WEBVTT\n\n", "film.srt", "text/vtt"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "contract.mp4", "application/pdf"),
        (b"PK\x03\x04" + bytes(100), "contract.docx",
         "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"PK\x03\x04" + bytes(100), "film.mp4", "application/zip"),
        (b"MZ" + bytes(500), "setup.mp4", None),
    ],
)  # fmt: skip
def test_other_files(tmp_path: Path, content: bytes, name: str, media_type: str | None) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert inspect(path, name) == Facts(kind="other", media_type=media_type)


@pytest.mark.parametrize("part", [0.02, 0.5, 0.98])
@pytest.mark.parametrize("fast_start", [False, True])
def test_a_video_that_was_cut_off(tmp_path: Path, part: float, fast_start: bool) -> None:
    data = mp4(fast_start=fast_start)
    path = tmp_path / "film.mp4"
    path.write_bytes(data[: int(len(data) * part)])
    facts = inspect(path)
    if fast_start:  # the index comes first: everything is known, and half of it can be shown
        assert (facts.kind, facts.width, facts.duration) == ("video", 320, 4.0)
        assert facts.preview == ("preview.jpg" if part >= 0.5 else None)
    else:  # the index was at the end
        assert facts == Facts(kind="other")


def test_random_bytes(tmp_path: Path) -> None:
    noise = random.Random(7)
    path = tmp_path / "film.mp4"
    for size in (1, 100, 1_000_000):
        path.write_bytes(noise.randbytes(size))
        assert inspect(path).kind in {"other", "audio"}  # noise can look like MPEG audio for a frame or two


def test_a_damaged_video_has_facts_or_none_and_raises_nothing(tmp_path: Path) -> None:
    data = mp4(fast_start=True)
    path = tmp_path / "film.mp4"
    (tmp_path / "previews").mkdir()
    for seed in range(6):
        noise = random.Random(seed)
        damaged = bytearray(data)
        for _ in range(3**seed):
            damaged[noise.randrange(len(damaged) if seed % 2 else 3000)] = noise.randrange(256)
        path.write_bytes(damaged)
        facts = inspect_file(path, tmp_path / "previews", "film.mp4")
        assert facts is None or facts.kind in {"video", "other"}


def test_boxes_in_boxes_in_boxes(tmp_path: Path) -> None:
    inner = b""
    for _ in range(20_000):
        inner = (len(inner) + 8).to_bytes(4) + b"moov" + inner
    path = tmp_path / "film.mp4"
    path.write_bytes(b"\0\0\0\x10ftypisom\0\0\2\0" + inner)
    assert inspect(path).streams == ()


def test_a_matroska_of_elements_without_end(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    header = b"\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska"
    path.write_bytes(header + b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" + b"\x11\x4d\x9b\x74\xff" * 200_000)
    assert inspect(path).streams == ()


def test_a_duration_that_is_a_lie_is_bounded(tmp_path: Path) -> None:
    data = bytearray(wav(1))
    at = data.index(b"data") + 4
    data[at : at + 4] = b"\xf0\xff\xff\x7f"  # two gigabytes are said to follow
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    facts = inspect(path)
    assert facts.kind == "audio"
    assert facts.waveform is None or max(facts.waveform) == 0


def test_a_file_that_is_not_there_or_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "previews").mkdir()
    assert inspect_file(tmp_path / "gone.mp4", tmp_path / "previews", "gone.mp4") is None
    assert inspect_file(tmp_path, tmp_path / "previews", "folder.mp4") is None
    assert os.listdir(tmp_path / "previews") == []  # noqa: PTH208 - the whole folder, hidden files too
