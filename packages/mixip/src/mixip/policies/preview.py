"""What people would see of the next version, as files that open without a server."""

from collections.abc import Iterator
from html import escape
from pathlib import Path

from mixip.edge.static import assets
from mixip.policies.imprint import Imprint, in_the_name_of
from mixip.policies.releasing import Plan
from mixip.policies.status import sentences, verdict
from strictly_necessary.consent import Standing
from strictly_necessary.declaration import examine
from strictly_necessary.page import (
    heading,
    render_changes_html,
    render_gate_html,
    render_html,
    render_news_html,
)
from strictly_necessary.versions import History, Version

STYLES = ("look/tokens.css", "look/base.css", "look/frame.css", "look/parts.css", "look/told.css", "legal/legal.css")


def write_preview(planned: Plan, imprint: Imprint, folder: Path) -> list[Path]:
    """Write the pages into the folder, which is made if it is not there. Returns their paths. The declaration in the
    plan has no errors. Raises OSError."""
    history = _history(planned, imprint)
    version = history.versions[-1]
    folder.mkdir(parents=True, exist_ok=True)
    pages = dict(_pages(version, history.versions[-2] if len(history.versions) > 1 else None))
    pages["index.html"] = _index(planned, version, list(pages))
    written = []
    for name, text in pages.items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def _history(planned: Plan, imprint: Imprint) -> History:
    """The released versions with the planned one behind them, if anything has changed."""
    released = [version.declaration for version in planned.history.versions] if planned.history else []
    declaration, _ = examine(planned.release.text, "")
    if declaration is not None and (planned.release.difference.changes or not released):
        known = {each.policy.version for each in released}
        if declaration.policy.version not in known:
            released.append(declaration)
    return History.of(in_the_name_of(imprint, each) for each in released)


def _pages(version: Version, previous: Version | None) -> Iterator[tuple[str, str]]:
    declaration = version.declaration
    for code in declaration.policy.languages:
        title = heading(language=code)
        changes = f"changes.{code}.html"
        policy = render_html(declaration, language=code, changes=changes)
        yield (
            f"policy.{code}.html",
            _document(code, title, f'<h1>{escape(title)}</h1><div class="policy">{policy}</div>'),
        )
        told = render_changes_html(version, previous, language=code)
        yield (
            changes,
            _document(code, f"{title} · {version.number}", f"<h1>Version {escape(version.number)}</h1>{told}"),
        )
        if version.is_significant:
            news = render_news_html((version,), back="/", changes=changes, language=code, acknowledges=True, action="#")
            yield f"announcement.{code}.html", _document(code, "Announcement", f'<div class="told">{news}</div>')
        if declaration.gated:
            standing = Standing(version, open=declaration.gated)
            gate = render_gate_html(standing, back="/", language=code, action="#", policy=f"policy.{code}.html")
            yield f"question.{code}.html", _document(code, "Question", f'<div class="told">{gate}</div>')


def _index(planned: Plan, version: Version, names: list[str]) -> str:
    links = "".join(f'<li><a href="{escape(name)}">{escape(name)}</a></li>' for name in names)
    changes = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences(planned))
    said = verdict(planned.release.difference, planned.release.significance)
    refused = "".join(f"<li>{escape(refusal)}</li>" for refusal in planned.refusals)
    body = f"<h1>Version {escape(version.number)}</h1><p>{escape(said)}</p><ul>{changes}</ul>"
    body += f"<h2>It could not be released</h2><ul>{refused}</ul>" if refused else ""
    return _document("en", "Preview", f"{body}<h2>What people would see</h2><ul>{links}</ul>")


def _document(language: str, title: str, body: str) -> str:
    style = "".join(assets()[name].content.decode() for name in STYLES if name in assets())
    return (
        f'<!doctype html>\n<html lang="{escape(language)}"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width, initial-scale=1"><title>{escape(title)}</title><style>{style}</style></head>\n'
        f'<body><main class="page text prose">{body}</main></body></html>\n'
    )
