"""`strictly page`: make the policy page."""

from __future__ import annotations

from pathlib import Path

import click

from strictly_necessary.cli._files import INPUT, OUTPUT, declaration_in, write
from strictly_necessary.page import render_json, render_markdown, render_page


@click.command("page", short_help="Make the policy page.")
@click.argument("file", metavar="FILE", type=INPUT)
@click.option(
    "--format",
    "style",
    type=click.Choice(["html", "md", "json"]),
    default="html",
    show_default=True,
    help="HTML for browsers, Markdown, or JSON for programs.",
)
@click.option("--language", metavar="L", help="One of the policy's languages, such as de; the first if left out.")
@click.option(
    "--stylesheet", metavar="URL", help="Link to this stylesheet in place of ours, which is inside. HTML only."
)
@click.option("--consent", metavar="URL", help="Say that people see and change their answers there.")
@click.option("--changes", metavar="URL", help="Say that all versions stand there.")
@click.option("--output", "-o", metavar="F", type=OUTPUT, help="Write to this file instead of printing.")
def page_command(
    file: Path,
    style: str,
    language: str | None,
    stylesheet: str | None,
    consent: str | None,
    changes: str | None,
    output: Path | None,
) -> None:
    """Make the policy page from a declaration.

    Exits with 1, and makes nothing, if the declaration has errors.

    \b
    Examples:
      strictly page policy.toml --output cookies.html
      strictly page policy.toml --format md --language de
    """
    if stylesheet is not None and style != "html":
        raise click.UsageError("--stylesheet goes with --format html.")
    declaration = declaration_in(file)
    try:
        if style == "html":
            page = render_page(declaration, language=language, stylesheet=stylesheet, consent=consent, changes=changes)
        else:
            render = render_markdown if style == "md" else render_json
            page = render(declaration, language=language, consent=consent, changes=changes)
    except ValueError as error:  # a language in which the texts are missing
        raise click.UsageError(f"{error}.") from error
    write(page, output)
