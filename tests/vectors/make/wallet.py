#!/usr/bin/env python3
"""Makes tests/vectors/wallet.json: generations of keys, the addresses they make, and spellings of
addresses, DIDs and documents that are none."""
import base64

from forms import H, TUP, cbor, u, write
from keys import Hybrid, expand, extract, next_hash

NONE = bytes(32)


def packed(h, version=1, check=None):
    check = H(TUP("httpcg-waddr-chk/v1", h, u(8, version)))[:2] if check is None else check
    return base64.b32encode(h + check + bytes([version])).decode().lower()


def generation(why, S, R):
    """R: the next generation's seed, or None."""
    keys = Hybrid(S)
    prk = extract("httpcg-wallet/v1", S)
    next = next_hash(Hybrid(R)) if R else NONE
    h = H(TUP("httpcg-waddr/v1", keys.ed, H(keys.ml), next))
    doc = cbor({"v": 1, "ed25519": keys.ed, "mldsa87": keys.ml, "next": next})
    assert len(doc) == 2688 and len(packed(h)) == 56
    return {"why": why, "S": S.hex(), "R": R.hex() if R else "", "prk": prk.hex(),
            "ed25519_seed": expand(prk, TUP("ed25519")).hex(), "mldsa87_seed": expand(prk, TUP("ml-dsa-87")).hex(),
            "ed25519": keys.ed.hex(), "mldsa87_sha256": H(keys.ml).hex(), "next": next.hex(), "h": h.hex(),
            "waddr": packed(h), "doc_sha256": H(doc).hex()}, doc


def flip(text, i):
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    return text[:i] + alphabet[(alphabet.index(text[i]) + 1) % 32] + text[i + 1:]


def addresses_bad(good, h):
    yield "upper case", good.upper(), "SYNTAX"
    yield "one letter in upper case", good[0].upper() + good[1:], "SYNTAX"
    for c in "0189=-. ":
        yield "the character '%s'" % c, good[:20] + c + good[21:], "SYNTAX"
    yield "a character less", good[:-1], "SHORT"
    yield "a character more", good + "a", "EXTRA"
    yield "padding", good + "=", "EXTRA"
    yield "a blank before it", " " + good, "EXTRA"
    yield "nothing", "", "SHORT"
    yield "a DID", "did:bpi:" + good, "EXTRA"
    yield "version 0, its checksum", packed(h, 0), "VERSION"
    yield "version 2, its checksum", packed(h, 2), "VERSION"
    yield "version 255, its checksum", packed(h, 255), "VERSION"
    sum = H(TUP("httpcg-waddr-chk/v1", h, u(8, 1)))[:2]
    yield "the checksum's halves swapped", packed(h, 1, sum[::-1]), "MISMATCH"
    yield "a checksum of zeros", packed(h, 1, b"\0\0"), "MISMATCH"
    yield "the checksum of another version", packed(h, 1, H(TUP("httpcg-waddr-chk/v1", h, u(8, 2)))[:2]), "MISMATCH"
    yield "the checksum without a label", packed(h, 1, H(h, u(8, 1))[:2]), "MISMATCH"
    for i in (0, 1, 25, 50, 51, 52, 53):
        yield "character %d another" % i, flip(good, i), "MISMATCH"
    for i in (54, 55):  # the version is in the last eight bits
        yield "character %d another" % i, flip(good, i), "VERSION"
    yield "two characters changed places", good[1] + good[0] + good[2:], "MISMATCH"


def dids_bad(good):
    yield "no method", good, "SYNTAX"
    yield "another method", "did:web:" + good, "SYNTAX"
    yield "another case", "DID:bpi:" + good, "SYNTAX"
    yield "another case of the method", "did:BPI:" + good, "SYNTAX"
    yield "no address", "did:bpi:", "SHORT"
    yield "a part of the prefix", "did:b", "SHORT"
    yield "a fragment", "did:bpi:" + good + "#ed25519", "EXTRA"
    yield "a path", "did:bpi:" + good + "/x", "EXTRA"
    yield "a bad address", "did:bpi:" + flip(good, 10), "MISMATCH"
    yield "nothing", "", "SHORT"


def docs_bad(doc):
    """Cuts: at, remove, insert.  a4, 61 v 01, 64 next 5820.., 67 ed25519 5820.., 67 mldsa87 590a20.."""
    place = {name: doc.index(cbor(name)) for name in ("v", "next", "ed25519", "mldsa87")}
    assert place == {"v": 1, "next": 4, "ed25519": 43, "mldsa87": 85}
    for why, at, remove, insert, error in [
            ("three members", 0, 1, "a3", "SCHEMA"), ("five members", 0, 1, "a5", "SCHEMA"),
            ("an array", 0, 1, "84", "SCHEMA"), ("no stated length", 0, 1, "bf", "CANONICAL"),
            ("a count in two bytes", 0, 1, "b804", "CANONICAL"), ("a tag before it", 0, 0, "d862", "SCHEMA"),
            ("version 0", 3, 1, "00", "VERSION"), ("version 2", 3, 1, "02", "VERSION"),
            ("a version in two bytes", 3, 1, "1801", "CANONICAL"), ("a negative version", 3, 1, "20", "SCHEMA"),
            ("a version as text", 3, 1, "6131", "SCHEMA"), ("no version", 1, 3, "", "SCHEMA"),
            ("an unknown member", 2, 1, "77", "SCHEMA"), ("v twice", 1, 0, "617601", "SCHEMA"),
            ("next of 31 bytes", 9, 3, "581f", "SCHEMA"), ("next of 33 bytes", 9, 2, "5821", "TOO_LARGE"),
            ("next as text", 9, 1, "78", "SCHEMA"), ("next null", 9, 34, "f6", "SCHEMA"),
            ("next behind ed25519", 4, 81, (doc[43:85] + doc[4:43]).hex(), "SCHEMA"),
            ("ed25519 of no bytes", 51, 34, "40", "SCHEMA"), ("ed25519 in another case", 44, 1, "45", "SCHEMA"),
            ("mldsa87 of 2591 bytes", 93, 4, "590a1f", "SCHEMA"), ("mldsa87 of 2593 bytes", 93, 3, "590a21", "TOO_LARGE"),
            ("mldsa87 with a longer length", 93, 3, "5a00000a20", "CANONICAL"),
            ("a byte more", len(doc), 0, "00", "EXTRA"), ("a byte less", len(doc) - 1, 1, "", "SHORT"),
            ("nothing", 0, len(doc), "", "SHORT")]:
        yield {"why": why, "error": error, "at": str(at), "remove": str(remove), "insert": insert}


first, doc = generation("a wallet and its next keys", bytes(range(32)), bytes(range(32, 64)))
others = [generation(*args)[0] for args in [
    ("the next keys, with none behind them", bytes(range(32, 64)), None),
    ("a seed of zeros, followed by one of ones", bytes(32), b"\xff" * 32),
    ("a seed of ones, followed by itself", b"\xff" * 32, b"\xff" * 32)]]

write("wallet", {
    "note": "Seeds, keys and addresses. An empty R: there is no next generation, and next is 32 zero bytes. A bad document "
            "is the first generation's with `remove` bytes at `at` replaced by `insert`. Made by make/wallet.py.",
    "generations": [first] + others,
    "doc": doc.hex(),
    "addresses_bad": [{"why": why, "error": error, "text": text}
                      for why, text, error in addresses_bad(first["waddr"], bytes.fromhex(first["h"]))],
    "dids_bad": [{"why": why, "error": error, "text": text} for why, text, error in dids_bad(first["waddr"])],
    "docs_bad": list(docs_bad(doc)),
})
