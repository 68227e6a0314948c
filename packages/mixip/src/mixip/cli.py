"""The command `mixip`."""

import os
import sys

import click

from mixip import __version__
from mixip.settings import SETTINGS, Settings, SettingsError, from_environment, unknown_variables


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mixip")
def main() -> None:
    """The Mix-IP platform. Settings are environment variables: see `mixip settings`."""


@main.command()
def serve() -> None:
    """Start the platform and print its address. Ctrl-C ends it; what was being delivered can be continued."""
    settings = _settings()
    from mixip.serve import serve as run

    sys.exit(run(settings))


@main.command()
def migrate() -> None:
    """Bring the database to the newest version. `mixip serve` does it by itself on SQLite."""
    settings = _settings()
    from mixip.db import open_database
    from mixip.db.migrate import migrate as run

    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    changed = run(open_database(settings.database_url))
    click.echo("The database was brought up to date." if changed else "The database is up to date.")


@main.command()
def settings() -> None:
    """List the settings with their defaults and their values now."""
    _settings()
    for setting in SETTINGS:
        value = os.environ.get(setting.variable, "") or setting.default
        shown = "(set)" if setting.field == "database_url" and value else value or "(empty)"
        click.echo(f"{setting.variable}={shown}\n    {setting.text} Default: {setting.default or '(empty)'}")


def _settings() -> Settings:
    try:
        settings = from_environment(os.environ)
    except SettingsError as error:
        click.echo(f"These settings are wrong:\n{error}", err=True)
        sys.exit(2)
    for name in unknown_variables(os.environ):
        click.echo(f"{name} is no setting of this version; it is ignored. See docs/settings.md.", err=True)
    return settings
