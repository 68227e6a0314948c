"""What a rule is, and the few ways to say when an item breaks one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from strictly_necessary._findings import Severity
from strictly_necessary.declaration._items import (
    EVERYWHERE,
    Category,
    Item,
    Jurisdiction,
    Kind,
    Override,
    Purpose,
    ThirdParty,
)

Condition: TypeAlias = Callable[[Item], bool]
"""Whether an item breaks a rule."""

NotExempt: TypeAlias = Callable[[Purpose, frozenset[Jurisdiction]], bool]
"""Whether a purpose breaks a rule in a policy for these jurisdictions."""

OfParty: TypeAlias = Callable[[ThirdParty], bool]
"""Whether a third party breaks a rule."""

OfOverride: TypeAlias = Callable[[Override, frozenset[str]], bool]
"""Whether the override of a header breaks a rule, beside these hosts of third parties."""


Among: TypeAlias = Callable[[Item, Sequence[Item], frozenset[Jurisdiction]], bool]
"""Whether an item breaks a rule among all items of its declaration, in a policy for these jurisdictions."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is asked of an item, of each of its purposes, of an item among the others, of a third party or of
    an override, in policies for one of `jurisdictions`. `field` is the key at which a finding points. With `unasked`,
    it is asked only of what goes without consent."""

    code: str
    severity: Severity
    text: str
    source: str
    field: str
    fix: str
    broken: Condition | None = None
    purpose: NotExempt | None = None
    party: OfParty | None = None
    override: OfOverride | None = None
    jurisdictions: frozenset[Jurisdiction] = EVERYWHERE
    among: Among | None = None
    unasked: bool = False

    def breaches(
        self, item: Item, jurisdictions: frozenset[Jurisdiction], items: Sequence[Item] = ()
    ) -> Iterator[Breach]:
        """Where the item breaks this rule in a policy for these jurisdictions; for none, only what holds in all.
        `items` are all that are declared with it, as far as that is known."""
        if self.jurisdictions != EVERYWHERE and self.jurisdictions.isdisjoint(jurisdictions):
            return
        if self.unasked and any(map(remembers, items)) and not item.is_exempt(jurisdictions):
            return
        broken = self.broken is not None and self.broken(item)
        if broken or (self.among is not None and self.among(item, items, jurisdictions)):
            yield Breach(self, f'"{item.id}": {self.text}', (self.field,))
        if self.purpose is None:
            return
        for index, purpose in enumerate(item.purposes):
            if self.purpose(purpose, jurisdictions):
                message = f'"{item.id}" is for {purpose.category.value}: {self.text}'
                # An item in its own words has its one category beside its other keys.
                alone = len(item.purposes) == 1
                yield Breach(self, message, (self.field,) if alone else ("purposes", index, self.field))


@dataclass(frozen=True, slots=True)
class Breach:
    """One rule that is broken. `path` leads from the table of the item, third party or header to the key."""

    rule: Rule
    message: str
    path: tuple[str | int, ...]


def remembers(item: Item) -> bool:
    """Whether it is a cookie that remembers what a person answered."""
    return item.kind is Kind.COOKIE and Category.CONSENT_CHOICE in item.categories


def cookie(condition: Condition) -> Condition:
    """The condition for cookies alone."""
    return lambda item: item.kind is Kind.COOKIE and condition(item)


def of(*categories: Category) -> Callable[[Condition], Condition]:
    """The condition for items that serve one of these purposes, perhaps beside others."""
    return lambda condition: lambda item: not item.categories.isdisjoint(categories) and condition(item)


def lives_longer_than(item: Item, seconds: int) -> bool:
    """Whether its declared life has a greater limit, or none."""
    life = item.lifetime
    return life.is_persistent or (life.seconds is not None and life.seconds > seconds)


def error(
    code: str,
    text: str,
    source: str,
    field: str,
    fix: str,
    broken: Condition,
    *,
    jurisdictions: frozenset[Jurisdiction] = EVERYWHERE,
    unasked: bool = False,
) -> Rule:
    return Rule(code, Severity.ERROR, text, source, field, fix, broken, jurisdictions=jurisdictions, unasked=unasked)


def warning(
    code: str,
    text: str,
    source: str,
    field: str,
    fix: str,
    broken: Condition,
    *,
    jurisdictions: frozenset[Jurisdiction] = EVERYWHERE,
    unasked: bool = False,
) -> Rule:
    return Rule(code, Severity.WARNING, text, source, field, fix, broken, jurisdictions=jurisdictions, unasked=unasked)
