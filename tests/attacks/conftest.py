"""What every attack needs: an instance, a backend that counts, and the three things that hold for
each of them, checked here and nowhere else:

* what is refused is refused with the stated problem, one body for all refusals of one kind;
* the backend sees what the test calls honest and nothing more;
* after the attack an honest caller is served as before."""
import json
import threading

import pytest

from backend import Backend
from house import House
from logs import check_log
from rogue import Connection, Wallet

STATUS = {"bad-request": 400, "digest-mismatch": 400, "auth-required": 401, "clock-skew": 401, "auth-failed": 401,
          "step-up": 403, "forbidden": 403, "not-found": 404, "name-unresolved": 404, "method-not-allowed": 405,
          "too-large": 413, "uri-too-long": 414, "header-too-large": 431, "misdirected": 421, "rate-limited": 429,
          "not-implemented": 501, "bad-gateway": 502, "unavailable": 503}

# The first body seen of each refusal, without what may differ: all others must equal it.
bodies = {}


class World:
    def __init__(self, house, backend):
        self.house, self.backend, self.site = house, backend, house.site
        self.before, self.expected = len(backend.seen), 0
        self.connections, self.lock = [], threading.Lock()

    def connect(self, gateway=None, **options):
        connection = Connection(gateway or self.house, **options)
        self.connections.append(connection)
        return connection

    def granted(self, wallet=None, gateway=None, alpn="h2", keep=None, **changes):
        return self.connect(gateway, alpn=alpn, keep=keep).grant(wallet or Wallet(), **changes)

    def target(self, path="/"):
        return self.site + path

    def ok(self, request, connection=None):
        """Sends what must be accepted, answered, signed and seen."""
        answer = request.send(connection)
        assert answer.status == 200, answer
        if request.mode != "hybrid":
            assert request.verify(answer), answer
        with self.lock:
            self.expected += 1
        return answer

    def refused(self, answer, code, status=None):
        """That this answer is this refusal, and like all others of its kind."""
        assert answer.code == code, answer
        assert answer.status == (status or STATUS[code]), answer
        signed = answer.value("sapi-response") is not None
        plain = answer.problem
        plain.pop("instance")
        for free in ("server_time", "staple"):
            if free in plain:
                plain[free] = None
        kind = (code, signed)
        names = sorted(k for k, _ in answer.fields if k not in ("date", "connection"))
        length = len(answer.body) if "staple" not in plain else None
        seen = (json.dumps(plain), names, length)
        assert bodies.setdefault(kind, seen) == seen, (kind, bodies[kind], seen)
        return answer

    def restart(self):
        """After a kill; the requests that find out when it serves again are honest."""
        before = len(self.backend.seen)
        self.house.restart()
        self.expected += len(self.backend.seen) - before

    def finish(self):
        for connection in self.connections:
            connection.close()
        try:
            self.serves_as_before()
        except Exception:
            self.fail_if_ended(5)
            raise
        self.fail_if_ended(0)

    def serves_as_before(self):
        assert len(self.backend.seen) == self.before + self.expected, self.backend.seen[self.before:]
        # On a fresh connection, with a wallet never seen before.
        self.ok(self.granted().sign("GET", self.target("/honest")))
        self.connections[-1].close()
        assert len(self.backend.seen) == self.before + self.expected, self.backend.seen[self.before:]

    def fail_if_ended(self, seconds):
        """A report of a sanitizer takes a while to write; the tests that follow get another process."""
        if self.house.has_ended(seconds):
            words = self.house.words()
            self.house.restart()
            pytest.fail("the gateway ended: " + words, pytrace=False)


@pytest.fixture(scope="session")
def backend():
    backend = Backend()
    yield backend
    backend.close()


@pytest.fixture(scope="session")
def house(backend):
    house = House(backend.port)
    yield house
    code = house.stop()
    words, faults = house.words(), check_log(house)
    house.close()
    # What a sanitizer found comes out here at the latest.
    assert code == 0, words
    assert not faults, faults


@pytest.fixture
def world(house, backend):
    world = World(house, backend)
    yield world
    world.finish()


@pytest.fixture(params=["h2", "http/1.1"])
def alpn(request):
    return request.param


@pytest.fixture
def grant(world, alpn):
    """A grant on a connection of its own, once in each HTTP version."""
    return world.granted(alpn=alpn)
