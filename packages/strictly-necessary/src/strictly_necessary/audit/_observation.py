"""What was seen, as plain frozen data: the collecting half of the audit ends here, and the judging half begins.

Nothing in here judges. Values of what is stored are kept because the judges compare them (does it come back, is it sent
to somebody); no report ever shows one, and `repr` leaves them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from strictly_necessary.declaration._items import Kind


class State(StrEnum):
    """In which condition a person comes to the site. Each state begins with an empty browser, but for `signed-out`,
    which goes on where `signed-in` ended, and `returned`, which goes on where `visit` ended."""

    VISIT = "visit"
    SIGNED_IN = "signed-in"
    SIGNED_OUT = "signed-out"
    REFUSED = "consent-refused"
    GIVEN = "consent-given"
    GPC = "gpc"
    NO_JAVASCRIPT = "no-javascript"
    NO_COOKIES = "no-cookies"
    RETURNED = "returned"


class Deed(StrEnum):
    """What happened to the page. `load` and `wait` are nobody's act; `scroll` and `move` are acts, but no choice."""

    LOAD = "load"
    WAIT = "wait"
    SCROLL = "scroll"
    MOVE = "move"
    CLICK = "click"
    TYPE = "type"
    PRESS = "press"
    CHOOSE = "choose"
    SUBMIT = "submit"
    GO = "go"
    SIGN_IN = "sign-in"
    SIGN_OUT = "sign-out"
    GIVE = "give-consent"
    REFUSE = "refuse-consent"
    REMOVE = "remove"


BY_ITSELF = frozenset({Deed.LOAD, Deed.WAIT})
NO_CHOICE = BY_ITSELF | {Deed.SCROLL, Deed.MOVE, Deed.REMOVE}


@dataclass(frozen=True, slots=True)
class Act:
    """One deed on one page. `target` tells people on what, such as `button "Dark"`; `told` is true if a script asked
    for it, and false if the audit tried it by itself. `typed` is the text that was typed, if the audit made it up."""

    deed: Deed
    target: str | None = None
    told: bool = False
    typed: str | None = None

    def __str__(self) -> str:
        return f"{self.deed} {self.target}" if self.target else str(self.deed)


@dataclass(frozen=True, slots=True)
class Place:
    """One line of a stack: a script's address, the line and column (both from 1), and the function, if it has a
    name."""

    url: str
    line: int
    column: int
    function: str = ""

    def __str__(self) -> str:
        return f"{self.function or '(no name)'} {self.url}:{self.line}:{self.column}"


Stack = tuple[Place, ...]
"""Innermost first, without the lines of the audit's own probe."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """The attributes of a cookie, as the browser keeps them. `life` is in seconds from when it was looked at, None for
    a session cookie; `partition` is the top-level site of a partitioned one."""

    domain: str
    path: str
    secure: bool
    http_only: bool
    same_site: str | None
    life: float | None
    partition: str | None = None

    @property
    def host_only(self) -> bool:
        return not self.domain.startswith(".")


@dataclass(frozen=True, slots=True)
class Stored:
    """One thing that the browser keeps.

    `origin` is scheme, host and port for keys and databases; for a cookie it is `//` and the host that it belongs to,
    without a leading dot. `partition` is the top-level site if what is kept belongs to a frame of another site, or to a
    partitioned cookie. `value` is empty where the browser keeps more than one value (databases, caches, files); `name`
    is then the database, cache or file path. A service worker's name is its script, and its value what else its
    registration keeps: the script's query, and a scope of its own.
    """

    kind: Kind
    name: str
    origin: str
    value: str = field(default="", repr=False)
    cookie: Cookie | None = None
    partition: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that the browser keeps after the act with this index."""

    act: int
    stored: tuple[Stored, ...]


