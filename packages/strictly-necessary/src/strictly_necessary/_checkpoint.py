"""What a guard does with what the watch sees, in each of its modes: the same for ASGI and for WSGI."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

from strictly_necessary._findings import Direction, GuardError, GuardFinding, Severity
from strictly_necessary._guarding import Watch
from strictly_necessary.declaration import Declaration
from strictly_necessary.headers import clear_site_data, security_headers

Mode: TypeAlias = Literal["raise", "enforce", "report"]
Header: TypeAlias = tuple[bytes, bytes]
Reporter: TypeAlias = Callable[[GuardFinding], None]

_MODES = ("raise", "enforce", "report")
_MOST_LOGGED = 1000
_CSP = b"content-security-policy"
_NONCE = "nonce-goes-here"


class Checkpoint:
    """One declaration and one mode; see `strictly_necessary.asgi.Guard`."""

    def __init__(
        self,
        declaration: Declaration,
        *,
        mode: Mode,
        on_finding: Reporter | None = None,
        nonces: bool = False,
        watch: Watch | None = None,
    ) -> None:
        if mode not in _MODES:
            raise ValueError(f"mode is one of {', '.join(_MODES)}, not {mode!r}")
        self.mode = mode
        self.on_finding = on_finding or _log_once()
        self._watch = watch or Watch(declaration)
        self._declaration = declaration
        self._nonces = nonces
        self._by_path = [each for each in declaration.overrides if each.paths]
        self._prepared: dict[tuple[bool, ...], _Headers] = {}
        self._usual = self._headers("")

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

    def cookies_out(self, headers: Iterable[Header]) -> list[Header]:
        """The headers of a message that is no page, such as trailers, without what may not leave."""
        return [each for each in headers if each[0].lower() != b"set-cookie" or self._may_leave(each[1])[0]]

    def outgoing(self, headers: Iterable[Header], path: str, nonce: str | None = None) -> list[Header]:
        """The headers that may leave, and the security headers for this path. Raises `GuardError` in mode `raise`."""
        ours = self._headers(path) if self._by_path else self._usual
        passed: list[Header] = []
        signed_out = False
        for header in headers:
            name = header[0].lower()
            if name == b"set-cookie":
                may_leave, signs_out = self._may_leave(header[1])
                signed_out |= signs_out
                if not may_leave:
                    continue
            elif name in ours.others and not self._agrees(name, header[1], ours.others[name]):
                continue
            passed.append(header)
        passed += ours.all if nonce is None else ours.with_nonce(nonce)
        if signed_out and ours.clear:
            passed = [header for header in passed if header[0].lower() != b"clear-site-data"]
            passed.append((b"clear-site-data", ours.clear))
        return passed

    def _may_leave(self, header: bytes) -> tuple[bool, bool]:
        """Whether the Set-Cookie may leave, and whether it signs somebody out."""
        findings, signs_out = self._watch.response(header)
        if not findings:
            return True, signs_out
        for finding in findings:
            self.on_finding(finding)
        errors = tuple(finding for finding in findings if finding.severity is Severity.ERROR)
        if errors and self.mode == "raise":
            raise GuardError(errors)
        return not errors or self.mode == "report", signs_out

    def _agrees(self, name: bytes, value: bytes, ours: bytes) -> bool:
        """Whether a security header of the application's may stay; ours is sent in any case, so only in mode report."""
        if value != ours:
            shown = name.decode("ascii")
            text = f"the application sent another {shown} than declared; declare it in [[headers]], with a reason"
            finding = GuardFinding("SN321", Direction.RESPONSE, text, shown)
            self.on_finding(finding)
            if self.mode == "raise":
                raise GuardError((finding,))
        return self.mode == "report"

    def _headers(self, path: str) -> _Headers:
        which = tuple(override.holds_for(path) for override in self._by_path)
        if which not in self._prepared:
            self._prepared[which] = _Headers(self._declaration, path, mode=self.mode, nonces=self._nonces)
        return self._prepared[which]


class _Headers:
    """The security headers for one set of paths, as bytes. `others` are those that the application may not change; a
    CSP of its own may stay, since browsers obey both and it can only narrow ours."""

    def __init__(self, declaration: Declaration, path: str, *, mode: Mode, nonces: bool) -> None:
        headers = security_headers(declaration, path=path, nonce=_NONCE if nonces else None)
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        self.others = {name: value for name, value in pairs if name != _CSP}
        self.clear = clear_site_data(declaration, path=path).encode()
        if mode == "report":
            pairs = [(_CSP + b"-report-only", value) for name, value in pairs if name == _CSP]
            self.clear = b""
        self.all = pairs

    def with_nonce(self, nonce: str) -> list[Header]:
        place, own = _NONCE.encode(), nonce.encode()
        return [(name, value.replace(place, own)) for name, value in self.all]


def _log_once() -> Reporter:
    """A reporter that logs each finding the first time, and nothing after a thousand different ones."""
    logger = logging.getLogger("strictly_necessary")
    logged: set[tuple[str, str]] = set()

    def report(finding: GuardFinding) -> None:
        key = (finding.code, finding.name)
        if key not in logged and len(logged) < _MOST_LOGGED:
            logged.add(key)
            logger.warning("%s", finding)

    return report
