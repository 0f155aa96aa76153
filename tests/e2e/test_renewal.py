"""A gateway's certificate is renewed while it serves. The client is the one of tests/attacks, which
sees what each connection announces; nobody attacks here, except where a name says so."""

import contextlib
import json
import os
import pathlib
import sys
import threading
import time

import pytest
from instance import UnixConnection, ask

sys.path += [str(pathlib.Path(__file__).parent.parent / folder) for folder in ("attacks", "vectors/make")]
import hybrid  # noqa: E402
from backend import Backend  # noqa: E402
from house import House, certificate  # noqa: E402
from rogue import Connection, Wallet  # noqa: E402

TLSLS = "/.well-known/httpcg/tlsls"


@pytest.fixture
def house():
    backend = Backend()
    house = House(backend.port)
    wait_until(lambda: condition(house, "gateway") == (True, "ok"))  # its certificate is confirmed
    yield house
    code = house.stop()
    words = house.words()
    house.close()
    backend.close()
    assert code == 0, words


def renew(house, spki=None, names=None, **changes):
    """A new certificate with new transport keys, in place of the one before; the ledger is not told."""
    house.transport = hybrid.Key(os.urandom(32))
    house.write("transport.hck", house.key_file(house.transport.seed, "transport"))
    changes["policy_hash"] = house.policy_hash
    spki, names = spki or [house.spki], names or [house.name]
    house.set_certificate(certificate(house.log, house.gateway, house.transport, spki, names, **changes))
    return house.fingerprint


def announced(house, **options):
    """The fingerprint that a new connection is told, and the leaf's key; one request passes on it."""
    with Connection(house, **options) as connection:
        request = connection.grant(Wallet()).sign("GET", house.site + "/new")
        answer = request.send()
        assert answer.status == 200 and request.verify(answer), answer
        return connection.fingerprint, connection.spki


def command(house, method, path):
    status, said = ask(UnixConnection(house.path("admin.sock")), method, path)
    assert status == 200, said
    return json.loads(said)


def reload(house):
    """Comes back when the files were read."""
    command(house, "POST", "/reload")


def condition(house, name):
    told = command(house, "GET", "/status")
    return told["ready"], told["conditions"][name]


def events(house, event):
    lines = pathlib.Path(house.path("daemon.log")).read_text().splitlines()
    return [line for line in map(json.loads, lines) if line["event"] == event]


def wait_until(is_so, seconds=20):
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


class Stream:
    """Callers that go on asking until they are told to stop; what went wrong is kept."""

    def __init__(self, house):
        self.house, self.stop, self.wrong, self.asked = house, threading.Event(), [], 0
        self.fingerprints = []  # of new connections, in order
        self.threads = [
            threading.Thread(target=self.run, args=(caller, alpn), daemon=True)
            for caller in (self.stay, self.come)
            for alpn in ("h2", "http/1.1")
        ]

    def run(self, caller, alpn):
        try:
            caller(alpn)
        except Exception as problem:  # told by the test that waits for the end
            self.wrong.append(repr(problem))

    def ask(self, grant):
        request = grant.sign("GET", self.house.site + "/steady")
        answer = request.send()
        if answer.status != 200 or not request.verify(answer):
            self.wrong.append(repr(answer))
        self.asked += 1

    def stay(self, alpn):
        """One connection, and its certificate's bytes at the end."""
        with Connection(self.house, alpn=alpn) as connection:
            grant = connection.grant(Wallet())
            while not self.stop.is_set():
                self.ask(grant)
            answer = connection.http.control("GET", self.house.name, f"{TLSLS}/{connection.fingerprint.hex()}")
            if answer.status != 200:
                self.wrong.append("an old connection's own certificate is gone: " + repr(answer))

    def come(self, alpn):
        """A new connection for each request."""
        wallet = Wallet()
        while not self.stop.is_set():
            with Connection(self.house, alpn=alpn) as connection:
                self.ask(connection.grant(wallet))
                self.fingerprints.append(connection.fingerprint)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join(30)


def test_a_renewal_under_a_steady_stream_of_requests_fails_none(house):
    before = house.fingerprint
    with Stream(house) as stream:
        wait_until(lambda: len(stream.fingerprints) > 4)
        after = renew(house)
        reload(house)
        wait_until(lambda: events(house, "certificate_waiting"))
        passed = len(stream.fingerprints) + 8
        wait_until(lambda: len(stream.fingerprints) > passed)
        assert set(stream.fingerprints) == {before}, "nothing vouches for the new one yet"
        ready, said = condition(house, "renewal")
        assert ready and "waits" in said

        house.submit(house.document)
        wait_until(lambda: after in stream.fingerprints)
        passed = len(stream.fingerprints) + 8
        wait_until(lambda: len(stream.fingerprints) > passed)
    assert stream.wrong == []
    assert stream.asked > 50
    assert set(stream.fingerprints) == {before, after}
    # Each caller's connections changed once; the two callers' are one list, hence the last ones.
    assert set(stream.fingerprints[-4:]) == {after}
    assert condition(house, "renewal") == (True, "ok")
    assert [line["fingerprint"] for line in events(house, "certificate_loaded")] == [before.hex(), after.hex()]


