"""What several commands take, and the session that most of them need first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from mixip_transfer import output
from mixip_transfer.answers import is_token
from mixip_transfer.errors import NotSignedInError
from mixip_transfer.names import platform_address
from mixip_transfer.secure_storage import SecureStorage, open_storage

F = TypeVar("F", bound=Callable[..., Any])

platform_option = click.option(
    "--platform", "url", metavar="URL", help="The platform, when you are signed in to several."
)
quiet_option = click.option("--quiet", is_flag=True, help="Show no progress and no news.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON and show no progress.")


def verbose_option(command: F) -> F:
    def note(_context: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001  click's form
        if value:
            output.speak_up()

    option = click.option(
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=note,
        help="Show each request and where a failure came from, without secrets.",
    )
    return option(command)


def signed_in(url: str | None) -> tuple[str, str]:
    """The address of the platform that is meant, and the session token for it. Raises NotSignedInError."""
    storage: SecureStorage = open_storage()
    address = platform_address(url) if url else storage.current()
    if address is None:
        raise NotSignedInError(
            "You are not signed in.", "Sign in first: mixip-transfer sign-in https://the-address-of-your-platform"
        )
    token = storage.token(address)
    if token is None or not is_token(token):
        raise NotSignedInError(f"You are not signed in to {address}.", f"Sign in: mixip-transfer sign-in {address}")
    return address, token
