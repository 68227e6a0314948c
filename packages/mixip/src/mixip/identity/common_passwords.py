"""Passwords that guessers try first (ASVS 5.0, 6.2.4).

The list is that of the package `zxcvbn` (MIT licence): 30,000 words in the order of how often they were found in leaks.
Importing it takes 0.07 seconds, so that waits for the first password that somebody chooses.
"""

from functools import cache
from itertools import islice

LISTED = 3000
SHORTEST = 8
"""Characters. Shorter ones are refused for their length, and would only take up room here."""


def is_common(password: str) -> bool:
    """Whether this is one of the 3,000 most common passwords of 8 characters or more, or one character repeated.

    Without regard to case. The empty password is not common; it is too short.
    """
    folded = password.casefold()
    return len(set(folded)) == 1 or folded in _most_common()


@cache
def _most_common() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # type: ignore[import-untyped]

    words = (word.casefold() for word in FREQUENCY_LISTS["passwords"] if len(word) >= SHORTEST)
    return frozenset(islice(words, LISTED))
