"""An audit made by hand, with everything in it that a report can show. Nothing in it is real."""

import struct
import zlib
from dataclasses import replace
from datetime import date
from pathlib import Path

from strictly_necessary import Severity, load
from strictly_necessary._codes import FIXES, WARNINGS
from strictly_necessary.audit import (
    Act,
    AuditFinding,
    Deed,
    Evidence,
    ItemProof,
    Judgement,
    Observation,
    Plan,
    Report,
    Sighting,
    State,
    Visit,
    Waiver,
    make_report,
    waive,
)
from strictly_necessary.audit._observation import Mishap, Place, Run, Snapshot, Stored, Trouble
from strictly_necessary.audit._report import Party
from strictly_necessary.declaration._items import Kind

DECLARATION = Path(__file__).parent / "example.toml"
SITE = "https://larder.example"
SECRET = "8f3a1c77d2e94b06a5d1"
"""A value that the browser kept: it must not be in any report."""

TODAY = date(2026, 11, 23)
WAIVERS = (
    Waiver(
        "SN420", "request to fonts.example.net*", "The fonts move to our host in March.", date(2027, 3, 31), "w.toml:1"
    ),
    Waiver("SN430", "canvas drawn by *", "Nobody remembers.", date(2026, 1, 31), "w.toml:7"),
)


