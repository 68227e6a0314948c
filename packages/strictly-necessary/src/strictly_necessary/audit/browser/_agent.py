"""What the browser calls itself: as it does on somebody's screen. Trackers that spare robots look for other words."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from typing import Any

_SYSTEMS = {"darwin": "macOS", "win32": "Windows"}


def agent(told: Mapping[str, str], ours: str | None) -> dict[str, Any]:
    """The parameters of `Network.setUserAgentOverride`, from what `Browser.getVersion` answered. `ours` is the version
    by which the audit makes itself known to a site that is not on this machine. The client hints have to be said anew,
    because the browser sends none beside a name that was given to it."""
    full = told["product"].rpartition("/")[2]
    major = full.partition(".")[0]
    name = told["userAgent"].replace("HeadlessChrome", "Chrome")
    hints = {
        "brands": [{"brand": "Not:A-Brand", "version": "8"}, {"brand": "Chromium", "version": major}],
        "fullVersionList": [{"brand": "Not:A-Brand", "version": "8.0.0.0"}, {"brand": "Chromium", "version": full}],
        "platform": _SYSTEMS.get(sys.platform, "Linux"),
        "platformVersion": "",
        "architecture": "arm" if platform.machine().lower() in {"arm64", "aarch64"} else "x86",
        "bitness": "64",
        "model": "",
        "mobile": False,
        "wow64": False,
    }
    return {"userAgent": f"{name} strictly-audit/{ours}" if ours else name, "userAgentMetadata": hints}
