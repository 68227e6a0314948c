"""Judging what was seen: pure functions from an `Observation` and a `Declaration` to findings.

Each module beside this one is a judge: it looks at one kind of thing and yields what it saw once. Here it becomes one
finding per thing and code, without values, in one order.
"""

from __future__ import annotations

from strictly_necessary.audit._finding import Judgement
from strictly_necessary.audit._observation import Observation
from strictly_necessary.audit.judge import (
    consent,
    coverage,
    drift,
    fingerprints,
    identifiers,
    items,
    recording,
    returning,
    signing,
    storage,
    third_parties,
)
from strictly_necessary.audit.judge._case import open_case
from strictly_necessary.audit.judge._merging import merge
from strictly_necessary.declaration import Declaration
from strictly_necessary.declaration._items import Jurisdiction

__all__ = ["judge"]

_JUDGES = (storage, drift, consent, signing, returning, third_parties, identifiers, coverage)
_OF_BEHAVIOUR = (fingerprints, recording)


def judge(
    observation: Observation, declaration: Declaration | None, *, jurisdictions: tuple[Jurisdiction, ...] = ()
) -> Judgement:
    """Everything that was found, and what was seen of each item. Without a declaration, nothing is declared.
    `jurisdictions` are whose rules decide what needs consent; the declaration's own if there are none."""
    case = open_case(observation, declaration, jurisdictions)
    hide = case.identifiers.hider()
    raw = [each for judging in _JUDGES for each in judging.findings(case)]
    raw += [each for judging in _OF_BEHAVIOUR for each in judging.findings(observation, declaration)]
    findings = merge(raw, hide)
    return Judgement(findings, items.proofs(case, findings, hide))
