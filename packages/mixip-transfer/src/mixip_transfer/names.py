"""Names: of platforms, of files on this computer, and names fit to be printed.

A platform, or whoever delivered a file to it, chooses file names and titles. None of them may leave the target folder
or speak to the terminal.
"""

from __future__ import annotations

import ipaddress
import unicodedata
from urllib.parse import urlsplit

from mixip_transfer.errors import BadAnswerError, UsageError

LONGEST_NAME_BYTES = 255
_PART_SUFFIX = ".part"
_WINDOWS_FORBIDDEN = '<>:"|?*'
_WINDOWS_DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [f"{stem}{digit}" for stem in ("COM", "LPT") for digit in "0123456789¹²³"]
)
_STEERING_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_STEERING = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)  # bidirectional controls


def platform_address(text: str) -> str:
    """The origin of a platform, such as `https://mixip.example`, from what a person typed.

    Without a scheme https is meant, and http for this computer, where platforms rarely have a certificate. Plain http
    is allowed for this computer only, because the session token would travel in the open. Raises UsageError.
    """
    raw = text.strip()
    try:
        parts = urlsplit(raw if "://" in raw else f"//{raw}")
        host, port = parts.hostname or "", parts.port
        if "://" not in raw:
            parts = parts._replace(scheme="http" if is_this_computer(host) else "https")
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or any(c.isspace() or ord(c) < 33 for c in raw):
        raise UsageError(
            f"{printable(text)!r} is not the address of a platform.", "An address looks like https://mixip.example"
        )
    if parts.username is not None or parts.password is not None:
        raise UsageError("Leave the name and password out of the address.", "You sign in with the browser.")
    if parts.scheme == "http" and not is_this_computer(host):
        raise UsageError(
            f"{printable(host)} would be reached over plain http, where others could read your session.",
            f"Use https://{printable(host)}",
        )
    shown = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{shown}" + (f":{port}" if port not in (None, default) else "")


def is_this_computer(host: str) -> bool:
    """Whether a host is exactly localhost, 127.0.0.1 or ::1."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host) in (ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"))
    except ValueError:
        return False


def delivery_name(name: str) -> str:
    """The name under which a local file is delivered; raises UsageError when the platform would not take it.

    In Unicode's composed form (NFC), as the platform keeps it: a delivery is found again by this name.
    """
    composed = unicodedata.normalize("NFC", name)
    problem = _problem_with(composed)
    if problem or not composed.strip():
        problem = problem or "is not the name of a file"
        raise UsageError(f"{printable(name)}: the name {problem}.", "Rename the file and send it again.")
    return composed


def local_name(name: str, *, windows: bool) -> str:
    """The name that a delivered file gets in the target folder: one path component, never a way out of the folder.

    A name that the protocol forbids raises BadAnswerError. A dot at the beginning, which would hide the file and might
    make it a program's configuration, becomes `_`, as in browsers; so do the controls of bidirectional text, which
    would show another ending than the name has. What only Windows forbids is replaced by `_` there.
    """
    problem = _problem_with(name)
    if problem:
        raise BadAnswerError(f"The platform has a file whose name {problem}; it is not stored on this computer.")
    safe = "".join("_" if c in _STEERING else c for c in name)
    safe = f"_{safe[1:]}" if safe.startswith(".") else safe
    if not windows:
        return safe
    safe = "".join("_" if c in _WINDOWS_FORBIDDEN else c for c in safe)
    stripped = safe.rstrip(". ")
    safe = stripped + "_" * (len(safe) - len(stripped))
    stem = safe.split(".", 1)[0].rstrip(" ")
    return f"_{safe}" if stem.upper() in _WINDOWS_DEVICES else safe


def part_name(name: str, sha256: str) -> str:
    """The name of the unfinished download of `name`: it begins with the name and ends with `.part`.

    The start of the SHA-256 stands in between, so that a download never continues in another file's bytes and never
    takes a file of the person's own for its beginning. Cut to 255 bytes.
    """
    ending = f".{sha256[:8]}{_PART_SUFFIX}"
    room = LONGEST_NAME_BYTES - len(ending.encode())
    return name.encode()[:room].decode("utf-8", "ignore") + ending


def printable(text: str) -> str:
    """The text with everything that could steer a terminal, or reverse what is read, shown as U+FFFD."""
    return "".join("\ufffd" if c in _STEERING or unicodedata.category(c) in _STEERING_CATEGORIES else c for c in text)


def _problem_with(name: str) -> str:
    if name in ("", ".", ".."):
        return "is not the name of a file"
    if any(0xD800 <= ord(c) <= 0xDFFF for c in name):
        return "is not valid UTF-8"
    if "/" in name or "\\" in name:
        return "holds a slash or a backslash"
    if any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in name):
        return "holds control characters"
    if len(name.encode()) > LONGEST_NAME_BYTES:
        return f"is longer than {LONGEST_NAME_BYTES} bytes"
    return ""
