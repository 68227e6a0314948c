"""The words that browsers know in the headers that can be overridden."""

from __future__ import annotations

SOURCE_LISTS = frozenset(
    {
        "base-uri",
        "child-src",
        "connect-src",
        "default-src",
        "fenced-frame-src",
        "font-src",
        "form-action",
        "frame-ancestors",
        "frame-src",
        "img-src",
        "manifest-src",
        "media-src",
        "object-src",
        "report-uri",
        "script-src",
        "script-src-attr",
        "script-src-elem",
        "style-src",
        "style-src-attr",
        "style-src-elem",
        "worker-src",
    }
)
"""Directives of a Content-Security-Policy that hold hosts (CSP 3, sections 6.1 to 6.5; Fenced Frame)."""

DIRECTIVES = SOURCE_LISTS | {
    "report-to",
    "require-trusted-types-for",
    "sandbox",
    "trusted-types",
    "upgrade-insecure-requests",
    "webrtc",
}
"""All of them (CSP 3, section 6; Trusted Types, section 4.3; Upgrade Insecure Requests, section 3)."""

LOADS = SOURCE_LISTS - {"base-uri", "form-action", "frame-ancestors", "report-uri"}
"""Those by which a page asks a host for something, whether or not the person does anything (CSP 3, section 6.1)."""

KEYWORDS = frozenset(
    {
        "'none'",
        "'report-sample'",
        "'self'",
        "'strict-dynamic'",
        "'unsafe-eval'",
        "'unsafe-hashes'",
        "'unsafe-inline'",
        "'wasm-unsafe-eval'",
    }
)
"""What stands in quotes in a source list, but for nonces and hashes (CSP 3, section 2.3.1)."""

ADVERTISING = frozenset(
    {
        "attribution-reporting",
        "browsing-topics",
        "interest-cohort",
        "join-ad-interest-group",
        "private-aggregation",
        "private-state-token-issuance",
        "private-state-token-redemption",
        "run-ad-auction",
        "shared-storage",
        "shared-storage-select-url",
    }
)
"""Features of the Permissions-Policy that serve advertising: they stay closed."""

FEATURES = ADVERTISING | {
    "accelerometer",
    "ambient-light-sensor",
    "aria-notify",
    "autoplay",
    "battery",
    "bluetooth",
    "camera",
    "captured-surface-control",
    "ch-device-memory",
    "ch-downlink",
    "ch-dpr",
    "ch-ect",
    "ch-prefers-color-scheme",
    "ch-prefers-reduced-motion",
    "ch-prefers-reduced-transparency",
    "ch-rtt",
    "ch-save-data",
    "ch-ua",
    "ch-ua-arch",
    "ch-ua-bitness",
    "ch-ua-form-factors",
    "ch-ua-full-version",
    "ch-ua-full-version-list",
    "ch-ua-high-entropy-values",
    "ch-ua-mobile",
    "ch-ua-model",
    "ch-ua-platform",
    "ch-ua-platform-version",
    "ch-ua-wow64",
    "ch-viewport-height",
    "ch-viewport-width",
    "ch-width",
    "clipboard-read",
    "clipboard-write",
    "compute-pressure",
    "cross-origin-isolated",
    "deferred-fetch",
    "deferred-fetch-minimal",
    "digital-credentials-create",
    "digital-credentials-get",
    "display-capture",
    "document-domain",
    "encrypted-media",
    "execution-while-not-rendered",
    "execution-while-out-of-viewport",
    "focus-without-user-activation",
    "fullscreen",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "identity-credentials-get",
    "idle-detection",
    "keyboard-map",
    "language-detector",
    "language-model",
    "local-fonts",
    "local-network",
    "local-network-access",
    "loopback-network",
    "magnetometer",
    "manual-text",
    "mediasession",
    "microphone",
    "midi",
    "monetization",
    "navigation-override",
    "on-device-speech-recognition",
    "otp-credentials",
    "payment",
    "picture-in-picture",
    "proofreader",
    "publickey-credentials-create",
    "publickey-credentials-get",
    "rewriter",
    "screen-wake-lock",
    "serial",
    "smart-card",
    "speaker-selection",
    "storage-access",
    "summarizer",
    "sync-script",
    "sync-xhr",
    "translator",
    "trust-token-redemption",
    "unload",
    "usb",
    "usb-unrestricted",
    "vertical-scroll",
    "web-share",
    "window-management",
    "window-placement",
    "writer",
    "xr-spatial-tracking",
}
"""Features of the Permissions-Policy that some browser knows or knew."""

_REFERRER = (
    "no-referrer",
    "no-referrer-when-downgrade",
    "origin",
    "origin-when-cross-origin",
    "same-origin",
    "strict-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
)

VALUES: dict[str, tuple[str, ...]] = {
    "referrer-policy": _REFERRER,
    "x-content-type-options": ("nosniff",),
    "cross-origin-opener-policy": ("same-origin", "same-origin-allow-popups", "noopener-allow-popups", "unsafe-none"),
    "cross-origin-resource-policy": ("same-origin", "same-site", "cross-origin"),
    "x-frame-options": ("DENY", "SAMEORIGIN"),
    "clear-site-data": (
        '"cache"',
        '"clientHints"',
        '"cookies"',
        '"executionContexts"',
        '"prefetchCache"',
        '"prerenderCache"',
        '"storage"',
        '"*"',
    ),
}
"""What these headers may say (Referrer Policy section 3; Fetch section 3.6 and 3.7; HTML sections 7.1.3 and 7.7; Clear
Site Data section 3.1)."""

LISTS = frozenset({"referrer-policy", "clear-site-data"})
"""Those of `VALUES` that may say several things with commas between them."""
