"""Where bytes live: capabilities that every store has (`protocol.py`), and the disk store."""

from mixip.storage.disk import DiskStore
from mixip.storage.protocol import SealedError, Store

__all__ = ["DiskStore", "SealedError", "Store"]
