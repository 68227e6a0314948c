"""How far an audit is, on standard error: one line that changes on a terminal, and a line now and then elsewhere."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from strictly_necessary.audit._observation import State
from strictly_necessary.audit.report._words import counted

if TYPE_CHECKING:
    from strictly_necessary.audit.crawl import Progress

_NOW_AND_THEN = 10.0
"""Seconds between two lines in a log."""


class ProgressLine:
    """Call it with each progress, and `end` it before anything else is written."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._is_terminal = self._stream.isatty()
        self._begun = clock()
        self._told = self._begun
        self._stages: dict[State, tuple[int, int]] = {}
        self._is_open = False

    def __call__(self, progress: Progress) -> None:
        self._stages[progress.state] = (progress.done, progress.known)
        now = self._clock()
        if self._is_terminal:
            line = self._line(now)[: shutil.get_terminal_size().columns - 1]
            self._write(f"\r\x1b[K{line}")
            self._is_open = True
        elif now - self._told >= _NOW_AND_THEN:
            self._told = now
            self._write(f"{self._line(now)}\n")

    def end(self) -> None:
        """Take the changing line away."""
        if self._is_open:
            self._write("\r\x1b[K")
            self._is_open = False

    def _line(self, now: float) -> str:
        parts = [f"{state} {done}/{known}" for state, (done, known) in self._stages.items() if done < known]
        pages = sum(done for done, _ in self._stages.values())
        return f"{now - self._begun:.0f} s, {counted(pages, 'page')}" + (f": {', '.join(parts)}" if parts else "")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
