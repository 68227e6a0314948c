"""A local file as the source of a delivery: read in pieces, watched for change."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from mixip_transfer.digests import PIECE_BYTES
from mixip_transfer.errors import FileChangedError, StoppedError, UsageError
from mixip_transfer.names import delivery_name, printable


class Source:
    """An open regular file of at least one byte. Threads may read from it at once.

    Raises UsageError for what cannot be delivered, OSError for what cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        shown = printable(str(path))
        mode = path.stat().st_mode  # before opening: a named pipe would block
        if stat.S_ISDIR(mode):
            raise UsageError(f"{shown} is a folder.", "Name the files in it.")
        if not stat.S_ISREG(mode):
            raise UsageError(f"{shown} is not a regular file.")
        self.name = delivery_name(path.name)
        self._file = path.open("rb", buffering=0)
        self._lock = threading.Lock()
        facts = os.fstat(self._file.fileno())
        self.size = facts.st_size
        self._modified_ns = facts.st_mtime_ns
        if self.size == 0:
            self._file.close()
            raise UsageError(f"{shown} is empty.", "A file of at least one byte can be delivered.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._file.close()

    @property
    def last_modified(self) -> int:
        """Milliseconds since 1970, rounded down as browsers do."""
        return self._modified_ns // 1_000_000

    def pieces(self, offset: int, length: int, *stops: threading.Event) -> Iterator[bytes]:
        """The bytes of a range, at most 1 MiB at a time. StoppedError once one of `stops` is set;
        FileChangedError when the file has become shorter."""
        end = offset + length
        while offset < end:
            if self._file.closed or any(stop.is_set() for stop in stops):
                raise StoppedError
            piece = self._read(offset, min(PIECE_BYTES, end - offset))
            if not piece:
                raise FileChangedError(printable(self.name))
            offset += len(piece)
            yield piece

    def require_unchanged(self) -> None:
        """Raise FileChangedError unless size and time of modification are as they were, of the open file and of
        whatever stands at its path now."""
        try:
            now = [os.fstat(self._file.fileno()), self.path.stat()]
        except FileNotFoundError:
            raise FileChangedError(printable(self.name)) from None
        if any((facts.st_size, facts.st_mtime_ns) != (self.size, self._modified_ns) for facts in now):
            raise FileChangedError(printable(self.name))

    def _read(self, offset: int, length: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._file.fileno(), length, offset)
        with self._lock:
            self._file.seek(offset)
            return self._file.read(length)
