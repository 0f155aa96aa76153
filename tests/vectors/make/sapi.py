#!/usr/bin/env python3
"""Makes tests/vectors/qlock.json, grant.json, sapi.json and response.json: every derivation,
encoding and signature of docs/protocol/qlock.md and sapi.md, for one wallet and one gateway."""
import base64
import hashlib
import os
import uuid

import ed25519
from forms import H, LIST, TUP, cbor, u, write
from keys import MAC, Hybrid, expand, extract, next_hash, seed, waddr

NOW, EPOCH = 1795366003, 29922766
SPKI = H(b"example SubjectPublicKeyInfo DER")
FPR = bytes.fromhex("a47fe426a549982da01b5161d1801af8e9c5f0ab4129d777052edeb7edd052e5")
POLICY = "094132bd634296bbeb316b18cdc98feb2a5f6ea5c77660369931e453ef77bdc1"

wallet, transport, session = Hybrid(seed(0x00)), Hybrid(seed(0x80)), Hybrid(seed(0xC0))
WALLET = waddr(wallet, next_hash(Hybrid(seed(0x20))))
SERVER = "did:bpi:" + waddr(Hybrid(seed(0x40)), next_hash(Hybrid(seed(0x60))))


def text(b):
    return b.hex()


# --- QLOCK ---

class Channel:
    def __init__(self, exporter, spki=SPKI, fpr=FPR):
        self.exporter, self.spki, self.fpr = exporter, spki, fpr
        self.prk = extract("httpcg-qlock/v1", exporter)
        self.cb = expand(self.prk, TUP("httpcg-cb/v1", spki, fpr))
        raw = bytearray(expand(self.prk, TUP("httpcg-session-id/v1"), 16))
        raw[6] = raw[6] & 0x0F | 0x80
        raw[8] = raw[8] & 0x3F | 0x80
        self.session_id = str(uuid.UUID(bytes=bytes(raw)))

    def lock(self, route, epoch):
        qlk = expand(self.prk, TUP("httpcg-qlock/v1", self.spki, self.fpr, route, u(64, epoch)))
        key = expand(qlk, TUP("httpcg-qlock-session"))
        return qlk, key, H(key)

    def grant_key(self, grant_hash):
        return expand(self.prk, TUP("httpcg-grant/v1", self.spki, self.fpr, grant_hash))

    def public(self):
        return {"exporter": text(self.exporter), "spki": text(self.spki),
                "fingerprint": text(self.fpr), "prk": text(self.prk), "cb": text(self.cb),
                "session_id": self.session_id}


def route(plane, authority, path):
    return H(TUP("httpcg-route/v1", plane, authority, path))


def qlock_header(channel, epoch, hash_):
    return '{"session_id":"%s","minute_epoch":%d,"qlock_hash":"%s"}' % (
        channel.session_id, epoch, hash_.hex())


channel = Channel(seed(0))
channels = [channel, Channel(bytes(32)), Channel(b"\xff" * 32), Channel(seed(1)),
            Channel(seed(0), spki=H(b"another key")), Channel(seed(0), fpr=H(b"another TLSLS"))]
routes = [("app", "app.example.com", "/api/orders"), ("bpi", "bpi.example.com", "/"),
          ("gw", "library.%s.mznfwawkjf5fkoj4kijseagtvzy3gfzm" % WALLET, "/caf%C3%A9/~a;b=1")]
locks = []
for plane, authority, path in routes:
    for epoch in (EPOCH, EPOCH - 1, 2**53 - 1):
        r = route(plane, authority, path)
        qlk, key, hash_ = channel.lock(r, epoch)
        locks.append({"plane": plane, "authority": authority, "path": path, "epoch": str(epoch),
                      "route": text(r), "qlk": text(qlk), "qlock_key": text(key),
                      "qlock_hash": text(hash_), "header": qlock_header(channel, epoch, hash_)})
write("qlock", {"note": "Made by make/sapi.py. locks are those of channels[0].",
                "channels": [c.public() for c in channels], "locks": locks})


