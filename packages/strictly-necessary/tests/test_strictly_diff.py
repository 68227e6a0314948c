"""The difference between two declarations: what they let happen, however they are written."""

import copy
import datetime as dt
import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strictly_necessary import Declaration, Item, SameSite
from strictly_necessary.declaration import examine
from strictly_necessary.versions import ChangeKind, Difference, History, Significance, _history, diff
from strictly_necessary.versions._change import ASKING_KINDS, EDITORIAL_KINDS
from strictly_necessary.versions._diff import paired
from strictly_necessary.versions._telling import tell, why

EDITORIAL, SIGNIFICANT = Significance.EDITORIAL, Significance.SIGNIFICANT
Document = dict[str, Any]
Table = dict[str, Any]
Change = Callable[[Table], None]
Draw = Callable[[st.SearchStrategy[Any]], Any]

POLICY: Table = {
    "service": "Example",
    "operator": "Example Ltd",
    "contact": "privacy@example.org",
    "version": "1",
    "last_updated": dt.date(2026, 11, 23),
    "jurisdictions": ["EU", "UK"],
    "privacy_policy": "/privacy",
    "desktop_apps": ["App", "Other app"],
    "hosts": ["media.example.org", "img.example.org"],
}
VISITS: Table = {
    "id": "visits",
    "title": "Visits",
    "name": "visits",
    "kind": "cookie",
    "purposes": [
        {"category": "analytics", "purpose": "Counts visits."},
        {"category": "preference", "purpose": "Knows what you like."},
    ],
    "provider": "Example Ltd",
    "recipients": ["Counting Ltd", "Adding Ltd"],
    "lifetime": "30 days",
    "set_when": "You say yes.",
    "set_by": "server",
    "readable_by_application": False,
    "http_only": True,
    "secure": True,
    "same_site": "Lax",
    "path": "/shop",
    "domain": "www.example.org",
    "partitioned": True,
    "values": ["1", "2"],
    "requires_action": True,
    "objection": "Say no.",
    "information": "Kept for 30 days.",
    "reason": "Because.",
    "removal": "Choose none.",
}
THEME: Table = {
    "id": "theme",
    "name": "theme-*",
    "kind": "local",
    "category": "preference",
    "purpose": "Remembers your theme.",
    "provider": "Example Ltd",
    "lifetime": "6 months",
    "set_when": "You choose.",
    "set_by": "script",
    "script": "/static/theme.js",
    "requires_action": True,
    "information": "Kept here.",
}
CHOICE: Table = {
    "id": "choice",
    "name": "__Host-choice",
    "kind": "cookie",
    "category": "consent-choice",
    "purpose": "Remembers what you answered.",
    "provider": "Example Ltd",
    "lifetime": "6 months",
    "set_when": "You answer.",
    "set_by": "server",
    "readable_by_application": False,
    "http_only": False,
    "secure": True,
    "same_site": "Lax",
    "path": "/",
}
PARTY: Table = {
    "name": "Payments Inc",
    "host": "pay.example.com",
    "feature": "Paying",
    "action": "You press Pay.",
    "storage": "A cookie of its own.",
    "privacy": "https://pay.example.com/privacy",
}
IMAGES: Table = {
    "name": "content-security-policy",
    "directive": "img-src",
    "value": "'self' https://pay.example.com",
    "reason": "A logo.",
    "paths": ["/pay", "/shop/*"],
}
CAMERA: Table = {"name": "permissions-policy", "directive": "camera", "value": "(self)", "reason": "Scanning."}
WHOLE: Document = {
    "policy": POLICY,
    "items": [VISITS, THEME, CHOICE],
    "third_parties": [PARTY, {**PARTY, "host": "maps.example.com", "name": "Maps Inc"}],
    "headers": [IMAGES, CAMERA],
}


def written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {written(each)}" for key, each in value.items()) + "}"
    return str(value.isoformat())


def toml(document: Document) -> str:
    return "".join(f"{key} = {written(value)}\n" for key, value in document.items())


def read(document: Document | str) -> Declaration:
    text = document if isinstance(document, str) else toml(document)
    declaration, findings = examine(text.encode(), "policy.toml")
    assert declaration is not None
    assert not [finding for finding in findings if finding.code < "SN1"], findings
    return declaration


