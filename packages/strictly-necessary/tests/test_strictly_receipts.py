"""Receipts: kept as declared then, and exported in the shape of ISO/IEC TS 27560:2023."""

import datetime as dt
import json
from dataclasses import fields, replace
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strictly_necessary import (
    Category,
    Declaration,
    Item,
    Jurisdiction,
    Kind,
    Lifetime,
    Policy,
    Purpose,
    SameSite,
    SetBy,
)
from strictly_necessary.browser import CONSENT_PATH
from strictly_necessary.consent import (
    Acknowledgement,
    Action,
    Answer,
    Channel,
    Receipt,
    as_json,
    export,
    receipt_schema,
)
from strictly_necessary.consent._archive import read_answers, write_answers
from strictly_necessary.versions import History

NOON = dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC)
SCHEMA = json.loads(receipt_schema())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
IDS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True)
LIVES = st.one_of(
    st.sampled_from(["session", "persistent"]),
    st.builds("{} {}s".format, st.integers(1, 999_999), st.sampled_from(["minute", "hour", "day", "month"])),
).map(Lifetime.parse)
TRANSLATIONS = st.dictionaries(st.sampled_from(["de", "fr", "pt-BR"]), st.dictionaries(WORDS, WORDS, max_size=2))
PURPOSES = st.lists(st.builds(Purpose, st.sampled_from(Category), WORDS, TRANSLATIONS), min_size=1, max_size=3)
TUPLES = st.lists(WORDS, max_size=3).map(tuple)
MAYBE = st.none() | WORDS
ITEMS = st.builds(
    Item,
    id=IDS,
    name=WORDS,
    kind=st.sampled_from(Kind),
    purposes=PURPOSES.map(tuple),
    provider=WORDS,
    lifetime=LIVES,
    set_when=WORDS,
    set_by=st.sampled_from(SetBy),
    readable_by_application=st.booleans(),
    http_only=st.booleans(),
    secure=st.booleans(),
    same_site=st.none() | st.sampled_from(SameSite),
    path=MAYBE,
    domain=MAYBE,
    partitioned=st.booleans(),
    script=MAYBE,
    title=MAYBE,
    values=TUPLES,
    requires_action=st.booleans(),
    information=MAYBE,
    reason=MAYBE,
    recipients=TUPLES,
    objection=MAYBE,
    renewed=st.booleans(),
    removal=MAYBE,
    translations=TRANSLATIONS,
)
ANSWERS = st.lists(
    st.builds(Answer, ITEMS, st.sampled_from(Action)), min_size=1, max_size=3, unique_by=lambda each: each.item.id
).map(tuple)
RECEIPTS = st.builds(
    Receipt,
    id=st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
    at=st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2100, 1, 1), timezones=st.timezones()),  # noqa: DTZ001
    version=st.just("2"),
    answers=ANSWERS,
    text=WORDS,
    language=st.sampled_from(["en", "de", "pt-BR"]),
    channel=st.sampled_from(Channel),
    account=MAYBE,
)

CHOICE = Item(
    id="consent",
    name="__Host-consent",
    kind=Kind.COOKIE,
    purposes=(Purpose(Category.CONSENT_CHOICE, "Remembers your answer."),),
    provider="Example Ltd",
    lifetime=Lifetime.parse("6 months"),
    set_when="You answer.",
    set_by=SetBy.SERVER,
)
VISITS = Item(
    id="visits",
    name="_visits",
    kind=Kind.COOKIE,
    purposes=(Purpose(Category.ANALYTICS, "Counts visits."), Purpose(Category.ADVERTISING, "Shows what you like.")),
    provider="Counting Ltd",
    lifetime=Lifetime.parse("90 minutes"),
    set_when="You say yes.",
    set_by=SetBy.SERVER,
    recipients=("Counting Ltd", "Example Ltd", "Adverts Ltd"),
)
POLICY = Policy(
    service="Example",
    operator="Example Ltd",
    contact="privacy@example.org",
    version="2",
    last_updated=dt.date(2026, 11, 23),
    jurisdictions=(Jurisdiction.EU, Jurisdiction.UK),
    privacy_policy="/legal/privacy",
)
DECLARATION = Declaration(POLICY, (CHOICE, VISITS))
RECEIPT = Receipt(
    id="0" * 32,
    at=NOON,
    version="2",
    answers=(Answer(VISITS, Action.GRANTED),),
    text="May we count your visits?",
    language="en",
    channel=Channel.PAGE,
    account="account-4711",
)


# Kept as it was declared then


