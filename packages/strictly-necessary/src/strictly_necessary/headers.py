"""The response headers that make a browser refuse what the declaration does not hold."""

from __future__ import annotations

import base64
import hashlib

from strictly_necessary.browser import REPORT_PATH
from strictly_necessary.declaration import Declaration
from strictly_necessary.declaration._items import Kind, Override
from strictly_necessary.declaration._overrides import UNSENT

__all__ = [
    "DENIED_FEATURES",
    "clear_site_data",
    "content_security_policy",
    "permissions_policy",
    "security_headers",
    "source_hash",
]

TRUSTED_TYPES_POLICY = "strictly-necessary"
"""The one Trusted Types policy there may be; the browser guard takes it and lends it to nobody."""

_STORAGE = frozenset({Kind.LOCAL, Kind.SESSION, Kind.INDEXEDDB, Kind.CACHE, Kind.SERVICE_WORKER, Kind.OPFS})

DENIED_FEATURES = (
    # Advertising
    "browsing-topics",
    "interest-cohort",
    "private-state-token-issuance",
    "private-state-token-redemption",
    "storage-access",
    # Sensors and devices
    "accelerometer",
    "camera",
    "captured-surface-control",
    "compute-pressure",
    "display-capture",
    "encrypted-media",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "keyboard-map",
    "local-fonts",
    "local-network-access",
    "magnetometer",
    "microphone",
    "midi",
    "otp-credentials",
    "payment",
    "serial",
    "speaker-selection",
    "sync-xhr",
    "usb",
    "window-management",
    "xr-spatial-tracking",
    # Details of the browser and the machine, which together tell people apart
    "ch-device-memory",
    "ch-ua-arch",
    "ch-ua-bitness",
    "ch-ua-full-version",
    "ch-ua-full-version-list",
    "ch-ua-high-entropy-values",
    "ch-ua-model",
    "ch-ua-platform-version",
    "ch-viewport-width",
)
"""Features that no page may use. Chromium writes a line to the console for each name that it does not know (among them
now attribution-reporting, battery, join-ad-interest-group, private-aggregation, run-ad-auction and shared-storage), so
only names that it knows stand here; scripts of others, who would use the rest, are kept out by the CSP."""


_CSP = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' blob:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "media-src": "'self'",
    "manifest-src": "'self'",
    "worker-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": TRUSTED_TYPES_POLICY,
}

_OTHERS = {
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}


def content_security_policy(
    declaration: Declaration, *, path: str = "/", nonce: str | None = None, report_to: str | None = REPORT_PATH
) -> str:
    """The CSP for a request path: everything from our own origin and nothing inline, but for what the declaration
    overrides. A form may also lead to a declared third party, because browsers apply `form-action` to the redirect that
    answers a form. With a `nonce`, scripts and styles that carry it may stand in the page, and come from no other host
    by it. Browsers tell `report_to` what they stopped; the guards answer there, and None is for who has nobody to
    answer."""
    directives = dict(_CSP)
    if declaration.third_parties:
        hosts = " ".join(dict.fromkeys(f"https://{party.host}" for party in declaration.third_parties))
        directives["form-action"] += f" {hosts}"
    for override in _overrides(declaration, "content-security-policy", path):
        _put(directives, override.directive or "", override.value)
    if report_to is not None:
        directives.setdefault("report-uri", report_to)
    if nonce is None:
        return _serialized(directives)
    sources = {name: directives.get(name, directives["default-src"]) for name in ("script-src", "style-src")}
    with_nonce = {name: f"{value} 'nonce-{nonce}'" for name, value in sources.items()}
    # A nonce also lets in what it is written on from any host. Browsers obey both of two policies, and in this one the
    # hosts alone count.
    hosts_alone = {name: f"{_hosts(value)} 'unsafe-inline'" for name, value in sources.items()}
    return f"{_serialized(directives | with_nonce)}, {_serialized(hosts_alone)}"


def _serialized(directives: dict[str, str]) -> str:
    return "; ".join(f"{directive} {value}" for directive, value in directives.items())


def _hosts(sources: str) -> str:
    """The sources without those that would take 'unsafe-inline' its meaning (CSP 3, section 6.7.3.2)."""
    return " ".join(each for each in sources.split() if not each.startswith(("'nonce-", "'sha", "'strict-dynamic'")))


def permissions_policy(declaration: Declaration, *, path: str = "/") -> str:
    """The Permissions-Policy for a request path: `DENIED_FEATURES`, but for what the declaration overrides."""
    features = dict.fromkeys(DENIED_FEATURES, "()")
    for override in _overrides(declaration, "permissions-policy", path):
        if override.directive is None:
            return override.value
        _put(features, override.directive, override.value)
    return ", ".join(f"{feature}={value}" for feature, value in features.items())


def security_headers(
    declaration: Declaration, *, path: str = "/", nonce: str | None = None, report_to: str | None = REPORT_PATH
) -> dict[str, str]:
    """All headers for a request path, by lower-case name. Clear-Site-Data is not among them: it belongs to sign-out.
    For `nonce` and `report_to` see `content_security_policy`."""
    headers = {
        "content-security-policy": content_security_policy(declaration, path=path, nonce=nonce, report_to=report_to),
        "permissions-policy": permissions_policy(declaration, path=path),
        **_OTHERS,
    }
    for name in (*_OTHERS, *UNSENT):
        for override in _overrides(declaration, name, path):
            _put(headers, name, override.value)
    return {name: value for name, value in headers.items() if value}


def clear_site_data(declaration: Declaration, *, path: str = "/") -> str:
    """The Clear-Site-Data header for the answer that signs a person out; empty for none.

    It names `cache`, and `storage` if the declaration has nothing there that is to stay, such as a theme; what needs
    consent is not to stay. It does not name `cookies`: that would reach every host below the registrable domain, while
    ours are removed one by one."""
    for override in _overrides(declaration, "clear-site-data", path):
        return override.value
    stays = any(item.kind in _STORAGE and declaration.is_exempt(item) for item in declaration.items)
    return '"cache"' if stays else '"cache", "storage"'


def source_hash(text: str) -> str:
    """What a CSP calls an inline script or style with exactly this text (CSP 3, section 2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _overrides(declaration: Declaration, name: str, path: str) -> list[Override]:
    """Those for this header that hold for the path: first those for all paths, which the others then change again."""
    found = [each for each in declaration.overrides if each.name == name and each.holds_for(path)]
    return sorted(found, key=lambda each: bool(each.paths), reverse=name == "clear-site-data")


def _put(parts: dict[str, str], name: str, value: str) -> None:
    if value:
        parts[name] = value
    else:
        parts.pop(name, None)
