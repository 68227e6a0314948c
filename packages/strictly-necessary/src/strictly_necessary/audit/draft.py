"""A first declaration from what was seen. What nobody can see, such as a purpose, is guessed or left to be written."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import defaultdict
from dataclasses import dataclass
from urllib.parse import urlsplit

from strictly_necessary.audit._observation import NO_CHOICE, Deed, Observation, State, Write
from strictly_necessary.audit.judge._case import Case, is_chosen, is_navigation, never_left, open_case
from strictly_necessary.audit.judge._evidence import script_of
from strictly_necessary.audit.judge._sites import host_of, site_of
from strictly_necessary.audit.judge._things import Sight, Thing, purpose_of
from strictly_necessary.audit.judge._trackers import entity_of, tracker_of
from strictly_necessary.cookies import is_token
from strictly_necessary.declaration._items import Category, Kind

LOOK = "# look at this"
"""Stands at the end of each line that was guessed."""

_DAY = 86_400
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_HEAD = """\
# What {host} keeps in a browser, as far as an audit saw it. Look at every line that says so: what something is for
# cannot be seen from outside. What is not needed is better removed than declared.

[policy]
service = {service}
operator = {operator}  {look}
contact = {contact}  {look}
version = "1"
last_updated = {today}
jurisdictions = ["EU"]  {look}
"""
_GUESSES: tuple[tuple[str, Category, str], ...] = (
    (
        r"consent|cookie.?(choice|policy|notice|banner)|gdpr|tcf",
        Category.CONSENT_CHOICE,
        "Remembers what you answered about cookies.",
    ),
    (r"csrf|xsrf|forgery|nonce|state$", Category.SECURITY, "Proves that a form was sent from our own pages."),
    (
        r"sess|auth|token|login|sign.?in|^sid$|remember",
        Category.AUTHENTICATION,
        "Keeps you signed in from page to page.",
    ),
    (r"awsalb|(^|[-_])lb$|balanc|affinity|serverid|bigip", Category.LOAD_BALANCING, "Leads you to the same server."),
    (
        r"theme|dark|colou?r|accent|font|lang|locale|layout|sidebar|size|volume|mute",
        Category.PREFERENCE,
        "Remembers how you want the site to look.",
    ),
    (r"basket|cart|draft|input|wishlist|scroll", Category.USER_INPUT, "Keeps what you entered."),
    (r"player|video|playback", Category.MULTIMEDIA_PLAYER, "Plays what you chose."),
    (r"^_ga|^_gid|^_pk|matomo|analytic|visit|stats|^mp_|amplitude|^_hj|utm", Category.ANALYTICS, "Counts visits."),
    (r"^_fb|^_gcl|^ide$|^ads?[_-]|campaign|pixel", Category.ADVERTISING, "Shows advertisements."),
)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What was seen of one thing to declare."""

    thing: Thing
    sights: tuple[Sight, ...]

    @property
    def write(self) -> Write | None:
        writes = [each.write for each in self.sights if each.write is not None]
        return min(writes, key=lambda write: (write.header is None, write.address), default=None)


def draft(
    observation: Observation, *, service: str = "", operator: str = "", contact: str = "", today: dt.date | None = None
) -> str:
    """A declaration in TOML of what was seen on the site itself, and of the third parties that were asked. `strictly
    check` reads it; lines that end in `# look at this` were guessed. Known trackers are named in a comment, and not
    declared. `today` is the day of the version; by default that on which the audit began."""
    case = open_case(observation, None)
    host = host_of(observation.url)
    head = _HEAD.format(
        host=host,
        service=_text(service or host),
        operator=_text(operator or service or host),
        contact=_text(contact or f"privacy@{site_of(host)}"),
        today=(today or _day(observation.started)).isoformat(),
        look=LOOK,
    )
    taken: set[str] = set()
    provider = operator or service or host
    tables = [_item(case, each, *_guess(each), provider, taken) for each in _facts(case)]
    return "\n".join([head, *tables, *_parties(case)])


def _day(started: str) -> dt.date:
    try:
        return dt.datetime.fromisoformat(started).date()
    except ValueError:
        return dt.datetime.now(dt.UTC).date()


