"""The cookie policy as code: one declaration drives the guard and the policy page.

Beside the names here: `strictly_necessary.asgi.Guard`, the renderers in `strictly_necessary.page`, the headers in
`strictly_necessary.headers` and the parser in `strictly_necessary.cookies`. Everything else may change without notice.
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
