"""From files to a history: the released versions stand in a folder beside the declaration, each as it was."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from strictly_necessary._codes import FIXES
from strictly_necessary._findings import DeclarationError, Finding, Severity
from strictly_necessary.declaration import Declaration, bytes_of, examine
from strictly_necessary.declaration._items import VERSION, Significance
from strictly_necessary.declaration._positions import Place, scan
from strictly_necessary.versions._change import Change
from strictly_necessary.versions._diff import diff
from strictly_necessary.versions._history import History, Version
from strictly_necessary.versions._telling import tell

RELEASE_KEYS = ("version", "last_updated", "starts", "change", "summary", "ask", "translations")
"""The keys in `[policy]` that tell of a release, and of nothing that is kept."""

NUMBERED = re.compile(r"[0-9]+(?:[.-][0-9]+)*")
"""Versions whose order is seen by their names."""


@dataclass(frozen=True)
class _Released:
    """One released version as it was read, and what is wrong with it today."""

    file: str
    raw: bytes
    declaration: Declaration
    errors: tuple[Finding, ...]

    @property
    def version(self) -> str:
        return self.declaration.policy.version

    def finding(self, code: str, message: str, *path: str | int) -> Finding:
        return _finding(self.file, self.raw, code, message, *path)


def folder_of(path: Path | str) -> Path:
    """Where the released versions of a declaration stand: `policy.versions` beside `policy.toml`."""
    return Path(path).with_name(f"{Path(path).stem}.versions")


def load_history(path: Path | str, *, now: dt.datetime | None = None) -> History:
    """The released versions of the declaration in the file, or the declaration alone if there is no folder with them.
    The file itself may differ from the version that was released last only in how it is written. Versions that had
    ended by `now`, which is the present if left out, were law in their time: rules that came later do not touch them.
    Raises `DeclarationError` with all findings if one is an error, and what `load` raises."""
    history, findings = examine_history(bytes_of(path), Path(path), now or dt.datetime.now(dt.UTC))
    if history is None or any(finding.severity is Severity.ERROR for finding in findings):
        raise DeclarationError(tuple(findings))
    return history


def read_history(released: Iterable[tuple[str, bytes]], *, now: dt.datetime | None = None) -> History:
    """The same from versions that are kept elsewhere, such as in a database: what findings call each one, and its TOML.
    Raises `DeclarationError` with all findings, ValueError if there is no version."""
    readable, findings = _read(released)
    history, wrong = _history(readable, now or dt.datetime.now(dt.UTC)) if readable else (None, [])
    findings += wrong
    if not readable and not findings:
        raise ValueError("a history has at least one version")
    if history is None or findings:
        raise DeclarationError(tuple(findings))
    return history


def examine_history(raw: bytes, path: Path, now: dt.datetime) -> tuple[History | None, list[Finding]]:
    """The history of the declaration with these bytes in the file at `path`, as far as it can be read, and everything
    that is wrong. Raises OSError if a released version cannot be read."""
    declaration, findings = examine(raw, str(path))
    files = released_files(path)
    if not files:
        return (None if declaration is None else History.of([declaration])), findings
    released, unreadable = _read((str(file), file.read_bytes()) for file in files)
    findings += unreadable
    for each in released:
        findings += _misnamed(each)
    history, wrong = _history(released, now) if released and not unreadable else (None, [])
    last = history.versions[-1].declaration if history is not None else None
    if declaration is not None and last is not None:
        unreleased = _unreleased(str(path), raw, last, declaration)
        # What is wrong with the last one is wrong with the file too, and told there.
        copies = {each.file for each in released if each.declaration is last} if unreleased is None else set()
        wrong = [finding for finding in wrong if finding.file not in copies or finding.code in {"SN503", "SN504"}]
        if unreleased is not None and not any(finding.severity is Severity.ERROR for finding in findings):
            findings.append(unreleased)
    return history, findings + wrong


def released_files(path: Path) -> list[Path]:
    """The files of the released versions, in the order of their names; none without the folder."""
    folder = folder_of(path)
    if not folder.is_dir():
        return []
    files = (file for file in folder.iterdir() if file.suffix == ".toml" and not file.name.startswith("."))
    return sorted(files, key=lambda file: natural(file.stem))


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts 10 after 9."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return tuple((0, int(part), "") if part[0] in "0123456789" else (1, 0, part) for part in parts)


def is_same(one: Declaration, other: Declaration) -> bool:
    """Whether they differ in nothing but how they are written."""
    return not diff(one, other).changes and all(
        getattr(one.policy, key) == getattr(other.policy, key) for key in RELEASE_KEYS
    )


def _read(released: Iterable[tuple[str, bytes]]) -> tuple[list[_Released], list[Finding]]:
    """Those that can be read, and what is wrong with those that cannot: that is an error whenever they held."""
    readable: list[_Released] = []
    findings: list[Finding] = []
    for file, raw in released:
        declaration, found = examine(raw, file)
        errors = tuple(finding for finding in found if finding.severity is Severity.ERROR)
        if declaration is None:
            findings += errors
        else:
            readable.append(_Released(file, raw, declaration, errors))
    return readable, findings


def _history(released: Iterable[_Released], now: dt.datetime) -> tuple[History | None, list[Finding]]:
    """The history, unless the versions have no order, and the errors in it."""
    ordered = sorted(released, key=lambda each: (each.declaration.policy.starts_at, natural(each.version)))
    findings = list(_disorder(ordered))
    if findings:
        return None, findings
    history = History.of(each.declaration for each in ordered)
    in_force = history.versions.index(history.at(now))
    for each, version in list(zip(ordered, history.versions, strict=True))[in_force:]:
        findings += [*each.errors, *_mislabelled(each, version)]
    return history, findings


def _disorder(released: Sequence[_Released]) -> Iterable[Finding]:
    """Given in the order in which they start."""
    seen: dict[str, str] = {}
    for each in released:
        if each.version in seen:
            yield each.finding("SN503", f"version {each.version!r} is in {seen[each.version]} too", "policy", "version")
        seen[each.version] = each.file
    for first, second in itertools.pairwise(released):
        numbered = NUMBERED.fullmatch(first.version) and NUMBERED.fullmatch(second.version)
        if numbered and natural(second.version) < natural(first.version):
            message = f"version {first.version} starts before version {second.version}, which it follows"
            key = "starts" if first.declaration.policy.starts else "last_updated"
            yield first.finding("SN503", message, "policy", key)


def _misnamed(each: _Released) -> Iterable[Finding]:
    if not VERSION.fullmatch(each.version):
        yield each.finding("SN510", f"version {each.version!r} cannot be the name of a file", "policy", "version")
    elif Path(each.file).stem != each.version:
        yield each.finding("SN502", f"this is version {each.version!r} by what it says", "policy", "version")


def _mislabelled(each: _Released, version: Version) -> Iterable[Finding]:
    said, found = version.declaration.policy.change, version.difference
    if said is Significance.EDITORIAL and found is not None and found.significance is Significance.SIGNIFICANT:
        first = next(change for change in found.changes if change.significance is Significance.SIGNIFICANT)
        yield each.finding("SN504", f"version {version.number} is significant: {tell(first)}", "policy", "change")


def _unreleased(file: str, raw: bytes, last: Declaration, declaration: Declaration) -> Finding | None:
    if is_same(last, declaration):
        return None
    number = last.policy.version
    changes = diff(last, declaration).changes
    if not changes:
        key = next(key for key in RELEASE_KEYS if getattr(last.policy, key) != getattr(declaration.policy, key))
        message = f"{key} is not what version {number} says, which was released last"
        return _finding(file, raw, "SN501", message, "policy", key)
    told = "; ".join(tell(change) for change in changes[:3])
    more = f"; and {len(changes) - 3} more" if len(changes) > 3 else ""
    message = f"not released since version {number}: {told}{more}"
    return _finding(file, raw, "SN501", message, *_path_of(changes[0], raw))


def _path_of(change: Change, raw: bytes) -> tuple[str | int, ...]:
    """Where the change stands in the new file."""
    items = tomllib.loads(_text(raw)).get("items", [])
    at = next((index for index, item in enumerate(items) if item.get("id") == change.item), None)
    if at is not None:
        return ("items", at, change.field or "id")
    return ("policy", change.field or "version") if change.item is None else ("policy", "version")


def _finding(file: str, raw: bytes, code: str, message: str, *path: str | int) -> Finding:
    place: Place = scan(_text(raw)).of(*path)
    return Finding(file, place.line, place.column, code, Severity.ERROR, message, FIXES[code])


def _text(raw: bytes) -> str:
    return raw.decode("utf-8-sig").replace("\r\n", "\n")
