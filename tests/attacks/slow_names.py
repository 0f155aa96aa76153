"""What is known of names has an end, however many are asked for."""
import os

import pytest

from backend import Backend
from house import House
from rogue import Connection, Wallet


def memory(house):
    """In MiB."""
    with open("/proc/%d/statm" % house.process.pid) as file:
        return int(file.read().split()[1]) * 4 // 1024


@pytest.mark.limit(200)
def test_a_wallet_that_asks_for_names_without_end_fills_no_memory(monkeypatch):
    # What a sanitizer keeps of freed memory is none of ours.
    monkeypatch.setenv("ASAN_OPTIONS", os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1")
    backend = Backend()
    house = House(backend.port)
    try:
        with Connection(house) as connection:
            grant = connection.grant(Wallet())
            sizes = []
            for part in range(6):
                for i in range(2000):
                    answer = grant.sign("GET", "x%d-%d.test/" % (part, i)).send()
                    assert answer.code == "name-unresolved", answer
                sizes.append(memory(house))
            # 64 MiB for all of them, and a thread's own memory; the second half adds nothing.
            assert sizes[-1] - sizes[2] < 30, sizes
            assert grant.sign("GET", house.site + "/").send().status == 200
    finally:
        house.close()
        backend.close()
