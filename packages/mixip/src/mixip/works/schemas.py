"""What the works API takes and gives, and the kinds of work."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

KINDS: Mapping[str, str] = {
    "film": "Film",
    "music": "Music",
    "photography": "Photography",
    "design": "Design",
    "writing": "Writing",
    "software": "Software",
    "other": "Other",
}


class NewWork(msgspec.Struct, frozen=True):
    """A work to create: the fields of the form and of the API."""

    title: str = ""
    kind: str = "film"
    description: str = ""


class WorkView(msgspec.Struct, frozen=True):
    """A work with how many files it has and how many bytes they are together."""

    id: str
    title: str
    kind: str
    description: str
    created_at: datetime
    files: int
    bytes: int

    @property
    def kind_label(self) -> str:
        """The kind as people read it."""
        return KINDS[self.kind]


class WorkList(msgspec.Struct, frozen=True):
    """A page of works, newest first; `next` goes into `?before=` for the next page."""

    works: tuple[WorkView, ...]
    next: str | None
