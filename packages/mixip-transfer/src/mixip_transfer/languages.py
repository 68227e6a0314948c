"""In which language a platform's own texts are asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping

_LOCALE = re.compile(r"([A-Za-z]{2,3})(?:[_-]([A-Za-z]{2}|[0-9]{3}))?(?:[.@].*)?")


def accepted_languages(environment: Mapping[str, str]) -> str:
    """The value of `Accept-Language` (RFC 9110 section 12.5.4) for the locale of messages (POSIX: LC_ALL, LC_MESSAGES,
    LANG, the first that is set), then English."""
    chosen = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := environment.get(name))), "")
    found = _LOCALE.fullmatch(chosen)
    if found is None or found[1].lower() == "en":
        return "en"
    language = found[1].lower()
    return f"{language}-{found[2].upper()}, {language};q=0.9, en;q=0.5" if found[2] else f"{language}, en;q=0.5"
