"""Each rule with a passing and a failing example."""

from dataclasses import replace
from pathlib import Path

import pytest

from strictly_necessary import Category, Item, Kind, Lifetime, Purpose, SameSite, SetBy, check
from strictly_necessary.rules import RULES, broken_by

COOKIE = Item(
    id="x",
    name="x",
    kind=Kind.COOKIE,
    purposes=(Purpose(Category.AUTHENTICATION, "p"),),
    provider="p",
    lifetime=Lifetime.parse("session"),
    set_when="w",
    set_by=SetBy.SERVER,
    readable_by_application=True,
    http_only=True,
    secure=True,
    same_site=SameSite.LAX,
    path="/",
)
SECURITY = replace(COOKIE, purposes=(Purpose(Category.SECURITY, "p"),))
BALANCER = replace(
    COOKIE,
    purposes=(Purpose(Category.LOAD_BALANCING, "p"),),
    set_by=SetBy.INFRASTRUCTURE,
    readable_by_application=False,
)
PREFERENCE = replace(COOKIE, purposes=(Purpose(Category.PREFERENCE, "p"),), requires_action=True, information="i")
INPUT = replace(COOKIE, purposes=(Purpose(Category.USER_INPUT, "p"),))
PLAYER = replace(COOKIE, purposes=(Purpose(Category.MULTIMEDIA_PLAYER, "p"),))
LOCAL = replace(PREFERENCE, kind=Kind.LOCAL, lifetime=Lifetime.parse("persistent"), set_by=SetBy.SCRIPT)


def life(item: Item, text: str) -> Item:
    return replace(item, lifetime=Lifetime.parse(text))


EXAMPLES: list[tuple[str, Item, Item]] = [
    ("SN101", replace(COOKIE, name="__Secure-x"), replace(COOKIE, name="__Secure-x", secure=False)),
    ("SN102", replace(COOKIE, name="__Host-x"), replace(COOKIE, name="__Host-x", secure=False)),
    ("SN102", replace(COOKIE, name="__Host-x"), replace(COOKIE, name="__Host-x", path="/a")),
    ("SN102", replace(COOKIE, name="__Host-Http-x"), replace(COOKIE, name="__Host-Http-x", domain="example.org")),
    ("SN103", replace(COOKIE, name="__Http-x"), replace(COOKIE, name="__Http-x", http_only=False)),
    ("SN103", replace(COOKIE, name="__Http-x"), replace(COOKIE, name="__Http-x", secure=False)),
    ("SN103", replace(COOKIE, name="__Host-Http-x"), replace(COOKIE, name="__Host-Http-x", http_only=False)),
    ("SN104", replace(COOKIE, name="__Host-x"), replace(COOKIE, name="__host-x")),
    ("SN104", replace(COOKIE, name="__Host-Http-x"), replace(COOKIE, name="__Host-http-x")),
    ("SN105", replace(COOKIE, name="__Host-Http-x"), replace(COOKIE, name="__HostHttp-x")),
    ("SN106", replace(COOKIE, same_site=SameSite.NONE), replace(COOKIE, same_site=SameSite.NONE, secure=False)),
    ("SN107", replace(COOKIE, partitioned=True), replace(COOKIE, partitioned=True, secure=False)),
    ("SN108", life(PREFERENCE, "400 days"), life(PREFERENCE, "401 days")),
    ("SN109", life(PREFERENCE, "400 days"), life(PREFERENCE, "persistent")),
    ("SN110", replace(COOKIE, set_by=SetBy.SCRIPT, http_only=False), replace(COOKIE, set_by=SetBy.SCRIPT)),
    ("SN111", life(replace(LOCAL, kind=Kind.SESSION), "session"), replace(LOCAL, kind=Kind.SESSION)),
    ("SN112", LOCAL, life(LOCAL, "session")),
    ("SN201", COOKIE, replace(COOKIE, purposes=(Purpose(Category.ANALYTICS, "p"),))),
    ("SN201", COOKIE, replace(COOKIE, purposes=(Purpose(Category.ADVERTISING, "p"),))),
    ("SN202", life(replace(COOKIE, requires_action=True), "30 days"), life(COOKIE, "30 days")),
    ("SN203", PREFERENCE, replace(PREFERENCE, requires_action=False)),
    ("SN204", LOCAL, replace(LOCAL, information=None)),
    ("SN205", PREFERENCE, replace(PREFERENCE, set_by=SetBy.INFRASTRUCTURE, readable_by_application=False)),
    ("SN206", life(replace(SECURITY, reason="r"), "1 day"), life(replace(SECURITY, reason="r"), "persistent")),
    ("SN207", life(replace(SECURITY, reason="r"), "1 day"), life(SECURITY, "1 day")),
    ("SN208", BALANCER, life(BALANCER, "7 days")),
    ("SN209", BALANCER, replace(BALANCER, set_by=SetBy.SERVER)),
    ("SN210", BALANCER, replace(BALANCER, readable_by_application=True)),
    ("SN211", life(INPUT, "24 hours"), life(INPUT, "25 hours")),
    ("SN212", PLAYER, life(PLAYER, "1 day")),
]


def codes(item: Item) -> set[str]:
    return {rule.code for rule in broken_by(item)}


@pytest.mark.parametrize(("code", "good", "bad"), EXAMPLES)
def test_a_rule_tells_good_from_bad(code: str, good: Item, bad: Item) -> None:
    assert codes(good) == set()
    assert code in codes(bad)


def test_every_rule_has_an_example_a_source_and_a_fix() -> None:
    assert {rule.code for rule in RULES} == {code for code, _, _ in EXAMPLES}
    assert len({rule.code for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.source
        assert rule.fix
        assert rule.field in Item.__dataclass_fields__


def test_a_name_without_a_prefix_asks_for_no_attributes() -> None:
    assert codes(replace(COOKIE, secure=False, http_only=False, path="/a", domain="example.org")) == set()


def test_security_for_the_browser_session_needs_no_reason() -> None:
    assert codes(SECURITY) == set()


def test_a_preference_for_the_browser_session_needs_no_information() -> None:
    assert codes(replace(PREFERENCE, information=None)) == set()


def test_every_purpose_is_exempt_or_needs_consent() -> None:
    exempt = {
        category for category in Category if "SN201" not in codes(replace(COOKIE, purposes=(Purpose(category, "p"),)))
    }
    assert exempt == {
        Category.USER_INPUT,
        Category.AUTHENTICATION,
        Category.SECURITY,
        Category.MULTIMEDIA_PLAYER,
        Category.LOAD_BALANCING,
        Category.PREFERENCE,
    }


def test_a_broken_rule_is_told_at_its_key(tmp_path: Path) -> None:
    text = (Path(__file__).parent / "example.toml").read_text(encoding="utf-8")
    changed = text.replace('lifetime = "session"', 'lifetime = "30 days"', 1)
    file = tmp_path / "policy.toml"
    file.write_text(changed, encoding="utf-8")
    (finding,) = check(file)
    assert (finding.code, finding.line) == ("SN202", changed[: changed.index('lifetime = "30')].count("\n") + 1)
    assert finding.message == '"session": to stay signed in beyond the browser session is the person\'s choice'
