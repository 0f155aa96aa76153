"""Whoever gets one of our threads to hang has not stopped the service: the service manager learns it."""
import ctypes
import os
import socket
import time

import pytest

from backend import Backend
from house import House
from rogue import Connection, Wallet

PTRACE_INTERRUPT, PTRACE_DETACH, PTRACE_SEIZE = 0x4207, 17, 0x4206
libc = ctypes.CDLL(None, use_errno=True)


def ptrace(what, thread):
    if libc.ptrace(what, thread, None, None) != 0:
        pytest.skip("this machine lets nobody stop a single thread: " + os.strerror(ctypes.get_errno()))


def drain(manager):
    said = b""
    manager.setblocking(False)
    try:
        while True:
            said += manager.recv(4096) + b"\n"
    except BlockingIOError:
        return said


@pytest.mark.limit(120)
@pytest.mark.parametrize("which", ["gateway", "service"])
def test_a_loop_that_hangs_is_told_and_not_vouched_for(monkeypatch, tmp_path, which):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "2000000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    backend = Backend()
    house = House(backend.port)
    try:
        time.sleep(2)
        assert b"WATCHDOG=1" in drain(manager)
        # The gateway's thread is the one that does the work of requests.
        task = "/proc/%d/task" % house.process.pid
        names = {int(t): open("%s/%s/comm" % (task, t)).read().strip() for t in os.listdir(task)}
        loops = sorted(t for t, name in names.items() if name == "httpcgd" and t != house.process.pid)
        before = {t: ticks(task, t) for t in loops}
        with Connection(house) as connection:
            grant = connection.grant(Wallet())
            until = time.monotonic() + 3
            while time.monotonic() < until:
                if which == "gateway":
                    assert grant.sign("GET", house.site + "/").send().status == 200
                else:
                    assert house.ask("GET", "/checkpoint")[0] == 200
            busiest = max(loops, key=lambda t: ticks(task, t) - before[t])
        ptrace(PTRACE_SEIZE, busiest)
        ptrace(PTRACE_INTERRUPT, busiest)
        os.waitpid(busiest, 0x40000000)  # __WALL: it is no child of ours, and stopped
        time.sleep(12)
        drain(manager)
        time.sleep(3)
        assert b"WATCHDOG=1" not in drain(manager)
        with open(house.path("daemon.log")) as log:
            assert any("loop_stalled" in line and which in line for line in log)
        ptrace(PTRACE_DETACH, busiest)
        time.sleep(3)
        assert b"WATCHDOG=1" in drain(manager)
    finally:
        house.close()
        backend.close()
        manager.close()


def ticks(task, thread):
    with open("%s/%d/stat" % (task, thread)) as file:
        words = file.read().rpartition(")")[2].split()
        return int(words[11]) + int(words[12])
