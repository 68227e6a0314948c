"""The browser: one Chromium, watched from before the first line of each document and worker to the end."""

from strictly_necessary.audit.browser._browser import Browser, launch
from strictly_necessary.audit.browser._person import Person
from strictly_necessary.audit.browser._protocol import BrowserError
from strictly_necessary.audit.browser._tab import Tab

__all__ = ["Browser", "BrowserError", "Person", "Tab", "launch"]
