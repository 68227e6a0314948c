"""Which file names are accepted."""

import unicodedata

from mixip.errors import Problem


def check_file_name(name: str) -> str:
    """The name in Unicode's composed form (NFC), which macOS and the others then agree on. Raises Problem."""
    composed = unicodedata.normalize("NFC", name)
    try:
        length = len(composed.encode())
    except UnicodeEncodeError:
        raise Problem("file_name_invalid") from None
    forbidden = any(
        character in "/\\" or unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in composed
    )
    if not 1 <= length <= 255 or forbidden or composed in {".", ".."} or not composed.strip():
        raise Problem("file_name_invalid")
    return composed
