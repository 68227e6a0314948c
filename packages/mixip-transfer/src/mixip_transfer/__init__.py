"""Pro Transfer App: deliver large media files to a Mix-IP platform, and get them back, bit for bit.

The engine (`delivery`, `fetch`, `sign_in`) knows neither terminal nor window; `cli` and later `gui` sit on top of it.
"""

from importlib.metadata import version

__version__ = version("mixip-transfer")
