"""Consent: what a person answered, whether it still holds, and the record of it."""

from strictly_necessary.consent._choice import Choice
from strictly_necessary.consent._consent import Consent, OutdatedError, SignalError, Visitor, Who
from strictly_necessary.consent._export import as_json, export, receipt_schema
from strictly_necessary.consent._ledger import Ledger, LedgerError
from strictly_necessary.consent._receipts import (
    Acknowledgement,
    Action,
    Answer,
    Answers,
    Channel,
    Latest,
    Receipt,
    Tally,
)
from strictly_necessary.consent._standing import Standing, standing

# isort: split
from strictly_necessary._guard.ticket import Ticket  # the last, since it needs the others

__all__ = [
    "Acknowledgement",
    "Action",
    "Answer",
    "Answers",
    "Channel",
    "Choice",
    "Consent",
    "Latest",
    "Ledger",
    "LedgerError",
    "OutdatedError",
    "Receipt",
    "SignalError",
    "Standing",
    "Tally",
    "Ticket",
    "Visitor",
    "Who",
    "as_json",
    "export",
    "receipt_schema",
    "standing",
]
