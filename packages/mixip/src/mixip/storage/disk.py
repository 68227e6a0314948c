"""The store on a local disk: a preallocated file per upload, renamed into place when it is finished.

uploads/KEY           being delivered
objects/xx/KEY        delivered; xx are the key's last two characters, so folders stay small
previews/xx/KEY/      what is derived from it
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from mixip.storage.protocol import Store

PIECE = 1024 * 1024


class DiskWriter:
    """Positioned writes into one file."""

    def __init__(self, descriptor: int, offset: int) -> None:
        self._descriptor = descriptor
        self._offset = offset

    def write(self, piece: bytes | memoryview) -> None:
        """Write all of it; the kernel may take a part at a time."""
        view = memoryview(piece)
        while view:
            written = os.pwrite(self._descriptor, view, self._offset)
            self._offset += written
            view = view[written:]

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
        """Reserve the space now, so that a full disk is noticed before anything is sent."""
        path = self._upload(key)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(descriptor, 0, size)
            else:
                os.ftruncate(descriptor, size)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)

    def segment(self, key: str, *, index: int, offset: int, length: int) -> DiskWriter:  # noqa: ARG002  others need both
        """Write at an offset."""
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
        probe = self._root / "uploads" / f".healthy-{os.getpid()}"
        try:
            probe.write_bytes(b"ok")
            probe.unlink()
        except OSError:
            return False
        return True

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
