"""The commands `mixip-transfer policy …`: read the cookie policy, and answer for the account what needs consent."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click

from mixip_transfer import output
from mixip_transfer.announcement import acknowledge
from mixip_transfer.answers import PolicyItem, PolicyState
from mixip_transfer.errors import BadAnswerError, RefusedError, TransferError, UsageError
from mixip_transfer.names import printable
from mixip_transfer.options import platform_option, signed_in, verbose_option
from mixip_transfer.platform import Platform
from mixip_transfer.policy import answers_page, item_lines, policy_json, policy_lines, policy_page, question_lines

F = TypeVar("F", bound=Callable[..., Any])

_SAID = {True: "granted", False: "refused"}
_FORBIDDEN, _NOT_FOUND, _CONFLICT = 403, 404, 409

_json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
_language_option = click.option(
    "--language", metavar="TAG", help="The language of the platform's texts, such as de; that of this computer if not."
)
_items_argument = click.argument("items", nargs=-1, required=True, metavar="ITEM...")


@click.group(invoke_without_command=True)
@_language_option
@_json_option
@platform_option
@verbose_option
@click.pass_context
def policy(context: click.Context, url: str | None, language: str | None, *, as_json: bool) -> None:
    """Show the platform's cookie policy: its version and date, what is new, and what needs your consent.

    What needs consent does not happen before you allow it. You need not answer: no answer is a no. An answer holds for
    your account, here and in every browser where you sign in.

    \b
    Examples:
      mixip-transfer policy
      mixip-transfer policy allow visits
      mixip-transfer policy refuse visits
    """
    if context.invoked_subcommand is not None:
        return
    address, token = signed_in(url)
    with Platform(address, token) as platform:
        state = _state(platform, language)
    if as_json:
        output.say_json(policy_json(state, address))
        return
    if state is None:
        click.echo(f"This platform asks for no consent. Its cookie policy: {policy_page(address)}")
        return
    _say(policy_lines(state, address))
    if state.news and sys.stdout.isatty():
        acknowledge(address, token, state)


def _answering(command: F) -> F:
    """What the three commands that answer take."""
    options = _language_option(_json_option(platform_option(verbose_option(command))))
    return click.pass_context(_items_argument(options))  # type: ignore[return-value]


@policy.command()
@_answering
def allow(
    context: click.Context, items: tuple[str, ...], url: str | None, language: str | None, *, as_json: bool
) -> None:
    """Allow what needs your consent, by the ids that `policy` shows.

    \b
    Examples:
      mixip-transfer policy allow visits
      mixip-transfer policy allow visits player --json
    """
    _answer(context, items, url, language, grant=True, as_json=as_json)


@policy.command()
@_answering
def refuse(
    context: click.Context, items: tuple[str, ...], url: str | None, language: str | None, *, as_json: bool
) -> None:
    """Refuse what needs your consent, by the ids that `policy` shows. What you had allowed is withdrawn.

    \b
    Examples:
      mixip-transfer policy refuse visits
      mixip-transfer policy refuse visits player --json
    """
    _answer(context, items, url, language, grant=False, as_json=as_json)


@policy.command()
@_answering
def withdraw(
    context: click.Context, items: tuple[str, ...], url: str | None, language: str | None, *, as_json: bool
) -> None:
    """Take back what you have allowed, at once. The same as `refuse`.

    \b
    Examples:
      mixip-transfer policy withdraw visits
      mixip-transfer policy withdraw visits player --json
    """
    _answer(context, items, url, language, grant=False, as_json=as_json)


def _answer(
    context: click.Context,
    wanted: Sequence[str],
    url: str | None,
    language: str | None,
    *,
    grant: bool,
    as_json: bool,
) -> None:
    before = context.parent.params if context.parent else {}  # options may stand before or after the word
    as_json = as_json or bool(before.get("as_json"))
    language = language or before.get("language")
    address, token = signed_in(url or before.get("url"))
    with Platform(address, token) as platform:
        state = _state(platform, language)
        if state is None or not state.items:
            raise UsageError("This platform asks for no consent, so there is nothing to answer.")
        asked = [item for item in _items(state, wanted) if item.asks or item.answer != _SAID[grant]]
        if asked:
            question = platform.policy(language=language, about=[item.id for item in asked])
            # Whatever the form of the result: nobody answers what was not shown.
            _say(_shown(question, asked), err=True)
            state = _record(platform, question, asked, language, grant=grant)
    if as_json:
        output.say_json(policy_json(state, address))
        return
    word = "allowed" if grant else "refused"
    for item_id in dict.fromkeys(wanted):
        click.echo(f"{printable(item_id)}: {word}")


def _record(
    platform: Platform, state: PolicyState, asked: Sequence[PolicyItem], language: str | None, *, grant: bool
) -> PolicyState:
    ids = [item.id for item in asked]
    try:
        after = platform.answer_policy(
            "grant" if grant else "refuse", version=state.version, items=ids, language=state.language
        )
    except RefusedError as refusal:
        if refusal.status == _CONFLICT:
            raise _changed(platform, ids, language, refusal) from refusal
        if refusal.status == _FORBIDDEN:
            raise TransferError(
                f"The platform takes no answer from this app, so nothing was recorded. {refusal.message}",
                f"Answer in your browser: {answers_page(platform.address)}",
                code=refusal.code,
            ) from refusal
        raise
    recorded = {item.id for item in after.items if item.answer == _SAID[grant] and not item.asks}
    if not recorded.issuperset(ids):
        raise BadAnswerError("The platform did not record the answer.")
    return after


def _changed(platform: Platform, ids: Sequence[str], language: str | None, refusal: RefusedError) -> TransferError:
    """The exception for a policy that changed between question and answer, after showing what is asked now."""
    state = _state(platform, language, ids)
    if state is not None:
        _say(_shown(state, [item for item in state.items if item.id in ids]), err=True)
    return TransferError(
        "The cookie policy has changed meanwhile, so nothing was recorded.",
        "Above is what is asked now. Run the same command again if your answer is the same.",
        code=refusal.code,
    )


def _state(platform: Platform, language: str | None, about: Sequence[str] = ()) -> PolicyState | None:
    """The policy for the account; None on a platform that does not have such answers."""
    platform.session()  # or the answer of a session that has ended would be that of somebody without an account
    try:
        return platform.policy(language=language, about=about)
    except RefusedError as refusal:
        if refusal.status == _NOT_FOUND:
            return None
        raise


def _items(state: PolicyState, wanted: Sequence[str]) -> list[PolicyItem]:
    """The items of these ids, each once. Raises UsageError that lists the ids there are."""
    known = {item.id: item for item in state.items}
    for item_id in wanted:
        if item_id not in known:
            near = difflib.get_close_matches(item_id, known, n=1)
            hint = f"Did you mean {near[0]}? " if near else ""
            raise UsageError(
                f"Nothing that needs consent is called {printable(item_id)!r}. Nothing was recorded.",
                f"{hint}There is: {', '.join(known)}",
            )
    return [known[item_id] for item_id in dict.fromkeys(wanted)]


def _shown(state: PolicyState, asked: Sequence[PolicyItem]) -> Iterable[str]:
    """What is read before an answer is recorded: the question about just these items, as the receipt keeps it."""
    if state.question is not None:
        yield from question_lines(state)
    else:
        for item in asked:
            yield from item_lines(item)
    yield ""


def _say(lines: Iterable[str], *, err: bool = False) -> None:
    for line in lines:
        click.echo(line, err=err)
