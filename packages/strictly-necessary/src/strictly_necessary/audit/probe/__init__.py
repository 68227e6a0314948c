"""The probe: what runs in each document and worker before the page's own scripts, and how its reports are read."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from strictly_necessary.audit._observation import Place, Stack
from strictly_necessary.audit._whole import may_have_halves, whole
from strictly_necessary.declaration._items import Kind

BINDING = f"__{secrets.token_hex(6)}"
"""The name of the function by which the probe reports: another one in each process, so that no page can know it."""

_AGAIN = secrets.token_hex(16)
"""What the probe says to itself when it is evaluated once more in the same realm."""

_PARTS = ("core", "storage", "drawing", "traits", "listening", "all")


def _source() -> str:
    here = files(__name__)
    parts = "\n".join(here.joinpath(f"{part}.js").read_text(encoding="utf-8") for part in _PARTS)
    return f"""(() => {{
"use strict";
const BINDING = {json.dumps(BINDING)}, AGAIN = {json.dumps(_AGAIN)};
// Another evaluation in the same realm: cover what was missing then.
try {{ if (Reflect.apply(Function.prototype.toString, AGAIN, []) === "") return; }} catch {{}}
{parts}
coverAll();
}})();
//# sourceURL=strictly-{BINDING}:probe
"""


@dataclass(frozen=True, slots=True)
class ProbeWrite:
    """A script tried to store or remove something; see `Write`. `life` is in seconds; None has no end."""

    kind: Kind
    name: str
    value: str = field(repr=False)
    life: float | None
    removes: bool
    stack: Stack


@dataclass(frozen=True, slots=True)
class ProbeCall:
    """A script used an interface `count` times since the last report; see `Call`. `script` is "" if nobody knows."""

    api: str
    script: str
    count: int
    arguments: tuple[tuple[str, ...], ...]
    stack: Stack


@dataclass(frozen=True, slots=True)
class Batch:
    """What one document or worker did since its last report. `address` is its own."""

    address: str = ""
    writes: tuple[ProbeWrite, ...] = ()
    calls: tuple[ProbeCall, ...] = ()


def read(payload: str) -> Batch:
    """What the binding was called with. A report that the probe did not write (a hostile page could) is empty."""
    try:
        told = json.loads(payload)
        if may_have_halves(payload):
            told = whole(told)
        stacks = [
            tuple(Place(str(u), int(row), int(column), str(f)) for u, row, column, f in s) for s in told["stacks"]
        ]
        return Batch(str(told["at"]), tuple(_writes(told["writes"], stacks)), tuple(_calls(told["calls"], stacks)))
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        return Batch()


def _writes(told: list[Any], stacks: list[Stack]) -> Iterator[ProbeWrite]:
    for kind, name, value, life, removes, stack in told:
        seconds = None if life is None else float(life)
        yield ProbeWrite(Kind(kind), str(name), str(value), seconds, bool(removes), stacks[stack])


def _calls(told: list[Any], stacks: list[Stack]) -> Iterator[ProbeCall]:
    for api, script, count, stack, arguments in told:
        uses = tuple(tuple(str(text) for text in use) for use in arguments)
        yield ProbeCall(str(api), str(script), int(count), uses, stacks[stack])


SOURCE = _source()
"""One expression, to be evaluated in the page's own world before anything else. Evaluated again in the same realm, it
covers only what was missing the first time (a paused worker has no CacheStorage yet)."""