# --- grants ---

def grant(channel, **changes):
    fields = {"v": 1, "wallet_address": WALLET, "session_id": channel.session_id, "cb": channel.cb,
              "tlsls_fpr": channel.fpr, "spki_hash": channel.spki, "session_key": session.ed,
              "modes": ["grant", "ed25519"], "epoch_start": EPOCH, "epochs": 10,
              "scope": ["app/app.example.com"], "timestamp": NOW, "nonce": bytes(range(16))}
    fields.update(changes)
    return cbor(fields)


def grant_row(name, g, answer):
    hash_ = H(TUP("httpcg-grant-hash/v1", g))
    gk = channel.grant_key(hash_)
    a = {"v": 1, "grant_hash": hash_, "server_did": SERVER, "server_time": NOW,
         "policy_hash": POLICY}
    a.update(answer)
    a = cbor(a)
    proof_tbs = TUP("httpcg-channel-proof/v1", channel.cb, hash_, H(a))
    confirm_key = expand(gk, TUP("s2c confirm"))
    return {"name": name, "grant": text(g), "signature_sha256": text(H(wallet.hsig("grant", g))),
            "grant_hash": text(hash_), "grant_key": text(gk),
            "k_c2s": text(expand(gk, TUP("c2s mac", u(64, EPOCH)))),
            "k_s2c": text(expand(gk, TUP("s2c mac", u(64, EPOCH)))),
            "k_conf": text(confirm_key), "answer": text(a), "confirm": text(MAC(confirm_key, a)),
            "proof_tbs": text(proof_tbs),
            "proof_sha256": text(H(transport.batch("channel-proof", [proof_tbs])[0]))}


GRANT = grant(channel)
write("grant", {
    "note": "Made by make/sapi.py. Wallet S = 00..1f, transport keys S = 80..9f, session key = "
            "Ed25519 part of S = c0..df; the channel is qlock.json's channels[0].",
    "grants": [
        grant_row("as in v1.json", GRANT, {"epochs": 10, "modes": ["grant", "ed25519"], "h2_ping": True}),
        grant_row("anywhere, everything optional, narrowed",
                  grant(channel, scope=["*"], epochs=60, nonce=bytes(16),
                        creds=[b"credential 1", b"credential 2"], client_tlsls=b"certificate"),
                  {"epochs": 1, "modes": ["grant"], "h2_ping": False}),
        grant_row("no listed mode, two names, one minute",
                  grant(channel, scope=["app/a.example", "wallet/w"], epochs=1, modes=[]),
                  {"epochs": 1, "modes": [], "h2_ping": False}),
    ]})

GRANT_HASH = H(TUP("httpcg-grant-hash/v1", GRANT))
GK = channel.grant_key(GRANT_HASH)
C2S, S2C = (expand(GK, TUP(label, u(64, EPOCH))) for label in ("c2s mac", "s2c mac"))

# --- requests ---

COVERED = ["content-type", "content-encoding", "range", "if-match", "if-none-match",
           "idempotency-key", "authorization", "cookie", "if-range"]
MODES = {"grant": 1, "ed25519": 2, "hybrid": 3}


def f(value):
    return b"\0" if value is None else b"\1" + value.encode()


def fields_digest(fields):
    return H(TUP("httpcg-fields/v1", *(f(fields.get(name)) for name in COVERED)))


def signed(mode, tbs):
    if mode == "grant":
        return MAC(C2S, tbs)
    return (ed25519.sign(session.ed_seed, tbs) if mode == "ed25519"
            else wallet.hsig("sapi-request", tbs))


