"""What one visit has seen so far; at its end it becomes the frozen types of the observation."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from strictly_necessary.audit import probe
from strictly_necessary.audit._observation import (
    Act,
    Call,
    Deed,
    Mishap,
    Place,
    Request,
    Snapshot,
    Stack,
    Trouble,
    Write,
)
from strictly_necessary.audit.browser._cookies import Jar, header_writes, removed_names
from strictly_necessary.declaration._items import Kind

LONGEST_TEXT = 64 * 1024
"""Characters of one value or body that are kept."""

MOST_REQUESTS = 5_000
MOST_WRITES = 20_000
MOST_MESSAGES = 200
MOST_MISHAPS = 100


def cut(text: str) -> str:
    """The text, or its beginning and a digest of all of it, so that two long texts can still be compared."""
    if len(text) <= LONGEST_TEXT:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{text[:LONGEST_TEXT]}…sha256:{digest}"


@dataclass(slots=True)
class Answer:
    """What `responseReceivedExtraInfo` tells: the lines as they came, and what the browser refused at once."""

    lines: list[str]
    blocked: dict[str, list[str]]
    headers: dict[str, str]
    status: int


@dataclass(slots=True)
class Hop:
    """One request of a chain."""

    url: str
    method: str
    type: str
    act: int
    frame: str
    top: str
    stack: Stack
    worker: str | None
    sent: list[str]
    asked: dict[str, str]
    previous: int | None
    status: int = 0
    failure: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    size: int | None = None
    from_cache: bool = False
    has_answer: bool | None = None
    """Whether an extra event with the raw headers of this hop has come or will come; None if not known yet."""

    image: tuple[int, int] | None = None
    mime: str = ""
    answer: Answer | None = None


@dataclass(slots=True)
class Recording:
    """All that happens between `open` and `finish`."""

    acts: list[Act] = field(default_factory=lambda: [Act(Deed.LOAD)])
    hops: list[Hop] = field(default_factory=list)
    chains: dict[str, list[int]] = field(default_factory=dict)
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    flying: set[str] = field(default_factory=set)
    writes: list[Write] = field(default_factory=list)
    calls: dict[tuple[Any, ...], tuple[int, dict[tuple[str, ...], None], Stack]] = field(default_factory=dict)
    lives: dict[str, float | None] = field(default_factory=dict)
    """What scripts of this person asked for, by the cookie's name; goes on from visit to visit."""

    snapshots: list[Snapshot] = field(default_factory=list)
    mishaps: list[Mishap] = field(default_factory=list)
    events: int = 0
    """Counts everything that shows that the page is doing something."""

    written: int = 0
    """Counts what may have changed what is kept."""

    @property
    def act(self) -> int:
        return len(self.acts) - 1

    def begin(self, act: Act) -> None:
        self.acts.append(act)

    def mishap(self, trouble: Trouble, message: str) -> None:
        """Told once for each act; loading and waiting are one."""
        act = self.act
        told = {(each.trouble, each.message, max(each.act, 1)) for each in self.mishaps}
        if (trouble, message, max(act, 1)) not in told and len(self.mishaps) < MOST_MISHAPS:
            self.mishaps.append(Mishap(trouble, message, act))

    def batch(self, payload: str, frame: str, worker: str | None) -> None:
        """What the probe reports from one document or worker."""
        batch = probe.read(payload)
        act = self.act
        self.events += 1
        for write in batch.writes:
            self.written += 1
            if write.kind is Kind.COOKIE:
                self.lives[write.name] = None if write.removes else write.life
            if len(self.writes) >= MOST_WRITES:
                self.mishap(Trouble.TOO_MUCH, f"scripts wrote more than {MOST_WRITES} times; the rest is not recorded")
                break
            address = write.stack[0].url if write.stack else (worker or frame)
            self.writes.append(
                Write(
                    kind=write.kind,
                    name=write.name,
                    address=address,
                    act=act,
                    stack=write.stack,
                    frame=frame,
                    worker=worker,
                    value=cut(write.value),
                    life=write.life,
                    removes=write.removes,
                )
            )
        for call in batch.calls:
            script = call.script or worker or frame
            key = (call.api, script, act, frame, worker)
            count, uses, stack = self.calls.get(key, (0, {}, call.stack))
            for use in call.arguments:
                if len(uses) < 200:
                    uses.setdefault(tuple(use))
            self.calls[key] = (count + call.count, uses, stack)

    def made_calls(self) -> tuple[Call, ...]:
        return tuple(
            Call(api, script, act, count, tuple(uses), stack, frame, worker)
            for (api, script, act, frame, worker), (count, uses, stack) in self.calls.items()
        )

    def join(self) -> None:
        """Bring the raw headers to their hops; both come in order, but not at the same time."""
        for chain, numbers in self.chains.items():
            with_answer = [self.hops[number] for number in numbers if self.hops[number].has_answer is not False]
            for hop, answer in zip(with_answer, self.answers.get(chain, ()), strict=False):
                if hop.answer is None:
                    hop.answer = answer
            for number, asked in zip(numbers, self.asked.get(chain, ()), strict=False):
                self.hops[number].asked = asked

    def made_requests(self) -> tuple[Request, ...]:
        return tuple(
            Request(
                url=hop.url,
                method=hop.method,
                type=hop.type,
                act=hop.act,
                frame=hop.frame,
                top=hop.top,
                status=hop.status,
                failure=hop.failure,
                sent=tuple(hop.sent),
                stack=hop.stack,
                worker=hop.worker,
                redirect_from=hop.previous,
                image=hop.image,
                size=hop.size,
                headers=hop.headers,
                asked=hop.asked,
                from_cache=hop.from_cache,
            )
            for hop in self.hops
        )

    def made_writes(self, jar: Jar) -> tuple[Write, ...]:
        """Those of headers, then those of scripts, each in the order of the acts."""
        answers = [hop.answer for hop in self.hops if hop.answer is not None]
        jar.removed.update(name for answer in answers for line in answer.lines for name in removed_names(line))
        jar.removed.update(each.name for each in self.writes if each.removes and each.kind is Kind.COOKIE)
        jar.cleared = any("clear-site-data" in answer.headers for answer in answers)
        result = [write for number, hop in enumerate(self.hops) for write in header_writes(hop, number, jar)]
        return tuple(sorted(result + jar.script_writes(self.writes), key=lambda write: write.act))


def places(trace: dict[str, Any] | None) -> Stack:
    """The stack of an initiator, asynchronous parts included, innermost first."""
    result: list[Place] = []
    depth = 0
    while trace is not None and depth < 8:
        result += [
            Place(each["url"], each["lineNumber"] + 1, each["columnNumber"] + 1, each["functionName"])
            for each in trace["callFrames"]
            if each["url"]
        ]
        trace, depth = trace.get("parent"), depth + 1
    return tuple(result[:50])
