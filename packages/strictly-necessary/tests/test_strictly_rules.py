"""The rules at their limits: what the examples in docs/reference/rules.md, which other tests execute, leave open."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from strictly_necessary import (
    Category,
    Item,
    Jurisdiction,
    Kind,
    Lifetime,
    Override,
    Purpose,
    SameSite,
    SetBy,
    Severity,
    ThirdParty,
    check,
)
from strictly_necessary.rules import RULES, broken_by, broken_by_override, broken_by_party, prefix_of

EU, UK, FR = Jurisdiction.EU, Jurisdiction.UK, Jurisdiction.FR
COOKIE = Item(
    id="x",
    name="__Host-x",
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


def of(category: Category, item: Item = COOKIE) -> Item:
    return replace(item, purposes=(Purpose(category, "p"),))


SECURITY = of(Category.SECURITY)
BALANCER = replace(of(Category.LOAD_BALANCING), set_by=SetBy.INFRASTRUCTURE, readable_by_application=False)
PREFERENCE = replace(of(Category.PREFERENCE), name="x", requires_action=True, information="i", removal="n")
INPUT = replace(of(Category.USER_INPUT), name="x")
PLAYER = replace(of(Category.MULTIMEDIA_PLAYER), name="x")
CHOICE = replace(of(Category.CONSENT_CHOICE), name="x")
MEASURING = replace(of(Category.AUDIENCE_MEASUREMENT), name="x", information="i", objection="o")
LOCAL = replace(PREFERENCE, kind=Kind.LOCAL, lifetime=Lifetime.parse("persistent"), set_by=SetBy.SCRIPT)

OFFLINE = replace(of(Category.SERVICE, LOCAL), kind=Kind.SERVICE_WORKER, reason="r", information=None, removal=None)


def life(item: Item, text: str) -> Item:
    return replace(item, lifetime=Lifetime.parse(text))


def codes(item: Item, *jurisdictions: Jurisdiction) -> set[str]:
    return {breach.rule.code for breach in broken_by(item, jurisdictions or (EU, UK, FR))}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (COOKIE, set()),
        (SECURITY, set()),
        (BALANCER, set()),
        (PREFERENCE, set()),
        (INPUT, set()),
        (PLAYER, set()),
        (CHOICE, set()),
        (LOCAL, set()),
        # Prefixes
        (replace(INPUT, name="__Secure-x"), set()),
        (replace(INPUT, name="__secure-x", secure=False), {"SN101", "SN104"}),
        (replace(INPUT, name="__Secure_x", secure=False), set()),
        (replace(INPUT, name="__Host-x", secure=False), {"SN102"}),
        (replace(INPUT, name="__Host-x", path="/a"), {"SN102"}),
        (replace(INPUT, name="__Host-x", domain="example.org"), {"SN102"}),
        (replace(INPUT, name="__Host-Http-x", domain="example.org"), {"SN102"}),
        (replace(INPUT, name="__Host-Http-x", path="/a"), {"SN102"}),
        (replace(INPUT, name="__Http-x", path="/a", domain="example.org"), set()),
        (replace(INPUT, name="__Http-x", http_only=False), {"SN103"}),
        (replace(INPUT, name="__Http-x", secure=False), {"SN103"}),
        (replace(INPUT, name="__Host-Http-x", http_only=False), {"SN103"}),
        (replace(INPUT, name="__Host-x", http_only=False), set()),
        (replace(COOKIE, name="__HOST-x"), {"SN104"}),
        (replace(COOKIE, name="__Host-http-x"), {"SN104"}),
        (replace(INPUT, name="__hosthttp-x"), {"SN105"}),
        (replace(INPUT, name="x__HostHttp-"), set()),
        # A name without a prefix, for anything but signing in and security, asks for no attributes.
        (replace(INPUT, secure=False, http_only=False, path="/a", domain="example.org"), set()),
        (replace(INPUT, same_site=SameSite.NONE), set()),
        (replace(INPUT, same_site=SameSite.NONE, secure=False), {"SN106"}),
        (replace(INPUT, same_site=None, secure=False), set()),
        (replace(INPUT, partitioned=True), set()),
        (replace(INPUT, partitioned=True, secure=False), {"SN107"}),
        # Lives
        (life(PREFERENCE, "400 days"), set()),
        (life(PREFERENCE, "576001 minutes"), {"SN108"}),
        (life(LOCAL, "401 days"), set()),
        (life(PREFERENCE, "persistent"), {"SN109"}),
        (replace(INPUT, set_by=SetBy.SCRIPT, http_only=True), {"SN110"}),
        (replace(INPUT, set_by=SetBy.SCRIPT, http_only=False), set()),
        (life(replace(LOCAL, kind=Kind.SESSION), "session"), set()),
        (life(replace(LOCAL, kind=Kind.SESSION), "1 day"), {"SN111"}),
        (replace(LOCAL, kind=Kind.SESSION), {"SN111"}),
        *[
            (life(replace(LOCAL, kind=kind), "session"), {"SN112"})
            for kind in Kind
            if kind not in {"cookie", "session"}
        ],
        # Cookies that sign people in or protect them
        (replace(COOKIE, name="x", secure=False), {"SN113", "SN115"}),
        (replace(SECURITY, name="x", secure=False), {"SN113", "SN115"}),
        (replace(COOKIE, http_only=False), {"SN114"}),
        (replace(SECURITY, http_only=False), set()),
        (replace(COOKIE, http_only=False, set_by=SetBy.SCRIPT), set()),
        (replace(COOKIE, name="__Http-x"), {"SN115"}),
        (replace(SECURITY, name="__Secure-x"), {"SN115"}),
        (replace(COOKIE, name="__Host-Http-x"), set()),
        (replace(COOKIE, name="__Secure-x", domain="example.org"), {"SN116"}),
        (replace(SECURITY, name="x", domain="example.org"), {"SN116"}),
        (replace(COOKIE, same_site=SameSite.NONE), {"SN117"}),
        (replace(SECURITY, same_site=SameSite.NONE), {"SN117"}),
        (replace(COOKIE, same_site=SameSite.STRICT), set()),
        (life(of(Category.AUTHENTICATION, LOCAL), "30 days"), set()),
        # Exemption
        (life(COOKIE, "30 days"), {"SN202", "SN216"}),
        (life(replace(COOKIE, requires_action=True), "30 days"), {"SN216"}),
        (life(replace(COOKIE, information="i"), "30 days"), {"SN202"}),
        (life(replace(COOKIE, requires_action=True, information="i"), "390 days"), set()),
        (life(replace(COOKIE, requires_action=True, information="i"), "391 days"), {"SN219"}),
        (life(of(Category.AUTHENTICATION, LOCAL), "persistent"), {"SN219"}),
        (replace(PREFERENCE, requires_action=False), {"SN203"}),
        (life(replace(PREFERENCE, information=None), "1 day"), {"SN204"}),
        (replace(PREFERENCE, information=None), set()),
        (replace(PREFERENCE, set_by=SetBy.INFRASTRUCTURE, readable_by_application=False), {"SN205", "SN214"}),
        (replace(PREFERENCE, set_by=SetBy.INFRASTRUCTURE), {"SN205", "SN210", "SN214"}),
        (life(SECURITY, "1 minute"), {"SN207"}),
        (life(replace(SECURITY, reason="r"), "180 days"), set()),
        (life(replace(SECURITY, reason="Because."), "181 days"), {"SN218"}),
        (life(replace(of(Category.SECURITY, LOCAL), reason="r"), "persistent"), {"SN206"}),
        (life(BALANCER, "1 minute"), {"SN208"}),
        (life(replace(BALANCER, reason="r"), "7 days"), {"SN217"}),
        (replace(BALANCER, reason="r"), set()),
        (replace(BALANCER, set_by=SetBy.SERVER), {"SN209"}),
        (replace(BALANCER, set_by=SetBy.SCRIPT, http_only=False), {"SN209"}),
        (replace(BALANCER, readable_by_application=True), {"SN210"}),
        (replace(BALANCER, name="x", secure=False, http_only=False), set()),
        (life(INPUT, "24 hours"), set()),
        (life(INPUT, "1441 minutes"), {"SN211"}),
        (life(of(Category.USER_INPUT, LOCAL), "persistent"), {"SN211"}),
        (life(PLAYER, "1 minute"), {"SN212"}),
        (replace(INPUT, recipients=("Partner Ltd",)), {"SN213"}),
        (replace(BALANCER, requires_action=True), {"SN214"}),
        (OFFLINE, set()),
        (replace(OFFLINE, kind=Kind.CACHE), set()),
        (replace(OFFLINE, reason=None), {"SN220"}),
        (replace(OFFLINE, requires_action=False), {"SN220"}),
        (replace(OFFLINE, reason=None, requires_action=False), {"SN220"}),
        (life(of(Category.CONSENT_CHOICE, LOCAL), "persistent"), {"SN215", "SN228"}),
    ],
)
def test_an_item_breaks_exactly_these_rules(item: Item, expected: set[str]) -> None:
    assert codes(item) == expected


@pytest.mark.parametrize(
    ("item", "uk", "fr"),
    [
        (MEASURING, set(), set()),
        (replace(MEASURING, information=None), {"SN221"}, {"SN230"}),
        (replace(MEASURING, objection=None), {"SN222"}, {"SN231"}),
        (replace(MEASURING, purposes=(*MEASURING.purposes, *INPUT.purposes)), set(), {"SN229"}),
        (replace(MEASURING, purposes=MEASURING.purposes * 2), set(), set()),
        (replace(LOCAL, removal=None), {"SN232"}, set()),
        (replace(LOCAL, removal=None, objection="o"), set(), set()),
        (replace(PREFERENCE, removal=None), set(), set()),
        (replace(MEASURING, recipients=("Counting Ltd",)), {"SN223"}, {"SN224"}),
        (replace(MEASURING, recipients=("Counting Ltd",), reason="r"), set(), {"SN224"}),
        (life(MEASURING, "390 days"), set(), set()),
        (life(MEASURING, "561601 minutes"), set(), {"SN225"}),
        (life(of(Category.AUDIENCE_MEASUREMENT, LOCAL), "persistent"), {"SN222"}, {"SN225", "SN231"}),
        (replace(MEASURING, renewed=True), set(), {"SN226"}),
        (replace(MEASURING, same_site=SameSite.NONE), set(), {"SN227"}),
        (replace(MEASURING, same_site=SameSite.STRICT), set(), set()),
        (life(CHOICE, "180 days"), set(), set()),
        (life(CHOICE, "259201 minutes"), set(), {"SN228"}),
        (replace(INPUT, renewed=True), set(), set()),
    ],
)
def test_the_united_kingdom_and_france_ask_for_different_things(item: Item, uk: set[str], fr: set[str]) -> None:
    assert codes(item, UK) == uk
    assert codes(item, FR) == fr
    assert codes(item, UK, FR) == uk | fr
    measures = Category.AUDIENCE_MEASUREMENT in item.categories
    assert codes(item, EU) == ({"SN201"} if measures else set())


def test_a_purpose_is_exempt_only_where_all_jurisdictions_agree() -> None:
    def exempt(*jurisdictions: Jurisdiction) -> set[Category]:
        return {each for each in Category if "SN201" not in codes(of(each), *jurisdictions)}

    everywhere = {
        Category.USER_INPUT,
        Category.AUTHENTICATION,
        Category.SECURITY,
        Category.MULTIMEDIA_PLAYER,
        Category.LOAD_BALANCING,
        Category.PREFERENCE,
        Category.SERVICE,
        Category.CONSENT_CHOICE,
    }
    assert exempt(EU) == exempt(EU, UK, FR) == exempt(EU, FR) == everywhere
    assert exempt(UK) == exempt(FR) == exempt(UK, FR) == everywhere | {Category.AUDIENCE_MEASUREMENT}


def test_every_purpose_of_a_key_is_looked_at() -> None:
    several = replace(
        COOKIE,
        purposes=tuple(
            Purpose(each, "p") for each in (Category.AUTHENTICATION, Category.ANALYTICS, Category.ADVERTISING)
        ),
    )
    breaches = [breach for breach in broken_by(several) if breach.rule.code == "SN201"]
    assert [(breach.path, breach.message.partition(":")[0]) for breach in breaches] == [
        (("purposes", 1, "category"), '"x" is for analytics'),
        (("purposes", 2, "category"), '"x" is for advertising'),
    ]
    assert codes(replace(several, http_only=False)) == {"SN114", "SN201"}
    (alone,) = broken_by(of(Category.ANALYTICS))
    assert (alone.path, alone.message.partition(":")[0]) == (("category",), '"x" is for analytics')


def test_without_a_jurisdiction_only_what_holds_everywhere_is_asked() -> None:
    item = replace(life(MEASURING, "401 days"), information=None)
    assert {breach.rule.code for breach in broken_by(item, ())} == {"SN108"}
    assert "SN221" in {breach.rule.code for breach in broken_by(item)}


def test_what_only_advises_is_a_warning() -> None:
    warnings = {rule.code for rule in RULES if rule.severity is Severity.WARNING}
    browsers, exemption = {"SN115", "SN116", "SN117"}, {"SN213", "SN217", "SN218", "SN219"}
    jurisdictions = {"SN223", "SN225", "SN226", "SN228", "SN230", "SN231", "SN232"}
    assert warnings == browsers | exemption | jurisdictions | {"SN242", "SN243", "SN244", "SN522"}


def test_the_longest_prefix_is_found() -> None:
    assert prefix_of("__host-HTTP-x") == "__Host-Http-"
    assert prefix_of("__host-x") == "__Host-"
    assert prefix_of("_Host-x") is None


def test_a_rule_points_at_a_key_of_an_item_or_of_a_purpose() -> None:
    for rule in RULES:
        alone_or_not = rule.broken or rule.among
        conditions = {Item: alone_or_not, Purpose: rule.purpose, ThirdParty: rule.party, Override: rule.override}
        ((kind, _),) = [(kind, condition) for kind, condition in conditions.items() if condition is not None]
        assert rule.field in {field.name for field in fields(kind)}


def test_a_broken_rule_is_told_at_its_key(tmp_path: Path) -> None:
    text = (Path(__file__).parent / "example.toml").read_text(encoding="utf-8")
    changed = text.replace('lifetime = "session"', 'lifetime = "30 days"', 1)
    file = tmp_path / "policy.toml"
    file.write_text(changed, encoding="utf-8")
    told, finding = check(file)
    assert told.code == "SN216"
    assert (finding.code, finding.line) == ("SN202", changed[: changed.index('lifetime = "30')].count("\n") + 1)
    assert finding.message == '"session": to stay signed in beyond the browser session is the person\'s choice'


def test_the_jurisdictions_of_the_policy_or_those_asked_for_are_checked(tmp_path: Path) -> None:
    text = (Path(__file__).parent / "example.toml").read_text(encoding="utf-8")
    changed = text.replace('["EU", "UK", "FR"]', '["UK"]').replace('"user-input"', '"audience-measurement"')
    file = tmp_path / "policy.toml"
    file.write_text(changed.replace('set_when = "You type."', 'set_when = "w"\nrenewed = true'), encoding="utf-8")

    def found(*jurisdictions: Jurisdiction) -> list[str]:
        return [finding.code for finding in check(file, jurisdictions=jurisdictions)]

    assert found() == ["SN221", "SN222"]
    assert found(FR) == ["SN230", "SN231", "SN226"]
    assert found(EU) == ["SN201"]


@pytest.mark.parametrize(
    "name",
    [
        "_ga", "_ga*", "_ga_ABC123", "_ga_*", "_gid", "_gat", "_gcl_au", "_gcl*", "_fbp", "_hjid", "_hj*",
        "amplitude_id", "amplitude*", "amp_12", "mp_0123_mixpanel", "mp_*", "IDE", "_ttp", "__utmz",
    ],
)  # fmt: skip
def test_the_name_of_a_known_tracker_is_doubted(name: str) -> None:
    item = replace(INPUT, name=name)
    assert codes(item) == {"SN244"}
    assert codes(replace(MEASURING, name=name), UK, FR) == set()
    assert "SN244" not in codes(replace(of(Category.ANALYTICS), name=name))


@pytest.mark.parametrize(
    "name", ["_gallery", "ga", "IDENTITY", "fbp", "mixip_theme", "amplify", "a*", "_g*", "mp", "x_ga"]
)
def test_other_names_are_nobodys(name: str) -> None:
    assert codes(replace(INPUT, name=name)) == set()


def party(host: str) -> ThirdParty:
    return ThirdParty("n", host, "f", "a", "s", "https://example.com/privacy")


def loading(value: str, *paths: str, directive: str = "img-src", name: str = "content-security-policy") -> set[str]:
    parties = [party("pay.example.com"), party("www.google-analytics.com")]
    override = Override(name, value, "r", directive, paths)
    return {breach.rule.code for breach in broken_by_override(override, parties)}


@pytest.mark.parametrize(
    "host",
    [
        "google-analytics.com", "www.google-analytics.com", "www.googletagmanager.com", "stats.g.doubleclick.net",
        "connect.facebook.net", "snap.licdn.com", "px.ads.linkedin.com", "cdn.mxpnl.com", "api.mixpanel.com",
        "api2.amplitude.com", "static.hotjar.com", "analytics.tiktok.com",
    ],
)  # fmt: skip
def test_nothing_loads_from_a_known_tracker(host: str) -> None:
    for source in (host, f"https://{host}", f"*.{host}", f"HTTPS://{host.upper()}:443/collect"):
        assert "SN241" in loading(f"'self' {source}", "/pay"), source
    assert "SN241" in loading(f'(self "https://{host}")', "/pay", directive="camera", name="permissions-policy")
    assert {breach.rule.code for breach in broken_by_party(party(host))} == {"SN243"}


@pytest.mark.parametrize("host", ["linkedin.com", "www.facebook.com", "notdoubleclick.net", "hotjar.com.example.org"])
def test_hosts_that_people_visit_and_others_names_are_no_trackers(host: str) -> None:
    assert loading(f"'self' https://{host}", "/pay") == set()
    assert list(broken_by_party(party(host))) == []


def test_a_third_party_that_loads_on_every_page_is_asked_unasked() -> None:
    assert loading("'self' https://pay.example.com") == {"SN242"}
    assert loading("'self' https://pay.example.com", "/checkout") == set()
    assert loading("'self' https://media.example.org") == set()
    for directive in ("connect-src", "frame-src", "script-src", "style-src", "default-src"):
        assert loading("pay.example.com", directive=directive) == {"SN242"}, directive
    for directive in ("form-action", "frame-ancestors", "base-uri", "report-to"):
        assert loading("pay.example.com", directive=directive) == set(), directive


def test_third_parties_and_headers_are_told_at_their_keys(tmp_path: Path) -> None:
    text = (Path(__file__).parent / "example.toml").read_text(encoding="utf-8")
    header = "[[headers]]\nname = 'content-security-policy'\ndirective = 'img-src'\nreason = 'r'\n"
    text = f"{text}\n{header}value = 'https://pay.example.com'\n"
    file = tmp_path / "policy.toml"
    file.write_text(text, encoding="utf-8")
    (finding,) = check(file)
    assert (finding.code, finding.line) == ("SN242", text[: text.index("value =")].count("\n") + 1)
    assert finding.message.startswith("content-security-policy img-src: a third party that every page")
    file.write_text(text.replace("pay.example.com", "api.mixpanel.com"), encoding="utf-8")
    assert [(each.code, each.severity) for each in check(file)] == [
        ("SN243", Severity.WARNING),
        ("SN241", Severity.ERROR),
        ("SN242", Severity.WARNING),
    ]
    assert check(file)[0].message == "api.mixpanel.com: this third party is a known tracker or advertiser"


ANALYTICS = replace(of(Category.ANALYTICS), id="visits", name="visits")
ANSWER = replace(
    life(CHOICE, "6 months"), id="choice", name="__Host-answer", http_only=False, readable_by_application=False
)


def among(item: Item, *others: Item, jurisdictions: tuple[Jurisdiction, ...] = (EU, UK, FR)) -> set[str]:
    """What is wrong with the item beside the others."""
    return {breach.rule.code for breach in broken_by(item, jurisdictions, (item, *others))}


def test_what_needs_consent_waits_for_it_where_the_answer_is_remembered() -> None:
    assert among(ANALYTICS) == {"SN201"}
    assert among(ANALYTICS, ANSWER) == set()
    assert among(ANSWER, ANALYTICS) == set()
    assert among(ANALYTICS, replace(ANSWER, kind=Kind.LOCAL)) == {"SN201"}
    assert among(COOKIE, ANSWER, ANALYTICS) == set()


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (replace(ANSWER, set_by=SetBy.SCRIPT), "SN511"),
        (replace(ANSWER, set_by=SetBy.INFRASTRUCTURE), "SN511"),
        (replace(ANSWER, http_only=True), "SN512"),
        (replace(ANSWER, secure=False), "SN513"),
        (replace(ANSWER, same_site=SameSite.NONE), "SN514"),
        (replace(ANSWER, path="/shop"), "SN515"),
        (replace(ANSWER, domain="example.org"), "SN516"),
        (life(ANSWER, "session"), "SN517"),
        (replace(ANSWER, purposes=(*ANSWER.purposes, Purpose(Category.MULTIMEDIA_PLAYER, "p"))), "SN518"),
        (replace(ANSWER, name="__Host-answer*"), "SN519"),
        (replace(ANSWER, values=("1",)), "SN520"),
        (replace(ANSWER, name="answer"), "SN524"),
        (replace(ANSWER, name="__Secure-answer"), "SN524"),
    ],
)
def test_the_guards_say_what_the_cookie_with_the_answer_is_like(item: Item, code: str) -> None:
    assert code in among(item, ANALYTICS)
    assert not any(each.startswith("SN51") or each in {"SN520", "SN524"} for each in among(item, COOKIE))
    assert among(ANALYTICS, item) == set()  # what is wrong is told there, and only there


def test_there_is_one_answer_and_only_where_something_is_asked() -> None:
    assert among(replace(ANSWER, same_site=SameSite.STRICT), ANALYTICS) == set()
    second = replace(ANSWER, id="second", name="__Host-y")
    assert {breach.rule.code for breach in broken_by(second, (EU,), (ANSWER, second, ANALYTICS))} == {"SN521"}
    assert {breach.rule.code for breach in broken_by(ANSWER, (EU,), (ANSWER, second, ANALYTICS))} == set()
    assert among(ANSWER, COOKIE) == {"SN522"}
    assert among(ANSWER) == {"SN522"}
    assert {breach.rule.code for breach in broken_by(ANSWER)} == set()
    assert among(ANSWER, MEASURING, jurisdictions=(UK,)) == {"SN522"}
    assert among(ANSWER, MEASURING, jurisdictions=(EU, UK)) == set()


def test_what_the_infrastructure_sets_cannot_wait() -> None:
    edge = replace(ANALYTICS, set_by=SetBy.INFRASTRUCTURE, readable_by_application=False)
    assert among(edge, ANSWER) == {"SN523"}
    assert among(BALANCER, ANSWER, ANALYTICS) == set()


def test_the_conditions_of_an_exemption_are_not_asked_of_what_goes_by_consent() -> None:
    bare = replace(MEASURING, information=None, objection=None, recipients=("Counting Ltd",), same_site=SameSite.NONE)
    assert {"SN221", "SN222", "SN224", "SN227"} <= among(bare, ANSWER, jurisdictions=(UK, FR))
    assert among(bare, ANSWER, jurisdictions=(EU, UK, FR)) == set()
    told = replace(ANALYTICS, recipients=("Counting Ltd",))
    assert among(told, ANSWER) == set()
    assert "SN213" in among(replace(INPUT, recipients=("Counting Ltd",)), ANSWER, ANALYTICS)
