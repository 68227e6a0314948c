"""A platform behind TLS: the certificate decides, for requests and for the bytes of files alike."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mixip_transfer.answers import File, file
from mixip_transfer.content import ConnectionLostError, open_content
from mixip_transfer.delivery import deliver
from mixip_transfer.errors import UnreachableError
from mixip_transfer.fetch import fetch
from mixip_transfer.platform import Platform
from mixip_transfer.retry import Patience
from mixip_transfer.watching import Silent


@pytest.fixture
def certificate(double: Any, tmp_path: Path) -> Path:
    """Puts the platform behind TLS; the file holds the only certificate that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test platform")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "platform.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    double.server.socket = context.wrap_socket(double.server.socket, server_side=True, do_handshake_on_connect=False)
    double.address = double.address.replace("http://", "https://")
    return path


def platform(double: Any) -> Platform:
    return Platform(double.address, double.token, patience=Patience(seconds=1, first=0.01, longest=0.05))


def test_a_file_goes_there_and_comes_back_over_tls(
    double: Any, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    source, target = tmp_path / "master.mov", tmp_path / "there"
    source.write_bytes(os.urandom(2_500_000))
    target.mkdir()
    stop = threading.Event()
    with platform(double) as connected:
        receipt = deliver(connected, double.add_work("My film"), source, watcher=Silent(), stop=stop)
        fetch(connected, receipt.file, target, overwrite=False, watcher=Silent(), stop=stop)
    assert (target / "master.mov").read_bytes() == source.read_bytes()


def test_a_certificate_that_nobody_vouches_for_ends_it_at_once(double: Any, certificate: Path, tmp_path: Path) -> None:
    listed: File = file(double.add_file(double.add_work("My film"), "master.mov", b"content"))
    with platform(double) as connected:
        with pytest.raises(UnreachableError, match=r"certificate .* not trusted"):
            list(connected.works())
        with pytest.raises(UnreachableError, match=r"certificate .* not trusted"):
            fetch(connected, listed, tmp_path, overwrite=False, watcher=Silent(), stop=threading.Event())
    assert double.requests == []
    assert not (tmp_path / "master.mov").exists()


def test_a_proxy_of_the_surroundings_is_used_for_platforms_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []

    def proxy(listening: Any) -> None:
        connection, _ = listening.accept()
        with connection:
            asked.append(connection.recv(4096))
            connection.sendall(b"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=proxy, args=(listening,))
        thread.start()
        monkeypatch.setenv("https_proxy", f"http://ada:p%40ss@127.0.0.1:{listening.getsockname()[1]}")
        monkeypatch.delenv("no_proxy", raising=False)
        with (
            pytest.raises(ConnectionLostError),
            open_content("https://mixip.example", "/x", {"Authorization": "Bearer secret-token"}),
        ):
            pass
        thread.join(10)
    assert asked[0].startswith(b"CONNECT mixip.example:443 ")
    assert b"Proxy-Authorization: Basic YWRhOnBAc3M=" in asked[0]
    assert b"secret-token" not in asked[0]