def png(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    """A picture of one colour with a darker bar on top, as a page has one."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    bar = bytes(each // 2 for each in colour)
    rows = b"".join(b"\0" + (bar if y < height // 8 else bytes(colour)) * width for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def visit(state: State, path: str, **others: object) -> Visit:
    colour = (228, 226, 219) if path == "/" else (214, 226, 236)
    made = Visit(
        state,
        f"{SITE}{path}",
        f"{SITE}{path}",
        "Larder" if path == "/" else "Recipes",
        200,
        acts=(Act(Deed.LOAD), Act(Deed.WAIT)),
        snapshots=(Snapshot(1, (Stored(Kind.COOKIE, "_visitor", "//larder.example", SECRET),)),),
        screenshot=png(64, 40, colour),
    )
    return replace(made, **others)  # type: ignore[arg-type]


OBSERVATION = Observation(
    SITE + "/",
    "Chromium 156.0.7444.59",
    (
        Run(
            State.VISIT, (visit(State.VISIT, "/"), visit(State.VISIT, "/recipes?sort=name"), visit(State.VISIT, "/app"))
        ),
        Run(State.SIGNED_IN, skipped="no script says how to sign in"),
        Run(
            State.GPC,
            (
                visit(State.GPC, "/"),
                visit(State.GPC, "/recipes?sort=name", mishaps=(Mishap(Trouble.DIALOG, 'alert: "Welcome"'),)),
                visit(
                    State.GPC,
                    "/old",
                    address="",
                    title="",
                    status=0,
                    screenshot=None,
                    mishaps=(Mishap(Trouble.REDIRECTS, "it leads from one address to the next 20 times"),),
                ),
            ),
        ),
        Run(State.NO_COOKIES, (visit(State.NO_COOKIES, "/"),)),
    ),
    {},
    "2026-11-23T22:15:04Z",
    12.34,
)

_HOME, _RECIPES = f"{SITE}/", f"{SITE}/recipes?sort=name"


def finding(
    code: str,
    subject: str,
    message: str,
    *sightings: Sighting,
    item: str | None = None,
    evidence: Evidence | None = None,
) -> AuditFinding:
    severity = Severity.WARNING if code in WARNINGS else Severity.ERROR
    return AuditFinding(code, severity, subject, message, FIXES[code], sightings, evidence or Evidence(), item)


FINDINGS = (
    finding(
        "SN401",
        "cookie _visitor of larder.example",
        "nothing declares it, and a script wrote it for 400 days",
        Sighting(State.VISIT, _HOME, "load"),
        Sighting(State.VISIT, _RECIPES, "load"),
        Sighting(State.GPC, _HOME, "load"),
        Sighting(State.GPC, _RECIPES, "load"),
        Sighting(State.NO_COOKIES, _HOME, "load"),
        evidence=Evidence(
            script="https://larder.example/static/count.js?v=20261120a",
            stack=(
                Place(f"{SITE}/static/count.js", 14, 9, "remember"),
                Place(f"{SITE}/static/count.js", 41, 3, "start"),
                Place(f"{SITE}/", 88, 1),
            ),
            detail=(("life", "400 days"), ("looks like", "an identifier: 20 characters, another one in each browser")),
        ),
    ),
    finding(
        "SN403",
        "cookie size of example.org",
        "SameSite is None and not Lax; it goes along with requests from other sites",
        Sighting(State.VISIT, f"{SITE}/app", 'click button "Large"'),
        item="size",
        evidence=Evidence(
            header="size=…; Domain=example.org; Path=/app; Secure; SameSite=None; Max-Age=2592000",
            request=f"POST {SITE}/app/size?from=menu&token={SECRET}",
        ),
    ),
    finding(
        "SN420",
        "request to fonts.example.net",
        "a stylesheet is asked from another site before anybody did anything",
        Sighting(State.VISIT, _HOME, "load"),
        evidence=Evidence(request="GET https://fonts.example.net/css?family=Inter&id=8f3a1c77d2e94b06a5d1"),
    ),
    finding(
        "SN440",
        'text typed into textbox "Search"',
        "what was typed left the page while it was being typed",
        Sighting(State.VISIT, _RECIPES, 'type textbox "Search"'),
        evidence=Evidence(
            request="POST https://collect.metrics.example/e",
            script="https://collect.metrics.example/tag.js",
            stack=(Place("https://collect.metrics.example/tag.js", 1, 20311, "e.flush"),),
            detail=(("sent as", "Base64, in the body"),),
        ),
    ),
    finding(
        "SN450",
        f"page {SITE}/old",
        "it leads from one address to the next 20 times",
        Sighting(State.GPC, f"{SITE}/old", "load"),
    ),
    finding("SN402", "cookie __Host-session", "it is declared and was never seen", item="session"),
)

ITEMS = (
    ItemProof("session", "__Host-session", "cookie", (), (), (), ("SN402",)),
    ItemProof("csrf", "__Host-csrf", "cookie", (State.VISIT, State.GPC), ("load",), (f"header of {SITE}/",), ()),
    ItemProof(
        "size", "size", "cookie", (State.VISIT,), ('click button "Large"',), (f"header of {SITE}/app/size",), ("SN403",)
    ),
    ItemProof("draft", "draft_*", "cookie", (), (), (), ()),
    ItemProof("route", "ROUTE*", "cookie", (State.VISIT, State.GPC), ("load",), (f"header of {SITE}/",), ()),
    ItemProof("theme", "theme", "local", (State.VISIT,), ('click button "Dark"',), (f"{SITE}/static/theme.js",), ()),
)

PARTIES = (
    Party("example.net", ("fonts.example.net",), None, None, None, (State.VISIT, State.GPC)),
    Party("metrics.example", ("collect.metrics.example",), "Metrics GmbH", "analytics", None, (State.VISIT,)),
    Party("pay.example.com", ("pay.example.com",), None, None, "Payments Inc", (State.VISIT,)),
)


def report(
    findings: tuple[AuditFinding, ...] = FINDINGS,
    *,
    waivers: tuple[Waiver, ...] = WAIVERS,
    declared: bool = True,
    observation: Observation = OBSERVATION,
) -> Report:
    judgement = waive(Judgement(findings, ITEMS if declared else ()), waivers, TODAY)
    declaration = load(DECLARATION) if declared else None
    plan = Plan(SITE + "/", pages=20, exclude=("/admin/*",), patience=10)
    made = make_report(plan, observation, judgement, declaration, DECLARATION if declared else None, waivers=waivers)
    if made.declared:
        made = replace(made, declared=replace(made.declared, file="policy.toml"))
    return replace(made, parties=PARTIES)
