"""`strictly`: check a declaration, and make from it what people and browsers need.

Exit codes: 0 for no error, 1 for errors in a declaration or a site, or a refused release, 2 for a wrong command, a file
that cannot be used, or an audit that could look at nothing.
"""

from __future__ import annotations

import io
import sys
from typing import Any

import click

from strictly_necessary.cli._audit import audit_command
from strictly_necessary.cli._check import check_command
from strictly_necessary.cli._diff import diff_command
from strictly_necessary.cli._draft import draft_command
from strictly_necessary.cli._explain import explain_command
from strictly_necessary.cli._headers import headers_command
from strictly_necessary.cli._init import init_command
from strictly_necessary.cli._page import page_command
from strictly_necessary.cli._release import release_command
from strictly_necessary.cli._schema import schema_command

__all__ = ["main"]


class _Strictly(click.Group):
    """Lists the commands in the order of use, and speaks UTF-8 whatever the locale says."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(encoding="utf-8", errors="backslashreplace")
        return super().main(*args, **kwargs)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click names it
        return list(self.commands)


@click.group(cls=_Strictly, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="strictly-necessary")
def main() -> None:
    """The cookie policy as code.

    Write what your site keeps in a browser into one TOML file. The guards then let nothing else in or out, and the page
    that tells people about it is made from the same file.

    \b
    Begin with:
      strictly init                write a first declaration, policy.toml
      strictly draft URL           write one of what a browser sees on your site
      strictly check policy.toml   see what is wrong with it
      strictly explain SN202       understand what that means
      strictly audit URL           see in a browser whether it is true

    Exits with 0 if all is well, with 1 if a declaration or a site has errors or a release is refused, and with 2 if the
    command or a file cannot be used, or no page could be looked at.
    """


for command in (
    init_command,
    draft_command,
    check_command,
    explain_command,
    page_command,
    headers_command,
    diff_command,
    release_command,
    audit_command,
    schema_command,
):
    main.add_command(command)
