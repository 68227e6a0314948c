"""The JSON Schema for editors agrees with the reader, but for what a schema cannot say."""

import copy
import datetime as dt
import json
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from strictly_necessary import Category, Jurisdiction, Kind, SameSite, SetBy
from strictly_necessary.declaration import examine
from strictly_necessary.declaration._items import Significance
from strictly_necessary.declaration._overrides import MANAGED, UNSENT
from strictly_necessary.declaration._vocabulary import DIRECTIVES, FEATURES

SCHEMA: dict[str, Any] = json.loads(
    (resources.files("strictly_necessary") / "declaration.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = Draft202012Validator(SCHEMA)
EXAMPLE = Path(__file__).parent / "example.toml"

STRUCTURE = {"SN003", "SN004", "SN005", "SN006", "SN010", "SN011", "SN012"}
"""What the schema has to find too. It cannot find SN008 and SN009, which compare entries; SN013 and SN014, which look
at `languages` elsewhere; SN015, but for whole directives; SN016, which looks for a host elsewhere; SN017, but for the
names of directives and features; and SN018, which looks for an item elsewhere. JSON has no dates: a date in quotes and
one without are the same to it."""

IN_GERMAN = {"translations": {"de": {"reason": "g"}}}
DOCUMENT: dict[str, Any] = {
    "policy": {
        "service": "Example",
        "operator": "Example Ltd",
        "contact": "privacy@example.org",
        "version": "3",
        "last_updated": dt.date(2026, 11, 23),
        "jurisdictions": ["EU", "UK"],
        "privacy_policy": "/privacy",
        "terms": "https://example.org/terms",
        "desktop_apps": ["App"],
        "hosts": ["media.example.org"],
        "languages": ["en", "de"],
        "starts": dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC),
        "change": "significant",
        "summary": "More.",
        "ask": ["visits"],
        "translations": {"de": {"summary": "Mehr."}},
    },
    "items": [
        {
            "id": "session",
            "title": "Signing in",
            "name": "__Secure-session",
            "kind": "cookie",
            "category": "authentication",
            "purpose": "Keeps you signed in.",
            "provider": "Example Ltd",
            "lifetime": "30 days",
            "set_when": "You sign in.",
            "set_by": "server",
            "readable_by_application": True,
            "http_only": True,
            "secure": True,
            "same_site": "Lax",
            "path": "/",
            "domain": "example.org",
            "partitioned": True,
            "requires_action": True,
            "reason": "r",
            "renewed": False,
            "translations": {
                "de": {"title": "T", "purpose": "p", "set_when": "w", "reason": "r", "provider": "Beispiel GmbH"}
            },
        },
        {
            "id": "visits",
            "name": "visits*",
            "kind": "local",
            "purposes": [
                {"category": "audience-measurement", "purpose": "p", "translations": {"de": {"purpose": "p"}}},
                {"category": "preference", "purpose": "q", "translations": {"de": {"purpose": "q"}}},
            ],
            "provider": "Example Ltd",
            "lifetime": "persistent",
            "set_when": "You choose.",
            "set_by": "script",
            "script": "/static/visits.js",
            "values": ["1", "2"],
            "requires_action": True,
            "information": "i",
            "objection": "o",
            "recipients": ["Counting Ltd"],
            "removal": "Choose None.",
            "translations": {"de": {"set_when": "w", "information": "i", "objection": "o", "removal": "n"}},
        },
        {
            "id": "route",
            "name": "ROUTE",
            "kind": "cookie",
            "category": "load-balancing",
            "purpose": "p",
            "provider": "Hosting Ltd",
            "lifetime": "session",
            "set_when": "w",
            "set_by": "infrastructure",
            "readable_by_application": False,
            "http_only": False,
            "secure": False,
            "path": "/",
            "translations": {"de": {"purpose": "p", "set_when": "w"}},
        },
    ],
    "third_parties": [
        {
            "name": "Payments Inc",
            "host": "pay.example.com",
            "feature": "Paying",
            "action": "You press Pay.",
            "storage": "Its own session cookie.",
            "privacy": "https://pay.example.com/privacy",
            "translations": {"de": {"feature": "f", "action": "a", "storage": "s", "name": "n"}},
        }
    ],
    "headers": [
        {
            "name": "content-security-policy",
            "directive": "img-src",
            "value": "'self' https://pay.example.com",
            "reason": "r",
            "paths": ["/pay", "/shop/*"],
            **IN_GERMAN,
        },
        {"name": "referrer-policy", "value": "no-referrer", "reason": "r", **IN_GERMAN},
        {"name": "x-frame-options", "value": "", "reason": "r", **IN_GERMAN},
        {
            "name": "permissions-policy",
            "directive": "camera",
            "value": "(self)",
            "reason": "r",
            **IN_GERMAN,
        },
    ],
}


def toml(value: Any) -> str:
    """The value as TOML, in tables on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return "[" + ", ".join(toml(each) for each in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(each)}" for key, each in value.items()) + "}"
    return value.isoformat() if isinstance(value, dt.date) else repr(value)


def codes(document: dict[str, Any]) -> set[str]:
    """What the reader finds, without the rules."""
    text = "".join(f"{json.dumps(key)} = {toml(value)}\n" for key, value in document.items())
    return {finding.code for finding in examine(text.encode(), "x")[1] if finding.code < "SN1"}


def refused(document: dict[str, Any]) -> bool:
    """Whether the schema refuses it. A date is a text in JSON, where a date belongs."""
    document = copy.deepcopy(document)
    policy = document.get("policy")
    if isinstance(policy, dict):
        for key, kind in (("last_updated", dt.date), ("starts", dt.datetime)):
            if type(policy.get(key)) is kind:
                policy[key] = policy[key].isoformat()
    return not VALIDATOR.is_valid(document)


def agree(document: dict[str, Any]) -> None:
    found = codes(document)
    if found & STRUCTURE:
        assert refused(document), found
    if refused(document):
        assert found


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


PLACES = places(DOCUMENT)[1:]
WRONG: list[Any] = [
    7,
    1.5,
    True,
    "",
    " ",
    "x" * 2001,
    "a\nb",
    "\u202e",
    [],
    [1],
    ["", "a"],
    ["a", "a"],
    {},
    [{}],
    {"x": 1},
]


def put(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """The document with another value at this place; a function is given the old one."""
    document: Any = copy.deepcopy(DOCUMENT)
    at = document
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value(at[path[-1]]) if callable(value) else value
    return dict(document)


def test_the_schema_is_a_schema_and_explains_every_key() -> None:
    Draft202012Validator.check_schema(SCHEMA)

    def look(schema: dict[str, Any], name: str) -> None:
        assert schema.get("description"), name
        inner = schema.get("items", schema)
        for key, each in inner.get("properties", {}).items():
            look(each, f"{name}.{key}")
        if "properties" in inner:
            assert inner["additionalProperties"] is False, name

    look(SCHEMA, "$")


def test_the_schema_knows_the_words_of_the_reader() -> None:
    properties = {key: each.get("items", each)["properties"] for key, each in SCHEMA["properties"].items()}
    for schema, words in (
        (properties["items"]["kind"], Kind),
        (properties["items"]["category"], Category),
        (properties["items"]["purposes"]["items"]["properties"]["category"], Category),
        (properties["items"]["set_by"], SetBy),
        (properties["items"]["same_site"], SameSite),
        (properties["policy"]["jurisdictions"]["items"], Jurisdiction),
        (properties["policy"]["change"], Significance),
        (properties["headers"]["name"], (*MANAGED, *UNSENT)),
    ):
        assert schema["enum"] == [str(word) for word in words]
        explained = schema["x-taplo"]["docs"]["enumValues"]
        assert len(explained) == len(schema["enum"])
        assert explained == schema["markdownEnumDescriptions"]


def test_the_schema_knows_the_directives_and_features() -> None:
    entry = SCHEMA["properties"]["headers"]["items"]
    known = {
        rule["if"]["properties"]["name"]["const"]: rule["then"]["properties"]["directive"]["enum"]
        for rule in entry["allOf"]
        if "const" in rule["if"].get("properties", {}).get("name", {})
    }
    closed = {"require-trusted-types-for", "trusted-types"}
    assert known == {
        "content-security-policy": sorted(DIRECTIVES - closed),
        "permissions-policy": sorted(FEATURES),
    }
    assert refused(put(("headers", 0, "directive"), "imgsrc"))
    assert refused(put(("headers", 3, "directive"), "cameras"))


def test_what_is_sound_is_accepted_by_both() -> None:
    assert codes(DOCUMENT) == set()
    assert not refused(DOCUMENT)
    example = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    assert codes(example) == set()
    assert not refused(example)


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
def test_a_key_that_is_missing_or_of_another_type_is_judged_alike(path: tuple[str | int, ...]) -> None:
    for wrong in WRONG:
        agree(put(path, wrong))
    if isinstance(path[-1], str):
        document = copy.deepcopy(DOCUMENT)
        table: Any = document
        for key in path[:-1]:
            table = table[key]
        del table[path[-1]]
        agree(document)


KEYS = sorted({key for path in PLACES for key in path if isinstance(key, str)} | {"more", "fr", "de-AT", "Deutsch"})
WORDS = [
    *Kind, *Category, *SetBy, *SameSite, *Jurisdiction, *MANAGED, *UNSENT,
    "session", "persistent", "1 minute", "0 days", "2 years", "1000000 days", "12 months", "12  months",
    "a*", "*", "a*b", "a**", " *", "a b", "a=b", "é", "/", "/a b", "//x", "/x;y", "https://x", "https:///x",
    "javascript:alert(1)", "x@y", "a b@c", "x.org", ".x.org", "X.org", "x", "-x.org", "en", "de", "fr", "de-AT", "EN",
    "'none'", "'self'; x", "a, b", "img-src", "trusted-types", "Img-Src", "camera",
    "un\u00a0deux", "a\u202fb", "a\u2028b",
]  # fmt: skip
values = st.one_of(
    st.sampled_from([str(word) for word in WORDS]),
    st.lists(st.sampled_from([str(word) for word in WORDS]), max_size=3),
    st.booleans(),
    st.text(max_size=12).filter(lambda text: text.isascii() or text.isprintable()),
    st.dictionaries(st.sampled_from(["de", "fr"]), st.dictionaries(st.sampled_from(KEYS), st.just("t"), max_size=2)),
    st.just(dt.date(2026, 1, 1)),
    st.just(dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_changed_declarations_are_judged_alike(data: st.DataObject) -> None:
    document = copy.deepcopy(DOCUMENT)
    for _ in range(data.draw(st.integers(1, 3))):
        here: Any = document
        while True:
            keys = list(here) if isinstance(here, dict) else list(range(len(here)))
            key = data.draw(st.sampled_from([*keys, "+"] if isinstance(here, dict) else keys)) if keys else "+"
            deeper = key != "+" and isinstance(here[key], dict | list) and here[key] and data.draw(st.integers(0, 5))
            if not deeper:
                break
            here = here[key]
        if key == "+" and isinstance(here, dict):
            here[data.draw(st.sampled_from(KEYS))] = data.draw(values)
        elif key != "+" and data.draw(st.booleans()):
            here[key] = data.draw(values)
        elif key != "+":
            del here[key]
    policy = document.get("policy")
    for key in ("last_updated", "starts"):
        if isinstance(policy, dict) and isinstance(policy.get(key), str):
            del policy[key]
    agree(document)


def test_what_the_schema_cannot_say() -> None:
    """Each exception, so that this list stays true."""
    item = DOCUMENT["items"][0]
    for document, expected in (
        (put(("policy", "last_updated"), "2026-11-23"), {"SN005"}),
        (put(("policy", "starts"), "2026-11-23T09:00:00Z"), {"SN005"}),
        (put(("policy", "ask"), ["session"]), {"SN018"}),
        (put(("policy", "ask"), ["nobody"]), {"SN018"}),
        (put(("items",), lambda items: [*items, {**item, "name": "__Secure-other"}]), {"SN008"}),
        (put(("headers",), lambda headers: [*headers, headers[1]]), {"SN008"}),
        (put(("items",), lambda items: [*items, {**item, "id": "other"}]), {"SN009"}),
        (put(("items", 2, "translations"), {}), {"SN013"}),
        (put(("items", 2, "translations"), lambda texts: {**texts, "fr": {"purpose": "p"}}), {"SN014"}),
        (
            put(
                ("headers", 0),
                {
                    "name": "content-security-policy",
                    "directive": "script-src",
                    "value": "https:",
                    "reason": "r",
                    **IN_GERMAN,
                },
            ),
            {"SN015"},
        ),
        (put(("headers", 0, "value"), "https://elsewhere.example"), {"SN016"}),
        (put(("items", 1, "script"), "https://elsewhere.example/x.js"), {"SN016"}),
        (put(("headers", 1, "value"), "never"), {"SN017"}),
    ):
        assert codes(document) == expected
        assert not refused(document)


def test_the_reference_has_every_key_with_the_words_of_the_schema() -> None:
    page = (Path(__file__).parent.parent / "docs" / "reference" / "declaration.md").read_text(encoding="utf-8")
    for schema in SCHEMA["properties"].values():
        table = schema.get("items", schema)
        rows = [
            f"| `{key}` | {'required ' if key in table['required'] else ''}| {each['description']} |"
            for key, each in table["properties"].items()
        ]
        assert "\n".join(rows) in page
        for each in table["properties"].values():
            words = each.get("items", each)
            for value, text in zip(words.get("enum", []), words.get("markdownEnumDescriptions", []), strict=True):
                assert f"| `{value}` | {text} |" in page
