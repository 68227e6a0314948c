"""Names of platforms and files: nothing leaves its folder, nothing speaks to the terminal."""

from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixip_transfer.errors import BadAnswerError, UsageError
from mixip_transfer.names import delivery_name, local_name, part_name, platform_address, printable
from mixip_transfer.progress import amount

SHA = "ab" * 32
hostile = st.one_of(
    st.text(max_size=300),
    st.text(alphabet="./\\:.\0 C~$%", max_size=12),
    st.sampled_from(["../x", "..\\x", "/etc/passwd", "C:\\x", "C:x", "\\\\host\\share", "a/../../b", "..", ".", ""]),
)


@given(hostile, st.booleans())
def test_a_file_name_never_leaves_the_target_folder(name: str, windows: bool) -> None:
    folder = Path("/target")
    try:
        safe = local_name(name, windows=windows)
    except BadAnswerError:
        return
    assert (folder / safe).resolve().parent == folder
    assert (folder / part_name(safe, SHA)).resolve().parent == folder
    assert PureWindowsPath(safe).name == safe or not windows
    assert "\0" not in safe
    assert not safe.startswith(".")
    assert printable(safe) == safe


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "/etc/passwd",
        "..\\x",
        "a\\b",
        "x\0",
        "x\n",
        "\x1b[2J",
        "a\u2028b",
        "\x85",
        "é" * 128,
    ],
)
def test_names_that_the_protocol_forbids(name: str) -> None:
    with pytest.raises(BadAnswerError):
        local_name(name, windows=False)
    with pytest.raises(UsageError):
        delivery_name(name)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com1 .mov", "_com1 .mov"),
        ("a:b", "a_b"),
        ("what?.mov", "what_.mov"),
        ("end. ", "end__"),
        ("console.log", "console.log"),
    ],
)
def test_what_only_windows_forbids_is_replaced_there(name: str, safe: str) -> None:
    assert local_name(name, windows=True) == safe
    assert local_name(name, windows=False) == name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        (".bashrc", "_bashrc"),
        ("...", "_.."),
        (".", None),
        ("song\u202evom.exe", "song_vom.exe"),
        ("\u200e\u200f\u061c\u202a\u2066\u2069.mov", "______.mov"),
        ("\u202e.bashrc", "_.bashrc"),
        ("👩\u200d🎤.mov", "👩\u200d🎤.mov"),
    ],
)
@pytest.mark.parametrize("windows", [False, True])
def test_a_name_neither_hides_the_file_nor_its_ending(name: str, safe: str | None, *, windows: bool) -> None:
    if safe is None:
        with pytest.raises(BadAnswerError):
            local_name(name, windows=windows)
    elif not (windows and safe.endswith(".")):
        assert local_name(name, windows=windows) == safe


@pytest.mark.parametrize("name", ["master.mov", "ünïcode 漢字 🎬.wav", "a..", "a" * 255, "-rf", "~", " x "])
def test_ordinary_and_odd_names_are_kept(name: str) -> None:
    assert local_name(name, windows=False) == name
    assert delivery_name(name) == name


def test_a_name_that_is_no_utf8_cannot_be_delivered() -> None:
    with pytest.raises(UsageError, match="not valid UTF-8"):
        delivery_name("caf\udce9.mov")


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="/\\"), min_size=1, max_size=255)
)
def test_the_unfinished_download_has_a_name_that_fits(name: str) -> None:
    part = part_name(name, SHA)
    assert len(part.encode()) <= 255
    assert part.endswith(".abababab.part")
    assert len(name.encode()) > 241 or part.startswith(name)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("https://mixip.example", "https://mixip.example"),
        ("mixip.example", "https://mixip.example"),
        (" HTTPS://MixIP.example:443/works?x=1#y ", "https://mixip.example"),
        ("https://mixip.example:8443/", "https://mixip.example:8443"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://localhost:80", "http://localhost"),
        ("https://localhost:8443", "https://localhost:8443"),
        ("localhost:8271", "http://localhost:8271"),
        ("localhost", "http://localhost"),
        ("127.0.0.1:8000/works", "http://127.0.0.1:8000"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("localhost.example:8000", "https://localhost.example:8000"),
        ("mixip.example:8000", "https://mixip.example:8000"),
    ],
)
def test_the_address_of_a_platform(typed: str, address: str) -> None:
    assert platform_address(typed) == address


@pytest.mark.parametrize(
    "typed",
    [
        "http://mixip.example",
        "http://192.168.1.5:8000",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://localhost@evil.example",
        "http://127.0.0.2",
        "http://0.0.0.0:8000",
    ],
)
def test_plain_http_is_for_this_computer_only(typed: str) -> None:
    with pytest.raises(UsageError):
        platform_address(typed)


@pytest.mark.parametrize(
    "typed",
    ["", "   ", "ftp://x", "https://", "https://x:99999", "https://[::1", "https://a b", "https://u:p@x", "file:///x"],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(UsageError):
        platform_address(typed)


def test_nothing_printed_steers_the_terminal() -> None:
    assert printable("a\x1b[31mb\r\n\u202egpj.exe") == "a\ufffd[31mb\ufffd\ufffd\ufffdgpj.exe"
    assert printable("ünïcode 漢字 👩\u200d🎤") == "ünïcode 漢字 👩\u200d🎤"


@pytest.mark.parametrize(
    ("count", "written"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KB"),
        (1536, "1.5 KB"),
        (99_949, "99.9 KB"),
        (150_000, "150 KB"),
        (999_499, "999 KB"),
        (999_500, "1.0 MB"),
        (2_500_000_000, "2.5 GB"),
        (5 * 1024**4, "5.5 TB"),
        (10**16, "10000 TB"),
    ],
)
def test_sizes_are_written_as_the_web_pages_write_them(count: int, written: str) -> None:
    assert amount(count) == written
