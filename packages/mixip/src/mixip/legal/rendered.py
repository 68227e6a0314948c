"""What is rendered of the versions, kept until there are others: it grows with every release, and anybody may ask."""

import threading
from collections.abc import Callable, Hashable

from strictly_necessary.versions import History

MOST = 64
"""Texts at once: a few pages in a few languages, for the names by which the platform is reached."""


class Rendered:
    """Texts by their keys, of the history that was asked for last. Several threads may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._history: History | None = None
        self._texts: dict[Hashable, str] = {}

    def of(self, history: History, key: Hashable, render: Callable[[], str]) -> str:
        """The text with this key, which says everything that it depends on beside the history."""
        with self._lock:
            if self._history is not history:
                self._history, self._texts = history, {}
            texts = self._texts
        text = texts.get(key)
        if text is None:
            text = render()
            with self._lock:
                if len(texts) >= MOST:
                    texts.clear()
                texts[key] = text
        return text