def changed(*changes: Change, of: str = "visits", document: Document = WHOLE) -> Document:
    """The document with a change to one item."""
    document = copy.deepcopy(document)
    for change in changes:
        change(next(item for item in document["items"] if item["id"] == of))
    return document


def put(**values: Any) -> Change:
    """Other values; None takes a key away."""

    def change(table: Table) -> None:
        for key, value in values.items():
            table.pop(key, None) if value is None else table.update({key: copy.deepcopy(value)})

    return change


def kinds(difference: Difference) -> list[ChangeKind]:
    return [change.kind for change in difference.changes]


def asked(difference: Difference) -> list[str]:
    return sorted(difference.to_ask)


LOCAL = put(
    kind="local", set_by="script", script="/static/visits.js", http_only=None, secure=None, same_site=None, path=None,
    domain=None, partitioned=None, readable_by_application=None,
)  # fmt: skip
PURPOSES = VISITS["purposes"]

WIDENING: list[tuple[str, Change, Change, ChangeKind]] = [
    ("a longer limit", put(), put(lifetime="31 days"), ChangeKind.LONGER_LIFE),
    ("a longer limit in another unit", put(), put(lifetime="721 hours"), ChangeKind.LONGER_LIFE),
    ("a limit in place of the session", put(lifetime="session"), put(lifetime="1 minute"), ChangeKind.LONGER_LIFE),
    ("no limit", put(), put(lifetime="persistent"), ChangeKind.LONGER_LIFE),
    ("no limit in place of the session", put(lifetime="session"), put(lifetime="persistent"), ChangeKind.LONGER_LIFE),
    ("renewed", put(), put(renewed=True), ChangeKind.LONGER_LIFE),
    ("a recipient", put(), put(recipients=["Counting Ltd", "Adding Ltd", "C"]), ChangeKind.NEW_RECIPIENT),
    ("a first recipient", put(recipients=None), put(recipients=["C"]), ChangeKind.NEW_RECIPIENT),
    (
        "a purpose",
        put(),
        put(purposes=[*PURPOSES, {"category": "advertising", "purpose": "Sells."}]),
        ChangeKind.NEW_PURPOSE,
    ),
    (
        "one more purpose of the same category",
        put(),
        put(purposes=[{"category": "analytics", "purpose": "Counts more."}, *PURPOSES]),
        ChangeKind.NEW_PURPOSE,
    ),
    ("a pattern", put(), put(name="visits*"), ChangeKind.WIDER_SCOPE),
    ("a wider pattern", put(name="visits-*"), put(name="visits*"), ChangeKind.WIDER_SCOPE),
    ("the path above", put(path="/shop/till"), put(path="/shop"), ChangeKind.WIDER_SCOPE),
    ("the path without its slash", put(path="/shop/"), put(path="/shop"), ChangeKind.WIDER_SCOPE),
    ("the root", put(), put(path="/"), ChangeKind.WIDER_SCOPE),
    ("one slash less", put(path="/shop//"), put(path="/shop/"), ChangeKind.WIDER_SCOPE),
    ("a domain", put(domain=None), put(domain="example.org"), ChangeKind.WIDER_SCOPE),
    ("the domain above", put(), put(domain="example.org"), ChangeKind.WIDER_SCOPE),
    ("scripts may read", put(), put(http_only=False), ChangeKind.WIDER_SCOPE),
    ("without TLS", put(), put(secure=False), ChangeKind.WIDER_SCOPE),
    ("on all sites one", put(), put(partitioned=None), ChangeKind.WIDER_SCOPE),
    ("the application may read", put(), put(readable_by_application=True), ChangeKind.WIDER_SCOPE),
    ("Lax", put(same_site="Strict"), put(same_site="Lax"), ChangeKind.WIDER_SCOPE),
    ("None", put(), put(same_site="None"), ChangeKind.WIDER_SCOPE),
    ("any value", put(), put(values=None), ChangeKind.WIDER_SCOPE),
    ("one more value", put(), put(values=["1", "2", "3"]), ChangeKind.WIDER_SCOPE),
    ("no act", put(), put(requires_action=None), ChangeKind.LOST_CONDITION),
    ("no way to object", put(), put(objection=None), ChangeKind.LOST_CONDITION),
]
"""What a table says before and after. Each lets more happen, so the way back lets less happen."""

