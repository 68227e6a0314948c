"""Observations made by hand: what a browser would have seen on a small site."""

from __future__ import annotations

from collections.abc import Mapping

from strictly_necessary.audit._finding import AuditFinding, Judgement
from strictly_necessary.audit._observation import (
    Act,
    Cookie,
    Deed,
    Link,
    Mishap,
    Observation,
    Place,
    Request,
    Run,
    Snapshot,
    State,
    Stored,
    Visit,
    Write,
)
from strictly_necessary.audit.judge import judge
from strictly_necessary.declaration import Declaration, examine
from strictly_necessary.declaration._items import Jurisdiction, Kind

SITE = "https://shop.example"
DAY = 86_400.0
ACTS = (Act(Deed.LOAD), Act(Deed.WAIT), Act(Deed.SCROLL), Act(Deed.MOVE), Act(Deed.CLICK, 'button "Dark"'))
LOAD, WAIT, SCROLL, MOVE, CLICK = range(5)

ADA = "7f3c9a52e81b4d06a1c5"
"""An identifier of the first browser, BEN of the next, CYD of a third."""

BEN = "b02d7e64f9a8135cc07e"
CYD = "19ce44fd0b7a82e6f3d1"

_POLICY = """
[policy]
service = "Shop"
operator = "Shop Ltd"
contact = "privacy@shop.example"
version = "1"
last_updated = 2026-11-23
jurisdictions = [{jurisdictions}]
{more}
"""


def declared(*tables: str, jurisdictions: str = '"EU"', policy: str = "") -> Declaration:
    """A declaration of these tables, whatever the rules say about them."""
    text = "\n".join((_POLICY.format(jurisdictions=jurisdictions, more=policy), *tables))
    declaration, findings = examine(text.encode(), "policy.toml")
    assert declaration is not None, findings
    wrong = [each for each in findings if each.code.startswith("SN0")]
    assert not wrong, wrong
    return declaration


def item(name: str, kind: str = "cookie", **keys: object) -> str:
    """The table of an item; `keys` are written over its defaults, and None leaves one out."""
    shown: dict[str, object] = {
        "id": name.strip("_*/").lower().replace("_", "-").replace("/", "-") or "item",
        "name": name,
        "kind": kind,
        "category": "user-input",
        "purpose": "Keeps the basket.",
        "provider": "Shop Ltd",
        "lifetime": "session" if kind in {"cookie", "session"} else "12 hours",
        "set_when": "You shop.",
        "set_by": "server" if kind == "cookie" else "script",
    }
    if kind == "cookie":
        shown |= {"http_only": False, "secure": True, "same_site": "Lax", "path": "/", "readable_by_application": True}
    if keys.get("set_by", shown["set_by"]) == "script":
        shown["script"] = "/app.js"
    return _table("[[items]]", shown | keys)


def party(host: str) -> str:
    """The table of a third party."""
    return _table(
        "[[third_parties]]",
        {
            "name": "Maps Ltd",
            "host": host,
            "feature": "The map",
            "action": "You press Show the map.",
            "storage": "A cookie on its own domain.",
            "privacy": "https://maps.example/privacy",
        },
    )


def _table(head: str, keys: Mapping[str, object]) -> str:
    def value(each: object) -> str:
        if isinstance(each, bool):
            return str(each).lower()
        if isinstance(each, list | tuple):
            return "[" + ", ".join(f'"{one}"' for one in each) + "]"
        return f'"{each}"'

    return "\n".join([head, *(f"{key} = {value(each)}" for key, each in keys.items() if each is not None), ""])


def jar(
    name: str,
    value: str = "1",
    *,
    host: str = "shop.example",
    domain: str | None = None,
    path: str = "/",
    secure: bool = True,
    http_only: bool = False,
    same_site: str | None = "Lax",
    life: float | None = None,
    partition: str | None = None,
) -> Stored:
    """A cookie as the browser keeps it."""
    cookie = Cookie(domain or host, path, secure, http_only, same_site, life, partition)
    return Stored(Kind.COOKIE, name, f"//{(domain or host).lstrip('.')}", value, cookie, partition)


