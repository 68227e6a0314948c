"""What a mutation run found that no other test saw (docs/reference/mutation.md)."""

from dataclasses import replace
from pathlib import Path

import pytest

from strictly_necessary import (
    Category,
    Declaration,
    GuardFinding,
    Item,
    Kind,
    Lifetime,
    Override,
    Purpose,
    SameSite,
    SetBy,
    load,
)
from strictly_necessary._guard.checkpoint import Checkpoint
from strictly_necessary._guard.watch import MOST_FINDINGS, MOST_STRANGERS, Watch

EXAMPLE = load(Path(__file__).parent / "example.toml")
SESSION = EXAMPLE.item("session")
ROUTE = replace(EXAMPLE.item("route"), name="ROUTE", id="route")


def cookie(name: str, category: Category, **more: object) -> Item:
    return replace(SESSION, id=name, name=name, purposes=(Purpose(category, "p"),), **more)  # type: ignore[arg-type]


def policy_of(*items: Item, overrides: tuple[Override, ...] = ()) -> Declaration:
    return Declaration(EXAMPLE.policy, items, (), overrides)


@pytest.fixture
def watch() -> Watch:
    return Watch(policy_of(SESSION, EXAMPLE.item("csrf"), ROUTE), now=lambda: 1_800_000_000.0)


def codes(findings: tuple[GuardFinding, ...]) -> list[str]:
    return [finding.code for finding in findings]


def test_a_hidden_cookie_with_a_name_of_its_own_never_reaches_the_application(watch: Watch) -> None:
    assert watch.request(b"ROUTE=1") == (b"", ())
    both = b"__Host-session=a; __Host-csrf=b"
    assert watch.request(b"__Host-session=a; ROUTE=1; __Host-csrf=b") == (both, ())
    assert watch.request(both) == (both, ())
    assert watch.request(b"_ga=1; ROUTE=1; __Host-session=a; ROUTE=2")[0] == b"__Host-session=a"


@pytest.mark.parametrize("name", [b"~__Host-session", b"__Host-session~", b"ROUTE~", b"\x0b__Host-session"])
def test_nothing_but_spaces_is_cut_from_a_name(watch: Watch, name: bytes) -> None:
    allowed, findings = watch.request(name + b"=evil")
    assert (allowed, len(findings)) == (b"", 1)
    (finding,), signs_out = watch.response(name + b"=evil; Path=/; Secure; HttpOnly; SameSite=Lax")
    assert (finding.code in {"SN311", "SN312"}, signs_out) == (True, False)


def test_a_flood_is_counted_up_to_its_limits(watch: Watch) -> None:
    assert (MOST_FINDINGS, MOST_STRANGERS) == (20, 200)
    same = [b"evil=1"] * 200
    assert codes(watch.request(b"; ".join(same))[1]) == ["SN301"]
    assert codes(watch.request(b"; ".join([*same, b"__Host-session=a"]))[1]) == ["SN301"]
    assert codes(watch.request(b"; ".join([*same, b"evil=1"]))[1]) == ["SN301", "SN304"]
    assert codes(watch.request(b"; ".join([*same, b"evil=1", b"other=1"]))[1]) == ["SN301", "SN304"]
    assert watch.request(b"; ".join([*same, b"evil=1", b"__Host-session=a"]))[0] == b"__Host-session=a"
    different = [b"evil%d=1" % number for number in range(21)]
    assert codes(watch.request(b"; ".join(different[:20]))[1]) == ["SN301"] * 20
    assert codes(watch.request(b"; ".join(different))[1]) == [*["SN301"] * 20, "SN304"]


def test_what_needs_consent_is_told_apart_from_what_is_not_declared() -> None:
    watch = Watch(policy_of(SESSION, cookie("visits", Category.ANALYTICS), cookie("count_*", Category.ADVERTISING)))
    assert watch.request(b"visits=1; count_1=1; __Host-session=a")[0] == b"__Host-session=a"
    told = {name: watch.response(b"%s=1; Path=/" % name)[0][0] for name in (b"visits", b"count_1", b"other")}
    assert {name: (finding.code, finding.item) for name, finding in told.items()} == {
        b"visits": ("SN316", "visits"),
        b"count_1": ("SN316", "count_*"),
        b"other": ("SN311", None),
    }


