"""What every ledger promises: one suite for the file, and for a database by SQLAlchemy, on SQLite and PostgreSQL."""

import datetime as dt
import os
import re
import secrets
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from strictly_necessary import Category, Item, Kind, Lifetime, Purpose, SetBy
from strictly_necessary.consent import (
    Acknowledgement,
    Action,
    Answer,
    Channel,
    Latest,
    Ledger,
    LedgerError,
    Receipt,
    Tally,
)
from strictly_necessary.consent import sqlite as sqlite_module
from strictly_necessary.consent.sqlalchemy import SQLAlchemyLedger, consent_tables
from strictly_necessary.consent.sqlite import SQLiteLedger

NOON = dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC)
TABLES = ("consent_receipts", "consent_answers", "consent_acknowledgements")

# What another process begins with: `ledger`, and `receipt(account, item, action)`.
OTHER_PROCESS = """
import datetime as dt, os, secrets, sys, time
from strictly_necessary import Category, Item, Kind, Lifetime, Purpose, SetBy
from strictly_necessary.consent import Acknowledgement, Action, Answer, Channel, Receipt

def receipt(account, *items, action="granted"):
    now, answers = dt.datetime.now(dt.UTC), []
    for key in items:
        item = Item(key, "_" + key, Kind.COOKIE, (Purpose(Category.ANALYTICS, "Counts."),), "Example",
            Lifetime("30 days", 2592000), "You say yes.", SetBy.SERVER)
        answers.append(Answer(item, Action(action)))
    return Receipt(secrets.token_hex(16), now, "1", tuple(answers), "May we?", "en", Channel.PAGE, account)
"""


def item(key: str) -> Item:
    return Item(
        id=key,
        name=f"_{key}",
        kind=Kind.COOKIE,
        purposes=(Purpose(Category.ANALYTICS, "Counts visits.", {"de": {"purpose": "Zählt Besuche."}}),),
        provider="Example Ltd",
        lifetime=Lifetime.parse("30 days"),
        set_when="You say yes.",
        set_by=SetBy.SERVER,
        recipients=("Counting Ltd",),
    )


def receipt(account: str | None, *, at: dt.datetime = NOON, version: str = "1", **answers: Action) -> Receipt:
    given = tuple(Answer(item(key), action) for key, action in answers.items())
    return Receipt(secrets.token_hex(16), at, version, given, "May we?\n“Yes” – 你好", "en", Channel.PAGE, account)


@dataclass
class Store:
    """A ledger, and how others come to the same store: by another ledger, from another process, by SQL."""

    ledger: Ledger
    opened: Callable[[], Ledger]
    program: str
    rows: Callable[[str], list[tuple[Any, ...]]]
    change: Callable[[str], None]

    def start(self, program: str) -> subprocess.Popen[str]:
        text = OTHER_PROCESS + self.program + program
        return subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, encoding="utf-8")


def in_file(path: Path) -> Iterator[Store]:
    opened: list[SQLiteLedger] = []

    def another() -> SQLiteLedger:
        opened.append(SQLiteLedger(path))
        return opened[-1]

    def rows(sql: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(path)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def change(sql: str) -> None:
        connection = sqlite3.connect(path)
        connection.execute(sql)
        connection.commit()
        connection.close()

    program = f"from strictly_necessary.consent.sqlite import SQLiteLedger\nledger = SQLiteLedger({str(path)!r})\n"
    yield Store(another(), another, program, rows, change)
    for ledger in opened:
        ledger.close()


def in_database(url: str, schema: str | None) -> Iterator[Store]:
    engine = sa.create_engine(url, hide_parameters=True)
    metadata = sa.MetaData(schema=schema)
    tables = consent_tables(metadata)
    with engine.begin() as connection:
        if schema is not None:
            connection.execute(sa.schema.CreateSchema(schema))
        metadata.create_all(connection)

    def another() -> SQLAlchemyLedger:
        return SQLAlchemyLedger(engine.connect, engine.begin, tables=tables)

    def there(sql: str) -> str:
        return sql.replace("consent_", f"{schema}.consent_") if schema else sql

    def rows(sql: str) -> list[tuple[Any, ...]]:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(there(sql))]

    def change(sql: str) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql(there(sql))

    program = f"""
import sqlalchemy as sa
from strictly_necessary.consent.sqlalchemy import SQLAlchemyLedger, consent_tables
engine = sa.create_engine({url!r})
ledger = SQLAlchemyLedger(engine.connect, engine.begin, tables=consent_tables(sa.MetaData(schema={schema!r})))
"""
    yield Store(another(), another, program, rows, change)
    if schema is not None:
        with engine.begin() as connection:
            connection.execute(sa.schema.DropSchema(schema, cascade=True))
    engine.dispose()


