"""Requests that end in the middle of something: whatever they wait for, and whatever is full."""
import threading

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