@dataclass(frozen=True, slots=True)
class Write:
    """One attempt to store something, whether or not the browser took it.

    `header` is the Set-Cookie line with its value replaced by `…` if a response did it; else a script did, and `stack`
    says which. `address` is the response's or the script's. `frame` is the address of the document, `worker` that of
    the worker's script if one did it. `life` is in seconds as asked for, None for a session cookie. `refused` is the
    reason why the browser did not take it. `removes` is true for a deletion. `request` counts the visit's requests.
    """

    kind: Kind
    name: str
    address: str
    act: int
    header: str | None = None
    stack: Stack = ()
    frame: str = ""
    worker: str | None = None
    value: str = field(default="", repr=False)
    life: float | None = None
    refused: str | None = None
    removes: bool = False
    request: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One request on the network; a redirect makes a new one. `type` is the browser's word in lower case: document,
    stylesheet, image, script, fetch, xhr, ping, websocket, media, font, manifest, preflight, other; or `preconnect` and
    `dns-prefetch` for what a page has opened ahead of any request.

    `status` is 0 if no answer came, and `failure` then says why. `sent` holds what went out beside the address, each
    cut at 64 KiB: the body, or each message of a web socket. `frame` is the address of the document, `top` that of the
    page. `redirect_from` counts the visit's requests. `image` is width and height in pixels. `headers` are the
    answer's, names in lower case, without Set-Cookie; `asked` those of the request, without Cookie and Authorization.
    """

    url: str
    method: str
    type: str
    act: int
    frame: str
    top: str
    status: int = 0
    failure: str | None = None
    sent: tuple[str, ...] = field(default=(), repr=False)
    stack: Stack = ()
    worker: str | None = None
    redirect_from: int | None = None
    image: tuple[int, int] | None = None
    size: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    asked: Mapping[str, str] = field(default_factory=dict)
    from_cache: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A script used an interface that the probe watches. Equal calls from one script during one act are one, counted.

    `api` is `Interface.member`; `arguments` are the few that judges need, as short texts, one tuple per distinct use
    (at most 200); `script` is the address of the innermost script outside the probe.
    """

    api: str
    script: str
    act: int
    count: int = 1
    arguments: tuple[tuple[str, ...], ...] = ()
    stack: Stack = ()
    frame: str = ""
    worker: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A link to another site: its address when the page had loaded, and after somebody pressed it."""

    before: str
    after: str
    text: str = ""


class Trouble(StrEnum):
    """Why a page was not, or not wholly, looked at."""

    UNREACHABLE = "unreachable"
    TLS = "tls"
    TIMEOUT = "timeout"
    CRASH = "crash"
    REDIRECTS = "redirects"
    DOWNLOAD = "download"
    NOT_HTML = "not-html"
    STATUS = "status"
    DIALOG = "dialog"
    POPUP = "popup"
    TOO_MUCH = "too-much"
    LEFT = "left"
    ROBOTS = "robots"
    STEP = "step"


COVERED = frozenset({Trouble.DIALOG, Trouble.POPUP, Trouble.LEFT})
"""What happened on the way, and did not keep the audit from looking."""


@dataclass(frozen=True, slots=True)
class Mishap:
    """One trouble, told for people."""

    trouble: Trouble
    message: str
    act: int = 0


@dataclass(frozen=True, slots=True)
class Visit:
    """One page in one state. `url` is what was asked for, `address` where it ended. `acts[0]` is the load."""

    state: State
    url: str
    address: str
    title: str = ""
    status: int = 0
    acts: tuple[Act, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    writes: tuple[Write, ...] = ()
    requests: tuple[Request, ...] = ()
    calls: tuple[Call, ...] = ()
    links: tuple[Link, ...] = ()
    pages: tuple[str, ...] = ()
    mishaps: tuple[Mishap, ...] = ()
    screenshot: bytes | None = field(default=None, repr=False)
    """PNG, of what is seen without scrolling; None if there was none to take."""


@dataclass(frozen=True, slots=True)
class Run:
    """One state: its visits in order, or why it did not take place."""

    state: State
    visits: tuple[Visit, ...] = ()
    skipped: str | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """All that one audit saw. `names` has, for each host that was asked, the chain of its CNAMEs (empty for none)."""

    url: str
    browser: str
    runs: tuple[Run, ...]
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    started: str = ""
    seconds: float = 0.0

    def visits(self, *states: State) -> tuple[Visit, ...]:
        """Those in these states, or all."""
        return tuple(visit for run in self.runs if not states or run.state in states for visit in run.visits)