SIDEWAYS: list[tuple[str, Change, Change, ChangeKind]] = [
    ("a provider", put(), put(provider="Other Ltd"), ChangeKind.OTHER_PROVIDER),
    ("a place", put(), LOCAL, ChangeKind.OTHER_PLACE),
    ("a recipient for another", put(), put(recipients=["Counting Ltd", "C"]), ChangeKind.NEW_RECIPIENT),
    (
        "a purpose for another",
        put(),
        put(purposes=[PURPOSES[0], {"category": "advertising", "purpose": "p"}]),
        ChangeKind.NEW_PURPOSE,
    ),
    ("a path beside", put(), put(path="/shopping"), ChangeKind.WIDER_SCOPE),
    ("a domain beside", put(), put(domain="ww.example.org"), ChangeKind.WIDER_SCOPE),
    ("a domain that ends alike", put(domain="example.org"), put(domain="badexample.org"), ChangeKind.WIDER_SCOPE),
    ("a value for another", put(), put(values=["1", "3"]), ChangeKind.WIDER_SCOPE),
    ("a pattern beside", put(name="visits*"), put(name="visit-*"), ChangeKind.WIDER_SCOPE),
]
"""Each lets something else happen, and so does the way back."""


@pytest.mark.parametrize(("before", "after", "kind"), [row[1:] for row in WIDENING], ids=[row[0] for row in WIDENING])
def test_what_lets_more_happen_is_significant_and_asks(before: Change, after: Change, kind: ChangeKind) -> None:
    old, new = read(changed(before)), read(changed(before, after))
    wider, narrower = diff(old, new), diff(new, old)
    assert kinds(wider) == [kind]
    assert (wider.significance, asked(wider), wider.needs_consent) == (SIGNIFICANT, ["visits"], True)
    assert (narrower.significance, asked(narrower), narrower.needs_consent) == (EDITORIAL, [], False)
    assert len(narrower.changes) == 1


@pytest.mark.parametrize(("before", "after", "kind"), [row[1:] for row in SIDEWAYS], ids=[row[0] for row in SIDEWAYS])
def test_what_lets_something_else_happen_asks_both_ways(before: Change, after: Change, kind: ChangeKind) -> None:
    old, new = read(changed(before)), read(changed(before, after))
    for difference in (diff(old, new), diff(new, old)):
        assert kind in kinds(difference)
        assert (difference.significance, asked(difference)) == (SIGNIFICANT, ["visits"])


@pytest.mark.parametrize(
    ("before", "after"), [row[1:3] for row in (*WIDENING, *SIDEWAYS)], ids=[row[0] for row in (*WIDENING, *SIDEWAYS)]
)
def test_what_needs_no_consent_is_told_and_asks_nobody(before: Change, after: Change) -> None:
    exempt = put(purposes=[{"category": "preference", "purpose": "p"}, {"category": "security", "purpose": "q"}])
    old = changed(exempt, before)
    new = changed(after, document=old)
    for purpose in next(item for item in new["items"] if item["id"] == "visits")["purposes"]:
        purpose["category"] = {"analytics": "security", "advertising": "service"}.get(
            purpose["category"], purpose["category"]
        )
    difference = diff(read(old), read(new))
    assert (difference.significance, asked(difference)) == (SIGNIFICANT, [])


def test_every_kind_that_asks_is_significant_and_told_with_its_reason() -> None:
    assert not ASKING_KINDS & EDITORIAL_KINDS
    for before, after in ((read(WHOLE), read({"policy": POLICY})), (read({"policy": POLICY}), read(WHOLE))):
        for change in diff(before, after).changes:
            assert tell(change).startswith(change.subject)
            assert why(change)


