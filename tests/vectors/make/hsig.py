#!/usr/bin/env python3
"""Makes tests/vectors/hsig.json: hybrid signatures, their batch form, and keys that are refused."""
from forms import H, TUP, cbor, u, write
from hybrid import Key, hsig, hsig_text, run

DOMS = ["inbox", "grant", "sapi-request", "sapi-response", "channel-proof", "registry-owner", "registry-operator", "nsig"]
key, other = Key(run(0)), Key(run(0x20))
P = 2**255 - 19


def message(i):
    return b"message %d" % i


def single(dom, text):
    return {"dom": dom, "message": text.hex(), "text": hsig_text(dom, text).hex(),
            "context": ("HSIG1:" + dom).encode().hex(), "signature": hsig(key, dom, text).hex()}


def negative(why, signature, dom="grant", text=b"message"):
    return {"why": why, "dom": dom, "message": text.hex(), "signature": signature.hex(), "error": "SIGNATURE"}


def flipped(b, i):
    return b[:i] + bytes([b[i] ^ 1]) + b[i + 1:]


def negatives():
    good, second = hsig(key, "grant", b"message"), hsig(key, "grant", b"another")
    yield negative("of another message", second)
    yield negative("of another domain", hsig(key, "nsig", b"message"))
    yield negative("of another key", hsig(other, "grant", b"message"))
    yield negative("the ML-DSA half of another message", good[:64] + second[64:])
    yield negative("the Ed25519 half of another message", second[:64] + good[64:])
    yield negative("the ML-DSA half of another key", good[:64] + hsig(other, "grant", b"message")[64:])
    yield negative("an ML-DSA half without context", good[:64] + key.sign_ml(hsig_text("grant", b"message")))
    yield negative("halves over the message itself", key.sign_ed(b"message") + key.sign_ml(b"message", b"HSIG1:grant"))
    yield negative("Ed25519 alone", good[:64])
    yield negative("ML-DSA alone", good[64:])
    yield negative("the halves swapped", good[64:] + good[:64])
    yield negative("a byte more", good + b"\0")
    yield negative("a byte less", good[:-1])
    yield negative("nothing", b"")
    for i in (0, 63, 64, 4690):
        yield negative("bit 0 of byte %d changed" % i, flipped(good, i))


def leaf(m):
    return H(b"\0", m)


def MTH(leaves):
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    return H(b"\1", MTH(leaves[:k]), MTH(leaves[k:]))


def path(m, leaves):
    if len(leaves) == 1:
        return []
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    return path(m, leaves[:k]) + [MTH(leaves[k:])] if m < k else path(m - k, leaves[k:]) + [MTH(leaves[:k])]


def batch(count, indexes):
    leaves = [leaf(message(i)) for i in range(count)]
    text = TUP("httpcg-batch/v1", MTH(leaves), u(16, count))
    sig = hsig(key, "sapi-response", text)
    return {"count": str(count), "root": MTH(leaves).hex(), "signed": text.hex(), "signature": sig.hex(),
            "proofs": [{"index": str(i), "leaf": leaves[i].hex(), "path": [h.hex() for h in path(i, leaves)],
                        "wire_sha256": H(cbor([sig, i, count, path(i, leaves)])).hex()} for i in indexes]}


def batch_negatives():
    """The signature of a batch of five, and what stands behind it on the wire for message 2."""
    leaves = [leaf(message(i)) for i in range(5)]
    sig = hsig(key, "sapi-response", TUP("httpcg-batch/v1", MTH(leaves), u(16, 5)))
    p = path(2, leaves)
    cases = [
        ("good", [2, 5, p], "OK"), ("another index", [3, 5, p], "SIGNATURE"),
        ("the last index", [4, 5, p], "PROOF"), ("an index that is the count", [5, 5, p], "PROOF"),
        ("another count of the same shape", [2, 6, p], "SIGNATURE"), ("another count", [2, 4, p], "PROOF"),
        ("count 0", [0, 0, []], "PROOF"), ("count 257", [2, 257, p], "PROOF"),
        ("a hash too few", [2, 5, p[:2]], "PROOF"), ("a hash too many", [2, 5, p + [p[0]]], "PROOF"),
        ("no path", [2, 5, []], "PROOF"), ("hashes swapped", [2, 5, [p[1], p[0], p[2]]], "SIGNATURE"),
        ("another hash", [2, 5, [p[0], p[1], flipped(p[2], 31)]], "SIGNATURE"),
        ("a hash of 31 bytes", [2, 5, [p[0], p[1], p[2][:31]]], "SCHEMA"), ("nine hashes", [2, 5, p * 3], "SCHEMA"),
        ("text for the index", ["2", 5, p], "SCHEMA"), ("a fifth member", [2, 5, p, 0], "SCHEMA")]
    return {"signature": sig.hex(), "message": message(2).hex(),
            "cases": [{"why": why, "head": cbor([0] * (1 + len(rest)))[:1].hex(),
                       "tail": b"".join(map(cbor, rest)).hex(), "error": error} for why, rest, error in cases]}


def bad_keys():
    small = [0, 1, P - 1, P, P + 1,
             int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
             int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little")]
    for y in small + [P + 2, P + 18]:
        for sign in (0, 1):
            yield (y | sign << 255).to_bytes(32, "little").hex()


write("hsig", {
    "note": "HSIG and HSIG-B, ML-DSA deterministic; keys from the wallet seed. Message i of a batch is the text "
            "'message <i>'. A batch proof is CBOR [signature, index, count, path]; bad ones are head, signature as "
            "a byte string, tail. Made by make/hsig.py.",
    "seed": key.seed.hex(), "ed25519": key.ed.hex(), "mldsa87": key.ml.hex(),
    "other_seed": other.seed.hex(),
    "good": [single(dom, b"message") for dom in DOMS] + [single("grant", b""), single("grant", bytes(1000))],
    "bad": list(negatives()),
    "batch": [batch(1, [0]), batch(2, [0, 1]), batch(3, [0, 1, 2]), batch(7, range(7)),
              batch(256, [0, 1, 127, 128, 254, 255])],
    "batch_bad": batch_negatives(),
    "ed25519_bad_keys": list(bad_keys()),
})
