"""From the bytes of a TOML file to the types in `items`, collecting everything that is wrong on the way."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from strictly_necessary._findings import Finding, Severity
from strictly_necessary.cookies import is_token
from strictly_necessary.declaration import _positions
from strictly_necessary.declaration._items import (
    Category,
    Item,
    Jurisdiction,
    Kind,
    Override,
    Policy,
    Purpose,
    SameSite,
    SetBy,
    Significance,
    ThirdParty,
    Translations,
)
from strictly_necessary.declaration._overrides import is_declared, problems
from strictly_necessary.declaration._table import LANGUAGE, Reading, Table

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_HOST = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_ADDRESS = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+|https://[^\s<>\"']+")
_LINK = re.compile(r"(?:https://[^\s<>\"'/\\]+|/(?!/))[^\s<>\"'\\]*")
_COOKIE_PATH = re.compile(r"/[\x21-\x3a\x3c-\x7e]*")
_HEADER = re.compile(r"[a-z-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")
_REQUEST_PATH = re.compile(r"/[\x21-\x7e]*")


def read(raw: bytes, file: str) -> Reading:
    """Read a whole file. Never raises: what is wrong is among the findings."""
    reading = Reading(file)
    document = _parse(raw, reading)
    if document is None:
        return reading
    for key in document.keys() - {"policy", "items", "third_parties", "headers"}:
        fix = "use [policy], [[items]], [[third_parties]] and [[headers]]"
        reading.fault("SN003", f"unknown table or key {key!r}", fix, key)
    policy = document.get("policy")
    if isinstance(policy, dict):
        reading.policy = _policy(Table(reading, policy, ("policy",)))
    else:
        reading.fault("SN004", "the table [policy] is missing", "begin the file with [policy]", "policy")
    for index, table in _tables(document, "items", reading):
        item = _item(table)
        if table.sound:
            _compare(reading, index, item)
            reading.items.append((index, item))
        else:
            reading.unsound.append(item)
    _look_at_questions(reading)
    for index, table in _tables(document, "third_parties", reading):
        third_party = _third_party(table)
        if third_party is not None:
            reading.third_parties.append((index, third_party))
    for index, table in _tables(document, "headers", reading):
        override = _override(table)
        if override is not None:
            _judge(reading, index, override)
            reading.overrides.append((index, override))
    _look_at_scripts(reading)
    return reading


def _parse(raw: bytes, reading: Reading) -> dict[str, Any] | None:
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        place = _positions.Place(before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        reading.positions.places[()] = place
        reading.findings.append(
            Finding(
                reading.file, place.line, place.column, "SN002", Severity.ERROR, "not UTF-8", "save the file as UTF-8"
            )
        )
        return None
    try:
        document = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, and what int() says of a number with thousands of digits
        line, column, message = _syntax_error(str(error), text)
        fix = "see https://toml.io for how to write it"
        reading.findings.append(Finding(reading.file, line, column, "SN001", Severity.ERROR, message, fix))
        return None
    except RecursionError:
        reading.findings.append(Finding(reading.file, 1, 1, "SN001", Severity.ERROR, "nested too deeply", "flatten it"))
        return None
    reading.positions = _positions.scan(text)
    return document


def _syntax_error(message: str, text: str) -> tuple[int, int, str]:
    found = re.search(r" \(at line (\d+), column (\d+)\)$", message)
    if found:
        return int(found[1]), int(found[2]), message[: found.start()]
    last = text.rstrip("\n")
    return last.count("\n") + 1, len(last) - last.rfind("\n"), message.removesuffix(" (at end of document)")


def _tables(document: dict[str, Any], name: str, reading: Reading) -> list[tuple[int, Table]]:
    """The tables of `[[name]]`."""
    rows = document.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        reading.fault("SN005", f"{name} is not a list of tables", f"write [[{name}]] above each one", name)
        return []
    return [(index, Table(reading, row, (name, index))) for index, row in enumerate(rows)]


def _policy(table: Table) -> Policy | None:
    # Read before anything else can be wrong, so that a fault is its own.
    jurisdictions = table.choices("jurisdictions", Jurisdiction)
    if table.sound:
        table.reading.jurisdictions = jurisdictions
    hosts = table.optional_texts("hosts", pattern=_HOST, example='"media.example.org"')
    table.reading.hosts = hosts
    languages = _languages(table)
    table.reading.languages = languages
    policy = Policy(
        service=table.text("service"),
        operator=table.text("operator"),
        contact=table.text("contact", pattern=_ADDRESS, example='"privacy@example.org"'),
        version=table.text("version"),
        last_updated=table.date("last_updated"),
        jurisdictions=jurisdictions,
        privacy_policy=table.optional_text("privacy_policy", pattern=_LINK, example='"/legal/privacy"'),
        terms=table.optional_text("terms", pattern=_LINK, example='"/legal/terms"'),
        desktop_apps=table.optional_texts("desktop_apps"),
        hosts=hosts,
        languages=languages,
        starts=table.optional_moment("starts"),
        change=table.optional_choice("change", Significance),
        summary=table.optional_text("summary"),
        ask=table.optional_texts("ask", pattern=_ID, example='"visits", the id of an item'),
        translations=table.translations("summary"),
    )
    return policy if table.finish() else None


def _languages(table: Table) -> tuple[str, ...]:
    return table.optional_texts("languages", pattern=LANGUAGE, example='"en", "de" or "pt-BR"') or ("en",)


_COOKIE_KEYS = ("http_only", "secure", "same_site", "path", "domain", "partitioned", "readable_by_application")


def _item(table: Table) -> Item:
    """The item, with placeholders for what is wrong; `table.sound` tells whether there are any."""
    kind = table.choice("kind", Kind)
    is_known = table.sound  # else what belongs to a kind would be told as missing or as too much
    set_by = table.choice("set_by", SetBy)
    is_cookie = is_known and kind is Kind.COOKIE
    ours = set_by is not SetBy.INFRASTRUCTURE
    name = table.text("name")
    if name:
        _check_name(table, name, is_cookie=is_cookie)
    attributes: dict[str, Any] = {}
    if is_cookie:
        attributes = {
            "http_only": table.flag("http_only"),
            "secure": table.flag("secure"),
            "same_site": (table.choice if ours else table.optional_choice)("same_site", SameSite),
            "path": table.text("path", pattern=_COOKIE_PATH, example='"/"'),
            "domain": table.optional_text("domain", pattern=_HOST, example='"example.org", without a dot in front'),
            "partitioned": table.optional_flag("partitioned"),
            "readable_by_application": table.flag("readable_by_application"),
        }
    elif not is_known:
        table.leave(_COOKIE_KEYS)
    else:
        table.refuse(_COOKIE_KEYS, f"belongs to cookies, and this is of kind {kind.value}")
        if set_by is not SetBy.SCRIPT:
            table.fault("SN006", "set_by", f"only a script can write kind {kind.value}", 'write set_by = "script"')
    if set_by is SetBy.SCRIPT:
        attributes["script"] = table.text("script", pattern=_LINK, example='"/static/display.js"')
    else:
        table.refuse(("script",), 'belongs to set_by = "script"')
    texts = ("title", "purpose", "set_when", "information", "reason", "objection", "removal")
    translations = table.translations(*texts, optional=("provider",))
    item = Item(
        id=table.text("id", pattern=_ID, example='"keep-me-signed-in"'),
        name=name,
        kind=kind,
        purposes=_purposes(table, translations),
        provider=table.text("provider"),
        lifetime=table.lifetime("lifetime"),
        set_when=table.text("set_when"),
        set_by=set_by,
        title=table.optional_text("title"),
        values=table.optional_texts("values"),
        requires_action=table.optional_flag("requires_action"),
        information=table.optional_text("information"),
        reason=table.optional_text("reason"),
        recipients=table.optional_texts("recipients"),
        objection=table.optional_text("objection"),
        renewed=table.optional_flag("renewed"),
        removal=table.optional_text("removal"),
        translations=translations,
        **attributes,
    )
    table.finish()
    return item


def _purposes(table: Table, translations: Translations) -> tuple[Purpose, ...]:
    """One purpose in the item's own words, or several, each in a table of its own."""
    if not table.has("purposes"):
        words = {
            language: {"purpose": texts["purpose"]} for language, texts in translations.items() if "purpose" in texts
        }
        return (Purpose(table.choice("category", Category), table.text("purpose"), words),)
    table.refuse(("category", "purpose"), "belongs into each of the purposes")
    purposes = []
    for each in table.tables("purposes"):
        purposes.append(Purpose(each.choice("category", Category), each.text("purpose"), each.translations("purpose")))
        table.sound &= each.finish()
    return tuple(purposes)


