"""The command line `mixip-transfer`.

Exit codes: see errors.py and docs/mixip-transfer.md. Results go to standard output, everything else to standard error.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import webbrowser
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from mixip_transfer import __version__, output
from mixip_transfer.announcement import announcing
from mixip_transfer.answers import is_token
from mixip_transfer.errors import (
    BadAnswerError,
    KeyringError,
    RefusedError,
    TransferError,
    UnreachableError,
    UsageError,
)
from mixip_transfer.names import platform_address, printable
from mixip_transfer.options import json_option, platform_option, quiet_option, signed_in, verbose_option
from mixip_transfer.platform import Platform
from mixip_transfer.policy_commands import policy
from mixip_transfer.secure_storage import open_storage
from mixip_transfer.sign_in import sign_in, sign_out
from mixip_transfer.transfers import get_files, send_files
from mixip_transfer.works import find_work

_STOPPED = "Stopped. What has arrived stays: the same command continues."
_LEAVE_SECONDS = 5.0

KINDS = ("film", "music", "photography", "design", "writing", "software", "other")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="mixip-transfer")
def cli() -> None:
    """Deliver large media files to a Mix-IP platform, and get them back, bit for bit.

    \b
    First:  mixip-transfer sign-in https://mixip.example
    Then:   mixip-transfer send master.mov --work "My film"

    \b
    Exit codes: 0 fine, 1 failed, 2 usage, 3 no usable keyring, 4 not signed in or session ended,
    5 some files of several failed, 130 stopped.
    """


@cli.command("sign-in")
@click.argument("url")
@click.option("--no-browser", is_flag=True, help="Print the address to open instead of opening the browser.")
@click.option("--device", metavar="NAME", help="How this computer is listed; its own name by default.")
@verbose_option
def sign_in_command(url: str, device: str | None, *, no_browser: bool) -> None:
    """Sign in to the platform at URL with your browser.

    The session is kept in the keyring of your operating system and nowhere else.

    \b
    Examples:
      mixip-transfer sign-in https://mixip.example
      mixip-transfer sign-in localhost:8000 --no-browser
    """
    address = platform_address(url)
    storage = open_storage()
    storage.require_usable()  # before anybody is asked for a password that could not be used
    earlier = storage.token(address)

    def show(page: str) -> None:
        if no_browser:
            click.echo(f"Open this address in a browser on this computer:\n\n{page}\n")
            return
        click.echo(f"Your browser opens. If it does not, open this address:\n\n{page}\n")
        threading.Thread(target=_open_browser, args=(page,), daemon=True).start()

    with Platform(address) as platform:
        token = sign_in(platform, device=device or socket.gethostname(), show=show, stop=threading.Event())
        try:
            storage.keep(address, token)
        except KeyringError:
            with contextlib.suppress(TransferError):
                sign_out(platform, token)
            raise
        if earlier is not None and is_token(earlier):
            with contextlib.suppress(TransferError):
                sign_out(platform, earlier)
    with announcing(address, token, even_without_news=True), Platform(address, token) as platform:
        click.echo(f"Signed in to {address} as {printable(platform.session().email)}.")


@cli.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option("--work", "name", required=True, metavar="NAME", help="Title or id of the work.")
@click.option("--create", is_flag=True, help="Make the work when there is none of this title.")
@click.option("--kind", type=click.Choice(KINDS), default="other", help="Its kind, with --create.  [default: other]")
@click.option(
    "--parallel", type=click.IntRange(1, 64), default=4, show_default=True, help="How many connections send at once."
)
@json_option
@platform_option
@quiet_option
@verbose_option
def send(
    paths: tuple[Path, ...],
    name: str,
    kind: str,
    parallel: int,
    url: str | None,
    *,
    create: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Deliver files to a work.

    A delivery that was broken off continues with the same command: only what is missing is sent. Each file is
    listed only after the platform has verified all of it.

    \b
    Examples:
      mixip-transfer send master.mov --work "My film"
      mixip-transfer send stems/*.wav --work "My album" --create --kind music
    """
    address, token = signed_in(url)
    with announcing(address, token, wanted=not (quiet or as_json)):
        send_files(
            address,
            token,
            paths,
            work=name,
            create=kind if create else None,
            parallel=parallel,
            as_json=as_json,
            quiet=quiet,
        )