@pytest.fixture(
    params=[
        "file",
        "sqlalchemy on sqlite",
        pytest.param("sqlalchemy on postgresql", marks=pytest.mark.postgresql),
    ]
)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "file":
        yield from in_file(tmp_path / "consent.sqlite")
    elif request.param == "sqlalchemy on sqlite":
        yield from in_database(f"sqlite:///{tmp_path / 'service.sqlite'}", None)
    else:
        url = request.getfixturevalue("postgresql_url").replace("postgresql://", "postgresql+psycopg://", 1)
        yield from in_database(url, f"consent_{secrets.token_hex(6)}")


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return store.ledger


def test_a_receipt_comes_back_as_it_was(ledger: Ledger, store: Store) -> None:
    kept = receipt("ann", at=NOON.replace(microsecond=123_457), visits=Action.GRANTED, chat=Action.REFUSED)
    ledger.record(kept)
    assert store.opened().receipts("ann") == (kept,)
    assert ledger.receipts("ann")[0].at.tzinfo is dt.UTC
    assert ledger.receipts("bob") == ()


def test_receipts_come_with_the_last_one_first(ledger: Ledger) -> None:
    recorded = [receipt("ann", visits=Action.GRANTED), receipt("bob", visits=Action.REFUSED)]
    recorded += [receipt("ann", at=NOON - dt.timedelta(days=day), visits=Action.REFUSED) for day in range(3)]
    for each in recorded:
        ledger.record(each)
    assert list(ledger.receipts("ann")) == [each for each in reversed(recorded) if each.account == "ann"]


def test_the_latest_answer_is_the_one_that_was_recorded_last_whatever_the_clock_said(ledger: Ledger) -> None:
    ledger.record(receipt("ann", visits=Action.GRANTED, chat=Action.GRANTED))
    before = NOON - dt.timedelta(hours=1)
    ledger.record(receipt("ann", at=before, version="2", visits=Action.WITHDRAWN))
    assert ledger.answers("ann") == {
        "visits": Latest(Action.WITHDRAWN, "2", before),
        "chat": Latest(Action.GRANTED, "1", NOON),
    }
    assert ledger.answers("bob") == {}


def test_a_receipt_that_is_recorded_again_is_kept_once_and_brings_no_old_yes_back(ledger: Ledger) -> None:
    yes, no = receipt("ann", visits=Action.GRANTED), receipt("ann", visits=Action.WITHDRAWN)
    for each in (yes, no, yes, no, yes):
        ledger.record(each)
    assert list(ledger.receipts("ann")) == [no, yes]
    assert ledger.answers("ann")["visits"].action is Action.WITHDRAWN


def test_another_receipt_with_the_same_id_is_an_error_and_changes_nothing(ledger: Ledger) -> None:
    no = receipt("ann", visits=Action.REFUSED)
    ledger.record(no)
    yes = receipt("ann", visits=Action.GRANTED)
    for other in (replace(yes, id=no.id), replace(no, account="bob"), replace(no, text="Something else")):
        with pytest.raises(LedgerError, match="another receipt"):
            ledger.record(other)
    assert list(ledger.receipts("ann")) == [no]
    assert ledger.answers("ann")["visits"].action is Action.REFUSED
    assert ledger.answers("bob") == {}


def test_the_receipt_of_somebody_is_kept_and_tells_of_nobody(ledger: Ledger, store: Store) -> None:
    kept = receipt(None, visits=Action.GRANTED)
    ledger.record(kept)
    assert store.rows("SELECT id, account FROM consent_receipts") == [(kept.id, None)]
    assert store.rows("SELECT count(*) FROM consent_answers") == [(0,)]
    assert ledger.tally() == Tally()


def test_to_acknowledge_is_new_once(ledger: Ledger) -> None:
    first = Acknowledgement("ann", "2", NOON, Channel.PAGE)
    later = Acknowledgement("ann", "3", NOON + dt.timedelta(days=1), Channel.APP)
    assert ledger.acknowledge(first)
    assert not ledger.acknowledge(replace(first, at=NOON + dt.timedelta(days=2), channel=Channel.APP))
    assert ledger.acknowledge(later)
    assert list(ledger.acknowledgements("ann")) == [later, first]
    assert ledger.acknowledge(replace(first, account="bob"))


