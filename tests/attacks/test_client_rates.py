"""A gateway that says "not now" to a grant: waited for once where a moment's patience is enough, and
otherwise told as what it is."""
import json
import os
import signal
import subprocess
import time

import pytest

from client import PROGRAM, Client
from fake import Fake
from house import House
from rogue import Connection, Wallet, uncbor

LATER, TIMEOUT = 109, 28


@pytest.fixture(scope="module")
def house(backend):
    with House(backend.port, site="busy.test") as house:
        yield house


@pytest.fixture
def client(house):
    client = Client(house)
    yield client
    client.close()


class Busy(Fake):
    """Refuses the first grants, and whatever is named in `shut`."""

    def __init__(self, house):
        super().__init__(house)
        self.status, self.retry_after, self.refusals, self.shut = 429, "1", 0, False
        self.grants, self.bodies = [], []
        self.log()

    def refuse(self, wire):
        code = "rate-limited" if self.status == 429 else "unavailable"
        fields = [("content-type", "application/problem+json")]
        if self.retry_after is not None:
            fields.append(("retry-after", self.retry_after))
        self.say(wire, self.status, fields, json.dumps({
            "type": "httpcg://bpi/problems.httpcg/v1/" + code, "title": "t", "status": self.status,
            "instance": "urn:uuid:00000000-0000-8000-8000-000000000000"}, separators=(",", ":")).encode())

    def grant(self, channel, wire, body):
        self.grants.append((time.monotonic(), uncbor(uncbor(body)[0])))
        if len(self.grants) <= self.refusals:
            return self.refuse(wire)
        return super().grant(channel, wire, body)

    def say(self, wire, status, fields, body):
        if self.shut and ("content-type", "application/tlsls+cose") in fields:
            self.shut = False
            return self.refuse(wire)
        return super().say(wire, status, fields, body)

    @staticmethod
    def read(wire):
        """As the honest one, and bodies of no announced length, which end with a trailer."""
        request = Fake.read(wire)
        if request is None or dict(request[2]).get("transfer-encoding") != "chunked":
            return request
        raw = wire.take(lambda held: len(held) if held.endswith(b"\r\n\r\n") else None, 20)
        body, at = b"", 0
        while True:
            line = raw.index(b"\r\n", at)
            n = int(raw[at:line], 16)
            if n == 0:
                return *request[:3], body
            body, at = body + raw[line + 2:line + 2 + n], line + 2 + n + 2

    def answer(self, channel, wire, method, target, fields, body):
        self.bodies.append(body)
        trailed = dict(fields).get("transfer-encoding") == "chunked"
        if trailed:  # what this gateway cannot sign an answer for; that it came is enough
            return self.say(wire, 429, [], b"")
        return super().answer(channel, wire, method, target, fields, body)


@pytest.fixture
def fake(house):
    fake = Busy(house)
    yield fake
    fake.close()
    assert not fake.trouble, fake.trouble


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("seconds", [0, 1, 3])
def test_a_grant_that_was_refused_for_now_is_asked_for_again_once(client, house, fake, status, seconds):
    fake.status, fake.retry_after, fake.refusals = status, str(seconds), 1
    code, out, said = client.get(house.site, fake.port)
    assert (code, out) == (0, b"the honest answer"), said
    (first, one), (second, other) = fake.grants
    assert seconds <= second - first < seconds + 5
    # The same connection, the same wallet, another nonce.
    assert one["session_id"] == other["session_id"] and one["nonce"] != other["nonce"]
    assert not [c for c in said["checks"] if not c["ok"]]


@pytest.mark.parametrize("status, why", [(429, "asked too often from this address"), (503, "not available now")])
def test_who_is_refused_twice_is_told_what_it_is_and_when_to_come_back(client, house, fake, status, why):
    fake.status, fake.refusals = status, 100
    code, out, said = client.get(house.site, fake.port)
    assert (code, out) == (LATER, b""), said
    assert said["failure"]["text"] == "httpcg://app/%s/x: %s; try again in 1 s" % (house.site, why)
    assert said["retry_after"] == 1 and said["problem"] in ("rate-limited", "unavailable")
    assert len(fake.grants) == 2 and fake.bodies == []


