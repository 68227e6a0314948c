"""Where browsers keep the settings for cookies, as their makers' help pages say (November 2026)."""

from __future__ import annotations

from dataclasses import dataclass

from strictly_necessary.page._language import N_


@dataclass(frozen=True, slots=True)
class Browser:
    """`settings` is the way to the list of what sites have stored, `one_site` how to remove the data of one of them.
    Both are translated when they are shown, as each browser names its settings in that language."""

    name: str
    settings: str
    one_site: str


BROWSERS = (
    Browser(
        "Chrome",
        N_("Settings → Privacy and security → Cookies and other site data"),
        N_(
            "Newer versions call the last step “Third-party cookies”. Choose “See all site data and permissions” "
            "there, search for this site and delete its data."
        ),
    ),
    Browser(
        "Safari",
        N_("Settings → Privacy → Manage Website Data"),
        N_(
            "Choose this site in the list and remove it. On iPhone and iPad, in the Settings app: Apps → Safari → "
            "Advanced → Website Data."
        ),
    ),
    Browser(
        "Firefox",
        N_("Settings → Privacy & Security → Cookies and Site Data"),
        N_("Open “Manage Data…”, choose this site, remove it and save the changes."),
    ),
    Browser(
        "Edge",
        N_("Settings → Cookies and site permissions → Manage and delete cookies"),
        N_(
            "In newer versions: Settings → Privacy, search, and services → Cookies. Choose “See all cookies and site "
            "data”, search for this site and delete its data."
        ),
    ),
)
