"""Where receipts and acknowledgements are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from strictly_necessary.consent._receipts import Acknowledgement, Answers, Receipt, Tally


class Ledger(Protocol):
    """Keeps receipts and acknowledgements. Nothing in it is changed; only `forget` removes. Each method is one
    transaction, and may be called from several threads and processes at once."""

    def record(self, receipt: Receipt) -> None:
        """Keep the receipt. The same receipt twice is kept once."""

    def receipts(self, account: str) -> Sequence[Receipt]:
        """The receipts of an account, the newest first."""

    def answers(self, account: str) -> Answers:
        """The latest answer of an account about each item."""

    def acknowledge(self, acknowledgement: Acknowledgement) -> bool:
        """Keep it, and say whether it is the first one of this account for this version."""

    def acknowledgements(self, account: str) -> Sequence[Acknowledgement]:
        """Those of an account, the newest first."""

    def tally(self) -> Tally:
        """How many accounts answered what."""

    def forget(self, account: str) -> None:
        """Remove what tells of this account: its acknowledgements, and its name from its receipts, which stay as those
        of somebody."""
