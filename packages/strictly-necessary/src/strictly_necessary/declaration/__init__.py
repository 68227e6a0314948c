"""The declaration: everything that a service keeps in a browser, read from one TOML file and checked as a whole."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from strictly_necessary import rules
from strictly_necessary._codes import FIXES
from strictly_necessary._findings import DeclarationError, Finding, Severity
from strictly_necessary.cookies import CookieSyntaxError, SetCookie, serialize_set_cookie
from strictly_necessary.declaration import _reading
from strictly_necessary.declaration._items import (
    VERSION,
    Category,
    Item,
    Jurisdiction,
    Kind,
    Override,
    Policy,
    Purpose,
    ThirdParty,
    Translations,
)
from strictly_necessary.declaration._table import Reading


@dataclass(frozen=True)
class Declaration:
    """A checked declaration. Make one with `load`."""

    policy: Policy
    items: tuple[Item, ...]
    third_parties: tuple[ThirdParty, ...] = ()
    overrides: tuple[Override, ...] = ()

    @cached_property
    def _by_id(self) -> dict[str, Item]:
        return {item.id: item for item in self.items}

    @cached_property
    def cookies(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.kind is Kind.COOKIE)

    def item(self, item_id: str) -> Item:
        """The item with this id. Raises KeyError with the ids that there are."""
        try:
            return self._by_id[item_id]
        except KeyError:
            ids = ", ".join(self._by_id) or "none"
            raise KeyError(f"no item has the id {item_id!r}; the ids are: {ids}") from None

    def match(self, kind: Kind | str, name: str) -> Item | None:
        """The item that declares this name, exactly or by its pattern. Letter case counts."""
        return next((item for item in self.items if item.kind == kind and item.matches(name)), None)

    def is_exempt(self, item: Item) -> bool:
        """Whether the item needs no consent in any of the policy's jurisdictions."""
        return item.is_exempt(self.policy.jurisdictions)

    @cached_property
    def gated(self) -> tuple[Item, ...]:
        """The items that need consent."""
        return tuple(item for item in self.items if not self.is_exempt(item))

    @cached_property
    def choice(self) -> Item | None:
        """The cookie that remembers what a person answered about them."""
        return next((item for item in self.cookies if item.categories == {Category.CONSENT_CHOICE}), None)

    def in_language(self, language: str) -> Declaration:
        """The same with its texts in one of the policy's languages. Raises ValueError for another one."""
        if language not in self.policy.languages:
            raise ValueError(f"the declaration is not in {language!r}, only in {', '.join(self.policy.languages)}")
        return replace(
            self,
            policy=replace(self.policy, **_texts(self.policy.translations, language)),
            items=tuple(_translated_item(item, language) for item in self.items),
            third_parties=tuple(replace(each, **_texts(each.translations, language)) for each in self.third_parties),
            overrides=tuple(replace(each, **_texts(each.translations, language)) for each in self.overrides),
        )


def check(path: Path | str, *, jurisdictions: Iterable[Jurisdiction] = ()) -> list[Finding]:
    """Everything that is wrong with the file, in its order, by the rules of its own jurisdictions or of those given.
    Raises OSError if it cannot be read, TypeError or ValueError for what is not a path."""
    return examine(bytes_of(path), str(path), tuple(jurisdictions))[1]


def load(path: Path | str) -> Declaration:
    """The declaration in the file. Raises `DeclarationError` with all findings if one is an error, OSError if the file
    cannot be read, TypeError or ValueError for what is not a path."""
    declaration, findings = examine(bytes_of(path), str(path))
    if declaration is None or any(finding.severity is Severity.ERROR for finding in findings):
        raise DeclarationError(tuple(findings))
    return declaration


def bytes_of(path: Path | str) -> bytes:
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"the path of a TOML file is needed, such as 'policy.toml', and not {type(path).__name__}")
    if "\n" in str(path) or not str(path):
        raise ValueError("the path of a TOML file is needed, such as 'policy.toml', and not what is in it")
    return Path(path).read_bytes()