@pytest.mark.parametrize(
    ("values", "kind", "weight"),
    [
        ({"name": "count"}, ChangeKind.RENAMED, SIGNIFICANT),
        ({"set_by": "infrastructure"}, ChangeKind.OTHER_WRITER, SIGNIFICANT),
        ({"title": "Your visits"}, ChangeKind.WORDING, EDITORIAL),
        ({"set_when": "You say: yes."}, ChangeKind.WORDING, EDITORIAL),
        ({"information": None}, ChangeKind.WORDING, EDITORIAL),
        ({"reason": "Because of this."}, ChangeKind.WORDING, EDITORIAL),
        ({"removal": "Choose “None”."}, ChangeKind.WORDING, EDITORIAL),
        ({"objection": "Say “no”."}, ChangeKind.WORDING, EDITORIAL),
        ({"lifetime": "1 month"}, ChangeKind.WORDING, EDITORIAL),
        ({"lifetime": "720 hours"}, ChangeKind.WORDING, EDITORIAL),
    ],
)
def test_what_is_told_and_asks_nobody(values: Table, kind: ChangeKind, weight: Significance) -> None:
    difference = diff(read(WHOLE), read(changed(put(**values))))
    assert (kinds(difference), difference.significance, asked(difference)) == ([kind], weight, [])


def test_names_in_the_browser() -> None:
    for before, after, kind in (
        ("visits*", "visits", ChangeKind.NARROWER_SCOPE),
        ("visits*", "visits-*", ChangeKind.NARROWER_SCOPE),
        ("visits*", "other", ChangeKind.RENAMED),
        ("visits", "other", ChangeKind.RENAMED),
        ("visits", "other*", ChangeKind.WIDER_SCOPE),
    ):
        (change,) = diff(read(changed(put(name=before))), read(changed(put(name=after)))).changes
        assert (change.kind, change.before, change.after, change.field) == (kind, before, after, "name")


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (None, "Strict", ChangeKind.NARROWER_SCOPE),
        (None, "Lax", ChangeKind.NARROWER_SCOPE),
        (None, "None", ChangeKind.WIDER_SCOPE),
        ("Lax", None, ChangeKind.WIDER_SCOPE),
        ("None", None, ChangeKind.NARROWER_SCOPE),
    ],
)
def test_browsers_differ_in_what_no_same_site_means(before: str | None, after: str | None, kind: ChangeKind) -> None:
    """Only what the infrastructure sets may leave it out."""
    old, new = (read(changed(put(set_by="infrastructure", same_site=each))) for each in (before, after))
    (change,) = diff(old, new).changes
    assert change.kind is kind
    assert {old.item("visits").same_site, new.item("visits").same_site} <= {None, *SameSite}


def test_a_script_of_another_host_is_somebody_else() -> None:
    elsewhere = changed(put(script="https://pay.example.com/theme.js"), of="theme")
    (change,) = diff(read(WHOLE), read(elsewhere)).changes
    assert (change.kind, change.field) == (ChangeKind.OTHER_WRITER, "script")
    (change,) = diff(read(WHOLE), read(changed(put(script="/static/*/theme.js"), of="theme"))).changes
    assert (change.kind, change.field) == (ChangeKind.WORDING, "script")
    (change,) = diff(read(elsewhere), read(changed(put(script="https://pay.example.com/2.js"), of="theme"))).changes
    assert change.kind is ChangeKind.WORDING


def test_new_and_gone_items() -> None:
    without = copy.deepcopy(WHOLE)
    del without["items"][0]
    new, gone = diff(read(without), read(WHOLE)), diff(read(WHOLE), read(without))
    assert (kinds(new), asked(new)) == ([ChangeKind.NEW_ITEM], ["visits"])
    assert (kinds(gone), gone.significance, asked(gone)) == ([ChangeKind.REMOVED_ITEM], EDITORIAL, [])
    (change,) = gone.changes
    assert (change.item, change.subject, change.before) == ("visits", "Visits", "visits")
    exempt = copy.deepcopy(WHOLE)
    del exempt["items"][1]
    assert (diff(read(exempt), read(WHOLE)).significance, asked(diff(read(exempt), read(WHOLE)))) == (
        SIGNIFICANT,
        [],
    )


def test_an_item_that_needs_consent_now_asks_about_it() -> None:
    measuring = put(purposes=[{"category": "audience-measurement", "purpose": "p"}])
    at_home, abroad = changed(measuring), changed(measuring)
    at_home["policy"]["jurisdictions"] = ["UK"]
    opened = diff(read(at_home), read(abroad))
    assert kinds(opened) == [ChangeKind.NARROWER_REACH, ChangeKind.NEEDS_CONSENT]
    assert asked(opened) == ["visits"]
    closed = diff(read(abroad), read(at_home))
    assert kinds(closed) == [ChangeKind.WIDER_REACH, ChangeKind.NO_CONSENT]
    assert (closed.significance, asked(closed)) == (SIGNIFICANT, [])


