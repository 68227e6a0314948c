"""The next version: what it is called, when it starts and what it means, worked out before anything is written."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from strictly_necessary._findings import Finding, Severity
from strictly_necessary.declaration import Declaration, examine
from strictly_necessary.declaration._items import VERSION, Item, Policy, Significance
from strictly_necessary.versions._change import Change, ChangeKind, Difference
from strictly_necessary.versions._diff import diff
from strictly_necessary.versions._editing import edited, quoted
from strictly_necessary.versions._history import History
from strictly_necessary.versions._loading import NUMBERED, RELEASE_KEYS, is_same, natural
from strictly_necessary.versions._telling import tell

NOTICE = dt.timedelta(minutes=2)
"""How long before it starts a version is released that changes what people agreed to: every open tab hears of it."""

_COUNTED = re.compile(r"(.*?)([0-9]+)")
_DATED = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?")
_KINDS_THAT_WAIT = frozenset(ChangeKind) - {ChangeKind.WORDING}


@dataclass(frozen=True)
class Release:
    """The next version before it is made. `text` is the new file, and that which is kept as this version. `difference`
    is to the version before, and empty for the first one. With `refusals` it must not be made; `findings` are
    the errors in the declaration. `is_made` says that nothing has changed since this version was released but what the
    file says of the release; `text` puts that right."""

    version: str
    starts: dt.datetime
    text: bytes
    difference: Difference
    significance: Significance | None = None
    refusals: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    is_first: bool = False
    is_made: bool = False

    @property
    def to_ask(self) -> frozenset[str]:
        """The ids of the items about which people are asked again."""
        return self.difference.to_ask

    @property
    def needs_consent(self) -> bool:
        return self.difference.needs_consent


@dataclass(frozen=True)
class Wishes:
    """What whoever releases wants; None and empty for what follows from the difference."""

    version: str | None = None
    starts: dt.datetime | None = None
    change: Significance | None = None
    summary: str | None = None
    translations: Mapping[str, str] = field(default_factory=dict)
    ask: tuple[str, ...] = ()


def plan_release(
    history: History | None,
    raw: bytes,
    *,
    now: dt.datetime,
    version: str | None = None,
    starts: dt.datetime | None = None,
    change: Significance | None = None,
    summary: str | None = None,
    translations: Mapping[str, str] | None = None,
    ask: Iterable[str] = (),
    file: str = "policy.toml",
) -> Release:
    """The version that these bytes of a declaration would be after those of the history, or the first one without any.
    `starts` and `now` are aware; `translations` are those of the summary, by their language. Touches nothing: whoever
    asks keeps `text`. Never raises for what is wrong with the declaration or the wishes: that is among `refusals`."""
    declaration, findings = examine(raw, file)
    errors = tuple(finding for finding in findings if finding.severity is Severity.ERROR)
    if declaration is None or errors:
        return Release("", now, raw, Difference(), refusals=("the declaration has errors",), findings=errors)
    wishes = Wishes(version, starts, change, summary, translations or {}, tuple(ask))
    if history is None:
        return _first(declaration, raw, wishes)
    last = history.versions[-1].declaration
    if is_same(last, declaration) and not wishes.ask:
        refusal = f"nothing has changed since version {last.policy.version}"
        return Release(last.policy.version, last.policy.starts_at, raw, Difference(), refusals=(refusal,))
    policy = _policy(history, declaration, wishes)
    if not diff(last, replace(declaration, policy=policy)).changes:
        return _made_already(last.policy, declaration.policy, raw)
    return _next(history, declaration, policy, raw, wishes=wishes, now=now, file=file)


def _first(declaration: Declaration, raw: bytes, wishes: Wishes) -> Release:
    policy = declaration.policy
    refusals = []
    if wishes != Wishes():
        refusals.append("the first release keeps the file as it is; write into it what you want it to say")
    if not VERSION.fullmatch(policy.version):
        refusals.append(_bad_name(policy.version))
    return Release(policy.version, policy.starts_at, raw, Difference(), refusals=tuple(refusals), is_first=True)


def _made_already(last: Policy, policy: Policy, raw: bytes) -> Release:
    """What is kept is as it was released, and only what `[policy]` says of it is not: so ends a release that was cut
    short, or somebody has changed it by hand."""
    refusals = (f"nothing has changed since version {last.version}",)
    try:
        text = edited(raw, _written(last, policy))
    except ValueError as error:
        return Release(last.version, last.starts_at, raw, Difference(), refusals=(*refusals, str(error)))
    after = examine(text, "")[0]
    agrees = after is not None and all(getattr(after.policy, key) == getattr(last, key) for key in RELEASE_KEYS)
    return Release(last.version, last.starts_at, text, Difference(), refusals=refusals, is_made=agrees)


def _next(
    history: History,
    declaration: Declaration,
    policy: Policy,
    raw: bytes,
    *,
    wishes: Wishes,
    now: dt.datetime,
    file: str,
) -> Release:
    last = history.versions[-1].declaration
    wanted = replace(declaration, policy=policy)
    difference = diff(last, wanted)
    waits = _waits(last, wanted, difference)
    policy = _starting(policy, wishes.starts or policy.starts, last.policy.starts_at, now, waits=waits)
    found = difference.significance or Significance.EDITORIAL
    said = wishes.change or policy.change or found
    wanted = replace(declaration, policy=replace(policy, change=said))
    refusals = [
        *_refused_names(history, policy.version),
        *_refused_start(last.policy, policy.starts_at, now, waits=waits),
        *_refused_label(said, difference),
    ]
    unwritten: list[str] = []
    text, findings = raw, list[Finding]()
    if not refusals:
        text, findings, unwritten = _rewritten(raw, wanted, declaration.policy, file)
    return Release(policy.version, policy.starts_at, text, difference, said, (*refusals, *unwritten), tuple(findings))


def _rewritten(raw: bytes, wanted: Declaration, before: Policy, file: str) -> tuple[bytes, list[Finding], list[str]]:
    """The file with what it is to say, the errors in it, and why it cannot be."""
    try:
        text = edited(raw, _written(wanted.policy, before))
    except ValueError as error:
        return raw, [], [str(error)]
    written, findings = examine(text, file)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        return text, errors, ["with what it is to say of this release, the declaration has errors"]
    if written != wanted:
        return raw, [], ["the keys of the release cannot be written into [policy]; give each a line of its own"]
    return text, [], []


def _policy(history: History, declaration: Declaration, wishes: Wishes) -> Policy:
    """What `[policy]` is to say: the wishes, else what its author wrote anew, else nothing. What was written for the
    version before is not for this one."""
    policy, last = declaration.policy, history.versions[-1].declaration.policy
    numbers = {version.number for version in history.versions}
    base = history.version(policy.version).declaration.policy if policy.version in numbers else last
    summary, translations = policy.summary, policy.translations
    if wishes.summary is not None:
        summary = wishes.summary
        translations = {language: {"summary": text} for language, text in wishes.translations.items()}
    elif summary in {last.summary, base.summary}:
        summary, translations = None, {}
    own = None if policy.version in numbers else policy.version
    return replace(
        policy,
        version=wishes.version or own or _counted_up(last.version),
        starts=wishes.starts or (None if policy.starts in {last.starts, base.starts} else policy.starts),
        change=wishes.change or (None if policy.change in {last.change, base.change} else policy.change),
        summary=summary,
        translations=translations,
        ask=wishes.ask or (() if policy.ask in {last.ask, base.ask} else policy.ask),
    )


def _starting(
    policy: Policy, wanted: dt.datetime | None, last: dt.datetime, now: dt.datetime, *, waits: bool
) -> Policy:
    if wanted is not None:
        starts = wanted.astimezone(dt.UTC).replace(microsecond=0)
    else:
        starts = now.astimezone(dt.UTC).replace(microsecond=0)
        starts += NOTICE + dt.timedelta(seconds=1) if waits else dt.timedelta()
        if last <= now:
            starts = max(starts, last.replace(microsecond=0) + dt.timedelta(seconds=1))
    return replace(policy, starts=starts, last_updated=starts.date())


def _waits(last: Declaration, wanted: Declaration, difference: Difference) -> bool:
    """Whether a tab that is open could go on by what held before: people are asked, what they agreed to is not that any
    more, or their answers are remembered elsewhere."""

    def told_apart(item: Item | None) -> tuple[object, ...]:
        return (item.name, item.path, item.domain) if item is not None else ()

    agreed = {item.id for item in last.gated}
    changed = any(change.item in agreed and change.kind in _KINDS_THAT_WAIT for change in difference.changes)
    moved = bool(last.gated) and told_apart(last.choice) != told_apart(wanted.choice)
    return difference.needs_consent or changed or moved


def _refused_names(history: History, version: str) -> Iterable[str]:
    last = history.versions[-1].number
    if not version:
        yield f"what follows version {last} cannot be counted up; say --version"
    elif not VERSION.fullmatch(version):
        yield _bad_name(version)
    elif any(version.lower() == each.number.lower() for each in history.versions):
        yield f"there is a version {version} already"
    elif NUMBERED.fullmatch(version) and NUMBERED.fullmatch(last) and natural(version) < natural(last):
        yield f"version {version} would follow version {last}"


def _bad_name(version: str) -> str:
    return (
        f"{version!r} cannot be the name of a version: use at most 32 letters, digits, dots, hyphens and underscores, "
        "and begin with a letter or a digit"
    )


def _refused_start(last: Policy, starts: dt.datetime, now: dt.datetime, *, waits: bool) -> Iterable[str]:
    if last.starts_at > now and starts <= last.starts_at:
        yield f"version {last.version} starts at {moment(last.starts_at)}, so the next one starts later than that"
    elif starts <= last.starts_at:
        yield f"version {last.version} started at {moment(last.starts_at)}, so the next one starts later than that"
    elif starts < now.replace(microsecond=0):
        yield f"{moment(starts)} is in the past"
    elif waits and starts < now + NOTICE:
        yield (
            f"{moment(starts)} is too soon: this changes what people agree to, and pages that are open need up to two "
            "minutes to hear of it"
        )


def _refused_label(said: Significance, difference: Difference) -> Iterable[str]:
    first: Change | None = next(
        (change for change in difference.changes if change.significance is Significance.SIGNIFICANT), None
    )
    if said is Significance.EDITORIAL and first is not None:
        yield f"this is no editorial change: {tell(first)}"


def _counted_up(version: str) -> str:
    """The next number, or nothing if the version does not end with one."""
    found = None if _DATED.fullmatch(version) else _COUNTED.fullmatch(version)
    return f"{found[1]}{int(found[2]) + 1:0{len(found[2])}}" if found else ""


def moment(when: dt.datetime) -> str:
    """As it is written in a declaration."""
    return when.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _written(policy: Policy, before: Policy) -> dict[str, str | None]:
    """The keys that say what this policy says of its release, where the file says what `before` says."""
    languages = {*policy.translations, *before.translations}
    texts = {
        f"translations.{key}.summary": quoted(text)
        if (text := policy.translations.get(key, {}).get("summary"))
        else None
        for key in sorted(languages, reverse=True)  # each is put below the summary
    }
    changed = dict(policy.translations) != dict(before.translations)
    return {
        "version": quoted(policy.version),
        "last_updated": policy.last_updated.isoformat(),
        "starts": moment(policy.starts) if policy.starts is not None else None,
        "change": quoted(policy.change.value) if policy.change is not None else None,
        "summary": quoted(policy.summary) if policy.summary is not None else None,
        **(texts if changed else {}),
        "ask": f"[{', '.join(map(quoted, policy.ask))}]" if policy.ask else None,
    }
