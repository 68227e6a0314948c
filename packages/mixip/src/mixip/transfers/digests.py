"""Content-Digest (RFC 9530) with sha-256 and blake3."""

import hashlib
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from blake3 import blake3


class Hasher(Protocol):
    """What hashlib and blake3 share."""

    def update(self, data: bytes, /) -> object:
        """Take more bytes."""

    def digest(self) -> bytes:
        """The digest of all bytes taken."""


HASHERS: Mapping[str, Callable[[], Hasher]] = {"sha-256": hashlib.sha256, "blake3": blake3}
LENGTH = 32  # bytes, of both

_MEMBER = re.compile(r"\s*([a-z0-9*_.-]+)=:([A-Za-z0-9+/=]*):\s*")


class Digest(NamedTuple):
    """A digest and the algorithm it was made with."""

    algorithm: str
    value: bytes

    def __str__(self) -> str:
        return f"{self.algorithm}=:{b64encode(self.value).decode()}:"


def parse_content_digest(header: str | None) -> Digest | None:
    """The first digest in the header that we can check, or None."""
    for member in (header or "").split(","):
        if (match := _MEMBER.fullmatch(member)) and match[1] in HASHERS:
            try:
                value = b64decode(match[2], validate=True)
            except Base64Error:
                return None
            return Digest(match[1], value) if len(value) == LENGTH else None
    return None
