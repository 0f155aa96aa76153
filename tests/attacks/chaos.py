"""Everything at once, for a while: callers of all kinds, backends that break off, stall and lie, registry and ledger
with hiccups, connections that end anywhere, reloads good and bad, signals. Under sanitizers.

    chaos.py [SEED [SECONDS]]      a seed gives the same choices again, though not the same order of events

What holds in the end, whatever happened:

* a backend has seen each request at most once to its end, and exactly once where the caller got 200;
* no answer that was verified belongs to another request;
* memory and descriptors are back near where they were;
* an honest caller is served, no sanitizer has said anything, and the log is lines of JSON without secrets."""
import os
import random
import signal
import socket
import struct
import sys
import threading
import time
import traceback

# What a sanitizer keeps of freed memory shall not look like growth.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=4:thread_local_quarantine_size_kb=64"

import h2  # noqa: E402
from actor import Actor  # noqa: E402
from house import House, rule  # noqa: E402
from logs import check_log  # noqa: E402
from rogue import GRANT_TYPE, Connection, Wallet  # noqa: E402
from wire import Refused  # noqa: E402

SITE = "chaos.test"
N_CLIENTS = 16
LARGE = 1024 * 1024 + 200000
RULES = [rule("/public/**", roles=["anonymous"], sapi="none"), rule("/vault/**", sapi="hybrid"),
         rule("/receipt/**", receipt=True), rule("/stream/**", stream=True), rule("/rare/**", rate={"per_min": 600, "burst": 20}),
         rule("/**")]


class ChaosHouse(House):
    def config(self, *args):
        return (super().config(*args).replace("threads: {loops: 1, crypto: 1}", "threads: {loops: 2, crypto: 2}")
                .replace("limits: {", "limits: {connections: 400, backend_connections: 24, held: 8MiB, ")
                .replace("{lookup: 2s}", "{lookup: 2s, connect: 500ms, answer: 1s, stall: 1s, idle: 3s}"))

    def reload(self):
        """Without waiting for it."""
        self.process.send_signal(signal.SIGHUP)


class Stage:
    """What all take part in."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.whole = {}      # tag: how often a backend saw that request to its end
        self.served = set()  # tags of verified or anonymous answers of 200
        self.counts = {}
        self.faults = []
        self.tags = 0

    def tag(self):
        with self.lock:
            self.tags += 1
            return "t%d" % self.tags

    def count(self, what):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def fault(self, what):
        with self.lock:
            self.faults.append(what)


# --- backends ---

def play(stage):
    """A backend's manners are in the path; what it has seen to the end it notes before it answers."""
    def to_the_end(talk):
        body = talk.take_body()
        if body is None:
            return None
        tag = talk.target.partition("tag=")[2]
        with stage.lock:
            stage.whole[tag] = stage.whole.get(tag, 0) + 1
        return tag

    def answer(talk):
        manner = talk.target.partition("?")[0].rpartition("/")[2]
        if manner == "early":
            talk.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
            return False
        if manner == "deaf":
            time.sleep(0.3)
            return False
        if manner == "both":
            talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
        tag = to_the_end(talk)
        if tag is None:
            return False
        body = tag.encode()
        if manner == "both":
            talk.send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        elif manner == "slow":
            time.sleep(0.2)
            talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
            time.sleep(0.1)
            talk.send(body)
        elif manner == "silent":
            return talk.ends_within(3) and False
        elif manner == "stall":
            talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nok")
            return talk.ends_within(4) and False
        elif manner == "cut":
            talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + bytes(5000))
            return False
        elif manner == "reset":
            talk.send(b"HTTP/1.1 200 OK\r\n\r\nok")
            talk.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            talk.file.close()
            talk.sock.close()
            return False
        elif manner == "garbage":
            talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        elif manner == "behind":
            talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
                      + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
        elif manner == "big":
            talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(body), body))
            for _ in range(8):
                talk.send(b"10000\r\n" + bytes(65536) + b"\r\n")
            talk.send(b"0\r\n\r\n")
        elif manner == "interim":
            talk.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 10
                      + b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        else:
            if talk.first.startswith("HEAD "):
                body = b""
            talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(tag), body))
        return manner != "close"

    return answer


