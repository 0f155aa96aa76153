"""Who is slow, or means to be, holds up nobody else; and who is slow and honest is served."""
import socket
import threading
import time

import pytest

from actor import Actor
from backend import Backend
from house import House, rule
from rogue import Connection, Wallet
from talk import H1

SITE = "slow.test"
LARGE = 2 << 20


class Small(House):
    """An instance whose limits are soon reached, and whose patience is short."""

    def config(self, *args):
        return super().config(*args).replace("limits: {", "limits: {connections: 40, backend_connections: 8, ").replace(
            "{lookup: 2s}", "{lookup: 2s, connect: 1s, answer: 5s, stall: 1s}")


@pytest.fixture(scope="module")
def backend():
    backend = Backend()
    yield backend
    backend.close()


@pytest.fixture(scope="module")
def small(backend):
    with Small(backend.port, site=SITE, rules=[
        rule("/public/**", roles=["anonymous"], sapi="none"), rule("/stream/**", stream=True), rule("/**")]) as house:
        yield house


def is_served(house, seconds=1):
    began = time.monotonic()
    with Connection(house) as connection:
        request = connection.grant(Wallet()).sign("GET", SITE + "/honest")
        answer = request.send()
        assert answer.status == 200 and request.verify(answer), answer
    assert time.monotonic() - began < seconds


def test_uploads_that_never_end_leave_connections_to_the_backend(small):
    """Large ones are let through before they are whole. By strangers, here, a byte now and then."""
    with Connection(small) as connection:
        http = connection.http
        streams = [http.open([(":method", "POST"), (":scheme", "httpcg"), (":authority", "app"),
                              (":path", "/%s/public/x" % SITE), ("content-length", str(LARGE))], end=False)
                   for _ in range(16)]
        began, codes = time.monotonic(), []
        while time.monotonic() < began + 2 or (codes.count("unavailable") < 14 and time.monotonic() < began + 20):
            for stream in streams:
                if http.answers[stream].how == "silence":
                    http.data(stream, bytes(300), end=False)
            http.step(0.1)
            is_served(small, 5)
            codes = [http.answers[stream].code for stream in streams]
        assert codes.count("unavailable") == 14, codes


@pytest.mark.parametrize("alpn", ["h2", "http/1.1"])
def test_a_body_that_comes_byte_by_byte_is_given_up(small, alpn):
    with Connection(small, alpn=alpn) as connection:
        http, target = connection.http, SITE + "/public/x"
        if alpn == "h2":
            stream = http.open([(":method", "POST"), (":scheme", "httpcg"), (":authority", "app"),
                                (":path", "/" + target), ("content-length", "5000")], end=False)
        else:
            http.send(http.head("POST httpcg://app/%s HTTP/1.1" % target, [("Host", "app"), ("Content-Length", "5000")]))
        until = time.monotonic() + 4
        while time.monotonic() < until and not connection.wire.ended and (
                alpn != "h2" or http.answers[stream].how == "silence"):
            if alpn == "h2":
                http.data(stream, b"x", end=False)
                http.step(0.1)
            else:
                http.send(b"x")
                time.sleep(0.1)
        assert time.monotonic() < until


def test_a_rule_that_streams_lets_a_conversation_take_its_time(small):
    with Connection(small) as connection:
        body = b"x" * 40
        request = connection.grant(Wallet()).sign("POST", SITE + "/stream/x", body=body, body_mode=2)
        http = connection.http
        stream = http.open([(":method", "POST"), (":scheme", "httpcg"), (":authority", "app"),
                            (":path", "/" + request.target), *request.head_fields()], end=False)
        for i in range(len(body)):
            http.data(stream, body[i:i + 1], end=False)
            time.sleep(0.1)
        http.trailers(stream, [("sapi-trailer", request.trailer)])
        answer = http.answer(stream)
        assert answer.status == 200 and request.verify(answer), answer


