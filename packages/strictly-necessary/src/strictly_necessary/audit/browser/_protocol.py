"""The DevTools protocol over one web socket: commands out, answers and events in."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from strictly_necessary.audit._whole import may_have_halves, whole

log = logging.getLogger(__name__)

Params: TypeAlias = Mapping[str, Any]
Handler: TypeAlias = Callable[[str, dict[str, Any], str], None]
"""Called with the event's name, its parameters, and the session that it belongs to (empty for the browser's own)."""


class BrowserError(Exception):
    """The browser cannot be used. The message says what to do."""


class RefusedError(Exception):
    """The browser did not do what a command asked for: the target is gone, or the page is in a state without it."""


class Connection:
    """Commands and events of one browser, and of all sessions below it."""

    def __init__(self, socket: ClientConnection, handler: Handler) -> None:
        self._socket = socket
        self._handler = handler
        self._number = 0
        self._waiting: dict[int, tuple[str, asyncio.Future[dict[str, Any]]]] = {}
        self._outgoing: deque[str] = deque()
        self._ready = asyncio.Event()
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._write())]
        self.lost = asyncio.Event()
        """Set once the browser has gone."""

    def post(self, method: str, params: Params | None = None, session: str = "") -> asyncio.Future[dict[str, Any]]:
        """Send a command; commands arrive in the order of these calls. The answer may be waited for, or left."""
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(_seen)
        if self.lost.is_set():
            answer.set_exception(RefusedError("the browser has gone"))
            return answer
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params or {}}
        if session:
            message["sessionId"] = session
        self._waiting[self._number] = (session, answer)
        self._outgoing.append(json.dumps(message))
        self._ready.set()
        return answer

    async def ask(
        self, method: str, params: Params | None = None, session: str = "", *, limit: float = 5.0
    ) -> dict[str, Any]:
        """Send a command and wait for its answer. Raises `RefusedError`, also if none comes within `limit` seconds."""
        try:
            return await asyncio.wait_for(self.post(method, params, session), limit)
        except TimeoutError:
            raise RefusedError(f"{method} was not answered within {limit:g} seconds") from None

    def forget(self, session: str) -> None:
        """A session has ended: nothing of it will be answered."""
        for number in [each for each, (owner, _) in self._waiting.items() if owner == session]:
            _, answer = self._waiting.pop(number)
            if not answer.done():
                answer.set_exception(RefusedError("the target is gone"))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(WebSocketException, OSError, TimeoutError):
            await asyncio.wait_for(self._socket.close(), 2)
        self._lose()

    async def _read(self) -> None:
        try:
            async for text in self._socket:
                self._take(text)
        except (WebSocketException, OSError):
            pass
        finally:
            self._lose()

    def _take(self, text: str | bytes) -> None:
        message = json.loads(text)
        if may_have_halves(text if isinstance(text, str) else text.decode("utf-8", "replace")):
            message = whole(message)
        if "id" not in message:
            try:
                self._handler(message["method"], message.get("params", {}), message.get("sessionId", ""))
            except Exception:
                log.exception("an event of the browser was not understood: %s", message["method"])
            return
        _, answer = self._waiting.pop(message["id"], ("", None))
        if answer is None or answer.done():
            return
        if "error" in message:
            answer.set_exception(RefusedError(message["error"].get("message", "no reason given")))
        else:
            answer.set_result(message.get("result", {}))

    async def _write(self) -> None:
        try:
            while True:
                await self._ready.wait()
                self._ready.clear()
                while self._outgoing:
                    await self._socket.send(self._outgoing.popleft())
        except (WebSocketException, OSError):
            self._lose()

    def _lose(self) -> None:
        self.lost.set()
        for _, answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(RefusedError("the browser has gone"))
        self._waiting.clear()


def _seen(answer: asyncio.Future[dict[str, Any]]) -> None:
    """Most commands are posted and left; asyncio would complain about each that fails."""
    if not answer.cancelled():
        answer.exception()


def told_by(answer: asyncio.Future[dict[str, Any]]) -> dict[str, Any]:
    """What was answered; nothing if it was refused or has not come."""
    if not answer.done() or answer.cancelled() or answer.exception() is not None:
        return {}
    return answer.result()


async def open_connection(endpoint: str, handler: Handler) -> Connection:
    """Raises `BrowserError` if nothing answers there."""
    try:
        socket = await connect(endpoint, max_size=None, compression=None, proxy=None, ping_interval=None)
    except (WebSocketException, OSError, TimeoutError) as error:
        raise BrowserError(f"Chromium was started, but does not answer: {error}") from error
    return Connection(socket, handler)