MANNERS = ["ok"] * 8 + ["early", "deaf", "both", "slow", "silent", "stall", "cut", "reset", "garbage", "behind", "big",
                        "interim", "close"]


class Mortal:
    """A backend at a port of its own that dies and comes back."""

    def __init__(self, stage):
        self.stage, self.lock = stage, threading.Lock()
        self.actor = Actor(play(stage))
        self.port = self.actor.port

    def die_for(self, seconds):
        with self.lock:
            self.actor.close()
            time.sleep(seconds)
            while True:
                try:
                    self.actor = Actor(play(self.stage), port=self.port)
                    return
                except OSError:  # its port is not free yet
                    time.sleep(0.01)


# --- callers ---

def code_of(answer):
    """As answer.code; the answer to a HEAD has no problem to read."""
    return answer.code if answer.body or answer.how != "answered" else answer.status


class Caller(threading.Thread):
    def __init__(self, stage, house, seed):
        super().__init__(daemon=True)
        self.stage, self.house, self.random = stage, house, random.Random(seed)

    def run(self):
        while not self.stage.over.is_set():
            try:
                self.visit()
            except (Refused, BrokenPipeError, ConnectionError):
                self.stage.count("connection refused")
            except AssertionError:
                self.stage.count("no grant")  # the ledger had a hiccup
            except Exception:
                self.stage.fault(traceback.format_exc())

    def visit(self):
        r = self.random
        if r.random() < 0.1:
            return self.stranger()
        with Connection(self.house, alpn=r.choice(["h2", "h2", "http/1.1"])) as connection:
            if r.random() < 0.1:
                return self.spoil_grant(connection)
            grant = connection.grant(Wallet()) if r.random() < 0.9 else None
            for _ in range(r.randrange(1, 12)):
                if self.stage.over.is_set() or connection.wire.ended or not self.one(connection, grant):
                    return

    def stranger(self):
        """Says nothing, or something else, and goes away whenever it likes."""
        r = self.random
        with socket.create_connection(self.house.address, timeout=2) as sock:
            sock.sendall(r.choice([b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", r.randbytes(500)]))
            time.sleep(r.random() * 0.3)
            if r.random() < 0.5:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.stage.count("stranger")

    def spoil_grant(self, connection):
        r = self.random
        wallet = Wallet()
        body = connection.sealed(wallet, connection.draft(wallet)).body
        spoilt = bytearray(body)
        if r.random() < 0.5:
            spoilt[r.randrange(len(spoilt))] ^= 1 << r.randrange(8)
        if connection.http.is_h2:
            stream = connection.http.open([(":method", "POST"), (":scheme", "https"), (":authority", self.house.name),
                                           (":path", "/.well-known/httpcg/grant"), GRANT_TYPE], end=False)
            connection.http.data(stream, bytes(spoilt), end=r.random() < 0.7)
            time.sleep(r.random() * 0.02)
            if r.random() < 0.5:
                connection.wire.send(h2.frame(h2.RST_STREAM, 0, stream, (8).to_bytes(4, "big")))
        else:
            connection.http.send(connection.http.head("POST /.well-known/httpcg/grant HTTP/1.1", [
                ("Host", self.house.name), GRANT_TYPE, ("Content-Length", len(body))]) + bytes(spoilt))
            time.sleep(r.random() * 0.02)
            connection.wire.send(r.choice([b"", b"x", b"GET / HTTP/1.1\r\n\r\n"]))
        time.sleep(r.random() * 0.02)
        self.stage.count("spoilt grant")

    def make(self, grant):
        """A request: signed, and perhaps changed afterwards; whether it may be answered with 200."""
        r, tag = self.random, self.stage.tag()
        place = r.choice(["", "", "", "/public", "/vault", "/receipt", "/stream", "/rare", "/deep/er"])
        manner = r.choice(MANNERS)
        method = r.choice(["GET", "GET", "POST", "PUT", "HEAD", "DELETE"])
        size = r.choice([0, 1, 1000, 70000, LARGE]) if method in ("POST", "PUT") else 0
        body = bytes([r.randrange(256)]) * size
        fields = [("x-filler", "y" * r.choice([0, 10, 3000]))] if r.random() < 0.3 else []
        request = grant.sign(method, "%s%s/%s?tag=%s" % (SITE, place, manner, tag), body=body, fields=fields,
                             mode="hybrid" if place == "/vault" else r.choice(["grant", "grant", "grant", "ed25519", "hybrid"]),
                             body_mode=r.choice([1, 2]) if size else None)
        request.tag, request.is_good = tag, True
        if r.random() < 0.25:
            request.is_good = False
            spoil = r.randrange(6)
            if spoil == 0:
                request.body = request.body[:-1] + bytes([request.body[-1] ^ 1]) if body else b"x"
            elif spoil == 1:
                request.target = request.target + "&x"
            elif spoil == 2:
                request.qlock = None
            elif spoil == 3:
                request.sapi = request.sapi.replace(request.signature.hex()[:8], "00000000")
            elif spoil == 4:
                request.method = "PATCH"
            else:
                request.fields = [*request.fields, ("cookie", "a=b")]
        return request

    def one(self, connection, grant):
        """One request in some way; whether the connection is good for another."""
        r = self.random
        if grant is None:
            return self.anonymous(connection)
        request = self.make(grant)
        way = r.random()
        if way < 0.72:
            answer = request.send()
        elif way < 0.80:
            answer = request.send()
            self.check(request, answer)
            again = request.send()  # the same bytes once more
            # Where the first answer is not signed, its request was given up before its nonce was spent.
            if again.status == 200 and answer.value("sapi-response"):
                self.stage.fault("a replay was answered 200: %s" % request.target)
            self.stage.count("replay")
            return connection.http.is_h2 and again.how != "ended"
        elif connection.http.is_h2:
            return self.break_off_h2(connection, request)
        else:
            return self.break_off_h1(connection, request)
        self.check(request, answer)
        return answer.how == "answered" and (connection.http.is_h2 or answer.status == 200) and (
            connection.http.is_h2 or request.is_good)

    def check(self, request, answer):
        self.stage.count("%s %s" % ("good" if request.is_good else "bad", code_of(answer)))
        if answer.how == "silence":
            self.stage.fault("no answer in time: %s %s" % (request.method, request.target))
        if answer.how != "answered" or answer.status != 200:
            return
        if not request.is_good:
            self.stage.fault("what was changed was answered 200: %s" % request.target)
        if request.mode == "hybrid" or "/receipt/" in request.target or request.sapi is None or not request.qlock:
            good = True  # a pair's signature is not checked here
        else:
            good = request.verify(answer)
        if not good:
            self.stage.fault("an answer does not verify: %s %s" % (request.target, answer))
        if request.method != "HEAD" and request.tag.encode() not in answer.body[:100]:
            self.stage.fault("an answer to something else: %s %r" % (request.target, answer.body[:100]))
        with self.stage.lock:
            self.stage.served.add(request.tag)

    def anonymous(self, connection):
        r, tag = self.random, self.stage.tag()
        target = "%s/public/%s?tag=%s" % (SITE, r.choice(MANNERS), tag)
        body = bytes(r.choice([0, 0, 100, LARGE]))
        answer = connection.http.native("POST" if body else "GET", "app", target, [], body)
        self.stage.count("anonymous %s" % code_of(answer))
        if answer.how == "silence":
            self.stage.fault("no answer in time: %s" % target)
        if answer.how == "answered" and answer.status == 200:
            if tag.encode() not in answer.body[:100]:
                self.stage.fault("an answer to something else: %s %r" % (target, answer.body[:100]))
            with self.stage.lock:
                self.stage.served.add(tag)
        return connection.http.is_h2

    def break_off_h2(self, connection, request):
        """Several at once, of which some are reset, some stall, and some are forgotten."""
        r, http = self.random, connection.http
        streams = []
        for _ in range(r.randrange(1, 8)):
            fields = [(":method", request.method), (":scheme", "httpcg"), (":authority", "app"),
                      (":path", "/" + request.target), *request.head_fields()]
            ends = not request.body and request.trailer is None
            stream = http.open(fields, end=ends)
            if not ends:
                part = request.body[:r.randrange(len(request.body) + 1)]
                http.data(stream, part[:60000], end=False)
            streams.append((stream, request))
            request = self.make(request.grant)
        for stream, _ in streams:
            what = r.random()
            if what < 0.5:
                time.sleep(r.random() * 0.01)
                http.wire.send(h2.frame(h2.RST_STREAM, 0, stream, r.choice([0, 7, 8]).to_bytes(4, "big")))
            elif what < 0.6:
                http.wire.send(h2.frame(h2.WINDOW_UPDATE, 0, stream, bytes(4)))
        self.stage.count("broken off")
        end = r.random()
        if end < 0.2:
            http.wire.send(r.randbytes(200))
        elif end < 0.4:
            http.wire.end()
        time.sleep(r.random() * r.choice([0.02, 0.5]))
        if end > 0.7:
            for stream, sent in streams:
                answer = http.answer(stream, 5)
                if answer.how == "answered" and answer.status == 200 and sent.mode != "hybrid":
                    self.check(sent, answer)
        return end > 0.7 and not http.wire.ended

    def break_off_h1(self, connection, request):
        r, http = self.random, connection.http
        raw = http.head("%s httpcg://app/%s HTTP/1.1" % (request.method, request.target),
                        [("Host", "app"), ("Content-Length", len(request.body)), *request.head_fields()]) + request.body
        http.send(raw[:r.randrange(len(raw) + 1)])
        time.sleep(r.random() * r.choice([0.02, 0.5]))
        if r.random() < 0.3:
            http.wire.end()
            time.sleep(r.random() * 0.1)
        elif r.random() < 0.3:
            http.send(b"GET / HTTP/1.1\r\n" * 3)
            time.sleep(r.random() * 0.1)
        self.stage.count("broken off")
        return False


# --- weather ---

class Weather(threading.Thread):
    """Reloads, signals, dying backends, hiccups of registry and ledger, visitors of the services."""

    def __init__(self, stage, house, backends, seed):
        super().__init__(daemon=True)
        self.stage, self.house, self.backends, self.random = stage, house, backends, random.Random(seed)

    def run(self):
        while not self.stage.over.is_set():
            time.sleep(self.random.random() * 0.4)
            try:
                self.random.choice([self.reload, self.reload, self.bad_reload, self.signals, self.death, self.hiccup,
                                    self.visitors])()
            except OSError:
                pass
            except Exception:
                self.stage.fault(traceback.format_exc())

    def reload(self):
        self.house.route(SITE, self.random.choice(self.backends).port, "%064x" % self.random.randrange(1, 1 << 200))
        self.house.reload()
        self.stage.count("reload")

    def bad_reload(self):
        """What is in force stays."""
        name = self.house.path("routes.d/zz%d.yaml" % id(self))
        with open(name, "w") as file:
            file.write(self.random.choice(["name: [\n", "name: app/%s\n" % SITE, "nonsense: 1\n", "\0"]))
        self.house.reload()
        time.sleep(0.1)
        os.unlink(name)
        self.stage.count("bad reload")

    def signals(self):
        for _ in range(self.random.randrange(1, 30)):
            self.house.process.send_signal(signal.SIGUSR1)
            time.sleep(0.001)
        self.stage.count("signals")

    def death(self):
        self.random.choice(self.backends).die_for(self.random.random() * 0.3)
        self.stage.count("death")

    def hiccup(self):
        def lie(path, status, body):
            what = self.random.random()
            if what < 0.3:
                raise ConnectionAbortedError
            if what < 0.5:
                time.sleep(self.random.random())
            if what < 0.7:
                return self.random.choice([200, 404, 500, 503]), self.random.choice([b"", b"{}", body[:-1], bytes(100)])
            return None

        liar = self.random.choice(self.house.liars)
        liar.lie = lie
        time.sleep(self.random.random() * 0.5)
        liar.lie = None
        self.stage.count("hiccup")

    def visitors(self):
        r = self.random
        for _ in range(r.randrange(1, 10)):
            path = r.choice(["/checkpoint", "/staple?name=app/" + SITE, "/staple?did=x", "/object/" + "00" * 32,
                             "/resolve/app/" + SITE, "/resolve/app/nobody.test", "/tile/0/000", "/%00", "/proof/consistency?from=1&to=2"])
            self.house.ask("GET", path)
        with socket.create_connection(("127.0.0.1", self.house.services_port), timeout=2) as sock:
            sock.sendall(r.choice([b"POST /submit HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\nx", b"\0" * 100, b""]))
            time.sleep(r.random() * 0.2)
        if r.random() < 0.3:
            self.house.submit(Wallet().doc)
        self.stage.count("visitors")


# --- what holds in the end ---

def memory(house):
    """In MiB."""
    with open("/proc/%d/statm" % house.process.pid) as file:
        return int(file.read().split()[1]) * 4 / 1024


def descriptors(house):
    return len(os.listdir("/proc/%d/fd" % house.process.pid))


def settle(house, most, seconds=45):
    """Waits until no more descriptors are open than that; how many are."""
    until = time.monotonic() + seconds
    while descriptors(house) > most and time.monotonic() < until:
        time.sleep(0.5)
    return descriptors(house)


def canary(house):
    until = time.monotonic() + 10
    while True:
        try:
            with Connection(house) as connection:
                grant = connection.grant(Wallet())
                request = grant.sign("POST", SITE + "/ok?tag=canary", body=b"sing")
                answer = request.send()
                if answer.status == 200 and request.verify(answer):
                    return None
                trouble = repr(answer)
        except Exception as problem:
            trouble = repr(problem)
        if time.monotonic() > until:
            return trouble
        time.sleep(0.2)


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.SystemRandom().randrange(1 << 32)
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 100
    print("seed %d, %d s" % (seed, seconds), flush=True)
    stage = Stage(seed)
    backends = [Mortal(stage) for _ in range(3)]
    house = ChaosHouse(backends[0].port, site=SITE, rules=RULES, liars=True)
    results = []

    def holds(what, fault=None):
        results.append((what, fault))
        print("%s - %s%s" % ("not ok" if fault else "ok", what, ": %s" % (fault,) if fault else ""), flush=True)

    try:
        at_rest = descriptors(house)
        threads = [Caller(stage, house, stage.random.random()) for _ in range(N_CLIENTS)]
        threads += [Weather(stage, house, backends, stage.random.random()) for _ in range(2)]
        for thread in threads:
            thread.start()
        began, peak = time.monotonic(), 0
        while time.monotonic() < began + seconds * 0.3:
            time.sleep(0.2)
            peak = max(peak, memory(house) if not house.has_ended(0) else 0)
        while time.monotonic() < began + seconds and not house.has_ended(0):
            time.sleep(0.2)
        stage.over.set()
        for thread in threads:
            thread.join(30)
        for key, n in sorted(stage.counts.items()):
            print("# %6d  %s" % (n, key))
        if house.has_ended(1):
            holds("the process lives", house.words())
            return finish(house, backends, results)
        for liar in house.liars:
            liar.lie = None
        house.route(SITE, backends[0].port)
        house.reload()
        time.sleep(0.5)
        holds("an honest request is served", canary(house))
        # Kept connections to backends, registry and ledger are their right; nothing of the callers' is.
        n = settle(house, at_rest + 8)
        holds("descriptors are back near the start", n > at_rest + 8 and "%d, were %d" % (n, at_rest))
        now = memory(house)
        holds("memory is back near the start", now > peak + 40 and "%d MiB, were %d at most early on" % (now, peak))
        holds("an honest request is served still", canary(house))
        stage.whole.pop("canary", None)
        often = {tag: n for tag, n in stage.whole.items() if n > 1}
        holds("no request reached a backend twice", often or None)
        lost = sorted(stage.served - set(stage.whole))
        holds("every answer of 200 is to a request that a backend has seen", lost or None)
        holds("a good share of the requests was served", len(stage.served) < stage.tags / 20 and
              "%d of %d" % (len(stage.served), stage.tags))
        holds("no caller has seen what must not be", "\n".join(stage.faults[:5]) or None)
        return finish(house, backends, results)
    finally:
        house.close()


def finish(house, backends, results):
    def holds(what, fault=None):
        results.append((what, fault))
        print("%s - %s%s" % ("not ok" if fault else "ok", what, ": %s" % (fault,) if fault else ""), flush=True)

    code = house.stop() if not house.has_ended(0) else house.process.returncode
    holds("it ends as it was asked", code != 0 and "exit %d" % code)
    faults = check_log(house)
    holds("neither sanitizer nor log has anything to tell", "\n".join(faults) or None)
    for backend in backends:
        backend.actor.close()
    failed = sum(1 for _, fault in results if fault)
    print("%d passed, %d failed" % (len(results) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
