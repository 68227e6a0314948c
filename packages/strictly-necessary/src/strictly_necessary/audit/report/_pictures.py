"""The pictures of the pages: each is in the file once, and shown wherever it is needed."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from strictly_necessary.audit._finding import AuditFinding
from strictly_necessary.audit._report import Report
from strictly_necessary.audit.report._json import fingerprint
from strictly_necessary.audit.report._marks import Section, code, esc
from strictly_necessary.audit.report._words import STATES

MOST = 40
LARGEST = 6 * 1024 * 1024
"""Of the pictures together, in bytes; so the file stays below 9 MB."""

_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class _Picture:
    width: int
    height: int
    data: bytes
    title: str
    page: str
    findings: tuple[AuditFinding, ...]


@dataclass(frozen=True, slots=True)
class Album:
    """The pictures that are in the file, by their keys."""

    pictures: Mapping[str, _Picture]

    def store(self) -> str:
        """All of them, where nobody sees them; the others refer to it."""
        if not self.pictures:
            return ""
        images = "\n".join(
            f'<image id="image-{key}" width="{each.width}" height="{each.height}" '
            f'href="data:image/png;base64,{base64.b64encode(each.data).decode()}"/>'
            for key, each in self.pictures.items()
        )
        return f'<svg class="store" aria-hidden="true" focusable="false"><defs>\n{images}\n</defs></svg>\n'

    def thumbnail(self, key: str | None) -> str:
        """A small one that leads to the large one, or nothing."""
        picture = self.pictures.get(key or "")
        if picture is None:
            return ""
        return (
            f'<figure><a href="#picture-{key}">{_shown(key or "", picture)}</a>'
            f"<figcaption>{esc(picture.title)}</figcaption></figure>"
        )

    def section(self) -> Section | None:
        if not self.pictures:
            return None
        figures = "\n".join(
            f'<figure id="picture-{key}">{_shown(key, each)}<figcaption>{code(each.page)} · {esc(each.title)}. '
            f"Findings: {_links(each)}</figcaption></figure>"
            for key, each in self.pictures.items()
        )
        return Section("pictures", "Pictures", f'<div class="pictures">{figures}</div>', _LEAD)


_LEAD = "The first page of each finding, as it was seen without scrolling."


def album_of(report: Report) -> Album:
    """Those of the first page of each finding, in the order of the findings, as long as there is room."""
    wanted: dict[str, list[AuditFinding]] = {}
    for finding in report.findings:
        key = report.picture(finding)
        if key is not None:
            wanted.setdefault(key, []).append(finding)
    pictures: dict[str, _Picture] = {}
    size = 0
    for key, findings in wanted.items():
        data = report.pictures[key]
        measure = _size(data)
        if measure is None or len(pictures) == MOST or size + len(data) > LARGEST:
            continue
        size += len(data)
        state, page = next(
            (look.state, page.url) for page in report.pages for look in page.looks if look.picture == key
        )
        pictures[key] = _Picture(*measure, data, STATES[state], page, tuple(findings))
    return Album(pictures)


def anchor(finding: AuditFinding) -> str:
    """The id of the finding's card."""
    return f"f-{fingerprint(finding.code, finding.subject)}"


def _shown(key: str, picture: _Picture) -> str:
    label = esc(f"Picture of {picture.page}, {picture.title}")
    return (
        f'<svg viewBox="0 0 {picture.width} {picture.height}" role="img" aria-label="{label}">'
        f'<use href="#image-{key}"/></svg>'
    )


def _links(picture: _Picture) -> str:
    first = [f'<a href="#{anchor(each)}">{esc(each.code)} {esc(each.subject)}</a>' for each in picture.findings[:10]]
    more = len(picture.findings) - len(first)
    return ", ".join(first) + (f" and {more} more" if more else "")


def _size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG, or None for another thing."""
    if data[:8] != _PNG or len(data) < 24:
        return None
    width, height = struct.unpack(">II", data[16:24])
    return (width, height) if width and height else None
