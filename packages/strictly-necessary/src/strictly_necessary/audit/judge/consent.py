"""What needs consent, and was there before the answer (SN411), after a no (SN412), or in spite of Global Privacy
Control (SN413)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from strictly_necessary.audit._observation import Act, Deed, State, Visit
from strictly_necessary.audit.judge._case import Case, is_chosen
from strictly_necessary.audit.judge._evidence import of_write
from strictly_necessary.audit.judge._merging import Raw, seen
from strictly_necessary.audit.judge._things import Sights
from strictly_necessary.declaration._items import Category

_YES = re.compile(
    r"\b(?:accept|agree|allow|consent|akzeptieren|zustimmen|einverstanden|erlauben|accepter|autoriser|aceptar|accetta)",
    re.IGNORECASE,
)
_MESSAGES = {
    "SN411": "needs consent, and was there before anybody answered",
    "SN412": "needs consent, and was there after a no",
    "SN413": "needs consent, and was there although the browser said no by Global Privacy Control",
}


Moment = tuple[int, int]
"""Which visit of a browser, and which act of it."""


def findings(case: Case) -> Iterator[Raw]:
    if case.declaration is None:
        return
    for visits, sights in zip(case.visits, case.browsers, strict=True):
        numbers = {id(visit): number for number, visit in enumerate(visits)}
        refused = _answered(visits, Deed.REFUSE)
        given = _given(case, visits, sights, numbers, refuses=refused is not None)
        for sight in sights:
            item = case.item(sight.thing)
            moment = numbers[id(sight.visit)], sight.act
            if item is None or not case.is_gated(item) or (given is not None and moment >= given):
                continue
            after_no = refused is not None and moment >= refused
            code = "SN412" if after_no else "SN413" if sight.visit.state is State.GPC else "SN411"
            thing = case.named(sight.thing)
            message = f"{thing} {_MESSAGES[code]}"
            where = seen(sight.visit, sight.act)
            yield Raw(code, str(thing), message, where, of_write(sight.write), item=item.id)


def _first(visits: tuple[Visit, ...], wanted: Callable[[Act], bool]) -> Moment | None:
    return next(
        ((number, index) for number, visit in enumerate(visits) for index, act in enumerate(visit.acts) if wanted(act)),
        None,
    )


def _answered(visits: tuple[Visit, ...], deed: Deed) -> Moment | None:
    """When the script's answer was given. The deed ends the steps of the script, so the answer is the last of them."""
    moment = _first(visits, lambda act: act.deed is deed)
    if moment is None:
        return None
    number, index = moment
    is_end = index > 0 and visits[number].acts[index - 1].told
    return (number, index - 1) if is_end else moment


def _given(
    case: Case, visits: tuple[Visit, ...], sights: Sights, numbers: dict[int, int], *, refuses: bool
) -> Moment | None:
    """When somebody first said yes: by the script, by a press on words that say so, or by any choice after which the
    declared cookie that remembers answers was there. Who refuses writes that cookie too, and says no."""
    moments = [_answered(visits, Deed.GIVE)]
    if not refuses:
        pressed = _first(visits, lambda act: act.deed is Deed.CLICK and _YES.search(act.target or "") is not None)
        moments.append(pressed)
        for sight in sights:
            item = case.item(sight.thing)
            if item is not None and item.categories == {Category.CONSENT_CHOICE} and is_chosen(sight):
                moments.append((numbers[id(sight.visit)], sight.act))
    return min((moment for moment in moments if moment is not None), default=None)
