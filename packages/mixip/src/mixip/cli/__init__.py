"""The command `mixip`."""

import os
import sys

import click

from mixip import __version__
from mixip.cli.policy import policy
from mixip.cli.reading import read_settings, unfit_policies
from mixip.settings import SETTINGS


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mixip")
def main() -> None:
    """The Mix-IP platform. Settings are environment variables: see `mixip settings`."""


@main.command()
def serve() -> None:
    """Start the platform and print its address. Ctrl-C ends it; what was being delivered can be continued."""
    settings = read_settings()
    from mixip.serve import serve as run

    sys.exit(run(settings))


@main.command()
def migrate() -> None:
    """Bring the database to the newest version. `mixip serve` does it by itself on SQLite."""
    settings = read_settings()
    from mixip.db import open_database
    from mixip.db.migrate import migrate as run

    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    db = open_database(settings.database_url)
    changed = run(db)
    click.echo("The database was brought up to date." if changed else "The database is up to date.")
    with unfit_policies():
        from mixip.clock import now
        from mixip.policies import import_first

        if import_first(db, settings.policy, now()):
            click.echo("The cookie policy was released for the first time.")
    db.close()


@main.command()
def settings() -> None:
    """List the settings with their defaults and their values now."""
    read_settings()
    for setting in SETTINGS:
        value = os.environ.get(setting.variable, "") or setting.default
        shown = "(set)" if setting.field == "database_url" and value else value or "(empty)"
        click.echo(f"{setting.variable}={shown}\n    {setting.text} Default: {setting.default or '(empty)'}")


main.add_command(policy)
