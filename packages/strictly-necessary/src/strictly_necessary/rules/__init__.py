"""What the law and the browsers ask of each item, as a table: code, severity, text, source, and when it is broken.

Each rule stands in docs/reference/rules.md with an example that keeps it and one that breaks it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from strictly_necessary.declaration._items import EVERYWHERE, Item, Jurisdiction
from strictly_necessary.rules._rule import Breach, Rule
from strictly_necessary.rules.browsers import BROWSER_RULES, PREFIXES, prefix_of
from strictly_necessary.rules.exemption import EXEMPTION_RULES
from strictly_necessary.rules.jurisdictions import JURISDICTION_RULES

__all__ = ["PREFIXES", "RULES", "Breach", "Rule", "broken_by", "prefix_of"]

RULES: tuple[Rule, ...] = (*BROWSER_RULES, *EXEMPTION_RULES, *JURISDICTION_RULES)


def broken_by(item: Item, jurisdictions: Iterable[Jurisdiction] = EVERYWHERE) -> Iterator[Breach]:
    """Where the item breaks the rules of these jurisdictions."""
    wanted = frozenset(jurisdictions)
    return (breach for rule in RULES for breach in rule.breaches(item, wanted))
