"""From what a person names to the work or the files that are meant."""

from __future__ import annotations

import difflib
import itertools
import unicodedata
from collections.abc import Sequence

from mixip_transfer.answers import File, Work, is_id
from mixip_transfer.errors import RefusedError, UsageError
from mixip_transfer.names import printable
from mixip_transfer.platform import Platform

_WORKS_TO_COMPARE = 1000
_NOT_FOUND = 404


def find_work(platform: Platform, name: str, *, create: str | None = None) -> Work:
    """The work with this title or id; `create` is the kind of work to make when there is none.

    Raises UsageError that lists close titles when there is none, and ids when the title means several.
    """
    name = unicodedata.normalize(
        "NFC", name
    ).strip()  # as the platform does with titles; else --create would make a second one each time
    titled = list(itertools.islice(platform.works(title=name), _WORKS_TO_COMPARE))
    if len(titled) == 1:
        return titled[0]
    if titled:
        lines = [f"  {work.id}  created {printable(work.created_at[:10])}, {work.files} files" for work in titled]
        raise UsageError(f"{len(titled)} works are called {printable(name)!r}.", "\n".join(["Use its id:", *lines]))
    if is_id(name) and (work := _by_id(platform, name)) is not None:
        return work
    if create is not None:
        return platform.create_work(name, create)
    titles = {work.title for work in itertools.islice(platform.works(), _WORKS_TO_COMPARE)}
    near = close_titles(name, sorted(titles))
    hint = ["Did you mean:", *(f"  {printable(title)}" for title in near)] if near else []
    raise UsageError(
        f"There is no work called {printable(name)!r}.",
        "\n".join([*hint, "`mixip-transfer send` makes it with --create; `mixip-transfer list` shows all."]),
    )


def close_titles(name: str, titles: Sequence[str]) -> list[str]:
    """Up to five titles that look like `name`, whatever their case, best first."""
    folded = {_folded(title): title for title in titles}
    wanted = _folded(name)
    near = difflib.get_close_matches(wanted, folded, n=5, cutoff=0.6)
    within = [key for key in folded if wanted and wanted in key and key not in near]
    return [folded[key] for key in [*near, *within][:5]]


def choose_files(
    files: Sequence[File], names: Sequence[str], *, work_id: str
) -> tuple[list[File], list[UsageError], list[str]]:
    """The files of a work that are meant by names or ids (all when there are none), newest first as they are listed.

    A name means the newest file of that name. Returns the files, an error per name that means nothing, and a note per
    name that has older files too, which are still there under their ids.
    """
    newest: dict[str, File] = {}
    older: dict[str, int] = {}
    for file in files:
        key = unicodedata.normalize("NFC", file.name)
        if key in newest:
            older[key] = older.get(key, 0) + 1
        else:
            newest[key] = file
    by_id = {file.id: file for file in files}
    chosen: dict[str, File] = {}
    errors: list[UsageError] = []
    meant: list[str] = []
    for name in names or list(newest):
        key = unicodedata.normalize("NFC", name)
        meaning = newest.get(key) or by_id.get(name)
        if meaning is None:
            near = close_titles(name, list(newest))
            hint = ["Did you mean:", *(f"  {printable(one)}" for one in near)] if near else []
            advice = "\n".join([*hint, f"`mixip-transfer list --work {work_id}` shows them."])
            errors.append(UsageError(f"There is no file called {printable(name)!r}.", advice, code="unknown_file"))
            continue
        if key in newest:
            meant.append(key)
        chosen[meaning.id] = meaning
    notes = [
        f"{printable(key)}: the newest of {older[key] + 1} files of this name; `list` shows the ids of the others"
        for key in dict.fromkeys(meant)
        if key in older
    ]
    return list(chosen.values()), errors, notes


def _by_id(platform: Platform, work_id: str) -> Work | None:
    try:
        return platform.work(work_id)
    except RefusedError as refusal:
        if refusal.status == _NOT_FOUND:
            return None
        raise


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
