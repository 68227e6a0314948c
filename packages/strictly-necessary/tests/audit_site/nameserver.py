"""A name server that knows a few aliases, and an address for everything: for the host that is somebody else's."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset


class NameServer:
    """`aliases` are the CNAMEs, by host; every other host has the address 127.0.0.1. It answers by UDP alone."""

    def __init__(self, aliases: Mapping[str, str]) -> None:
        self._aliases = aliases
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        host, port = self._socket.getsockname()
        self.address = f"{host}:{port}"

    def __enter__(self) -> NameServer:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                question, sender = self._socket.recvfrom(4096)
            except OSError:  # closed
                return
            self._socket.sendto(self.answer(dns.message.from_wire(question)).to_wire(), sender)

    def answer(self, question: dns.message.Message) -> dns.message.Message:
        """The aliases from the name that was asked to its end, and the end's address if that was asked."""
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        name, kind = question.question[0].name, question.question[0].rdtype
        while alias := self._aliases.get(name.to_text(omit_final_dot=True).lower()):
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", f"{alias}."))
            name = answer.answer[-1][0].target
        if kind == dns.rdatatype.A:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "127.0.0.1"))
        return answer
