"""What scripts asked the browser, by script: the judges of behaviour look at one script of one page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from strictly_necessary.audit._finding import Evidence
from strictly_necessary.audit._observation import NO_CHOICE, Call, Deed, Place, Visit
from strictly_necessary.audit.judge._merging import Raw, seen
from strictly_necessary.audit.judge._sites import shown


@dataclass(frozen=True, slots=True)
class Script:
    """All that one script did on one page, in the order of acts."""

    visit: Visit
    url: str
    calls: tuple[Call, ...]

    def of(self, *apis: str) -> list[Call]:
        return [each for each in self.calls if each.api in apis]

    def by_itself(self, *apis: str) -> list[Call]:
        """Those that no choice of a person brought."""
        return [each for each in self.of(*apis) if deed_of(self.visit, each.act) in NO_CHOICE]

    def raw(
        self, code: str, what: str, message: str, call: Call, *detail: tuple[str, str], fix: str | None = None
    ) -> Raw:
        """`what` and the script are the subject."""
        where = seen(self.visit, call.act)
        return Raw(code, f"{what} by {shown(self.url)}", message, where, of_call(call, *detail), fix=fix)


def scripts(visit: Visit) -> Iterator[Script]:
    """Each script with what it asked, in frames and workers too. What has no script is the page's."""
    found: dict[str, list[Call]] = {}
    for call in sorted(visit.calls, key=lambda each: (each.act, each.api)):
        found.setdefault(call.script or call.worker or call.frame, []).append(call)
    for url, calls in sorted(found.items()):
        yield Script(visit, url, tuple(calls))


def deed_of(visit: Visit, act: int) -> Deed:
    return visit.acts[act].deed if 0 <= act < len(visit.acts) else Deed.LOAD


def of_call(call: Call, *detail: tuple[str, str]) -> Evidence:
    stack = tuple(Place(shown(at.url), at.line, at.column, at.function) for at in call.stack[:20])
    return Evidence(script=shown(call.script) if call.script else None, stack=stack, detail=detail)


def uses(calls: Iterable[Call]) -> Iterator[tuple[str, ...]]:
    """The arguments of all of them."""
    for call in calls:
        yield from call.arguments


def number(text: str) -> float:
    """What a script gave as a number; 0 for anything else."""
    try:
        return float(text)
    except ValueError:
        return 0.0


Judge = Callable[[Script], Iterator[Raw]]
