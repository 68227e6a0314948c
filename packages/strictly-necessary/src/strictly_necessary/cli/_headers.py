"""`strictly headers`: show the security headers that the guard sends."""

from __future__ import annotations

import json
from pathlib import Path

import click

from strictly_necessary.cli._files import INPUT, declaration_in
from strictly_necessary.declaration._items import Override
from strictly_necessary.headers import clear_site_data, security_headers
from strictly_necessary.page._json import override_as_json


@click.command("headers", short_help="Show the security headers for a path.")
@click.argument("file", metavar="FILE", type=INPUT)
@click.option("--path", metavar="P", default="/", show_default=True, help="The path that is asked for.")
@click.option(
    "--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print."
)
def headers_command(file: Path, path: str, style: str) -> None:
    """Show the security headers that the guard adds to the answer for a path, and why some are not the usual ones.

    Exits with 1 if the declaration has errors.

    \b
    Examples:
      strictly headers policy.toml
      strictly headers policy.toml --path /checkout --format json
    """
    if not path.startswith("/"):
        raise click.UsageError(f"--path begins with a slash, unlike {path!r}.")
    declaration = declaration_in(file)
    headers = security_headers(declaration, path=path)
    sign_out = {"clear-site-data": value} if (value := clear_site_data(declaration, path=path)) else {}
    overrides = [override for override in declaration.overrides if override.holds_for(path)]
    if style == "json":
        document = {
            "path": path,
            "headers": headers,
            "headers_at_sign_out": sign_out,
            "overrides": [override_as_json(override) for override in overrides],
        }
        click.echo(json.dumps(document, indent=2))
        return
    for name, text in headers.items():
        click.echo(f"{name}: {text}")
    for name, text in sign_out.items():
        click.echo(f"\nAt sign-out too:\n{name}: {text}")
    if overrides:
        click.echo("\nOverridden:")
    for override in overrides:
        click.echo(f"{_described(override)}\n    Reason: {override.reason}")


def _described(override: Override) -> str:
    where = f" for {', '.join(override.paths)}" if override.paths else ""
    name = f"{override.name} {override.directive}" if override.directive else override.name
    return f"{name}{where}"
