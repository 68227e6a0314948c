"""The commands `mixip-transfer policy …`: what is shown, what is sent, and what a platform that means ill cannot do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mixip_transfer import answers
from mixip_transfer.errors import BadAnswerError

STEERING = "\x1b]0;evil\x07\x1b[2J\u202e\x9b2J"
SESSION = {"email": "ada@example.org", "name": "desk", "expires_at": None}
QUESTION = "May we keep this in your browser?\nMix-IP works without it, so we ask.\n\nVisits\nPurpose: Counts visits."


def item(**more: Any) -> dict[str, Any]:
    return {
        "id": "visits",
        "title": "Visits",
        "purposes": ["Counts visits."],
        "lifetime": "30 days",
        "provider": "Mix-IP",
        "recipients": ["Counter Ltd"],
        "answer": None,
        "asks": True,
    } | more


def news(**more: Any) -> dict[str, Any]:
    return {
        "version": "2",
        "starts": "2026-12-01T00:00:00Z",
        "last_updated": "2026-12-01",
        "summary": None,
        "changes": ["New: visits."],
    } | more


def state(**more: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "version": "2",
        "last_updated": "2026-12-01",
        "starts": "2026-12-01T00:00:00Z",
        "signal": False,
        "language": "en",
        "text": QUESTION,
        "items": [item()],
        "news": [],
    } | more


def without(field: str, whole: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in whole.items() if key != field}


WRONG_ITEMS: list[tuple[str, object]] = [
    ("id", ""),
    ("id", "../x"),
    ("id", "a b"),
    ("id", "x" * 81),
    ("id", 1),
    ("title", None),
    ("purposes", "Counts visits."),
    ("purposes", [1]),
    ("lifetime", 30),
    ("provider", {}),
    ("recipients", None),
    ("recipients", [None]),
    ("answer", "yes"),
    ("answer", True),
    ("answer", ""),
    ("asks", None),
    ("asks", 1),
]
WRONG_NEWS: list[tuple[str, object]] = [
    ("version", None),
    ("starts", 1),
    ("last_updated", None),
    ("summary", 5),
    ("changes", "New"),
    ("changes", [{}]),
]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "state",
        {},
        state(format=2),
        state(format="1"),
        state(version=2),
        state(last_updated=None),
        state(starts=0),
        state(language=None),
        state(text=["May we?"]),
        state(items={}),
        state(items=None),
        state(items=["visits"]),
        state(news={}),
        state(news=[None]),
        *(state(items=[item(**{key: wrong})]) for key, wrong in WRONG_ITEMS),
        *(state(items=[without(key, item())]) for key in item() if key != "answer"),
        *(state(news=[news(**{key: wrong})]) for key, wrong in WRONG_NEWS),
        *(without(key, state()) for key in state() if key not in ("signal", "text")),
    ],
)
def test_a_state_that_is_none_is_refused(answer: Any) -> None:
    with pytest.raises(BadAnswerError) as caught:
        answers.policy_state(answer)
    assert len(caught.value.message) < 200


def test_a_state_is_read_whole_and_what_is_unknown_in_it_is_ignored() -> None:
    read = answers.policy_state(state(more={}, items=[item(more=1), item(id="chat", answer="granted", asks=False)]))
    assert (read.version, read.question, read.asks) == ("2", QUESTION, True)
    assert [(one.id, one.answer, one.asks) for one in read.items] == [
        ("visits", None, True),
        ("chat", "granted", False),
    ]
    assert not answers.policy_state(state(items=[item(asks=False)])).asks


@pytest.mark.keyring
def test_the_policy_is_shown_with_its_question_and_both_answers(person: Any, double: Any) -> None:
    double.policy = state(news=[news()])
    done = person.run("policy")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        f"Cookie policy of {double.address}: version 2, last updated 2026-12-01.\n"
        f"{double.address}/legal/cookies\n"
        "\n"
        f"The cookie policy of {double.address} has changed.\n"
        "Version 2, of 2026-12-01.\n"
        "  - New: visits.\n"
        f"All changes: {double.address}/legal/changes\n"
        "\n"
        "This needs your consent:\n"
        "  visits: Visits\n"
        "    Your answer: not answered, so it does not happen\n"
        "\n"
        f"{QUESTION}\n"
        "\n"
        "Answer with one of these, now or later:\n"
        "  mixip-transfer policy allow visits\n"
        "  mixip-transfer policy refuse visits\n"
    )
    assert double.policy_forms == [], "what a pipe takes has been told to nobody"
    shown = person.on_a_terminal("policy")
    assert shown.err == done.out
    assert double.policy_forms == [{"act": ["acknowledge"], "version": ["2"]}]


@pytest.mark.keyring
@pytest.mark.parametrize(
    ("answer", "word", "change"), [("granted", "allowed", "withdraw"), ("refused", "refused", "allow")]
)
def test_an_answer_is_shown_with_the_way_to_change_it(
    person: Any, double: Any, answer: str, word: str, change: str
) -> None:
    double.policy = state(text=None, items=[item(answer=answer, asks=False)])
    out = person.run("policy").out
    assert (
        f"    Lifetime: 30 days\n    Provider: Mix-IP\n    Who else gets it: Counter Ltd\n    Your answer: {word}\n"
        in out
    )
    assert out.endswith(f"Change your answer with:\n  mixip-transfer policy {change} visits\n")
    assert "now or later" not in out


@pytest.mark.keyring
def test_the_policy_as_json(person: Any, double: Any) -> None:
    double.policy = state(news=[news()])
    done = person.run("policy", "--json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == {
        "platform": double.address,
        "page": f"{double.address}/legal/cookies",
        "changes": f"{double.address}/legal/changes",
        "question": QUESTION,
        **{key: value for key, value in state(news=[news()]).items() if key not in ("format", "text", "signal")},
    }
    person.on_a_terminal("policy", "--json")
    assert double.policy_forms == []


@pytest.mark.keyring
@pytest.mark.parametrize("policy", [None, state(items=[], text=None)])
def test_where_nothing_needs_consent_there_is_nothing_to_answer(person: Any, double: Any, policy: Any) -> None:
    double.policy = policy
    done = person.run("policy")
    assert done.code == 0
    assert ("asks for no consent" if policy is None else "Nothing in it needs your consent.") in done.out
    assert f"{double.address}/legal/cookies" in done.out
    assert json.loads(person.run("policy", "--json").out)["items"] == []
    for word in ("allow", "refuse", "withdraw"):
        done = person.run("policy", word, "visits")
        assert (done.code, done.out) == (2, "")
        assert "This platform asks for no consent" in done.err
    assert double.policy_forms == []


@pytest.mark.keyring
@pytest.mark.parametrize(
    ("word", "act", "answer"),
    [("allow", "grant", "granted"), ("refuse", "refuse", "refused"), ("withdraw", "refuse", "refused")],
)
def test_the_question_is_shown_and_then_the_answer_is_sent(
    person: Any, double: Any, word: str, act: str, answer: str
) -> None:
    double.policy = state(language="de", items=[item(), item(id="chat")])
    after = state(items=[item(answer=answer, asks=False), item(id="chat")])
    double.fault("status", "POST", "cookie-consent", status=200, body=after)
    done = person.run("policy", word, "visits", "visits", "--language", "de")
    assert done.code == 0
    assert done.err == f"{QUESTION}\n\n"
    assert done.out == f"visits: {'allowed' if word == 'allow' else 'refused'}\n"
    assert double.policy_forms == [{"act": [act], "version": ["2"], "shown": ["visits"], "language": ["de"]}]
    assert double.asked("GET", "cookie-consent") == [
        "/.well-known/cookie-consent?language=de",
        "/.well-known/cookie-consent?language=de&shown=visits",
    ]


@pytest.mark.keyring
def test_options_may_stand_before_the_word(person: Any, double: Any) -> None:
    double.policy = state()
    after = state(items=[item(answer="granted", asks=False)])
    double.fault("status", "POST", "cookie-consent", status=200, body=after)
    done = person.run("policy", "--platform", double.address, "--language", "fr", "--json", "allow", "visits")
    assert done.code == 0
    assert json.loads(done.out)["items"][0]["answer"] == "granted"
    assert done.err == f"{QUESTION}\n\n", "also a script shows what it answers"
    assert double.asked("GET", "cookie-consent") == [
        "/.well-known/cookie-consent?language=fr",
        "/.well-known/cookie-consent?language=fr&shown=visits",
    ]
    assert person.run("policy", "--platform", "https://other.example", "allow", "visits").code == 4


@pytest.mark.keyring
def test_an_answer_that_holds_already_is_not_recorded_again(person: Any, double: Any) -> None:
    double.policy = state(text=None, items=[item(answer="granted", asks=False)])
    done = person.run("policy", "allow", "visits")
    assert (done.code, done.out, done.err) == (0, "visits: allowed\n", "")
    assert double.policy_forms == []


@pytest.mark.keyring
def test_what_is_not_asked_at_the_moment_is_shown_as_it_is(person: Any, double: Any) -> None:
    double.policy = state(text=None, items=[item(answer="refused", asks=False)])
    after = state(items=[item(answer="granted", asks=False)])
    double.fault("status", "POST", "cookie-consent", status=200, body=after)
    done = person.run("policy", "allow", "visits")
    assert done.code == 0
    assert done.err == (
        "  visits: Visits\n"
        "    Purpose: Counts visits.\n"
        "    Lifetime: 30 days\n"
        "    Provider: Mix-IP\n"
        "    Who else gets it: Counter Ltd\n"
        "\n"
    )


@pytest.mark.keyring
def test_an_item_that_is_unknown_is_2_and_nothing_is_recorded(person: Any, double: Any) -> None:
    double.policy = state(items=[item(), item(id="chat")])
    done = person.run("policy", "allow", "chat", "visit")
    assert (done.code, done.out) == (2, "")
    assert "Nothing that needs consent is called 'visit'." in done.err
    assert "Did you mean visits? There is: visits, chat" in done.err
    assert double.policy_forms == []
    assert person.run("policy", "allow").code == 2


@pytest.mark.keyring
def test_a_policy_that_changed_meanwhile_is_shown_and_nothing_is_recorded(person: Any, double: Any) -> None:
    double.policy = state(version="3", text="Another question.", items=[item(lifetime="5 years")])
    double.fault("status", "GET", "cookie-consent", status=200, body=state(), times=2)
    double.fault("status", "POST", "cookie-consent", status=409, body={"title": "Another version", "code": "version"})
    done = person.run("policy", "allow", "visits")
    assert (done.code, done.out) == (1, "")
    first, _, second = done.err.partition(f"{QUESTION}\n\n")
    assert first == ""
    assert second.startswith("Another question.\n\nThe cookie policy has changed meanwhile, so nothing was recorded.\n")
    assert "Run the same command again" in second
    assert len(double.policy_forms) == 1


@pytest.mark.keyring
def test_a_platform_that_takes_no_answer_from_the_app_says_where_to_give_it(person: Any, double: Any) -> None:
    double.policy = state()
    double.fault("status", "POST", "cookie-consent", status=403, body={"title": "From another site"})
    done = person.run("policy", "allow", "visits")
    assert (done.code, done.out) == (1, "")
    assert "The platform takes no answer from this app, so nothing was recorded. From another site." in done.err
    assert f"Answer in your browser: {double.address}/legal/consent" in done.err


@pytest.mark.keyring
def test_an_answer_is_never_sent_twice(person: Any, double: Any) -> None:
    double.policy = state()
    double.fault("drop", "POST", "cookie-consent", times=5)
    assert person.run("policy", "allow", "visits").code == 1
    assert len(double.asked("POST", "cookie-consent")) == 1


@pytest.mark.keyring
def test_a_platform_that_records_something_else_is_not_believed(person: Any, double: Any) -> None:
    double.policy = state()
    done = person.run("policy", "allow", "visits")
    assert (done.code, done.out) == (1, "")
    assert "did not record the answer" in done.err


@pytest.mark.keyring
def test_a_session_that_has_ended_answers_for_nobody(person: Any, double: Any) -> None:
    double.policy = state()
    double.tokens = {"another-session-token"}
    for arguments in (("policy",), ("policy", "allow", "visits"), ("policy", "refuse", "visits")):
        done = person.run(*arguments)
        assert (done.code, done.out) == (4, "")
        assert f"mixip-transfer sign-in {double.address}" in done.err
    assert double.asked("GET", "cookie-consent") == []
    assert double.policy_forms == []


@pytest.mark.keyring
def test_nothing_that_the_platform_says_of_its_policy_steers_the_terminal(person: Any, double: Any) -> None:
    evil = item(title=STEERING, purposes=[STEERING], lifetime=STEERING, provider=STEERING, recipients=[STEERING])
    evil_news = news(version=STEERING, last_updated=STEERING, summary=STEERING, changes=[STEERING])
    double.policy = state(
        version=STEERING, last_updated=STEERING, text=f"Text{STEERING}\r\nMore", items=[evil], news=[evil_news]
    )
    after = state(items=[item(answer="granted", asks=False)])
    double.fault("status", "POST", "cookie-consent", status=200, body=after)
    for arguments in (("policy",), ("policy", "--json"), ("policy", "allow", "visits"), ("policy", "allow", STEERING)):
        done = person.run(*arguments)
        assert not set("\x1b\x07\x9b\u202e\r") & set(done.out + done.err), arguments
    double.fault("raw", "GET", "cookie-consent", status=200, raw=b" " * 1024 * 1024, repeat=1000)
    endless = person.run("policy")
    assert endless.code == 1
    assert "not asked for" in endless.err


@pytest.mark.keyring
def test_the_policy_leaves_nothing_on_this_computer(person: Any, double: Any) -> None:
    double.policy = state(news=[news()])
    after = state(items=[item(answer="granted", asks=False)])
    before = person.tree()
    assert person.on_a_terminal("policy").code == 0
    headers = {"Set-Cookie": "consent=2:visits:; Max-Age=1000; Path=/"}
    double.fault("status", "GET", "/api/session", status=200, body=SESSION, headers=headers)
    double.fault("status", "POST", "/.well-known/cookie-consent", status=200, body=after, headers=headers)
    assert person.on_a_terminal("policy", "allow", "visits").code == 0
    assert person.on_a_terminal("status").code == 0
    assert person.tree() == before, "no file, and the keyring as it was"
    assert [headers for _, _, headers in double.requests if "Cookie" in headers] == [], "nor a cookie in memory"
