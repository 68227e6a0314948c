"""Cookie policies of an operator: the one that comes along, and what it becomes."""

from datetime import datetime
from pathlib import Path

import mixip
from mixip.db import Database
from mixip.policies import queries
from mixip.policies.reading import read
from tests.support.platform import RunningPlatform

SHIPPED = (Path(mixip.__file__).parent / "legal/policy.toml").read_text(encoding="utf-8")

CHOICE = """
[[items]]
id = "choice"
title = "Your answer"
name = "__Host-mixip_choice"
kind = "cookie"
category = "consent-choice"
purpose = "Remembers what you answered when we asked for your consent."
provider = "Mix-IP"
lifetime = "6 months"
set_when = "You answer."
removal = "Delete it in your browser's settings."
set_by = "server"
readable_by_application = true
http_only = false
secure = true
same_site = "Lax"
path = "/"

[items.translations.de]
title = "Ihre Antwort"
purpose = "Merkt sich, was Sie geantwortet haben, als wir nach Ihrer Einwilligung fragten."
set_when = "Sie antworten."
removal = "Löschen Sie den Eintrag in den Einstellungen Ihres Browsers."

[items.translations.fr]
title = "Votre réponse"
purpose = "Retient ce que vous avez répondu quand nous avons demandé votre consentement."
set_when = "Vous répondez."
removal = "Supprimez l’entrée dans les réglages de votre navigateur."
"""

VISITS = """
[[items]]
id = "visits"
title = "Counting visits"
name = "mixip_visits"
kind = "cookie"
category = "analytics"
purpose = "Counts how often you come back."
provider = "Mix-IP"
recipients = ["Tally Ltd"]
lifetime = "30 days"
set_when = "You agree."
set_by = "script"
script = "/static/*/visits.js"
readable_by_application = true
http_only = false
secure = true
same_site = "Lax"
path = "/"

[items.translations.de]
title = "Besuche zählen"
purpose = "Zählt, wie oft Sie wiederkommen."
set_when = "Sie stimmen zu."

[items.translations.fr]
title = "Compter les visites"
purpose = "Compte combien de fois vous revenez."
set_when = "Vous acceptez."
"""

SEEN = """
[[items]]
id = "seen"
title = "Pages you have seen"
name = "mixip_seen"
kind = "local"
category = "analytics"
purpose = "Notes which pages you have seen, to count readers."
provider = "Mix-IP"
lifetime = "persistent"
set_when = "You agree."
set_by = "script"
script = "/static/*/visits.js"

[items.translations.de]
title = "Gesehene Seiten"
purpose = "Hält fest, welche Seiten Sie gesehen haben, um Leser zu zählen."
set_when = "Sie stimmen zu."

[items.translations.fr]
title = "Pages vues"
purpose = "Note les pages que vous avez vues, pour compter les lecteurs."
set_when = "Vous acceptez."
"""

ASKING = SHIPPED + CHOICE + VISITS + SEEN
"""Something that needs consent: a cookie and a stored key."""

REWORDED = SHIPPED.replace("Remembers the accent colour that you chose.", "Remembers which accent colour you chose.")
"""Other words, and nothing else."""

TOLD = SHIPPED.replace("Amazon Web Services", "Example Hosting")
"""Another provider of something strictly necessary: people are told of it, and not asked."""


def versioned(text: str, version: str) -> str:
    """The policy by another name."""
    return text.replace('version = "1"', f'version = "{version}"', 1)


def put_in_force(running: RunningPlatform, text: str, version: str, *, starts: datetime | None = None) -> None:
    """Have this version in the database, in force now or from `starts` on, and let the platform look at it."""
    starts = starts or running.clock()
    insert(running.parts.db, versioned(text, version), version, starts)
    running.parts.policies.refresh()


def insert(db: Database, text: str, version: str, starts: datetime) -> None:
    """Have this version in the database."""
    read(text, version)
    with db.write() as connection:
        queries.add(connection, version=version, text=text, starts_at=starts, released_at=starts)
