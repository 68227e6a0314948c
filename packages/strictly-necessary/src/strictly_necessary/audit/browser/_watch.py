"""Everything that belongs to one person's browser context: pages, frames, workers and service workers, each with the
probe in it before its first line runs, and their events, which become the recording of the visit."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from strictly_necessary.audit import probe
from strictly_necessary.audit._observation import State, Trouble
from strictly_necessary.audit.browser import _ahead
from strictly_necessary.audit.browser._image import LONGEST, dimensions
from strictly_necessary.audit.browser._network import Network, sent_text
from strictly_necessary.audit.browser._protocol import Connection, told_by
from strictly_necessary.audit.browser._recording import LONGEST_TEXT, Recording

WORLD = "strictly-audit"
"""The isolated world of the audit in each frame."""

MOST_POPUPS = 5
MOST_DIALOGS = 20
MOST_DOCUMENTS = 8
"""Documents that one visit may show by itself before it is stopped."""

_FILTER = [{"type": kind, "exclude": True} for kind in ("browser_ui", "browser", "tab")]
EVERYTHING = {
    "autoAttach": True,
    "waitForDebuggerOnStart": True,
    "flatten": True,
    "filter": [*_FILTER, {}],
}
_SHARED = [{"type": kind, "exclude": True} for kind in ("service_worker", "shared_worker")]
_BELOW = {**EVERYTHING, "filter": [*_SHARED, *_FILTER, {}]}
"""Workers that belong to no page are attached once, by the browser."""

_GPC = (
    "Object.defineProperty((globalThis.Navigator || globalThis.WorkerNavigator).prototype, 'globalPrivacyControl',"
    " { get() { return true; }, enumerable: true, configurable: true });"
)
_BUFFERS = {"maxPostDataSize": LONGEST_TEXT, "maxTotalBufferSize": 4_194_304, "maxResourceBufferSize": 65_536}
"""Bytes. Of what comes, only small images are asked for."""

_DOCUMENTS = frozenset({"page", "iframe"})


@dataclass(slots=True)
class Session:
    """One attached target. `frame` is its own frame's id, for pages and frames."""

    id: str
    target: str
    type: str
    url: str

    @property
    def worker(self) -> str | None:
        return None if self.type in _DOCUMENTS else self.url


@dataclass(slots=True)
class Frame:
    id: str
    parent: str | None
    session: str
    url: str = "about:blank"
    world: int | None = None


