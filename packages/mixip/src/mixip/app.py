"""The composition root: every part of the platform, and the order in which a request passes them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from mixip import __version__, account, desktop, files, home, identity, legal, reference, transfers, works
from mixip.clock import Clock, now
from mixip.db import Database, open_database
from mixip.db.migrate import migrate, require_current
from mixip.db.tables import CONSENT
from mixip.edge.access import require_caller, require_csrf
from mixip.edge.address import resolve_address
from mixip.edge.answers import answer_exceptions, raise_further
from mixip.edge.asgi import App
from mixip.edge.bodies import limit_bodies
from mixip.edge.caller import SignedIn, provide_caller
from mixip.edge.cross_origin import refuse_cross_origin
from mixip.edge.head import answer_head
from mixip.edge.limits import drop_floods, limit_headers
from mixip.edge.session import resolve_session, visitor_by
from mixip.edge.static import static_file
from mixip.housekeeping import Housekeeping
from mixip.policies import Imprint, Policies, import_first, import_shipped
from mixip.sessions import find_session
from mixip.settings import Settings
from mixip.storage import DiskStore, Store
from strictly_necessary import GuardFinding
from strictly_necessary.asgi import Guard
from strictly_necessary.consent import Consent, Ledger
from strictly_necessary.consent.sqlalchemy import SQLAlchemyLedger

THREADS = 16  # for actions, which are synchronous; fewer than the database's connections
ACTION_GRACE_SECONDS = 3  # an action that runs when the platform stops may end
MAX_BODY = 128 * 1024  # of forms and JSON; segments have the limit of their plan

ROUTES = (
    static_file,
    *home.ROUTES,
    *identity.ROUTES,
    *account.ROUTES,
    *works.ROUTES,
    *transfers.ROUTES,
    *files.ROUTES,
    *desktop.ROUTES,
    *legal.ROUTES,
    *reference.ROUTES,
)


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform that is put together: the ASGI app, and the parts that tests and commands use directly."""

    app: App
    api: Litestar
    db: Database
    store: Store
    verifier: transfers.Verifier
    inspector: files.Inspector
    policies: Policies
    ledger: Ledger


def build(
    settings: Settings, clock: Clock = now, *, on_finding: Callable[[GuardFinding], None] | None = None
) -> Platform:
    """Put the platform together. Opens the database and the store and, on SQLite, brings the database up to date.
    `on_finding` is told what the guard finds; without it, the log is."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    db = open_database(settings.database_url)
    imprint = Imprint(settings.operator, settings.contact)
    policies = _policies(db, settings, imprint, clock)
    ledger = SQLAlchemyLedger(db.read, db.write, tables=CONSENT)
    store = DiskStore(settings.data / "storage")
    inspector = files.Inspector(db, store, clock)
    verifier = transfers.Verifier(db, store, clock, on_file=inspector.wake)
    passwords = identity.PasswordRoom()
    housekeeping = Housekeeping(db, store, clock, settings, verifier, inspector)

    api = Litestar(
        # In one router: Litestar would wrap a synchronous handler twice when a path gets its second method later.
        route_handlers=[Router("/", route_handlers=ROUTES)],
        guards=[require_caller, require_csrf],
        dependencies={
            "caller": Provide(provide_caller, sync_to_thread=False),
            "db": _constant(db),
            "store": _constant(store),
            "room": _constant(transfers.Room(settings.max_file_bytes, settings.account_quota_bytes)),
            "imprint": _constant(imprint),
            "policies": _constant(policies),
            "ledger": _constant(ledger),
            "crowd": _constant(transfers.Crowd()),
            "passwords": _constant(passwords),
            "clock": _constant(clock),
            "verifier": _constant(verifier),
        },
        exception_handlers={Exception: raise_further, HTTPException: raise_further},
        openapi_config=OpenAPIConfig(
            title="Mix-IP",
            use_handler_docstrings=True,
            version=__version__,
            description="Deliver large media files and keep what is known about them.",
            components=Components(
                security_schemes={
                    "session": SecurityScheme(type="http", scheme="bearer", description="A session token.")
                }
            ),
            security=[{"session": []}],
            render_plugins=[JsonRenderPlugin()],
        ),
        request_max_body_size=MAX_BODY,
        lifespan=[
            partial(
                _lifespan,
                db=db,
                verifier=verifier,
                inspector=inspector,
                policies=policies,
                passwords=passwords,
                housekeeping=housekeeping,
            )
        ],
        logging_config=None,
    )

    def find(token: str) -> Awaitable[SignedIn | None]:
        return find_session(db, token, clock())

    # From the inside out; a request passes the last one first.
    app: App = api
    app = resolve_session(app, find)
    app = refuse_cross_origin(app)
    app = limit_bodies(app)
    app = limit_headers(app)
    app = answer_head(app)
    app = resolve_address(app, settings)
    app = answer_exceptions(app, secure=(settings.public_url or "").startswith("https://"))
    consent = Consent(ledger, visitor_by(find), now=clock)
    guard = Guard(app, policies, mode=settings.guard, on_finding=on_finding, consent=consent)
    return Platform(drop_floods(guard), api, db, store, verifier, inspector, policies, ledger)


def _policies(db: Database, settings: Settings, imprint: Imprint, clock: Clock) -> Policies:
    """Bring the database and its versions of the policy up to date, embedded; else require that they are."""
    if not db.embedded:
        require_current(db)
    else:
        migrate(db)
        if not import_first(db, settings.policy, clock()) and settings.policy is None:
            import_shipped(db, clock())
    return Policies(db, imprint)


@contextlib.asynccontextmanager
async def _lifespan(
    _: Litestar,
    *,
    db: Database,
    verifier: transfers.Verifier,
    inspector: files.Inspector,
    policies: Policies,
    passwords: identity.PasswordRoom,
    housekeeping: Housekeeping,
) -> AsyncIterator[None]:
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="action")
    asyncio.get_running_loop().set_default_executor(threads)
    tasks = [asyncio.create_task(part.run()) for part in (inspector, housekeeping, policies)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        verifier.close()
        inspector.close()
        passwords.close()
        with contextlib.suppress(TimeoutError), ThreadPoolExecutor(1) as waiter:
            ending = asyncio.get_running_loop().run_in_executor(waiter, threads.shutdown)
            await asyncio.wait_for(ending, ACTION_GRACE_SECONDS)
        db.close()


def _constant(value: object) -> Provide:
    provider: Callable[[], object] = lambda: value  # noqa: E731  Provide wants a callable
    return Provide(provider, sync_to_thread=False)