@cli.command("get")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--work", "name", required=True, metavar="NAME", help="Title or id of the work.")
@click.option(
    "--to",
    "folder",
    default=".",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the files go; this folder by default.",
)
@click.option("--overwrite", is_flag=True, help="Replace a different file of the same name.")
@json_option
@platform_option
@quiet_option
@verbose_option
def get(
    names: tuple[str, ...],
    name: str,
    folder: Path,
    url: str | None,
    *,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Get files of a work: those called NAME (or with that id), or all of them.

    A file that is there already is not fetched again, and one that was broken off is continued.

    \b
    Examples:
      mixip-transfer get --work "My film" --to ~/Downloads
      mixip-transfer get master.mov --work "My film"
    """
    address, token = signed_in(url)
    with announcing(address, token, wanted=not (quiet or as_json)):
        get_files(address, token, names, work=name, folder=folder, overwrite=overwrite, as_json=as_json, quiet=quiet)


@cli.command("list")
@click.option("--work", "name", metavar="NAME", help="Title or id of a work: list its files.")
@json_option
@platform_option
@verbose_option
def list_command(name: str | None, url: str | None, *, as_json: bool) -> None:
    """List your works, or the files of one.

    \b
    Examples:
      mixip-transfer list
      mixip-transfer list --work "My film" --json
    """
    address, token = signed_in(url)
    with announcing(address, token, wanted=not as_json), Platform(address, token) as platform:
        if name is None:
            works = list(platform.works())
            if as_json:
                output.say_json({"works": [output.facts_json(work) for work in works]})
            else:
                output.say_works(works)
            return
        work = find_work(platform, name)
        files = list(platform.files(work.id))
        if as_json:
            output.say_json({"work": output.facts_json(work), "files": [output.facts_json(file) for file in files]})
        else:
            output.say_files(files)


@cli.command()
@json_option
@platform_option
@verbose_option
def status(url: str | None, *, as_json: bool) -> None:
    """Say who is signed in, and where.

    \b
    Examples:
      mixip-transfer status
      mixip-transfer status --json
    """
    address, token = signed_in(url)
    with announcing(address, token, wanted=not as_json), Platform(address, token) as platform:
        session = platform.session()
        if as_json:
            output.say_json({"platform": address, **output.facts_json(session)})
            return
        click.echo(f"Signed in to {address} as {printable(session.email)}.")
        ends = f"; the session ends {output.moment(session.expires_at)}" if session.expires_at else ""
        click.echo(f"This computer is listed as {printable(session.name)!r}{ends}.")


@cli.command("sign-out")
@click.option(
    "--force", is_flag=True, help="Remove the session from this computer even if the platform is not reached."
)
@platform_option
@verbose_option
def sign_out_command(url: str | None, *, force: bool) -> None:
    """End the session on the platform, then remove it from this computer.

    \b
    Examples:
      mixip-transfer sign-out
      mixip-transfer sign-out --force
    """
    storage = open_storage()
    address = platform_address(url) if url else storage.current()
    token = storage.token(address) if address else None
    if address is None or token is None:
        click.echo(f"You are not signed in{f' to {address}' if address else ''}.")
        return
    try:
        if is_token(token):
            with Platform(address) as platform:
                sign_out(platform, token)
    except (UnreachableError, RefusedError, BadAnswerError, UsageError) as failure:
        if not force:
            raise TransferError(
                f"The session could not be ended on {address}, so it is still on this computer. {failure.message}",
                "Try again later. With --force it is removed from this computer only;"
                " then end it on the platform's page of sessions.",
                code=failure.code,
            ) from failure
        storage.forget(address)
        click.echo(f"Removed from this computer. {printable(failure.message)}", err=True)
        click.echo("The session itself has not ended: end it on the platform's page of sessions.", err=True)
        return
    storage.forget(address)
    click.echo(f"Signed out of {address}.")


cli.add_command(policy)


def main() -> NoReturn:
    """Run the command line and end with its exit code. No stack trace ever reaches the person."""
    signal.signal(signal.SIGINT, _interrupted)
    try:
        outcome = cli.main(standalone_mode=False, prog_name="mixip-transfer")
        sys.exit(outcome if isinstance(outcome, int) else 0)
    except click.ClickException as mistake:
        mistake.show()
        sys.exit(mistake.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo(_STOPPED, err=True)
        sys.exit(130)
    except TransferError as error:
        output.say_error(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # Whoever read our output went away; the interpreter must not complain about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        output.say_error(output.from_os_error(error))
        sys.exit(1)
    except Exception as error:  # noqa: BLE001  the last resort: a plain sentence instead of a stack trace
        click.echo("Something unexpected happened in the app.", err=True)
        click.echo("Run the command again with --verbose, and report what it says.", err=True)
        output.say_details(error)
        sys.exit(1)


def _interrupted(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Ctrl-C: end in order, but end. Whatever cleaning up waits for, or swallows, it has five seconds; a second Ctrl-C
    has none."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    leave = threading.Timer(_LEAVE_SECONDS, _leave)
    leave.daemon = True
    leave.start()
    raise KeyboardInterrupt


def _leave() -> None:
    click.echo(_STOPPED, err=True)
    os._exit(130)


def _open_browser(page: str) -> None:
    with contextlib.suppress(webbrowser.Error, OSError):
        webbrowser.open(page)
