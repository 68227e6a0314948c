"""The audit as one call, and its halves. What drives the browser is imported only when it is needed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from strictly_necessary.audit._finding import Judgement
from strictly_necessary.audit._making import make_report
from strictly_necessary.audit._observation import Observation
from strictly_necessary.audit._plan import Plan
from strictly_necessary.audit._report import Report
from strictly_necessary.audit._waivers import Waiver, waive
from strictly_necessary.audit.judge import judge as compare  # here: imported later, the package would take the name
from strictly_necessary.declaration import Declaration, load
from strictly_necessary.declaration._items import Jurisdiction

if TYPE_CHECKING:
    from strictly_necessary.audit.crawl import Progress

_EXTRAS = frozenset({"dns", "playwright", "publicsuffixlist", "websockets"})


class AuditError(Exception):
    """The audit could not take place. The message says what to do."""


def audit(
    plan: Plan,
    declaration: Path | str | None = None,
    *,
    jurisdictions: tuple[Jurisdiction, ...] = (),
    waivers: Iterable[Waiver] = (),
    progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Look at the site, compare it with the declaration in the file, and report. `jurisdictions` are those by whose
    rules it is judged, its own if left out. It may be called where an event
    loop runs, and blocks that one.

    Raises `AuditError`, and `DeclarationError` and OSError for the file. What pages do raises nothing: it is told.
    """
    from strictly_necessary.audit._apart import run_apart  # asyncio takes long to load

    kept = tuple(waivers)
    loaded = load(declaration) if declaration is not None else None
    observation = run_apart(observe(plan, loaded, progress=progress))
    judgement = judge(observation, loaded, jurisdictions=jurisdictions)
    judgement = waive(judgement, kept, dt.datetime.now(dt.UTC).date())
    return make_report(plan, observation, judgement, loaded, declaration, jurisdictions=jurisdictions, waivers=kept)


async def observe(
    plan: Plan, declaration: Declaration | None = None, *, progress: Callable[[Progress], None] | None = None
) -> Observation:
    """Drive the browser and write down what happened. `progress` is told of each page. Raises `AuditError`. When it is
    cancelled, a journal is left at `plan.resume`, and the next call with the same plan goes on from there. Raises
    ValueError for an address that is none."""
    try:
        import publicsuffixlist  # noqa: F401 -- the judges need it, and it is kinder to say so before than after

        from strictly_necessary.audit.browser import BrowserError
        from strictly_necessary.audit.crawl import JournalError
        from strictly_necessary.audit.crawl import observe as drive
        from strictly_necessary.audit.script import ScriptError
    except ModuleNotFoundError as error:
        raise _lacking(error) from error
    try:
        return await drive(plan, declaration, progress=progress)
    except (BrowserError, JournalError, ScriptError) as error:
        raise AuditError(str(error)) from error
    except OSError as error:  # the script's file or the journal's
        if error.filename is None:
            raise
        raise AuditError(f"{error.filename}: {error.strerror}") from error


def judge(
    observation: Observation, declaration: Declaration | None = None, *, jurisdictions: tuple[Jurisdiction, ...] = ()
) -> Judgement:
    """Compare what was seen with the declaration. It drives no browser, and the same always gives the same. Raises
    `AuditError` if the list of public suffixes is not installed."""
    try:
        return compare(observation, declaration, jurisdictions=jurisdictions)
    except ModuleNotFoundError as error:
        raise _lacking(error) from error


def _lacking(error: ModuleNotFoundError) -> Exception:
    """A fault of ours stays what it is."""
    package = (error.name or "").partition(".")[0]
    if package not in _EXTRAS:
        return error
    return AuditError(f"the audit needs {package}: pip install 'strictly-necessary[audit]'")
