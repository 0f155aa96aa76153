"""A gateway that tells the client what time it is: believed once, for its connection, ten minutes either
way, and never for anything but minutes and timestamps."""
import json
import subprocess
import time

import pytest

from client import PROGRAM, Client
from fake import Fake
from house import House
from rogue import uncbor

CLOCK = 122


@pytest.fixture(scope="module")
def house(backend):
    with House(backend.port, site="clock.test") as house:
        yield house


@pytest.fixture
def client(house):
    client = Client(house)
    yield client
    client.close()


class Teller(Fake):
    """Says of the first grants or requests that their clock is off by so many seconds; of how many is for
    the test to say. What was asked is kept whole."""

    def __init__(self, house):
        super().__init__(house)
        self.off, self.grants, self.requests = 240, 0, 0
        self.seen_grants, self.bodies = [], []
        self.log()

    def skew(self, **changes):
        document = {"type": "httpcg://bpi/problems.httpcg/v1/clock-skew", "title": "The clock is outside the window",
                    "status": 401, "instance": "urn:uuid:00000000-0000-8000-8000-000000000000",
                    "server_time": int(time.time()) + self.off, **changes}
        return json.dumps({k: v for k, v in document.items() if v is not None}, separators=(",", ":")).encode()

    def refuse(self, wire, **changes):
        self.say(wire, 401, [("content-type", "application/problem+json")], self.skew(**changes))

    def grant(self, channel, wire, body):
        self.seen_grants.append(uncbor(uncbor(body)[0]))
        if len(self.seen_grants) <= self.grants:
            return self.refuse(wire)
        return super().grant(channel, wire, body)

    def terms(self, grant_hash):
        # Whoever told a time stays with it.
        return {**super().terms(grant_hash), "server_time": int(time.time()) + (self.off if self.grants else 0)}

    @staticmethod
    def read(wire):
        """As the honest one, and bodies of no announced length, which end with a trailer."""
        request = Fake.read(wire)
        if request is None or dict(request[2]).get("transfer-encoding") != "chunked":
            return request
        raw = wire.take(lambda held: held.find(b"\r\n\r\n") + 4 if b"0\r\n" in held and b"\r\n\r\n" in held else None, 20)
        body, at = b"", 0
        while True:
            line = raw.index(b"\r\n", at)
            n = int(raw[at:line], 16)
            if n == 0:
                return *request[:3], body
            body, at = body + raw[line + 2:line + 2 + n], line + 2 + n + 2

    def answer(self, channel, wire, method, target, fields, body):
        self.bodies.append(body)
        if len(self.bodies) <= self.requests:
            return self.refuse(wire)
        return super().answer(channel, wire, method, target, fields, body)


@pytest.fixture
def fake(house):
    fake = Teller(house)
    yield fake
    fake.close()
    assert not fake.trouble, fake.trouble


@pytest.mark.parametrize("off", [-590, -240, 240, 590])
def test_a_grant_is_made_anew_with_the_time_that_was_told(client, house, fake, off):
    fake.grants, fake.off = 1, off
    code, out, said = client.get(house.site, fake.port)
    assert (code, out) == (0, b"the honest answer"), said
    first, second = fake.seen_grants
    assert abs(second["timestamp"] - first["timestamp"] - off) <= 2
    assert second["nonce"] != first["nonce"] and second["session_key"] != first["session_key"]
    assert second["session_id"] == first["session_id"]  # the same connection
    assert abs(second["epoch_start"] - (second["timestamp"] - 10) // 60) <= 1
    assert not [c for c in said["checks"] if not c["ok"]]


def test_it_is_believed_once(client, house, fake):
    fake.grants = 100
    code, out, said = client.get(house.site, fake.port)
    assert (code, out) == (CLOCK, b""), said
    assert len(fake.seen_grants) == 2 and fake.bodies == []


@pytest.mark.parametrize("off", [-100000, -610, 610, 10**15])
def test_more_than_ten_minutes_are_not_believed(client, house, fake, off):
    fake.grants, fake.off = 100, off
    code, out, said = client.get(house.site, fake.port)
    assert (code, out) == (CLOCK, b""), said
    assert len(fake.seen_grants) == 1 and fake.bodies == []
    assert "of the gateway's" in said["failure"]["text"] or "behind the gateway's" in said["failure"]["text"], said


@pytest.mark.parametrize("changes", [dict(server_time=None), dict(server_time=-5), dict(server_time=1.5), dict(server_time="1"),
                                     dict(more=1), dict(type="httpcg://bpi/problems.httpcg/v1/auth-failed")])
def test_a_time_that_is_told_badly_is_not_believed(client, house, fake, changes):
    fake.grants = 100
    fake.refuse = lambda wire: Teller.refuse(fake, wire, **changes)
    code, out, said = client.get(house.site, fake.port)
    assert code in (CLOCK, 119) and out == b"", said
    assert len(fake.seen_grants) == 1


def send(client, house, fake, *words, body=None, stdin=None):
    """POSTs a body: whatever is in stdin comes from a pipe."""
    return subprocess.run(
        [PROGRAM, "--home", client.folder, "--passphrase-file", client.folder + "/passphrase", "--connect-to",
         "::127.0.0.1:%d" % fake.port, "-X", "POST", "httpcg://app/" + house.site + "/x", *words],
        input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL, capture_output=True, timeout=60)


BODY = b"0123456789" * 3000


@pytest.mark.parametrize("how", ["-d", "-T"])
def test_a_request_is_made_again_with_its_whole_body(client, house, fake, how):
    fake.requests, fake.off = 1, 30
    path = client.put("body", BODY)
    done = send(client, house, fake, *(["-T", path] if how == "-T" else ["--data-binary", "@" + path]))
    assert done.returncode == 0 and done.stdout == b"the honest answer", done.stderr
    assert fake.bodies == [BODY, BODY]


def test_a_request_is_made_again_once(client, house, fake):
    fake.requests = 100
    done = send(client, house, fake, "-d", "x")
    assert done.returncode == CLOCK and done.stdout == b"", done.stderr
    assert fake.bodies == [b"x", b"x"]


def test_what_came_from_a_pipe_is_not_sent_in_halves(client, house, fake):
    fake.requests, fake.off = 1, 30
    done = send(client, house, fake, "-T", "-", stdin=BODY)
    assert done.returncode == CLOCK and done.stdout == b"", done.stderr
    assert b"cannot be sent again" in done.stderr
    assert fake.bodies == [BODY]
