"""A connection that is not TLS 1.3 with the hybrid group and a known name is none."""
import socket

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