def _facts(case: Case) -> list[_Facts]:
    """What the site itself keeps, by the name under which it can be declared."""
    found: dict[tuple[Kind, str], list[Sight]] = defaultdict(list)
    for sights in case.browsers:
        for sight in sights:
            if sight.visit.state is State.NO_COOKIES or case.foreign(sight.thing):
                continue
            thing = case.named(sight.thing)
            if thing.name.strip("*") and (thing.kind is not Kind.COOKIE or is_token(thing.name.removesuffix("*"))):
                found[thing.kind, thing.name].append(sight)
    names = set(found)
    return [
        _Facts(case.named(sights[0].thing), tuple(sights))
        for (kind, name), sights in sorted(found.items())
        # A pattern may take in a name that was seen alone.
        if not any(
            other.endswith("*") and name != other and name.startswith(other[:-1]) for of, other in names if of is kind
        )
    ]


def _guess(facts: _Facts) -> tuple[Category, str]:
    name = facts.thing.name.lower().removeprefix("__host-").removeprefix("__http-").removeprefix("__secure-")
    for pattern, category, purpose in _GUESSES:
        if re.search(pattern, name):
            return category, purpose
    if any(purpose_of(each.visit, each.act) is Deed.SIGN_IN and each.fresh for each in facts.sights):
        return Category.AUTHENTICATION, "Keeps you signed in from page to page."
    return Category.USER_INPUT, "Keeps what you entered."


def _item(case: Case, facts: _Facts, category: Category, purpose: str, provider: str, taken: set[str]) -> str:
    thing, write = facts.thing, facts.write
    by_script = thing.kind is not Kind.COOKIE or (write is not None and write.header is None)
    cookie = next((each.stored.cookie for each in facts.sights if each.stored and each.stored.cookie), None)
    look_at_life = "" if thing.kind in {Kind.COOKIE, Kind.SESSION} else f"  {LOOK}"
    by = "script" if by_script else "infrastructure" if category is Category.LOAD_BALANCING else "server"
    lines = [
        "[[items]]",
        f"id = {_text(_id(thing, taken))}",
        f"name = {_text(thing.name)}",
        f'kind = "{thing.kind}"',
        f'category = "{category}"  {LOOK}',
        f"purpose = {_text(purpose)}  {LOOK}",
        f"provider = {_text(provider)}  {LOOK}",
        f"lifetime = {_text(_life(facts))}{look_at_life}",
        f"set_when = {_text(_when(facts))}  {LOOK}",
        f'set_by = "{by}"',
    ]
    if by_script:
        lines.append(f"script = {_text(_script(case, write))}{'' if write else '  ' + LOOK}")
    if thing.kind is Kind.COOKIE:
        same_site = (cookie.same_site if cookie else None) or "Lax"
        lines += [
            f"readable_by_application = true  {LOOK}",
            f"http_only = {_truth(cookie.http_only if cookie else False)}",
            f"secure = {_truth(cookie.secure if cookie else True)}",
            f'same_site = "{same_site}"',
            f"path = {_text(cookie.path if cookie else '/')}",
        ]
        if cookie is not None and not cookie.host_only:
            lines.append(f"domain = {_text(cookie.domain.removeprefix('.'))}")
        if cookie is not None and cookie.partition is not None:
            lines.append("partitioned = true")
    chosen = all(is_chosen(each) for each in facts.sights if each.fresh)
    if category is Category.PREFERENCE and chosen:
        lines += ["requires_action = true", f'information = "Stored in this browser."  {LOOK}']
    author = host_of(script_of(write)) if by_script and write is not None else ""
    if (tracker := tracker_of(author)) is not None:
        named = "".join(each for each in str(thing) if each.isprintable())  # a line break would end the comment
        said = f"# {named} is written by a script of {tracker.name}, known for tracking. Remove it."
        return "\n".join([said, *(f"# {line}" for line in lines), ""])
    return "\n".join([*lines, ""])


