"""The platform's own words around the policy, in the languages that the policy's page comes in. The frame of the pages
is in English; what has legal weight is not."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Words:
    """In one language. `date` is a pattern of day, month (its name), year and time."""

    changes: str
    changes_lead: str
    feed: str
    version: str
    whole: str
    in_force: str
    ended: str
    to_come: str
    current: str
    consent: str
    consent_lead: str
    nothing_asked: str
    date: str
    months: tuple[str, ...]

    def moment(self, at: datetime) -> str:
        """The moment in UTC, in words."""
        at = at.astimezone(UTC)
        return self.date.format(day=at.day, month=self.months[at.month - 1], year=at.year, time=f"{at:%H:%M}")


_ENGLISH = Words(
    changes="Changes to the cookie policy",
    changes_lead="Every version of our cookie policy, as it was released. An address here stays what it is.",
    feed="Follow the changes in a feed reader (Atom)",
    version="Version {version}",
    whole="Read the whole policy of this version",
    in_force="In force since {moment}.",
    ended="It was in force from {moment} until {end}.",
    to_come="It comes into force on {moment}.",
    current="Read the policy that is in force",
    consent="Your consent",
    consent_lead="What you answered when we asked to keep something that is not strictly necessary. "
    "Change your mind here; it holds at once.",
    nothing_asked="Nothing here needs your consent, so there is nothing to ask, to give or to withdraw.",
    date="{day} {month} {year}, {time} UTC",
    months=(
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
)

_GERMAN = Words(
    changes="Änderungen der Cookie-Richtlinie",
    changes_lead="Jede Version unserer Cookie-Richtlinie, wie sie veröffentlicht wurde. Die Adressen hier bleiben.",
    feed="Die Änderungen im Feedreader verfolgen (Atom)",
    version="Version {version}",
    whole="Die ganze Richtlinie in dieser Version lesen",
    in_force="In Kraft seit {moment}.",
    ended="Sie war in Kraft vom {moment} bis {end}.",
    to_come="Sie tritt am {moment} in Kraft.",
    current="Die geltende Richtlinie lesen",
    consent="Ihre Einwilligung",
    consent_lead="Was Sie geantwortet haben, als wir etwas speichern wollten, das nicht unbedingt erforderlich ist. "
    "Hier ändern Sie Ihre Antwort; sie gilt sofort.",
    nothing_asked="Hier braucht nichts Ihre Einwilligung. Es gibt also nichts zu fragen und nichts zu widerrufen.",
    date="{day}. {month} {year}, {time} UTC",
    months=(
        *("Januar", "Februar", "März", "April", "Mai", "Juni"),
        *("Juli", "August", "September", "Oktober", "November", "Dezember"),
    ),
)

_FRENCH = Words(
    changes="Modifications de la politique relative aux cookies",
    changes_lead="Chaque version de notre politique relative aux cookies, telle qu’elle a été publiée. "
    "Ces adresses restent valables.",
    feed="Suivre les modifications dans un lecteur de flux (Atom)",
    version="Version {version}",
    whole="Lire la politique entière dans cette version",
    in_force="En vigueur depuis le {moment}.",
    ended="Elle a été en vigueur du {moment} au {end}.",
    to_come="Elle entre en vigueur le {moment}.",
    current="Lire la politique en vigueur",
    consent="Votre consentement",
    consent_lead="Ce que vous avez répondu quand nous avons demandé à conserver quelque chose de non strictement "
    "nécessaire. Vous pouvez changer d’avis ici, avec effet immédiat.",
    nothing_asked="Rien ici ne nécessite votre consentement : il n’y a donc rien à demander, à donner ni à retirer.",
    date="{day} {month} {year} à {time} UTC",
    months=(
        *("janvier", "février", "mars", "avril", "mai", "juin"),
        *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    ),
)

WORDS = {"en": _ENGLISH, "de": _GERMAN, "fr": _FRENCH}


def words_in(language: str) -> Words:
    """The words in this language, or in English."""
    return WORDS.get(language, _ENGLISH)