@settings(max_examples=50)
@given(ANSWERS)
def test_answers_are_read_equal_to_those_that_were_written(answers: tuple[Answer, ...]) -> None:
    text = write_answers(answers)
    read = read_answers(text)
    assert read == answers
    assert [each.item.translations for each in read] == [each.item.translations for each in answers]
    assert write_answers(read) == text


def test_every_field_of_an_item_is_written_also_where_it_has_its_default() -> None:
    (written,) = json.loads(write_answers(RECEIPT.answers))["answers"]
    assert set(written["item"]) == {field.name for field in fields(Item)}


KEPT_SINCE_FORMAT_1 = (
    '{"answers":[{"action":"granted","item":{"domain":null,"http_only":false,"id":"visits","information":null,'
    '"kind":"cookie","lifetime":{"seconds":5400,"text":"90 minutes"},"name":"_visits","objection":null,'
    '"partitioned":false,"path":null,"provider":"Counting Ltd","purposes":[{"category":"analytics","text":"Counts '
    'visits.","translations":{}},{"category":"advertising","text":"Shows what you like.","translations":{}}],'
    '"readable_by_application":false,"reason":null,"recipients":["Counting Ltd","Example Ltd","Adverts Ltd"],'
    '"removal":null,"renewed":false,"requires_action":false,"same_site":null,"script":null,"secure":false,'
    '"set_by":"server","set_when":"You say yes.","title":null,"translations":{},"values":[]}}],"format":1}'
)
"""As the first release wrote it. It has to be read for ever: whoever changes this text breaks receipts."""


def test_what_was_kept_years_ago_is_still_read() -> None:
    assert read_answers(KEPT_SINCE_FORMAT_1) == RECEIPT.answers


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        "1",
        "{}",
        '{"format":1}',
        '{"format":2,"answers":[]}',
        '{"format":1,"answers":[{}]}',
        '{"format":1,"answers":[{"action":"granted","item":{"id":"visits"}}]}',
        KEPT_SINCE_FORMAT_1.replace('"action":"granted"', '"action":"yes"'),
        KEPT_SINCE_FORMAT_1.replace('"analytics"', '"statistics"'),
        KEPT_SINCE_FORMAT_1.replace('"values":[]', '"values":[],"shared_with":[]'),
    ],
)
def test_any_other_text_is_an_error_and_never_half_an_answer(text: str) -> None:
    with pytest.raises(ValueError, match="no record of answers"):
        read_answers(text)


def test_a_receipt_has_a_moment_that_means_something_and_one_answer_for_each_item() -> None:
    naive = NOON.replace(tzinfo=None)
    for make in (lambda: replace(RECEIPT, at=naive), lambda: Acknowledgement("ann", "2", naive, Channel.APP)):
        with pytest.raises(ValueError, match="offset"):
            make()
    with pytest.raises(ValueError, match="one answer"):
        replace(RECEIPT, answers=(Answer(VISITS, Action.GRANTED), Answer(VISITS, Action.REFUSED)))


# Exported


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@settings(max_examples=50)
@given(RECEIPTS)
def test_every_receipt_is_exported_as_the_schema_says(receipt: Receipt) -> None:
    record = json.loads(json.dumps(as_json(receipt, DECLARATION)))
    VALIDATOR.validate(record)
    assert dt.datetime.fromisoformat(record["event"][0]["event_time"]) == receipt.at
    assert [event["item"] for event in record["event"]] == [answer.item.id for answer in receipt.answers]
    parties = {party["party_id"] for party in record["party_identification"]}
    for purpose in record["pii_processing"]["purposes"]:
        assert parties >= {*purpose["pii_controllers"], *purpose["recipient_third_parties"]}


def paths(value: Any, path: str = "") -> set[str]:
    """The name of every field in a document, below those that it stands in."""
    match value:
        case dict():
            return {path} | {each for key, inner in value.items() for each in paths(inner, f"{path}/{key}")}
        case list():
            return {path} | {each for inner in value for each in paths(inner, path)}
        case _:
            return {path}


def test_the_schema_knows_no_field_that_is_never_written() -> None:
    with_url = Declaration(replace(POLICY, contact="https://example.org/contact"), (CHOICE, VISITS))
    written = paths(as_json(RECEIPT, DECLARATION)) | paths(as_json(RECEIPT, with_url))

    def known(schema: dict[str, Any], path: str = "") -> set[str]:
        schema = SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")] if "$ref" in schema else schema
        inner = {each for key, value in schema.get("properties", {}).items() for each in known(value, f"{path}/{key}")}
        return {path} | inner | (known(schema["items"], path) if "items" in schema else set())

    assert known(SCHEMA) == written


