"""The difference between two declarations: what they let happen, and not how they are written.

Order and formatting never count. Words count as `WORDING`, which gates nothing. Whatever lets more happen than before
is significant, and where an item needs consent, it asks again (Directive 2002/58/EC article 5(3); EDPB Guidelines
05/2020, paragraph 110: consent has to be given anew if the processing changes considerably).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from strictly_necessary.declaration import Declaration
from strictly_necessary.declaration._items import Category, Item, Override, SameSite, ThirdParty
from strictly_necessary.versions._change import ASKING_KINDS, Change, ChangeKind, Difference

_WORDS = ("title", "set_when", "information", "reason", "removal")
_POLICY_WORDS = ("service", "contact", "privacy_policy", "terms", "desktop_apps", "languages")
_LOOSENESS = {SameSite.STRICT: 0, SameSite.LAX: 1, None: 2, SameSite.NONE: 3}
"""Without the attribute, some browsers take a cookie for Lax and others for None."""


def diff(old: Declaration, new: Declaration) -> Difference:
    """Everything that changed. `diff(a, a)` is empty."""
    return Difference(
        (*_policy_changes(old, new), *_item_changes(old, new), *_party_changes(old, new), *_headers(old, new))
    )


def widens(old: Item, new: Item) -> bool:
    """Whether consent to the old item is none to the new one."""
    return old.id != new.id or any(change.kind in ASKING_KINDS for change in _compare(old, new))


def asked_anew(old: Declaration, new: Declaration, item: Item) -> bool:
    """Whether the author of the new declaration has people asked again. What the old one asked for already was done."""
    is_same = old.policy.version == new.policy.version and item.id in old.policy.ask
    return item.id in new.policy.ask and not is_same


def _item_changes(old: Declaration, new: Declaration) -> Iterator[Change]:
    pairs = paired(old.items, new.items)
    before = {id(after): item for item, after in pairs}
    for item in new.items:
        gated = not new.is_exempt(item)
        was = before.get(id(item))
        for change in _one(old, was, item, gated=gated):
            yield replace(change, needs_consent=gated and change.kind in ASKING_KINDS)
        renamed = was is not None and was.id != item.id  # answers are remembered by the id
        if gated and (asked_anew(old, new, item) or renamed):
            yield Change(ChangeKind.ASKED_AGAIN, _subject(item), item.id, needs_consent=True)
        elif gated and old.policy.operator != new.policy.operator and was is not None:
            operators = (old.policy.operator, new.policy.operator)
            yield Change(ChangeKind.OTHER_OPERATOR, _subject(item), item.id, "operator", *operators, needs_consent=True)
    kept = {id(item) for item, _ in pairs}
    for item in old.items:
        if id(item) not in kept:
            yield Change(ChangeKind.REMOVED_ITEM, _subject(item), item.id, before=item.name)


def paired(old: Iterable[Item], new: Iterable[Item]) -> list[tuple[Item, Item]]:
    """Each item with what it was: the one of its kind and name, else the one with its id. What is in the browser counts
    for more than what we call it, or a swap of two ids would hide what became of them."""
    by_name = {(item.kind, item.name): item for item in old}
    pairs = [(was, item) for item in new if (was := by_name.get((item.kind, item.name))) is not None]
    taken = {id(was) for was, _ in pairs}
    found = {id(item) for _, item in pairs}
    by_id = {item.id: item for item in by_name.values() if id(item) not in taken}
    pairs += [(was, item) for item in new if id(item) not in found and (was := by_id.get(item.id)) is not None]
    return pairs


def _one(old: Declaration, was: Item | None, item: Item, *, gated: bool) -> Iterator[Change]:
    if was is None:
        yield Change(ChangeKind.NEW_ITEM, _subject(item), item.id, after=item.name)
        return
    if gated and old.is_exempt(was):
        yield Change(ChangeKind.NEEDS_CONSENT, _subject(item), item.id)
    elif not gated and not old.is_exempt(was):
        yield Change(ChangeKind.NO_CONSENT, _subject(item), item.id)
    yield from _compare(was, item)


def _compare(old: Item, new: Item) -> Iterator[Change]:
    """What changed in one item."""

    def change(kind: ChangeKind, field: str, before: object, after: object) -> Change:
        return Change(kind, _subject(new), new.id, field, _shown(before), _shown(after))

    if old.kind is not new.kind:
        yield change(ChangeKind.OTHER_PLACE, "kind", old.kind, new.kind)
    if old.name != new.name:
        yield change(_renaming(old, new), "name", old.name, new.name)
    yield from _purposes(old, new)
    if old.provider != new.provider:
        yield change(ChangeKind.OTHER_PROVIDER, "provider", old.provider, new.provider)
    if more := set(new.recipients) - set(old.recipients):
        yield change(ChangeKind.NEW_RECIPIENT, "recipients", None, sorted(more))
    if less := set(old.recipients) - set(new.recipients):
        yield change(ChangeKind.REMOVED_RECIPIENT, "recipients", sorted(less), None)
    if old.lifetime.text != new.lifetime.text and _life(old) == _life(new):
        yield change(ChangeKind.WORDING, "lifetime", old.lifetime.text, new.lifetime.text)
    elif _life(old) != _life(new):
        longer = _life(new) > _life(old)
        kind = ChangeKind.LONGER_LIFE if longer else ChangeKind.SHORTER_LIFE
        yield change(kind, "lifetime", old.lifetime.text, new.lifetime.text)
    if old.renewed != new.renewed:
        kind = ChangeKind.LONGER_LIFE if new.renewed else ChangeKind.SHORTER_LIFE
        yield change(kind, "renewed", old.renewed, new.renewed)
    yield from (change(*each) for each in _scopes(old, new))
    if old.set_by is not new.set_by:
        yield change(ChangeKind.OTHER_WRITER, "set_by", old.set_by, new.set_by)
    if old.requires_action != new.requires_action:
        kind = ChangeKind.NEW_CONDITION if new.requires_action else ChangeKind.LOST_CONDITION
        yield change(kind, "requires_action", old.requires_action, new.requires_action)
    if old.objection and not new.objection:
        yield change(ChangeKind.LOST_CONDITION, "objection", old.objection, None)
    elif old.objection != new.objection:
        yield change(ChangeKind.WORDING, "objection", old.objection, new.objection)
    for field in _WORDS:
        if getattr(old, field) != getattr(new, field):
            yield change(ChangeKind.WORDING, field, getattr(old, field), getattr(new, field))
    if old.script != new.script:
        # Another file is ours to choose, another host is somebody else.
        elsewhere = _host(old.script) != _host(new.script) and old.set_by is new.set_by
        kind = ChangeKind.OTHER_WRITER if elsewhere else ChangeKind.WORDING
        yield change(kind, "script", old.script, new.script)
    if old.id != new.id:
        yield change(ChangeKind.WORDING, "id", old.id, new.id)
    if old.translations != new.translations:
        yield change(ChangeKind.WORDING, "translations", None, None)


def _renaming(old: Item, new: Item) -> ChangeKind:
    if not new.is_pattern:
        return ChangeKind.NARROWER_SCOPE if old.is_pattern and old.matches(new.name) else ChangeKind.RENAMED
    narrower = old.is_pattern and new.stem.startswith(old.stem)
    return ChangeKind.NARROWER_SCOPE if narrower else ChangeKind.WIDER_SCOPE


def _purposes(old: Item, new: Item) -> Iterator[Change]:
    """Purposes are told apart by their categories. Another sentence is wording, one more in a category is one more."""
    before, after = (Counter(purpose.category for purpose in item.purposes) for item in (old, new))
    for category in sorted(after - before):
        text = _one_more(category, old, new)
        yield Change(ChangeKind.NEW_PURPOSE, _subject(new), new.id, "purpose", None, f"{category.value}: {text}")
    for category in sorted(before - after):
        text = _one_more(category, new, old)
        yield Change(ChangeKind.REMOVED_PURPOSE, _subject(new), new.id, "purpose", f"{category.value}: {text}", None)
    if before != after:
        return
    for category in sorted(before):
        were, are = (
            sorted(purpose.text for purpose in item.purposes if purpose.category is category) for item in (old, new)
        )
        for was, is_now in zip(were, are, strict=True):
            if was != is_now:
                yield Change(ChangeKind.WORDING, _subject(new), new.id, "purpose", was, is_now)
    translated = [
        {(purpose.category, purpose.text): purpose.translations for purpose in item.purposes} for item in (old, new)
    ]
    if translated[0].keys() == translated[1].keys() and translated[0] != translated[1]:
        yield Change(ChangeKind.WORDING, _subject(new), new.id, "translations")


def _one_more(category: Category, fewer: Item, more: Item) -> str:
    """What a purpose is called that one of the items has more, whatever their order."""
    texts, others = (sorted(each.text for each in item.purposes if each.category is category) for item in (more, fewer))
    return next((text for text in texts if text not in others), texts[0])


def _scopes(old: Item, new: Item) -> Iterator[tuple[ChangeKind, str, object, object]]:
    """Who can read it, where it is sent, and what it can hold."""
    if old.kind is new.kind:  # else there is nothing to hold the attributes of a cookie against
        yield from _attributes(old, new)
    if set(old.values) != set(new.values):
        narrower = bool(new.values) and (not old.values or set(new.values) < set(old.values))
        yield (_scope(wider=not narrower), "values", sorted(old.values) or None, sorted(new.values) or None)


def _attributes(old: Item, new: Item) -> Iterator[tuple[ChangeKind, str, object, object]]:
    for field, opens in (
        ("readable_by_application", True),
        ("http_only", False),
        ("secure", False),
        ("partitioned", False),
    ):
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            yield (_scope(wider=after is opens), field, before, after)
    if old.same_site is not new.same_site:
        wider = _LOOSENESS[new.same_site] > _LOOSENESS[old.same_site]
        yield (_scope(wider=wider), "same_site", old.same_site, new.same_site)
    if old.path != new.path:
        yield (_scope(wider=not _below(new.path or "/", old.path or "/")), "path", old.path, new.path)
    if old.domain != new.domain:
        wider = new.domain is not None and (old.domain is None or not new.domain.endswith("." + old.domain))
        yield (_scope(wider=wider), "domain", old.domain, new.domain)


def _below(path: str, parent: str) -> bool:
    """Whether every path that the first one covers is also covered by the second (RFC 6265bis section 5.1.4)."""
    return path == parent or path.startswith(parent if parent.endswith("/") else f"{parent}/")


def _host(script: str | None) -> str | None:
    return urlsplit(script or "").hostname


def _scope(*, wider: bool) -> ChangeKind:
    return ChangeKind.WIDER_SCOPE if wider else ChangeKind.NARROWER_SCOPE


def _life(item: Item) -> float:
    """Seconds; the browser session is the shortest life, and no limit the longest."""
    life = item.lifetime
    return float("inf") if life.is_persistent else float(life.seconds or 0)


def _policy_changes(old: Declaration, new: Declaration) -> Iterator[Change]:
    before, after = old.policy, new.policy
    subject = after.service
    if before.operator != after.operator:
        yield Change(ChangeKind.OTHER_OPERATOR, subject, None, "operator", before.operator, after.operator)
    for field, opens in (("hosts", True), ("jurisdictions", False)):
        were, are = set(getattr(before, field)), set(getattr(after, field))
        for more, names in ((True, are - were), (False, were - are)):
            if names:
                kind = ChangeKind.WIDER_REACH if more is opens else ChangeKind.NARROWER_REACH
                shown = _shown(sorted(names))
                yield Change(kind, subject, None, field, None if more else shown, shown if more else None)
    for field in _POLICY_WORDS:
        was, is_now = getattr(before, field), getattr(after, field)
        if was != is_now and not (isinstance(was, tuple) and sorted(was) == sorted(is_now)):
            yield Change(ChangeKind.WORDING, subject, None, field, _shown(was), _shown(is_now))


def _party_changes(old: Declaration, new: Declaration) -> Iterator[Change]:
    before, after = ({party.host: party for party in each.third_parties} for each in (old, new))
    for host, party in after.items():
        was = before.get(host)
        if was is None or was.name != party.name:  # somebody else, if on the same host
            yield Change(ChangeKind.NEW_THIRD_PARTY, party.name, None, "third_parties", None, host)
        elif was != party:
            yield from _party(was, party)
    for host, party in before.items():
        if host not in after or after[host].name != party.name:
            yield Change(ChangeKind.REMOVED_THIRD_PARTY, party.name, None, "third_parties", host, None)


def _party(old: ThirdParty, new: ThirdParty) -> Iterator[Change]:
    for field in ("feature", "action", "storage", "privacy"):
        if getattr(old, field) != getattr(new, field):
            yield Change(ChangeKind.WORDING, new.name, None, field, getattr(old, field), getattr(new, field))
    if old.translations != new.translations:
        yield Change(ChangeKind.WORDING, new.name, None, "translations")


def _headers(old: Declaration, new: Declaration) -> Iterator[Change]:
    """Whether a header opens more is for people to judge, so every other value is told."""
    before, after = ({_key(override): override for override in each.overrides} for each in (old, new))
    for key in dict.fromkeys((*after, *before)):
        was, is_now = before.get(key), after.get(key)
        subject = " ".join(part for part in key[:2] if part)
        values = (was.value if was else None, is_now.value if is_now else None)
        if values[0] != values[1]:
            yield Change(ChangeKind.OTHER_HEADER, subject, None, "headers", *values)
        elif was is not None and is_now is not None and was != is_now:
            if was.reason != is_now.reason:
                yield Change(ChangeKind.WORDING, subject, None, "reason", was.reason, is_now.reason)
            if was.translations != is_now.translations:
                yield Change(ChangeKind.WORDING, subject, None, "translations")


def _key(override: Override) -> tuple[str, str | None, tuple[str, ...]]:
    return override.name, override.directive, tuple(sorted(override.paths))


def _subject(item: Item) -> str:
    return item.title or item.id


def _shown(value: object) -> str | None:
    """A value as it stands in the file, without its quotes."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(value) if isinstance(value, list | tuple) else str(value)
