"""Identifiers that sort by the time they were made."""

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id() -> str:
    """26 characters of Crockford's base 32: 48 bits of milliseconds since 1970, then 80 random bits.

    Not a secret: access is always checked. Newer ones sort after older ones, so a list can be paged by id alone.
    """
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