def test_to_ask_no_longer_is_significant_although_a_purpose_is_gone() -> None:
    """Who said no would get it all the same."""
    alone = put(purposes=[{"category": "preference", "purpose": "Knows what you like."}])
    freed = diff(read(WHOLE), read(changed(alone)))
    assert kinds(freed) == [ChangeKind.NO_CONSENT, ChangeKind.REMOVED_PURPOSE]
    assert (freed.significance, asked(freed)) == (SIGNIFICANT, [])
    assert next(map(tell, freed.changes)) == "Visits (visits): goes without consent now"


def test_another_operator_asks_about_everything_that_needs_consent() -> None:
    other = copy.deepcopy(WHOLE)
    other["policy"]["operator"] = "Other Ltd"
    difference = diff(read(WHOLE), read(other))
    assert kinds(difference) == [ChangeKind.OTHER_OPERATOR, ChangeKind.OTHER_OPERATOR]
    assert asked(difference) == ["visits"]


def test_people_are_asked_again_because_the_author_says_so_and_only_once() -> None:
    asking = copy.deepcopy(WHOLE)
    asking["policy"]["ask"] = ["visits"]
    difference = diff(read(WHOLE), read(asking))
    assert (kinds(difference), asked(difference)) == ([ChangeKind.ASKED_AGAIN], ["visits"])
    assert not diff(read(asking), read(asking)).changes
    next_one = copy.deepcopy(asking)
    next_one["policy"]["version"] = "2"
    assert asked(diff(read(asking), read(next_one))) == ["visits"]
    del next_one["policy"]["ask"]
    assert not diff(read(asking), read(next_one)).changes


def test_answers_are_remembered_by_the_id() -> None:
    renamed = diff(read(WHOLE), read(changed(put(id="count"))))
    assert (kinds(renamed), asked(renamed)) == ([ChangeKind.WORDING, ChangeKind.ASKED_AGAIN], ["count"])
    exempt = diff(read(WHOLE), read(changed(put(id="look"), of="theme")))
    assert (kinds(exempt), asked(exempt)) == ([ChangeKind.WORDING], [])


def test_a_swap_of_two_ids_hides_nothing() -> None:
    second = {**VISITS, "id": "clicks", "name": "clicks", "lifetime": "12 months"}
    old = {**WHOLE, "items": [*WHOLE["items"], second]}
    swapped = {**WHOLE, "items": [{**VISITS, "id": "clicks"}, THEME, CHOICE, {**second, "id": "visits"}]}
    assert asked(diff(read(old), read(swapped))) == ["clicks", "visits"]
    names = {**WHOLE, "items": [{**VISITS, "name": "clicks"}, THEME, CHOICE, {**second, "name": "visits"}]}
    assert asked(diff(read(old), read(names))) == ["clicks", "visits"]


@pytest.mark.parametrize(
    ("table", "at", "values", "kind"),
    [
        ("policy", None, {"hosts": ["media.example.org", "img.example.org", "new.example.org"]}, "wider-reach"),
        ("policy", None, {"hosts": ["media.example.org"]}, "narrower-reach"),
        ("policy", None, {"jurisdictions": ["EU"]}, "wider-reach"),
        ("policy", None, {"jurisdictions": ["EU", "UK", "FR"]}, "narrower-reach"),
        ("policy", None, {"service": "Example.org"}, "wording"),
        ("policy", None, {"contact": "dpo@example.org"}, "wording"),
        ("policy", None, {"privacy_policy": None}, "wording"),
        ("policy", None, {"terms": "/terms"}, "wording"),
        ("policy", None, {"desktop_apps": ["App"]}, "wording"),
        ("third_parties", 0, {"host": "pay.example.net"}, "new-third-party removed-third-party"),
        ("third_parties", 0, {"name": "Payments Ltd"}, "new-third-party removed-third-party"),
        ("third_parties", 0, {"feature": "Pay"}, "wording"),
        ("third_parties", 0, {"action": "Press Pay."}, "wording"),
        ("third_parties", 0, {"storage": "A cookie."}, "wording"),
        ("third_parties", 0, {"privacy": "https://pay.example.com/p"}, "wording"),
        ("headers", 0, {"value": "'self' https://maps.example.com"}, "other-header"),
        ("headers", 0, {"reason": "A mark."}, "wording"),
        ("headers", 0, {"paths": ["/pay"]}, "other-header other-header"),
        ("headers", 1, {"value": "()"}, "other-header"),
    ],
)
def test_the_rest_of_a_declaration(table: str, at: int | None, values: Table, kind: str) -> None:
    document = copy.deepcopy(WHOLE)
    put(**values)(document[table] if at is None else document[table][at])
    old = copy.deepcopy(WHOLE)
    if values.get("host"):  # else the header would name a host that is not declared
        old["headers"][0]["value"] = document["headers"][0]["value"] = "'self'"
    difference = diff(read(old), read(document))
    assert [change.kind.value for change in difference.changes] == kind.split()
    assert not difference.needs_consent


