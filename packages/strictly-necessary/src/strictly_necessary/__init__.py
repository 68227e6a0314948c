"""The cookie policy as code: one declaration drives the guards, the browser guard and the policy page.

Public are the names here and those in `asgi`, `wsgi`, `browser`, `cookies`, `headers`, `page` and `rules`. Everything
else may change without notice.
"""

from strictly_necessary._findings import (
    DeclarationError,
    Direction,
    Finding,
    GuardError,
    GuardFinding,
    Severity,
)
from strictly_necessary.cookies import CookieSyntaxError
from strictly_necessary.declaration import Declaration, check, delete_cookie, load, set_cookie
from strictly_necessary.declaration._items import (
    Category,
    Item,
    Jurisdiction,
    Kind,
    Lifetime,
    Override,
    Policy,
    Purpose,
    SameSite,
    SetBy,
    ThirdParty,
)

__all__ = [
    "Category",
    "CookieSyntaxError",
    "Declaration",
    "DeclarationError",
    "Direction",
    "Finding",
    "GuardError",
    "GuardFinding",
    "Item",
    "Jurisdiction",
    "Kind",
    "Lifetime",
    "Override",
    "Policy",
    "Purpose",
    "SameSite",
    "SetBy",
    "Severity",
    "ThirdParty",
    "check",
    "delete_cookie",
    "load",
    "set_cookie",
]

for _name in __all__:  # tracebacks and help() name what people import, and not the room it is kept in
    globals()[_name].__module__ = __name__
