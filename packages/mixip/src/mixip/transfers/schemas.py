"""What the delivery API takes and gives."""

from datetime import datetime
from typing import Annotated

import msgspec

from mixip.files import FileView
from mixip.transfers.plan import Run


class NewDelivery(msgspec.Struct, frozen=True):
    """A file that is about to be sent. `size` in bytes, `last_modified` in milliseconds since 1970."""

    file_name: str
    size: int
    last_modified: Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)] | None = None


class Received(msgspec.Struct, frozen=True):
    """A segment that the platform has, with its Content-Digest."""

    index: int
    digest: str


class DeliveryView(msgspec.Struct, frozen=True):
    """A delivery: what is planned, what is there, what it became."""

    id: str
    work_id: str
    file_name: str
    size: int
    last_modified: int | None
    state: str
    opened_at: datetime
    plan: tuple[Run, ...]
    received: tuple[Received, ...]
    received_bytes: int
    verified_bytes: int
    file: FileView | None


class DeliveryList(msgspec.Struct, frozen=True):
    """The deliveries of a work that are not yet delivered."""

    deliveries: tuple[DeliveryView, ...]
