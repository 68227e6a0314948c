"""What the checker and the guard tell: one shape for both, with a code that is explained in the README."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
    """Where the guard saw it: on the way to the application, or on the way to the browser."""

    REQUEST = "request"
    RESPONSE = "response"


@dataclass(frozen=True, slots=True)
class GuardFinding:
    """One thing that the guard saw. `cookie` is a name, escaped and cut, never a value: values are personal."""

    code: str
    direction: Direction
    message: str
    cookie: str
    item: str | None = None

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
