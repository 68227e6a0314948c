"""The response headers that make a browser refuse what the declaration does not hold."""

from __future__ import annotations

from collections.abc import Iterable

from strictly_necessary._items import ThirdParty

__all__ = ["DENIED_FEATURES", "content_security_policy", "security_headers"]

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


def content_security_policy(third_parties: Iterable[ThirdParty] = (), *, form_action: Iterable[str] = ()) -> str:
    """The CSP: everything from our own origin and nothing inline. A form may also lead to a declared third party,
    because browsers apply `form-action` to the redirect that answers a form. `form_action` adds more, for one
    page."""
    targets = ["'self'", *(f"https://{party.host}" for party in third_parties), *form_action]
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "media-src 'self'",
            "manifest-src 'self'",
            "worker-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            f"form-action {' '.join(dict.fromkeys(targets))}",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def security_headers(third_parties: Iterable[ThirdParty] = ()) -> dict[str, str]:
    """All of them, by lower-case name."""
    return {
        "content-security-policy": content_security_policy(third_parties),
        "permissions-policy": ", ".join(f"{feature}=()" for feature in DENIED_FEATURES),
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "x-frame-options": "DENY",
    }
