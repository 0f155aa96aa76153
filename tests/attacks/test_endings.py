"""Requests that end in the middle of something: whatever they wait for, and whatever is full."""
import os
import signal
import threading
import time

import pytest

from actor import Actor
from house import House
from rogue import GRANT_TYPE, Connection, Wallet


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


# --- the end of the process ---

@pytest.fixture
def mortal():
    """An instance that may be ended, before a backend that thinks for as long as its path says."""
    def play(talk):
        talk.take_body()
        threading.Event().wait(float(talk.target.rpartition("/")[2] or 0))
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        return True

    actor = Actor(play)
    house = House(actor.port, site="mortal.test")
    yield house
    house.close()
    actor.close()


def begin(grant, path):
    """Sends a request; gives how to wait for its answer."""
    request = grant.sign("GET", "mortal.test/" + path)
    http = grant.connection.http
    if http.is_h2:
        stream = http.open([(":method", "GET"), (":scheme", "httpcg"), (":authority", "app"),
                            (":path", "/" + request.target), *request.head_fields()])
        return lambda: http.answer(stream, 5)
    http.send(http.head("GET httpcg://app/%s HTTP/1.1" % request.target, [("Host", "app"), *request.head_fields()]))
    return lambda: http.answer(5)


@pytest.mark.parametrize("alpn", ["h2", "http/1.1"])
def test_what_is_open_at_the_end_is_answered(mortal, alpn):
    with Connection(mortal, alpn=alpn) as connection, Connection(mortal) as idle:
        answer = begin(connection.grant(Wallet()), "0.7")
        time.sleep(0.2)
        mortal.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        with pytest.raises(Exception):
            Connection(mortal)
        got = answer()
        assert got.status == 200 and got.body == b"ok", got
        assert idle.wire.has_ended(3) or idle.http.step(1)
    assert mortal.process.wait(5) == 0, mortal.words()


def test_a_second_signal_ends_at_once(mortal):
    with Connection(mortal) as connection:
        answer = begin(connection.grant(Wallet()), "30")
        time.sleep(0.2)
        began = time.monotonic()
        mortal.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert not mortal.has_ended(0)
        mortal.process.send_signal(signal.SIGTERM)
        assert answer().how in ("reset", "ended")
    assert mortal.process.wait(5) == 3, mortal.words()
    assert time.monotonic() - began < 3


def test_no_request_is_lost_by_reloads(world):
    """Good ones and bad ones, on connections that were there before and on new ones."""
    over, answers = threading.Event(), []

    def run(alpn):
        grant = world.granted(alpn=alpn)
        while not over.is_set():
            for body in (b"", bytes(5000)):
                answers.append(grant.sign("POST", world.target("/reloaded"), body=body).send())
            with Connection(world.house, alpn=alpn) as connection:
                answers.append(connection.grant(Wallet()).sign("GET", world.target("/reloaded")).send())

    threads = [threading.Thread(target=run, args=(alpn,)) for alpn in ("h2", "h2", "http/1.1")]
    for thread in threads:
        thread.start()
    for i in range(15):
        if i % 3 == 2:
            world.house.write("routes.d/bad.yaml", "nonsense: [")
            world.house.process.send_signal(signal.SIGHUP)
            time.sleep(0.1)
            os.unlink(world.house.path("routes.d/bad.yaml"))
        else:
            world.house.reload()
    over.set()
    for thread in threads:
        thread.join()
    world.expected += len(answers)
    assert len(answers) > 30 and all(answer.status == 200 for answer in answers), [
        answer for answer in answers if answer.status != 200]
