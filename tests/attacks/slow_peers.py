"""Who takes his time is gone when it is over, whatever he does meanwhile, and nobody waits for him."""
import os
import signal
import socket
import threading
import time

import pytest

import h2
from backend import Backend
from house import House
from rogue import Connection, Wallet
from slow_names import memory
from test_resources import cpu
from wire import Refused


class Idle(House):
    def config(self, *args):
        return super().config(*args).replace("{lookup: 2s}", "{lookup: 2s, idle: 3s}")


@pytest.fixture(scope="module")
def backend():
    backend = Backend()
    yield backend
    backend.close()


@pytest.fixture
def house(backend, monkeypatch):
    monkeypatch.setenv("ASAN_OPTIONS", os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1")
    with Idle(backend.port) as house:
        yield house


def drip(send, piece=b"x", every=0.4):
    """Sends that again and again until the other end has had enough; whether it had, in 30 s."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if not send(piece):
            return True
        time.sleep(every)
    return False


def hello(house):
    """A handshake that never ends."""
    sock = socket.create_connection(house.address)
    sock.sendall(b"\x16\x03\x01\x10\x00\x01\x00\x0f\xfc\x03\x03")

    def send(piece):
        try:
            sock.sendall(piece)
            sock.setblocking(False)
            return sock.recv(100) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            sock.setblocking(True)

    return drip(send)


def head_of_h1(house):
    with Connection(house, alpn="http/1.1") as connection:
        connection.http.send(b"GET httpcg://app/shop.test/public/x HTTP/1.1\r\nHost: app\r\nx: ")
        return drip(lambda piece: connection.http.wire.send(piece) and not connection.wire.ended)


def head_of_h2(house):
    with Connection(house) as connection:
        http = connection.http
        http.wire.send(h2.frame(h2.HEADERS, 0, 1, h2.block([(":method", "GET")])))
        time.sleep(0.2)
        return drip(lambda _: not connection.wire.ended)


def pings(house):
    """No request ever, but signs of life."""
    with Connection(house) as connection:
        ping = h2.frame(h2.PING, 0, 0, bytes(8))
        return drip(lambda _: connection.wire.send(ping) and not connection.wire.ended)


def nothing(house):
    with Connection(house) as connection:
        return connection.wire.has_ended(30)


def granted(house):
    with Connection(house) as connection:
        connection.grant(Wallet())
        return connection.wire.has_ended(30)


@pytest.mark.limit(120)
def test_who_is_slow_is_gone_in_time_and_holds_nobody_up(house):
    kinds = [hello, head_of_h1, head_of_h2, pings, nothing, granted]
    ends = {}

    def run(kind, i):
        ends[kind.__name__, i] = kind(house)

    threads = [threading.Thread(target=run, args=(kind, i)) for kind in kinds for i in range(5)]
    for thread in threads:
        thread.start()
    times = []
    while any(thread.is_alive() for thread in threads):
        began = time.monotonic()
        with Connection(house) as connection:
            assert connection.grant(Wallet()).sign("GET", house.site + "/").send().status == 200
        times.append(time.monotonic() - began)
        time.sleep(0.2)
    assert len(ends) == len(threads) and all(ends.values()), ends
    assert sorted(times)[len(times) * 95 // 100] < 1, times


@pytest.mark.limit(200)
def test_sessions_without_end_are_kept_by_their_clients(house):
    """CVE-2024-2511: a server that keeps what TLS 1.3 makes it remember."""
    sizes = []
    for _ in range(4):
        for i in range(300):
            Connection(house, alpn="h2" if i % 2 else "http/1.1").close()
        time.sleep(1)
        sizes.append(memory(house))
    assert sizes[-1] - sizes[1] < 6, sizes


@pytest.mark.limit(120)
def test_a_process_that_stood_still_goes_on(house):
    """Everything that was under way is too late at once: signatures of answers, look-ups, workers."""
    over = threading.Event()
    trouble = []

    def run(mode):
        while not over.is_set():
            try:
                with Connection(house) as connection:
                    grant = connection.grant(Wallet())
                    for _ in range(20):
                        answer = grant.sign("GET", house.site + ("/vault/x" if mode == "hybrid" else "/x"), mode=mode).send()
                        if answer.how != "answered":
                            break
            except (Refused, AssertionError, OSError):
                pass
            except Exception as problem:
                trouble.append(problem)

    threads = [threading.Thread(target=run, args=(mode,), daemon=True) for mode in ["hybrid"] * 6 + ["grant"] * 2]
    for thread in threads:
        thread.start()
    for seconds in (11, 1, 11):
        time.sleep(2)
        house.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        house.process.send_signal(signal.SIGCONT)
    time.sleep(1)
    over.set()
    for thread in threads:
        thread.join(30)
    assert not trouble, trouble
    with Connection(house) as connection:
        assert connection.grant(Wallet()).sign("GET", house.site + "/").send().status == 200
    before = cpu(house)
    time.sleep(2)
    assert cpu(house) - before < 0.5
