"""Connections that a page opens ahead of any request: `<link rel="preconnect">`, `dns-prefetch` and the header Link.

The browser's network events tell nothing of them, and yet the other host, or who looks after its name, learns of the
person. Elements are watched from the audit's own world, where no page can stand in the way.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from urllib.parse import urljoin

from strictly_necessary.audit._whole import whole

BINDING = f"__{secrets.token_hex(6)}"
"""Of the audit's world only: pages do not see it."""

MOST = 200

SOURCE = """(() => {
  const told = new Set(), all = Element.prototype.querySelectorAll;
  const note = (link) => {
    for (const rel of ["preconnect", "dns-prefetch"]) {
      const text = JSON.stringify([rel, link.href]);
      if (!link.relList.contains(rel) || !link.href || told.has(text) || told.size >= %(most)d) continue;
      told.add(text);
      %(binding)s(text);
    }
  };
  const find = (node) => {
    try {
      if (node instanceof HTMLLinkElement) note(node);
      else if (node instanceof Element) for (const link of all.call(node, "link")) note(link);
    } catch {}
  };
  new MutationObserver((records) => {
    for (const record of records) {
      if (record.type === "attributes") find(record.target);
      else record.addedNodes.forEach(find);
    }
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["rel", "href"] });
  if (document.documentElement) find(document.documentElement);
})()""" % {"most": MOST, "binding": BINDING}  # noqa: UP031 - braces are the script's own

_LINK = re.compile(r"<([^>]*)>((?:\"[^\"]*\"|[^,\"])*)")
_REL = re.compile(r";\s*rel\s*=\s*\"?([^\";]*)", re.IGNORECASE)
_RELS = frozenset({"preconnect", "dns-prefetch"})


def read(payload: str) -> tuple[str, str]:
    """The relation and the address of an element. Raises ValueError."""
    rel, url = whole(json.loads(payload))
    return str(rel), str(url)


def in_header(link: str, base: str) -> Iterator[tuple[str, str]]:
    """The same of a header Link (RFC 8288 section 3)."""
    for target, parameters in _LINK.findall(link):
        found = _REL.search(parameters)
        for rel in sorted(_RELS.intersection(found[1].lower().split())) if found else ():
            try:
                yield rel, urljoin(base, target.strip())
            except ValueError:
                continue