@dataclass(slots=True)
class Watch:
    """One person's targets. Attributes that are public here are read by `Tab`."""

    connection: Connection
    context: str
    state: State
    agent: Mapping[str, Any] = field(default_factory=dict)
    """What the browser calls itself: parameters of `Network.setUserAgentOverride`, if any."""

    sessions: dict[str, Session] = field(default_factory=dict)
    frames: dict[str, Frame] = field(default_factory=dict)
    contexts: dict[tuple[str, int], str] = field(default_factory=dict)
    """The frame of each script context, by session and number."""

    recording: Recording = field(default_factory=Recording)
    network: Network = field(init=False)
    target: str = ""
    """The tab's target; empty while there is none."""

    page: str = ""
    """The tab's session."""

    expecting: bool = False
    """A tab has been asked for, and its target is not there yet."""

    ready: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set with each event; who waits clears it."""

    loaded: bool = False
    crashed: bool = False
    broken: bool = False
    """The tab is of no use any more, though it has not crashed."""

    leaving: bool = False
    """The visit is over."""

    expired: int = 0
    """How often the page's clock has used up its budget."""

    navigations: int = 0
    """Documents that the tab has shown since the recording began."""

    stopped: bool = False
    """The page shows one document after another, and was stopped."""

    holds: bool = False
    """The tab must not leave its page: navigations are refused."""

    popups: int = 0
    dialogs: int = 0
    origins: set[str] = field(default_factory=set)
    storage_keys: set[str] = field(default_factory=set)
    """Of every frame that was looked at: whose storage there is to remove."""

    def __post_init__(self) -> None:
        self.network = Network(self.recording)

    def record(self, recording: Recording) -> None:
        """From now on, what happens belongs there."""
        recording.lives = self.recording.lives
        self.recording = recording
        self.network = Network(recording)
        self.loaded = self.stopped = self.leaving = False
        self.navigations = self.popups = self.dialogs = 0

    async def wait(self, limit: float) -> None:
        """Until something happens, or for so many seconds."""
        self.changed.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.changed.wait(), limit)

    @property
    def alive(self) -> bool:
        """Whether there is a tab that can be asked something."""
        return bool(self.page) and not self.crashed and not self.broken and not self.connection.lost.is_set()

    @property
    def top(self) -> str:
        frame = self.frames.get(self.target)
        return frame.url if frame else ""

    # What comes and goes -----------------------------------------------------------------------------------------

    def attached(self, params: dict[str, Any]) -> None:
        info, session = params["targetInfo"], params["sessionId"]
        kind: str = info["type"]
        own = Session(session, info["targetId"], kind, info["url"])
        if kind == "page" and not self._is_ours(info):
            self._popup(info, session)
            return
        self.sessions[session] = own
        self.recording.events += 1
        post = self.connection.post
        post("Network.enable", _BUFFERS, session)
        if kind in _DOCUMENTS:
            self._prepare_document(own)
        else:
            self._prepare_worker(own)
        post("Target.setAutoAttach", _BELOW, session)
        post("Runtime.runIfWaitingForDebugger", None, session)
        if kind == "page":
            self.target, self.page, self.expecting = own.target, session, False
            self.frames[own.target] = Frame(own.target, None, session)
            self.ready.set()

    def _prepare_document(self, own: Session) -> None:
        post, session = self.connection.post, own.id
        post("Runtime.enable", None, session)
        post("Runtime.addBinding", {"name": probe.BINDING}, session)
        post("Page.enable", None, session)
        post("Inspector.enable", None, session)
        self._prepare_state(session)
        if self.state is State.GPC:
            post("Page.addScriptToEvaluateOnNewDocument", {"source": _GPC, "runImmediately": True}, session)
        post("Page.addScriptToEvaluateOnNewDocument", {"source": probe.SOURCE, "runImmediately": True}, session)
        post("Runtime.addBinding", {"name": _ahead.BINDING, "executionContextName": WORLD}, session)
        post("Page.addScriptToEvaluateOnNewDocument", {"source": _ahead.SOURCE, "worldName": WORLD}, session)
        if own.type == "iframe":
            self.frames[own.target] = Frame(own.target, self.target, session, own.url)

    def _prepare_worker(self, own: Session) -> None:
        """A worker's interfaces are complete only when its script is about to run, so the probe waits until then."""
        post, session = self.connection.post, own.id
        post("Runtime.addBinding", {"name": probe.BINDING}, session)
        self._prepare_state(session)
        post("Debugger.enable", None, session)
        post("Debugger.setInstrumentationBreakpoint", {"instrumentation": "beforeScriptExecution"}, session)
        self.recording.flying.add(session)

    def _paused_worker(self, _params: dict[str, Any], own: Session) -> None:
        post, recording = self.connection.post, self.recording
        source = f"{_GPC}\n{probe.SOURCE}" if self.state is State.GPC else probe.SOURCE
        post("Runtime.evaluate", {"expression": source}, own.id)
        gone_on = post("Debugger.disable", None, own.id)
        gone_on.add_done_callback(lambda _: recording.flying.discard(own.id))

    def _prepare_state(self, session: str) -> None:
        post = self.connection.post
        if self.state is State.GPC:
            post("Network.setExtraHTTPHeaders", {"headers": {"Sec-GPC": "1"}}, session)
        if self.state is State.NO_JAVASCRIPT:
            post("Emulation.setScriptExecutionDisabled", {"value": True}, session)
        if self.agent:
            post("Network.setUserAgentOverride", self.agent, session)

    def _is_ours(self, info: dict[str, Any]) -> bool:
        return self.expecting and not info.get("openerId")

    def _popup(self, info: dict[str, Any], session: str) -> None:
        """It shares the process of the page that opened it, which stands still as long as the window waits for us."""
        self.connection.post("Runtime.runIfWaitingForDebugger", None, session)
        self.connection.post("Target.closeTarget", {"targetId": info["targetId"]})
        self.recording.events += 1

    def _window(self, params: dict[str, Any], _own: Session) -> None:
        """A page asks for another window; it is closed as soon as it is there."""
        self.popups += 1
        if self.popups <= MOST_POPUPS:
            where = f" for {params['url']}" if params["url"] else ""
            self.recording.mishap(Trouble.POPUP, f"the page wanted another window{where}; it did not get it")
        elif self.popups == MOST_POPUPS + 1:
            self.recording.mishap(Trouble.POPUP, f"the page wanted more than {MOST_POPUPS} windows")

    def detached(self, session: str) -> None:
        self.connection.forget(session)
        gone = self.sessions.pop(session, None)
        self.recording.flying.discard(session)
        for frame in [each.id for each in self.frames.values() if each.session == session]:
            del self.frames[frame]
        if gone is not None and session == self.page:
            self.gone()
        self.recording.events += 1
        self.changed.set()

    def gone(self) -> None:
        """There is no tab any more."""
        self.holds = self.crashed = self.broken = False
        self.target = self.page = ""
        self.frames.clear()
        self.contexts.clear()
        self.ready.clear()

    # Events ------------------------------------------------------------------------------------------------------

    def take(self, event: str, params: dict[str, Any], session: str) -> None:
        """One event of one of the sessions."""
        own = self.sessions.get(session)
        if own is None:
            return
        domain, _, name = event.partition(".")
        if domain == "Network":
            self._network(name, params, own)
        elif event == "Runtime.bindingCalled":
            if params["name"] == probe.BINDING:
                self._batch(params, own)
            elif params["name"] == _ahead.BINDING:
                self.network.ahead(*_ahead.read(params["payload"]), frame=self._document_of(params, own), top=self.top)
        elif handler := _EVENTS.get(event):
            handler(self, params, own)
        else:
            return
        self.changed.set()

    def _network(self, name: str, params: dict[str, Any], own: Session) -> None:
        frame, top = self.top, self.top
        known = self.frames.get(params.get("frameId", ""))
        if name == "requestWillBeSent" and params.get("type") == "Document" and known is not None:
            parent = self.frames.get(known.parent or "")
            if parent is None:
                frame = top = params["request"]["url"]
            else:
                frame = parent.url
        elif known is not None:
            frame = known.url
        elif own.worker is None:
            frame = params.get("documentURL", frame)
        self.network.take(name, params, frame=frame, top=top, worker=own.worker)
        if name == "requestWillBeSent" and params["request"].get("hasPostData"):
            self._ask_body(params["requestId"], own.id)
        elif name == "loadingFinished" and params.get("encodedDataLength", 0) <= LONGEST:
            self._ask_image(params["requestId"], own.id)

    def _ask_body(self, chain: str, session: str) -> None:
        """What is sent is in the event only if it is short."""
        hop = self.network.last(chain)
        if hop is None or hop.sent:
            return
        answer = self.connection.post("Network.getRequestPostData", {"requestId": chain}, session)
        answer.add_done_callback(lambda done: hop.sent.extend(sent_text(told_by(done))))

    def _ask_image(self, chain: str, session: str) -> None:
        hop = self.network.last(chain)
        if hop is None or hop.type != "image" or hop.status != HTTPStatus.OK:
            return
        length = hop.headers.get("content-length", "")
        if length.isdigit() and int(length) > LONGEST:  # from the cache nothing is received, whatever its size
            return
        answer = self.connection.post("Network.getResponseBody", {"requestId": chain}, session)

        def look(done: asyncio.Future[dict[str, Any]]) -> None:
            told = told_by(done)
            if told.get("base64Encoded"):
                hop.image = dimensions(base64.b64decode(told["body"]))

        answer.add_done_callback(look)

    def _batch(self, params: dict[str, Any], own: Session) -> None:
        self.recording.batch(params["payload"], self._document_of(params, own), own.worker)

    def _document_of(self, params: dict[str, Any], own: Session) -> str:
        """The address of the document whose script called a binding."""
        frame = self.frames.get(self.contexts.get((own.id, params["executionContextId"]), ""))
        return self._address(frame) if frame else self.top

    def _address(self, frame: Frame) -> str:
        """Of the document, or of the one that made it if it has none of its own."""
        while not frame.url.startswith(("http:", "https:")) and frame.parent and (up := self.frames.get(frame.parent)):
            frame = up
        return frame.url

    def _frame_attached(self, params: dict[str, Any], own: Session) -> None:
        known = self.frames.get(params["frameId"])
        if known is None:
            self.frames[params["frameId"]] = Frame(params["frameId"], params["parentFrameId"], own.id)

    def _frame_navigated(self, params: dict[str, Any], own: Session) -> None:
        told = params["frame"]
        frame = self.frames.setdefault(told["id"], Frame(told["id"], told.get("parentId"), own.id))
        frame.url, frame.session = told["url"] + told.get("urlFragment", ""), own.id
        if told.get("securityOrigin", "").startswith("http"):
            self.origins.add(told["securityOrigin"])
        if told["id"] == self.target:
            self.frames = {self.target: frame}  # those of the document before are gone, told or not
            self.navigations += 1
            self.loaded = False
            if self.navigations > MOST_DOCUMENTS and not self.stopped:
                self.stopped = True
                self.recording.mishap(
                    Trouble.REDIRECTS, f"the page went on to another more than {MOST_DOCUMENTS} times by itself"
                )
                self.connection.post("Page.stopLoading", None, own.id)
                self.hold(holds=True)
        self.recording.events += 1

    def _frame_detached(self, params: dict[str, Any], _own: Session) -> None:
        if params.get("reason") != "swap":
            self.frames.pop(params["frameId"], None)

    def _within_document(self, params: dict[str, Any], _own: Session) -> None:
        if frame := self.frames.get(params["frameId"]):
            frame.url = params["url"]

    def _load(self, _params: dict[str, Any], own: Session) -> None:
        if own.id == self.page and self.top != "about:blank":  # that of the page before is told when the next is asked
            self.loaded = True

    def _context(self, params: dict[str, Any], own: Session) -> None:
        told = params["context"]
        frame = self.frames.get(told.get("auxData", {}).get("frameId", ""))
        if frame is None:
            return
        self.contexts[own.id, told["id"]] = frame.id
        if told["name"] == WORLD:
            frame.world = told["id"]

    def _context_gone(self, params: dict[str, Any], own: Session) -> None:
        gone = params["executionContextId"]
        frame = self.frames.get(self.contexts.pop((own.id, gone), ""))
        if frame is not None and frame.world == gone:
            frame.world = None

    def _contexts_gone(self, _params: dict[str, Any], own: Session) -> None:
        self.contexts = {key: frame for key, frame in self.contexts.items() if key[0] != own.id}
        for each in self.frames.values():
            if each.session == own.id:
                each.world = None

    def download(self, params: dict[str, Any]) -> None:
        """The page gave a file instead of showing something. The browser has refused it."""
        self.recording.mishap(Trouble.DOWNLOAD, f"{params['url']} is a file to download; it was refused")
        self.recording.events += 1
        self.changed.set()

    def _dialog(self, params: dict[str, Any], own: Session) -> None:
        kind = params["type"]
        self.dialogs += 1
        self.recording.events += 1
        if self.dialogs > MOST_DIALOGS:
            self._give_up(f"it opened more than {MOST_DIALOGS} dialogs")
            return
        self.connection.post("Page.handleJavaScriptDialog", {"accept": kind == "beforeunload"}, own.id)
        if kind != "beforeunload" or not self.leaving:
            self.recording.mishap(Trouble.DIALOG, f"the page opened a dialog ({kind}); it was closed")

    def _give_up(self, why: str) -> None:
        """The page cannot be stopped otherwise: its tab is not used any more, and closed at the end."""
        if not self.broken:
            self.broken = True
            self.recording.mishap(Trouble.TOO_MUCH, f"{why}; the page was closed")

    def _crash(self, _params: dict[str, Any], own: Session) -> None:
        if own.id == self.page:
            self.crashed = True
            if not self.leaving:
                self.recording.mishap(Trouble.CRASH, "the page crashed the browser's tab")

    def _paused(self, params: dict[str, Any], own: Session) -> None:
        """A document was asked for while the tab has to stay. What frames load is their business."""
        request = {"requestId": params["requestId"]}
        if self.holds and params.get("frameId") == self.target:
            self.connection.post("Fetch.failRequest", {**request, "errorReason": "Aborted"}, own.id)
            if not self.stopped:
                url = params["request"]["url"]
                self.recording.mishap(Trouble.LEFT, f"the page wanted to go on to {url}; it was kept")
        else:
            self.connection.post("Fetch.continueRequest", request, own.id)

    def hold(self, *, holds: bool) -> None:
        """Whether the tab stays where it is, whatever the page wants."""
        if holds == self.holds or not self.page:
            return
        self.holds = holds
        if holds:
            patterns = [{"urlPattern": "*", "resourceType": "Document", "requestStage": "Request"}]
            self.connection.post("Fetch.enable", {"patterns": patterns}, self.page)
        else:
            self.connection.post("Fetch.disable", None, self.page)

    def _expired(self, _params: dict[str, Any], own: Session) -> None:
        if own.id == self.page:
            self.expired += 1


_EVENTS: dict[str, Any] = {
    "Page.frameAttached": Watch._frame_attached,
    "Page.frameNavigated": Watch._frame_navigated,
    "Page.frameDetached": Watch._frame_detached,
    "Page.navigatedWithinDocument": Watch._within_document,
    "Page.loadEventFired": Watch._load,
    "Page.windowOpen": Watch._window,
    "Page.javascriptDialogOpening": Watch._dialog,
    "Runtime.executionContextCreated": Watch._context,
    "Runtime.executionContextDestroyed": Watch._context_gone,
    "Runtime.executionContextsCleared": Watch._contexts_gone,
    "Debugger.paused": Watch._paused_worker,
    "Fetch.requestPaused": Watch._paused,
    "Inspector.targetCrashed": Watch._crash,
    "Emulation.virtualTimeBudgetExpired": Watch._expired,
}
