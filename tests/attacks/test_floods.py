"""Floods of HTTP/2 frames end the flooder's connection, within limits, and nobody else's."""
import socket
import threading
import time

import pytest

import h2
from rogue import Connection
from wire import Wire


class Honest(threading.Thread):
    """A caller with a connection of its own, who keeps asking meanwhile."""

    def __init__(self, world):
        super().__init__()
        self.world, self.times, self.trouble, self.is_over = world, [], None, threading.Event()
        self.grant = world.granted()
        self.start()

    def run(self):
        try:
            while not self.is_over.is_set():
                began = time.monotonic()
                self.world.ok(self.grant.sign("GET", self.world.target("/honest")))
                self.times.append(time.monotonic() - began)
                self.is_over.wait(0.02)
        except BaseException as trouble:
            self.trouble = trouble

    def end(self):
        self.is_over.set()
        self.join()
        assert self.trouble is None, self.trouble
        assert self.times and sorted(self.times)[len(self.times) * 95 // 100] < 1, self.times


@pytest.fixture
def flooder(world):
    """A connection whose frames are given as bytes; without a grant, as a stranger has it."""
    honest = Honest(world)
    connection = world.connect()
    yield connection.http
    honest.end()


def anonymous(world, path="/public/x"):
    return [(":method", "GET"), (":scheme", "httpcg"), (":authority", "app"), (":path", "/" + world.site + path)]


def pour(http, frames, n, batch=50, seconds=10):
    """Sends frames(i) for i below n until the server ends the connection; how many it took, about."""
    for sent in range(0, n, batch):
        if not http.wire.send(b"".join(frames(i) for i in range(sent, min(n, sent + batch)))) or http.wire.ended:
            return sent
    assert http.wire.has_ended(seconds), "the server took all %d" % n
    return n


def arrived(world):
    """What the backend saw of the flood is what the flood was allowed to cause."""
    time.sleep(0.2)
    n = sum(1 for seen in world.backend.seen[world.before:] if seen.target.startswith("/public/"))
    with world.lock:
        world.expected += n
    return n


def test_rapid_reset(world, flooder):
    """CVE-2023-44487."""
    def frames(i):
        stream = 2 * i + 1
        return h2.head(stream, anonymous(world), True) + h2.frame(h2.RST_STREAM, 0, stream, (8).to_bytes(4, "big"))

    pour(flooder, frames, 5000)
    assert arrived(world) <= 1000


def test_resets_that_the_server_is_made_to_send(world, flooder):
    """CVE-2025-8671: requests that are good until a frame makes the server cancel them."""
    def frames(i):
        stream = 2 * i + 1
        return h2.head(stream, anonymous(world), True) + h2.frame(h2.WINDOW_UPDATE, 0, stream, bytes(4))

    pour(flooder, frames, 5000)
    assert arrived(world) <= 1000


def test_a_window_that_overflows_resets(world, flooder):
    def frames(i):
        stream = 2 * i + 1
        return h2.head(stream, anonymous(world), True) + h2.frame(h2.WINDOW_UPDATE, 0, stream, b"\x7f\xff\xff\xff")

    pour(flooder, frames, 5000)
    assert arrived(world) <= 1000


def test_continuation_without_end(world, flooder):
    """CVE-2024-27316 and its kin: a head that never ends, in large pieces, small ones and empty ones."""
    for piece in (h2.block([("x", "y" * 8000)]), h2.block([("x", "y")]), b""):
        with Connection(world.house) as connection:
            http = connection.http
            http.wire.send(h2.frame(h2.HEADERS, 0, 1, h2.block(anonymous(world))))
            pour(http, lambda i: h2.frame(h2.CONTINUATION, 0, 1, piece), 2000, batch=10)


@pytest.mark.parametrize("why, frame", [
    ("ping", h2.frame(h2.PING, 0, 0, bytes(8))), ("settings", h2.frame(h2.SETTINGS)),
    ("settings with values", h2.frame(h2.SETTINGS, 0, 0, h2.settings([(4, 65535)] * 20))),
    ("settings acknowledged", h2.frame(h2.SETTINGS, h2.ACK)), ("ping answered", h2.frame(h2.PING, h2.ACK, 0, bytes(8))),
    ("priority", h2.frame(h2.PRIORITY, 0, 5, bytes(4) + b"\x10")),
    ("windows", h2.frame(h2.WINDOW_UPDATE, 0, 0, (1).to_bytes(4, "big"))),
    ("unknown frames", h2.frame(0x42, 0, 0, b"x")), ("unknown frames of streams", h2.frame(0x42, 0, 1, b"x")),
    ("padding frames", h2.frame(0xE8, 0, 0, bytes(100))), ("priority updates", h2.frame(0x10, 0, 0, bytes(4) + b"u=1")),
    ("origins", h2.frame(0xC, 0, 0, b""))])
def test_frames_that_carry_nothing(world, flooder, why, frame):
    """CVE-2019-9512, -9515, -9516, -9518."""
    pour(flooder, lambda i: frame, 20000, batch=500)


def test_empty_data(world, flooder):
    """CVE-2019-9518."""
    grant = world.granted()
    request = grant.sign("POST", world.target("/pay"), body=b"x")
    http = grant.connection.http
    stream = http.open([(":method", "POST"), (":scheme", "httpcg"), (":authority", "app"),
                        (":path", "/" + request.target), *request.head_fields()], end=False)
    pour(http, lambda i: h2.frame(h2.DATA, 0, stream), 20000, batch=500)


def test_fields_without_name(world, flooder):
    """CVE-2019-9516."""
    for fields in ([("", "")] * 3000, [("", "x")] * 20):
        with Connection(world.house) as connection:
            http = connection.http
            answer = http.answer(http.open(anonymous(world) + fields, end=True))
            assert answer.code in ("reset", "ended", "bad-request", "header-too-large"), answer


def test_a_small_head_that_unpacks_into_a_large_one(world, flooder):
    """CVE-2016-6581: one long value in the dynamic table, named again and again."""
    with Connection(world.house) as connection:
        http = connection.http
        value = b"\x40" + h2.text("x") + h2.text("y" * 3900)
        bomb = h2.block(anonymous(world)) + value + b"\xbe" * 16000
        for i in range(20):
            if not http.wire.send(h2.frame(h2.HEADERS, h2.END_STREAM | h2.END_HEADERS, 2 * i + 1, bomb[:16384])):
                break
        until = time.monotonic() + 5
        while time.monotonic() < until and not http.wire.ended:
            http.step(0.2)
        assert http.wire.ended or h2.RST_STREAM in http.frames or h2.GOAWAY in http.frames


def broken(payload):
    return h2.frame(h2.HEADERS, h2.END_STREAM | h2.END_HEADERS, 1, payload)


@pytest.mark.parametrize("why, frame", [
    ("an index that is not there", broken(b"\xff\x80\x01")), ("index 0", broken(b"\x80")),
    ("an integer without end", broken(b"\xff" + b"\xff" * 40)), ("a huge length", broken(b"\x10\x7f" + b"\xff" * 9 + b"\x01")),
    ("a table larger than allowed", broken(b"\x3f\xe1\xff\xff\x7f")), ("huffman that ends in the middle", broken(b"\x10\x81\xff\x81\x00")),
    ("a frame larger than allowed", h2.frame(h2.PING, 0, 0, bytes(16385))), ("a ping of 7 bytes", h2.frame(h2.PING, 0, 0, bytes(7))),
    ("settings of 5 bytes", h2.frame(h2.SETTINGS, 0, 0, bytes(5))), ("settings of a stream", h2.frame(h2.SETTINGS, 0, 1)),
    ("an acknowledgement with values", h2.frame(h2.SETTINGS, h2.ACK, 0, bytes(6))),
    ("a window over 2^31", h2.frame(h2.SETTINGS, 0, 0, h2.settings([(4, 2**31)]))),
    ("a frame size of 1", h2.frame(h2.SETTINGS, 0, 0, h2.settings([(5, 1)]))),
    ("a window of 0 more", h2.frame(h2.WINDOW_UPDATE, 0, 0, bytes(4))),
    ("data of no stream", h2.frame(h2.DATA, 0, 0, b"x")), ("data of an idle stream", h2.frame(h2.DATA, 0, 7, b"x")),
    ("a reset of an idle stream", h2.frame(h2.RST_STREAM, 0, 7, bytes(4))), ("an even stream", h2.frame(h2.HEADERS, 5, 2, b"\x82")),
    ("a push", h2.frame(h2.PUSH_PROMISE, 4, 1, bytes(4))), ("continuation of nothing", h2.frame(h2.CONTINUATION, 4, 1, b"")),
    ("padding longer than the frame", h2.frame(h2.HEADERS, h2.END_HEADERS | h2.PADDED, 1, b"\xff\x82")),
    ("something between a head's frames", h2.frame(h2.HEADERS, 0, 1, b"\x82") + h2.frame(h2.PING, 0, 0, bytes(8))),
    ("HTTP/1.1", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 10)])
def test_broken_http2_ends_the_connection(world, why, frame):
    http = world.connect().http
    http.wire.send(frame)
    assert http.wire.has_ended(10), why


def test_no_preface_no_connection(world):
    for first in (b"GET / HTTP/1.1\r\n\r\n" * 4, h2.frame(h2.SETTINGS) * 10, bytes(100)):
        wire = Wire(world.house.address, name=world.house.name, alpn="h2")
        wire.send(first)
        assert wire.has_ended(10)
        wire.close()


@pytest.mark.parametrize("mode", ["ed25519", "hybrid"])
def test_signatures_that_are_none_end_the_connection(world, alpn, mode):
    """Each costs a worker more than its sender. All are refused alike, the last like the first."""
    grant = world.granted(alpn=alpn)
    n = 0
    while n < 60 and not grant.connection.wire.ended:
        request = grant.sign("GET", world.target("/"), mode=mode)
        request.sapi = request.sapi.replace(request.signature.hex()[-16:], "0" * 16)
        answer = request.send()
        if answer.how != "answered":
            break
        world.refused(answer, "auth-failed")
        n += 1
    assert n == 16


def test_more_streams_than_allowed_are_refused(world, flooder):
    """128 at a time; the others are reset as not processed, and the connection lives."""
    grant = world.granted()
    http = grant.connection.http
    streams = [http.open([(":method", "POST"), (":scheme", "httpcg"), (":authority", "app"),
                          (":path", "/" + world.site + "/x"), ("content-digest", "sha-256=:" + "A" * 43 + "=:")], end=False)
               for _ in range(300)]
    refused = [http.answer(stream, 5) for stream in streams[200:]]
    assert all(answer.how in ("reset", "answered", "ended") for answer in refused), refused
    assert all(answer.status != 200 for answer in refused)


def test_a_reader_that_never_reads_is_given_no_more_than_its_window(world, flooder):
    """Windows of nothing: answers wait, and their memory is bounded (CVE-2019-9517)."""
    with Connection(world.house, settings=((4, 0), (3, 100))) as connection:
        http = connection.http
        n = 60
        for _ in range(n):
            http.open(anonymous(world))
        until = time.monotonic() + 1
        while time.monotonic() < until:
            http.step(0.1)
        assert all(not answer.body for answer in http.answers.values())
    arrived(world)


def test_connections_that_never_speak_hold_nobody_up(world):
    idle = [socket.create_connection(world.house.address) for _ in range(100)]
    half = [socket.create_connection(world.house.address) for _ in range(50)]
    for s in half:
        s.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    for _ in range(5):
        world.ok(world.granted().sign("GET", world.target("/honest")))
    for s in idle + half:
        s.close()
