"""HKDF, wallets and the hybrid signature, plainly, for the makers of vectors beside this file."""
import base64
import hashlib
import hmac

import ed25519
import mldsa87
from forms import H, TUP, cbor, u


def MAC(key, message):
    return hmac.new(key, message, "sha256").digest()


def extract(salt, ikm):
    return MAC(salt.encode(), ikm)


def expand(prk, info, n=32):
    assert n <= 32
    return MAC(prk, info + b"\1")[:n]


def seed(first):
    return bytes(range(first, first + 32))


class Hybrid:
    """The keys of one generation."""

    def __init__(self, s):
        prk = extract("httpcg-wallet/v1", s)
        self.ed_seed = expand(prk, TUP("ed25519"))
        self.ed = ed25519.public(self.ed_seed)
        self.ml_key = mldsa87.Key(expand(prk, TUP("ml-dsa-87")))
        self.ml = self.ml_key.public

    def hsig(self, dom, message):
        dom = dom.encode()
        t = (b"HTTPCG-HSIG-v1:Ed25519+ML-DSA-87" + bytes([len(dom)]) + dom
             + hashlib.sha512(message).digest())
        return ed25519.sign(self.ed_seed, t) + self.ml_key.sign(t, b"HSIG1:" + dom)

    def batch(self, dom, messages):
        """HSIG-B: the wire form for each message."""
        leaves = [H(b"\0", m) for m in messages]
        sig = self.hsig(dom, TUP("httpcg-batch/v1", root(leaves), u(16, len(leaves))))
        return [cbor([sig, i, len(leaves), path(i, leaves)]) for i in range(len(leaves))]


def split(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def root(d):
    return d[0] if len(d) == 1 else H(b"\1", root(d[:split(len(d))]), root(d[split(len(d)):]))


def path(m, d):
    if len(d) == 1:
        return []
    k = split(len(d))
    return path(m, d[:k]) + [root(d[k:])] if m < k else path(m - k, d[k:]) + [root(d[:k])]


def next_hash(keys):
    return H(TUP("httpcg-next/v1", keys.ed, H(keys.ml)))


def waddr(keys, following):
    """following: next_hash of the next generation, or 32 zero bytes."""
    h = H(TUP("httpcg-waddr/v1", keys.ed, H(keys.ml), following))
    check = H(TUP("httpcg-waddr-chk/v1", h, u(8, 1)))[:2]
    return base64.b32encode(h + check + b"\1").decode().lower()
