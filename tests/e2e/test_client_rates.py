"""Asking too often: said as what it is, and made up for where a moment's patience is enough."""

import concurrent.futures
import contextlib
import hashlib
import itertools
import json
import os
import re
import threading
import time

import pytest

from test_client_agent import Agent


@pytest.fixture(scope="module")
def strict(build, tmp_path_factory):
    """A gateway that takes one grant a second from an address prefix, four at a time."""
    from conftest import finish
    from instance import Instance

    it = Instance(tmp_path_factory.mktemp("strict"), build, settings={"gateway.limits.grants": "1"})
    try:
        it.make()
        it.start()
        yield it
    finally:
        finish(it)


numbers = itertools.count()


def stranger(it):
    """The home of a wallet that the gateway has never seen: one it knows has a rate of its own."""
    home = it.folder / f"stranger-{next(numbers)}"
    it.make_home(home)
    it.httpcg("wallet", "new", "--folder", home, home=home)
    return home


def use_up(it):
    """More strangers than the bucket has grants for, at once."""
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        homes = list(pool.map(lambda _: stranger(it), range(12)))
        return list(pool.map(lambda home: it.get("/whoami", "-v", home=home, check=False), homes))


@contextlib.contextmanager
def crowd(it):
    """While it is there, one more has little chance."""
    over = threading.Event()

    def press():
        while not over.is_set():
            it.get("/", home=stranger(it), check=False)

    threads = [threading.Thread(target=press) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(2)
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_a_grant_that_was_refused_for_now_is_asked_for_again_once(strict):
    done = use_up(strict)
    waited = [d for d in done if b"once more in 1 s" in d.stderr]
    assert waited, "nobody had to wait"
    served = [d for d in waited if d.returncode == 0]
    assert served, "nobody was served after waiting"
    for d in served:
        # The same connection, and one grant more.
        assert d.stderr.count(b"TLS handshake") == 1 and d.stderr.count(b"once more in") == 1
        assert json.loads(d.stdout)["auth"] == "grant"
        assert b"FAILED" not in d.stderr


def test_who_is_refused_twice_is_told_what_it_is_and_when_to_come_back(strict):
    done = use_up(strict) + use_up(strict)
    refused = [d for d in done if d.returncode != 0]
    assert refused, "all were served"
    for d in refused:
        assert d.returncode == 109, d.stderr
        assert re.search(rb"\(109\) httpcg://app/demo\.local/whoami: asked too often from this address; try again in 1 s", d.stderr)
        assert b"policy" not in d.stderr and b"AddressSanitizer" not in d.stderr
        assert d.stderr.count(b"once more in") == 1  # not twice
        assert d.stdout == b""


def test_json_tells_it_to_programs(strict):
    with crowd(strict):
        for _ in range(10):
            done = strict.get("/", "--json", home=stranger(strict), check=False)
            if done.returncode == 109:
                break
    said = json.loads(done.stderr)
    assert said["exit"] == 109 and said["problem"] == "rate-limited" and said["retry_after"] == 1
    assert said["failure"]["text"].endswith("try again in 1 s")


@pytest.mark.parametrize("source", ["file", "pipe"])
def test_a_body_is_sent_whole_after_waiting(strict, tmp_path, source):
    """Nothing of it was sent before: so it may also come from a pipe, which cannot be read twice."""
    file = tmp_path / "body"
    file.write_bytes(os.urandom(300000))
    use_up(strict)
    words, more = (["-T", file], {}) if source == "file" else (["-T", "-"], {"input": file.read_bytes()})
    for _ in range(10):
        done = strict.httpcg("post", strict.url("/upload"), *words, "-v", home=stranger(strict), check=False, **more)
        if done.returncode == 0:
            break
        assert done.returncode == 109
    assert json.loads(done.stdout) == {"bytes": 300000, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}


def test_time_that_is_limited_is_not_waited_away(strict):
    use_up(strict)
    done = [strict.get("/", "-m", "0.3", home=stranger(strict), check=False) for _ in range(3)]
    assert {d.returncode for d in done} <= {0, 28}, done


def test_an_agent_says_the_same(strict, tmp_path):
    agent = Agent(strict, tmp_path / "agent.sock", home=stranger(strict))
    try:
        with crowd(strict):
            for _ in range(10):
                done = strict.get("/", "--agent", agent.socket, check=False)
                if done.returncode != 0:
                    break
                # It has a connection now, which costs no grant.
                agent.stop()
                agent = Agent(strict, tmp_path / "agent.sock", home=stranger(strict))
        assert done.returncode == 109 and b"asked too often from this address; try again in 1 s" in done.stderr
    finally:
        code, err = agent.stop()
    assert code == 0, err