def test_of_many_who_acknowledge_at_once_one_is_the_first(ledger: Ledger) -> None:
    together = threading.Barrier(8)

    def press(number: int) -> bool:
        together.wait()
        return ledger.acknowledge(Acknowledgement("ann", "2", NOON + dt.timedelta(seconds=number), Channel.PAGE))

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(press, range(8))) == [False] * 7 + [True]
    assert len(ledger.acknowledgements("ann")) == 1


def test_what_is_forgotten_is_nowhere_any_more_and_the_proof_stays(ledger: Ledger, store: Store) -> None:
    yes, other = receipt("ann@example", visits=Action.GRANTED), receipt("bob", visits=Action.REFUSED)
    for each in (yes, other):
        ledger.record(each)
        ledger.acknowledge(Acknowledgement(str(each.account), "2", NOON, Channel.PAGE))
    ledger.forget("ann@example")
    ledger.record(yes)  # sent again by a client that had heard no answer
    assert (*ledger.receipts("ann@example"), *ledger.acknowledgements("ann@example")) == ()
    assert ledger.answers("ann@example") == {}
    everything = [row for table in TABLES for row in store.rows(f"SELECT * FROM {table}")]  # noqa: S608
    assert not any("ann@example" in str(row) for row in everything)
    assert store.rows("SELECT id, account, text FROM consent_receipts ORDER BY number") == [
        (yes.id, None, yes.text),
        (other.id, "bob", other.text),
    ]
    assert list(ledger.receipts("bob")) == [other]
    assert ledger.tally() == Tally({"2": 1}, {"visits": {Action.REFUSED: 1}})


def test_the_tally_counts_each_account_by_its_latest_answer(ledger: Ledger) -> None:
    assert ledger.tally() == Tally()
    for account in ("ann", "bob", "eve"):
        ledger.record(receipt(account, visits=Action.GRANTED, chat=Action.REFUSED))
        ledger.acknowledge(Acknowledgement(account, "2", NOON, Channel.PAGE))
    ledger.record(receipt("eve", visits=Action.WITHDRAWN))
    assert ledger.tally() == Tally(
        {"2": 3},
        {"visits": {Action.GRANTED: 2, Action.WITHDRAWN: 1}, "chat": {Action.REFUSED: 3}},
    )