@pytest.mark.limit(90)
def test_a_renewal_that_the_ledger_does_not_confirm_is_told_and_the_old_one_serves(house):
    before = house.fingerprint
    after = renew(house)
    reload(house)
    wait_until(lambda: any("error" in line for line in events(house, "certificate_waiting")), 40)
    first, reminder = events(house, "certificate_waiting")
    assert first["fingerprint"] == reminder["fingerprint"] == after.hex()
    assert (first["level"], reminder["level"], reminder["error"]) == ("info", "warn", "NOT_FOUND")
    assert condition(house, "renewal")[0] is True
    assert announced(house)[0] == before

    # A second reload changes nothing; one with yet another certificate forgets this one.
    reload(house)
    last = renew(house)
    reload(house)
    wait_until(lambda: len(events(house, "certificate_waiting")) >= 3)
    house.submit(house.document)
    wait_until(lambda: condition(house, "renewal") == (True, "ok"))
    assert announced(house)[0] == last
    assert len(events(house, "certificate_waiting")) == 3


def test_a_renewal_is_taken_back_by_the_certificate_in_use(house):
    payload, seed = house.certificate, house.transport.seed
    renew(house)
    reload(house)
    wait_until(lambda: "waits" in condition(house, "renewal")[1])
    house.write("transport.hck", house.key_file(seed, "transport"))
    house.set_certificate(payload)
    reload(house)
    wait_until(lambda: condition(house, "renewal") == (True, "ok"))
    assert announced(house)[0] == house.fingerprint


def test_a_new_key_of_tls_under_the_same_certificate_counts_at_once(house):
    """An X.509 certificate ends sooner than the TLSLS that lists its key and the next one's."""
    first = house.spki
    kept = {name: pathlib.Path(house.path(name)).read_bytes() for name in ("tls.key", "tls.pem")}
    house.make_tls()
    second, others = house.spki, {name: pathlib.Path(house.path(name)).read_bytes() for name in kept}
    for name, content in kept.items():
        house.write(name, content)
    after = renew(house, spki=[first, second])
    house.submit(house.document)
    reload(house)
    wait_until(lambda: events(house, "certificate_loaded")[-1]["fingerprint"] == after.hex())
    with contextlib.closing(Connection(house)) as old:
        grant = old.grant(Wallet())
        assert (old.fingerprint, old.spki) == (after, first)
        for name, content in others.items():
            house.write(name, content)
        reload(house)
        wait_until(lambda: len(events(house, "certificate_loaded")) == 3)
        assert announced(house) == (after, second)
        assert grant.sign("GET", house.site + "/old").send().status == 200


def test_a_stolen_certificate_that_was_renewed_and_revoked_ends_its_connections(house):
    old = Connection(house)
    grant = old.grant(Wallet())
    stolen = house.fingerprint
    after = renew(house)
    house.submit(house.document)
    reload(house)
    wait_until(lambda: events(house, "certificate_loaded")[-1]["fingerprint"] == after.hex())
    assert grant.sign("GET", house.site + "/old").send().status == 200

    house.submit(house.revocation(stolen))
    # Those who come and ask for other wallets let the gateway see newer checkpoints.
    wait_until(lambda: announced(house)[0] == after and events(house, "certificate_revoked"), 30)
    assert events(house, "certificate_revoked")[0]["fingerprint"] == stolen.hex()
    assert grant.sign("GET", house.site + "/last").send().status == 200
    assert old.wire.has_ended(5), "the connection ends behind the request that was under way"
    old.close()
    assert announced(house)[0] == after
    assert condition(house, "gateway") == (True, "ok")


def test_a_certificate_that_has_expired_is_not_ready(house):
    renew(house, expires_at=int(time.time()) + 5)
    house.submit(house.document)
    reload(house)
    wait_until(lambda: events(house, "certificate_loaded")[-1]["fingerprint"] == house.fingerprint.hex())
    assert condition(house, "gateway") == (True, "ok")
    wait_until(lambda: condition(house, "gateway")[0] is False)
    assert "expired" in condition(house, "gateway")[1]


def test_a_waiting_certificate_that_the_reader_refuses_changes_nothing(house):
    before = house.fingerprint
    renew(house, names=["other.test"])
    reload(house)
    wait_until(lambda: events(house, "config_refused"))
    assert condition(house, "renewal") == (True, "ok")
    house.fingerprint = before
    assert announced(house)[0] == before


