"""What operators are told of the versions, in words and for programs."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from mixip.db import Database
from mixip.db.tables import CONSENT, Account
from mixip.policies import queries
from mixip.policies.reading import UnfitError, history_of
from mixip.policies.releasing import Plan, Wishes, advised, plan_version
from mixip.policies.running import NoPolicyError
from strictly_necessary import DeclarationError
from strictly_necessary.consent.sqlalchemy import SQLAlchemyLedger
from strictly_necessary.declaration import examine
from strictly_necessary.page import change_sentences
from strictly_necessary.versions import Difference, Significance, Version


def status_of(db: Database, file: Path | None, now: datetime, *, operator: str) -> dict[str, Any]:
    """Everything that `mixip policy status` tells. Raises NoPolicyError if nothing was released, DeclarationError or
    UnfitError if a released version cannot be read."""
    with db.read() as connection:
        rows = queries.released(connection)
        accounts = connection.scalar(select(func.count()).select_from(Account))
    if not rows:
        raise NoPolicyError("No cookie policy was released in this database.")
    current = history_of(rows).at(now).number
    tally = SQLAlchemyLedger(db.read, db.write, tables=CONSENT).tally()
    return {
        "in_force": next(_told(row) for row in rows if row.version == current),
        "scheduled": [_told(row) for row in rows if row.starts_at > now and row.version != current],
        "versions": [_told(row) for row in rows],
        "working_file": _working_file(db, file, now, operator),
        "accounts": accounts,
        "acknowledged": dict(tally.acknowledged),
        "answered": {
            item: {action.value: count for action, count in answers.items()} for item, answers in tally.answered.items()
        },
    }


def sentences(planned: Plan) -> tuple[str, ...]:
    """What changed, one sentence for each change, as people read it."""
    declaration, _ = examine(planned.release.text, "")
    previous = planned.history.versions[-1] if planned.history else None
    if declaration is None:
        return ()
    return change_sentences(Version(declaration, planned.release.difference), language="en", previous=previous)


def verdict(difference: Difference, said: Significance | None) -> str:
    """What it means for people."""
    if not difference.changes:
        return "Nothing has changed in what is kept."
    asked = ", ".join(sorted(difference.to_ask))
    if asked:
        return f"Significant, and it needs consent: people are told of it, and asked about: {asked}."
    if Significance.SIGNIFICANT in {said, difference.significance}:
        return "Significant: people are told of it. Nobody is asked."
    return "Editorial: it stands on the page. Nobody is told or asked."


def difference_document(planned: Plan) -> dict[str, Any]:
    """The difference for programs."""
    difference = planned.release.difference
    return {
        "needs_consent": difference.needs_consent,
        "to_ask": sorted(difference.to_ask),
        "verdict": verdict(difference, planned.release.significance),
        "changes": [{**asdict(change), "significance": change.significance.value} for change in difference.changes],
    }


def _working_file(db: Database, file: Path | None, now: datetime, operator: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "file": str(file or "that comes with the platform"),
        "problem": None,
        "changes": [],
        "refusals": [],
    }
    try:
        planned = plan_version(db, file, Wishes(), now, operator=operator)
    except (OSError, DeclarationError, UnfitError) as error:
        return {**told, "problem": str(error)}
    if planned.release.findings:
        return {**told, "problem": "\n".join(advised(finding) for finding in planned.release.findings)}
    changes = list(sentences(planned))
    return {
        **told,
        "changes": changes,
        "verdict": verdict(planned.release.difference, planned.release.significance),
        "needs_consent": planned.release.needs_consent,
        "refusals": list(planned.refusals) if changes else [],
    }


def _told(row: queries.Released) -> dict[str, str]:
    return {"version": row.version, "starts": _written(row.starts_at), "released_at": _written(row.released_at)}


def _written(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
