"""Everything that can be refused, in one table (`table.py`), and its pages."""

from mixip.errors.table import ERRORS, ErrorKind, Problem

__all__ = ["ERRORS", "ErrorKind", "Problem"]