TRANSLATED: Document = {
    "policy": {**POLICY, "languages": ["en", "de"], "summary": "S", "translations": {"de": {"summary": "Z"}}},
    "items": [
        {**THEME, "translations": {"de": {"purpose": "p", "set_when": "w", "information": "i"}}},
        {
            **CHOICE,
            "category": None,
            "purpose": None,
            "purposes": [
                {"category": "consent-choice", "purpose": "Remembers.", "translations": {"de": {"purpose": "Merkt."}}}
            ],
            "translations": {"de": {"set_when": "w"}},
        },
    ],
    "third_parties": [{**PARTY, "translations": {"de": {"feature": "f", "action": "a", "storage": "s"}}}],
    "headers": [{**CAMERA, "translations": {"de": {"reason": "r"}}}],
}
for _item in TRANSLATED["items"]:
    put(**dict(_item))(_item)


@pytest.mark.parametrize(
    ("table", "path", "key"),
    [
        ("items", (0,), "set_when"),
        ("items", (1, "purposes", 0), "purpose"),
        ("third_parties", (0,), "feature"),
        ("headers", (0,), "reason"),
    ],
)
def test_translations_are_words(table: str, path: tuple[str | int, ...], key: str) -> None:
    document = copy.deepcopy(TRANSLATED)
    at: Any = document[table]
    for step in path:
        at = at[step]
    at["translations"]["de"][key] += "!"
    (change,) = diff(read(TRANSLATED), read(document)).changes
    assert (change.kind, change.field) == (ChangeKind.WORDING, "translations")


def test_what_a_version_says_of_itself_is_no_change() -> None:
    document = copy.deepcopy(TRANSLATED)
    document["policy"] |= {
        "version": "2",
        "last_updated": dt.date(2027, 1, 1),
        "starts": dt.datetime(2027, 1, 1, tzinfo=dt.UTC),
        "change": "significant",
        "summary": "T",
        "translations": {"de": {"summary": "Y"}},
    }
    assert diff(read(TRANSLATED), read(document)).changes == ()


# Properties over declarations that are made up

LIVES = ("session", "1 minute", "30 days", "1 month", "12 months", "persistent")
CATEGORIES = ("authentication", "preference", "security", "audience-measurement", "analytics", "advertising")
words = st.text("abc .é", min_size=1, max_size=6).filter(str.strip)
few = st.lists(st.sampled_from("ABC"), unique=True, min_size=1)


@st.composite
def items(draw: st.DrawFn, name: str) -> Table:
    item: Table = {"id": f"{name}-id", "name": name, "provider": draw(st.sampled_from(["P", "Q"]))}
    item["lifetime"], item["set_when"] = draw(st.sampled_from(LIVES)), draw(words)
    purposes = draw(st.lists(st.tuples(st.sampled_from(CATEGORIES), words), min_size=1, max_size=3))
    if len(purposes) == 1:
        item["category"], item["purpose"] = purposes[0]
    else:
        item["purposes"] = [{"category": category, "purpose": text} for category, text in purposes]
    item["kind"] = draw(st.sampled_from(["cookie", "cookie", "local"]))
    if item["kind"] == "cookie":
        item["set_by"] = "server"
        for flag in ("readable_by_application", "http_only", "secure", "partitioned"):
            item[flag] = draw(st.booleans())
        item["same_site"] = draw(st.sampled_from(["Strict", "Lax", "None"]))
        item["path"] = draw(st.sampled_from(["/", "/a", "/a/", "/a/b", "/ab"]))
        if draw(st.booleans()):
            item["domain"] = draw(st.sampled_from(["example.org", "www.example.org", "example.com"]))
    else:
        item["set_by"], item["script"] = "script", draw(st.sampled_from(["/a.js", "/b.js"]))
    for key in ("recipients", "values"):
        if draw(st.booleans()):
            item[key] = draw(few)
    for key in ("title", "information", "reason", "objection", "removal"):
        if draw(st.booleans()):
            item[key] = draw(words)
    for key in ("requires_action", "renewed"):
        item[key] = draw(st.booleans())
    return item