def key(name: str, value: str = "1", *, kind: Kind = Kind.LOCAL, origin: str = SITE) -> Stored:
    """A key, or with another kind a database, a cache, a file or a worker."""
    return Stored(kind, name, origin, value)


def header(
    name: str,
    value: str = "1",
    *,
    act: int = LOAD,
    attributes: str = "Path=/; Secure; SameSite=Lax",
    address: str = f"{SITE}/",
    life: float | None = None,
    refused: str | None = None,
    request: int | None = None,
) -> Write:
    """A Set-Cookie of an answer."""
    line = f"{name}=…; {attributes}"
    return Write(
        Kind.COOKIE,
        name,
        address,
        act,
        line,
        frame=address,
        value=value,
        life=life,
        refused=refused,
        removes=life == 0,
        request=request,
    )


def script(
    name: str,
    value: str = "1",
    *,
    kind: Kind = Kind.LOCAL,
    act: int = LOAD,
    url: str = f"{SITE}/app.js",
    frame: str = f"{SITE}/",
    life: float | None = None,
    removes: bool = False,
    refused: str | None = None,
) -> Write:
    """What a script wrote."""
    stack = (Place(url, 12, 7, "keep"), Place(f"{SITE}/", 3, 1)) if url else ()
    return Write(
        kind, name, url, act, stack=stack, frame=frame, value=value, life=life, removes=removes, refused=refused
    )


def request(
    url: str,
    *,
    type: str = "script",  # noqa: A002 - the name of the field
    act: int = LOAD,
    method: str = "GET",
    status: int = 200,
    top: str = f"{SITE}/",
    sent: tuple[str, ...] = (),
    redirect_from: int | None = None,
    image: tuple[int, int] | None = None,
    failure: str | None = None,
    headers: Mapping[str, str] | None = None,
    asked: Mapping[str, str] | None = None,
) -> Request:
    return Request(
        url,
        method,
        type,
        act,
        top,
        top,
        status,
        failure,
        sent,
        redirect_from=redirect_from,
        image=image,
        headers=headers or {},
        asked=asked or {},
    )


def page(url: str, **keys: object) -> Request:
    """The request by which a whole page goes somewhere."""
    return request(url, type="document", top=url, **keys)  # type: ignore[arg-type]


def visit(
    *stored: Stored,
    state: State = State.VISIT,
    path: str = "/",
    acts: tuple[Act, ...] = ACTS,
    act: int = WAIT,
    snapshots: Mapping[int, tuple[Stored, ...]] | None = None,
    writes: tuple[Write, ...] = (),
    requests: tuple[Request, ...] = (),
    links: tuple[Link, ...] = (),
    mishaps: tuple[Mishap, ...] = (),
    status: int = 200,
    address: str | None = None,
    screenshot: bytes | None = None,
    title: str = "Shop",
) -> Visit:
    """One page, with what is kept after the act `act`, or after each act of `snapshots`."""
    url = f"{SITE}{path}"
    seen = snapshots if snapshots is not None else {act: stored}
    return Visit(
        state,
        url,
        address or url,
        title=title,
        status=status,
        acts=acts,
        snapshots=tuple(Snapshot(at, each) for at, each in sorted(seen.items())),
        writes=writes,
        requests=requests,
        links=links,
        mishaps=mishaps,
        screenshot=screenshot,
    )


def observed(*visits: Visit, names: Mapping[str, tuple[str, ...]] | None = None, url: str = f"{SITE}/") -> Observation:
    """An audit of these visits; those of one state are one run."""
    states = list(dict.fromkeys(each.state for each in visits))
    runs = tuple(Run(state, tuple(each for each in visits if each.state is state)) for state in states)
    return Observation(url, "Chromium 156", runs, names or {})


def judged(
    *visits: Visit,
    by: Declaration | None,
    names: Mapping[str, tuple[str, ...]] | None = None,
    jurisdictions: tuple[Jurisdiction, ...] = (),
) -> Judgement:
    return judge(observed(*visits, names=names), by, jurisdictions=jurisdictions)


def found(judgement: Judgement, code: str) -> AuditFinding:
    """The one finding with this code."""
    (finding,) = [each for each in judgement.findings if each.code == code]
    return finding


def codes(judgement: Judgement) -> list[str]:
    return [each.code for each in judgement.findings]
