"""Making the next version: the plan, the text that it writes, and the command that makes it."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from strictly_necessary.cli import main
from strictly_necessary.declaration import examine
from strictly_necessary.versions import History, Release, Significance, folder_of, load_history, plan_release
from strictly_necessary.versions import _writing as writing

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
POLICY = """# Ours.
[policy]
service = "Example"
operator = "Example Ltd"
contact = "privacy@example.org"
  version = "1"   # counted up
last_updated = 2026-01-01
jurisdictions = ["EU", "UK"]
"""
ITEM = """
[[items]]
id = "{id}"
name = "{id}"
kind = "cookie"
category = "{category}"
purpose = "Serves."
provider = "Example Ltd"
lifetime = "{life}"
set_when = "You ask."
set_by = "server"
readable_by_application = true
http_only = {hidden}
secure = true
same_site = "Lax"
path = "/"
"""
BASKET = ITEM.format(id="basket", category="user-input", life="2 hours", hidden="true")
VISITS = ITEM.format(id="visits", category="analytics", life="30 days", hidden="true")
CHOICE = ITEM.format(id="choice", category="consent-choice", life="6 months", hidden="false").replace(
    'name = "choice"', 'name = "__Host-choice"'
)
EXEMPT = POLICY + BASKET
ASKING = POLICY + BASKET + VISITS + CHOICE


def after(*texts: str | bytes) -> History:
    found = []
    for text in texts:
        declaration, _ = examine(text if isinstance(text, bytes) else text.encode(), "x")
        assert declaration is not None
        found.append(declaration)
    return History.of(found)


def plan(text: str | bytes, history: History | None, **wishes: Any) -> Release:
    return plan_release(history, text if isinstance(text, bytes) else text.encode(), **{"now": NOW, **wishes})


LONGER = EXEMPT.replace("2 hours", "3 hours")
WORDS = EXEMPT.replace("Serves.", "Serves you.")


def test_the_first_release_keeps_the_file_as_it_is() -> None:
    release = plan(ASKING, None)
    assert (release.version, release.text, release.is_first, release.refusals) == ("1", ASKING.encode(), True, ())
    assert release.starts == dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    assert not release.difference.changes
    for wish in ({"version": "2"}, {"starts": NOW}, {"summary": "S"}, {"ask": ["visits"]}):
        assert "keeps the file as it is" in plan(ASKING, None, **wish).refusals[0]
    assert "name of a version" in plan(EXEMPT.replace('"1"', '"one two"'), None).refusals[0]


def test_the_next_version_is_written_between_the_lines_of_the_file() -> None:
    release = plan(LONGER, after(EXEMPT), summary='Half a “day” \\ "longer".')
    assert release.refusals == ()
    assert (release.version, release.starts, release.significance) == ("2", NOW, Significance.SIGNIFICANT)
    assert release.text.decode() == LONGER.replace(
        '  version = "1"   # counted up\nlast_updated = 2026-01-01\n',
        '  version = "2"   # counted up\nlast_updated = 2026-06-01\nstarts = 2026-06-01T12:00:00Z\n'
        'change = "significant"\nsummary = "Half a “day” \\\\ \\"longer\\"."\n',
    )


def test_line_ends_and_the_mark_at_the_beginning_stay() -> None:
    raw = b"\xef\xbb\xbf" + LONGER.replace("\n", "\r\n").encode()
    text = plan(raw, after(EXEMPT)).text
    assert text.startswith(b"\xef\xbb\xbf# Ours.\r\n")
    assert text.count(b"\n") == text.count(b"\r\n") == raw.count(b"\n") + 2


def test_what_was_said_of_the_version_before_is_taken_away() -> None:
    first = plan(LONGER, after(EXEMPT), summary="Longer.").text.decode()
    release = plan(first.replace("Serves.", "Serves you."), after(EXEMPT, first), now=NOW + dt.timedelta(days=1))
    assert (release.version, release.significance, release.refusals) == ("3", Significance.EDITORIAL, ())
    policy = after(release.text).versions[0].declaration.policy
    assert (policy.summary, policy.change, policy.ask) == (None, Significance.EDITORIAL, ())
    assert policy.last_updated == dt.date(2026, 6, 2)
    assert "summary" not in release.text.decode()


def test_what_the_author_wrote_for_this_version_stays() -> None:
    keys = 'last_updated = 2026-01-01\nstarts = 2026-07-01T00:00:00+02:00\nchange = "significant"\nsummary = "S"'
    text = WORDS.replace("last_updated = 2026-01-01", keys).replace('"1"', '"1.9"')
    release = plan(text, after(EXEMPT))
    assert release.refusals == ()
    assert (release.version, release.significance) == ("1.9", Significance.SIGNIFICANT)
    policy = after(release.text).versions[0].declaration.policy
    assert (policy.summary, policy.last_updated) == ("S", dt.date(2026, 6, 30))
    assert policy.starts == dt.datetime(2026, 6, 30, 22, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("before", "expected"),
    [("1", "2"), ("9", "10"), ("1.9", "1.10"), ("v9", "v10"), ("007", "008"), ("099", "100"), ("3.0.9", "3.0.10")],
)
def test_versions_count_up(before: str, expected: str) -> None:
    old, new = (text.replace('"1"', f'"{before}"') for text in (EXEMPT, LONGER))
    assert plan(new, after(old)).version == expected


@pytest.mark.parametrize("before", ["spring", "2026-12", "2026-12-31"])
def test_what_cannot_be_counted_up_is_asked_for(before: str) -> None:
    old, new = (text.replace('"1"', f'"{before}"') for text in (EXEMPT, LONGER))
    assert plan(new, after(old)).refusals == (f"what follows version {before} cannot be counted up; say --version",)
    assert plan(new, after(old), version="2027-01").refusals == ()


@pytest.mark.parametrize(
    ("wishes", "reason"),
    [
        ({"version": "1"}, "there is a version 1 already"),
        ({"version": "0.9"}, "version 0.9 would follow version 1"),
        ({"version": "a b"}, "cannot be the name of a version"),
        ({"version": "../x"}, "cannot be the name of a version"),
        ({"version": "x" * 33}, "cannot be the name of a version"),
        ({"change": Significance.EDITORIAL}, "this is no editorial change: basket: lives longer"),
        ({"starts": NOW - dt.timedelta(seconds=1)}, "2026-06-01T11:59:59Z is in the past"),
        ({"starts": dt.datetime(2025, 1, 1, tzinfo=dt.UTC)}, "version 1 started at 2026-01-01T00:00:00Z"),
        ({"ask": ["basket"]}, "the declaration has errors"),
        ({"summary": "S", "translations": {"de": "Z"}}, "the declaration has errors"),
        ({"summary": "a\nb"}, "the declaration has errors"),
    ],
)
def test_what_is_refused(wishes: dict[str, Any], reason: str) -> None:
    (refusal,) = plan(LONGER, after(EXEMPT), **wishes).refusals
    assert reason in refusal


def test_more_that_is_refused() -> None:
    assert plan(EXEMPT, after(EXEMPT)).refusals == ("nothing has changed since version 1",)
    assert plan("\n\n" + EXEMPT, after(EXEMPT), summary="S").refusals == ("nothing has changed since version 1",)
    broken = plan(LONGER.replace('kind = "cookie"', 'kind = "cake"'), after(EXEMPT))
    assert broken.refusals == ("the declaration has errors",)
    assert [finding.code for finding in broken.findings] == ["SN006"]
    inline = 'policy = {service = "E", operator = "Example Ltd", contact = "a@b", version = "1", '
    inline += 'last_updated = 2026-01-01, jurisdictions = ["EU", "UK"]}\n'
    assert plan(inline + BASKET, after(EXEMPT)).refusals == ("[policy] is not written in lines of its own",)


def test_a_version_that_is_scheduled_is_not_overtaken() -> None:
    start = NOW + dt.timedelta(days=7)
    scheduled = plan(LONGER, after(EXEMPT), starts=start).text.decode()
    history = after(EXEMPT, scheduled)
    next_one = scheduled.replace("3 hours", "4 hours")
    (refusal,) = plan(next_one, history).refusals
    assert refusal == "version 2 starts at 2026-06-08T12:00:00Z, so the next one starts later than that"
    assert plan(next_one, history, starts=start).refusals == (refusal,)
    assert plan(next_one, history, starts=start + dt.timedelta(seconds=1)).refusals == ()


def test_two_releases_within_a_second_keep_their_order() -> None:
    first = plan(LONGER, after(EXEMPT)).text.decode()
    second = plan(first.replace("3 hours", "2 hours"), after(EXEMPT, first))
    assert (second.refusals, second.starts) == ((), NOW + dt.timedelta(seconds=1))


REMOVED = POLICY + BASKET
SHORTER = ASKING.replace("30 days", "20 days")
MOVED = ASKING.replace('name = "__Host-choice"', 'name = "__Host-answer"')


@pytest.mark.parametrize(
    ("new", "asked"),
    [
        (ASKING.replace("30 days", "40 days"), ["visits"]),
        (ASKING.replace('id = "visits"', 'id = "count"'), ["count"]),
        (REMOVED, []),
        (SHORTER, []),
        (MOVED, []),
    ],
    ids=["wider", "renamed", "removed", "narrower", "moved"],
)
def test_what_changes_an_agreement_starts_when_every_page_has_heard_of_it(new: str, asked: list[str]) -> None:
    release = plan(new, after(ASKING))
    assert (release.refusals, sorted(release.to_ask), release.needs_consent) == ((), asked, bool(asked))
    assert dt.timedelta(minutes=2) <= release.starts - NOW <= dt.timedelta(minutes=2, seconds=1)
    soon = plan(new, after(ASKING), starts=NOW + dt.timedelta(seconds=119))
    assert "too soon" in soon.refusals[0]
    assert plan(new, after(ASKING), starts=NOW + dt.timedelta(seconds=120)).refusals == ()


def test_what_leaves_an_agreement_alone_starts_at_once() -> None:
    for new in (ASKING.replace("Serves.", "Serves you."), ASKING.replace("2 hours", "3 hours")):
        assert plan(new, after(ASKING)).starts == NOW


def test_people_are_asked_again_once_because_the_author_says_so() -> None:
    release = plan(ASKING, after(ASKING), ask=["visits"])
    assert (release.refusals, sorted(release.to_ask), release.significance) == (
        (),
        ["visits"],
        Significance.SIGNIFICANT,
    )
    text = release.text.decode()
    assert 'ask = ["visits"]\n' in text
    later = NOW + dt.timedelta(days=1)
    next_one = plan(text.replace("2 hours", "3 hours"), after(ASKING, text), now=later)
    assert (next_one.refusals, sorted(next_one.to_ask)) == ((), [])
    assert b"\nask" not in next_one.text
    written = ASKING.replace("last_updated = 2026-01-01", 'last_updated = 2026-01-01\nask = [\n  "visits", # why\n]')
    assert sorted(plan(written, after(ASKING)).to_ask) == ["visits"]


def test_summaries_in_several_languages() -> None:
    german = '\n[items.translations.de]\npurpose = "Dient."\nset_when = "Sie bitten."\n'
    base = POLICY.replace("jurisdictions", 'languages = ["en", "de"]\njurisdictions') + BASKET + german
    new = base.replace("2 hours", "3 hours")
    (refusal,) = plan(new, after(base), summary="S").refusals
    assert "errors" in refusal
    release = plan(new, after(base), summary="S", translations={"de": "Z"})
    assert release.refusals == ()
    declaration = after(release.text).versions[0].declaration
    assert declaration.in_language("de").policy.summary == "Z"
    table = new.replace("jurisdictions", 'summary = "T"\njurisdictions', 1)
    table = table.replace("\n[[items]]", '\n[policy.translations.de]\nsummary = "U"\n\n[[items]]')
    kept = plan(table, after(base))
    assert kept.refusals == ()
    assert after(kept.text).versions[0].declaration.in_language("de").policy.summary == "U"
    third = plan(kept.text.decode().replace("3 hours", "1 hour"), after(base, kept.text), now=NOW + dt.timedelta(1))
    assert third.refusals == ()
    assert b"[policy.translations" not in third.text
    assert b'"U"' not in third.text
    replaced = plan(table, after(base), summary="V", translations={"de": "W"})
    assert replaced.refusals == ()
    assert after(replaced.text).versions[0].declaration.in_language("de").policy.summary == "W"


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(blacklist_categories=("Cc", "Cs", "Cf", "Zl", "Zp")), min_size=1).filter(str.strip))
def test_any_summary_is_written_as_it_is(summary: str) -> None:
    release = plan(LONGER, after(EXEMPT), summary=summary)
    assert after(release.text).versions[0].declaration.policy.summary == summary


# The command


def strictly(*words: object, answer: str | None = None) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], input=answer)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(ASKING, encoding="utf-8", newline="")
    path.chmod(0o640)
    assert strictly("release", path).exit_code == 0
    return path


def change(file: Path, before: str, now: str) -> None:
    file.write_text(file.read_text(encoding="utf-8").replace(before, now), encoding="utf-8")


def versions(file: Path) -> list[str]:
    return sorted(path.name for path in folder_of(file).iterdir())


def test_the_command_makes_versions(file: Path) -> None:
    assert folder_of(file).joinpath("1.toml").read_bytes() == ASKING.encode()
    change(file, "2 hours", "3 hours")
    result = strictly("release", file, "--summary", "Longer.")
    assert result.exit_code == 0
    assert "significant  basket: lives longer: lifetime 2 hours -> 3 hours" in result.stdout
    assert "Significant: people are told of it. Nobody is asked." in result.stdout
    assert result.stderr == f"Released version 2 as {folder_of(file) / '2.toml'}.\n"
    assert versions(file) == ["1.toml", "2.toml"]
    assert file.read_bytes() == folder_of(file).joinpath("2.toml").read_bytes()
    assert file.stat().st_mode & 0o777 == folder_of(file).joinpath("2.toml").stat().st_mode & 0o777 == 0o640
    assert load_history(file).at(dt.datetime.now(dt.UTC)).number == "2"
    assert sorted(path.name for path in file.parent.iterdir()) == ["policy.toml", "policy.versions"]
    assert strictly("check", file).stdout == ""


def test_consent_is_asked_for_before_it_is_needed(file: Path) -> None:
    change(file, "30 days", "60 days")
    before = file.read_bytes()
    for answer in ("n\n", ""):
        result = strictly("release", file, answer=answer)
        assert result.exit_code == 1
        assert "People are asked about: visits." in result.stdout
        assert "Release it? [y/N]" in result.stderr
        assert (versions(file), file.read_bytes()) == (["1.toml"], before)
    assert strictly("release", file, answer="y\n").exit_code == 0
    assert versions(file) == ["1.toml", "2.toml"]
    change(file, "60 days", "90 days")
    later = (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).isoformat()
    result = strictly("release", file, "--yes", "--starts", later, "--format", "json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert (document["version"], document["is_written"], document["difference"]["to_ask"]) == ("3", True, ["visits"])


def test_a_refusal_writes_nothing(file: Path) -> None:
    for words, said in (
        ((), "Refused: nothing has changed since version 1.\n"),
        (("--as", "editorial"), "Refused: this is no editorial change"),
        (("--starts", "2020-01-01T00:00Z"), "Refused: version 1 started at"),
        (("--version", "1"), "Refused: there is a version 1 already.\n"),
        (("--ask", "nobody"), "SN018"),
    ):
        before = file.read_bytes()
        result = strictly("release", file, "--yes", *words)
        assert result.exit_code == 1
        assert said in result.stderr
        assert "starts at" not in result.stdout
        assert (versions(file), file.read_bytes()) == (["1.toml"], before)
        if not words:
            change(file, "2 hours", "3 hours")
    broken = strictly("release", file, "--starts", "2026-12-01T09:00:00")
    assert (broken.exit_code, "has no offset" in broken.stderr) == (2, True)
    assert strictly("release", file, "--starts", "soon").exit_code == 2
    assert strictly("release", file, "--translation", "de", "Z").exit_code == 2
    assert strictly("release", file.with_name("none.toml")).exit_code == 2


def test_a_dry_run_writes_nothing(file: Path) -> None:
    change(file, "30 days", "60 days")
    before = file.read_bytes()
    result = strictly("release", file, "--dry-run")
    assert (result.exit_code, result.stderr) == (0, "Nothing was written.\n")
    assert "Version 2 starts at" in result.stdout
    document = json.loads(strictly("release", file, "--dry-run", "--format", "json").stdout)
    assert (document["is_written"], document["difference"]["needs_consent"]) == (False, True)
    assert (versions(file), file.read_bytes()) == (["1.toml"], before)


def test_a_release_that_was_cut_short_is_completed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(file, "2 hours", "3 hours")
    real = writing._write

    def fails(path: Path, text: bytes, *, like: Path, is_new: bool) -> None:
        if not is_new:
            raise OSError(28, "No space left on device", str(path))
        real(path, text, like=like, is_new=is_new)

    monkeypatch.setattr(writing, "_write", fails)
    assert strictly("release", file).exit_code == 2
    monkeypatch.undo()
    assert versions(file) == ["1.toml", "2.toml"]
    assert "SN501" in strictly("check", file).stdout
    again = strictly("release", file)
    assert (again.exit_code, again.stderr) == (0, f"Nothing has changed since version 2; {file} says so again.\n")
    assert file.read_bytes() == folder_of(file).joinpath("2.toml").read_bytes()
    assert versions(file) == ["1.toml", "2.toml"]


def test_a_release_that_was_cut_short_and_then_edited_is_followed(file: Path) -> None:
    """The file still says that it is version 1, and there is a version 2."""
    before = file.read_text(encoding="utf-8")
    change(file, "2 hours", "3 hours")
    assert strictly("release", file).exit_code == 0
    file.write_text(before.replace("2 hours", "4 hours"), encoding="utf-8")
    result = strictly("release", file)
    assert (result.exit_code, versions(file)) == (0, ["1.toml", "2.toml", "3.toml"])


def test_two_people_cannot_release_the_same_version(file: Path) -> None:
    change(file, "2 hours", "3 hours")
    raw = file.read_bytes()
    release = plan_release(load_history(folder_of(file) / "1.toml"), raw, now=dt.datetime.now(dt.UTC))
    assert release.refusals == ()
    theirs = folder_of(file) / "2.toml"
    theirs.write_bytes(b"theirs")
    with pytest.raises(FileExistsError):
        writing.write_release(file, raw, release)
    assert (theirs.read_bytes(), file.read_bytes()) == (b"theirs", raw)
    theirs.unlink()
    change(file, "3 hours", "4 hours")
    with pytest.raises(FileExistsError, match="changed meanwhile"):
        writing.write_release(file, raw, release)
    assert versions(file) == ["1.toml"]


def test_the_command_says_what_changed(file: Path) -> None:
    assert strictly("diff", file).stdout == "No difference.\n"
    old = folder_of(file) / "1.toml"
    change(file, "30 days", "60 days")
    result = strictly("diff", file)
    assert result.stdout == strictly("diff", old, file).stdout
    assert result.stdout == (
        "consent      visits: lives longer: lifetime 30 days -> 60 days\n"
        "             Because it stays for longer than before. People are asked.\n"
        "\nSignificant: people are told of it. People are asked about: visits.\n"
    )
    back = strictly("diff", file, old).stdout
    assert "Because nothing happens that did not happen before.\n\nEditorial: it stands on the page." in back
    document = json.loads(strictly("diff", "-", file, "--format", "json", answer=ASKING).stdout)
    (told,) = document["changes"]
    assert (document["to_ask"], document["significance"]) == (["visits"], "significant")
    assert (told["kind"], told["before"], told["after"]) == ("longer-life", "30 days", "60 days")


@pytest.mark.parametrize(
    ("now", "codes"),
    [
        ("30 days", [0, 0, 0]),
        ("20 days", [1, 0, 0]),
        ("60 days", [1, 1, 1]),
    ],
)
def test_a_difference_can_fail(file: Path, now: str, codes: list[int]) -> None:
    change(file, "30 days", now)
    limits = ("editorial", "significant", "consent")
    assert [strictly("diff", file, "--fail-on", limit).exit_code for limit in limits] == codes
    assert strictly("diff", file).exit_code == 0


def test_what_cannot_be_compared(file: Path) -> None:
    assert strictly("diff", "-", answer=ASKING).exit_code == 2
    assert strictly("diff", file, file.with_name("none.toml")).exit_code == 2
    file.write_text(ASKING.replace('"cookie"', '"cake"'), encoding="utf-8")
    result = strictly("diff", folder_of(file) / "1.toml", file)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "SN006" in result.stderr
    file.write_text(ASKING.replace("http_only = false", "http_only = true"), encoding="utf-8")
    assert strictly("diff", file).exit_code == 0  # it breaks a rule, and can be read
