"""What the browser keeps, asked from outside the page: the jar, and for each frame its own keys, databases and files.

What is asked inside a frame runs in a world of its own, which shares the storage and none of the page's objects: a page
that replaces `localStorage` or its methods bends nothing here.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from strictly_necessary.audit._observation import Stored
from strictly_necessary.audit.browser._recording import LONGEST_TEXT, cut
from strictly_necessary.declaration._items import Kind

MOST_KEYS = 20_000

LOOK = """(() => {
  const read = (name) => {
    const found = [];
    try {
      const store = globalThis[name];
      for (let i = 0; i < Math.min(store.length, %(most)d); i++) {
        const key = store.key(i);
        found.push([key.slice(0, 1000), store.getItem(key).slice(0, %(longest)d)]);
      }
    } catch {}
    return found;
  };
  return [location.origin === "null" ? self.origin : location.origin, read("localStorage"), read("sessionStorage")];
})()""" % {"most": MOST_KEYS, "longest": 2 * LONGEST_TEXT}  # noqa: UP031 - braces are the script's own

LOOK_DEEP = """(async () => {
  const rest = { databases: [], caches: [], files: [], workers: [] };
  const within = async (task) => { try { await task(); } catch {} };
  const walk = async (folder, path, depth) => {
    for await (const [name, handle] of folder.entries()) {
      if (rest.files.length >= %(most)d) return;
      if (handle.kind === "directory" && depth < 8) {
        const before = rest.files.length;
        await walk(handle, path + name + "/", depth + 1);
        if (rest.files.length === before) rest.files.push(path + name + "/");
      } else rest.files.push(path + name);
    }
  };
  await Promise.all([
    within(async () => { for (const each of await indexedDB.databases()) rest.databases.push(each.name); }),
    within(async () => { rest.caches = await caches.keys(); }),
    within(async () => { await walk(await navigator.storage.getDirectory(), "", 0); }),
    within(async () => {
      for (const each of await navigator.serviceWorker.getRegistrations())
        rest.workers.push([(each.active || each.waiting || each.installing || {}).scriptURL || each.scope, each.scope]);
    }),
  ]);
  return [self.origin, rest];
})()""" % {"most": MOST_KEYS}  # noqa: UP031


def keys(told: Any, partition: str | None) -> list[Stored]:
    """What `LOOK` answered for one frame."""
    origin, local, session = told
    return [
        Stored(kind, name, origin, cut(value), None, partition)
        for kind, pairs in ((Kind.LOCAL, local), (Kind.SESSION, session))
        for name, value in pairs
    ]


def deep(told: Any, partition: str | None) -> list[Stored]:
    """What `LOOK_DEEP` answered for one frame."""
    origin, rest = told
    lists = (
        (Kind.INDEXEDDB, rest["databases"]),
        (Kind.CACHE, rest["caches"]),
        (Kind.OPFS, rest["files"]),
    )
    found = [Stored(kind, name, origin, "", None, partition) for kind, names in lists for name in names]
    return found + [
        Stored(Kind.SERVICE_WORKER, script, origin, cut(_beside(script, scope)), None, partition)
        for script, scope in rest["workers"]
    ]


def _beside(script: str, scope: str) -> str:
    """What the registration of a service worker keeps beside the script's path: its query, and a scope of its own."""
    where, _, query = script.partition("?")
    return f"{query} {scope}".strip() if scope != f"{where.rpartition('/')[0]}/" else query


def partition_of(storage_key: str) -> str | None:
    """The top-level site in a serialized storage key, such as `https://b.test/^0https://a.test` (Chromium,
    blink::StorageKey); None for what belongs to the page itself."""
    _, caret, rest = storage_key.partition("^")
    if not caret:
        return None
    for part in ("^" + rest).split("^")[1:]:
        if part.startswith("0"):
            return part[1:]
    return None


def origin_of(url: str) -> str:
    where = urlsplit(url)
    return f"{where.scheme}://{where.netloc}" if where.netloc else ""


def in_order(stored: list[Stored]) -> tuple[Stored, ...]:
    """Without what two frames of one origin both told, in a fixed order."""
    seen: dict[tuple[Any, ...], Stored] = {}
    for each in stored:
        path = each.cookie.path if each.cookie else ""
        domain = each.cookie.domain if each.cookie else ""
        seen.setdefault((each.kind, each.origin, each.partition or "", each.name, domain, path), each)
    return tuple(seen[key] for key in sorted(seen))


__all__ = ["LOOK", "LOOK_DEEP", "deep", "in_order", "keys", "origin_of", "partition_of"]
