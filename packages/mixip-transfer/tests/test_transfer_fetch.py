"""Getting files: continued, verified, never over something else, never out of the folder."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from mixip_transfer import answers
from mixip_transfer.errors import BadAnswerError, RefusedError, StoppedError, TransferError, UnverifiedError
from mixip_transfer.fetch import Fetched, fetch
from mixip_transfer.names import part_name
from mixip_transfer.platform import Platform
from mixip_transfer.retry import Patience
from mixip_transfer.watching import Silent

SIZE = 3 * 1024 * 1024 + 77


class Getter:
    """Someone who gets one file into one folder."""

    def __init__(self, double: Any, folder: Path) -> None:
        self.double = double
        self.folder = folder
        self.content = os.urandom(SIZE)
        self.listed = double.add_file(double.add_work("My film"), "master.mov", self.content)
        self.stop = threading.Event()

    @property
    def target(self) -> Path:
        return self.folder / "master.mov"

    @property
    def part(self) -> Path:
        return self.folder / part_name("master.mov", self.listed["sha256"])

    def get(self, *, overwrite: bool = False, watcher: Silent | None = None) -> Fetched:
        patience = Patience(seconds=5, first=0.01, longest=0.05)
        with Platform(self.double.address, self.double.token, patience=patience, stop=self.stop) as platform:
            file = answers.file(self.listed)
            return fetch(platform, file, self.folder, overwrite=overwrite, watcher=watcher or Silent(), stop=self.stop)

    def fault(self, kind: str, **more: Any) -> None:
        self.double.fault(kind, "GET", "/content", **more)

    def ranges(self) -> list[str]:
        return [headers.get("Range", "") for _, path, headers in self.double.requests if "/content" in path]


@pytest.fixture
def getter(double: Any, tmp_path: Path) -> Getter:
    return Getter(double, tmp_path)


def test_a_file_comes_back_bit_for_bit_and_nothing_else_stays(getter: Getter) -> None:
    got = getter.get()
    assert (got.outcome, got.got_bytes, got.path) == ("fetched", SIZE, getter.target)
    assert getter.target.read_bytes() == getter.content
    assert [path.name for path in getter.folder.iterdir()] == ["master.mov"]


def test_cut_connections_continue_where_they_stopped(getter: Getter) -> None:
    getter.fault("cut", times=3, after=700_000)
    got = getter.get()
    assert getter.target.read_bytes() == getter.content
    assert got.got_bytes == SIZE
    assert getter.ranges() == ["", "bytes=700000-", "bytes=1400000-", "bytes=2100000-"]


def test_a_stopped_download_continues_with_the_same_command(getter: Getter) -> None:
    class Stopper(Silent):
        def moved(self, count: int) -> None:
            getter.stop.set()

    with pytest.raises(StoppedError):
        getter.get(watcher=Stopper())
    assert not getter.target.exists()
    there = getter.part.stat().st_size
    assert 0 < there < SIZE
    getter.stop.clear()
    got = getter.get()
    assert getter.target.read_bytes() == getter.content
    assert got.got_bytes == SIZE - there
    assert not getter.part.exists()


def test_a_complete_part_needs_no_request(getter: Getter) -> None:
    getter.part.write_bytes(getter.content)
    assert getter.get().got_bytes == 0
    assert getter.ranges() == []
    assert getter.target.read_bytes() == getter.content


@pytest.mark.parametrize("junk", [b"x" * 1000, b"x" * SIZE, b"x" * (SIZE + 1)])
def test_a_part_that_holds_something_else_is_replaced(getter: Getter, junk: bytes) -> None:
    getter.part.write_bytes(junk)
    getter.get()
    assert getter.target.read_bytes() == getter.content


def test_a_platform_that_cannot_continue_sends_all_of_it(getter: Getter) -> None:
    getter.part.write_bytes(getter.content[:5000])
    getter.double.continues_downloads = False
    assert getter.get().got_bytes == SIZE
    assert getter.target.read_bytes() == getter.content


def test_garbled_bytes_are_never_kept(getter: Getter) -> None:
    getter.fault("garble")
    with pytest.raises(UnverifiedError):
        getter.get()
    assert not getter.target.exists()
    getter.get()
    assert getter.target.read_bytes() == getter.content


def test_busy_and_ranges_that_are_refused(getter: Getter) -> None:
    getter.part.write_bytes(getter.content[:5000])
    getter.fault("status", status=416)
    getter.fault("status", status=503)
    getter.get()
    assert getter.target.read_bytes() == getter.content
    getter.target.unlink()
    getter.fault("status", status=404, body={"title": "Nothing here", "code": "not_found"})
    with pytest.raises(RefusedError, match="Nothing here"):
        getter.get()


def test_the_same_file_is_left_alone(getter: Getter) -> None:
    getter.target.write_bytes(getter.content)
    before = getter.target.stat()
    assert getter.get().outcome == "already_here"
    assert getter.target.stat().st_mtime_ns == before.st_mtime_ns
    assert getter.ranges() == []


@pytest.mark.parametrize("other", [b"something else", os.urandom(SIZE)])
def test_a_different_file_is_replaced_only_when_asked(getter: Getter, other: bytes) -> None:
    getter.target.write_bytes(other)
    with pytest.raises(TransferError, match="exists and is different") as caught:
        getter.get()
    assert "--overwrite" in caught.value.advice
    assert getter.target.read_bytes() == other
    assert getter.ranges() == []
    getter.get(overwrite=True)
    assert getter.target.read_bytes() == getter.content


def test_a_file_that_appears_meanwhile_is_not_replaced(getter: Getter) -> None:
    class Intruder(Silent):
        def checking(self, name: str) -> None:
            getter.target.write_bytes(b"mine")

    with pytest.raises(TransferError, match="appeared while"):
        getter.get(watcher=Intruder())
    assert getter.target.read_bytes() == b"mine"
    assert getter.part.exists(), "what was fetched is still there for --overwrite"


def test_a_folder_in_the_way_is_reported(getter: Getter) -> None:
    getter.target.mkdir()
    with pytest.raises(TransferError, match="is a folder"):
        getter.get(overwrite=True)


def test_links_do_not_lead_out_of_the_folder(getter: Getter, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "precious"
    outside.write_bytes(b"precious")
    getter.part.symlink_to(outside)
    with pytest.raises(OSError, match="symbolic links"):
        getter.get()
    getter.part.unlink()
    getter.target.symlink_to(outside)
    getter.get(overwrite=True)
    assert outside.read_bytes() == b"precious"
    assert not getter.target.is_symlink()
    assert getter.target.read_bytes() == getter.content


@pytest.mark.parametrize("name", ["../master.mov", "/absolute/master.mov", "..", "a\\..\\b", "x\x00.mov"])
def test_a_hostile_name_is_refused_and_nothing_is_written(getter: Getter, name: str) -> None:
    getter.listed["name"] = name
    getter.folder = getter.folder / "deep" / "deeper"
    getter.folder.mkdir(parents=True)
    top = getter.folder.parent.parent
    before = sorted(top.rglob("*"))
    with pytest.raises(BadAnswerError):
        getter.get()
    assert sorted(top.rglob("*")) == before
    assert not Path("/absolute").exists()


def test_a_hidden_name_is_made_visible(getter: Getter) -> None:
    getter.listed["name"] = ".bash\u202erc"
    assert getter.get().path == getter.folder / "_bash_rc"
    assert [path.name for path in getter.folder.iterdir()] == ["_bash_rc"]
    assert getter.get().outcome == "already_here"


def test_a_file_that_is_sent_compressed_is_not_taken(getter: Getter) -> None:
    getter.fault("raw", status=200, headers={"Content-Encoding": "gzip"}, raw=b"x" * SIZE)
    with pytest.raises(BadAnswerError, match="not asked for"):
        getter.get()
    assert not getter.target.exists()
    getter.fault("raw", status=404, headers={"Content-Encoding": "gzip"}, raw=b"no gzip at all")
    with pytest.raises(RefusedError, match="answered 404"):
        getter.get()


def test_a_refusal_with_odd_headers_is_a_refusal(getter: Getter) -> None:
    getter.fault("raw", status=302, headers={"Location": "https://evil.example/\x9b2J"})
    with pytest.raises(RefusedError, match="It leads to https://evil"):
        getter.get()


def test_more_bytes_than_announced_are_not_taken(getter: Getter) -> None:
    getter.listed["size"] = 1000
    with pytest.raises(BadAnswerError, match="more bytes"):
        getter.get()
    assert getter.part.stat().st_size <= 1000
    assert not getter.target.exists()


def test_a_file_that_does_not_fit_on_the_disk_is_not_begun(getter: Getter) -> None:
    getter.listed |= {"size": 2**62, "sha256": hashlib.sha256(b"").hexdigest()}
    with pytest.raises(TransferError, match="not enough room"):
        getter.get()
    assert getter.ranges() == []
