"""A ledger that is killed at random moments, again and again, while four clients submit.

Whatever was acknowledged must be there, at its index, byte for byte; and of all the checkpoints that
were ever shown no two may have one size and two roots, and each must be a prefix of the log as it is
in the end. The tree is recomputed here from the entries alone (RFC 9162, 2.1), sharing no code with
the ledger. LEDGER_KILLS says how often (default 8); the moments come from a seed that is printed.
"""

import base64
import hashlib
import http.client
import os
import pathlib
import random
import signal
import socket
import subprocess
import threading
import time

import pytest

BUILD = pathlib.Path(__file__).parents[2] / "build" / "dev"
KILLS = int(os.environ.get("LEDGER_KILLS", "8"))
SEED = int(os.environ.get("LEDGER_SEED", time.time_ns() % 2**32))
ORIGIN = "ledger.example/kills"


def sha256(data):
    return hashlib.sha256(data).digest()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def head(major, n):
    """The head of a CBOR item in its shortest form."""
    if n < 24:
        return bytes([major << 5 | n])
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if n < 1 << 8 * size:
            return bytes([major << 5 | info]) + n.to_bytes(size, "big")


def wallet_doc():
    """An inception document with keys that nobody has: a ledger logs it, since it proves itself."""
    text = lambda s: head(3, len(s)) + s.encode()
    data = lambda b: head(2, len(b)) + b
    ed25519 = os.urandom(31) + b"\x05"
    return (b"\xa4" + text("v") + b"\x01" + text("next") + data(os.urandom(32)) + text("ed25519")
            + data(ed25519) + text("mldsa87") + data(os.urandom(2592)))


def take(wire, at):
    """One CBOR item: (value, where the next one begins). Unsigned, bytes, text, arrays, maps."""
    major, info = wire[at] >> 5, wire[at] & 31
    at += 1
    n = info
    if info >= 24:
        size = 1 << info - 24
        n, at = int.from_bytes(wire[at:at + size], "big"), at + size
    if major == 0:
        return n, at
    if major in (2, 3):
        return wire[at:at + n], at + n
    if major == 4:
        items = []
        for _ in range(n):
            item, at = take(wire, at)
            items.append(item)
        return items, at
    if major == 5:
        pairs = {}
        for _ in range(n):
            key, at = take(wire, at)
            pairs[key], at = take(wire, at)
        return pairs, at
    return {20: False, 21: True, 22: None}[info], at


