"""A native client that signs what it is told to sign and sends something else.

Everything is made here once more from docs/protocol, in Python, on the plain encodings that the
makers of vectors use (tests/vectors/make): nothing of the library takes part but two signature
algorithms. What a test changes, it changes after this code has signed."""
import base64
import hmac
import json
import os
import sys
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../vectors/make"))

import hybrid  # noqa: E402
from forms import H, LIST, TUP, cbor, u  # noqa: E402
from hybrid import expand, extract, hsig  # noqa: E402
from talk import H1, H2  # noqa: E402
from wire import Wire  # noqa: E402

MODES = {"grant": 1, "ed25519": 2, "hybrid": 3}
COVERED = ["content-type", "content-encoding", "range", "if-match", "if-none-match", "idempotency-key",
           "authorization", "cookie", "if-range"]
REPLY_COVERED = ["content-type", "content-encoding", "content-range", "location", "etag", "cache-control",
                 "set-cookie", "last-modified", "content-disposition"]
GRANT_TYPE = ("content-type", "application/httpcg-grant+cbor")


def uncbor(wire):
    """The item that these bytes are: enough for what a gateway sends."""
    def item(at):
        major, info = wire[at] >> 5, wire[at] & 31
        at += 1
        if major == 7:
            return {20: False, 21: True, 22: None}[info], at
        n = info
        if info >= 24:
            size = 1 << (info - 24)
            n, at = int.from_bytes(wire[at:at + size], "big"), at + size
        if major == 0:
            return n, at
        if major == 1:
            return -1 - n, at
        if major in (2, 3):
            raw = bytes(wire[at:at + n])
            return (raw if major == 2 else raw.decode()), at + n
        if major == 6:
            return item(at)
        out = []
        for _ in range(n * (major - 3)):
            value, at = item(at)
            out.append(value)
        return (out if major == 4 else dict(zip(out[::2], out[1::2]))), at

    value, end = item(0)
    assert end == len(wire)
    return value


def f(value):
    return b"\0" if value is None else b"\1" + value.encode("latin-1")


class Wallet:
    """Keys that nobody has seen before, unless a seed is given."""

    def __init__(self, seed=None):
        self.key = hybrid.Key(seed or os.urandom(32))
        self.address = self.key.waddr(bytes(32))
        self.doc = self.key.doc(bytes(32))
        self.did = "did:bpi:" + self.address


class Channel:
    """What both ends of a connection derive from it."""

    def __init__(self, exporter, spki, fingerprint):
        self.exporter, self.spki, self.fingerprint = exporter, spki, fingerprint
        self.prk = extract(b"httpcg-qlock/v1", exporter)
        self.cb = self.sibling("httpcg-cb/v1")
        raw = bytearray(expand(self.prk, TUP("httpcg-session-id/v1"))[:16])
        raw[6], raw[8] = raw[6] & 0x0F | 0x80, raw[8] & 0x3F | 0x80
        self.session_id = str(uuid.UUID(bytes=bytes(raw)))

    def sibling(self, label, *more):
        return expand(self.prk, TUP(label, self.spki, self.fingerprint, *more))

    def lock(self, plane, authority, path, epoch):
        route = H(TUP("httpcg-route/v1", plane, authority, path))
        key = expand(self.sibling("httpcg-qlock/v1", route, u(64, epoch)), TUP("httpcg-qlock-session"))
        return H(key)


def mac_key(grant_key, direction, epoch):
    return expand(grant_key, TUP(direction + " mac", u(64, epoch)))


def fields_digest(fields):
    values = {}
    for name, value in fields:
        values[name] = values[name] + "; " + value if name in values else value
    return H(TUP("httpcg-fields/v1", *(f(values.get(name)) for name in COVERED)))


