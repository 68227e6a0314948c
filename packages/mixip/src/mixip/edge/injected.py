"""What handlers are given by name: each is provided once, in `mixip.app`."""

from typing import Annotated, TypeVar

from litestar.di import NamedDependency
from litestar.params import SkipValidationMarker

from mixip.clock import Clock
from mixip.db import Database
from mixip.edge.caller import Caller
from mixip.storage import Store

T = TypeVar("T")

Injected = NamedDependency[Annotated[T, SkipValidationMarker()]]
"""A parameter that is provided, not sent by anybody."""

Db = Injected[Database]
Files = Injected[Store]
Time = Injected[Clock]
Who = Injected[Caller]