def test_a_life_may_be_a_minute_short_of_the_declared_one() -> None:
    item = cookie("__Host-draft", Category.USER_INPUT, lifetime=Lifetime.parse("1 hour"))
    watch = Watch(policy_of(item), now=lambda: 0.0)

    def told(life: str) -> list[str]:
        return codes(watch.response(f"__Host-draft=1; Path=/; Secure; HttpOnly; SameSite=Lax{life}".encode())[0])

    assert told("; Max-Age=3600") == told("; Max-Age=3540") == []
    assert told("; Max-Age=3539") == ["SN318"]
    assert told("; Max-Age=3601") == ["SN314"]
    assert told("; Max-Age=1") == ["SN318"]
    assert told("") == ["SN318"]
    for life, words in (("", "ends with the browser session"), ("; Max-Age=60", "would live 60 seconds")):
        header = f"__Host-draft=1; Path=/; Secure; HttpOnly; SameSite=Lax{life}".encode()
        assert (
            watch.response(header)[0][0].message == f"\"__Host-draft\" {words}, and its declared lifetime is '1 hour'"
        )
    assert told("; Max-Age=0") == told("; Max-Age=-1") == []
    assert told("; Max-Age=0; Expires=Thu, 01 Jan 1970 02:00:00 GMT") == ["SN314"]


def test_only_a_sound_removal_of_a_cookie_that_signs_in_signs_out(watch: Watch) -> None:
    for _ in range(2):  # the second time from memory
        assert watch.response(b"__Host-session=; Path=/; Max-Age=0") == ((), True)
        assert watch.response(b"__Host-csrf=; Path=/; Max-Age=0") == ((), False)
        assert watch.response(b"__Host-session=a; Path=/; Secure; HttpOnly; SameSite=Lax") == ((), False)


def test_an_attribute_is_told_shortly_and_safely(watch: Watch) -> None:
    header = b"__Host-session=a; Secure; HttpOnly; SameSite=Lax; Path=/" + b"x" * 200
    messages = [finding.message for finding in watch.response(header)[0]]
    assert messages == [f'"__Host-session" has Path=/{"x" * 79}, and is declared with Path=/']
    header = b"__Host-session=a; Path=/; Secure; SameSite=Strict; Partitioned; Domain=example.org"
    assert [finding.message.partition(" has ")[2] for finding in watch.response(header)[0]] == [
        "no HttpOnly, and is declared with HttpOnly",
        "Partitioned, and is declared with no Partitioned",
        "Domain=example.org, and is declared with no Domain",
        "SameSite=Strict, and is declared with SameSite=Lax",
    ]
    assert watch.request(b"x" * 100 + b"=1")[1][0].name == "x" * 80
    assert watch.request(b"=1")[1][0].message.startswith("a cookie without a name ")


def test_a_verdict_is_remembered_for_names_and_attributes_alone() -> None:
    sized = replace(EXAMPLE.item("size"), values=("small",))
    watch = Watch(policy_of(sized, SESSION))
    attributes = b"; Path=/app; Domain=example.org; Secure; SameSite=Lax"
    for value, expected in ((b"small", []), (b"huge", ["SN317"]), (b"small", []), (b"huge", ["SN317"])):
        assert codes(watch.response(b"size=" + value + attributes)[0]) == expected
    good = b"; Path=/; Secure; HttpOnly; SameSite=Lax"
    assert watch.response(b"__Host-session=a" + good) == ((), False)
    for bad in (b"__Host-session=a\x01" + good, b"__Host-session=" + b"a" * 4096 + good):
        assert codes(watch.response(bad)[0]) == ["SN312"]


def test_joined_headers_are_handed_on_only_when_they_changed() -> None:
    found: list[GuardFinding] = []
    checkpoint = Checkpoint(policy_of(SESSION, ROUTE), mode="enforce", on_finding=found.append)
    assert checkpoint.incoming([b"__Host-session=a"]) is None
    assert checkpoint.incoming([b"ROUTE=1"]) == b""
    assert checkpoint.incoming([b"__Host-session=a", b"ROUTE=1"]) == b"__Host-session=a"
    assert checkpoint.incoming([b"__Host-session=a", b"__Host-session=b"]) == b"__Host-session=a; __Host-session=b"
    assert [finding.code for finding in found] == ["SN303"]
    report = Checkpoint(policy_of(SESSION, ROUTE), mode="report", on_finding=found.append)
    assert report.incoming([b"ROUTE=1", b"_ga=1"]) is None
    assert found[-1].code == "SN301"


def test_in_a_first_look_the_headers_of_the_application_stay_as_they_are() -> None:
    found: list[GuardFinding] = []
    checkpoint = Checkpoint(policy_of(SESSION), mode="report", on_finding=found.append)
    same, other = (b"X-Frame-Options", b"DENY"), (b"Referrer-Policy", b"unsafe-url")
    assert checkpoint.outgoing([same, other], "/")[:2] == [same, other]
    assert [finding.code for finding in found] == ["SN321"]
    enforce = Checkpoint(policy_of(SESSION), mode="enforce", on_finding=found.append)
    assert [value for name, value in enforce.outgoing([same, other], "/") if name.lower() == same[0].lower()] == [
        b"DENY"
    ]


def test_the_kinds_of_the_example_are_what_these_tests_take_them_for() -> None:
    assert {item.kind for item in (SESSION, ROUTE)} == {Kind.COOKIE}
    assert (SESSION.same_site, ROUTE.set_by) == (SameSite.LAX, SetBy.INFRASTRUCTURE)
