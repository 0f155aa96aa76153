#!/usr/bin/env python3
"""Makes tests/vectors/ed25519.json: signatures and keys at the edges of Ed25519, where implementations
disagree.  Each is judged here by the equation itself, without the cofactor (RFC 8032, 5.1.7)."""
import hashlib

from ed25519 import B, D, L, P, add, compress, expand, mul, public, sign
from forms import write

IDENTITY = (0, 1, 1, 0)
SEED = bytes(range(0x50, 0x70))
KEY = public(SEED)
SECRET, PREFIX = expand(SEED)
M = b"message"


def number(b):
    return int.from_bytes(b, "little")


def wire(n):
    return n.to_bytes(32, "little")


def negative(p):
    x, y, z, t = p
    return -x % P, y, z, -t % P


def decompress(b):
    """RFC 8032, 5.1.3, but for a y of p or more and for a zero x with its sign set, which are taken
    for what they stand for: so that they are seen to be refused for their spelling alone."""
    y, odd = number(b) & (1 << 255) - 1, b[31] >> 7
    y %= P
    xx = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if x * x % P != xx:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != xx:
        return None
    x = P - x if x & 1 != odd and x else x
    return x, y, 1, x * y % P


def challenge(R, key, message):
    return number(hashlib.sha512(R + key + message).digest()) % L


def is_canonical(b):
    point = decompress(b)
    return point is not None and compress(point) == b


def same(p, q):
    return compress(p) == compress(q)


def holds(key, message, sig, cofactor=1):
    """[cofactor][S]B == [cofactor]R + [cofactor][k]A, whatever the spellings; None where there is no point."""
    A, R = decompress(key), decompress(sig[:32])
    if A is None or R is None:
        return None
    k, S = challenge(sig[:32], key, message), number(sig[32:64])
    return same(mul(cofactor, mul(S, B)), mul(cofactor, add(R, mul(k, A))))


def verdict(key, message, sig):
    y = number(key) & (1 << 255) - 1
    if y >= P or (decompress(key) and same(mul(8, decompress(key)), IDENTITY)):
        return "KEY"
    if len(sig) != 64 or number(sig[32:]) >= L or not is_canonical(sig[:32]) or not holds(key, message, sig):
        return "SIGNATURE"
    return "OK"


def torsion():
    """A point of order 8."""
    for y in range(2, 100):
        point = decompress(wire(y))
        if point:
            t = mul(L, point)
            if not same(mul(4, t), IDENTITY):
                return t
    raise ValueError


T8 = torsion()
SMALL = [mul(i, T8) for i in range(8)]
MIXED = compress(add(mul(SECRET, B), T8))  # not of small order, and none of the group's own


def signed(R, key=KEY, message=M):
    """The signature with a given spelling of R = [r]B + a small point; r is 7 here, or 0."""
    r = 0 if same(mul(8, decompress(R)), IDENTITY) else 7
    return R + wire((r + challenge(R, key, message) * SECRET) % L)


def message_where(key, R, fits):
    """A message whose challenge under key and R has a property."""
    for i in range(10000):
        message = b"message %d" % i
        if fits(challenge(R, key, message)):
            return message
    raise ValueError


GOOD = sign(SEED, M)
SEVEN = compress(mul(7, B))
# k mod 8 decides what a key with a small part in it adds.
EVEN = message_where(MIXED, SEVEN, lambda k: k % 8 == 0)
ODD = message_where(MIXED, SEVEN, lambda k: k % 8 == 1)


