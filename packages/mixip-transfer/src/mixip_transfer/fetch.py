"""Get one file: into a `.part` beside the target, continued where it stopped, verified, then put in place at once.

Nothing appears under the file's own name before all of it is there, verified and on the disk.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpx

from mixip_transfer.answers import File
from mixip_transfer.content import ConnectionLostError
from mixip_transfer.digests import PIECE_BYTES, sha256_hex
from mixip_transfer.errors import BadAnswerError, RefusedError, StoppedError, TransferError, UnverifiedError
from mixip_transfer.names import local_name, part_name, printable
from mixip_transfer.platform import Platform
from mixip_transfer.watching import Watcher


@dataclass(frozen=True, slots=True)
class Fetched:
    """Where the file is now. `outcome` is `fetched` or `already_here`; `got_bytes` came over the line now."""

    path: Path
    file: File
    outcome: str
    got_bytes: int


def fetch(
    platform: Platform, file: File, folder: Path, *, overwrite: bool, watcher: Watcher, stop: threading.Event
) -> Fetched:
    """Get `file` into `folder`, which exists, under its own name.

    A file that is there already with the same bytes is left alone; a different one is replaced only with `overwrite`.
    Raises TransferError; OSError when it cannot be written. What has arrived stays for the next attempt.
    """
    target = folder / local_name(file.name, windows=os.name == "nt")
    shown = printable(str(target))
    if _stands(target):
        watcher.started(file.name, file.size, file.size)
        watcher.checking(file.name)
        if _is_same(target, file, stop):
            watcher.finished(file.name, "was here before")
            return Fetched(target, file, "already_here", 0)
        if target.is_dir():
            raise TransferError(f"{shown} is a folder.", "Choose another folder with --to.", code="in_the_way")
        if not overwrite:
            raise TransferError(
                f"{shown} exists and is different.",
                "Use --overwrite to replace it, or --to to choose another folder.",
                code="in_the_way",
            )
    part = folder / part_name(target.name, file.sha256)
    with _open_part(part) as stream:
        got = _Download(platform, file, stream, watcher=watcher, stop=stop).run(shutil.disk_usage(folder).free)
        watcher.checking(file.name)
        stream.flush()
        os.fsync(stream.fileno())
    _put_in_place(part, target, overwrite=overwrite)
    watcher.finished(file.name, "here and verified")
    return Fetched(target, file, "fetched", got)


class _Download:
    """The bytes of one file into an open `.part`, over as many connections as it takes."""

    def __init__(
        self, platform: Platform, file: File, stream: BinaryIO, *, watcher: Watcher, stop: threading.Event
    ) -> None:
        self._platform = platform
        self._file = file
        self._stream = stream
        self._watcher = watcher
        self._stop = stop
        self._have = 0
        self._got = 0
        self._hash = hashlib.sha256()

    def run(self, free: int) -> int:
        """Returns how many bytes came over the line. Afterwards the stream holds exactly the file, verified.

        `free` is the room on the disk in bytes; too little raises before anything is asked for.
        """
        self._take_up()
        continued = self._have > 0
        if free < self._file.size - self._have:
            raise TransferError(
                f"There is not enough room for {printable(self._file.name)}:"
                f" {self._file.size - self._have} bytes are needed and {free} are free.",
                "Make room, or choose another folder with --to.",
                code="disk_full",
            )
        self._watcher.started(self._file.name, self._file.size, self._have)
        self._receive()
        if continued and self._hash.hexdigest() != self._file.sha256:
            # What lay there was not the beginning of this file (or the disk lost some of it in a crash).
            self._start_anew()
            self._receive()
        if self._hash.hexdigest() != self._file.sha256:
            self._start_anew()
            raise UnverifiedError(
                f"{printable(self._file.name)} arrived with another SHA-256 than the platform lists; it was not kept.",
                "Try again, and tell whoever runs the platform if it happens twice.",
            )
        return self._got

    def _take_up(self) -> None:
        size = os.fstat(self._stream.fileno()).st_size
        if size > self._file.size:
            self._stream.truncate(0)
            return
        while piece := self._stream.read(PIECE_BYTES):
            if self._stop.is_set():
                raise StoppedError
            self._hash.update(piece)
            self._have += len(piece)

    def _start_anew(self) -> None:
        self._watcher.moved(-self._have)
        self._stream.seek(0)
        self._stream.truncate(0)
        self._have = 0
        self._hash = hashlib.sha256()

    def _receive(self) -> None:
        backoff = self._platform.backoff()
        while self._have < self._file.size:
            before = self._have
            try:
                self._receive_once()
            except ConnectionLostError as error:
                if self._have > before:
                    backoff.succeeded()
                if self._platform.is_distrusted(error) or not self._platform.pause(
                    backoff, "No connection to the platform"
                ):
                    raise self._platform.unreachable(error) from error
            except RefusedError as refusal:
                if refusal.status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and before:
                    self._start_anew()
                elif not (
                    refusal.retry_later and self._platform.pause(backoff, "The platform is busy", refusal.retry_after)
                ):
                    raise

    def _receive_once(self) -> None:
        with self._platform.content(self._file.id, offset=self._have, etag=f'"{self._file.sha256}"') as content:
            if content.status == httpx.codes.OK and self._have:
                self._start_anew()
            if content.status == httpx.codes.PARTIAL_CONTENT:
                _require_range(content.header("Content-Range"), self._have, self._file.size)
            for piece in content.pieces():
                if self._stop.is_set():
                    raise StoppedError
                if self._have + len(piece) > self._file.size:
                    raise BadAnswerError(f"The platform sends more bytes than {printable(self._file.name)} has.")
                self._stream.write(piece)
                self._hash.update(piece)
                self._have += len(piece)
                self._got += len(piece)
                self._watcher.moved(len(piece))
        if self._have < self._file.size:
            raise ConnectionLostError("the answer ended early")


def _require_range(content_range: str, offset: int, size: int) -> None:
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", content_range)
    if not found or (int(found.group(1)), int(found.group(2))) != (offset, size):
        raise BadAnswerError("The platform answered with another range than was asked for.")


def _stands(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _is_same(path: Path, file: File, stop: threading.Event) -> bool:
    """Whether a regular file has the size and the SHA-256 of the delivered one."""
    if not path.is_file() or path.stat().st_size != file.size:
        return False

    with path.open("rb", buffering=0) as stream:

        def read() -> bytes:
            if stop.is_set():
                raise StoppedError
            return stream.read(PIECE_BYTES)

        return sha256_hex(iter(read, b"")) == file.sha256


def _open_part(path: Path) -> BinaryIO:
    # A link planted under this name must not decide where the bytes go.
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o666), "r+b", buffering=PIECE_BYTES)


def _put_in_place(part: Path, target: Path, *, overwrite: bool) -> None:
    """Rename atomically; without `overwrite` never over something that appeared meanwhile."""
    if overwrite:
        part.replace(target)
    else:
        try:
            target.hardlink_to(part)  # unlike a rename, it fails when the name is taken
            part.unlink()
        except FileExistsError:
            raise TransferError(
                f"{printable(str(target))} appeared while it was being fetched.",
                "Use --overwrite to replace it.",
                code="in_the_way",
            ) from None
        except OSError:  # a file system without hard links
            if _stands(target):
                raise
            part.rename(target)
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
