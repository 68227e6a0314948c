"""What changed, in a few English words for those who write declarations. People who visit a site read the page's."""

from __future__ import annotations

from strictly_necessary.versions._change import Change, ChangeKind

_WORDS = {
    ChangeKind.NEW_ITEM: "a new item",
    ChangeKind.REMOVED_ITEM: "is gone",
    ChangeKind.NEEDS_CONSENT: "needs consent now",
    ChangeKind.NO_CONSENT: "goes without consent now",
    ChangeKind.ASKED_AGAIN: "people are asked again",
    ChangeKind.NEW_PURPOSE: "has one more purpose",
    ChangeKind.REMOVED_PURPOSE: "has one purpose less",
    ChangeKind.LONGER_LIFE: "lives longer",
    ChangeKind.SHORTER_LIFE: "lives shorter",
    ChangeKind.NEW_RECIPIENT: "more people get what it tells",
    ChangeKind.REMOVED_RECIPIENT: "fewer people get what it tells",
    ChangeKind.OTHER_PROVIDER: "has another provider",
    ChangeKind.OTHER_OPERATOR: "somebody else runs the service",
    ChangeKind.OTHER_PLACE: "is kept elsewhere in the browser",
    ChangeKind.RENAMED: "has another name in the browser",
    ChangeKind.WIDER_SCOPE: "reaches further",
    ChangeKind.NARROWER_SCOPE: "reaches less far",
    ChangeKind.OTHER_WRITER: "is written by somebody else",
    ChangeKind.LOST_CONDITION: "waits for no act of the person, or cannot be objected to, any more",
    ChangeKind.NEW_CONDITION: "waits for an act of the person now",
    ChangeKind.NEW_THIRD_PARTY: "a new third party",
    ChangeKind.REMOVED_THIRD_PARTY: "no third party any more",
    ChangeKind.OTHER_HEADER: "a header is overridden otherwise",
    ChangeKind.WIDER_REACH: "covers more, or is held to less",
    ChangeKind.NARROWER_REACH: "covers less, or is held to more",
    ChangeKind.WORDING: "other words",
}

_WHY = {
    ChangeKind.NEW_ITEM: "it was not kept before",
    ChangeKind.NEEDS_CONSENT: "it went without consent before",
    ChangeKind.NO_CONSENT: "it reaches also those who said no, or nothing",
    ChangeKind.ASKED_AGAIN: "whoever releases it says so, or its id is a new one, by which answers are remembered",
    ChangeKind.NEW_PURPOSE: "it serves more than before",
    ChangeKind.LONGER_LIFE: "it stays for longer than before",
    ChangeKind.NEW_RECIPIENT: "more learn of it than before",
    ChangeKind.OTHER_PROVIDER: "somebody else is behind it",
    ChangeKind.OTHER_OPERATOR: "people deal with somebody else",
    ChangeKind.OTHER_PLACE: "other rules hold there",
    ChangeKind.RENAMED: "people look for it under its name",
    ChangeKind.WIDER_SCOPE: "more can read it, or it can hold more",
    ChangeKind.OTHER_WRITER: "people are told who writes it",
    ChangeKind.LOST_CONDITION: "people have less to say about it",
    ChangeKind.NEW_THIRD_PARTY: "people may be led there",
    ChangeKind.OTHER_HEADER: "what pages may load or do is for people to judge",
    ChangeKind.WIDER_REACH: "the promise says something else about more hosts, or holds by fewer rules",
}
"""Why each kind that is significant is so."""


def why(change: Change) -> str:
    """Why the change is what it is."""
    if change.kind is ChangeKind.WORDING:
        return "only words have changed"
    return _WHY.get(change.kind, "nothing happens that did not happen before")


def tell(change: Change) -> str:
    """One line, such as `Visits (visits): lives longer: lifetime 30 days -> 12 months`."""
    of = f" ({change.item})" if change.item is not None and change.item != change.subject else ""
    told = f"{change.subject}{of}: {_WORDS[change.kind]}"
    values = " -> ".join(value for value in (change.before, change.after) if value is not None)
    if change.before is None and change.after is not None:
        values = f"+ {change.after}"
    elif change.after is None and change.before is not None:
        values = f"- {change.before}"
    shown = " ".join(part for part in (change.field, values) if part)
    return f"{told}: {shown}" if shown else told
