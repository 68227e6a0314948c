"""What proves a finding: the header, or the script with its stack, and facts that are the same in every run."""

from __future__ import annotations

from strictly_necessary.audit._finding import Evidence
from strictly_necessary.audit._observation import Place, Request, Stack, Write
from strictly_necessary.audit.judge._sites import shown
from strictly_necessary.browser import GUARD_PATH

_UNITS = ((86_400, "days"), (3600, "hours"), (60, "minutes"), (1, "seconds"))


def of_write(write: Write | None, *detail: tuple[str, str]) -> Evidence:
    """Who wrote it, as far as that is known."""
    if write is None:
        return Evidence(detail=detail)
    if write.header is not None:
        return Evidence(header=_short(write.header), request=shown(write.address), detail=detail)
    script = script_of(write)
    return Evidence(script=shown(script) if script else None, stack=_stack(write.stack), detail=detail)


def of_request(request: Request, *detail: tuple[str, str]) -> Evidence:
    """What was asked for, and the script that asked."""
    stack = _stack(request.stack)
    place = _innermost(request.stack)
    return Evidence(script=shown(place.url) if place else None, stack=stack, request=shown(request.url), detail=detail)


def script_of(write: Write) -> str:
    """The address of the script that wrote it: the innermost of the stack that is not the browser's guard."""
    place = _innermost(write.stack)
    return place.url if place else write.address


def _innermost(stack: Stack) -> Place | None:
    return next((place for place in stack if GUARD_PATH not in place.url), None)


def _stack(stack: Stack) -> Stack:
    return tuple(Place(shown(place.url), place.line, place.column, place.function) for place in stack[:20])


def _short(header: str) -> str:
    return header if len(header) <= 400 else header[:400] + "…"


def told_life(seconds: float | None) -> str:
    """A life in the largest unit of which it has two, so that a second more or less is not seen."""
    if seconds is None:
        return "until the browser session ends"
    size, word = next(((size, word) for size, word in _UNITS if seconds >= 2 * size - 1), _UNITS[-1])
    return f"{round(seconds / size)} {word}"