@pytest.mark.parametrize("retry_after, when", [("4", "try again in 4 s"), ("60", "try again in 60 s"), ("9999999999", "try again in 86400 s"),
                                               (None, None), ("-1", None), ("1.5", None), ("Mon, 23 Nov 2026 00:00:00 GMT", None)])
def test_nobody_waits_for_long_or_for_nonsense(client, house, fake, retry_after, when):
    fake.retry_after, fake.refusals = retry_after, 100
    before = time.monotonic()
    code, out, said = client.get(house.site, fake.port)
    assert (code, out) == (LATER, b""), said
    assert len(fake.grants) == 1 and time.monotonic() - before < 3.5
    failure = said["failure"]
    assert failure["text"].endswith("; " + when) if when else failure["remedy"] == "try again later"


def test_a_certificate_that_is_refused_for_now_is_told_the_same_way(client, house, fake):
    fake.shut = True
    code, out, said = client.get(house.site, fake.port)
    assert (code, out) == (LATER, b""), said
    assert fake.grants == []


def test_time_that_is_limited_is_not_waited_away(client, house, fake):
    fake.retry_after, fake.refusals = "3", 1
    code, out, said = client.get(house.site, fake.port, "-m", "1.5")
    assert (code, out) == (TIMEOUT, b""), said
    assert len(fake.grants) == 1


BODY = os.urandom(300000)


@pytest.mark.parametrize("source", ["file", "pipe"])
def test_a_body_is_sent_whole_after_waiting(client, house, fake, source):
    """Nothing of it was sent before: so it may also come from a pipe, which cannot be read twice."""
    fake.refusals = 1
    path = client.put("body", BODY)
    subprocess.run(
        [PROGRAM, "--home", client.folder, "--passphrase-file", client.folder + "/passphrase", "--connect-to",
         "::127.0.0.1:%d" % fake.port, "-X", "POST", "httpcg://app/" + house.site + "/x", "-T",
         path if source == "file" else "-"],
        input=BODY if source == "pipe" else b"", capture_output=True, timeout=60)
    assert fake.bodies == [BODY] and len(fake.grants) == 2


def test_an_agent_says_the_same(client, house, fake):
    fake.refusals = 100
    path = os.path.join(client.folder, "agent.sock")
    agent = subprocess.Popen(
        [PROGRAM, "--home", client.folder, "agent", "--agent", path, "--passphrase-file",
         client.folder + "/passphrase", "--connect-to", "::127.0.0.1:%d" % fake.port],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert agent.stdout.readline().startswith(b"HTTPCG_AGENT=")
        code, out, said = client.run("httpcg://app/" + house.site + "/x", "--agent", path)
        assert (code, out) == (LATER, b""), said
        assert said["failure"]["text"].endswith("asked too often from this address; try again in 1 s")
        assert len(fake.grants) == 2
    finally:
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(20) == 0, agent.stderr.read()


def test_a_real_gateway_says_when_to_come_back(house):
    """What the fake ones above say is what an honest one does."""
    plenty = house.config()
    house.write("httpcgd.yaml", plenty.replace("grants: 100000", "grants: 1"))
    house.reload()
    try:
        answers, wallet = [], Wallet()
        for _ in range(12):
            with Connection(house) as connection:
                answers += [connection.post(connection.sealed(wallet, connection.draft(wallet)).body) for _ in range(8)]
            refused = [answer for answer in answers if answer.status == 429]
            if refused:
                break
        assert refused, [answer.status for answer in answers]
        assert all(int(answer.value("retry-after")) >= 1 for answer in refused)
    finally:
        house.write("httpcgd.yaml", plenty)
        house.reload()
