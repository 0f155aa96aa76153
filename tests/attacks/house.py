"""A whole instance of httpcgd whose keys the tests know, so that they can be any malicious party:
a gateway, a registry, an owner of a name, or whoever stole a TLS key."""
import base64
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scripts"))

from instance import free_port  # noqa: E402 (it lies there)
from rogue import Connection, Wallet  # noqa: E402
from forms import H, LIST, TUP, cbor, u  # noqa: E402
import hybrid  # noqa: E402
from liar import Liar  # noqa: E402
from hybrid import body_protected, hsig, issue  # noqa: E402

BUILD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build/dev")
DAEMON = os.path.join(BUILD, "httpcgd/httpcgd")
ORIGIN = "ledger.test/log"
SECRET = "0f" * 32
DAY = 86400


def b64(raw):
    return base64.b64encode(raw).decode()


def vkey(name, kind, key):
    id = H(name.encode() + b"\n" + kind + key)[:4]
    return "%s+%s+%s" % (name, id.hex(), b64(kind + key))


class Log:
    """What is public of a log: enough to make anchors and a trust file."""

    def __init__(self, key, origin=ORIGIN):
        self.key, self.origin = key, origin
        self.id = H(TUP("httpcg-log-id/v1", origin, key.ed, H(key.ml)))[:8]

    def anchor(self, kind, body):
        return "bpi1:%s:%s" % (self.id.hex(), H(TUP("httpcg-anchor/v1", kind, body)).hex())

    def vkeys(self):
        ml = b"\xffhttpcg/ml-dsa-87/v1"
        return vkey(self.origin, b"\x01", self.key.ed), vkey(self.origin, ml, self.key.ml)


def certificate(log, owner, transport, spki, names, **changes):
    """A TLSLS payload whose anchor fits it."""
    now = int(time.time())
    fields = {"v": 1, "role": "gateway", "subject_did": owner.did, "issuer_did": owner.did,
              "public_key_ed25519": transport.ed, "public_key_dilithium": transport.ml, "policy_hash": "",
              "bpi_anchor": "", "issued_at": now - 60, "expires_at": now + 30 * DAY, "spki": spki, "names": names,
              "serial": os.urandom(16), **changes}
    return cbor({**fields, "bpi_anchor": log.anchor("tlsls", cbor(fields))})


def fingerprint_of(payload):
    return H(TUP("httpcg-tlsls-fpr/v1", body_protected("tlsls"), payload))


def profile(owner, rules, name="web", version=1, roles=()):
    return cbor({"v": 1, "kind": "rbac", "name": name, "owner": owner.did, "version": version, "default": "deny",
                 "roles": list(roles), "rules": rules})


def rule(path, methods=("GET", "HEAD", "POST", "PUT", "DELETE"), roles=("any-wallet",), sapi="grant", **more):
    return {"path": path, "methods": list(methods), "roles": list(roles), "sapi": sapi, **more}


