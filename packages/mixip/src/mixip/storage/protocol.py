"""What a store must be able to do. Terms: docs/transfer-protocol.md.

An *upload* is written segment by segment and becomes one plain *object* under the same key. An S3-compatible store maps
`begin` to CreateMultipartUpload, `segment` to UploadPart, `finish` to CompleteMultipartUpload. Every method may raise
OSError; running out of space is ENOSPC or EDQUOT.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable


class SealedError(Exception):
    """The upload was sealed while it was written to."""


class SegmentWriter(Protocol):
    """Receives the bytes of one segment in order, in pieces of any size."""

    def write(self, piece: bytes | memoryview) -> None:
        """Take the next piece. Raises SealedError when the upload takes no more."""

    def close(self) -> None:
        """No more pieces. What was written can be overwritten by another writer of the same segment."""


@runtime_checkable
class Store(Protocol):
    """Uploads and objects, named by keys that the platform makes."""

    def begin(self, key: str, size: int) -> None:
        """Begin an upload of `size` bytes, if there is room for it."""

    def segment(self, key: str, *, index: int, offset: int, length: int) -> SegmentWriter:
        """Write one segment of an upload. Raises FileNotFoundError when the upload is gone."""

    def read(self, key: str, *, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes of an upload or object in pieces of up to 1 MiB. Raises FileNotFoundError."""

    def seal(self, key: str) -> None:
        """Let nobody write to an upload any more, not even those who are writing. Raises FileNotFoundError."""

    def unseal(self, key: str) -> None:
        """Let an upload be written to again."""

    def finish(self, key: str) -> None:
        """Make an upload durable and turn it into an object, atomically. Finished already: does nothing."""

    def discard(self, key: str) -> None:
        """Remove an upload or object with its preview. Gone already: does nothing."""

    def uploads(self, *, untouched_since: datetime) -> list[str]:
        """The keys of uploads that nobody has written to since."""

    def local_path(self, key: str) -> Path:
        """A path under which another program can read the object."""

    def preview_folder(self, key: str) -> Path:
        """A folder for what is derived from an object; made when it is missing."""

    def healthy(self) -> bool:
        """Whether a small write works right now."""
