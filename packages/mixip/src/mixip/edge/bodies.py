"""Bodies have to arrive: a deadline for forms and JSON, so that nobody holds a connection by a byte now and then.

Segments of deliveries have their own rule, a least rate: see `mixip.transfers.receiving`.
"""

import asyncio

from mixip.edge.asgi import App, Message, Receive, Scope, Send
from mixip.edge.headers import header
from mixip.errors import Problem

DEADLINE_SECONDS = 20.0
_REFUSED_TYPES = ("multipart/", "application/x-msgpack", "application/vnd.msgpack")


def limit_bodies(app: App) -> App:
    """Wrap an app so that a body that takes longer than 20 seconds is answered 408, and types nobody reads 415."""

    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_segment(scope):
            await app(scope, receive, send)
            return
        if (header(scope, b"content-type") or "").strip().lower().startswith(_REFUSED_TYPES):
            raise Problem("media_type_unsupported")
        whole = False
        end = asyncio.get_running_loop().time() + DEADLINE_SECONDS

        async def receive_in_time() -> Message:
            nonlocal whole
            if whole:  # what comes now is the disconnect, which may take as long as the answer does
                return await receive()
            try:
                async with asyncio.timeout_at(end):
                    message = await receive()
            except TimeoutError:
                raise Problem("request_too_slow") from None
            whole = not message.get("more_body", False)
            return message

        await app(scope, receive_in_time, send)

    return limited


def _is_segment(scope: Scope) -> bool:
    return scope["method"] == "PUT" and "/segments/" in scope["path"]
