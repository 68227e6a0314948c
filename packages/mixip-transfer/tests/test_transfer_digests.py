"""Digests of segments and files."""

import base64
import hashlib

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from mixip_transfer.digests import algorithm_of, content_digest, sha256_hex


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_the_division_into_pieces_does_not_matter(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    sha, b3 = hashlib.sha256(whole), blake3(whole)
    assert content_digest("sha-256", pieces) == f"sha-256=:{base64.b64encode(sha.digest()).decode()}:"
    assert content_digest("blake3", pieces) == f"blake3=:{base64.b64encode(b3.digest()).decode()}:"
    assert sha256_hex(pieces) == sha.hexdigest()


def test_the_example_of_rfc_9530() -> None:
    digest = content_digest("sha-256", [b'{"hello": "world"}\n'])
    assert digest == "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"


@pytest.mark.parametrize(
    ("field", "algorithm"),
    [
        ("sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:", "sha-256"),
        ("blake3=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:", "blake3"),
        ("md5=:1B2M2Y8AsgTpgAmY7PhCfg==:", None),
        ("sha-256=RK/0qy18", None),
        ("sha-256=::", None),
        ("", None),
    ],
)
def test_the_algorithm_of_a_digest(field: str, algorithm: str | None) -> None:
    assert algorithm_of(field) == algorithm