class Request:
    def __init__(self, mode, counter, method, path, query, body_mode, body, fields,
                 plane="app", authority="app.example.com"):
        self.mode, self.method, self.body_mode, self.body = mode, method, body_mode, body
        self.nonce = GRANT_HASH[:8] + u(64, counter)
        self.digest = H(body)
        self.fields, self.path, self.query = fields, path, query
        self.plane, self.authority = plane, authority
        hash_ = channel.lock(route(plane, authority, path), EPOCH)[2]
        self.qlock = qlock_header(channel, EPOCH, hash_)
        self.tbs = TUP("httpcg-sapi/v1", u(8, MODES[mode]), WALLET, u(64, NOW), self.nonce,
                       channel.session_id, u(64, EPOCH), hash_, FPR, method, plane, authority,
                       path, query, u(8, body_mode), self.digest if body_mode == 1 else b"",
                       fields_digest(fields))
        self.signature = signed(mode, self.tbs)
        self.trailer_tbs = TUP("httpcg-sapi-trailer/v1", H(self.tbs), self.digest)

    def sapi(self):
        return ('{"wallet_address":"%s","timestamp":%d,"nonce":"%s","signature":"%s","alg":"%s"}'
                % (WALLET, NOW, self.nonce.hex(), self.signature.hex(), self.mode))

    def trailer(self):
        return '{"digest":"%s","signature":"%s"}' % (
            base64.b64encode(self.digest).decode(), signed(self.mode, self.trailer_tbs).hex())

    def row(self):
        row = {"mode": self.mode, "body_mode": str(self.body_mode), "method": self.method,
               "url": "httpcg://%s/%s%s%s" % (self.plane, self.authority, self.path, self.query),
               "fields": [[k, v] for k, v in self.fields.items()], "body": self.body.decode(),
               "nonce": text(self.nonce), "tbs": text(self.tbs), "qlock": self.qlock,
               "sapi": self.sapi()}
        if self.body_mode == 1:
            row["content_digest"] = "sha-256=:%s:" % base64.b64encode(self.digest).decode()
        if self.body_mode == 2:
            row["trailer_tbs"] = text(self.trailer_tbs)
            row["trailer"] = self.trailer()
        return row


requests = [Request("grant", 1, "POST", "/api/orders", "?limit=10", 1, b'{"item":7}',
                    {"content-type": "application/json"})]
for mode in MODES:
    for body_mode in (0, 1, 2):
        for query in ("", "?", "?a=1&b=%2F"):
            fields = {} if body_mode == 0 else {"content-type": "text/plain"}
            requests.append(Request(mode, len(requests) + 1, "GET" if body_mode == 0 else "PUT",
                                    "/items/~%d" % body_mode, query, body_mode,
                                    b"" if body_mode == 0 else b"body %d" % body_mode, fields))
fields_rows = [{}, {"content-type": ""}, {"content-type": "text/plain"}, {"if-range": "x"},
               {name: "v" + str(i) for i, name in enumerate(COVERED)},
               {"cookie": "a=1; b=2"}, {"cookie": "b=2; a=1"},
               {"authorization": "Bearer x", "idempotency-key": "\"k\""}]
write("sapi", {
    "note": "Made by make/sapi.py. Channel: qlock.json's channels[0]; grant: grant.json's grants[0]; "
            "ML-DSA-87 in its deterministic variant.",
    "wallet_address": WALLET,
    "timestamp": str(NOW), "epoch": str(EPOCH), "grant_hash": text(GRANT_HASH),
    "requests": [r.row() for r in requests],
    "fields": [{"fields": [[k, v] for k, v in row.items()], "digest": text(fields_digest(row))}
               for row in fields_rows]})

# --- responses ---

REPLY_COVERED = ["content-type", "content-encoding", "content-range", "location", "etag",
                 "cache-control", "set-cookie", "last-modified", "content-disposition"]


def reply_fields_digest(fields):
    """fields: pairs, since set-cookie may occur several times."""
    cookies = [v for k, v in fields if k == "set-cookie"]
    values = dict(fields)
    return H(TUP("httpcg-resp-fields/v1", *(
        (b"\1" + LIST(*cookies) if cookies else b"\0") if name == "set-cookie"
        else f(values.get(name)) for name in REPLY_COVERED)))


