"""The options of the commands that drive a browser, and the plan that they make."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from strictly_necessary.audit._observation import State
from strictly_necessary.audit._plan import Plan

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path, dir_okay=False)
_STATES = {str(state): state for state in State}
_RESOLVED = re.compile(r"(?P<host>[^:\s]+):(?P<address>\S+)")
_USUAL = Plan("")


def _states(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[State, ...]:
    wanted = [word.strip() for word in value.split(",")] if value else []
    for word in wanted:
        if word not in _STATES:
            raise click.BadParameter(f"{word!r} is not one of: {', '.join(_STATES)}")
    return tuple(dict.fromkeys(_STATES[word] for word in wanted))


def _resolve(_ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for each in value:
        match = _RESOLVED.fullmatch(each)
        if match is None:
            raise click.BadParameter(f"{each!r} is not HOST:ADDRESS, such as shop.example:127.0.0.1:8000")
        found[match["host"]] = match["address"]
    return found


def _address(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        given = value if "://" in value else f"https://{value}"
        raise click.BadParameter(f"{value!r} is no address of a page; write such as {given}")
    return value


_OPTIONS = (
    click.argument("url", metavar="URL", callback=_address),
    click.option(
        "--login", "script", metavar="SCRIPT", type=_FILE, help="Steps to sign in and out, to answer, to act."
    ),
    click.option(
        "--pages", metavar="N", type=click.IntRange(1), default=_USUAL.pages, show_default=True, help="Pages at most."
    ),
    click.option("--page", "addresses", metavar="ADDRESS", multiple=True, help="A page to which no link leads."),
    click.option("--exclude", metavar="P", multiple=True, help="Leave out paths such as /admin/*."),
    click.option("--states", metavar="S,...", callback=_states, help=f"Only these of: {', '.join(_STATES)}."),
    click.option("--no-explore", is_flag=True, help="Press nothing: load, wait and scroll only."),
    click.option(
        "--timeout",
        metavar="S",
        type=click.FloatRange(0.1),
        default=_USUAL.timeout,
        show_default=True,
        help="Seconds for a page.",
    ),
    click.option(
        "--patience",
        metavar="S",
        type=click.FloatRange(0),
        default=_USUAL.patience,
        show_default=True,
        help="Seconds of the page's own clock to wait for what comes late. They pass in a moment.",
    ),
    click.option(
        "--rate", metavar="S", type=click.FloatRange(0), help="Seconds between two pages; what robots.txt says, or 1."
    ),
    click.option("--ignore-robots", is_flag=True, help="Look also at what robots.txt leaves out. For your own site."),
    click.option("--insecure", is_flag=True, help="Accept certificates that do not hold. For a site in a test."),
    click.option(
        "--resolve", metavar="HOST:ADDR", multiple=True, callback=_resolve, help="Ask this address for a host."
    ),
    click.option("--nameserver", metavar="IP[:PORT]", help="Ask this name server whose a host is."),
    click.option("--chromium", metavar="PATH", help="The browser's program."),
    click.option("--resume", metavar="FILE", type=_FILE, help="Keep what is done there, and go on from it."),
)


def plan_options(command: CommandT) -> CommandT:
    """Gives the command the argument URL and the options, and hands them over as one `plan`."""

    @functools.wraps(command)
    def planned(*, url: str, no_explore: bool, **others: Any) -> Any:
        own = {name: others.pop(name) for name in _NAMES & others.keys()}
        return command(plan=Plan(url, explore=not no_explore, **own), **others)

    wrapped: Any = planned
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[no-any-return]


_NAMES = frozenset(
    {
        "script",
        "pages",
        "addresses",
        "exclude",
        "states",
        "timeout",
        "patience",
        "rate",
        "ignore_robots",
        "insecure",
        "resolve",
        "nameserver",
        "chromium",
        "resume",
    }
)
