"""The session token in the operating system's secure storage, and nowhere else.

Source: the cookie policy, section 7. Under the service name `mixip-transfer` there is one entry for the address of the
platform that is used by default, and one per platform that holds its session token and nothing else. Only the storage
of the operating system itself is accepted: a backend that is not on the list below is refused, whatever it promises.
"""

from __future__ import annotations

import logging
import queue
import secrets
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

from mixip_transfer.errors import KeyringError

T = TypeVar("T")

log = logging.getLogger("mixip_transfer")

SERVICE = "mixip-transfer"
CURRENT = "current platform"
ANSWER_SECONDS = 60.0  # long enough to type the password of a locked keyring

_TRIAL = "trial entry, safe to remove"
_CHAIN = "keyring.backends.chainer"
_OF_THE_SYSTEM = frozenset(
    {
        "keyring.backends.SecretService",
        "keyring.backends.libsecret",
        "keyring.backends.kwallet",
        "keyring.backends.macOS",
        "keyring.backends.Windows",
    }
)

_ADVICE = {
    "linux": (
        "Sign in needs a keyring: GNOME Keyring, KWallet or KeePassXC (Secret Service switched on), unlocked.\n"
        "On Debian and Ubuntu: apt-get install gnome-keyring dbus\n"
        "In a desktop session it then starts by itself. Without one:\n"
        "  dbus-run-session -- bash\n"
        "  gnome-keyring-daemon --unlock --components=secrets    (type a password, then Enter and Ctrl-D)"
    ),
    "darwin": "Open Keychain Access, unlock the login keychain and allow mixip-transfer to use it.",
    "win32": "Check in the Control Panel that the Windows Credential Manager is running.",
}


def advice(system: str = sys.platform) -> str:
    """How to get a usable keyring on this operating system."""
    return _ADVICE.get(system, "Install the password storage of your operating system and unlock it.")


class SecureStorage:
    """The keyring. Every call raises KeyringError when the keyring refuses, or does not answer in time."""

    def __init__(self, backend: object, *, seconds: float = ANSWER_SECONDS) -> None:
        self._backend = backend
        self._seconds = seconds

    def require_usable(self) -> None:
        """Raise KeyringError unless a value can be kept, read and removed again. Leaves nothing behind."""
        value = secrets.token_urlsafe(8)
        self._set(_TRIAL, value)
        kept = self._get(_TRIAL)
        self._remove(_TRIAL)
        if kept != value:
            raise KeyringError("The keyring does not keep what it is given.", advice())

    def token(self, address: str) -> str | None:
        return self._get(address)

    def keep(self, address: str, token: str) -> None:
        """Keep the token of a platform, which becomes the one that is used by default."""
        self._set(address, token)
        self._set(CURRENT, address)

    def forget(self, address: str) -> None:
        """Remove everything about a platform; fine when there is nothing."""
        self._remove(address)
        if self._get(CURRENT) == address:
            self._remove(CURRENT)

    def current(self) -> str | None:
        """The address of the platform that is used by default."""
        return self._get(CURRENT)

    def _get(self, entry: str) -> str | None:
        return in_time(lambda: self._backend.get_password(SERVICE, entry), self._seconds)  # type: ignore[attr-defined, no-any-return]

    def _set(self, entry: str, value: str) -> None:
        in_time(lambda: self._backend.set_password(SERVICE, entry, value), self._seconds)  # type: ignore[attr-defined]

    def _remove(self, entry: str) -> None:
        if self._get(entry) is not None:
            in_time(lambda: self._backend.delete_password(SERVICE, entry), self._seconds)  # type: ignore[attr-defined]


def open_storage(*, seconds: float = ANSWER_SECONDS) -> SecureStorage:
    """The operating system's secure storage; KeyringError when there is none. Writes nothing."""
    return SecureStorage(in_time(_choose, seconds), seconds=seconds)


def _choose() -> object:
    import keyring  # it looks for backends when imported, so only here, under the time limit

    backend = keyring.get_keyring()
    # A chain writes to its first member and reads from all: take the one that may hold the token, not the chain.
    members: list[object] = [backend]
    if type(backend).__module__ == _CHAIN:
        members = list(getattr(backend, "backends", []))
    for member in members:
        if is_of_the_system(member):
            return member
    name = f"{type(members[0]).__module__}.{type(members[0]).__qualname__}" if members else "none"
    if name == "keyring.backends.fail.Keyring" or not members:
        raise KeyringError("No keyring was found on this computer, so you cannot sign in here.", advice())
    raise KeyringError(
        f"The keyring backend {name} is not the secure storage of the operating system, so it is not used.", advice()
    )


def is_of_the_system(backend: object) -> bool:
    """Whether a keyring backend is the operating system's own secure storage."""
    return type(backend).__module__ in _OF_THE_SYSTEM


def in_time(call: Callable[[], T], seconds: float) -> T:
    """What `call` returns, or KeyringError when it raises or takes longer than `seconds`.

    Keyrings can hang: without a display, or behind a password window that nobody sees. The thread is left behind then.
    """
    answers: queue.SimpleQueue[tuple[bool, T | Exception]] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put((True, call()))
        except Exception as failure:  # noqa: BLE001  each backend has exceptions of its own; all mean the same here
            answers.put((False, failure))

    threading.Thread(target=ask, daemon=True).start()
    try:
        fine, value = answers.get(timeout=seconds)
    except queue.Empty:
        raise KeyringError(
            f"The keyring did not answer within {seconds:g} seconds. Is its password window hidden behind another one?",
            advice(),
        ) from None
    if fine:
        return value  # type: ignore[return-value]
    if isinstance(value, KeyringError):
        raise value
    log.debug("keyring: %s", type(value).__name__)
    raise KeyringError("The keyring cannot be used.", advice()) from None
