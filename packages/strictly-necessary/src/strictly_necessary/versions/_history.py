"""The versions of a declaration, and which of them holds when."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from strictly_necessary.declaration import Declaration
from strictly_necessary.declaration._items import Item, Significance
from strictly_necessary.versions._change import Difference
from strictly_necessary.versions._diff import diff, paired, widens


@dataclass(frozen=True)
class Version:
    """One released declaration. `difference` is to the version before it, and None for the first one."""

    declaration: Declaration
    difference: Difference | None = None

    @property
    def number(self) -> str:
        """What its author calls it; it need not be a number."""
        return self.declaration.policy.version

    @property
    def starts(self) -> dt.datetime:
        """When it comes into force, aware and in UTC."""
        return self.declaration.policy.starts_at

    @property
    def is_significant(self) -> bool:
        """Whether people are told of it: by the rules, or because its author says so. The first one is no change."""
        if self.difference is None:
            return False
        said = self.declaration.policy.change is Significance.SIGNIFICANT
        return said or self.difference.significance is Significance.SIGNIFICANT


@dataclass(frozen=True)
class History:
    """At least one version, in the order in which they start. Make one with `History.of` or `load_history`."""

    versions: tuple[Version, ...]

    @classmethod
    def of(cls, declarations: Iterable[Declaration]) -> History:
        """From declarations in the order of their release. Raises ValueError if there is none, if two have the same
        version, or if one starts before the one that it follows."""
        versions: list[Version] = []
        for declaration in declarations:
            before = versions[-1].declaration if versions else None
            versions.append(Version(declaration, diff(before, declaration) if before else None))
        if not versions:
            raise ValueError("a history has at least one version")
        numbers = [version.number for version in versions]
        if len(set(numbers)) < len(numbers):
            raise ValueError(f"two versions have the same name, among {', '.join(numbers)}")
        for first, second in itertools.pairwise(versions):
            if second.starts < first.starts:
                raise ValueError(f"version {second.number} starts before version {first.number}, which it follows")
        return cls(tuple(versions))

    @cached_property
    def _by_number(self) -> dict[str, int]:
        return {version.number: index for index, version in enumerate(self.versions)}

    def at(self, moment: dt.datetime) -> Version:
        """The version in force. Before the first one starts, the first one is."""
        found = self.versions[0]
        for version in self.versions:
            if version.starts > moment:
                break
            found = version
        return found

    def after(self, moment: dt.datetime) -> Version | None:
        """The next one to start, if one is scheduled."""
        return next((version for version in self.versions[1:] if version.starts > moment), None)

    def version(self, number: str) -> Version:
        """The version of this name. Raises KeyError."""
        return self.versions[self._by_number[number]]

    def significant(self, since: dt.datetime, moment: dt.datetime) -> tuple[Version, ...]:
        """The significant versions that started after `since` and have started at `moment`, the oldest first."""
        return tuple(each for each in self.versions if each.is_significant and since < each.starts <= moment)

    def covers(self, item: Item, given: str, current: Version) -> bool:
        """Whether a yes to this item of the `current` version still holds that was given to the version `given`."""
        if given not in self._by_number:
            return False
        key = (given, current.number)
        found = self._covered.get(key)
        if found is None:
            found = self._covered[key] = frozenset(self._holding(given, current))
        return item.id in found

    @cached_property
    def _covered(self) -> dict[tuple[str, str], frozenset[str]]:
        """The ids to which a yes holds, by the two versions: each request asks, and versions never change."""
        return {}

    def _holding(self, given: str, current: Version) -> Iterator[str]:
        start, end = self._by_number[given], self._by_number[current.number]
        old, new = self.versions[start].declaration, current.declaration
        if start > end or old.policy.operator != new.policy.operator:
            return
        asked = {key for each in self.versions[start + 1 : end + 1] for key in each.declaration.policy.ask}
        for was, item in paired(old.items, new.items):
            if item.id not in asked and not old.is_exempt(was) and not widens(was, item):
                yield item.id

    def covering(self, item: Item, current: Version) -> tuple[str, ...]:
        """The versions to which a yes still holds for this item of the `current` one."""
        return tuple(each.number for each in self.versions if self.covers(item, each.number, current))
