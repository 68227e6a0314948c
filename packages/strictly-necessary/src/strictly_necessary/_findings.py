"""What the checker and the guard tell: one shape for both, with a code that is explained in the README."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from strictly_necessary._codes import WARNINGS


class Severity(StrEnum):
    """`error`: the declaration must not be used, or the header must not pass. `warning`: somebody should look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong in a declaration, and what to do. Lines and columns count from 1."""

    file: str
    line: int
    column: int
    code: str
    severity: Severity
    message: str
    fix: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column} {self.code} {self.message}"


class Direction(StrEnum):
    """Where the guard saw it: on the way to the application, on the way to the browser, or in the browser."""

    REQUEST = "request"
    RESPONSE = "response"
    BROWSER = "browser"


@dataclass(frozen=True, slots=True)
class GuardFinding:
    """One thing that the guard saw. `name` is that of a cookie, a key or a header, escaped and cut; never a value:
    values are personal. What the application sent has the `path` that was asked for; what is seen in the browser has a
    `kind`, the `script` and its `stack`, and no path, because that could tell who was there."""

    code: str
    direction: Direction
    message: str
    name: str
    item: str | None = None
    kind: str | None = None
    script: str | None = None
    stack: tuple[str, ...] = ()
    path: str | None = None

    @property
    def severity(self) -> Severity:
        """`warning`: it passed."""
        return Severity.WARNING if self.code in WARNINGS else Severity.ERROR

    def __str__(self) -> str:
        return f"{self.code} {self.message}"


class DeclarationError(Exception):
    """The declaration has errors. `findings` holds all of them, in the order of the file."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


class GuardError(Exception):
    """In mode `raise`, the application sent a Set-Cookie that the declaration does not allow."""

    def __init__(self, findings: tuple[GuardFinding, ...]) -> None:
        super().__init__("; ".join(str(finding) for finding in findings))
        self.findings = findings