def test_connections_of_one_prefix_leave_places_for_others(small):
    """The others are those at 127.0.1.x."""
    idle = []
    try:
        for _ in range(60):
            idle.append(socket.create_connection(small.address))
        time.sleep(0.2)
        other = socket.create_connection(small.address, source_address=("127.0.1.1", 0))
        other.settimeout(0.5)
        with pytest.raises(TimeoutError):  # it is accepted, and waited for
            other.recv(1)
        ended = 0
        for s in idle:
            s.setblocking(False)
            try:
                ended += s.recv(1) == b""
            except (BlockingIOError, ConnectionResetError) as why:
                ended += isinstance(why, ConnectionResetError)
        assert ended >= 25, ended
        other.close()
    finally:
        for s in idle:
            s.close()
    time.sleep(0.2)
    is_served(small)


class Line:
    """A line to a house that brings the client so many bytes a second."""

    def __init__(self, house, per_s):
        self.to, self.name, self.fingerprint, self.per_s = house.address, house.name, house.fingerprint, per_s
        self.is_slow = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        near, _ = self.listener.accept()
        far = socket.socket()
        far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        far.connect(self.to)
        threading.Thread(target=self._up, args=(near, far), daemon=True).start()
        try:
            while piece := far.recv(max(1, self.per_s // 50)):
                near.sendall(piece)
                if self.is_slow.is_set():
                    time.sleep(0.02)
        except OSError:
            pass
        near.close()

    @staticmethod
    def _up(near, far):
        try:
            while piece := near.recv(65536):
                far.sendall(piece)
        except OSError:
            pass
        far.close()


def ask(grant, path):
    request = grant.sign("GET", SITE + path)
    grant.connection.http.send(H1.head("GET httpcg://app/%s HTTP/1.1" % request.target,
                                       [("Host", "app"), *request.head_fields()]))
    return request


@pytest.fixture
def giant(small, backend):
    """A backend with an answer of some megabytes."""
    size = 4 << 20

    def play(talk):
        talk.take_body()
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size))
        return True

    actor = Actor(play)
    actor.size = size
    small.route(SITE, actor.port)
    small.reload()
    time.sleep(0.3)
    yield actor
    small.route(SITE, backend.port)
    small.reload()
    actor.close()
    time.sleep(0.3)


def test_a_reader_that_is_slow_and_reads_gets_all(small, giant):
    """His socket's room comes by small amounts; for several times what a dead one is given he takes little."""
    line = Line(small, 200000)
    with Connection(line, alpn="http/1.1") as connection:
        grant = connection.grant(Wallet())
        line.is_slow.set()
        threading.Timer(5, line.is_slow.clear).start()
        request = ask(grant, "/giant")
        answer = connection.http.answer(20)
        assert answer.how == "answered" and len(answer.body) == giant.size and request.verify(answer), answer.how


def test_a_reader_that_reads_next_to_nothing_is_cut(small, giant):
    line = Line(small, 500)
    with Connection(line, alpn="http/1.1") as connection:
        grant = connection.grant(Wallet())
        line.is_slow.set()
        ask(grant, "/giant")
        time.sleep(4)
        line.is_slow.clear()
        answer = connection.http.answer(10)
        assert answer.how == "ended" and len(answer.body) < giant.size


# --- what costs us more than it costs him ---

class Usual(House):
    """An instance with the budgets that are set if nobody sets any."""

    def config(self, *args):
        return super().config(*args).replace("limits: {grants: 100000, strangers: 100000}", "limits: {grants: 100000}")


def test_a_wallet_may_look_up_only_so_many_names(backend):
    house = Usual(backend.port, site=SITE)
    try:
        with Connection(house) as connection:
            grant = connection.grant(Wallet())
            codes = [grant.sign("GET", "x%d.test/" % i).send().code for i in range(400)]
            assert 100 <= codes.count("name-unresolved") < 300, codes.count("name-unresolved")
            assert codes.count("rate-limited") == 400 - codes.count("name-unresolved")
            # What is known costs nothing.
            assert grant.sign("GET", SITE + "/").send().status == 200
    finally:
        house.close()
