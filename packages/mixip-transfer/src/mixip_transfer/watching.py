"""How the engine tells what it is doing. A terminal, a window and a test each bring their own watcher."""

from __future__ import annotations

from typing import Protocol


class Watcher(Protocol):
    """Told about one file after another. Calls may come from several threads."""

    def started(self, name: str, size: int, already: int) -> None:
        """A file of `size` bytes begins; `already` bytes of it need not be moved."""

    def moved(self, count: int) -> None:
        """`count` further bytes are across; negative when an attempt was lost and its bytes go again."""

    def checking(self, name: str) -> None:
        """All bytes are across; now the two ends compare."""

    def waiting(self, reason: str, seconds: float) -> None:
        """Nothing moves for `seconds`, for this reason."""

    def finished(self, name: str, outcome: str) -> None:
        """This file is done: `outcome` in a few words."""


class Silent:
    """A watcher that says nothing."""

    def started(self, name: str, size: int, already: int) -> None: ...

    def moved(self, count: int) -> None: ...

    def checking(self, name: str) -> None: ...

    def waiting(self, reason: str, seconds: float) -> None: ...

    def finished(self, name: str, outcome: str) -> None: ...
