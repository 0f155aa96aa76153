"""Where memory cannot be locked: that is said, by whom it concerns."""

import ctypes
import json
import os
import resource
import subprocess

import pytest

from instance import environment

PR_CAPBSET_DROP, CAP_IPC_LOCK = 24, 14


def no_locked_memory():
    """In a child: also for root, whom limits do not bind."""
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))


def test_doctor_says_so(build, tmp_path):
    (tmp_path / "home").mkdir(mode=0o700)
    done = subprocess.run(
        [build / "httpcg", "--home", tmp_path / "home", "doctor", "--json"],
        preexec_fn=no_locked_memory, capture_output=True, env=environment(), check=False, timeout=60,
    )  # fmt: skip
    found = [f for f in json.loads(done.stdout)["findings"] if f["what"] == "memory"]
    assert found[0]["finding"] == "BAD" and "ulimit -l" in found[0]["remedy"]


def test_a_wallet_is_not_opened_into_memory_that_may_be_swapped(town):
    done = town.get("/", preexec_fn=no_locked_memory, check=False)
    assert done.returncode == 121 and b"ulimit -l" in done.stderr


def locked_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmLck:"))


@pytest.mark.limit(120)
def test_httpcgd_says_so_and_serves(boot, tmp_path):
    it = boot(start=False)
    limited = tmp_path / "limited"
    # Root may lock whatever the limit, unless that is taken from it.
    drop = "setpriv --bounding-set=-ipc_lock" if os.geteuid() == 0 else ""
    limited.write_text(f'#!/bin/sh\nexec {drop} prlimit --memlock=0:0 {it.programs["httpcgd"]} "$@"\n')
    limited.chmod(0o755)
    daemon, it.programs["httpcgd"] = it.programs["httpcgd"], limited
    it.start()
    assert locked_kib(it.process.pid) == 0
    assert [event["level"] for event in it.events("keys_not_locked")] == ["warn"]
    assert it.get("/").stdout.startswith(b"Hello")
    it.stop_daemon()
    it.programs["httpcgd"] = daemon
    it.start_daemon()
    assert (locked_kib(it.process.pid) > 0) == (len(it.events("keys_not_locked")) == 1)
