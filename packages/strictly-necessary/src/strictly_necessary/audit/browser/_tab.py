"""One page, looked at: loaded, waited for, acted on, and told as a `Visit`."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from strictly_necessary.audit._observation import Act, Deed, Snapshot, State, Stored, Trouble, Visit
from strictly_necessary.audit._plan import Plan
from strictly_necessary.audit.browser._clock import Clock
from strictly_necessary.audit.browser._cookies import Jar, stored_cookies
from strictly_necessary.audit.browser._leaving import is_silent
from strictly_necessary.audit.browser._protocol import Connection, RefusedError, told_by
from strictly_necessary.audit.browser._recording import Hop, Recording
from strictly_necessary.audit.browser._snapshot import LOOK, LOOK_DEEP, deep, in_order, keys, partition_of
from strictly_necessary.audit.browser._watch import Frame, Watch
from strictly_necessary.audit.browser._worlds import in_frame, world_of
from strictly_necessary.declaration._items import Kind

if TYPE_CHECKING:
    from strictly_necessary.audit.browser._person import Person

_BEAT = 0.012
"""Seconds of real time between two looks at whether anything still happens. What a page asks the browser itself
(databases, caches, files, workers) takes real time, and the page's clock does not wait for it."""

_QUIET = 4
"""So many beats without an event are rest."""

_BRIEF = 1
"""So many where the clock runs on and a whole rest follows."""

_STUCK = 2.5
"""Seconds of real time for a page whose requests do not end."""

_LOADING = 500
"""Milliseconds of the page's clock that belong to loading."""

_NEWS = 2.0
"""Seconds in which the reason of a failure is told, if there is one: a crash, or a download."""

_MOST_FRAMES = 200

_LEAVE = 'dispatchEvent(new PageTransitionEvent("pagehide")); location.replace("about:blank")'
"""The event is sent ahead, because the browser tells nothing of requests that a page makes while it goes."""

_HIDE = """{
    const hidden = { visibilityState: "hidden", hidden: true };
    for (const name of ["visibilityState", "hidden"]) {
        Object.defineProperty(document, name, { get: () => hidden[name], configurable: true });
    }
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
}"""
"""For the page's own world: it is told that it is hidden. The browser is not asked to hide it, because then it draws
none of the next pages in this tab, and answers no movement there for seconds."""

_ENDING = 0.3
"""Seconds in which a worker answers, unless it never pauses."""

PICTURED = frozenset({State.VISIT, State.SIGNED_IN, State.NO_COOKIES})
"""A page that stays empty without cookies is known by its picture."""

_PICTURE = {"format": "png", "optimizeForSpeed": True}
"""A fifth larger, in half the time."""

_EVALUATE = 3.0
"""Seconds that a script of ours may take in a page."""


