"""Where receipts and acknowledgements are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from strictly_necessary.consent._receipts import Acknowledgement, Answers, Receipt, Tally


class LedgerError(Exception):
    """The ledger cannot be asked, or could not keep what it was given. Then nothing is granted, and an answer was not
    recorded. The message tells of nobody."""


class Ledger(Protocol):
    """Keeps receipts and acknowledgements. Nothing in it is changed; only `forget` removes. Each method is one
    transaction, may be called from several threads and processes at once, and raises `LedgerError` if it could not do
    what it says."""

    def record(self, receipt: Receipt) -> None:
        """Keep the receipt, durably. The same receipt twice is kept once, and changes no later answer; another one with
        its id raises `LedgerError`."""

    def receipts(self, account: str) -> Sequence[Receipt]:
        """The receipts of an account, the one that was recorded last first."""

    def answers(self, account: str) -> Answers:
        """The latest answer of an account about each item: the one that was recorded last, whatever clocks said, so
        that a withdrawal counts also where the clock went back."""

    def acknowledge(self, acknowledgement: Acknowledgement) -> bool:
        """Keep it, and say whether it is the first one of this account for this version. Of several at once, exactly
        one is the first; the first is kept."""

    def acknowledgements(self, account: str) -> Sequence[Acknowledgement]:
        """Those of an account, the newest first."""

    def tally(self) -> Tally:
        """How many accounts answered what."""

    def forget(self, account: str) -> None:
        """Remove what tells of this account: its acknowledgements, its latest answers, and its name from its receipts,
        which stay as those of somebody."""
