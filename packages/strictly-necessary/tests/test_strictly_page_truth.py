"""The page claims nothing that its declaration does not bear out."""

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from strictly_necessary import Category, Declaration, Lifetime, Override, Purpose, ThirdParty, load
from strictly_necessary.declaration._items import EXEMPT
from strictly_necessary.page import render_html, render_items_html, render_json, render_third_parties_html

EXAMPLE = load(Path(__file__).parent / "example.toml")
COUNTING = load(Path(__file__).parent / "languages.toml")
COUNTING = replace(COUNTING, overrides=())

ANALYTICS = ThirdParty(
    "Google Analytics",
    "www.google-analytics.com",
    "Statistics",
    "You open a page.",
    "An identifier.",
    "https://g.example",
)
VIDEO = ThirdParty(
    "YouTube", "www.youtube.com", "Films", "You press Play.", "Cookies of its own.", "https://youtube.example"
)

NOBODY_EMBEDDED = (
    "We embed no trackers of others",
    "no Google Analytics, no Meta Pixel",
    "no Google Analytics, Mixpanel",
    "on our public pages or anywhere else",
    "No such company is embedded",
    "We use neither cookies nor anything like them for",
    "there is nothing to consent to",
    "share it with marketing networks",
    "for the statistics of other companies",
    "data brokers",
)


def csp(directive: str, value: str, *paths: str) -> Override:
    return Override("content-security-policy", value, "A reason.", directive, paths)


def with_headers(*overrides: Override, parties: tuple[ThirdParty, ...] = ()) -> Declaration:
    return replace(EXAMPLE, overrides=overrides, third_parties=(*EXAMPLE.third_parties, *parties))


def changed(declaration: Declaration, item_id: str, **values: object) -> Declaration:
    items = tuple(
        replace(item, **values) if item.id == item_id else item  # type: ignore[arg-type]
        for item in declaration.items
    )
    return replace(declaration, items=items)


def only(*item_ids: str) -> Declaration:
    return replace(EXAMPLE, items=tuple(item for item in EXAMPLE.items if item.id in item_ids))


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def page_of(declaration: Declaration) -> str:
    return text_of(render_html(declaration))


def claims(declaration: Declaration) -> set[str]:
    page = page_of(declaration)
    return {claim for claim in NOBODY_EMBEDDED if claim in page}


def test_with_the_strictest_settings_all_of_it_is_claimed() -> None:
    assert claims(EXAMPLE) == set(NOBODY_EMBEDDED)
    assert "Our pages may" not in page_of(EXAMPLE)


@pytest.mark.parametrize(
    "directive",
    [
        *("default-src", "script-src", "script-src-elem", "connect-src", "img-src", "frame-src", "media-src"),
        *("style-src", "font-src", "worker-src", "child-src", "object-src", "manifest-src", "report-uri"),
    ],
)
def test_others_that_pages_reach_are_told_and_not_denied(directive: str) -> None:
    declaration = with_headers(
        csp(directive, "'self' https://www.google-analytics.com", "/shop/*"), parties=(ANALYTICS,)
    )
    page = page_of(declaration)
    assert claims(declaration) == set()
    assert "load from other companies or send to them: Google Analytics (Statistics). More" in page
    assert "Our pages may also reach others, as the next sections tell." in page
    assert "What we keep in your browser ourselves does not serve: advertising" in page
    assert "What we keep ourselves needs no consent: strictly necessary cookies are exempt under article 5(3)" in page
    assert "We use no advertising cookies." in page
    assert "recognising your device by its fingerprint. Should" in page
    card = render_third_parties_html(declaration).partition('id="third-party-2"')[2]
    assert "<dt>Pages that may reach it</dt><dd><code>/shop/*</code></dd>" in card
    assert "before you use the feature: their entries say on which pages." in page
    assert "The others can set cookies of their own, on their own domains, only after you use the feature." in page