def reply_tbs(alg, request_tbs, timestamp, status, body_mode, body, fields, trailers=()):
    values = dict(fields)
    cookies = [v for k, v in fields if k == "set-cookie"]
    covered = H(TUP("httpcg-resp-fields/v1", *(
        (b"\1" + LIST(*cookies) if cookies else b"\0") if name == "set-cookie" else f(values.get(name))
        for name in REPLY_COVERED)))
    last = [H(TUP("httpcg-resp-trailers/v1", LIST(*(k for k, _ in trailers)), LIST(*(v for _, v in trailers))))]
    return TUP("httpcg-sapi-resp/v1", u(8, MODES[alg]), H(request_tbs), u(64, timestamp), u(16, status),
               u(8, body_mode), H(body) if body_mode else b"", covered, *(last if body_mode == 2 else []))


class Connection(Channel):
    """A native connection to a gateway: what is exported, derived, granted and sent on it."""

    def __init__(self, gateway, alpn="h2", settings=None, fingerprint=None, **options):
        self.gateway = gateway
        options.setdefault("name", gateway.name)
        self.wire = Wire(gateway.address, alpn=alpn, **options)
        facts = self.wire.facts
        reference = bytes.fromhex(facts["reference"])
        super().__init__(bytes.fromhex(facts["exporter"]), bytes.fromhex(facts["spki"]), fingerprint or (
            uncbor(reference)["certificate_id"] if reference else gateway.fingerprint))
        self.http = H1(self.wire) if alpn == "http/1.1" else H2(self.wire, **({"settings": settings} if settings else {}))

    def close(self):
        self.wire.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- the grant ---

    def draft(self, wallet, **changes):
        """A grant's fields; what is None in changes is left out."""
        self.session = os.urandom(32)
        now = int(time.time())
        fields = {"v": 1, "wallet_address": wallet.address, "session_id": self.session_id, "cb": self.cb,
                  "tlsls_fpr": self.fingerprint, "spki_hash": self.spki,
                  "session_key": hybrid.ask("ed25519-public", self.session), "modes": ["grant", "ed25519"],
                  "epoch_start": now // 60, "epochs": 10, "scope": ["*"], "timestamp": now,
                  "nonce": os.urandom(16)}
        fields.update(changes)
        return {k: v for k, v in fields.items() if v is not None}

    def post(self, body):
        """Posts what may be a grant; the gateway's answer, whatever it is."""
        return self.http.control("POST", self.gateway.name, "/.well-known/httpcg/grant", [GRANT_TYPE], body)

    def grant(self, wallet, doc=None, signature=None, **changes):
        """A grant that the gateway accepts."""
        grant = self.sealed(wallet, self.draft(wallet, **changes))
        answer = self.post(grant.body)
        assert answer.status == 200, answer
        return grant

    def sealed(self, wallet, fields, **changes):
        return Grant(self, wallet, cbor(fields), **changes)


class Grant:
    def __init__(self, connection, wallet, wire, doc=None, signature=None):
        self.connection, self.wallet, self.wire = connection, wallet, wire
        self.session = connection.session
        self.hash = H(TUP("httpcg-grant-hash/v1", wire))
        self.key = connection.sibling("httpcg-grant/v1", self.hash)
        self.counter = 0
        self.doc = wallet.doc if doc is None else doc
        self.signature = hsig(wallet.key, "grant", wire) if signature is None else signature

    @property
    def body(self):
        return cbor([self.wire, self.doc, self.signature])

    def mac_key(self, direction, epoch):
        return mac_key(self.key, direction, epoch)

    def sign(self, method, target, **changes):
        """A request that the gateway accepts, if changes do not say otherwise."""
        return Request(self, method, target, **changes)