def test_a_receipt_tells_who_asked_what_in_which_words_and_what_was_answered() -> None:
    record = as_json(RECEIPT, DECLARATION, withdrawal="/account/privacy")
    assert (record["schema_version"], record["record_id"], record["pii_principal_id"]) == (
        "strictly-necessary-receipt-1",
        "0" * 32,
        "account-4711",
    )
    assert record["pii_processing"]["privacy_notice"] == {
        "version": "2",
        "last_updated": "2026-11-23",
        "text": "May we count your visits?",
        "address": "/legal/privacy",
    }
    first, second = record["pii_processing"]["purposes"]
    assert (first["purpose"], first["purpose_type"]) == ("Counts visits.", "analytics")
    assert (second["purpose"], second["purpose_type"]) == ("Shows what you like.", "advertising")
    assert first["pii_information"] == [
        {"pii_type": "cookie _visits", "pii_attribute_id": "visits", "pii_optional": True}
    ]
    assert (first["retention_period"], first["jurisdiction"]) == ("PT5400S", ["EU", "UK"])
    assert first["recipient_third_parties"] == ["Counting Ltd", "Adverts Ltd"]  # who runs the service is no recipient
    assert first["withdrawal_method"] == "/account/privacy"
    assert record["event"] == [
        {
            "item": "visits",
            "event_time": "2026-12-01T12:00:00Z",
            "entity_id": "account-4711",
            "event_type": "explicit",
            "event_state": "consent given",
            "channel": "page",
            "validity_duration": "P180D",
        }
    ]
    assert [(party["party_id"], party["party_role"]) for party in record["party_identification"]] == [
        ("Example Ltd", "controller"),
        ("Counting Ltd", "recipient"),
        ("Adverts Ltd", "recipient"),
    ]
    assert record["party_identification"][0]["party_email"] == "privacy@example.org"


def test_people_withdraw_where_they_answered_unless_said_otherwise() -> None:
    (purpose, _) = as_json(RECEIPT, DECLARATION)["pii_processing"]["purposes"]
    assert purpose["withdrawal_method"] == CONSENT_PATH


def test_a_receipt_of_somebody_without_an_account_identifies_nobody() -> None:
    record = as_json(replace(RECEIPT, account=None), DECLARATION)
    VALIDATOR.validate(record)
    assert "pii_principal_id" not in record
    assert record["event"][0]["entity_id"] == "pii_principal"
    assert "4711" not in json.dumps(record)


@pytest.mark.parametrize(
    ("action", "state"),
    [
        (Action.GRANTED, "consent given"),
        (Action.REFUSED, "consent refused"),
        (Action.WITHDRAWN, "consent withdrawn"),
    ],
)
def test_each_act_is_told_apart(action: Action, state: str) -> None:
    record = as_json(replace(RECEIPT, answers=(Answer(VISITS, action),)), DECLARATION)
    assert [event["event_state"] for event in record["event"]] == [state]


def test_an_export_is_one_json_array_that_tells_what_held_then() -> None:
    first = Declaration(replace(POLICY, version="1", operator="Old Ltd", last_updated=dt.date(2026, 1, 1)), (CHOICE,))
    history = History.of([first, DECLARATION])
    old = replace(RECEIPT, version="1", text="Früher – 以前", at=NOON - dt.timedelta(days=200))
    text = export([RECEIPT, old], history)
    records = json.loads(text)
    assert [each["pii_processing"]["privacy_notice"]["version"] for each in records] == ["2", "1"]
    assert [each["party_identification"][0]["party_name"] for each in records] == ["Example Ltd", "Old Ltd"]
    assert "Früher – 以前" in text
    for record in records:
        VALIDATOR.validate(record)
    assert json.loads(export([], history)) == []


def test_no_receipt_is_exported_with_the_declaration_of_another_version() -> None:
    with pytest.raises(ValueError, match="version 2 is needed"):
        as_json(RECEIPT, Declaration(replace(POLICY, version="3"), (CHOICE, VISITS)))
    with pytest.raises(KeyError):
        export([replace(RECEIPT, version="7")], History.of([DECLARATION]))


@pytest.mark.parametrize(
    "spoiled",
    [
        {"schema_version": "strictly-necessary-receipt-2"},
        {"pii_principal_name": "Ann"},
        {"event": [{}]},
        {"party_identification": []},
    ],
)
def test_the_schema_refuses_what_we_do_not_export(spoiled: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(as_json(RECEIPT, DECLARATION) | spoiled)