@pytest.mark.parametrize("value", ["https://www.youtube.com/embed/", "*.youtube.com", "WWW.YOUTUBE.COM:443"])
def test_a_host_is_recognised_however_it_is_written(value: str) -> None:
    declaration = with_headers(
        csp("frame-src", value), csp("script-src", "'self' www.youtube.com", "/films"), parties=(VIDEO,)
    )
    assert claims(declaration) == set()
    assert "send to them: YouTube (Films)." in page_of(declaration)
    assert "Our pages may also load from sites that are not listed" not in page_of(declaration)
    card = render_third_parties_html(declaration).partition('id="third-party-2"')[2]
    assert "<dt>Pages that may reach it</dt><dd>All pages</dd>" in card


def test_when_all_are_reached_there_are_no_others() -> None:
    declaration = replace(with_headers(csp("frame-src", "www.youtube.com")), third_parties=(VIDEO,))
    assert "only after you use" not in page_of(declaration)


@pytest.mark.parametrize(
    "override",
    [
        csp("form-action", "'self' https://www.youtube.com"),
        csp("frame-ancestors", "https://www.youtube.com"),
        csp("img-src", "'self' data: blob:"),
        csp("img-src", "'self' https://media.quay.example https://*.quay.example http://localhost:8000"),
        csp("connect-src", ""),
        csp("style-src", "'self' 'unsafe-inline'"),
        csp("report-uri", "/told"),
        Override("permissions-policy", "(self)", "Calls.", "camera"),
        Override("x-frame-options", "", "Partners frame the player."),
    ],
)
def test_what_reaches_nobody_else_leaves_the_claims(override: Override) -> None:
    policy = replace(EXAMPLE.policy, hosts=("quay.example", "media.quay.example"))
    declaration = replace(with_headers(override, parties=(VIDEO,)), policy=policy)
    assert claims(declaration) == set(NOBODY_EMBEDDED)
    assert "Scripts of others" not in page_of(declaration)


@pytest.mark.parametrize("value", ["https:", "*", "'self' wss:", "https://*", "https://*:443", "unlisted.example"])
def test_hosts_that_nobody_listed_are_told(value: str) -> None:
    declaration = with_headers(csp("img-src", value))
    assert claims(declaration) == set()
    assert "Our pages may also load from sites that are not listed here or send to them; the exceptions" in page_of(
        declaration
    )
    assert "only after you use" not in page_of(declaration)
    assert "Scripts of others" not in page_of(declaration)


def test_whom_browsers_report_to_is_told() -> None:
    told = Override("reporting-endpoints", 'main="https://www.youtube.com/reports"', "They help us.")
    assert "YouTube (Films)" in page_of(with_headers(told, parties=(VIDEO,)))
    assert claims(with_headers(told, parties=(VIDEO,))) == set()
    assert claims(with_headers(Override("reporting-endpoints", 'main="/reports"', "Ours."))) == set(NOBODY_EMBEDDED)


@pytest.mark.parametrize(
    "override",
    [
        Override("observe-browsing-topics", "?1", "Advertising pays for it."),
        Override("permissions-policy", "(self)", "Advertising pays for it.", "browsing-topics"),
    ],
)
def test_features_for_advertising_are_told(override: Override) -> None:
    page = page_of(with_headers(override))
    assert "Our pages use features of browsers that serve advertising" in page
    assert "We use no advertising cookies" not in page
    assert "advertising, showing you" not in page
    assert claims(with_headers(override)) == {"No such company is embedded"}
    assert claims(with_headers(replace(override, value="?0" if override.directive is None else "()"))) == set(
        NOBODY_EMBEDDED
    )


def test_scripts_of_others_read_what_ours_read() -> None:
    declaration = with_headers(csp("script-src", "'self' https://www.google-analytics.com"), parties=(ANALYTICS,))
    readers = {item["id"]: item["readers"] for item in json.loads(render_json(declaration))["items"]}
    told = "Scripts of others that run in our pages could read it too."
    assert {item for item, text in readers.items() if told in text} == {"csrf", "size", "draft", "theme"}
    declaration = with_headers(csp("script-src", "'self' 'strict-dynamic'"))
    assert told in render_items_html(declaration)
    assert told not in render_items_html(with_headers(csp("img-src", "www.google-analytics.com"), parties=(ANALYTICS,)))


