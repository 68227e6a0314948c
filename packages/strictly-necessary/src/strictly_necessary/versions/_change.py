"""What a difference is made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from strictly_necessary.declaration._items import Significance


class ChangeKind(StrEnum):
    """What happened to an item, a third party, a header or the policy. The value is its name for machines."""

    NEW_ITEM = "new-item"
    REMOVED_ITEM = "removed-item"
    NEEDS_CONSENT = "needs-consent"
    NO_CONSENT = "no-consent"
    ASKED_AGAIN = "asked-again"
    NEW_PURPOSE = "new-purpose"
    REMOVED_PURPOSE = "removed-purpose"
    LONGER_LIFE = "longer-life"
    SHORTER_LIFE = "shorter-life"
    NEW_RECIPIENT = "new-recipient"
    REMOVED_RECIPIENT = "removed-recipient"
    OTHER_PROVIDER = "other-provider"
    OTHER_OPERATOR = "other-operator"
    OTHER_PLACE = "other-place"
    RENAMED = "renamed"
    WIDER_SCOPE = "wider-scope"
    NARROWER_SCOPE = "narrower-scope"
    OTHER_WRITER = "other-writer"
    LOST_CONDITION = "lost-condition"
    NEW_CONDITION = "new-condition"
    NEW_THIRD_PARTY = "new-third-party"
    REMOVED_THIRD_PARTY = "removed-third-party"
    OTHER_HEADER = "other-header"
    WIDER_REACH = "wider-reach"
    NARROWER_REACH = "narrower-reach"
    WORDING = "wording"


EDITORIAL_KINDS = frozenset(
    {
        ChangeKind.REMOVED_ITEM,
        ChangeKind.REMOVED_PURPOSE,
        ChangeKind.SHORTER_LIFE,
        ChangeKind.REMOVED_RECIPIENT,
        ChangeKind.NARROWER_SCOPE,
        ChangeKind.NEW_CONDITION,
        ChangeKind.REMOVED_THIRD_PARTY,
        ChangeKind.NARROWER_REACH,
        ChangeKind.WORDING,
    }
)
"""Those that let nothing happen that did not happen before. All others are significant."""

ASKING_KINDS = frozenset(
    {
        ChangeKind.NEW_ITEM,
        ChangeKind.NEEDS_CONSENT,
        ChangeKind.ASKED_AGAIN,
        ChangeKind.NEW_PURPOSE,
        ChangeKind.LONGER_LIFE,
        ChangeKind.NEW_RECIPIENT,
        ChangeKind.OTHER_PROVIDER,
        ChangeKind.OTHER_OPERATOR,
        ChangeKind.OTHER_PLACE,
        ChangeKind.WIDER_SCOPE,
        ChangeKind.LOST_CONDITION,
    }
)
"""Those after which people are asked about an item that needs consent: what they agreed to was something else."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was. `item` is the id of an item, `subject` what people call what has changed: the
    title of an item, the host of a third party, the name of a header. `field` is the key in the file; `before` and
    `after` are its values as they are written there, and None where there is none."""

    kind: ChangeKind
    subject: str
    item: str | None = None
    field: str | None = None
    before: str | None = None
    after: str | None = None
    needs_consent: bool = False

    @property
    def significance(self) -> Significance:
        return Significance.EDITORIAL if self.kind in EDITORIAL_KINDS else Significance.SIGNIFICANT


@dataclass(frozen=True)
class Difference:
    """All that changed from one declaration to another, in a fixed order; empty if nothing did that anybody could
    notice. The version and its date are not among it."""

    changes: tuple[Change, ...] = ()

    @cached_property
    def significance(self) -> Significance | None:
        """The weightiest there is, or None if nothing changed."""
        if not self.changes:
            return None
        found = {change.significance for change in self.changes}
        return Significance.SIGNIFICANT if Significance.SIGNIFICANT in found else Significance.EDITORIAL

    @cached_property
    def to_ask(self) -> frozenset[str]:
        """The ids of the items about which people have to be asked."""
        return frozenset(change.item for change in self.changes if change.needs_consent and change.item is not None)

    @property
    def needs_consent(self) -> bool:
        return bool(self.to_ask)