class Tab:
    """Made by `Person.open`. Nothing here raises for what a page does."""

    def __init__(
        self,
        plan: Plan,
        connection: Connection,
        person: Person,
        watch: Watch,
        url: str,
        remembered: dict[str, tuple[Stored, ...]],
    ) -> None:
        self._plan = plan
        self._connection = connection
        self._watch = watch
        self._url = url
        self._remembered = remembered
        self._recording = Recording()
        self._since = 0
        self._deadline = time.monotonic() + plan.timeout
        self._jar = Jar()
        self._looked_at = -1
        self._late = False
        self._stuck = False
        self._clock = Clock(connection, watch)
        self.person = person

    @property
    def target_id(self) -> str:
        return self._watch.target

    @property
    def address(self) -> str:
        """Where the tab is now."""
        return self._watch.top or self._url

    @property
    def alive(self) -> bool:
        return self._watch.alive

    @property
    def stay(self) -> bool:
        """Whether the page may not leave: each attempt is a mishap, and nothing of it goes out."""
        return self._watch.holds

    @stay.setter
    def stay(self, stay: bool) -> None:
        self._watch.hold(holds=stay)

    # Loading -----------------------------------------------------------------------------------------------------

    async def load(self) -> None:
        self._watch.record(self._recording)
        arrived = False
        try:
            await ensure_tab(self._connection, self._watch)
            arrived = await self._navigate(self._url)
        except RefusedError as problem:
            await self._news()
            if not self._watch.crashed:
                self._mishap(Trouble.UNREACHABLE, f"the browser could not open the page: {problem}")
        if arrived:
            await self._loaded()
            await self._rest(_BRIEF)
            self._look_at_answer()
        self._recording.begin(Act(Deed.WAIT))
        if self.alive and arrived:
            await self._pass()
        await self._snapshot()

    async def _navigate(self, url: str) -> bool:
        """Whether there is a page now. Raises `RefusedError`."""
        watch, session = self._watch, self._watch.page
        watch.loaded = False
        answer = self._connection.post("Page.navigate", {"url": url}, session)
        while not answer.done() and self.alive and time.monotonic() < self._deadline:
            await watch.wait(0.1)
        if not answer.done():
            if self.alive:
                self._connection.post("Page.stopLoading", None, session)
                self._mishap(Trouble.TIMEOUT, f"nothing came within {self._plan.timeout:g} seconds")
            return False
        told = answer.result()
        error = told.get("errorText")
        if error is None:
            return True
        hop = self._document()
        if error == "net::ERR_ABORTED" and (hop is None or not hop.status):
            await self._news()
        if watch.crashed:
            return False
        if hop is not None and (hop.status >= 400 or hop.status in {204, 205}):
            self._mishap(Trouble.STATUS, f"the server answered {hop.status}, and nothing to show")
        else:
            self._mishap(*_network_trouble(error, url, is_download=bool(told.get("isDownload"))))
        return False

    async def _news(self) -> None:
        """A failure was answered; wait for its reason."""
        end = time.monotonic() + _NEWS
        while not self._watch.crashed and not self._recording.mishaps and time.monotonic() < end:
            await self._watch.wait(end - time.monotonic())

    async def _loaded(self) -> None:
        """Wait for the load event while the page's clock runs."""
        watch = self._watch
        self._clock.run(_LOADING)
        while self.alive and not watch.loaded and not watch.stopped:
            if time.monotonic() > self._deadline:
                self._connection.post("Runtime.terminateExecution", None, watch.page)
                self._connection.post("Page.stopLoading", None, watch.page)
                self._late = True
                self._mishap(Trouble.TIMEOUT, f"it had not loaded after {self._plan.timeout:g} seconds")
                return
            await watch.wait(0.05)
            if self._clock.is_still:
                await asyncio.sleep(0.004)
                self._clock.run(50)

    def _document(self) -> Hop | None:
        """The last answer to the request for the page."""
        own = [hop for hop in self._recording.hops if hop.type == "document" and hop.url == hop.top]
        return own[-1] if own else None

    def _look_at_answer(self) -> None:
        hop = self._document()
        if hop is None:
            return
        if hop.status >= 400:
            self._mishap(Trouble.STATUS, f"the server answered {hop.status}")
        elif hop.mime and hop.mime not in {"text/html", "application/xhtml+xml"}:
            self._mishap(Trouble.NOT_HTML, f"it is {hop.mime}, not a page")

    def _mishap(self, trouble: Trouble, message: str) -> None:
        self._recording.mishap(trouble, message)

    # Time --------------------------------------------------------------------------------------------------------

    async def _pass(self) -> None:
        """Let the page's clock run ahead; where requests do not end, without waiting for them."""
        before = frozenset(self._watch.sessions)
        left = self._plan.patience * 1000
        if not self._stuck:
            left = await self._clock.run_and_wait(left, self._left(_STUCK))
        if left > 0 and self.alive and not self._watch.stopped:
            left = await self._clock.run_and_wait(left, self._left(1.0), policy="advance")
        if left > 0 and not self._watch.stopped and not self._late and await self._clock.now() is None and self.alive:
            self._connection.post("Runtime.terminateExecution", None, self._watch.page)
            self._mishap(Trouble.TOO_MUCH, "a script ran without an end; it was ended")
        seen = self._recording.events
        await self._rest(_QUIET if seen != self._since else _BRIEF)
        if self._recording.events != seen and self.alive and not self._watch.stopped:
            # What the browser answered just now may have set a timer.
            await self._clock.run_and_wait(self._plan.patience * 1000, self._left(1.0), policy="advance")
            await self._rest(_BRIEF)
        if self.alive and self._clock.run_late_workers(self._plan.patience * 1000, before):
            await self._rest()

    def _left(self, limit: float) -> float:
        """Seconds for something that may take so many; a page that has used up its time gets a moment more."""
        return min(limit, max(self._deadline - time.monotonic(), 0.2))

    async def _rest(self, beats: int = _QUIET) -> None:
        """Until nothing happens any more for so many beats."""
        recording, quiet = self._recording, 0
        last = recording.events
        end = time.monotonic() + self._left(_STUCK)
        while quiet < beats and time.monotonic() < end and self.alive and not self._watch.stopped:
            if self._clock.is_still and quiet in {0, beats - 1}:  # what came meanwhile is seen when the clock runs
                self._clock.run(10)
            await asyncio.sleep(_BEAT)
            quiet = quiet + 1 if recording.events == last and not recording.flying else 0
            last = recording.events
        if recording.flying:  # a long poll, or a server that is asleep: not waited for again
            self._stuck = True
            recording.flying.clear()

    # Acts --------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def act(self, act: Act) -> AsyncIterator[None]:
        """What happens inside, and until the page is quiet again, belongs to the act."""
        self._recording.begin(act)
        self._since = self._recording.events
        self._deadline = time.monotonic() + self._plan.timeout
        self._watch.navigations, self._watch.stopped = 0, False
        home, before = self.address, self._recording.written
        try:
            yield
        finally:
            if self.alive:
                await self._rest(_BRIEF)
                await self._pass()
                self._look_for_leaving(act, home)
                await self._snapshot(only_if_written=before)

    def _look_for_leaving(self, act: Act, home: str) -> None:
        if self._watch.navigations and not act.told:
            went = "loaded itself anew" if self.address == home else f"went on to {self.address}"
            self._mishap(Trouble.LEFT, f"the page {went}")

    async def finish(self) -> Visit:
        """What was seen. The tab is free for the next page."""
        recording = self._recording
        if recording.events != self._looked_at:
            await self._snapshot(only_if_written=recording.written)
        screenshot = await self._screenshot() if self._is_pictured() and self.alive else None
        title = await self.evaluate("document.title") if self.alive else ""
        address, document = self.address, self._document()
        await self._park()
        recording.join()
        self._watch.record(Recording())
        return Visit(
            state=self.person.state,
            url=self._url,
            address=address,
            title=title if isinstance(title, str) else "",
            status=document.status if document else 0,
            acts=tuple(recording.acts),
            snapshots=tuple(recording.snapshots),
            writes=recording.made_writes(self._jar),
            requests=recording.made_requests(),
            calls=recording.made_calls(),
            mishaps=tuple(recording.mishaps),
            screenshot=screenshot,
        )

    async def _park(self) -> None:
        """Leave the page, so that what it does on leaving belongs to it. A tab that hangs or has crashed is closed."""
        watch = self._watch
        if not watch.page:
            return
        self.stay = False
        if self.alive and await is_silent(self._connection, watch, self._recording):
            return
        watch.leaving = True
        if self.alive and not await self._has_busy_worker() and await self._leave():
            return
        await close_tab(self._connection, watch, kills=True)

    async def _leave(self) -> bool:
        """Leave as the page itself would: then its process stays, and tells what is sent on the way out."""
        watch, before = self._watch, self._watch.navigations
        frame = watch.frames.get(watch.target)
        if frame is None:
            return False
        self._connection.post("Runtime.evaluate", {"expression": _HIDE, "timeout": 500}, watch.page)
        try:
            params = {"expression": _LEAVE, "contextId": await world_of(self._connection, frame)}
            await self._connection.ask("Runtime.evaluate", params, watch.page, limit=1.0)
        except RefusedError:
            return False
        end = time.monotonic() + 1.0
        while watch.navigations == before and watch.alive and time.monotonic() < end:
            if self._clock.is_still:
                self._clock.run(10)
            await watch.wait(0.02)
        return watch.navigations > before and watch.top == "about:blank"

    async def _has_busy_worker(self) -> bool:
        """Whether a worker never pauses. It would not end with its page, and take the time of those that follow."""
        workers = [each.id for each in self._watch.sessions.values() if each.type == "worker"]
        if not workers:
            return False
        asked = [self._connection.post("Runtime.evaluate", {"expression": "0"}, each) for each in workers]
        _, waiting = await asyncio.wait(asked, timeout=_ENDING)
        return bool(waiting)

    def _is_pictured(self) -> bool:
        """Where the person did something, and else in few states: the others show the same pages again."""
        did_something = any(act.told or act.target for act in self._recording.acts)
        return self._plan.screenshots and (self.person.state in PICTURED or did_something)

    async def _screenshot(self) -> bytes | None:
        try:
            told = await self._connection.ask("Page.captureScreenshot", _PICTURE, self._watch.page, limit=3)
        except RefusedError:
            return None
        return base64.b64decode(told["data"])

    # Snapshots ---------------------------------------------------------------------------------------------------

    async def _snapshot(self, only_if_written: int | None = None) -> None:
        frames = list(self._watch.frames.values()) if self.alive else []
        if len(frames) > _MOST_FRAMES:
            self._mishap(Trouble.TOO_MUCH, f"it has more than {_MOST_FRAMES} frames; the others were not looked at")
        jar = asyncio.ensure_future(
            self._connection.ask("Storage.getCookies", {"browserContextId": self._watch.context})
        )
        looks = [asyncio.ensure_future(self._look(each)) for each in frames[:_MOST_FRAMES]]
        everything = asyncio.gather(jar, *looks, return_exceptions=True)
        while not everything.done():
            if self.alive and self._clock.is_still:
                self._clock.run(5, policy="advance")
            await asyncio.wait([everything], timeout=0.004)
        told = await everything
        cookies: list[Stored] = []
        if not isinstance(told[0], BaseException):
            cookies = stored_cookies(told[0]["cookies"], time.time(), self._recording.lives)
        seen: dict[str, list[Stored]] = {}
        for each in told[1:]:
            if not isinstance(each, BaseException):
                key, stored = each
                seen.setdefault(key, []).extend(stored)
        self._remembered.update({key: tuple(stored) for key, stored in seen.items() if key})
        self._jar.look(cookies)
        all_stored = in_order(cookies + [each for group in self._remembered.values() for each in group])
        recording = self._recording
        last = recording.snapshots[-1].stored if recording.snapshots else None
        self._looked_at = recording.events
        if only_if_written != recording.written or last is None or _facts(last) != _facts(all_stored):
            recording.snapshots.append(Snapshot(recording.act, all_stored))

    async def _look(self, frame: Frame) -> tuple[str, list[Stored]]:
        """The storage key of a frame, and what is kept under it."""
        world = await world_of(self._connection, frame)
        here = {"contextId": world, "returnByValue": True, "timeout": 2000}
        post = self._connection.post
        asked = (
            post("Storage.getStorageKeyForFrame", {"frameId": frame.id}, frame.session),
            post("Runtime.evaluate", {"expression": LOOK, **here}, frame.session),
            post("Runtime.evaluate", {"expression": LOOK_DEEP, "awaitPromise": True, **here}, frame.session),
        )
        await asyncio.wait(asked, timeout=_EVALUATE)
        key, shallow, below = (told_by(each) for each in asked)
        storage_key: str = key.get("storageKey", "")
        if storage_key:
            self._watch.storage_keys.add(storage_key)
        partition = partition_of(storage_key)
        stored: list[Stored] = []
        if (told := shallow.get("result", {}).get("value")) is not None:
            stored += keys(told, partition)
        if (told := below.get("result", {}).get("value")) is not None:
            stored += deep(told, partition)
        return storage_key, stored

    # Inside the page ---------------------------------------------------------------------------------------------

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression in the main frame, waited for if it is a promise; None if there is none."""
        frame = self._watch.frames.get(self._watch.target)
        return None if frame is None else await self._evaluate(expression, frame)

    async def evaluate_everywhere(self, expression: str) -> list[Any]:
        """The same in every frame, the main frame first; a frame in which it fails gives None."""
        frames = list(self._watch.frames.values())
        return list(await asyncio.gather(*(self._evaluate(expression, each) for each in frames)))

    async def _evaluate(self, expression: str, frame: Frame) -> Any:
        return await in_frame(self._connection, frame, expression, limit=_EVALUATE)

    async def _input(self, method: str, params: dict[str, Any]) -> None:
        if not self.alive:
            return
        answer = self._connection.post(method, params, self._watch.page)
        for _ in range(50):
            if self._clock.is_still:
                self._clock.run(5)
            done, _ = await asyncio.wait([answer], timeout=0.02)
            if done:
                return

    async def move(self, x: float, y: float) -> None:
        await self._input("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x, "y": y})

    async def click(self, x: float, y: float) -> None:
        await self.move(x, y)
        button = {"x": x, "y": y, "button": "left", "clickCount": 1}
        await self._input("Input.dispatchMouseEvent", {"type": "mousePressed", "buttons": 1, **button})
        await self._input("Input.dispatchMouseEvent", {"type": "mouseReleased", **button})

    async def wheel(self, dy: float) -> None:
        await self._input(
            "Input.dispatchMouseEvent", {"type": "mouseWheel", "x": 640, "y": 400, "deltaX": 0, "deltaY": dy}
        )

    async def type(self, text: str) -> None:
        for letter in text:
            key = {"key": letter, "text": letter, "unmodifiedText": letter}
            await self._input("Input.dispatchKeyEvent", {"type": "keyDown", **key})
            await self._input("Input.dispatchKeyEvent", {"type": "keyUp", "key": letter})

    async def key(self, name: str) -> None:
        code = _KEYS.get(name, (0, ""))
        key = {"key": name, "code": name, "windowsVirtualKeyCode": code[0]}
        await self._input(
            "Input.dispatchKeyEvent", {"type": "keyDown", **key, **({"text": code[1]} if code[1] else {})}
        )
        await self._input("Input.dispatchKeyEvent", {"type": "keyUp", **key})


_KEYS = {
    "Enter": (13, "\r"),
    "Tab": (9, ""),
    "Escape": (27, ""),
    "Backspace": (8, ""),
    "Delete": (46, ""),
    "Home": (36, ""),
    "End": (35, ""),
    "PageUp": (33, ""),
    "PageDown": (34, ""),
    "ArrowLeft": (37, ""),
    "ArrowUp": (38, ""),
    "ArrowRight": (39, ""),
    "ArrowDown": (40, ""),
    "Space": (32, " "),
}


def _facts(stored: tuple[Stored, ...]) -> list[tuple[Kind, str, str, str | None, str]]:
    return [(each.kind, each.name, each.origin, each.partition, each.value) for each in stored]


def _network_trouble(error: str, url: str, *, is_download: bool) -> tuple[Trouble, str]:
    """The browser's `net::` error in words."""
    if is_download:
        return Trouble.DOWNLOAD, f"{url} is a file to download; it was refused"
    if error.startswith(("net::ERR_CERT", "net::ERR_SSL", "net::ERR_BAD_SSL")):
        return Trouble.TLS, f"the connection is not safe ({error.removeprefix('net::')})"
    if error == "net::ERR_TOO_MANY_REDIRECTS":
        return Trouble.REDIRECTS, "it redirects without an end"
    return Trouble.UNREACHABLE, f"the browser could not load it ({error.removeprefix('net::')})"


_WINDOW = {"url": "about:blank", "newWindow": True, "windowState": "fullscreen"}
"""Without tab strip and toolbar, which nobody sees and which take a fifth of the time of a page to draw."""


async def ensure_tab(connection: Connection, watch: Watch) -> None:
    """Raises `RefusedError`."""
    if watch.page:
        return
    watch.expecting = True
    watch.gone()
    await connection.ask("Target.createTarget", {**_WINDOW, "browserContextId": watch.context})
    try:
        await asyncio.wait_for(watch.ready.wait(), 5)
        await connection.ask("Runtime.evaluate", {"expression": "0"}, watch.page)  # all that was posted is in force
    except TimeoutError:
        raise RefusedError("the browser opened no tab") from None


async def close_tab(connection: Connection, watch: Watch, *, kills: bool = False) -> None:
    """The next page gets another. If it `kills`, the page's process ends too, with all that still runs in it: the next
    page of the site would share it."""
    if watch.page and kills:
        connection.post("Page.crash", None, watch.page)
    if watch.target:
        with suppress(RefusedError):
            await connection.ask("Target.closeTarget", {"targetId": watch.target}, limit=2)
    watch.gone()