def test_threads_that_answer_at_once_lose_nothing(ledger: Ledger) -> None:
    """Two tabs, many times: each answer is kept whole, and what counts is the one that was recorded last."""
    acts = [Action.GRANTED, Action.WITHDRAWN]
    given = [receipt("ann", visits=acts[number % 2], chat=acts[number // 2 % 2]) for number in range(40)]
    given += [replace(each, answers=each.answers[::-1], id=secrets.token_hex(16)) for each in given]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ledger.record, given)) == [None] * 80
    kept = ledger.receipts("ann")
    assert sorted(each.id for each in kept) == sorted(each.id for each in given)
    last = {answer.item.id: answer.action for answer in kept[0].answers}
    assert {key: each.action for key, each in ledger.answers("ann").items()} == last


def test_processes_that_write_at_once_lose_nothing(ledger: Ledger, store: Store) -> None:
    program = """
for number in range(40):
    kept = receipt("ann", "visits", "chat", action=sys.argv[1] if len(sys.argv) > 1 else "granted")
    ledger.record(kept)
    seen = Acknowledgement("ann", str(number), dt.datetime.now(dt.UTC), Channel.PAGE)
    print(kept.id, int(ledger.acknowledge(seen)))
"""
    processes = [store.start(program) for _ in range(2)]
    lines = [line.split() for process in processes for line in process.communicate(timeout=60)[0].splitlines()]
    assert [process.returncode for process in processes] == [0, 0]
    assert sorted(each.id for each in ledger.receipts("ann")) == sorted(key for key, _ in lines)
    assert len(lines) == 80
    assert sum(int(first) for _, first in lines) == len(ledger.acknowledgements("ann")) == 40


def test_a_writer_that_is_killed_leaves_whole_receipts_and_nothing_locked(ledger: Ledger, store: Store) -> None:
    program = """
while True:
    kept = receipt("ann", "visits", "chat", action=secrets.choice(["granted", "withdrawn"]))
    ledger.record(kept)
    print(kept.id, flush=True)
"""
    told: list[str] = []
    for wanted in (1, 7, 20):
        process = store.start(program)
        assert process.stdout is not None
        told += [process.stdout.readline().strip() for _ in range(wanted)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read().split()
        process.wait()
        process.stdout.close()
    kept = ledger.receipts("ann")
    # What was said to be kept is kept; of each of the three, one more may be, that nobody was told of.
    assert {each.id for each in kept} >= set(told)
    assert len(kept) <= len(told) + 3
    assert all([answer.item.id for answer in each.answers] == ["visits", "chat"] for each in kept)
    assert {each.action for each in ledger.answers("ann").values()} == {kept[0].answers[0].action}
    ledger.record(receipt("ann", visits=Action.WITHDRAWN))


def test_a_ledger_that_cannot_be_asked_says_so_and_tells_of_nobody(ledger: Ledger, store: Store) -> None:
    for table in TABLES:
        store.change(f"DROP TABLE {table}")
    calls: list[Callable[[], object]] = [
        lambda: ledger.record(receipt("ann@example", visits=Action.REFUSED)),
        lambda: ledger.receipts("ann@example"),
        lambda: ledger.answers("ann@example"),
        lambda: ledger.acknowledge(Acknowledgement("ann@example", "2", NOON, Channel.PAGE)),
        lambda: ledger.acknowledgements("ann@example"),
        ledger.tally,
        lambda: ledger.forget("ann@example"),
    ]
    for call in calls:
        with pytest.raises(LedgerError) as caught:
            call()
        assert "ann@example" not in str(caught.value)


@pytest.mark.parametrize(
    "spoiled", ["answers = 'no JSON'", "channel = 'post'", "at = 9000000000000000000", "answers = '{\"format\":2}'"]
)
def test_a_receipt_that_cannot_be_read_is_never_left_out(ledger: Ledger, store: Store, spoiled: str) -> None:
    ledger.record(receipt("ann", visits=Action.GRANTED))
    store.change(f"UPDATE consent_receipts SET {spoiled}")  # noqa: S608
    with pytest.raises(LedgerError, match="cannot be read"):
        ledger.receipts("ann")


@pytest.mark.parametrize("action", ["yes", "GRANTED", ""])
def test_an_answer_that_cannot_be_read_is_an_error_and_no_yes(ledger: Ledger, store: Store, action: str) -> None:
    ledger.record(receipt("ann", visits=Action.GRANTED))
    store.change(f"UPDATE consent_answers SET action = '{action}'")  # noqa: S608
    with pytest.raises(LedgerError, match="cannot be read"):
        ledger.answers("ann")


# The file


def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "consent.sqlite"
    before = os.umask(0)
    try:
        for store in in_file(path):
            store.ledger.record(receipt("ann", visits=Action.GRANTED))
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"consent.sqlite": 0o600, "consent.sqlite-wal": 0o600, "consent.sqlite-shm": 0o600}


def test_what_another_process_holds_is_waited_for_and_then_told(tmp_path: Path) -> None:
    path = tmp_path / "consent.sqlite"
    ledger = SQLiteLedger(path, busy_seconds=0.2)
    yes = receipt("ann", visits=Action.GRANTED)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    with pytest.raises(LedgerError, match=r"locked by another process for longer than 0\.2 s"):
        ledger.record(yes)
    assert time.monotonic() - started >= 0.2
    assert ledger.answers("ann") == {}  # readers do not wait for writers
    holder.execute("COMMIT")
    holder.close()
    ledger.record(yes)
    assert ledger.receipts("ann") == (yes,)
    ledger.close()


def test_after_close_everything_is_refused(tmp_path: Path) -> None:
    ledger = SQLiteLedger(tmp_path / "consent.sqlite")
    ledger.record(receipt("ann", visits=Action.GRANTED))
    ledger.close()
    ledger.close()
    with pytest.raises(LedgerError, match="closed"):
        ledger.answers("ann")
    assert [file.name for file in tmp_path.iterdir()] == ["consent.sqlite"]


def test_a_file_that_cannot_be_one_is_refused_at_once(tmp_path: Path) -> None:
    for nowhere in ("", ":memory:"):
        with pytest.raises(ValueError, match="path of a file"):
            SQLiteLedger(nowhere)
    with pytest.raises(LedgerError, match="cannot be opened"):
        SQLiteLedger(tmp_path / "absent" / "consent.sqlite")
    (tmp_path / "other").write_text("This is a text, and long enough to be no database by any reading of it.\n" * 20)
    with pytest.raises(LedgerError, match="not a database"):
        SQLiteLedger(tmp_path / "other")


def test_a_file_that_is_taken_away_is_not_made_anew(tmp_path: Path) -> None:
    """An empty one would know nothing of those who said no."""
    path = tmp_path / "consent.sqlite"
    ledger = SQLiteLedger(path)
    ledger.close()
    ledger = SQLiteLedger(path)
    taken = ledger._idle.pop()
    path.rename(tmp_path / "elsewhere")
    with pytest.raises(LedgerError, match="cannot be used"):
        ledger.answers("ann")
    assert not path.exists()
    taken.close()
    ledger.close()


def test_tables_of_a_later_version_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "consent.sqlite"
    SQLiteLedger(path).close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE consent_schema SET version = 2")
    connection.commit()
    connection.close()
    with pytest.raises(LedgerError, match="tables of version 2"):
        SQLiteLedger(path)


def test_a_process_that_forks_after_opening_goes_on_on_both_sides(tmp_path: Path) -> None:
    for store in in_file(tmp_path / "consent.sqlite"):
        program = """
ledger.record(receipt("before", "visits"))
child = os.fork()
name = "parent" if child else "child"
for _ in range(20):
    ledger.record(receipt(name, "visits"))
if not child:
    ledger.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
ledger.record(receipt("parent", "visits"))
"""
        process = store.start(program)
        process.communicate(timeout=60)
        assert process.returncode == 0
        counts = {name: len(store.ledger.receipts(name)) for name in ("before", "parent", "child")}
        assert counts == {"before": 1, "parent": 21, "child": 20}


def test_processes_that_open_a_new_file_at_once_all_can(tmp_path: Path) -> None:
    for number in range(3):
        path = tmp_path / f"{number}.sqlite"
        program = f"from strictly_necessary.consent.sqlite import SQLiteLedger\nSQLiteLedger({str(path)!r}).close()"
        started = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(4)]
        assert [process.wait(60) for process in started] == [0] * 4