class Ledger:
    """The process, and what was ever seen of it."""

    def __init__(self, folder):
        self.folder, self.port, self.process = folder, free_port(), None
        self.lock = threading.Lock()
        self.acknowledged = {}  # index: entry
        self.roots = {}         # size: root
        self.contradictions = []
        self.stop = False
        subprocess.run([BUILD / "tests" / "ledgerkeys", folder, ORIGIN], check=True)
        (folder / "httpcgd.yaml").write_text(f"""
roles: [ledger]
state: {folder}/state
trust: {folder}/trust.conf
threads: {{loops: 1, crypto: 1}}
listen: {{services: ["127.0.0.1:{self.port}"]}}
admin: {{listen: off, socket: off}}
log: {{file: {folder}/log}}
ledger:
  origin: {ORIGIN}
  key: {folder}/log.hck
  passphrase: {folder}/log.pass
  publish_interval: 10ms
""")

    def start(self):
        self.process = subprocess.Popen(
            [BUILD / "httpcgd" / "httpcgd", "--config", self.folder / "httpcgd.yaml"],
            stdout=subprocess.DEVNULL, stderr=open(self.folder / "stderr", "ab"))

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            connection.request(method, path, body=body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def wait_until_ready(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                pytest.fail("the ledger ended by itself: " + (self.folder / "stderr").read_text())
            try:
                status, note = self.ask("GET", "/checkpoint")
                if status == 200:
                    self.see(note)
                    return
            except OSError:
                pass
            except http.client.HTTPException:
                pass
            time.sleep(0.01)
        pytest.fail("the ledger was not ready in time")

    def see(self, note):
        """Notes a checkpoint: three lines, the third the root."""
        lines = note.split(b"\n")
        assert lines[0].decode() == ORIGIN
        size, root = int(lines[1]), base64.b64decode(lines[2])
        with self.lock:
            if self.roots.setdefault(size, root) != root:
                self.contradictions.append(f"two roots for size {size}")

    def submit_for_ever(self):
        try:
            self.submit_until_stopped()
        except BaseException as problem:
            self.contradictions.append(repr(problem))

    def submit_until_stopped(self):
        doc = None
        while not self.stop:
            doc = doc or wallet_doc()
            try:
                status, body = self.ask("POST", "/submit", doc)
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
                continue
            if status != 200:
                assert status in (202, 503), (status, body)
                time.sleep(0.02)
                continue
            answer = take(body, 0)[0]
            staple = take(answer[b"staple"], 0)[0]
            self.see(staple[b"checkpoint"])
            commitment = take(answer[b"entry"], 0)[0][2]
            with self.lock:
                if commitment != sha256(doc):
                    self.contradictions.append("an answer about another submission")
                if self.acknowledged.setdefault(answer[b"index"], answer[b"entry"]) != answer[b"entry"]:
                    self.contradictions.append(f"two entries at {answer[b'index']}")
            doc = None


def all_entries(ledger, size):
    entries = []
    while len(entries) < size:
        n = len(entries) // 256
        width = min(256, size - len(entries))
        name = f"{n % 1000:03d}" if n < 1000 else f"x{n // 1000:03d}/{n % 1000:03d}"
        path = f"/tile/entries/{name}" + ("" if width == 256 else f".p/{width}")
        status, bundle = ledger.ask("GET", path)
        assert status == 200, path
        at = 0
        while at < len(bundle):
            length = int.from_bytes(bundle[at:at + 2], "big")
            entries.append(bundle[at + 2:at + 2 + length])
            at += 2 + length
    assert len(entries) == size
    return entries


def roots_of(entries):
    """The tree head of every prefix, by keeping the complete subtrees from left to right."""
    peaks, roots = [], {}
    for size, entry in enumerate(entries, 1):
        peaks.append((1, sha256(b"\x00" + entry)))
        while len(peaks) > 1 and peaks[-1][0] == peaks[-2][0]:
            n, right = peaks.pop()
            _, left = peaks.pop()
            peaks.append((2 * n, sha256(b"\x01" + left + right)))
        root = peaks[-1][1]
        for _, left in reversed(peaks[:-1]):
            root = sha256(b"\x01" + left + root)
        roots[size] = root
    return roots


@pytest.mark.limit(60 + 5 * KILLS)
def test_no_acknowledged_entry_is_lost_and_no_size_has_two_roots(tmp_path):
    print(f"LEDGER_SEED={SEED} LEDGER_KILLS={KILLS}")
    moments = random.Random(SEED)
    ledger = Ledger(tmp_path)
    clients = [threading.Thread(target=ledger.submit_for_ever, daemon=True) for _ in range(4)]
    ledger.start()
    for client in clients:
        client.start()
    try:
        for _ in range(KILLS):
            if moments.random() < 0.8:  # else it is killed while it starts, at its own recovery
                ledger.wait_until_ready()
            time.sleep(moments.random() ** 2 * 0.5)
            ledger.kill()
            ledger.start()
        ledger.wait_until_ready()
        time.sleep(0.5)
        ledger.stop = True
        for client in clients:
            client.join(20)
            assert not client.is_alive()
        status, note = ledger.ask("GET", "/checkpoint")
        assert status == 200
        ledger.see(note)
        size = int(note.split(b"\n")[1])
        entries = all_entries(ledger, size)
    finally:
        ledger.stop = True
        ledger.kill()
    assert ledger.contradictions == []
    roots = roots_of(entries)
    for seen, root in ledger.roots.items():
        assert roots[seen] == root, f"the checkpoint of size {seen} is no prefix of the log"
    for index, entry in ledger.acknowledged.items():
        assert entries[index] == entry, f"what was acknowledged at {index} is not there"
    assert len(ledger.acknowledged) >= KILLS and len(ledger.roots) > KILLS
    print(f"{len(ledger.acknowledged)} acknowledged, {len(ledger.roots)} checkpoints, size {size}")
