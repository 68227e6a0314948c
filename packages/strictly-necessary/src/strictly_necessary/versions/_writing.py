"""Putting a release into files, so that a crash in between leaves something that the next run completes."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from strictly_necessary.versions._loading import folder_of
from strictly_necessary.versions._release import Release


def write_release(path: Path, raw: bytes, release: Release) -> Path | None:
    """Keep the version in the folder beside the file, then write the file anew. The copy is what makes it a release: if
    this ends before the file is written, planning again says `is_made`. `raw` is what was planned with. Says where the
    copy is, or None if there was one. Raises FileExistsError if somebody else released this version meanwhile, or
    changed the file, and other errors of the system."""
    if path.read_bytes() != raw:
        raise FileExistsError(None, f"{path} was changed meanwhile")
    copy = None
    if not release.is_made:
        copy = folder_of(path) / f"{release.version}.toml"
        copy.parent.mkdir(exist_ok=True)
        _write(copy, release.text, like=path, is_new=True)
    if release.text != raw:
        _write(path.resolve(), release.text, like=path, is_new=False)
    return copy


def _write(path: Path, text: bytes, *, like: Path, is_new: bool) -> None:
    """The whole text or nothing, with the permissions of another file."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(like, name)
        if is_new:
            os.link(name, path)  # unlike a move, it never takes the place of another file
        else:
            Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
