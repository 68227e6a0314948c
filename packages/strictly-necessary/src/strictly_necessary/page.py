"""The policy page from the declaration: HTML fragments for a layout of your own, a whole page, Markdown and JSON."""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

from strictly_necessary._items import Item
from strictly_necessary._wording import (
    BROWSERS,
    Block,
    Bullets,
    Code,
    Link,
    Paragraph,
    Section,
    Words,
    date_in_words,
    items_section,
    lifetime_in_words,
    readers_in_words,
    removal_in_words,
    sections,
    third_parties_section,
)
from strictly_necessary.declaration import Declaration

__all__ = [
    "render_html",
    "render_items_html",
    "render_json",
    "render_markdown",
    "render_page",
    "render_third_parties_html",
]


def render_html(declaration: Declaration) -> str:
    """Everything the page says, below its `<h1>`: `<section class="policy-section">` with `<h2>`, cards with `<h3>`. No
    style and no script; everything from the declaration is escaped."""
    policy = declaration.policy
    updated = (
        f'<p class="policy-updated">Last updated: <time datetime="{policy.last_updated.isoformat()}">'
        f"{date_in_words(policy.last_updated)}</time> · Version {escape(policy.version)}</p>"
    )
    return "\n".join([updated, *(_html_section(section) for section in sections(declaration))]) + "\n"


def render_items_html(declaration: Declaration) -> str:
    """Only the section with the list of what is kept."""
    return _html_section(items_section(declaration)) + "\n"


def render_third_parties_html(declaration: Declaration) -> str:
    """Only the section with the services of others, for a privacy policy."""
    return _html_section(third_parties_section(declaration)) + "\n"


def render_page(declaration: Declaration) -> str:
    """A whole HTML page without a look of its own, for a site that has no layout."""
    title = escape(f"Cookie policy of {declaration.policy.service}")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{render_html(declaration)}"
        "</main>\n</body>\n</html>\n"
    )


def render_markdown(declaration: Declaration) -> str:
    """The whole page as CommonMark."""
    policy = declaration.policy
    lines = [
        f"# Cookie policy of {_markdown(policy.service)}",
        "",
        f"Last updated: {date_in_words(policy.last_updated)}. Version {_markdown(policy.version)}.",
        "",
    ]
    for section in sections(declaration):
        lines += [f"## {section.title}", ""]
        for block in section.blocks:
            lines += [*_markdown_block(block), ""]
    return "\n".join(lines[:-1]) + "\n"


def render_json(declaration: Declaration) -> str:
    """The declaration and its words for machines: one object with `policy`, `items`, `third_parties`, `browsers`."""
    policy = declaration.policy
    document = {
        "policy": {
            "service": policy.service,
            "operator": policy.operator,
            "contact": policy.contact,
            "version": policy.version,
            "last_updated": policy.last_updated.isoformat(),
            "jurisdictions": list(policy.jurisdictions),
            "privacy_policy": policy.privacy_policy,
            "terms": policy.terms,
            "desktop_apps": list(policy.desktop_apps),
        },
        "items": [_json_item(item, declaration) for item in declaration.items],
        "third_parties": [
            {
                "name": party.name,
                "host": party.host,
                "feature": party.feature,
                "action": party.action,
                "storage": party.storage,
                "privacy": party.privacy,
            }
            for party in declaration.third_parties
        ],
        "browsers": [{"name": name, "settings": path} for name, path in BROWSERS],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _json_item(item: Item, declaration: Declaration) -> dict[str, Any]:
    return {
        "id": item.id,
        "title": item.title,
        "name": item.name,
        "kind": item.kind.value,
        "exempt": declaration.is_exempt(item),
        "purposes": [{"category": each.category.value, "purpose": each.text} for each in item.purposes],
        "provider": item.provider,
        "lifetime": item.lifetime.text,
        "lifetime_in_words": lifetime_in_words(item),
        "set_when": item.set_when,
        "set_by": item.set_by.value,
        "script": item.script,
        "readable_by_application": item.readable_by_application,
        "readers": readers_in_words(item, declaration.policy),
        "removal": removal_in_words(item),
        "http_only": item.http_only,
        "secure": item.secure,
        "same_site": item.same_site.value if item.same_site else None,
        "path": item.path,
        "domain": item.domain,
        "partitioned": item.partitioned,
        "values": list(item.values),
        "requires_action": item.requires_action,
        "information": item.information,
        "reason": item.reason,
    }


def _html_section(section: Section) -> str:
    blocks = "\n".join(_html_block(block) for block in section.blocks)
    heading = f'<h2 id="{section.id}-heading">{escape(section.title)}</h2>'
    return (
        f'<section class="policy-section" id="{section.id}" aria-labelledby="{section.id}-heading">\n'
        f"{heading}\n{blocks}\n</section>"
    )


def _html_block(block: Block) -> str:
    if isinstance(block, Paragraph):
        return f"<p>{_html(block.words)}</p>"
    if isinstance(block, Bullets):
        points = "\n".join(f"<li>{_html(point)}</li>" for point in block.points)
        return f"<ul>\n{points}\n</ul>"
    facts = "\n".join(f"<div><dt>{escape(term)}</dt><dd>{_html(words)}</dd></div>" for term, words in block.facts)
    label = f"{block.id}-heading"
    return (
        f'<section class="item" id="{block.id}" aria-labelledby="{label}">\n'
        f'<h3 id="{label}">{_html(block.title)}</h3>\n<dl>\n{facts}\n</dl>\n</section>'
    )


def _html(words: Words) -> str:
    return "".join(_html_word(word) for word in words)


def _html_word(word: str | Link | Code) -> str:
    if isinstance(word, Link):
        return f'<a href="{escape(word.address)}">{escape(word.text)}</a>'
    return f"<code>{escape(word.text)}</code>" if isinstance(word, Code) else escape(word)


_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|&])")


def _markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


def _markdown_block(block: Block) -> list[str]:
    if isinstance(block, Paragraph):
        return [_markdown_words(block.words)]
    if isinstance(block, Bullets):
        return [f"- {_markdown_words(point)}" for point in block.points]
    return [
        f"### {_markdown_words(block.title)}",
        "",
        *(f"- **{term}:** {_markdown_words(words)}" for term, words in block.facts),
    ]


def _markdown_words(words: Words) -> str:
    return "".join(_markdown_word(word) for word in words)


def _markdown_word(word: str | Link | Code) -> str:
    if isinstance(word, Link):
        return f"[{_markdown(word.text)}](<{word.address}>)"
    if isinstance(word, Code):
        fence = "`" * (max((len(run) for run in re.findall("`+", word.text)), default=0) + 1)
        space = " " if "`" in word.text else ""
        return f"{fence}{space}{word.text}{space}{fence}"
    return _markdown(word)
