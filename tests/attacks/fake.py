"""A gateway of the tests' own, for clients: honest unless told otherwise, and whatever lies between a
client and a gateway."""
import base64
import hmac
import json
import os
import socket
import subprocess
import threading
import time

from forms import H, TUP, cbor, u
from hybrid import hsig, issue
from house import certificate, fingerprint_of
from rogue import MODES, Channel, expand, fields_digest, mac_key, reply_tbs, uncbor
from wire import Refused, Wire


def batch(key, dom, message):
    """HSIG-B of one message."""
    return cbor([hsig(key, dom, TUP("httpcg-batch/v1", H(b"\0" + message), u(16, 1))), 0, 1, []])


class Listener:
    """Takes connections and gives each to serve() in a thread of its own."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.trouble, self.wires = [], []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            self.serve(client)
        except Refused:
            pass
        except Exception as trouble:  # a test that expects no trouble looks here
            self.trouble.append(trouble)

    def close(self):
        self.listener.close()
        for wire in self.wires:
            wire.close()


class Fake(Listener):
    """Speaks for a gateway of the house, with a TLS key of its own. Every step is a method, to be
    replaced by a test:

        payload            the certificate it shows; announced is the one in the handshake
        tls                options of the handshake that differ
        tell_certificate   the body of /.well-known/httpcg/tlsls
        tell_grant         the body of the answer to a grant
        tell               (status, fields, body) to be signed, then change(fields, body) as they are sent"""

    def __init__(self, house, payload=None, tls_key=None, tls_chain=None, **changes):
        self.house = house
        self.identity, self.transport = house.gateway, house.transport
        self.key, self.chain = tls_key or house.path("fake.key"), tls_chain or house.path("fake.pem")
        if not os.path.exists(self.key):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                            "-keyout", self.key, "-out", self.chain, "-days", "30", "-subj", "/CN=" + house.name],
                           check=True, capture_output=True)
        der = subprocess.run(["openssl", "pkey", "-in", self.key, "-pubout", "-outform", "DER"], check=True,
                             capture_output=True).stdout
        self.spki = H(der)
        names = changes.pop("names", [house.name])
        changes.setdefault("policy_hash", house.policy_hash)
        spki = changes.pop("spki", self.spki)
        self.payload = payload or certificate(house.log, self.identity, self.transport, [spki], names, **changes)
        self.announced, self.tls = self.payload, {}
        self.asked, self.granted = [], 0
        super().__init__()

    # --- the certificate ---

    def log(self):
        """Has the certificate logged, as an honest one is."""
        self.house.submit(issue(self.identity.key, "tlsls", self.payload, {"wallet_doc": self.identity.doc}))
        return self

    def staple(self):
        status, staple = self.house.ask("GET", "/staple?fpr=" + fingerprint_of(self.payload).hex())
        assert status == 200, (status, staple)
        return staple

    def unprotected(self):
        return {"wallet_doc": self.identity.doc, "staple": self.staple()}

    def tell_certificate(self):
        return issue(self.identity.key, "tlsls", self.payload, self.unprotected())

    def reference(self):
        fields = uncbor(self.announced)
        return cbor({"v": 1, "certificate_id": fingerprint_of(self.announced), "bpi_anchor": fields["bpi_anchor"],
                     "policy_hash": fields["policy_hash"], "issuer_did": fields["issuer_did"]})

    # --- a connection ---

    def serve(self, client):
        options = dict(chain=self.chain, key=self.key, alpn="http/1.1", reference=self.reference().hex())
        wire = Wire(client, **{**options, **self.tls})
        self.wires.append(wire)
        channel = Channel(bytes.fromhex(wire.facts["exporter"]), bytes.fromhex(wire.facts["spki"]),
                          fingerprint_of(self.announced))
        while (request := self.read(wire)) is not None:
            method, target, fields, body = request
            self.asked.append((method, target))
            if target.startswith("/.well-known/httpcg/tlsls"):
                self.say(wire, 200, [("content-type", "application/tlsls+cose")], self.tell_certificate())
            elif target.startswith("/.well-known/httpcg/policy/"):
                self.say(wire, 200, [("content-type", "application/policy+cose")], self.house.policy_document)
            elif target == "/.well-known/httpcg/grant":
                self.grant(channel, wire, body)
            else:
                self.answer(channel, wire, *request)

    @staticmethod
    def read(wire):
        head = wire.take(lambda held: held.find(b"\r\n\r\n") + 4 if b"\r\n\r\n" in held else None, 20)
        if head is None:
            return None
        first, *lines = head[:-4].decode("latin-1").split("\r\n")
        fields = [(k.lower(), v.strip()) for k, _, v in (line.partition(":") for line in lines)]
        length = int(dict(fields).get("content-length", 0))
        body = wire.take(lambda held: length if len(held) >= length else None, 20)
        method, target, _ = first.split(" ")
        return method, target, fields, body

    @staticmethod
    def say(wire, status, fields, body):
        lines = ["HTTP/1.1 %d Whatever" % status] + ["%s: %s" % pair for pair in fields]
        if not any(k == "content-length" for k, _ in fields):
            lines.append("Content-Length: %d" % len(body))
        wire.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    # --- the grant ---

    def terms(self, grant_hash):
        return {"v": 1, "grant_hash": grant_hash, "server_did": self.identity.did, "server_time": int(time.time()),
                "epochs": 10, "modes": ["grant", "ed25519"], "policy_hash": self.house.policy_hash, "h2_ping": True}

    def confirm(self, key, answer):
        return hmac.digest(expand(key, TUP("s2c confirm")), answer, "sha256")

    def proof(self, channel, grant_hash, answer):
        return batch(self.transport, "channel-proof",
                     TUP("httpcg-channel-proof/v1", channel.cb, grant_hash, H(answer)))

    def grant(self, channel, wire, body):
        wire_grant = uncbor(body)[0]
        grant_hash = H(TUP("httpcg-grant-hash/v1", wire_grant))
        self.granted += 1
        self.key_of_grant = channel.sibling("httpcg-grant/v1", grant_hash)
        answer = cbor(self.terms(grant_hash))
        whole = cbor([answer, self.confirm(self.key_of_grant, answer), self.proof(channel, grant_hash, answer)])
        self.say(wire, 200, [("content-type", "application/httpcg-grant+cbor")], whole)

    # --- a request ---

    def request_tbs(self, channel, method, target, fields, body):
        values = dict(fields)
        sapi, qlock = json.loads(values["sapi"]), json.loads(values["qlock"])
        plane, _, rest = target[len("httpcg://"):].partition("/")
        path, mark, query = rest.partition("?")
        authority, _, path = path.partition("/")
        digest = values.get("content-digest")
        tbs = TUP("httpcg-sapi/v1", u(8, MODES[sapi["alg"]]), sapi["wallet_address"], u(64, sapi["timestamp"]),
                  bytes.fromhex(sapi["nonce"]), channel.session_id, u(64, qlock["minute_epoch"]),
                  bytes.fromhex(qlock["qlock_hash"]), channel.fingerprint, method, plane, authority, "/" + path,
                  mark + query, u(8, 1 if digest else 0), H(body) if digest else b"",
                  fields_digest([(k, v) for k, v in fields]))
        return tbs, sapi, qlock["minute_epoch"]

    def tell(self):
        return 200, [("content-type", "text/plain"), ("etag", '"1"')], b"the honest answer"

    def change(self, status, fields, body):
        return status, fields, body

    def answer(self, channel, wire, method, target, fields, body):
        request, sapi, epoch = self.request_tbs(channel, method, target, fields, body)
        status, fields, body = self.tell()
        now = int(time.time())
        tbs = reply_tbs("grant", request, now, status, 1, body, fields)
        signature = hmac.digest(mac_key(self.key_of_grant, "s2c", epoch), tbs, "sha256")
        fields = fields + [
            ("content-digest", "sha-256=:%s:" % base64.b64encode(H(body)).decode()),
            ("sapi-response", '{"alg":"grant","timestamp":%d,"nonce":"%s","signature":"%s"}'
             % (now, sapi["nonce"], signature.hex()))]
        self.say(wire, *self.change(status, fields, body))


class Between(Listener):
    """Holds the gateway's TLS key, which a quantum computer or a thief may have, and passes every byte on."""

    def __init__(self, house, alpn="h2"):
        self.house, self.alpn, self.passed = house, alpn, 0
        super().__init__()

    def serve(self, client):
        house = self.house
        fields = uncbor(house.certificate)
        reference = cbor({"v": 1, "certificate_id": house.fingerprint, "bpi_anchor": fields["bpi_anchor"],
                          "policy_hash": fields["policy_hash"], "issuer_did": fields["issuer_did"]})
        victim = Wire(client, chain=house.path("tls.pem"), key=house.path("tls.key"), alpn=self.alpn,
                      reference=reference.hex())
        gateway = Wire(house.address, name=house.name, alpn=self.alpn)
        self.wires += [victim, gateway]
        threading.Thread(target=self.carry, args=(gateway, victim), daemon=True).start()
        self.carry(victim, gateway)

    def carry(self, source, target):
        while (piece := source.take(lambda held: len(held) or None, 30)) is not None:
            self.passed += len(piece)
            target.send(piece)
