"""A host that runs out of something: what is there is served, what is not is refused, and nothing spins."""
import os
import socket
import subprocess
import time

import pytest

from actor import Actor, honest
from house import House
from rogue import Connection, Wallet

SITE = "short.test"


class Short(House):
    """With so many descriptors and no more."""

    def config(self, *args):
        return "files: 80\n" + super().config(*args)


def cpu(house):
    with open("/proc/%d/stat" % house.process.pid) as file:
        words = file.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def is_served(house):
    with Connection(house) as connection:
        request = connection.grant(Wallet()).sign("GET", SITE + "/")
        answer = request.send()
        return answer.status == 200 and request.verify(answer)


@pytest.fixture
def backend():
    backend = Actor(honest)
    yield backend
    backend.close()


def close_well(house):
    with house:
        pass


def test_without_descriptors_nothing_spins_and_those_at_work_go_on(backend):
    house = Short(backend.port, site=SITE)
    with Connection(house) as connection:
        grant = connection.grant(Wallet())
        assert grant.sign("GET", SITE + "/").send().status == 200
        backend.drop()  # the next request needs a connection of its own
        idle = [socket.create_connection(house.address) for _ in range(120)]
        time.sleep(0.5)
        before = cpu(house)
        answers = [grant.sign("GET", SITE + "/").send() for _ in range(5)]
        assert all(answer.status in (200, 503) for answer in answers), answers
        time.sleep(2)
        assert cpu(house) - before < 0.8
        for s in idle:
            s.close()
        time.sleep(0.5)
        assert grant.sign("GET", SITE + "/").send().status == 200
    assert is_served(house)
    close_well(house)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a few megabytes."""
    folder = str(tmp_path)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("only root may mount")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.limit(120)
def test_a_full_disk_is_survived(backend, small_disk):
    """The ledger takes nothing then and says so; names and grants that need no writing go on; with
    room again, all goes on, and nothing acknowledged is lost."""
    class Full(House):
        def config(self, *args):
            return super().config(*args).replace("state: state", "state: " + small_disk).replace(
                "file: daemon.log", "file: %s/daemon.log" % small_disk)

        def words(self):
            return super().words() + open(small_disk + "/daemon.log", errors="replace").read()[-3000:]

    house = Full(backend.port, site=SITE)
    filler = os.path.join(small_disk, "filler")
    acknowledged = []
    with open(filler, "wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
    refused = 0
    until = time.monotonic() + 20
    while refused < 3 and time.monotonic() < until:
        wallet = Wallet()
        try:
            status, _ = house.ask("POST", "/submit", wallet.doc, "application/cbor")
        except OSError:
            status = 0
        if status == 200:
            acknowledged.append(wallet)
        else:
            assert status in (202, 503), status
            refused += 1
    assert refused == 3
    assert not house.has_ended(0), house.words()
    before = cpu(house)
    time.sleep(2)
    assert cpu(house) - before < 1
    os.unlink(filler)
    until = time.monotonic() + 20
    while time.monotonic() < until:
        wallet = Wallet()
        if house.ask("POST", "/submit", wallet.doc, "application/cbor")[0] == 200:
            break
    else:
        pytest.fail("the ledger did not come back: " + house.words())
    house.wait_until_serving()
    for wallet in acknowledged:
        assert house.submit(wallet.doc)
    close_well(house)


def test_signals_that_interrupt_cost_nothing(backend):
    house = House(backend.port, site=SITE)
    with Connection(house) as connection:
        grant = connection.grant(Wallet())
        for i in range(300):
            house.process.send_signal(10)  # SIGUSR1
            assert grant.sign("POST", SITE + "/", body=bytes(i * 10 + 1)).send().status == 200
    close_well(house)


def test_two_of_them_do_not_share_a_folder(backend):
    house = House(backend.port, site=SITE)
    second = subprocess.run([house.process.args[0], *house.process.args[1:]], cwd=house.folder, capture_output=True,
                            timeout=20, text=True)
    assert second.returncode == 1 and "in use" in second.stderr, second
    assert is_served(house)
    close_well(house)
