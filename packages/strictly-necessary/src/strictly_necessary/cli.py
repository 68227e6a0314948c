"""`strictly`: check a declaration, and make the policy page from it.

Exit codes: 0 for no error, 1 for errors in a declaration, 2 for a wrong command or a file that cannot be used.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import click

from strictly_necessary._findings import DeclarationError, Finding, Severity
from strictly_necessary.declaration import check, load
from strictly_necessary.page import render_json, render_markdown, render_page

_FILE = click.Path(path_type=Path, dir_okay=False)
_RENDERERS = {"html": render_page, "md": render_markdown, "json": render_json}


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="strictly-necessary")
def main() -> None:
    """The cookie policy as code.

    Write what your site keeps in a browser into one TOML file. The guard then lets nothing else in or out, and the page
    that tells people about it is made from the same file.
    """


@main.command("check", short_help="Look for errors in declarations.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=_FILE)
@click.option(
    "--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print."
)
def check_command(files: tuple[Path, ...], style: str) -> None:
    """Look for errors in declarations.

    Prints each finding as file:line:column code message, with what to do below it. Exits with 0 if there is no error,
    with 1 if there is, and with 2 if a file cannot be read.
    """
    findings: list[Finding] = []
    for file in files:
        try:
            findings += check(file)
        except OSError as error:
            raise _Unusable(file, error) from error
    if style == "json":
        click.echo(json.dumps({"findings": [dataclasses.asdict(finding) for finding in findings]}, indent=2))
    else:
        for finding in findings:
            click.echo(f"{finding}\n    Fix: {finding.fix}")
        click.echo(_summary(findings, len(files)), err=True)
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise SystemExit(1)


@main.command("page", short_help="Make the policy page.")
@click.argument("file", metavar="FILE", type=_FILE)
@click.option(
    "--format", "style", type=click.Choice(list(_RENDERERS)), default="html", show_default=True, help="What to make."
)
@click.option("--output", "-o", metavar="F", type=_FILE, help="Write to this file instead of printing.")
def page_command(file: Path, style: str, output: Path | None) -> None:
    """Make the policy page from a declaration: HTML (html), Markdown (md) or JSON (json).

    Exits with 1, and makes nothing, if the declaration has errors.
    """
    try:
        declaration = load(file)
    except DeclarationError as error:
        for finding in error.findings:
            click.echo(f"{finding}\n    Fix: {finding.fix}", err=True)
        raise SystemExit(1) from None
    except OSError as error:
        raise _Unusable(file, error) from error
    page = _RENDERERS[style](declaration)
    if output is None:
        click.echo(page, nl=False)
        return
    try:
        output.write_text(page, encoding="utf-8")
    except OSError as error:
        raise _Unusable(output, error) from error


def _summary(findings: list[Finding], files: int) -> str:
    if not findings:
        return "No findings." if files == 1 else f"No findings in {files} files."
    return "1 finding." if len(findings) == 1 else f"{len(findings)} findings."


class _Unusable(click.ClickException):
    """A file that cannot be read or written."""

    exit_code = 2

    def __init__(self, file: Path, error: OSError) -> None:
        super().__init__(f"{file}: {error.strerror or error}")
