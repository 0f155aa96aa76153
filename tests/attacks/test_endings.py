"""Requests that end in the middle of something: whatever they wait for, and whatever is full."""
import threading

import pytest

from rogue import GRANT_TYPE, Wallet


def post(connection, body):
    """A grant's bytes, as HTTP/1.1 has them."""
    return connection.http.head("POST /.well-known/httpcg/grant HTTP/1.1", [
        ("Host", connection.gateway.name), GRANT_TYPE, ("Content-Length", len(body))]) + body


def test_bytes_behind_a_grant_end_it_whatever_it_waits_for(world):
    """A worker, the ledger, the signer: what one of them still brings has nobody to bring it to."""
    for i in range(40):
        connection = world.connect(alpn="http/1.1")
        connection.http.send(post(connection, connection.sealed(w := Wallet(), connection.draft(w)).body))
        threading.Event().wait(i * 0.0005)
        connection.http.send(b"GET / HTTP/1.1\r\n")
        assert connection.http.answer(5).status in (200, 400), i
        connection.close()


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.limit(120)
def test_heads_of_every_size_are_answered(world, alpn, signed):
    """What a request may keep has an end; where it is reached, the request is answered all the same."""
    grant = world.granted(alpn=alpn)
    path = "/" if signed else "/public/"
    for size in range(5000, 32000, 499):
        fields = [("x-%d" % i, "v" * 2100) for i in range(size // 2100)] + [("x", "v" * (size % 2100))]
        request = grant.sign("GET", world.target(path + "p" * 3900 + "?" + "q" * 7900), fields=fields)
        if not signed:
            request.qlock = request.sapi = None
        answer = request.send()
        assert answer.status in (200, 431), (size, answer)
        if answer.status == 200:
            world.expected += 1
        elif alpn != "h2":
            grant = world.granted(alpn=alpn)