def _check_name(table: Table, name: str, *, is_cookie: bool) -> None:
    stem = name.removesuffix("*")
    if not stem:
        fix = "write the name, or its beginning and a star"
        table.fault("SN010", "name", "a star alone would declare every name there is", fix)
    elif "*" in stem:
        table.fault("SN010", "name", f"name {name!r} has a star that is not at its end", "write one star, at the end")
    elif is_cookie and not is_token(stem):
        fix = "use letters, digits and ! # $ % & ' + - . ^ _ ` | ~ (RFC 6265bis, section 4.1.1)"
        table.fault("SN010", "name", f"{name!r} cannot be the name of a cookie", fix)


def _third_party(table: Table) -> ThirdParty | None:
    third_party = ThirdParty(
        name=table.text("name"),
        host=table.text("host", pattern=_HOST, example='"pay.example.org"'),
        feature=table.text("feature"),
        action=table.text("action"),
        storage=table.text("storage"),
        privacy=table.text("privacy", pattern=_LINK, example='"https://example.org/privacy"'),
        translations=table.translations("feature", "action", "storage", optional=("name",)),
    )
    return third_party if table.finish() else None


def _override(table: Table) -> Override | None:
    """One entry of `[[headers]]`."""
    override = Override(
        name=table.text("name", pattern=_HEADER, example='"referrer-policy", in small letters'),
        value=table.text("value", pattern=_HEADER_VALUE, example="it is sent", may_be_empty=True),
        reason=table.text("reason"),
        directive=table.optional_text("directive", pattern=_HEADER, example='"img-src"'),
        paths=table.optional_texts("paths", pattern=_REQUEST_PATH, example='"/help" or "/help/*"'),
        translations=table.translations("reason"),
    )
    return override if table.finish() else None


