"""Passwords: argon2id with the library's defaults (RFC 9106, 64 MiB).

Hashing has two threads of its own, and a line that is not endless: however many people try to sign in, the pages and
deliveries of the others go on.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mixip.errors import Problem

MIN_LENGTH = 8
MAX_LENGTH = 256
AT_ONCE = 2  # each takes 64 MiB and a core
MOST_WAITING = 64
RETRY_AFTER_SECONDS = 10

_hasher = PasswordHasher()

T = TypeVar("T")


class PasswordRoom:
    """Where passwords are hashed and checked."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="password")
        self._inside = 0

    async def hash(self, password: str) -> str:
        """An argon2id hash with its parameters and salt."""
        return await self._run(partial(_hasher.hash, password))

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password has this hash. Without a hash it takes as long and says no: time tells nothing."""
        return await self._run(partial(_verify, password, stored))

    def close(self) -> None:
        """No more hashing."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, job: Callable[[], T]) -> T:
        if self._inside >= AT_ONCE + MOST_WAITING:
            raise Problem("unavailable", headers={"retry-after": str(RETRY_AFTER_SECONDS)})
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, job)
        finally:
            self._inside -= 1


def needs_rehash(stored: str) -> bool:
    """Whether the hash was made with older parameters."""
    return _hasher.check_needs_rehash(stored)


def _verify(password: str, stored: str | None) -> bool:
    try:
        _hasher.verify(stored or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


@cache
def _nobody() -> str:
    return _hasher.hash("no account has this password")
