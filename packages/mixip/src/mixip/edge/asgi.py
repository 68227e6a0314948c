"""The types of ASGI 3. Its scope and messages are mappings whose keys depend on `type`, so they are Any here: Litestar
and the guard each type them in their own way. A layer of the edge is an app around an app.
"""

from collections.abc import Awaitable, Callable
from typing import Any

Scope = Any
Message = Any
Receive = Callable[..., Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]
