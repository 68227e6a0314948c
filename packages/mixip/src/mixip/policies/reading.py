"""From the text of a released version to its declaration."""

from collections.abc import Iterable
from dataclasses import replace

from mixip.policies.own import missing
from mixip.policies.queries import Released
from strictly_necessary import Declaration, DeclarationError, Severity
from strictly_necessary.declaration import examine
from strictly_necessary.versions import History


class UnfitError(Exception):
    """A policy that this platform cannot work with; the message says why, line by line."""


def read(text: str, name: str, *, fit: bool = True) -> Declaration:
    """The declaration in this text, which findings call `name`. Raises DeclarationError if it is wrong, and UnfitError
    if it lacks what the platform itself sets; not so if it need not `fit`."""
    declaration, findings = examine(text.encode(), name)
    if declaration is None or any(finding.severity is Severity.ERROR for finding in findings):
        raise DeclarationError(tuple(findings))
    if fit and (faults := missing(declaration)):
        raise UnfitError("\n".join(f"{name}: {fault}" for fault in faults))
    return declaration


def declaration_of(row: Released) -> Declaration:
    """The declaration of a released version. It starts when the database says, which may be later than its text. Raises
    as `read` does."""
    declaration = read(row.text, f"version {row.version}")
    if declaration.policy.starts_at == row.starts_at:
        return declaration
    return replace(declaration, policy=replace(declaration.policy, starts=row.starts_at))


def history_of(rows: Iterable[Released]) -> History:
    """The history of released versions, word for word. Raises as `read` does, and ValueError if they do not follow each
    other."""
    return History.of(declaration_of(row) for row in rows)
