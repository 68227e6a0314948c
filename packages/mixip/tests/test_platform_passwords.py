"""Passwords that everybody chooses are nobody's."""

import subprocess
import sys

import pytest

from mixip.identity.common_passwords import LISTED, SHORTEST, _most_common, is_common


@pytest.mark.parametrize(
    "password",
    ["password", "PassWord", "12345678", "qwertyuiop", "trustno1", "iloveyou", "aaaaaaaa", "aAaAaAaA", "éééééééé"],
)
def test_what_guessers_try_first_is_common(password: str) -> None:
    assert is_common(password)


@pytest.mark.parametrize("password", ["correct horse battery", "abababab", "tr0mbone-lake", "パスワードを忘れた", ""])
def test_other_passwords_are_not(password: str) -> None:
    assert not is_common(password)


def test_the_list_has_3000_passwords_that_are_long_enough() -> None:
    assert len(_most_common()) == LISTED == 3000
    assert min(map(len, _most_common())) >= SHORTEST == 8


def test_the_list_is_read_when_it_is_first_needed() -> None:
    script = (
        "import sys, mixip.identity.common_passwords as c; assert 'zxcvbn' not in sys.modules; c.is_common('password')"
    )
    subprocess.run([sys.executable, "-c", f"{script}; assert 'zxcvbn' in sys.modules"], check=True, timeout=60)
