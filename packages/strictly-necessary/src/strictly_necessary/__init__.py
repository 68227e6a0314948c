"""The cookie policy as code: one declaration drives the guard and the policy page."""

from strictly_necessary.declaration import Declaration, check, delete_cookie, load, set_cookie
from strictly_necessary.findings import DeclarationError, Finding, GuardError, GuardFinding, Severity
from strictly_necessary.items import Category, Item, Jurisdiction, Kind, Lifetime, Policy, SameSite, SetBy, ThirdParty

__all__ = [
    "Category",
    "Declaration",
    "DeclarationError",
    "Finding",
    "GuardError",
    "GuardFinding",
    "Item",
    "Jurisdiction",
    "Kind",
    "Lifetime",
    "Policy",
    "SameSite",
    "SetBy",
    "Severity",
    "ThirdParty",
    "check",
    "delete_cookie",
    "load",
    "set_cookie",
]
