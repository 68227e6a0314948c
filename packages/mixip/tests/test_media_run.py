"""The child process and its limits: each one is really reached, with real files and small limits."""

import logging
import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import av
import msgspec
import pytest
from PIL import Image

from mixip.media import limits as resource_limits
from mixip.media.facts import MEDIA_TYPES, AudioStream, Facts, VideoStream, read_facts, write_facts
from mixip.media.inspect import inspect as inspect_here
from mixip.media.limits import MIB, Limits
from mixip.media.names import codec_name
from mixip.media.run import inspect_file


@pytest.fixture(scope="module")
def long_sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine and a half minutes of FLAC in stereo at 96 kHz, decoded whole: seconds of work, on a fast processor too."""
    path = tmp_path_factory.mktemp("sound") / "long.flac"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("flac", rate=96_000, layout="stereo")
        frame = av.AudioFrame(format="s16", layout="stereo", samples=4608)
        frame.planes[0].update(os.urandom(frame.planes[0].buffer_size))
        frame.sample_rate = 96_000
        for index in range(570 * 96_000 // 4608):
            frame.pts = index * 4608
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def children() -> set[str]:
    """Processes whose parent is this one."""
    tasks = Path("/proc/self/task").iterdir()
    return {child for task in tasks for child in (task / "children").read_text().split()}


def inspect(path: Path, folder: Path, limits: Limits) -> Facts | None:
    return inspect_file(path, folder, path.name, limits=limits)


def test_ten_minutes_of_sound_fit_into_the_limits(long_sound: Path, tmp_path: Path) -> None:
    facts = inspect(long_sound, tmp_path, Limits())
    assert facts is not None
    assert facts.duration == pytest.approx(570, abs=1)
    assert facts.waveform is not None
    assert min(facts.waveform) > 40, "noise in two channels, heard as one"


def test_the_child_reads_what_this_process_would_read(tmp_path: Path) -> None:
    path, here, there = tmp_path / "film.mkv", tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        output.mux(stream.encode(av.VideoFrame(320, 240, "yuv420p")))
        output.mux(stream.encode(None))
    facts = inspect(path, there, Limits())
    assert facts is not None
    assert facts.kind == "video"
    assert facts == inspect_here(path, here, "film.mkv", most_pixels=10**8)
    assert (there / "preview.jpg").read_bytes() == (here / "preview.jpg").read_bytes()
    assert len(list(there.iterdir())) == 1


def test_the_time_limit_ends_the_child(long_sound: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = children()
    began = time.monotonic()
    with caplog.at_level(logging.WARNING):
        assert inspect(long_sound, tmp_path, Limits(wall_seconds=0.5)) is None
    assert 0.5 <= time.monotonic() - began < 3
    assert "its time was up" in caplog.text
    assert long_sound.name not in caplog.text
    assert children() == before
    assert list(tmp_path.iterdir()) == []


def test_the_processor_limit_ends_the_child(long_sound: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert inspect(long_sound, tmp_path, Limits(cpu_seconds=1)) is None
    assert "ended by signal" in caplog.text


def test_the_memory_limit_ends_the_child(long_sound: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert inspect(long_sound, tmp_path, Limits(memory_bytes=80 * MIB)) is None
    assert "without facts" in caplog.text


def test_the_limit_of_files_written_holds_back_the_preview(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.effect_noise((960, 960), 100).save(path)
    facts = inspect(path, tmp_path, Limits(file_bytes=2000))
    assert facts == Facts(kind="image", container="png", media_type="image/png", width=960, height=960)


def test_a_preview_that_is_too_large_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.effect_noise((960, 960), 100).save(path)
    facts = inspect(path, tmp_path, Limits(preview_bytes=2000))
    assert facts is not None
    assert facts.preview is None
    assert list(tmp_path.iterdir()) == [path]


def test_more_output_than_allowed_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"hello")
    assert inspect(path, tmp_path, Limits(stdout_bytes=5)) is None


def test_a_preview_of_an_earlier_inspection_goes_away(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"hello")
    (tmp_path / "preview.jpg").write_bytes(b"old")
    assert inspect(path, tmp_path, Limits()) == Facts(kind="other", media_type="text/plain")
    assert list(tmp_path.iterdir()) == [path]


def test_the_limits_are_set_for_good_before_any_codec_is_loaded() -> None:
    code = (
        "import resource, sys; from mixip.media import inspect, run\n"
        "assert not {'av', 'PIL'} & set(sys.modules), 'codecs are already here'\n"
        "from mixip.media.limits import Limits, apply\n"
        "apply(Limits(memory_bytes=10**9, cpu_seconds=7, open_files=20))\n"
        "print([resource.getrlimit(kind) for kind in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_NOFILE,"
        " resource.RLIMIT_CORE, resource.RLIMIT_FSIZE)])"
    )
    output = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == str([(10**9,) * 2, (7, 7), (20, 20), (0, 0), (16 * MIB,) * 2])


def test_limits_that_are_already_tighter_stay(tmp_path: Path) -> None:
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30))\n"
        "from mixip.media.limits import Limits, apply; apply(Limits(open_files=60))\n"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    output = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "(30, 30)"


def test_where_there_are_no_resource_limits_it_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    before = resource.getrlimit(resource.RLIMIT_CORE), os.nice(0)
    monkeypatch.setitem(sys.modules, "resource", None)
    resource_limits.apply(Limits(open_files=3))
    assert (resource.getrlimit(resource.RLIMIT_CORE), os.nice(0)) == before


def test_the_child_ends_by_itself_when_nobody_waits_for_it(long_sound: Path, tmp_path: Path) -> None:
    limits = msgspec.json.encode(Limits(wall_seconds=0)).decode()
    command = [sys.executable, "-I", "-m", "mixip.media.inspect", str(long_sound)]
    began = time.monotonic()
    process = subprocess.run(
        [*command, "--preview-dir", str(tmp_path), "--name", "x", "--limits", limits], check=False, capture_output=True
    )
    assert process.returncode < 0
    assert time.monotonic() - began < 3


def test_the_child_sees_nothing_of_the_platforms_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit(3)")
    (tmp_path / "msgspec.py").write_text("raise SystemExit(3)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.txt"
    path.write_bytes(b"hello")
    assert inspect(path, tmp_path, Limits()) is not None


def test_several_at_once_from_threads(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (2000, 1000)).save(path)
    found: list[Facts | None] = []
    folders = [tmp_path / str(number) for number in range(4)]

    def work(folder: Path) -> None:
        folder.mkdir()
        found.append(inspect(path, folder, Limits()))

    threads = [threading.Thread(target=work, args=(folder,)) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [facts and facts.preview for facts in found] == ["preview.jpg"] * 4
    assert all((folder / "preview.jpg").is_file() for folder in folders)


def test_a_relative_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_bytes(b"hello")
    assert inspect(Path("a.txt"), Path(), Limits()) is not None


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{}",
        b"null",
        b'{"kind":"image"',
        b'{"kind":"virus"}',
        b'{"kind":"image","media_type":"text/html"}',
        b'{"kind":"image","media_type":"image/svg+xml"}',
        b'{"kind":"audio","waveform":[1,2,3]}',
        b'{"kind":"audio","waveform":[' + b",".join([b"101"] * 400) + b"]}",
        b'{"kind":"video","duration":-1}',
        b'{"kind":"video","duration":1e999}',
        b'{"kind":"video","width":0}',
        b'{"kind":"video","preview":"../../etc/passwd"}',
        b'{"kind":"video","container":"<script>"}',
        b'{"kind":"video","streams":[{"type":"video","codec":"<b>"}]}',
        b'{"kind":"video","streams":[' + b",".join([b'{"type":"audio","codec":"aac"}'] * 65) + b"]}",
    ],
)
def test_an_answer_that_a_child_should_not_give_is_refused(answer: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        read_facts(answer)


def test_facts_survive_being_written_and_read() -> None:
    facts = Facts(
        kind="video",
        container="mp4",
        media_type="video/mp4",
        duration=1.5,
        streams=(VideoStream(codec="h264", width=1, height=2, rotation=90), AudioStream(codec="aac", channels=2)),
        playable=True,
        width=2,
        height=1,
        preview="preview.jpg",
    )
    assert read_facts(write_facts(facts)) == facts


def test_no_media_type_is_one_that_runs_scripts() -> None:
    assert not {kind for kind in MEDIA_TYPES if any(word in kind for word in ("html", "xml+", "svg", "script"))}
    assert all(kind.count("/") == 1 for kind in MEDIA_TYPES)


@pytest.mark.parametrize(
    ("codec", "profile", "name"),
    [
        ("h264", "High", "H.264"),
        ("hevc", None, "H.265"),
        ("aac", "LC", "AAC"),
        ("prores", "Standard", "ProRes 422"),
        ("prores", "4444", "ProRes 4444"),
        ("prores", None, "ProRes"),
        ("dnxhd", "DNXHR HQ", "DNxHR"),
        ("pcm_s24le", None, "PCM"),
        ("something_new", None, "something_new"),
    ],
)
def test_codecs_have_names_for_people(codec: str, profile: str | None, name: str) -> None:
    assert codec_name(codec, profile) == name


def test_the_child_ends_with_its_parent(tmp_path: Path) -> None:
    """A platform that is killed leaves nothing behind that still reads files."""
    fifo = tmp_path / "endless"
    os.mkfifo(fifo)  # nobody ever writes, so the child waits for its first byte
    program = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-m', 'mixip.media.inspect', {str(fifo)!r},"
        f" '--preview-dir', {str(tmp_path)!r}, '--name', 'x'])\n"
        "print(child.pid, flush=True)\n"
        "child.wait()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(1)
    assert Path(f"/proc/{child}").exists()
    parent.kill()
    parent.communicate()
    for _ in range(50):
        status = Path(f"/proc/{child}/stat")
        if not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z":
            break
        time.sleep(0.1)
    else:
        raise AssertionError("the child lives on")