def _id(thing: Thing, taken: set[str]) -> str:
    plain = re.sub(r"__(?:host|http|secure|host-http)-", "", thing.name.lower())
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50] or str(thing.kind)
    name, number = base, 2
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    taken.add(name)
    return name


def _life(facts: _Facts) -> str:
    """A life that holds all that was seen, in whole units."""
    if facts.thing.kind is Kind.SESSION:
        return "session"
    if facts.thing.kind is not Kind.COOKIE:
        return "persistent"
    lives = [each.write.life for each in facts.sights if each.write is not None]
    lives += [each.stored.cookie.life for each in facts.sights if each.stored and each.stored.cookie]
    longest = max((life for life in lives if life is not None), default=None)
    if longest is None:
        return "session"
    for unit, size in (("day", _DAY), ("hour", 3600), ("minute", 60)):
        # A second or two may lie between the two clocks.
        number = -(-(longest - 2) // size)
        if longest > size - 2 and (unit == "minute" or number * size - longest <= size / 24):
            return _count(int(number), unit)
    return _count(max(1, int(-(-longest // 60))), "minute")


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _when(facts: _Facts) -> str:
    fresh = [each for each in facts.sights if each.fresh] or list(facts.sights)
    deeds = {purpose_of(each.visit, each.act) for each in fresh}
    if deeds <= {Deed.SIGN_IN}:
        return "You sign in."
    if deeds <= {Deed.GIVE}:
        return "You say yes to cookies."
    if deeds <= {Deed.GIVE, Deed.REFUSE}:
        return "You answer the question about cookies."
    if not deeds & (NO_CHOICE | {Deed.GO}):
        target = next((act.target for each in fresh if (act := each.visit.acts[each.act]).target), None)
        return f"You use the {target}." if target else "You choose it."
    return "You open the page."


def _script(case: Case, write: Write | None) -> str:
    """The script's path, or its address if it is on another host of ours; the page's own path for inline ones."""
    address = script_of(write).removeprefix("blob:") if write is not None else ""
    parts = urlsplit(address)
    path = re.sub(r"[\s<>\"'\\]", "", parts.path) or "/"
    if write is None or not parts.hostname or parts.hostname == host_of(case.observation.url):
        return path if path.startswith("/") and not path.startswith("//") else "/"
    return f"https://{parts.hostname}{path}"


def _parties(case: Case) -> list[str]:
    """The other sites that were asked: those that may be declared, and in comments those that may not."""
    hosts: set[str] = set()
    for visit in case.observation.visits():
        for request in visit.requests:
            from_here = is_navigation(request) or case.is_ours(request.top)
            if from_here and case.is_third(request.url) and not never_left(request):
                hosts.add(host_of(request.url))
    for sights in case.browsers:
        for sight in sights:
            if sight.write is not None and sight.write.header is None:
                script = host_of(script_of(sight.write))
                if script and case.is_third(f"https://{script}/"):
                    hosts.add(script)
    tables = []
    for host in sorted(hosts):
        tracker, entity = tracker_of(host), entity_of(host)
        if tracker is not None:
            tables.append(f"# {host} was asked: {tracker.name}, known for tracking ({tracker.category}). Remove it.\n")
        elif _HOST.fullmatch(host):
            tables.append(_party(host, entity.name if entity else host))
        else:
            tables.append(f"# {host} was asked, and cannot be declared by this name.\n")
    return tables


def _party(host: str, name: str) -> str:
    return "\n".join(
        [
            "[[third_parties]]",
            f"name = {_text(name)}  {LOOK}",
            f"host = {_text(host)}",
            f'feature = "What people use it for."  {LOOK}',
            f'action = "What people do to reach it."  {LOOK}',
            f'storage = "What it keeps on its own domain."  {LOOK}',
            f"privacy = {_text(f'https://{host}/privacy')}  {LOOK}",
            "",
        ]
    )


def _text(text: str) -> str:
    """A text as TOML writes it: JSON's quotes and escapes are TOML's too, but for the sign of deletion."""
    return json.dumps("".join(each for each in text if each.isprintable()), ensure_ascii=False)


def _truth(value: bool) -> str:  # noqa: FBT001 - it is the value itself
    return "true" if value else "false"
