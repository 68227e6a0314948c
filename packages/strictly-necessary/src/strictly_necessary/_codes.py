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
    "SN322": "a header of the response could be read as two, or as none",
    "SN331": "in the browser, a write that is not declared",
    "SN332": "in the browser, a declared item with other attributes, another value or a longer life",
    "SN333": "in the browser, a place to store things that cannot be declared",
    "SN334": "in the browser, a worker whose script is not ours",
}

FIXES = {
    "SN001": "write it as toml.io says; the place is where reading stopped",
    "SN002": "save the file as UTF-8",
    "SN003": "remove it, or spell it as the reference does",
    "SN004": "add it",
    "SN005": "write a text in quotes, true or false without quotes, a date without quotes, or a list in brackets",
    "SN006": "write one of the values that the message names",
    "SN008": "write it once",
    "SN009": "give one of them another name, or make one item of both",
    "SN010": "write the name, or its beginning and one star at the end",
    "SN011": "write session, persistent, or a number and minutes, hours, days or months",
    "SN012": "remove it",
    "SN013": "translate it, or remove the language from languages in [policy]",
    "SN014": "add the language to languages in [policy], or remove the translation",
    "SN015": "name the hosts, or give inline scripts a nonce or a hash",
    "SN016": "declare the host in [[third_parties]], or among hosts in [policy] if it is yours",
    "SN301": "nothing, if another site or an old version set it; else declare it",
    "SN302": "nothing: anybody can send anything, and the application did not see it",
    "SN303": "look for a neighbouring host that sets the same name; a name with __Host- cannot be set from there",
    "SN304": "look at the others first",
    "SN311": "declare it, or do not set it",
    "SN312": "mend what writes the header, best by set_cookie",
    "SN313": "write the attribute as declared, best by set_cookie, or change the declaration",
    "SN314": "set the declared life, or declare the longer one and publish a new version",
    "SN315": "leave it to whom the declaration names, or change set_by",
    "SN316": "do not set it before the person says yes",
    "SN317": "set one of the declared values, or declare this one too",
    "SN318": "set the declared life, or declare the shorter one: the page promises more than happens",
    "SN321": "declare the other value in [[headers]], with a reason",
    "SN322": "keep line ends and other control characters out of names and values of headers",
    "SN331": "declare it, or find the script that writes it by the stack and remove it",
    "SN332": "write it as declared, or change the declaration",
    "SN333": "use one of the seven kinds that can be declared",
    "SN334": "serve the worker's script from your own host",
}
"""What to do about each."""

WARNINGS = frozenset({"SN303", "SN304", "SN318"})
"""What is told and passes."""