def flip(b, bit):
    return b[:bit // 8] + bytes([b[bit // 8] ^ 1 << bit % 8]) + b[bit // 8 + 1:]


def second_spellings():
    """Of R: y of p or more, and x of zero with its sign set."""
    yield "R is the identity, spelt p + 1", wire(P + 1)
    yield "R is the identity, with the sign of x set", wire(1 | 1 << 255)
    yield "R is the identity, spelt p + 1, with the sign of x set", wire(P + 1 | 1 << 255)
    yield "R is of order 2, with the sign of x set", wire(P - 1 | 1 << 255)
    yield "R is of order 4, spelt p", wire(P)
    yield "R is of order 4, spelt p, with the sign of x set", wire(P | 1 << 255)


def cases():
    yield "good", KEY, M, GOOD, 1
    yield "good, of no bytes", KEY, b"", sign(SEED, b""), 1
    for n in range(1, 16):
        yield "S + %dL" % n, KEY, M, GOOD[:32] + wire(number(GOOD[32:]) + n * L), 1
    yield "S of all ones", KEY, M, GOOD[:32] + b"\xff" * 32, None
    yield "S is L", KEY, M, GOOD[:32] + wire(L), None
    yield "S is L - 1", KEY, M, GOOD[:32] + wire(L - 1), None
    yield "S is zero", KEY, M, GOOD[:32] + bytes(32), None
    for bit in (0, 255, 256, 508, 511):
        yield "bit %d changed" % bit, KEY, M, flip(GOOD, bit), None
    yield "all zero", KEY, M, bytes(64), None
    yield "all ones", KEY, M, b"\xff" * 64, None
    yield "the halves swapped", KEY, M, GOOD[32:] + GOOD[:32], None
    yield "a byte less", KEY, M, GOOD[:63], None
    yield "a byte more", KEY, M, GOOD + b"\0", None
    yield "nothing", KEY, M, b"", None
    yield "R alone", KEY, M, GOOD[:32], None
    yield "of another message", KEY, b"massage", GOOD, None
    yield "R is no point", KEY, M, wire(2) + GOOD[32:], None
    yield "R negated", KEY, M, flip(GOOD, 255), None
    yield "S negated", KEY, M, GOOD[:32] + wire(L - number(GOOD[32:])), None
    # RFC 8032, 5.1: Ed25519ph and Ed25519ctx put these bytes before what they hash.
    dom2 = b"SigEd25519 no Ed25519 collisions"
    yield "of Ed25519ph's prefix", KEY, M, sign(SEED, dom2 + b"\1\0" + hashlib.sha512(M).digest()), None
    yield "of Ed25519ctx's prefix", KEY, M, sign(SEED, dom2 + b"\0\3foo" + M), None

    # R of small order in its one spelling is a signature like any other.
    yield "R is the identity", KEY, M, signed(compress(IDENTITY)), 1
    for why, R in second_spellings():
        yield why, KEY, M, signed(R), (1 if same(decompress(R), IDENTITY) else 8)
    for i in range(1, 8):
        yield "R has a part of small order, %d times" % i, KEY, M, signed(compress(add(mul(7, B), SMALL[i]))), 8

    yield "a key with a small part, where it vanishes", MIXED, EVEN, signed(SEVEN, MIXED, EVEN), 1
    yield "a key with a small part, where it shows", MIXED, ODD, signed(SEVEN, MIXED, ODD), 8
    for i, point in enumerate(SMALL):
        key = compress(point)
        R = compress(IDENTITY)
        message = message_where(key, R, lambda k: k % 8 == 0)
        yield "a key of small order, %d times" % i, key, message, R + bytes(32), 1
    for extra in range(19):
        key = wire(P + extra)
        yield "a key of p + %d" % extra, key, M, GOOD, None
    yield "a key of all ones", b"\xff" * 32, M, GOOD, None
    yield "a key that is no point", wire(2), M, GOOD, None
    yield "a key that is no point, with the sign of x set", wire(2 | 1 << 255), M, GOOD, None
    yield "the key negated", flip(KEY, 255), M, GOOD, None


def checked():
    """cofactor tells with which one the bare equation holds; it is what a lax verifier would accept."""
    for why, key, message, sig, cofactor in cases():
        if cofactor:
            assert holds(key, message, sig, cofactor), why
            assert cofactor == 1 or not holds(key, message, sig), why
        elif len(sig) == 64:
            assert not holds(key, message, sig, 8), why
        yield {"why": why, "public": key.hex(), "message": message.hex(), "signature": sig.hex(),
               "equation": {1: "holds", 8: "holds with the cofactor", None: "does not hold"}[cofactor],
               "error": verdict(key, message, sig)}


write("ed25519", {
    "note": "Ed25519 at its edges. equation: whether [S]B = R + [k]A, or 8 times both, whatever the spellings; error "
            "is what a verifier of this protocol says, KEY where the key itself is refused. Made by make/edwards.py.",
    "seed": SEED.hex(),
    "cases": list(checked()),
})