class Request:
    """One signed request. target is authority/path?query; body_mode None is 1 with a body, 0 without.

    What the keyword arguments change is part of what is signed, as a strange client would do it.
    What is assigned afterwards (method, target, fields, qlock, sapi, body ...) is not; None leaves
    qlock or sapi out."""

    def __init__(self, grant, method, target, body=b"", fields=(), mode="grant", body_mode=None, plane="app",
                 epoch=0, timestamp=0, counter=None, prefix=None, wallet=None, signer=None, fingerprint=None):
        self.grant, self.plane, self.method, self.target, self.body = grant, plane, method, target, body
        self.mode, self.fields, self.sapi_sent = mode, list(fields), False
        connection = grant.connection
        if counter is None:
            grant.counter += 1
            counter = grant.counter
        now = int(time.time())
        self.epoch, self.timestamp = now // 60 + epoch, now + timestamp
        self.nonce = (prefix or grant.hash[:8]) + u(64, counter)
        self.body_mode = (1 if body else 0) if body_mode is None else body_mode
        path, mark, query = target.partition("?")
        authority, slash, path = path.partition("/")
        self.authority, self.path, self.query = authority, "/" + path, mark + query
        self.lock = connection.lock(plane, authority, self.path, self.epoch)
        self.qlock = '{"session_id":"%s","minute_epoch":%d,"qlock_hash":"%s"}' % (
            connection.session_id, self.epoch, self.lock.hex())
        self.wallet_address = (wallet or grant.wallet).address
        self.signer = signer or self._signature
        self.tbs = TUP("httpcg-sapi/v1", u(8, MODES[mode]), self.wallet_address, u(64, self.timestamp), self.nonce,
                       connection.session_id, u(64, self.epoch), self.lock, fingerprint or connection.fingerprint,
                       method, plane, authority, self.path, self.query, u(8, self.body_mode),
                       H(body) if self.body_mode == 1 else b"", fields_digest(self.fields))
        self.signature = self.signer(self.tbs)
        self.digest = "sha-256=:%s:" % base64.b64encode(H(body)).decode()
        self.trailer = self._trailer() if self.body_mode == 2 else None

    def _signature(self, tbs):
        if self.mode == "grant":
            return hmac.digest(self.grant.mac_key("c2s", self.epoch), tbs, "sha256")
        if self.mode == "ed25519":
            return hybrid.ask("ed25519-sign", self.grant.session, tbs)
        return hsig(self.grant.wallet.key, "sapi-request", tbs)

    def _trailer(self):
        tbs = TUP("httpcg-sapi-trailer/v1", H(self.tbs), H(self.body))
        return '{"digest":"%s","signature":"%s"}' % (base64.b64encode(H(self.body)).decode(), self.signer(tbs).hex())

    @property
    def sapi(self):
        if self.sapi_sent is not False:
            return self.sapi_sent
        return (
            '{"wallet_address":"%s","timestamp":%d,"nonce":"%s","signature":"%s","alg":"%s"}'
            % (self.wallet_address, self.timestamp, self.nonce.hex(), self.signature.hex(), self.mode))

    @sapi.setter
    def sapi(self, value):
        self.sapi_sent = value

    def head_fields(self):
        """All fields of the head, in the order in which they are sent."""
        out = list(self.fields)
        if self.qlock is not None:
            out.append(("qlock", self.qlock))
        if self.sapi is not None:
            out.append(("sapi", self.sapi))
        if self.body_mode == 1:
            out.append(("content-digest", self.digest))
        elif self.body_mode == 2:
            out.append(("trailer", "SAPI-Trailer"))
        return out

    def send(self, connection=None):
        """Sends it, on its own connection or another one."""
        http = (connection or self.grant.connection).http
        trailers = None if self.trailer is None else [("sapi-trailer", self.trailer)]
        return http.native(self.method, self.plane, self.target, self.head_fields(), self.body, trailers)

    def verify(self, answer):
        """Whether the answer is signed, for this request, with the grant's key."""
        text = answer.value("sapi-response")
        if text is None:
            return False
        sapi = json.loads(text)
        in_trailer = any(k == "sapi-response" for k, _ in answer.trailers)
        others = [(k, v) for k, v in answer.trailers if k not in ("sapi-response", "content-digest")]
        tbs = reply_tbs(sapi["alg"], self.tbs, sapi["timestamp"], answer.status,
                        2 if in_trailer else 1 if answer.value("content-digest") else 0, answer.body, answer.fields, others)
        expected = hmac.digest(self.grant.mac_key("s2c", self.epoch), tbs, "sha256").hex()
        return sapi["alg"] == "grant" and sapi["nonce"] == self.nonce.hex() and sapi["signature"] == expected