@st.composite
def documents(draw: st.DrawFn) -> Document:
    policy = {**POLICY, "jurisdictions": draw(st.lists(st.sampled_from(["EU", "UK", "FR"]), unique=True, min_size=1))}
    names = draw(st.lists(st.sampled_from(["one", "two", "three", "four"]), unique=True, min_size=1))
    parties = [{**PARTY, "host": f"{name}.example.com"} for name in draw(few) for name in [name.lower()]]
    headers = [{**IMAGES, "directive": each, "value": "'self'"} for each in draw(st.sampled_from(
        [[], ["img-src"], ["media-src", "img-src"], ["font-src", "style-src", "img-src"]]
    ))]  # fmt: skip
    return {
        "policy": policy,
        "items": [draw(items(name)) for name in names],
        "third_parties": parties,
        "headers": headers,
    }


def shuffled(draw: Draw, value: Any, key: str = "") -> Any:
    """The same in another order: keys of tables, entries of lists that are sets."""
    if isinstance(value, dict):
        return {each: shuffled(draw, value[each], each) for each in draw(st.permutations(list(value)))}
    if isinstance(value, list) and key != "languages":
        return [shuffled(draw, each) for each in draw(st.permutations(value))]
    return value


def reworded(draw: Draw, document: Document) -> Document:
    """The same in other words."""
    document = copy.deepcopy(document)
    for item in document["items"]:
        for table in (item, *item.get("purposes", [])):
            for key in ("purpose", "title", "set_when", "information", "reason", "removal"):
                if key in table:
                    table[key] = draw(words)
        if item.get("objection"):
            item["objection"] = draw(words)
    document["policy"] |= {"service": draw(words), "version": "other"}
    return document


def formatted(draw: Draw, document: Document) -> str:
    """The document as TOML, in one of many ways to write it."""
    end = draw(st.sampled_from(["\n", "\r\n"]))
    lines: list[str] = []

    def write(table: Table, path: str) -> None:
        later: list[tuple[str, list[Table]]] = []
        for key, value in table.items():
            spread = isinstance(value, list) and bool(value) and isinstance(value[0], dict) and draw(st.booleans())
            if spread:
                later.append((key, value))
                continue
            name = draw(st.sampled_from([key, f'"{key}"']))
            text = written(value)
            if isinstance(value, list) and isinstance(value[0], str):
                text = text.replace(", ", draw(st.sampled_from([", ", ",", f", # a [ comment{end}  "])))
            lines.append(
                f"{draw(st.sampled_from(['', '  ']))}{name} {draw(st.sampled_from(['=', ' ='])).strip()} {text}"
            )
            lines.extend(draw(st.sampled_from([[], [""], ["# [policy]"]])))
        for key, rows in later:
            for row in rows:
                lines.append(f"[[{path}.{key}]]")
                write(row, f"{path}.{key}")

    for key in ("third_parties", "headers", "items"):
        for row in document[key]:
            lines.append(f"[[{key}]]  # {key}")
            write(row, key)
    lines.append("[policy]")
    write(document["policy"], "policy")
    return str(end.join(lines) + end)


relaxed = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@relaxed
@given(st.data())
def test_order_and_formatting_never_count(data: st.DataObject) -> None:
    document = data.draw(documents())
    other = formatted(data.draw, shuffled(data.draw, document))
    old, new = read(document), read(other)
    assert diff(old, new).changes == ()
    assert diff(new, old).changes == ()
    third = read(data.draw(documents()))
    assert diff(old, third).significance == diff(new, third).significance
    assert asked(diff(third, old)) == asked(diff(third, new))
    assert sorted(map(repr, diff(third, old).changes)) == sorted(map(repr, diff(third, new).changes))


