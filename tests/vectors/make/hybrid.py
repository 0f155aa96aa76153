"""Wallets, hybrid signatures and signed documents, for the makers of vectors: encodings are made
here, algorithms are asked of the program `vector-primitives` (in VECTOR_PRIMITIVES, or of build/dev)."""
import base64
import hmac
import os
import subprocess
import threading
from hashlib import sha512

from forms import H, TUP, cbor, u

_built = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../build/dev/tests/vector-primitives")
_tool = subprocess.Popen([os.environ.get("VECTOR_PRIMITIVES", _built)], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, text=True)
_turn = threading.Lock()  # tests ask from several threads


def ask(verb, *args):
    words = [a.hex() or "-" if isinstance(a, bytes) else str(a) for a in args]
    with _turn:
        _tool.stdin.write(" ".join([verb, *words]) + "\n")
        _tool.stdin.flush()
        return bytes.fromhex(_tool.stdout.readline())


def extract(salt, ikm):
    return hmac.digest(salt, ikm, "sha256")


def expand(prk, info):
    return hmac.digest(prk, info + b"\1", "sha256")


def run(first):
    """The 32 bytes that the vectors write as first, first + 1, ..."""
    return bytes((first + i) % 256 for i in range(32))


class Key:
    """A generation's hybrid key."""

    def __init__(self, seed):
        prk = extract(b"httpcg-wallet/v1", seed)
        self.seed = seed
        self.ed_seed, self.ml_seed = expand(prk, TUP("ed25519")), expand(prk, TUP("ml-dsa-87"))
        self.ed, self.ml = ask("ed25519-public", self.ed_seed), ask("mldsa87-public", self.ml_seed)

    def sign_ed(self, message):
        return ask("ed25519-sign", self.ed_seed, message)

    def sign_ml(self, message, context=b""):
        return ask("mldsa87-sign", self.ml_seed, context, message)

    def next_hash(self):
        return H(TUP("httpcg-next/v1", self.ed, H(self.ml)))

    def doc(self, next):
        return cbor({"v": 1, "ed25519": self.ed, "mldsa87": self.ml, "next": next})

    def waddr(self, next):
        h = H(TUP("httpcg-waddr/v1", self.ed, H(self.ml), next))
        check = H(TUP("httpcg-waddr-chk/v1", h, u(8, 1)))[:2]
        return base64.b32encode(h + check + b"\1").decode().lower()


def hsig_text(dom, message):
    return b"HTTPCG-HSIG-v1:Ed25519+ML-DSA-87" + u(8, len(dom)) + dom.encode() + sha512(message).digest()


def hsig(key, dom, message):
    text = hsig_text(dom, message)
    return key.sign_ed(text) + key.sign_ml(text, b"HSIG1:" + dom.encode())


SIGNERS = (b"\xa1\x01\x32", b"\xa1\x01\x38\x31")


def body_protected(type):
    return cbor({2: ["hsig"], 16: "application/%s+cose" % type, "hsig": [-19, -50]})


def sig_structure(type, payload, signer):
    return cbor(["Signature", body_protected(type), SIGNERS[signer], b"httpcg-%s/v1" % type.encode(), payload])


def cose_sigs(key, type, payload):
    return [key.sign_ed(sig_structure(type, payload, 0)), key.sign_ml(sig_structure(type, payload, 1))]


def cose(type, payload, sigs, unprotected={}):
    return b"\xd8\x62" + cbor([body_protected(type), unprotected, payload,
                               [[protected, {}, sig] for protected, sig in zip(SIGNERS, sigs)]])


def issue(key, type, payload, unprotected={}):
    return cose(type, payload, cose_sigs(key, type, payload), unprotected)


def difference(good, other):
    """The cut that makes the one of the other."""
    start = 0
    while start < min(len(good), len(other)) and good[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(good), len(other)) - start and good[-1 - end] == other[-1 - end]:
        end += 1
    return cut(good, start, len(good) - end - start, other[start:len(other) - end])


def cut(good, at, remove, insert):
    """A change to good bytes, as the vectors write it; bytes are counted from 0."""
    assert 0 <= at <= at + remove <= len(good)
    return {"at": str(at), "remove": str(remove), "insert": insert.hex()}