def _judge(reading: Reading, index: int, override: Override) -> None:
    before = [other for _, other in reading.overrides]
    for code, key, message, fix in problems(override, _hosts(reading), before):
        reading.fault(code, message, fix, "headers", index, key)


def _look_at_questions(reading: Reading) -> None:
    """People can be asked again only about what is there and needs consent."""
    unsound = {item.id for item in reading.unsound}
    gated = {item.id: not item.is_exempt(reading.jurisdictions) for _, item in reading.items}
    known = ", ".join(key for key, needs_consent in gated.items() if needs_consent) or "none"
    for key in reading.policy.ask if reading.policy else ():
        if not gated.get(key, key in unsound):
            why = "needs no consent" if key in gated else "is the id of no item"
            fix = f"write ids of items that need consent, which are: {known}"
            reading.fault("SN018", f"ask has {key!r}, which {why}", fix, "policy", "ask")


def _look_at_scripts(reading: Reading) -> None:
    for index, item in reading.items:
        host = urlsplit(item.script or "").hostname
        if host and not is_declared(host, _hosts(reading)):
            fix = "declare it in [[third_parties]], or among hosts in [policy] if it is yours"
            message = f"script is on {host}, which is not declared"
            reading.fault("SN016", message, fix, "items", index, "script")


def _hosts(reading: Reading) -> set[str]:
    """Everything that may be named: third parties and our own."""
    return {*reading.hosts, *(party.host for _, party in reading.third_parties)}


def _compare(reading: Reading, index: int, item: Item) -> None:
    """Against the items before it."""
    clashes: tuple[tuple[Callable[[Item], bool], str, str, str], ...] = (
        (lambda other: other.id == item.id, "SN008", "id", "has the same id as"),
        (item.overlaps, "SN009", "name", "declares a name that is also declared by"),
    )
    for clash, code, key, text in clashes:
        for at, other in reading.items:
            if clash(other):
                line = reading.positions.of("items", at, key).line
                message = f'"{item.id}" {text} "{other.id}" in line {line}'
                reading.fault(code, message, f"give one of them another {key}", "items", index, key)