def test_what_others_get_is_not_denied() -> None:
    page = page_of(changed(EXAMPLE, "csrf", recipients=("Guards & Co",)))
    assert "nor share" not in page
    assert "data brokers" not in page
    assert "statistics" not in page
    assert "We do not sell what cookies tell." in page
    assert "Some of it reaches others; each entry below says whom." in page
    assert "We embed no trackers of others" in page
    assert "We neither sell what cookies tell nor share it" in page_of(EXAMPLE)
    assert "Some of it reaches others" not in page_of(EXAMPLE)


def test_visits_are_counted_for_us_alone_only_if_they_are() -> None:
    assert "Visits are counted, for Quay alone, and you can say no to it." in page_of(COUNTING)
    assert "ones that count visits for us alone." in page_of(COUNTING)
    for values in ({"recipients": ("Tally GmbH",)}, {"provider": "Tally GmbH, on behalf of Quay Ltd"}):
        page = page_of(changed(COUNTING, "visits", **values))
        assert "alone" not in page
        assert "Visits are counted, and you can say no to it." in page
        assert "cookies, and ones that count visits." in page
        assert "statistics by other companies" not in page


def test_with_visits_counted_not_everything_is_called_necessary() -> None:
    page = page_of(COUNTING)
    assert "only what is strictly necessary" not in page
    assert "keeps only what is necessary" not in page
    assert "ever want a cookie that needs your consent" in page
    visits = replace(COUNTING, items=tuple(item for item in COUNTING.items if item.id == "visits"))
    assert "Quay keeps in your browser only what counts visits." in page_of(visits)
    assert "keeps only what is necessary" in page_of(EXAMPLE)


@pytest.mark.parametrize(
    ("declaration", "aims"),
    [
        (EXAMPLE, "keep the service running, keep you signed in, protect you, keep what you entered and remember how"),
        (only("theme"), "remember how you like it to look."),
        (only("session", "csrf"), "keep you signed in and protect you."),
        (changed(only("draft"), "draft", purposes=(Purpose(Category.MULTIMEDIA_PLAYER, "Plays."),)), "play media."),
        (
            changed(only("draft"), "draft", purposes=(Purpose(Category.CONSENT_CHOICE, "Your answer."),)),
            "remember your answer.",
        ),
    ],
)
def test_what_it_is_kept_for_is_what_is_declared(declaration: Declaration, aims: str) -> None:
    assert f"Example keeps in your browser only what is strictly necessary to {aims}" in page_of(declaration)


@pytest.mark.parametrize("category", [each for each in EXEMPT if each is not Category.AUDIENCE_MEASUREMENT])
def test_whatever_needs_no_consent_has_an_aim(category: Category) -> None:
    page = page_of(changed(only("draft"), "draft", purposes=(Purpose(category, "Something."),)))
    assert re.search("In short Example keeps in your browser only what is strictly necessary to [a-z ]+[.]", page)


def test_where_an_answer_is_kept_a_question_was_asked() -> None:
    page = page_of(changed(EXAMPLE, "draft", purposes=(Purpose(Category.CONSENT_CHOICE, "Your answer."),)))
    assert "You see no consent banner" not in page
    assert "What we keep ourselves needs no consent" in page


def test_where_nothing_is_kept_no_cookies_are_spoken_of() -> None:
    nothing = only()
    page = page_of(nothing)
    assert "In short Example keeps nothing in your browser." in page
    assert "We use no cookies. We embed no trackers" in page
    assert "strictly necessary cookies" not in page
    assert "on the list below" not in page
    assert "You see no consent banner, because there is nothing to consent to. " in page
    reached = replace(with_headers(csp("frame-src", "www.youtube.com"), parties=(VIDEO,)), items=())
    assert "You see no consent banner" not in page_of(reached)
    assert "We keep nothing in your browser ourselves, so for that we need no consent." in page_of(reached)


