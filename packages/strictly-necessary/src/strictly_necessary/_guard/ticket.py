"""What the guard knows of consent when a request comes, for the application."""

from __future__ import annotations

from dataclasses import dataclass, field

from strictly_necessary.consent._consent import Consent, Visitor
from strictly_necessary.consent._standing import Standing
from strictly_necessary.versions import History, Version


@dataclass(frozen=True, slots=True)
class Ticket:
    """One request's consent: the versions, what is granted and what is still to be asked in the one in force, and who
    asks. Where nothing needs consent, nobody was asked who it is, and `visitor` is None."""

    history: History
    standing: Standing
    visitor: Visitor | None = None
    consent: Consent | None = field(default=None, repr=False)

    def news(self, visitor: Visitor | None = None) -> tuple[Version, ...]:
        """The significant versions that are still to be told to this visitor, or to the one of the request, the oldest
        first. If there are any, the ledger is asked, so this may block."""
        return self.consent.news(self.history, visitor or self.visitor) if self.consent else ()

    def grants(self, item_id: str) -> bool:
        """Whether the item may be written and read now: it needs no consent, or has it. What the version in force does
        not hold may not."""
        items = self.standing.version.declaration.items
        item = next((each for each in items if each.id == item_id), None)
        if item is None:
            return False
        return item_id in self.standing.granted or self.standing.version.declaration.is_exempt(item)
