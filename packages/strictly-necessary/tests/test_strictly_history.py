"""Released versions in files: which are read, in which order, and what is wrong with them."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from strictly_necessary import Declaration, DeclarationError, check
from strictly_necessary.declaration import examine
from strictly_necessary.versions import ChangeKind, History, Significance, folder_of, load_history, read_history
from strictly_necessary.versions._loading import natural

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


def text(version: str, day: str = "2026-01-01", *, life: str = "30 days", more: str = "") -> str:
    return f"""[policy]
service = "Example"
operator = "Example Ltd"
contact = "privacy@example.org"
version = "{version}"
last_updated = {day}
jurisdictions = ["EU", "UK"]
{more}
[[items]]
id = "visits"
name = "visits"
kind = "cookie"
category = "analytics"
purpose = "Counts visits."
provider = "Example Ltd"
lifetime = "{life}"
set_when = "You say yes."
set_by = "server"
readable_by_application = true
http_only = true
secure = true
same_site = "Lax"
path = "/"

[[items]]
id = "choice"
name = "__Host-choice"
kind = "cookie"
category = "consent-choice"
purpose = "Remembers what you answered."
provider = "Example Ltd"
lifetime = "6 months"
set_when = "You answer."
set_by = "server"
readable_by_application = false
http_only = false
secure = true
same_site = "Lax"
path = "/"
"""


def put(folder: Path, working: str, **released: str) -> Path:
    """The file, and the versions by the names of their files."""
    file = folder / "policy.toml"
    file.write_text(working, encoding="utf-8")
    for name, each in released.items():
        folder_of(file).mkdir(exist_ok=True)
        (folder_of(file) / f"{name.removeprefix('v')}.toml").write_text(each, encoding="utf-8")
    return file


def numbers(file: Path, now: dt.datetime = NOW) -> list[str]:
    return [version.number for version in load_history(file, now=now).versions]


def wrong(file: Path, now: dt.datetime = NOW) -> list[str]:
    """What is wrong with the files, as file:line code."""
    with pytest.raises(DeclarationError) as raised:
        load_history(file, now=now)
    return [f"{Path(each.file).name}:{each.line} {each.code}" for each in raised.value.findings]


def test_without_a_folder_the_file_is_its_only_version(tmp_path: Path) -> None:
    file = put(tmp_path, text("any"))
    history = load_history(file)
    (version,) = history.versions
    assert (version.number, version.difference, history.at(NOW)) == ("any", None, version)
    folder_of(file).mkdir()
    (folder_of(file) / "README.md").write_text("Versions.")
    (folder_of(file) / ".2.toml.x").write_text("half a ver")
    (folder_of(file) / ".hidden.toml").write_text("half a ver")
    assert numbers(file) == ["any"]


def test_what_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_history(tmp_path / "policy.toml")
    with pytest.raises(ValueError, match="path"):
        load_history("[policy]\n")
    with pytest.raises(TypeError):
        load_history(None)  # type: ignore[arg-type]
    assert sorted(wrong(put(tmp_path, "x = 1\n"))) == ["policy.toml:1 SN003", "policy.toml:1 SN004"]
    with pytest.raises(ValueError, match="at least one"):
        read_history([])


def test_the_folder_has_the_name_of_the_file() -> None:
    assert folder_of("a/policy.toml") == Path("a/policy.versions")
    assert folder_of(Path("a.b.toml")) == Path("a.b.versions")


def test_ten_comes_after_nine(tmp_path: Path) -> None:
    released = {f"v{number}": text(str(number), life=f"{number} days") for number in range(1, 12)}
    file = put(tmp_path, released["v11"], **released)
    assert numbers(file) == [str(number) for number in range(1, 12)]
    assert sorted(["1.10", "1.9", "1", "2", "10", "a", "a10", "a9"], key=natural) == [
        "1", "1.9", "1.10", "2", "10", "a", "a9", "a10",
    ]  # fmt: skip


def test_versions_stand_in_the_order_of_their_start(tmp_path: Path) -> None:
    released = {
        "spring": text("spring", "2026-03-01", life="1 day"),
        "autumn": text("autumn", "2026-09-01", life="3 days"),
        "summer": text("summer", "2026-06-01", life="2 days", more="starts = 2026-06-01T12:00:00Z"),
    }
    history = load_history(put(tmp_path, released["autumn"], **released), now=NOW)
    assert [version.number for version in history.versions] == ["spring", "summer", "autumn"]
    assert history.at(NOW).number == "summer"
    assert history.at(NOW - dt.timedelta(seconds=1)).number == "spring"
    coming = history.after(NOW)
    assert coming is not None
    assert coming.number == "autumn"
    assert history.versions[1].difference is not None
    assert [change.kind for change in history.versions[1].difference.changes] == [ChangeKind.LONGER_LIFE]


@pytest.mark.parametrize(
    ("working", "expected"),
    [
        (text("2", life="60 days").replace("\n\n", "\n# a remark\n\n"), None),
        (text("2", life="60 days").replace("lifetime = ", "lifetime   =   "), None),
        (text("2", life="61 days"), "policy.toml:16 SN501"),
        (text("3", life="60 days"), "policy.toml:5 SN501"),
        (text("2", "2026-01-02", life="60 days"), "policy.toml:6 SN501"),
        (text("2", life="60 days", more='summary = "S"'), "policy.toml:8 SN501"),
        (text("2", life="60 days", more='ask = ["visits"]'), "policy.toml:10 SN501"),
        (text("2", life="60 days").replace('service = "Example"', 'service = "E"'), "policy.toml:2 SN501"),
        (text("2", life="60 days")[: text("2").index("[[items]]")], "policy.toml:5 SN501"),
    ],
)
def test_the_file_is_what_was_released_last(tmp_path: Path, working: str, expected: str | None) -> None:
    file = put(tmp_path, working, v1=text("1"), v2=text("2", life="60 days"))
    if expected is None:
        assert numbers(file) == ["1", "2"]
    else:
        assert wrong(file) == [expected]


def test_unreleased_changes_are_told_with_what_to_do(tmp_path: Path) -> None:
    changed = text("1", life="60 days").replace("Counts visits.", "Counts.").replace('"__Host-choice"', '"__Host-c"')
    file = put(tmp_path, changed.replace("Example Ltd", "Other Ltd"), v1=text("1"))
    with pytest.raises(DeclarationError) as raised:
        load_history(file)
    (finding,) = raised.value.findings
    assert finding.message.startswith("not released since version 1: Example: somebody else runs the service")
    assert "; and " in finding.message
    assert finding.message.endswith(" more")
    assert finding.fix == "release it: strictly release FILE; or take the change back"
    assert check(file) == []  # which looks at the file alone


def test_a_file_with_errors_is_told_once(tmp_path: Path) -> None:
    broken = text("1").replace("http_only = false", "http_only = true")
    assert wrong(put(tmp_path, broken, v1=broken)) == ["policy.toml:36 SN512"]
    assert wrong(put(tmp_path, broken, v1=text("1"))) == ["policy.toml:36 SN512"]
    assert wrong(put(tmp_path, text("1"), v1=broken)) == ["policy.toml:36 SN501", "1.toml:36 SN512"]


def test_past_versions_were_law_in_their_time(tmp_path: Path) -> None:
    old = text("1").replace("http_only = false", "http_only = true")
    now = text("2", "2026-03-01")
    file = put(tmp_path, now, v1=old, v2=now)
    assert numbers(file) == ["1", "2"]
    assert wrong(file, dt.datetime(2026, 2, 1, tzinfo=dt.UTC)) == ["1.toml:36 SN512"]
    coming = text("3", "2026-12-01").replace("http_only = false", "http_only = true")
    assert wrong(put(tmp_path, coming, v3=coming)) == ["policy.toml:36 SN512"]
    unknown = old + 'colour = "red"\n'
    folder = tmp_path / "other"
    folder.mkdir()
    history = load_history(put(folder, now, v1=unknown, v2=now), now=NOW)
    current = history.at(NOW)
    assert [item.id for item in history.versions[0].declaration.items] == ["visits"]
    assert history.covers(current.declaration.item("visits"), "1", current)


def test_what_cannot_be_read_is_wrong_whenever_it_held(tmp_path: Path) -> None:
    file = put(tmp_path, text("2", "2026-03-01"), v1="policy = 1\n", v2=text("2", "2026-03-01"))
    assert wrong(file) == ["1.toml:1 SN004"]
    folder_of(file).joinpath("1.toml").write_bytes(b"\xff")
    assert wrong(file) == ["1.toml:1 SN002"]


def test_a_version_stands_under_its_name(tmp_path: Path) -> None:
    file = put(tmp_path, text("2", "2026-03-01"), v1=text("1"), second=text("2", "2026-03-01"))
    assert wrong(file) == ["second.toml:5 SN502"]
    odd = text("a b").split("[[items]]")[0]
    folder = tmp_path / "other"
    folder.mkdir()
    assert wrong(put(folder, odd, **{"a b": odd})) == ["a b.toml:5 SN510"]
    assert check(folder / "policy.toml") == []


def test_versions_follow_each_other(tmp_path: Path) -> None:
    file = put(tmp_path, text("2"), v1=text("1", "2026-03-01"), v2=text("2"))
    assert wrong(file) == ["2.toml:6 SN503"]
    folder_of(file).joinpath("3.toml").write_text(text("1", "2026-04-01"))
    assert "SN503" in wrong(file)[-1]


@pytest.mark.parametrize("day", ["2026-03-01", "2026-12-01"])
def test_a_significant_change_is_not_called_editorial(tmp_path: Path, day: str) -> None:
    second = text("2", day, life="60 days", more='change = "editorial"')
    file = put(tmp_path, second, v1=text("1"), v2=second)
    assert wrong(file) == ["2.toml:8 SN504"]
    third = text("3", "2026-04-01", life="1 day")
    if day < "2026-04-01":  # once it is past, it is as it was, and people were told
        history = load_history(put(tmp_path, third, v3=third), now=NOW)
        assert [version.is_significant for version in history.versions] == [False, True, False]


def test_an_author_may_call_more_significant_than_the_rules(tmp_path: Path) -> None:
    second = text("2", "2026-03-01", life="1 day", more='change = "significant"')
    history = load_history(put(tmp_path, second, v1=text("1"), v2=second), now=NOW)
    (told,) = history.significant(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), NOW)
    assert (told.number, told.declaration.policy.change) == ("2", Significance.SIGNIFICANT)


def test_versions_can_come_from_elsewhere() -> None:
    rows = [("version 2", text("2", "2026-03-01").encode()), ("version 1", text("1").encode())]
    assert [version.number for version in read_history(rows, now=NOW).versions] == ["1", "2"]
    with pytest.raises(DeclarationError, match="SN503"):
        read_history([*rows, rows[0]], now=NOW)
    with pytest.raises(DeclarationError) as raised:
        read_history([("row 1", b"[policy]\n")], now=NOW)
    assert {finding.file for finding in raised.value.findings} == {"row 1"}


def test_the_order_of_equal_starts_is_that_of_the_names() -> None:
    rows = [(name, text(name, life=f"{name} days").encode()) for name in ("10", "9", "11")]
    assert [version.number for version in read_history(rows).versions] == ["9", "10", "11"]


def declared(version: str, day: str = "2026-01-01", **words: str) -> Declaration:
    declaration, _ = examine(text(version, day, **words).encode(), "x")
    assert declaration is not None
    return declaration


def test_a_history_has_an_order() -> None:
    with pytest.raises(ValueError, match="at least one version"):
        History.of([])
    with pytest.raises(ValueError, match="the same name, among 1, 1"):
        History.of([declared("1"), declared("1", "2026-02-01")])
    with pytest.raises(ValueError, match="version 2 starts before version 1, which it follows"):
        History.of([declared("1", "2026-02-01"), declared("2")])
    assert len(History.of([declared("1"), declared("2")]).versions) == 2


def test_which_version_holds_when() -> None:
    history = History.of([declared("1"), declared("2", "2026-02-01"), declared("3", "2026-03-01")])
    first, second, third = history.versions
    moments = [dt.datetime(2026, month, 1, tzinfo=dt.UTC) for month in (1, 2, 3)]
    instant = dt.timedelta(microseconds=1)
    assert [history.at(moment) for moment in moments] == [first, second, third]
    assert [history.at(moment - instant) for moment in moments] == [first, first, second]
    assert [history.after(moment) for moment in moments] == [second, third, None]
    assert history.after(moments[1] - instant) is second
    assert history.after(moments[0] - instant) is second  # the first one holds already
    assert history.version("2") is second
    with pytest.raises(KeyError):
        history.version("4")


def test_which_versions_are_told() -> None:
    history = History.of(
        [declared("1"), declared("2", "2026-02-01", life="60 days"), declared("3", "2026-03-01", life="1 day")]
    )
    second = history.versions[1]
    start, instant = second.starts, dt.timedelta(microseconds=1)
    assert history.significant(start - instant, start) == (second,)
    assert history.significant(start - instant, NOW) == (second,)
    assert history.significant(start, NOW) == ()
    assert history.significant(start - instant, start - instant) == ()


def test_to_which_versions_an_answer_holds() -> None:
    asking = declared("3", "2026-03-01", more='ask = ["visits"]')
    history = History.of(
        [declared("1"), declared("2", "2026-02-01", life="1 day"), asking, declared("4", "2026-04-01")]
    )
    item = asking.item("visits")
    assert [history.covering(each.declaration.item("visits"), each) for each in history.versions] == [
        ("1",), ("1", "2"), ("3",), ("3", "4"),
    ]  # fmt: skip
    assert not history.covers(item, "unknown", history.versions[3])
    assert not history.covers(item, "4", history.versions[2])
    other = declared("2", "2026-02-01", more="")
    sold = replace(other, policy=replace(other.policy, operator="Other Ltd"))
    history = History.of([declared("1"), sold])
    assert history.covering(sold.item("visits"), history.versions[1]) == ("2",)
