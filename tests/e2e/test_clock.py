"""A gateway whose clock is wrong, beside a ledger whose clock is right: two processes, one of them under a
library that shifts its civil time while it runs (tests/support/otherclock.c)."""

import contextlib
import http.client
import json
import os
import pathlib
import subprocess
import sys
import time

import pytest
from instance import UnixConnection, ask

sys.path += [str(pathlib.Path(__file__).parent.parent / folder) for folder in ("attacks", "vectors/make")]
from backend import Backend  # noqa: E402
from house import BUILD, DAEMON, House, free_port  # noqa: E402
from rogue import Connection, Wallet  # noqa: E402


def metric(gateway, name):
    _, said = ask(http.client.HTTPConnection("127.0.0.1", gateway.admin_port, timeout=20), "GET", "/metrics")
    (line,) = [line for line in said.decode().splitlines() if line.startswith(name + " ")]
    return float(line.split()[1])


class Gateway:
    """A second httpcgd, a gateway alone, with the house's keys; it asks the house's ledger and registry."""

    def __init__(self, house):
        self.house, self.name, self.fingerprint = house, house.name, house.fingerprint
        port, self.admin_port = free_port(), free_port()
        self.address = ("127.0.0.1", port)
        self.clock = house.path("clock")
        self.set(0)
        config = pathlib.Path(house.path("httpcgd.yaml")).read_text()
        kept = [line for line in config.splitlines() if not line.startswith(("ledger:", "registry:"))]
        config = "roles: [gateway]\n" + "\n".join(kept) + "\n"
        for a, b in [
            ("state: state", "state: state2"), ("daemon.log", "second.log"), ("listen: off, socket: admin.sock", f'listen: ["127.0.0.1:{self.admin_port}"], socket: second.sock'),
            (f'native: ["127.0.0.1:{house.native_port}"]', f'native: ["127.0.0.1:{port}"]'),
            (f'services: ["127.0.0.1:{house.services_port}"]', "services: []"),
            ('registry: ["local:registry"]', f'registry: ["{house.services()}"]'),
            ('ledger: "local:ledger"', f'ledger: "{house.services()}"'),
        ]:  # fmt: skip
            assert a in config, a
            config = config.replace(a, b)
        house.write("second.yaml", config)
        os.makedirs(house.path("state2"), mode=0o700)
        self.errors = open(house.path("second.errors"), "wb")
        options = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        self.process = subprocess.Popen(
            [DAEMON, "--config", house.path("second.yaml")],
            cwd=house.folder, stdout=self.errors, stderr=self.errors,
            env=os.environ | {
                "LD_PRELOAD": os.path.join(BUILD, "tests/otherclock.so"), "OTHERCLOCK": self.clock, "ASAN_OPTIONS": options,
            },
        )  # fmt: skip

    def step(self, seconds):
        """Steps its clock to so many seconds ahead of ours; comes back when it has noticed."""
        before = len(self.events("clock_stepped"))
        self.set(seconds)
        wait_until(lambda: len(self.events("clock_stepped")) > before, "the step is told")

    def set(self, seconds):
        self.ahead = seconds
        new = pathlib.Path(self.clock + ".new")
        new.write_text(str(seconds))
        new.rename(self.clock)

    def stop(self):
        self.process.terminate()
        try:
            code = self.process.wait(20)
        finally:
            self.process.kill()
            self.errors.close()
        return code, pathlib.Path(self.house.path("second.errors")).read_text()

    def status(self):
        status, said = ask(UnixConnection(self.house.path("second.sock")), "GET", "/status")
        assert status == 200, said
        return json.loads(said)

    def events(self, event):
        lines = pathlib.Path(self.house.path("second.log")).read_text().splitlines()
        return [line for line in map(json.loads, lines) if line["event"] == event]

    def grant(self):
        """What a client whose clock is like the gateway's is answered: a status or a problem."""
        now = int(time.time()) + self.ahead
        wallet = Wallet()
        with Connection(self) as connection:
            fields = connection.draft(wallet, timestamp=now, epoch_start=now // 60)
            return connection.post(connection.sealed(wallet, fields).body).code


def wait_until(is_so, what, seconds=30):
    until = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError):
            if is_so():
                return
        assert time.monotonic() < until, what
        time.sleep(0.1)


@pytest.fixture
def gateway():
    backend = Backend()
    house = House(backend.port)
    gateway = Gateway(house)
    try:
        wait_until(lambda: gateway.status()["ready"], "it is ready")
        yield gateway
    finally:
        code, said = gateway.stop()
        house.close()
        backend.close()
    assert (code, said) == (0, "")


@pytest.mark.limit(120)
def test_a_gateway_whose_clock_is_wrong_gives_no_grants_until_it_agrees(gateway):
    assert gateway.grant() == 200
    gateway.step(500)
    wait_until(lambda: gateway.grant() == 200, "eight minutes are no reason")
    assert not gateway.events("clock_wrong")

    gateway.step(1200)
    wait_until(lambda: gateway.grant() == "unavailable", "twenty minutes ahead")
    status = gateway.status()
    assert status["ready"] is False and "clock" in status["conditions"]["gateway"]
    wait_until(lambda: gateway.events("clock_wrong"), "it is told")
    (told,) = gateway.events("clock_wrong")
    assert told["level"] == "error" and 1100 < told["ahead_s"] <= 1200
    assert gateway.grant() == "unavailable"

    gateway.step(0)
    wait_until(lambda: gateway.status()["ready"], "it was set right", 60)
    assert gateway.grant() == 200
    wait_until(lambda: len(gateway.events("clock_agrees")) == 1, "it is told")

    gateway.step(-900)
    assert gateway.grant() == "unavailable", "the ledger's answer is from the future"
    wait_until(lambda: gateway.events("clock_wrong")[1:], "it is told")
    assert gateway.events("clock_wrong")[1]["ahead_s"] < 0
    assert gateway.grant() == "unavailable"

    gateway.step(0)
    wait_until(lambda: gateway.status()["ready"], "it was set right again", 60)
    assert gateway.grant() == 200
    steps = [line["by_s"] for line in gateway.events("clock_stepped")]
    assert [round(step, -2) for step in steps] == [500, 700, -1200, -900, 900]
    assert metric(gateway, "httpcg_clock_steps_total") == 5
