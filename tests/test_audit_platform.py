"""The platform keeps its own promise: every page of it in a real browser, in every state, without a finding or a
waiver."""

import io
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from PIL import Image

import mixip
from strictly_necessary import Kind, load
from strictly_necessary.audit import Judgement, Observation, Plan, State, judge, observe
from strictly_necessary.audit._apart import run_apart
from strictly_necessary.audit._observation import COVERED
from strictly_necessary.pytest_plugin import in_words
from tests.support.balancer import balanced
from tests.support.media import make_video
from tests.support.people import PASSWORD, Person, new_person
from tests.support.platform import PlatformThread, RunningPlatform, undeclared

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]  # some 300 visits, on any machine

POLICY = Path(mixip.__file__).parent / "legal/policy.toml"
ACTS = Path(__file__).parent.parent / "packages/mixip/audit/acts.toml"

UNLINKED = (
    "/legal",
    "/help",
    "/legal/consent",
    "/legal/changes/1/policy",
    "/legal/cookies/de/changes/1/policy",
    "/legal/cookies/fr/consent",
    "/account/privacy",
)
"""Where redirects, answers to forms and old versions lead, and no link does from everywhere."""

NO_PAGES = {
    "/static/{prefix:str}/{path:path}": "/static/0/look/base.css",
    "/healthz": "/healthz",
    "/readyz": "/readyz",
    "/robots.txt": "/robots.txt",
    "/favicon.ico": "/favicon.ico",
    "/.well-known/oauth-authorization-server": "/.well-known/oauth-authorization-server",
    "/legal/changes.atom": "/legal/changes.atom",
    "/legal/cookies/{language:str}/changes.atom": "/legal/cookies/de/changes.atom",
    "/account/privacy/receipts.json": "/account/privacy/receipts.json",
    "/schema": "/schema",
    "/schema/openapi.json": "/schema/openapi.json",
    "/schema/{path:str}": "/schema/none",
}
"""Routes that answer programs, and where each is asked. Those below /api are found by their address."""


@dataclass(frozen=True)
class Audited:
    """One audit of the platform, which all tests look at."""

    platform: RunningPlatform
    owner: Person
    observation: Observation
    judgement: Judgement


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (640, 480), (200, 60, 20)).save(buffer, "PNG")
    return buffer.getvalue()


def furnish(owner: Person, folder: Path) -> str:
    """A work with everything that pages show: a picture and a video with their previews, and a delivery that is not
    done. Its id."""
    work = owner.create_work("Night Bus")
    delivered = [
        owner.deliver(work, "still.png", picture()),
        owner.deliver(work, "clip.mp4", make_video(folder / "clip.mp4", seconds=1).read_bytes()),
    ]
    delivery = owner.open_delivery(work, "master.mov", 12 * 1024 * 1024)
    first = bytes(delivery["plan"][0]["length"])
    assert owner.send(delivery, 0, first).status_code == 204
    deadline = time.monotonic() + 60
    for file in delivered:
        while owner.get(f"/api/files/{file['id']}").json()["facts_state"] == "pending":
            assert time.monotonic() < deadline, "no facts after a minute"
            time.sleep(0.1)
    return work


def authorize() -> str:
    """The page on which people let the desktop app in."""
    asked = {
        "response_type": "code",
        "client_id": "mixip-transfer",
        "redirect_uri": "http://127.0.0.1:49152/callback",
        "state": "s" * 22,
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
        "device": "Cutting room",
    }
    return f"/oauth/authorize?{urlencode(asked)}"


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    folder = tmp_path_factory.mktemp("audited")
    with PlatformThread(folder / "data") as platform, httpx.Client(base_url=platform.url, timeout=60) as http:
        owner = new_person(http, "audit")
        assert owner.sign_up().status_code == 303
        work = furnish(owner, folder)
        declaration = load(POLICY)
        with balanced(platform.url) as url, pytest.MonkeyPatch.context() as patch:
            patch.setenv("AUDIT_EMAIL", owner.email)
            patch.setenv("AUDIT_PASSWORD", PASSWORD)
            addresses = (*UNLINKED, f"/works/{work}", authorize())
            plan = Plan(url, script=ACTS, addresses=addresses, screenshots=False)
            observation = run_apart(observe(plan, declaration))
        yield Audited(platform, owner, observation, judge(observation, declaration))
        assert undeclared(platform) == [], "and its own guards had nothing to tell"


def test_nothing_is_found_and_nothing_is_waived(audited: Audited) -> None:
    assert [in_words(finding) for finding in audited.judgement.findings] == []


def test_every_declared_item_was_seen_and_holds(audited: Audited) -> None:
    assert {proof.item for proof in audited.judgement.items if proof.holds} == {item.id for item in load(POLICY).items}


def test_every_page_was_looked_at_whole(audited: Audited) -> None:
    troubles = {
        (visit.state, visit.url, mishap.message)
        for visit in audited.observation.visits()
        for mishap in visit.mishaps
        if mishap.trouble not in COVERED and not urlsplit(visit.url).path.endswith("/changes.atom")
    }
    assert troubles == set(), "but for the feeds, which are no pages"
    took_place = {run.state for run in audited.observation.runs if run.skipped is None}
    assert took_place >= set(State) - {State.GIVEN, State.REFUSED}


def test_the_audit_reached_every_page_route(audited: Audited) -> None:
    """The route table says what pages there are; those that answer programs are asked, and say so."""
    seen = {
        urlsplit(request.url).path
        for visit in audited.observation.visits()
        for request in visit.requests
        if request.type == "document"
    }
    missed = []
    for route in audited.platform.parts.api.routes:
        if "GET" not in {method for handler in route.route_handlers for method in handler.http_methods}:  # type: ignore[union-attr]
            continue
        if route.path in NO_PAGES:
            answer = audited.owner.get(NO_PAGES[route.path])
            is_page = "text/html" in answer.headers.get("content-type", "") and answer.status_code != 404
            assert not is_page, route.path
        elif not route.path.startswith("/api/"):
            pattern = re.compile(re.sub(r"\{\w+:\w+\}", "[^/]+", route.path))
            missed += [] if any(map(pattern.fullmatch, seen)) else [route.path]
    assert missed == []


def test_a_member_sees_the_preview_and_the_delivery_in_progress(audited: Audited) -> None:
    asked = {
        (urlsplit(request.url).path.rpartition("/")[2], request.status)
        for visit in audited.observation.visits(State.SIGNED_IN)
        for request in visit.requests
    }
    assert ("preview", 200) in asked
    kept = {
        (item.kind, item.name)
        for visit in audited.observation.visits(State.SIGNED_IN)
        for snapshot in visit.snapshots
        for item in snapshot.stored
    }
    names = {item.name for item in load(POLICY).items if item.kind is Kind.COOKIE and not item.is_pattern}
    assert kept == {(Kind.COOKIE, name) for name in names | {"AWSALB"}}


def test_after_signing_out_only_the_balancer_is_left(audited: Audited) -> None:
    visits = audited.observation.visits(State.SIGNED_OUT)
    assert visits
    for visit in visits:
        assert {item.name for item in visit.snapshots[-1].stored} <= {"AWSALB"}, visit.url


def test_both_themes_and_every_accent_were_chosen(audited: Audited) -> None:
    values: dict[str, set[str]] = {}
    for visit in audited.observation.visits():
        for snapshot in visit.snapshots:
            for item in snapshot.stored:
                if item.kind is Kind.LOCAL:
                    values.setdefault(item.name, set()).add(item.value)
    assert values == {item.name: set(item.values) for item in load(POLICY).items if item.kind is Kind.LOCAL}
