"""The other direction: what was seen of each declared item."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from strictly_necessary.audit._finding import AuditFinding, ItemProof
from strictly_necessary.audit._observation import State
from strictly_necessary.audit.judge._case import Case
from strictly_necessary.audit.judge._evidence import script_of
from strictly_necessary.audit.judge._merging import Hide, seen
from strictly_necessary.audit.judge._sites import shown
from strictly_necessary.audit.judge._things import Sight


def proofs(case: Case, findings: Iterable[AuditFinding], hide: Hide) -> tuple[ItemProof, ...]:
    """One for each item, in the order of the file."""
    if case.declaration is None:
        return ()
    sights: dict[str, list[Sight]] = defaultdict(list)
    for browser in case.browsers:
        for sight in browser:
            if sight.visit.state is State.NO_COOKIES and sight.stored is None:
                continue
            if (item := case.item(sight.thing)) is not None:
                sights[item.id].append(sight)
    broken: dict[str, set[str]] = defaultdict(set)
    for finding in findings:
        if finding.item is not None:
            broken[finding.item].add(finding.code)
    return tuple(
        ItemProof(
            item=item.id,
            name=item.name,
            kind=item.kind.value,
            states=tuple(state for state in State if any(each.visit.state is state for each in sights[item.id])),
            acts=tuple(sorted({hide(seen(each.visit, each.act).act) for each in sights[item.id] if _brought(each)})),
            writers=tuple(sorted({hide(_writer(each)) for each in sights[item.id] if each.write is not None})),
            broken=tuple(sorted(broken[item.id])),
        )
        for item in case.declaration.items
    )


def _brought(sight: Sight) -> bool:
    """Whether this act brought it, and did not merely find it there."""
    return sight.fresh or (sight.write is not None and sight.stored is None)


def _writer(sight: Sight) -> str:
    write = sight.write
    if write is None:
        return ""
    if write.header is not None:
        return f"header of {shown(write.address)}"
    return shown(script_of(write)) if script_of(write) else "a script"
