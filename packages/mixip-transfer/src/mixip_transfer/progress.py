"""Progress for a terminal: bars with bytes, rate and time left; plain lines where there is no terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from mixip_transfer.names import printable
from mixip_transfer.watching import Silent, Watcher

_LINE_EVERY_SECONDS = 5.0


def progress(stream: TextIO, *, quiet: bool) -> AbstractContextManager[Watcher]:
    """The watcher that fits: nothing when `quiet`, bars on a terminal, lines elsewhere."""
    if quiet:
        return nullcontext(Silent())
    console = Console(file=stream)
    return Bars(console) if console.is_terminal else nullcontext(Lines(stream))


class Bars:
    """One bar per file; finished ones stay above."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            _Across(),
            _Rate(),
            TimeRemainingColumn(compact=True),
            console=console,
            expand=True,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._progress.stop()

    def started(self, name: str, size: int, already: int) -> None:
        self._leave()
        self._task = self._progress.add_task(printable(name), total=size, completed=already)

    def moved(self, count: int) -> None:
        if self._task is not None:
            self._progress.update(self._task, advance=count)

    def checking(self, name: str) -> None:
        if self._task is not None:
            self._progress.update(self._task, description=f"{printable(name)} (checking)")

    def waiting(self, reason: str, seconds: float) -> None:
        self._progress.console.print(_waiting(reason, seconds), markup=False, highlight=False)

    def finished(self, name: str, outcome: str) -> None:
        self._leave()
        self._progress.console.print(f"{printable(name)} {outcome}", markup=False, highlight=False)

    def _leave(self) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
            self._progress.refresh()  # else the bar of a finished file stands below the line that says so


class _Across(ProgressColumn):
    """Bytes across, of all: rich's own column writes other units than the web pages."""

    def render(self, task: Task) -> Text:
        return Text(f"{amount(int(task.completed))} of {amount(int(task.total or 0))}", "progress.download")


class _Rate(ProgressColumn):
    """Bytes per second, once there is a rate."""

    def render(self, task: Task) -> Text:
        rate = task.finished_speed or task.speed
        return Text(f"{amount(int(rate))}/s" if rate else "", "progress.data.speed")


class Lines:
    """A line when a file begins and ends, and one every few seconds between."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._lock = threading.Lock()
        self._name = ""
        self._size = 0
        self._done = 0
        self._last = 0.0
        self._began = (0.0, 0)

    def started(self, name: str, size: int, already: int) -> None:
        with self._lock:
            self._name, self._size, self._done = printable(name), size, already
            self._last = self._clock()
            self._began = (self._last, already)

    def moved(self, count: int) -> None:
        with self._lock:
            self._done += count
            now = self._clock()
            if now - self._last < _LINE_EVERY_SECONDS:
                return
            self._last = now
            rate = max(0, self._done - self._began[1]) / max(now - self._began[0], 0.001)
            left = f", {(self._size - self._done) / rate:.0f} s left" if rate else ""
            share = 100 * self._done // max(self._size, 1)
            self._say(f"{self._name}: {share} % of {amount(self._size)}, {amount(int(rate))}/s{left}")

    def checking(self, name: str) -> None:
        self._say(f"{printable(name)}: checking")

    def waiting(self, reason: str, seconds: float) -> None:
        self._say(_waiting(reason, seconds))

    def finished(self, name: str, outcome: str) -> None:
        self._say(f"{printable(name)} {outcome}")

    def _say(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


def amount(count: int) -> str:
    """A number of bytes for people, in powers of 1000 and as the web pages write it: `0 B`, `1.5 GB`, `150 GB`."""
    units = ("B", "KB", "MB", "GB", "TB")
    power = 0
    while power < len(units) - 1 and count / 1000**power >= (1000 if power == 0 else 999.5):
        power += 1
    value = count / 1000**power
    return f"{value:.0f} {units[power]}" if power == 0 or value >= 100 else f"{value:.1f} {units[power]}"


def _waiting(reason: str, seconds: float) -> str:
    return f"{reason}; trying again in {max(1, round(seconds))} s"
