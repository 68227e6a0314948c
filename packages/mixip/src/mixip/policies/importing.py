"""The first versions of a database, and those that come with an update of the software."""

from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path

from mixip.db import Database
from mixip.policies import queries
from mixip.policies.reading import read
from mixip.policies.running import MARGIN, OPEN_TABS
from strictly_necessary import DeclarationError
from strictly_necessary.versions import diff, folder_of, load_history


def import_first(db: Database, policy: Path | None, at: datetime) -> bool:
    """Release the versions of the working file, by default those that come along, if the database has none. Says
    whether it had none. Raises DeclarationError or UnfitError for a policy that cannot be used, OSError for a file that
    cannot be read."""
    with db.read() as connection:
        if queries.stamps(connection):
            return False
    return bool(_import(db, _texts(policy), at))


def import_shipped(db: Database, at: datetime) -> list[str]:
    """Release those of the versions that come along which this database has not yet, if it has no others: who released
    a version of their own decides about the next one. They start in a while, when open tabs have heard of them. Returns
    their names."""
    return _import(db, _texts(None), at)


def _import(db: Database, texts: dict[str, str], at: datetime) -> list[str]:
    with db.write() as connection:
        rows = queries.released(connection)
        new = list(texts.items())[len(rows) :]
        if not new or not _continues([(row.version, row.text) for row in rows], list(texts.items())):
            return []
        for number, text in new:
            starts = read(text, number).policy.starts_at
            if rows:  # people use it, so it is a release
                starts = max(starts, at + MARGIN + OPEN_TABS)
            queries.add(connection, version=number, text=text, starts_at=starts, released_at=at)
    return [number for number, _ in new]


def _continues(known: list[tuple[str, str]], shipped: list[tuple[str, str]]) -> bool:
    """Whether all that is known is the beginning of what is shipped, but for formatting."""
    if len(known) > len(shipped):
        return False
    pairs = list(zip(known, shipped, strict=False))
    if any(ours[0] != theirs[0] for ours, theirs in pairs):
        return False
    try:
        return all(not diff(read(ours[1], ours[0]), read(theirs[1], theirs[0])).changes for ours, theirs in pairs)
    except DeclarationError:
        return False


def shipped_policy() -> bytes:
    """The working file that comes along."""
    return (files("mixip") / "legal" / "policy.toml").read_bytes()


def _texts(policy: Path | None) -> dict[str, str]:
    """The text of each released version of a working file by its name, in their order."""
    if policy is None:
        with as_file(files("mixip") / "legal") as folder:
            return _texts(folder / "policy.toml")
    history = load_history(policy)
    texts = {}
    for version in history.versions:
        path = folder_of(policy) / f"{version.number}.toml"
        text = (path if path.is_file() else policy).read_text(encoding="utf-8")
        read(text, str(path if path.is_file() else policy))
        texts[version.number] = text
    return texts