def test_what_the_browser_keeps_is_not_said_to_stay_there() -> None:
    """A draft is uploaded, a count is sent: only the browser does not do it."""
    page = page_of(COUNTING)
    assert "never sent" not in page
    assert "Scripts of Quay in your browser. The browser does not send it by itself." in page


def test_what_stays_longer_by_choice_is_told() -> None:
    told = "Some stay longer than the browser session because you asked for it; their entries say how."
    assert told in page_of(EXAMPLE)
    assert told not in page_of(only("session", "csrf"))
    assert told not in page_of(changed(only("draft"), "draft", requires_action=True))
    longer = changed(only("session"), "session", lifetime=Lifetime.parse("30 days"), requires_action=True)
    assert told in page_of(longer)


def test_what_needs_consent_waits_and_says_so() -> None:
    declaration = changed(EXAMPLE, "size", purposes=(Purpose(Category.ANALYTICS, "Counts."),))
    page = page_of(declaration)
    assert "What is not strictly necessary, we neither store nor read before you agree." in page
    assert "ever want a cookie" not in page
    assert "We use neither cookies" not in page


def test_how_to_remove_it_on_the_site_comes_first() -> None:
    page = text_of(render_items_html(changed(EXAMPLE, "theme", removal="Choose System.")))
    told = "Choose System. Or delete it in your browser’s settings."
    assert f"How to remove it {told}" in page
    documents = json.loads(render_json(changed(EXAMPLE, "theme", removal="Choose System.")))
    assert documents["items"][-1]["removal"] == told
    assert "Or delete it" not in text_of(render_items_html(changed(only("theme"), "theme", removal=None)))


def test_signing_out_removes_only_what_signing_in_set() -> None:
    removal = {item["id"]: item["removal"] for item in json.loads(render_json(EXAMPLE))["items"]}
    assert [item for item, text in removal.items() if "Sign out" in text] == ["session"]


def test_only_a_control_has_something_beside_it() -> None:
    cards = render_items_html(COUNTING)
    visits = cards.partition('id="item-visits"')[2].partition("</section>")[0]
    assert "<dt>What you are told</dt><dd>We count visits. Do not count me.</dd>" in visits
    theme = cards.partition('id="item-theme"')[2].partition("</section>")[0]
    assert "<dt>What stands beside the control</dt><dd>Kept until you clear it.</dd>" in theme
    assert cards.count("What stands beside the control") == 2


def test_no_document_is_spoken_of_that_is_not_there() -> None:
    policy = replace(EXAMPLE.policy, privacy_policy=None, terms=None)
    page = page_of(replace(EXAMPLE, policy=policy))
    assert "Privacy Policy" not in page
    assert "read together" not in page
    assert "They are also listed in our Privacy Policy ." in page_of(EXAMPLE)
    assert "also listed" not in page_of(replace(EXAMPLE, third_parties=()))


def test_the_section_of_others_is_right_with_and_without_them() -> None:
    without = text_of(render_third_parties_html(replace(EXAMPLE, third_parties=())))
    assert "that company is listed here. It can set cookies of its own, on its own domain, only after" in without
    assert "At present there are none." in without
    assert "At present there are none." not in text_of(render_third_parties_html(EXAMPLE))


def test_no_server_is_said_to_keep_a_promise() -> None:
    """The page may be made by the command, for a server that knows nothing of it."""
    for declaration in (EXAMPLE, replace(COUNTING, overrides=(csp("img-src", "'self'"),))):
        assert "Our server is built" not in page_of(declaration)
        assert "our server tells" not in page_of(declaration)
        assert "from each request" not in page_of(declaration)
    assert "We neither set nor read anything that is not on the list below." in page_of(EXAMPLE)


def test_each_item_begins_with_what_it_is_for() -> None:
    cards = re.findall(r'<dl>\n<div class="item-lead"><dt>(Purposes?)</dt>', render_items_html(COUNTING))
    assert len(cards) == len(COUNTING.items)
