"""The codes that are not rules about an item: what can be wrong with the file, and what the guards tell."""

from __future__ import annotations

FILE_CODES = {
    "SN001": "not TOML",
    "SN002": "not UTF-8",
    "SN003": "an unknown key or table",
    "SN004": "a key or table is missing",
    "SN005": "a value of the wrong type",
    "SN006": "a value that is not allowed",
    "SN008": "the same thing twice",
    "SN009": "two items declare the same name",
    "SN010": "not a name",
    "SN011": "not a lifetime",
    "SN012": "a key that means nothing here",
    "SN013": "a text is not translated into one of the languages",
    "SN014": "a translation into a language that is not among the languages",
    "SN015": "a header's override would undo what the guard is for",
    "SN016": "a header's override names a host that is not declared as a third party",
}

GUARD_CODES = {
    "SN301": "a cookie in a request is not declared",
    "SN302": "a cookie in a request is malformed",
    "SN303": "a declared cookie came more than once; all of them passed",
    "SN304": "there were more findings about this header",
    "SN311": "a Set-Cookie is not declared",
    "SN312": "a Set-Cookie is one that browsers drop",
    "SN313": "an attribute differs from the declaration",
    "SN314": "the life is longer than declared",
    "SN315": "the application set what a script or the infrastructure sets",
    "SN316": "the cookie needs consent",
    "SN317": "a value that is not among the declared ones",
    "SN318": "the life is shorter than declared; it passed",
    "SN321": "the application set a security header to another value than declared",
    "SN331": "in the browser, a write that is not declared",
    "SN332": "in the browser, a declared item with other attributes, another value or a longer life",
    "SN333": "in the browser, a place to store things that cannot be declared",
    "SN334": "in the browser, a worker whose script is not ours",
}

WARNINGS = frozenset({"SN303", "SN304", "SN318"})
"""What is told and passes."""
