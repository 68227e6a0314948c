"""The store on a local disk: one file per upload, written in any order, renamed into place when it is finished.

uploads/KEY           being delivered
objects/xx/KEY        delivered; xx are the key's last two characters, so folders stay small
previews/xx/KEY/      what is derived from it
"""

import contextlib
import errno
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from mixip.storage.protocol import SealedError, Store

PIECE = 1024 * 1024
MOST_RESERVED = 1024**3  # left free for the database and the rest; less, a twentieth, on a small disk


class DiskWriter:
    """Positioned writes into one file."""

    def __init__(self, descriptor: int, offset: int) -> None:
        self._descriptor = descriptor
        self._offset = offset

    def write(self, piece: bytes | memoryview) -> None:
        """Write all of it; the kernel may take a part at a time. The lock keeps `seal` from coming in between."""
        view = memoryview(piece)
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)
        try:
            if not os.fstat(self._descriptor).st_mode & stat.S_IWUSR:
                raise SealedError
            while view:
                written = os.pwrite(self._descriptor, view, self._offset)
                self._offset += written
                view = view[written:]
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the file back."""
        os.close(self._descriptor)


class DiskStore(Store):
    """Files below one folder. Safe for several threads; one machine."""

    def __init__(self, root: Path) -> None:
        self._root = root
        for name in ("uploads", "objects", "previews"):
            (root / name).mkdir(parents=True, exist_ok=True)

    def begin(self, key: str, size: int) -> None:
        """Make a file of this size without its blocks, if there is room for them now.

        Not preallocated: whoever announced a large file and sent nothing would take the room from those who send
        (docs/decisions/0007).
        """
        self._require_room(size)
        path = self._upload(key)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            os.ftruncate(descriptor, size)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)

    def segment(self, key: str, *, index: int, offset: int, length: int) -> DiskWriter:  # noqa: ARG002  others need it
        """Write at an offset, while there is room."""
        self._require_room(length)
        return DiskWriter(os.open(self._upload(key), os.O_WRONLY), offset)

    def read(self, key: str, *, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Read a range, or to the end."""
        descriptor = os.open(self._existing(key), os.O_RDONLY)
        try:
            left = os.fstat(descriptor).st_size - offset if length is None else length
            while left > 0:
                piece = os.pread(descriptor, min(PIECE, left), offset)
                if not piece:
                    raise OSError(f"{key} ends {left} bytes early")
                offset += len(piece)
                left -= len(piece)
                yield piece
        finally:
            os.close(descriptor)

    def seal(self, key: str) -> None:
        """Take the permission to write away, once no write is under way; `DiskWriter` looks at it before each one."""
        self._set_mode(key, 0o400)

    def unseal(self, key: str) -> None:
        """Give the permission back."""
        self._set_mode(key, 0o600)

    def finish(self, key: str) -> None:
        """Flush the file, rename it, flush the folders: after a power failure it is there whole or still an upload."""
        upload, target = self._upload(key), self.local_path(key)
        if target.exists():
            return
        _flush(upload)
        if not target.parent.exists():
            target.parent.mkdir(exist_ok=True)
            _flush(target.parent.parent)
        upload.rename(target)
        _flush(target.parent)
        _flush(upload.parent)

    def discard(self, key: str) -> None:
        """Remove whatever there is under this key."""
        self._upload(key).unlink(missing_ok=True)
        self.local_path(key).unlink(missing_ok=True)
        shutil.rmtree(self._preview(key), ignore_errors=True)

    def uploads(self, *, untouched_since: datetime) -> list[str]:
        """Upload files whose time of change lies before."""
        found = []
        for entry in os.scandir(self._root / "uploads"):
            with contextlib.suppress(FileNotFoundError):  # finished or discarded a moment ago
                if entry.stat().st_mtime < untouched_since.timestamp():
                    found.append(entry.name)
        return found

    def local_path(self, key: str) -> Path:
        """The object's own file."""
        return self._root / "objects" / key[-2:] / key

    def preview_folder(self, key: str) -> Path:
        """The folder of previews of this object."""
        folder = self._preview(key)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def healthy(self) -> bool:
        """Write and remove a small file."""
        try:
            with tempfile.TemporaryFile(dir=self._root / "uploads") as probe:
                probe.write(b"ok")
        except OSError:
            return False
        return True

    def _require_room(self, size: int) -> None:
        """Refuse before the disk is full to the last byte: the database needs room to say so. Raises OSError."""
        disk = os.statvfs(self._root)
        reserve = min(MOST_RESERVED, disk.f_blocks * disk.f_frsize // 20)
        if disk.f_bavail * disk.f_frsize < size + reserve:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _set_mode(self, key: str, mode: int) -> None:
        descriptor = os.open(self._existing(key), os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            os.fchmod(descriptor, mode)
        finally:
            os.close(descriptor)

    def _upload(self, key: str) -> Path:
        return self._root / "uploads" / key

    def _preview(self, key: str) -> Path:
        return self._root / "previews" / key[-2:] / key

    def _existing(self, key: str) -> Path:
        upload = self._upload(key)
        return upload if upload.exists() else self.local_path(key)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