def test_the_answers_of_an_account_are_one_search_in_an_index(tmp_path: Path) -> None:
    for store in in_file(tmp_path / "consent.sqlite"):
        assert isinstance(store.ledger, SQLiteLedger)
        (plan,) = store.rows(f"EXPLAIN QUERY PLAN {sqlite_module._LATEST.replace('?', repr('ann'))}")
        assert plan[3].startswith("SEARCH consent_answers USING PRIMARY KEY (account=?)")


# The database


def test_the_answers_of_an_account_are_one_statement(store: Store) -> None:
    if not isinstance(store.ledger, SQLAlchemyLedger):
        pytest.skip("shown for the file by its plan")
    executed: list[tuple[str, Any]] = []
    with store.ledger._read() as connection:
        engine = connection.engine
    sa.event.listen(engine, "before_cursor_execute", lambda *each: executed.append((each[2], each[3])))
    store.ledger.answers("ann")
    ((statement, parameters),) = executed
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # it reads an empty table as a whole
        explain = "EXPLAIN" if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        plan = str(connection.exec_driver_sql(f"{explain} {statement}", parameters).all())
    assert re.search(r"SEARCH consent_answers USING INDEX|(Index|Bitmap) Scan \w+ consent_answers", plan), plan


def test_the_file_and_the_database_have_the_same_tables(tmp_path: Path) -> None:
    """So that a service can move from one to the other."""
    path = tmp_path / "consent.sqlite"
    for store in in_file(path):
        first = receipt("ann", visits=Action.GRANTED)
        store.ledger.record(first)
        engine = sa.create_engine(f"sqlite:///{path}")
        other = SQLAlchemyLedger(engine.connect, engine.begin)
        second = receipt("ann", chat=Action.REFUSED)
        other.record(second)
        assert list(store.ledger.receipts("ann")) == list(other.receipts("ann")) == [second, first]
        assert store.ledger.answers("ann") == other.answers("ann")
        engine.dispose()


def test_the_tables_stand_in_the_metadata_of_the_service() -> None:
    metadata = sa.MetaData()
    tables = consent_tables(metadata)
    assert set(metadata.tables) == set(TABLES)
    assert (tables.receipts.name, tables.answers.name, tables.acknowledgements.name) == TABLES


def test_the_package_itself_never_imports_sqlalchemy() -> None:
    program = (
        "import sys, strictly_necessary.consent, strictly_necessary.consent.sqlite\nprint('sqlalchemy' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True)
    assert result.stdout == "False\n"


def test_both_modules_offer_what_is_documented() -> None:
    from strictly_necessary.consent import sqlalchemy

    assert sqlite_module.__all__ == ["SQLiteLedger"]
    assert sqlalchemy.__all__ == ["ConsentTables", "SQLAlchemyLedger", "consent_tables"]
