"""The journal of an audit: what is finished, one line each, so that an interrupted audit goes on where it stopped.

It holds what the browser kept, values too, so only its owner may read it, and it is removed when the audit ends.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO

from strictly_necessary.audit._observation import State, Visit
from strictly_necessary.audit._plan import Plan
from strictly_necessary.audit.crawl._plainly import plainly, typed

FORMAT = 1

_ALIKE = ("url", "pages", "script", "addresses", "exclude", "explore", "insecure", "resolve", "patience")
"""What has to be the same in the plan of the audit that goes on."""


class JournalError(Exception):
    """The file is no journal of this audit. The message says what to do."""


@dataclass
class Journal:
    """`visits` are those that were finished before, in order; `ended` the states of which nothing is left to do;
    `asks` is the first page that asked for consent. A path of None keeps nothing."""

    path: Path | None
    visits: dict[State, list[Visit]] = field(default_factory=dict)
    ended: dict[State, str | None] = field(default_factory=dict)
    asks: str | None = None
    _file: IO[str] | None = None

    @classmethod
    def open(cls, plan: Plan) -> Journal:
        """Read what is there, and go on writing behind it. Raises JournalError, and OSError."""
        journal = cls(plan.resume)
        if plan.resume is None:
            return journal
        head = {"format": FORMAT, "audit": _mark(plan)}
        good = 0
        if plan.resume.exists():
            good = journal._read(plan.resume, head)
        # Where others may write too, a link in its place could lead to any file of ours.
        descriptor = os.open(plan.resume, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        os.fchmod(descriptor, 0o600)  # it may have been there, with other rights
        os.ftruncate(descriptor, good)  # the last line may have been cut off
        journal._file = os.fdopen(descriptor, "a", encoding="utf-8")
        if good == 0:
            journal._write(head)
        return journal

    def finished(self, visit: Visit) -> None:
        """The visit will not be made again."""
        if self._file is not None:  # without a journal, the work of writing it plainly is for nothing
            self._write({"visit": plainly(visit)})

    def asked(self, url: str) -> None:
        """This page asks for consent."""
        self._write({"asks": url})

    def ends(self, state: State, skipped: str | None = None) -> None:
        """Nothing more happens in this state."""
        self._write({"ended": state.value, "skipped": skipped})

    def close(self, *, remove: bool) -> None:
        """`remove` when the audit has ended."""
        if self._file is not None:
            self._file.close()
            self._file = None
            if remove and self.path is not None:
                with contextlib.suppress(FileNotFoundError):
                    self.path.unlink()

    def _write(self, line: dict[str, object]) -> None:
        if self._file is not None:
            self._file.write(_written(line))
            self._file.flush()

    def _read(self, path: Path, head: dict[str, object]) -> int:
        """The number of bytes that are whole lines of this audit."""
        good = 0
        with path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                if not raw.endswith(b"\n"):
                    if number == 1 and not _written(head).encode().startswith(raw):
                        raise JournalError(f"{path} is no journal; remove the file, or name another one")
                    break
                try:
                    line = json.loads(raw)
                    if number == 1:
                        self._compare(line, head)
                    elif "visit" in line:
                        visit = typed(Visit, line["visit"])
                        self.visits.setdefault(visit.state, []).append(visit)
                    elif "asks" in line:
                        self.asks = self.asks or str(line["asks"])
                    else:
                        self.ended[State(line["ended"])] = line["skipped"]
                except (ValueError, KeyError, TypeError):
                    text = f"{path}:{number} is not a line of a journal; remove the file, or name another one"
                    raise JournalError(text) from None
                good += len(raw)
        return good

    def _compare(self, line: object, head: dict[str, object]) -> None:
        if not isinstance(line, dict) or "format" not in line:
            raise ValueError
        if line != head:
            text = f"{self.path} belongs to another audit or another version; remove the file, or name another one"
            raise JournalError(text)


def _written(line: dict[str, object]) -> str:
    return json.dumps(line, ensure_ascii=True, separators=(",", ":")) + "\n"


def _mark(plan: Plan) -> str:
    said = json.dumps({name: plainly(getattr(plan, name)) for name in _ALIKE}, sort_keys=True, default=str)
    return sha256(said.encode()).hexdigest()
