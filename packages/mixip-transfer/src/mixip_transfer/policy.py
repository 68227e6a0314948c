"""The cookie policy in plain words: what is new in it, what needs consent, and what the account has answered.

Source: the cookie policy, section 8. The platform writes these texts, so each line is made fit for a terminal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from mixip_transfer.answers import PolicyItem, PolicyNews, PolicyState
from mixip_transfer.names import printable

# What an announcement shows of a platform that has too much to say. The page has all of it.
_MOST_VERSIONS = 10
_MOST_SENTENCES = 10
_LONGEST_SENTENCE = 500

_ANSWERS = {"granted": "allowed", "refused": "refused", None: "not answered, so it does not happen"}


def policy_page(address: str) -> str:
    return f"{address}/legal/cookies"


def changes_page(address: str) -> str:
    return f"{address}/legal/changes"


def answers_page(address: str) -> str:
    """Where the same answers are given in a browser."""
    return f"{address}/legal/consent"


def news_lines(state: PolicyState, address: str) -> Iterator[str]:
    """The announcement of what is new. No line if nothing is."""
    if not state.news:
        return
    yield f"The cookie policy of {address} has changed."
    earlier = len(state.news) - _MOST_VERSIONS
    if earlier > 0:
        yield f"Earlier versions are on the page below: {earlier}."
    for version in state.news[-_MOST_VERSIONS:]:
        yield from _version_lines(version)
    yield f"All changes: {changes_page(address)}"


def consent_lines(state: PolicyState) -> Iterator[str]:
    """That an answer is open, and where to give it. No line if none is."""
    if state.asks:
        yield "The platform asks for your consent to something. Until you allow it, it does not happen."
        yield "The question and both answers: mixip-transfer policy"


def policy_lines(state: PolicyState, address: str) -> Iterator[str]:
    """Everything: version and date, what is new, what needs consent, the answers, and how to give them."""
    yield f"Cookie policy of {address}: version {_line(state.version)}, last updated {_line(state.last_updated)}."
    yield policy_page(address)
    if state.news:
        yield ""
        yield from news_lines(state, address)
    yield ""
    if not state.items:
        yield "Nothing in it needs your consent."
        return
    yield "This needs your consent:"
    for item in state.items:
        yield f"  {printable(item.id)}: {_line(item.title)}"
        if state.question is None or not item.asks:
            yield from _facts(item)
        yield f"    Your answer: {_ANSWERS[item.answer]}"
    open_ids = [printable(item.id) for item in state.items if item.asks]
    if open_ids:
        yield ""
        yield from question_lines(state)
        yield ""
        yield "Answer with one of these, now or later:"
        yield f"  mixip-transfer policy allow {' '.join(open_ids)}"
        yield f"  mixip-transfer policy refuse {' '.join(open_ids)}"
    answered = [item for item in state.items if not item.asks and item.answer is not None]
    if answered:
        yield ""
        yield "Change your answer with:"
        for item in answered:
            verb = "withdraw" if item.answer == "granted" else "allow"
            yield f"  mixip-transfer policy {verb} {printable(item.id)}"


def question_lines(state: PolicyState) -> Iterator[str]:
    """The whole text of the question, as the platform asks it."""
    for line in (state.question or "").split("\n"):
        yield printable(line)


def item_lines(item: PolicyItem) -> Iterator[str]:
    """What would be kept, what for, how long, by whom, and who else gets it."""
    yield f"  {printable(item.id)}: {_line(item.title)}"
    yield from _facts(item)


def policy_json(state: PolicyState | None, address: str) -> dict[str, Any]:
    """The policy for scripts; without a state, that of a platform that asks for no consent."""
    facts = asdict(state) if state is not None else {"version": None, "items": [], "news": []}
    return {"platform": address, "page": policy_page(address), "changes": changes_page(address), **facts}


def _facts(item: PolicyItem) -> Iterator[str]:
    for purpose in item.purposes:
        yield f"    Purpose: {_line(purpose)}"
    yield f"    Lifetime: {_line(item.lifetime)}"
    yield f"    Provider: {_line(item.provider)}"
    yield f"    Who else gets it: {', '.join(_line(one) for one in item.recipients) or 'nobody'}"


def _version_lines(news: PolicyNews) -> Iterator[str]:
    summary = f" {_line(news.summary)}" if news.summary else ""
    yield f"Version {_line(news.version)}, of {_line(news.last_updated)}.{summary}"
    for sentence in news.changes[:_MOST_SENTENCES]:
        yield f"  - {_line(sentence)}"
    more = len(news.changes) - _MOST_SENTENCES
    if more > 0:
        yield f"  and {more} more"


def _line(text: str) -> str:
    short = text if len(text) <= _LONGEST_SENTENCE else f"{text[: _LONGEST_SENTENCE - 1]}…"
    return printable(" ".join(short.split()))
