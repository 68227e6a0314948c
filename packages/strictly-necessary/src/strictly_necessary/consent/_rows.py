"""What the ledgers in databases share: how a moment is a number, and what is counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace

from strictly_necessary.consent._archive import read_answers
from strictly_necessary.consent._ledger import LedgerError
from strictly_necessary.consent._receipts import Acknowledgement, Action, Channel, Latest, Receipt, Tally

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


def microseconds(moment: dt.datetime) -> int:
    """Since 1970 in UTC: exact, and the same in every database, with and without time zones."""
    return (moment - _EPOCH) // _MICROSECOND


def _moment(number: int) -> dt.datetime:
    return _EPOCH + number * _MICROSECOND


def receipt_of(  # one parameter for each column
    key: str, at: int, version: str, answers: str, text: str, language: str, channel: str, account: str | None
) -> Receipt:
    """The receipt in these columns. Raises `LedgerError` if it cannot be read: it is never left out in silence."""
    try:
        return Receipt(key, _moment(at), version, read_answers(answers), text, language, Channel(channel), account)
    except (ValueError, OverflowError) as error:
        raise LedgerError(f"the receipt {key} cannot be read: {error}") from error


def latest_of(action: str, version: str, at: int) -> Latest:
    """The answer in these columns. Raises `LedgerError` if it cannot be read."""
    try:
        return Latest(Action(action), version, _moment(at))
    except (ValueError, OverflowError) as error:
        raise LedgerError(f"an answer cannot be read: {error}") from error


def acknowledgement_of(account: str, version: str, at: int, channel: str) -> Acknowledgement:
    """The acknowledgement in these columns. Raises `LedgerError` if it cannot be read."""
    try:
        return Acknowledgement(account, version, _moment(at), Channel(channel))
    except (ValueError, OverflowError) as error:
        raise LedgerError(f"an acknowledgement cannot be read: {error}") from error


def require_same(kept: Receipt, receipt: Receipt) -> None:
    """Raises `LedgerError` unless both are one receipt. The account may have been forgotten meanwhile."""
    if replace(kept, account=None) != replace(receipt, account=None) or kept.account not in {None, receipt.account}:
        raise LedgerError("another receipt with this id was recorded before")


def tally_of(acknowledged: Iterable[tuple[str, int]], answered: Iterable[tuple[str, str, int]]) -> Tally:
    """From accounts by version, and accounts by item and action."""
    by_item: dict[str, dict[Action, int]] = {}
    for item, action, count in answered:
        by_item.setdefault(item, {})[Action(action)] = count
    return Tally(dict(acknowledged), by_item)
