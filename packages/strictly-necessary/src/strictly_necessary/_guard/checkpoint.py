"""What a guard does with what the watch sees, in each of its modes: the same for ASGI and for WSGI."""

from __future__ import annotations

import copy
import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Literal, TypeAlias

from strictly_necessary._findings import Direction, GuardError, GuardFinding, Severity
from strictly_necessary._guard.watch import Watch, shown
from strictly_necessary.browser import REPORT_PATH
from strictly_necessary.cookies import is_token
from strictly_necessary.declaration import Declaration
from strictly_necessary.declaration._overrides import UNSENT
from strictly_necessary.headers import clear_site_data, security_headers

Mode: TypeAlias = Literal["raise", "enforce", "report"]
Header: TypeAlias = tuple[bytes, bytes]
Reporter: TypeAlias = Callable[[GuardFinding], None]

_MODES = ("raise", "enforce", "report")
_MOST_LOGGED = 1000
_SILENCE_SECONDS = 3600.0
_MOST_NAMES = 256
_LONGEST_NAME = 64
_MOST_GRANTING = 64
_CSP = b"content-security-policy"
_NONCE = "nonce-goes-here"
_could_be_two = re.compile(rb"[\r\n\x00]").search
_line_end = re.compile(r"[\r\n\x00]").search
_ODD_PATH = re.compile(r"//|(?:^|/)\.\.?(?:/|$)|\\|%(?:2[ef]|5c)|[\x00-\x1f\x7f]|^[^/]", re.IGNORECASE)


def check_mode(mode: object) -> None:
    """Raises ValueError for what is no mode."""
    if mode not in _MODES:
        raise ValueError(f"mode is one of {', '.join(_MODES)}, not {mode!r}")


class Checkpoint:
    """One declaration and one mode; see `strictly_necessary.asgi.Guard`."""

    def __init__(
        self,
        declaration: Declaration,
        *,
        mode: Mode,
        on_finding: Reporter | None = None,
        nonces: bool = False,
        reports: bool = True,
        watch: Watch | None = None,
    ) -> None:
        check_mode(mode)
        if not isinstance(declaration, Declaration):
            raise TypeError("the guard wants a declaration: give it load(...), with the path of your file")
        self.mode = mode
        self.on_finding = on_finding or log_once()
        self._watch = watch or Watch(declaration)
        self._declaration = declaration
        self._nonces = nonces
        self._reports = reports
        self._by_path = [each for each in declaration.overrides if each.paths]
        self._prepared: dict[tuple[bool, ...], _Headers] = {}
        self._usual = self._headers("")
        self._names: dict[bytes, bytes] = {}
        self._granting: dict[frozenset[str], Checkpoint] = {}

    def granting(self, granted: frozenset[str]) -> Checkpoint:
        """The same for requests in which these items that need consent are granted, and no others."""
        found = self._granting.get(granted)
        if found is None:
            found = copy.copy(self)
            found._watch = self._watch.granting(granted)
            if len(self._granting) >= _MOST_GRANTING:
                self._granting.clear()  # anybody can say yes to any of them; few do it in more ways than there are here
            self._granting[granted] = found
        return found

    def passing(self, cookies: list[bytes]) -> bytes:
        """The Cookie header that the application may see, without a word about what may not pass."""
        return self._watch.request(b"; ".join(cookies))[0]

    def incoming(self, cookies: list[bytes]) -> bytes | None:
        """The Cookie header that the application may see, perhaps empty; None if what came may stay as it is."""
        came = cookies[0] if len(cookies) == 1 else b"; ".join(cookies)
        allowed, findings = self._watch.request(came)
        for finding in findings:
            self.on_finding(finding)
        if self.mode == "report" or (allowed is came and len(cookies) == 1):
            return None
        return allowed

    def nonce(self) -> str | None:
        """A new nonce for one response, if the guard was asked for nonces."""
        return secrets.token_urlsafe(16) if self._nonces else None

    def cookies_out(self, headers: Iterable[Header], path: str) -> list[Header]:
        """The headers of a message that is no page, such as trailers, without what may not leave."""
        return self._sift(headers, {}, path)[0]

    def outgoing(self, headers: Iterable[Header], path: str, nonce: str | None = None) -> list[Header]:
        """The headers that may leave, and the security headers for this path. Raises `GuardError` in mode `raise`."""
        return self.leaving(headers, path, nonce)[0]

    def leaving(self, headers: Iterable[Header], path: str, nonce: str | None = None) -> tuple[list[Header], bool]:
        """As `outgoing`, and whether they sign somebody out."""
        ours = self._headers(path) if self._by_path else self._usual
        passed, signed_out = self._sift(headers, ours.others, path)
        passed += ours.all if nonce is None else ours.with_nonce(nonce)
        if signed_out and ours.clear:
            passed = [header for header in passed if header[0].lower() != b"clear-site-data"]
            passed.append((b"clear-site-data", ours.clear))
        return passed, signed_out

    def security(self, path: str) -> list[Header]:
        """The security headers for an answer of the guard's own; it has no nonce."""
        return self._headers(path).with_nonce("") if self._nonces else self._headers(path).all

    def status_out(self, status: str, path: str) -> str:
        """A WSGI status, up to what would end its line."""
        found = _line_end(status)
        return status[: found.start()] if found and self._could_be_two(b"status", path) else status

    def lines_out(self, values: Iterable[bytes], path: str) -> list[bytes]:
        """The values that a server makes into headers of their own, such as early hints, if each is one line."""
        return [
            value for value in map(_octets, values) if not (_could_be_two(value) and self._could_be_two(b"link", path))
        ]

    def _sift(self, headers: Iterable[Header], ours: dict[bytes, bytes], path: str) -> tuple[list[Header], bool]:
        """The headers that may leave, apart from those that we send, and whether they sign somebody out."""
        passed: list[Header] = []
        names = self._names
        signed_out = False
        for name, value in headers:
            # ASGI asks for bytes. Servers differ in what else they take, so nothing else may get past us and to them.
            if type(name) is not bytes or type(value) is not bytes:
                name, value = _octets(name), _octets(value)
            lower = names.get(name) or self._lower(name)
            if lower == b"set-cookie":
                may_leave, signs_out = self._may_leave(value, path)
                signed_out |= signs_out
                if not may_leave:
                    continue
            elif not lower or _could_be_two(value):
                if self._could_be_two(name, path):
                    continue
            elif lower in ours and not self._agrees(lower, value, ours[lower], path):
                continue
            passed.append((name, value))
        return passed, signed_out

    def _lower(self, name: bytes) -> bytes:
        """The name in lower case; empty if it cannot be the name of a header (RFC 9110 section 5.6.2)."""
        if not is_token(name.decode("latin-1")):
            return b""
        lower = name.lower()
        if len(self._names) < _MOST_NAMES and len(name) <= _LONGEST_NAME:
            self._names[name] = lower
        return lower

    def _may_leave(self, header: bytes, path: str) -> tuple[bool, bool]:
        """Whether the Set-Cookie may leave, and whether it signs somebody out."""
        findings, signs_out = self._watch.response(header)
        if not findings:
            return True, signs_out
        findings = tuple(replace(finding, path=path) for finding in findings)
        for finding in findings:
            self.on_finding(finding)
        errors = tuple(finding for finding in findings if finding.severity is Severity.ERROR)
        if errors and self.mode == "raise":
            raise GuardError(errors)
        return not errors or self.mode == "report", signs_out

    def _agrees(self, name: bytes, value: bytes, ours: bytes, path: str) -> bool:
        """Whether a security header of the application's may stay; ours is sent in any case, so only in mode report."""
        if value == ours:
            return self.mode == "report"
        name_shown = name.decode("ascii")
        text = f"the application sent another {name_shown} than declared; declare it in [[headers]], with a reason"
        return not self._refused(GuardFinding("SN321", Direction.RESPONSE, text, name_shown, path=path))

    def _could_be_two(self, name: bytes, path: str) -> bool:
        """Tell that this header would be read as two, or as none. True if it must not leave."""
        text = f'"{shown(name)}" has a line end or a NUL, or is no name of a header, so a cookie could hide in it'
        return self._refused(GuardFinding("SN322", Direction.RESPONSE, text, shown(name), path=path))

    def _refused(self, finding: GuardFinding) -> bool:
        self.on_finding(finding)
        if self.mode == "raise":
            raise GuardError((finding,))
        return self.mode != "report"

    def _headers(self, path: str) -> _Headers:
        # The application may read an odd path in a way of its own: it gets no override that was meant for another page.
        odd = bool(self._by_path) and _ODD_PATH.search(path) is not None
        which = tuple(not odd and override.holds_for(path) for override in self._by_path)
        if which not in self._prepared:
            known_path = "" if odd else path
            self._prepared[which] = _Headers(
                self._declaration, known_path, mode=self.mode, nonces=self._nonces, reports=self._reports
            )
        return self._prepared[which]


