"""What every command begins with: the settings, and words instead of a stack trace."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from mixip.settings import Settings, SettingsError, from_environment, unknown_variables


def read_settings() -> Settings:
    """The settings. Ends with 2 if they are wrong."""
    try:
        settings = from_environment(os.environ)
    except SettingsError as error:
        click.echo(f"These settings are wrong:\n{error}", err=True)
        sys.exit(2)
    for name in unknown_variables(os.environ):
        click.echo(f"{name} is no setting of this version; it is ignored. See docs/settings.md.", err=True)
    return settings


@contextmanager
def unfit_policies() -> Iterator[None]:
    """Ends with 1, and says why, if a policy, a file or the database cannot be used."""
    from sqlalchemy.exc import SQLAlchemyError

    from mixip.policies import UnfitError
    from strictly_necessary import DeclarationError
    from strictly_necessary.consent import LedgerError

    try:
        yield
    except (DeclarationError, UnfitError) as error:
        click.echo(f"This policy cannot be used:\n{error}", err=True)
        sys.exit(1)
    except SQLAlchemyError as error:
        click.echo(f"Cannot use the database: {type(error.__cause__ or error).__name__}.", err=True)
        sys.exit(1)
    except LedgerError as error:
        click.echo(f"Cannot use the ledger: {error}.", err=True)
        sys.exit(1)
    except OSError as error:
        click.echo(f"Cannot use {error.filename or 'the file'}: {error.strerror or error}.", err=True)
        sys.exit(1)
