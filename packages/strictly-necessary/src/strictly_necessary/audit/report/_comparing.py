"""What is new since an earlier audit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from strictly_necessary.audit.report._json import SCHEMA_VERSION


@dataclass(frozen=True, slots=True)
class Known:
    """One finding of a report, by what is the same in every run."""

    code: str
    severity: str
    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Findings that no waiver covers: those that only the new report has, those that only the old one had, and those
    of both. Of the sites of others and the pages, what came and what went. `made` names the options that differ: then
    a difference may be one of the audits, and not of the site."""

    new: tuple[Known, ...]
    gone: tuple[Known, ...]
    same: tuple[Known, ...]
    sites: tuple[str, ...] = ()
    sites_gone: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    pages_gone: tuple[str, ...] = ()
    made: tuple[str, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether one of the new findings is an error."""
        return any(each.severity == "error" for each in self.new)

    def is_new(self, code: str, subject: str) -> bool:
        return any((each.code, each.subject) == (code, subject) for each in self.new)


def compare(old: str, new: str) -> Comparison:
    """Both are reports as JSON. A finding is the same if its code and its subject are; one that a waiver covered, and
    covers no more, is new. Raises ValueError for what is no such report."""
    try:
        return _compared(_read(old), _read(new))
    except (KeyError, TypeError, AttributeError):
        raise ValueError("it is not a whole report") from None


def _compared(before: Mapping[str, Any], after: Mapping[str, Any]) -> Comparison:
    was, now = _open(before), _open(after)
    sites = _names(before, "third_parties", "site"), _names(after, "third_parties", "site")
    pages = _names(before, "pages", "url"), _names(after, "pages", "url")
    return Comparison(
        new=tuple(known for key, known in now.items() if key not in was),
        gone=tuple(known for key, known in was.items() if key not in now),
        same=tuple(known for key, known in now.items() if key in was),
        sites=tuple(sorted(sites[1] - sites[0])),
        sites_gone=tuple(sorted(sites[0] - sites[1])),
        pages=tuple(sorted(pages[1] - pages[0])),
        pages_gone=tuple(sorted(pages[0] - pages[1])),
        made=tuple(_made(before, after)),
    )


def _read(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        raise ValueError("it is not JSON") from None
    if not isinstance(document, dict) or document.get("schema_version") != SCHEMA_VERSION:
        raise ValueError(f"it is not a report of an audit with schema_version {SCHEMA_VERSION!r}")
    return document


def _open(document: Mapping[str, Any]) -> dict[tuple[str, str], Known]:
    return {
        (each["code"], each["subject"]): Known(each["code"], each["severity"], each["subject"], each["message"])
        for each in document["findings"]
        if each["waived"] is None
    }


def _names(document: Mapping[str, Any], table: str, key: str) -> set[str]:
    return {each[key] for each in document[table]}


def _made(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    was, now = before["made"]["options"], after["made"]["options"]
    names = [name for name in sorted(was | now) if was.get(name) != now.get(name)]
    states = [{each["state"] for each in document["states"] if not each["skipped"]} for document in (before, after)]
    if states[0] != states[1] and "states" not in names:
        names.append("states")
    return names
