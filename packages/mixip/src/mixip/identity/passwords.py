"""Passwords: argon2id with the library's defaults (RFC 9106, 64 MiB), at most two at a time."""

from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 8
MAX_LENGTH = 256

_hasher = PasswordHasher()
_room = BoundedSemaphore(2)  # each takes 64 MiB and a core


def hash_password(password: str) -> str:
    """An argon2id hash with its parameters and salt."""
    with _room:
        return _hasher.hash(password)


def verify_password(password: str, stored: str | None) -> bool:
    """Whether the password has this hash. Without a hash it takes as long and says no, so that time tells nothing."""
    with _room:
        try:
            _hasher.verify(stored or _nobody(), password)
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None


def needs_rehash(stored: str) -> bool:
    """Whether the hash was made with older parameters."""
    return _hasher.check_needs_rehash(stored)


@cache
def _nobody() -> str:
    return _hasher.hash("no account has this password")