class _Headers:
    """The security headers for one set of paths, as bytes. `others` are those that the application may not change; a
    CSP of its own may stay, since browsers obey both and it can only narrow ours."""

    def __init__(self, declaration: Declaration, path: str, *, mode: Mode, nonces: bool, reports: bool) -> None:
        report_to = REPORT_PATH if reports else None
        headers = security_headers(declaration, path=path, nonce=_NONCE if nonces else None, report_to=report_to)
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        declared = {name: value for name, value in pairs if name != _CSP}
        self.others = {**{name.encode(): b"" for name in UNSENT}, **declared}
        self.clear = clear_site_data(declaration, path=path).encode()
        if mode == "report":
            pairs = [(_CSP + b"-report-only", value) for name, value in pairs if name == _CSP]
            self.clear = b""
        self.all = pairs
        self._changing = [(name, value) for name, value in pairs if _NONCE.encode() in value]
        self._fixed = [pair for pair in pairs if pair not in self._changing]

    def with_nonce(self, nonce: str) -> list[Header]:
        place, own = _NONCE.encode(), nonce.encode()
        return [(name, value.replace(place, own)) for name, value in self._changing] + self._fixed


def _octets(text: Any) -> bytes:
    """A name or value that should have been bytes. Raises TypeError or UnicodeEncodeError if it cannot be."""
    return text.encode("latin-1") if isinstance(text, str) else memoryview(text).tobytes()


def log_once(now: Callable[[], float] = time.monotonic) -> Reporter:
    """A reporter that logs each finding the first time, and in an hour at most a thousand different ones that came the
    same way: a flood of cookies must neither fill a log nor silence what is told about responses."""
    logger = logging.getLogger("strictly_necessary")
    logged: dict[Direction, set[tuple[str, str]]] = {direction: set() for direction in Direction}
    full_since: dict[Direction, float] = {}

    def report(finding: GuardFinding) -> None:
        before = logged[finding.direction]
        key = (finding.code, finding.name)
        if key in before:
            return
        if len(before) >= _MOST_LOGGED:
            if now() - full_since[finding.direction] < _SILENCE_SECONDS:
                return
            before.clear()
        before.add(key)
        places = finding.stack or ((finding.path,) if finding.path else ())
        logger.warning("%s%s", finding, f" ({', '.join(places)})" if places else "")
        if len(before) == _MOST_LOGGED:
            full_since[finding.direction] = now()
            logger.warning("further findings about %ss are not logged for an hour", finding.direction)

    return report