class Reply:
    def __init__(self, request, alg, status, body_mode, body, fields, trailers=()):
        self.__dict__.update(locals())
        self.trailers_digest = H(TUP("httpcg-resp-trailers/v1", LIST(*(k for k, _ in trailers)),
                                     LIST(*(v for _, v in trailers))))
        last = [self.trailers_digest] if body_mode == 2 else []
        self.tbs = TUP("httpcg-sapi-resp/v1", u(8, MODES[alg]), H(request.tbs), u(64, NOW + 1),
                       u(16, status), u(8, body_mode), b"" if body_mode == 0 else H(body),
                       reply_fields_digest(fields), *last)

    def row(self, signature):
        row = {"request": str(requests.index(self.request)), "alg": self.alg,
               "status": str(self.status), "body_mode": str(self.body_mode),
               "body": self.body.decode(), "timestamp": str(NOW + 1),
               "fields": [list(p) for p in self.fields],
               "trailers": [list(p) for p in self.trailers], "tbs": text(self.tbs),
               "sapi_response": '{"alg":"%s","timestamp":%d,"nonce":"%s","signature":"%s"}' % (
                   self.alg, NOW + 1, self.request.nonce.hex(), signature.hex())}
        if self.body_mode:
            row["content_digest"] = "sha-256=:%s:" % base64.b64encode(H(self.body)).decode()
        return row


JSON = [("content-type", "application/json")]
by_mac = [
    Reply(requests[0], "grant", 200, 1, b'{"ok":true}', JSON),
    Reply(requests[1], "grant", 204, 0, b"", []),
    Reply(requests[1], "grant", 304, 0, b"", [("etag", '"x"'), ("cache-control", "max-age=60")]),
    Reply(requests[2], "grant", 201, 1, b"made", [("location", "/items/9"), ("content-type", "text/plain")]),
    Reply(requests[2], "grant", 206, 1, b"rt", [("content-range", "bytes 2-3/9"), ("content-encoding", "gzip"),
                                                ("last-modified", "Sun, 22 Nov 2026 16:46:43 GMT"),
                                                ("content-disposition", "attachment")]),
    Reply(requests[3], "grant", 200, 1, b"one", [("set-cookie", "a=1; Path=/")]),
    Reply(requests[3], "grant", 200, 1, b"two", [("set-cookie", "a=1"), ("set-cookie", "b=2, c")]),
    Reply(requests[4], "grant", 200, 2, b"streamed", JSON),
    Reply(requests[4], "grant", 200, 2, b"", [("content-type", "application/grpc")],
          [("grpc-status", "0"), ("grpc-message", "fine")]),
    Reply(requests[5], "grant", 200, 2, b"x", [], [("a", "1"), ("a", "2"), ("b", "")]),
    Reply(requests[10], "grant", 403, 1, b"no", [("content-type", "application/problem+json")]),
]
alone = Reply(requests[19], "hybrid", 200, 1, b"receipt", JSON)
together = [Reply(requests[20], "hybrid", 204, 0, b"", []),
            Reply(requests[21], "hybrid", 200, 2, b"long", JSON, [("grpc-status", "5")]),
            Reply(requests[22], "hybrid", 502, 1, b"{}", JSON)]
rows = [r.row(MAC(S2C, r.tbs)) for r in by_mac]
rows.append(alone.row(transport.batch("sapi-response", [alone.tbs])[0]))
rows += [r.row(s) for r, s in zip(together, transport.batch("sapi-response", [r.tbs for r in together]))]
write("response", {
    "note": "Made by make/sapi.py. request: which of sapi.json's; the last three share one HSIG-B.",
    "responses": rows})

# Everything that v1.json, made by others, has too, must come out the same.
import json
v1 = json.load(open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "v1.json")))
assert requests[0].sapi() == v1["sapi"]["header_grant"] and requests[0].qlock == v1["qlock"]["header"]
assert GRANT.hex() == v1["grant"]["grant"] and SERVER == v1["gateway"]["did"]
assert by_mac[0].tbs.hex() == v1["sapi"]["response_tbs"]
