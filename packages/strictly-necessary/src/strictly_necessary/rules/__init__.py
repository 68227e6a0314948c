"""What the law and the browsers ask of items, third parties and headers, as a table: code, severity, text, source, and
when it is broken.

Each rule stands in rules.md, here and in the documentation, with an example that keeps it and one that breaks it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from strictly_necessary.declaration._items import EVERYWHERE, Item, Jurisdiction, Override, ThirdParty
from strictly_necessary.rules._rule import Breach, Rule
from strictly_necessary.rules.asking import ASKING_RULES
from strictly_necessary.rules.browsers import BROWSER_RULES, PREFIXES, prefix_of
from strictly_necessary.rules.exemption import EXEMPTION_RULES
from strictly_necessary.rules.jurisdictions import JURISDICTION_RULES
from strictly_necessary.rules.trackers import TRACKER_RULES

__all__ = ["PREFIXES", "RULES", "Breach", "Rule", "broken_by", "prefix_of"]

RULES: tuple[Rule, ...] = (*BROWSER_RULES, *EXEMPTION_RULES, *JURISDICTION_RULES, *TRACKER_RULES, *ASKING_RULES)


def broken_by(
    item: Item, jurisdictions: Iterable[Jurisdiction] = EVERYWHERE, items: Sequence[Item] = ()
) -> Iterator[Breach]:
    """Where the item breaks the rules of these jurisdictions. `items` are all that are declared with it; without them,
    nothing remembers what people answer, so nothing may need consent."""
    wanted = frozenset(jurisdictions)
    return (breach for rule in RULES for breach in rule.breaches(item, wanted, items))


def broken_by_party(party: ThirdParty) -> Iterator[Breach]:
    """Where the third party breaks the rules."""
    return (
        Breach(rule, f"{party.host}: {rule.text}", (rule.field,))
        for rule in RULES
        if rule.party is not None and rule.party(party)
    )


def broken_by_override(override: Override, third_parties: Iterable[ThirdParty]) -> Iterator[Breach]:
    """Where the override breaks the rules, in a declaration with these third parties."""
    hosts = frozenset(party.host for party in third_parties)
    shown = f"{override.name} {override.directive}" if override.directive else override.name
    return (
        Breach(rule, f"{shown}: {rule.text}", (rule.field,))
        for rule in RULES
        if rule.override is not None and rule.override(override, hosts)
    )