@relaxed
@given(st.data())
def test_wording_never_counts_for_more_than_wording(data: st.DataObject) -> None:
    document = data.draw(documents())
    difference = diff(read(document), read(reworded(data.draw, document)))
    assert set(kinds(difference)) <= {ChangeKind.WORDING}
    assert not difference.needs_consent
    assert difference.significance in {None, EDITORIAL}


@relaxed
@given(documents(), documents())
def test_what_widens_one_way_narrows_the_other(one: Document, other: Document) -> None:
    there, back = diff(read(one), read(other)), diff(read(other), read(one))
    assert (there.changes == ()) == (back.changes == ())
    opposite = {
        ChangeKind.NEW_RECIPIENT: ChangeKind.REMOVED_RECIPIENT,
        ChangeKind.LONGER_LIFE: ChangeKind.SHORTER_LIFE,
        ChangeKind.NEW_PURPOSE: ChangeKind.REMOVED_PURPOSE,
        ChangeKind.NEW_ITEM: ChangeKind.REMOVED_ITEM,
        ChangeKind.NEW_THIRD_PARTY: ChangeKind.REMOVED_THIRD_PARTY,
        ChangeKind.WIDER_REACH: ChangeKind.NARROWER_REACH,
    }
    for wide, narrow in opposite.items():
        for first, second in ((there, back), (back, there)):
            told = {(each.item, each.field if each.item else each.after) for each in first.changes if each.kind is wide}
            undone = {
                (each.item, each.field if each.item else each.before) for each in second.changes if each.kind is narrow
            }
            assert told == undone
    for each in there.changes:  # whatever narrows was wider, even if there is no way to say which of two is
        if each.kind is ChangeKind.NARROWER_SCOPE:
            assert any((same.item, same.field, same.kind) == (each.item, each.field, ChangeKind.WIDER_SCOPE)
                       for same in back.changes)  # fmt: skip


def versions(*documents: Document) -> History:
    """A history of them, one day after another."""
    read_ones = []
    for index, document in enumerate(documents, 1):
        policy = {**document["policy"], "version": str(index), "last_updated": dt.date(2026, 1, index)}
        read_ones.append(read({**document, "policy": policy}))
    return History.of(read_ones)


@relaxed
@given(documents(), documents())
def test_an_answer_holds_just_where_the_next_version_does_not_ask(one: Document, other: Document) -> None:
    history = versions(one, other)
    _, current = history.versions
    assert current.difference is not None
    for item in current.declaration.gated:
        assert history.covers(item, "1", current) == (item.id not in asked(current.difference))
        assert history.covers(item, "2", current)
    for change in current.difference.changes:
        if change.needs_consent:
            assert change.significance is SIGNIFICANT
            assert change.item in {item.id for item in current.declaration.gated}


@relaxed
@given(documents(), st.data())
def test_what_was_agreed_to_holds_again_when_it_is_back(document: Document, data: st.DataObject) -> None:
    """Whatever came in between, and whether or not it asked."""
    history = versions(document, data.draw(documents()), document)
    current = history.versions[2]
    for item in current.declaration.gated:
        assert history.covers(item, "1", current)


@pytest.mark.parametrize(("before", "after"), [row[1:3] for row in WIDENING], ids=[row[0] for row in WIDENING])
def test_who_agreed_to_less_is_asked_when_it_widens_again(before: Change, after: Change) -> None:
    narrow, wide = changed(before), changed(before, after)
    history = versions(wide, narrow, wide)
    _, narrowed, current = history.versions
    item = current.declaration.item("visits")
    assert history.covers(narrowed.declaration.item("visits"), "1", narrowed)
    assert history.covering(item, current) == ("1", "3")


def test_two_versions_are_held_against_each_other_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request asks what a yes covers, and the version in it is whatever somebody sends."""
    history = versions(WHOLE, WHOLE, WHOLE)
    compared: list[int] = []

    def counted(old: Iterable[Item], new: Iterable[Item]) -> list[tuple[Item, Item]]:
        compared.append(1)
        return paired(old, new)

    monkeypatch.setattr(_history, "paired", counted)
    for _ in range(3):
        for number in ("1", "2", "3", "4", "x" * 32):
            for item in history.versions[2].declaration.gated:
                assert history.covers(item, number, history.versions[2]) == (number in "123")
    assert len(compared) == 3
