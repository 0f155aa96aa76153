"""A connection that is not TLS 1.3 with the hybrid group and a known name is none."""
import os
import socket
import threading
import time

import pytest

from rogue import Wallet, uncbor
from wire import Refused


@pytest.mark.parametrize("why, options", [
    ("TLS 1.2", dict(version="1.2", groups="X25519")), ("no post-quantum group", dict(groups="X25519")),
    ("groups of Web2", dict(groups="X25519:P-256:P-384")), ("another hybrid group", dict(groups="SecP256r1MLKEM768")),
    ("post-quantum alone", dict(groups="MLKEM768")), ("another name", dict(name="other.test")),
    ("no name", dict(name=None)), ("an address as name", dict(name="127.0.0.1")), ("no ALPN", dict(alpn="none")),
    ("another protocol", dict(alpn="http/1.0")), ("HTTP/3", dict(alpn="h3"))])
def test_a_handshake_is_refused_with(world, why, options):
    with pytest.raises(Refused):
        world.connect(**options)


def test_the_group_is_chosen_even_where_others_are_preferred(world, alpn):
    grant = world.connect(alpn=alpn, groups="X25519:X25519MLKEM768").grant(Wallet())
    assert grant.connection.wire.facts["group"] == "X25519MLKEM768"
    world.ok(grant.sign("GET", world.target("/")))


def test_who_does_not_offer_the_reference_still_cannot_be_fooled(world, alpn):
    """Extension 65001 stripped from the hello: the gateway names the certificate it pinned."""
    connection = world.connect(alpn=alpn, reference="no")
    assert connection.wire.facts["reference"] == ""
    answer = connection.http.control("GET", world.house.name, "/.well-known/httpcg/tlsls")
    assert answer.status == 200 and answer.value("content-type") == "application/tlsls+cose"
    assert uncbor(answer.body)[2] == world.house.certificate
    world.ok(connection.grant(Wallet()).sign("GET", world.target("/")))


def test_a_session_is_not_resumed_under_another_name(world, alpn):
    session = world.house.path("session.pem")
    first = world.granted(alpn=alpn, keep=session)
    world.ok(first.sign("GET", world.target("/")))
    with pytest.raises(Refused):
        world.connect(alpn=alpn, session=session, name="other.test")


def test_each_connection_has_another_secret(world, alpn):
    one, two = world.connect(alpn=alpn), world.connect(alpn=alpn)
    assert len({one.exporter, two.exporter}) == len({one.session_id, two.session_id}) == 2


class Crumbs:
    """A line to a house that carries what the client says first in pieces of one byte, as some networks cut
    what is larger than they like."""

    def __init__(self, house):
        self.name, self.fingerprint, self.listener = house.name, house.fingerprint, socket.create_server(("127.0.0.1", 0))
        self.to, self.address = house.address, self.listener.getsockname()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        near, _ = self.listener.accept()
        far = socket.create_connection(self.to)
        far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self._down, args=(far, near), daemon=True).start()
        left = 1500  # of the hello
        try:
            while piece := near.recv(65536):
                for at in range(min(len(piece), left)):
                    far.sendall(piece[at:at + 1])
                    time.sleep(0.0002)
                far.sendall(piece[left:])
                left = max(0, left - len(piece))
        except OSError:
            pass
        far.close()

    @staticmethod
    def _down(far, near):
        try:
            while piece := far.recv(65536):
                near.sendall(piece)
        except OSError:
            pass
        near.close()


def test_a_hello_in_the_smallest_pieces_is_understood(world, alpn):
    """With a post-quantum share it is larger than a packet (tldr.fail)."""
    world.ok(world.granted(gateway=Crumbs(world.house), alpn=alpn).sign("GET", world.target("/")))


def cpu(process):
    with open("/proc/%d/stat" % process.pid) as file:
        words = file.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def test_new_keys_without_end_cost_next_to_nothing(world):
    """After a few dozen the connection ends."""
    world.ok(world.connect(updates=20).grant(Wallet()).sign("GET", world.target("/")))
    before = cpu(world.house.process)
    connection = world.connect(updates=30000)
    assert connection.wire.has_ended(15)
    assert cpu(world.house.process) - before < 1


def test_what_is_not_tls_gets_no_answer_in_http(world):
    for first in (b"GET /public/x HTTP/1.1\r\nHost: shop.test\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                  b"\x16\x03\x01\x40\x01" + bytes(0x4001), b"\x16\x03\x01\x00\x00" * 1000, b"\x80\x2e\x01\x00\x02",
                  b"\x15\x03\x03\x00\x02\x02\x28", bytes(4096), b"\xff" * 4096):
        with socket.create_connection(world.house.address, timeout=15) as s:
            s.sendall(first)
            s.shutdown(socket.SHUT_WR)
            answer = b""
            try:
                while piece := s.recv(4096):
                    answer += piece
            except ConnectionResetError:
                pass
            assert b"HTTP" not in answer and len(answer) < 100, answer