def date(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def record(log, owner, name, gateway_dids, gateways, **changes):
    """A record without signatures, its anchor and R(anchor, osig)."""
    now = int(time.time())
    fields = {"httpcg_host": name, "target_host": name, "target_port": 443, "rp_did": owner.did,
              "tlsls_required": True, "rbac_profile": "web", "bpi_anchor": "", "expires_at": now + 7 * DAY,
              "plane": "app", "serial": 1, "issued_at": now - 5, "ttl": 300, "gateway_dids": gateway_dids,
              "gateways": gateways, "target_auth": "webpki", **changes}
    r = fields

    def signed(anchor, osig):
        return TUP("httpcg-registry-record/v1", r["httpcg_host"], r["target_host"], u(16, r["target_port"]),
                   r["rp_did"], u(8, r["tlsls_required"]), r["rbac_profile"], anchor, u(64, r["expires_at"]),
                   r["plane"], u(64, r["serial"]), u(64, r["issued_at"]), u(32, r["ttl"]), LIST(*r["gateway_dids"]),
                   LIST(*r["gateways"]), r["target_auth"], osig)

    fields["bpi_anchor"] = log.anchor("registry", signed("", ""))
    return fields, signed


def record_json(fields):
    return {**fields, "issued_at": date(fields["issued_at"]), "expires_at": date(fields["expires_at"])}


def sign_record(owner, fields, signed):
    """With the owner's signature."""
    return {**record_json(fields), "owner_signature": hsig(owner.key, "registry-owner", signed(fields["bpi_anchor"], "")).hex()}


def confirm_record(registry, fields, signed, json_record):
    """With the registry's, too."""
    osig = bytes.fromhex(json_record["owner_signature"])
    return {**json_record,
            "signature": hsig(registry.key, "registry-operator", signed(fields["bpi_anchor"], H(osig))).hex()}


class House:
    """httpcgd with all roles, one published name, and the files it was made from."""

    name = "gw.test"

    def __init__(self, backend_port, site="shop.test", rules=None, config="", liars=False):
        """liars: the gateway asks registry and ledger through these two, and believes them nothing."""
        self.folder = tempfile.mkdtemp(prefix="httpcg-attacks-")
        self.site, self.backend_port, self.more_config = site, backend_port, config
        self.native_port, self.services_port = free_port(), free_port()
        self.address = ("127.0.0.1", self.native_port)
        self.registry, self.gateway, self.owner = Wallet(), Wallet(), Wallet()
        self.transport = hybrid.Key(os.urandom(32))
        self.log = Log(hybrid.Key(os.urandom(32)))
        self.rules = rules or [rule("/public/**", roles=["anonymous"], sapi="none"),
                               rule("/vault/**", sapi="hybrid"), rule("/**")]
        self.process, self.liars = None, []
        if liars:
            self.liars = [Liar(self.services_port), Liar(self.services_port)]
            self.false_registry, self.false_ledger = self.liars
        try:
            self._write_files()
            self.start()
            self._publish()
            self.wait_until_serving()
        except BaseException:
            self.close()
            raise

    # --- files ---

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, content):
        with open(os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)

    def key_file(self, seed, role, hint=""):
        salt, nonce = os.urandom(16), os.urandom(12)
        outer = {"v": 1, "kdf": "argon2id", "m": 64, "t": 1, "p": 1, "salt": salt, "aead": "A256GCM", "nonce": nonce,
                 "role": role, "hint": hint}
        key = hybrid.ask("argon2id", 64, 1, 1, b"secret", salt)
        plain = cbor({"seed": seed, "role": role, "created": int(time.time())})
        return cbor({**outer, "ct": hybrid.ask("aes256gcm", key, nonce, cbor(outer), plain)})

    def make_tls(self):
        """A key for TLS and a certificate of its own, in place of those that are there."""
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", self.path("tls.key"), "-out", self.path("tls.pem"), "-days", "30",
                        "-subj", "/CN=" + self.name, "-addext", "subjectAltName=DNS:" + self.name],
                       check=True, capture_output=True)
        os.chmod(self.path("tls.key"), 0o600)
        der = subprocess.run(["openssl", "pkey", "-in", self.path("tls.key"), "-pubout", "-outform", "DER"],
                             check=True, capture_output=True).stdout
        self.spki = H(der)

    def _write_files(self):
        self.make_tls()
        self.write("pass", "secret")
        self.write("log.hck", self.key_file(self.log.key.seed, "log"))
        self.write("registry.hck", self.key_file(self.registry.key.seed, "registry", self.registry.address))
        self.write("transport.hck", self.key_file(self.transport.seed, "transport"))
        self.write("registry.wallet", self.registry.doc)
        policy = cbor({"v": 1, "kind": "gateway", "name": "gateway", "owner": self.gateway.did, "version": 1,
                       "sapi_min": "grant"})
        self.policy_hash = H(TUP("httpcg-policy/v1", policy)).hex()
        self.policy_document = issue(self.gateway.key, "policy", policy)
        self.write("gateway.policy", self.policy_document)
        self.set_certificate(certificate(self.log, self.gateway, self.transport, [self.spki], [self.name],
                                         policy_hash=self.policy_hash))
        self.write("trust.conf", self.trust())
        os.makedirs(self.path("routes.d"), exist_ok=True)
        self.route(self.site, self.backend_port)
        self.write("httpcgd.yaml", self.config(*(liar.url for liar in self.liars)))

    def set_certificate(self, payload, write=True):
        self.certificate = payload
        self.fingerprint = fingerprint_of(payload)
        self.document = issue(self.gateway.key, "tlsls", payload, {"wallet_doc": self.gateway.doc})
        if write:
            self.write("gateway.tlsls", self.document)

    def revocation(self, fingerprint):
        """The statement that ends a certificate of this gateway's."""
        statement = cbor({"v": 1, "did": self.gateway.did, "fingerprint": fingerprint, "time": int(time.time())})
        return issue(self.gateway.key, "revoke", statement, {"wallet_doc": self.gateway.doc})

    def services(self):
        return "http://127.0.0.1:%d" % self.services_port

    def trust(self, registry_url=None, ledger_url=None, more=""):
        ed, ml = self.log.vkeys()
        return "log %s %s\nlog %s\nregistry %s %s\nquorum none\n%s" % (
            ed, ledger_url or self.services(), ml, self.registry.did, registry_url or self.services(), more)

    def route(self, site, port, secret=SECRET):
        self.write("routes.d/%s.yaml" % site, "name: app/%s\nbackend: http://127.0.0.1:%d\nsecret: %s\n"
                   % (site, port, secret))

    def config(self, registry="local:registry", ledger="local:ledger"):
        return """\
state: state
trust: trust.conf
threads: {loops: 1, crypto: 1}
listen: {native: ["127.0.0.1:%d"], services: ["127.0.0.1:%d"]}
admin: {listen: off, socket: admin.sock}
log: {level: debug, file: daemon.log, access: access.log}
ledger: {origin: "%s", key: log.hck, passphrase: pass, registries: ["%s"], publish_interval: 20ms, heartbeat: 1s}
registry: {key: registry.hck, passphrase: pass, wallet_doc: registry.wallet, suffixes: [".test"], suffix_rule: first}
gateway:
  names: [%s]
  certificate: gateway.tlsls
  key: transport.hck
  passphrase: pass
  tls_certificate: tls.pem
  tls_key: tls.key
  policy: gateway.policy
  registry: ["%s"]
  ledger: "%s"
  limits: {grants: 100000, strangers: 100000}
  timeouts: {lookup: 2s}
%s""" % (self.native_port, self.services_port, self.log.origin, self.registry.did, self.name, registry, ledger,
         self.more_config)

    # --- the process ---

    def start(self):
        os.makedirs(self.path("state"), mode=0o700, exist_ok=True)
        self.errors = open(self.path("errors"), "ab")
        self.process = subprocess.Popen([DAEMON, "--config", self.path("httpcgd.yaml")], stdout=self.errors,
                                        stderr=self.errors, cwd=self.folder)
        self._wait("the services listener", lambda: self.ask("GET", "/checkpoint")[0] in (200, 404, 503))

    def kill(self):
        """As a crash would."""
        self.process.kill()
        self.process.wait()
        self.errors.close()

    def stop(self):
        """As a service manager would; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        finally:
            self.kill()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """It ends well by itself: what a sanitizer found comes out here at the latest."""
        try:
            code = self.stop()
            words = self.words()
        finally:
            self.close()
        assert code == 0, words

    def has_ended(self, seconds):
        try:
            self.process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False

    def restart(self):
        self.start()
        self.wait_until_serving()

    def events(self, event):
        """Lines of the log."""
        with open(self.path("daemon.log")) as file:
            return [line for line in map(json.loads, file.readlines()) if line["event"] == event]

    def reload(self):
        """Comes back when the configuration is read anew."""
        before = len(self.events("config_loaded"))
        self.process.send_signal(signal.SIGHUP)
        self._wait("a reload", lambda: len(self.events("config_loaded")) > before)

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()
        for liar in self.liars:
            liar.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def words(self):
        """What it said, for a failure's message."""
        out = ""
        for name in ("daemon.log", "errors"):
            if os.path.exists(self.path(name)):
                with open(self.path(name), errors="replace") as file:
                    out += file.read()[-6000:]
        return out

    def _wait(self, what, condition, seconds=20):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise RuntimeError("httpcgd ended: " + self.words())
            try:
                if condition():
                    return
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.02)
        raise RuntimeError("waited in vain for %s: %s" % (what, self.words()))

    # --- ledger and registry, as anybody may use them ---

    def ask(self, method, path, body=None, type="application/json"):
        connection = http.client.HTTPConnection("127.0.0.1", self.services_port, timeout=20)
        try:
            connection.request(method, path, body, {"Content-Type": type} if body is not None else {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def submit(self, wire, type="application/cbor"):
        status, body = self.ask("POST", "/submit", wire, type)
        assert status == 200, (status, body)
        return body

    def register(self, owner, fields, signed):
        """The registry's answer to a record that its owner signed."""
        body = json.dumps({"plane": fields["plane"], "authority": fields["httpcg_host"], "rp_did": owner.did})
        status, answer = self.ask("POST", "/challenge", body)
        assert status == 200, (status, answer)
        body = {"record": record_json(fields), "token": json.loads(answer)["token"],
                "owner_signature": sign_record(owner, fields, signed)["owner_signature"],
                "proof": {"type": "operator"}, "wallet_doc": b64(owner.doc)}
        return self.ask("POST", "/register", json.dumps(body))

    def publish(self, site, owner=None, **changes):
        """A name of this gateway's, registered and logged."""
        owner = owner or self.owner
        changes.setdefault("gateway_dids", [self.gateway.did])
        fields, signed = record(self.log, owner, site, changes.pop("gateway_dids"),
                                [self.name + ":" + str(self.native_port)], **changes)
        status, answer = self.register(owner, fields, signed)
        until = time.monotonic() + 10
        while status == 503 and time.monotonic() < until:  # the registry has its own DID logged first
            time.sleep(0.05)
            status, answer = self.register(owner, fields, signed)
        assert status == 200, (status, answer)
        return json.loads(answer)

    def forge(self, site, owner=None, registry=None, operator=None, log=True, **changes):
        """The answer about a name by a registry that confirms anything. registry signs, operator is
        whose DID stands there; without log nothing of it is in the ledger."""
        owner, registry = owner or self.owner, registry or self.registry
        operator = operator or registry
        changes.setdefault("gateway_dids", [self.gateway.did])
        fields, signed = record(self.log, owner, site, changes.pop("gateway_dids"),
                                changes.pop("gateways", [self.name + ":" + str(self.native_port)]), **changes)
        both = confirm_record(registry, fields, signed, sign_record(owner, fields, signed))
        if log:
            self.submit(cbor([signed(fields["bpi_anchor"], ""), bytes.fromhex(both["owner_signature"]),
                              bytes.fromhex(both["signature"])]))
        status, staple = self.ask("GET", "/staple?name=app/" + site)
        assert status == 200, (status, staple)
        return {"record": both, "staple": b64(staple), "wallet_doc": b64(owner.doc), "operator_did": operator.did,
                "operator_doc": b64(operator.doc)}

    def _publish(self):
        self.submit(self.document)
        self.submit(self.policy_document)
        self.submit(issue(self.owner.key, "policy", profile(self.owner, self.rules), {"wallet_doc": self.owner.doc}))
        self.answer = self.publish(self.site)

    def wait_until_serving(self, wallet=None):
        wallet = wallet or Wallet()

        def serves():
            try:
                with Connection(self) as connection:
                    answer = connection.grant(wallet).sign("GET", self.site + "/").send()
                    return answer.status == 200
            except (AssertionError, RuntimeError):
                return False
            except Exception as problem:  # a handshake that the gateway is not ready for
                if type(problem).__name__ != "Refused":
                    raise
                return False

        self._wait("the gateway", serves)