def examine(
    raw: bytes, file: str, jurisdictions: tuple[Jurisdiction, ...] = ()
) -> tuple[Declaration | None, list[Finding]]:
    """The declaration in these bytes, as far as it can be read, and everything that is wrong with it. `file` is what
    findings call it. Never raises."""
    reading = _reading.read(raw, file)
    findings = reading.findings
    beside = [*(item for _, item in reading.items), *reading.unsound]
    for index, item in reading.items:
        _tell(reading, rules.broken_by(item, jurisdictions or reading.jurisdictions, beside), "items", index)
    third_parties = tuple(party for _, party in reading.third_parties)
    for index, party in reading.third_parties:
        _tell(reading, rules.broken_by_party(party), "third_parties", index)
    for index, override in reading.overrides:
        _tell(reading, rules.broken_by_override(override, third_parties), "headers", index)
    _look_at_version(reading, jurisdictions or reading.jurisdictions)
    findings.sort(key=lambda finding: (finding.line, finding.column, finding.code, finding.message))
    if reading.policy is None:
        return None, findings
    items = tuple(item for _, item in reading.items)
    overrides = tuple(override for _, override in reading.overrides)
    return Declaration(reading.policy, items, third_parties, overrides), findings


def _look_at_version(reading: Reading, jurisdictions: tuple[Jurisdiction, ...]) -> None:
    """Where people are asked, their browsers remember to which version they answered."""
    policy = reading.policy
    asks = any(not item.is_exempt(jurisdictions) for _, item in reading.items)
    if asks and policy is not None and not VERSION.fullmatch(policy.version):
        message = f"version {policy.version!r} cannot stand in a cookie, where people's answers name it"
        reading.fault("SN510", message, FIXES["SN510"], "policy", "version")


def _tell(reading: Reading, breaches: Iterable[rules.Breach], *place: str | int) -> None:
    for breach in breaches:
        rule = breach.rule
        finding = reading.finding(rule.code, rule.severity, breach.message, rule.fix, *place, *breach.path)
        reading.findings.append(finding)


def _translated_item(item: Item, language: str) -> Item:
    texts = _texts(item.translations, language)
    texts.pop("purpose", None)
    return replace(item, **texts, purposes=tuple(_translated_purpose(each, language) for each in item.purposes))


def _translated_purpose(purpose: Purpose, language: str) -> Purpose:
    return replace(purpose, text=_texts(purpose.translations, language).get("purpose", purpose.text))


def _texts(translations: Translations, language: str) -> dict[str, Any]:
    return dict(translations.get(language, {}))


def set_cookie(item: Item, value: str, max_age: int | None = None) -> str:
    """The value of a Set-Cookie header with exactly the declared attributes. `max_age` is in seconds; without it the
    cookie ends with the browser session. Raises `CookieSyntaxError` if the value cannot be sent, ValueError if the item
    is not ours to set, the value is not a declared one, or the life would be longer than declared."""
    _refuse_what_has_no_name(item)
    if item.values and value not in item.values:
        raise ValueError(f'"{item.id}" may not hold this value')
    if max_age is not None:
        if max_age <= 0:
            raise ValueError("a life is at least one second; use delete_cookie to remove a cookie")
        if item.lifetime.is_session:
            raise ValueError(f'"{item.id}" is declared to end with the browser session')
        if item.lifetime.seconds is None or max_age > item.lifetime.seconds:
            raise ValueError(f'"{item.id}" may not live longer than declared: {item.lifetime.text}')
    return serialize_set_cookie(replace(_bare(item), value=_octets(value), max_age=max_age))


def delete_cookie(item: Item) -> str:
    """The value of a Set-Cookie header that removes the cookie from the browser. Raises ValueError for a pattern."""
    _refuse_what_has_no_name(item)
    return serialize_set_cookie(replace(_bare(item), max_age=0))


def _refuse_what_has_no_name(item: Item) -> None:
    if item.kind is not Kind.COOKIE:
        how = f"its script writes it in the browser: {item.script}" if item.script else "a script writes it"
        raise ValueError(f'"{item.id}" is no cookie, but of kind {item.kind.value}; {how}')
    if item.is_pattern:
        raise ValueError(
            f'"{item.id}" declares every name that begins with {item.stem!r}, and not one; give the copy that you send '
            f"a name of its own: dataclasses.replace(item, name={item.stem + 'x'!r})"
        )


def _octets(value: str) -> bytes:
    try:
        return value.encode("ascii")
    except UnicodeEncodeError:
        raise CookieSyntaxError("the value has a character beyond ASCII") from None


def _bare(item: Item) -> SetCookie:
    return SetCookie(
        name=item.name.encode(),
        value=b"",
        path=item.path,
        domain=item.domain,
        secure=item.secure,
        http_only=item.http_only,
        same_site=item.same_site.value if item.same_site else None,
        partitioned=item.partitioned,
    )
