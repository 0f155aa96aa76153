#!/usr/bin/env python3
"""Makes tests/vectors/map.json: state map keys, roots, and proofs of the three kinds, good and bad.

M is the definition in docs/protocol/ledger.md, "State map", word for word."""
from forms import H, TUP, cbor, write

ZERO = bytes(32)


def bit(key, i):
    return key[i // 8] >> (7 - i % 8) & 1


def M(d, pairs):
    if not pairs:
        return ZERO
    if len(pairs) == 1:
        ((k, v),) = pairs.items()
        return H(b"\2", k, v)
    return H(b"\3", *(M(d + 1, {k: v for k, v in pairs.items() if bit(k, d) == b}) for b in (0, 1)))


def prove(key, pairs):
    """The kind of proof, and its parts."""
    siblings, d = [], 0
    while len(pairs) > 1:
        other = {k: v for k, v in pairs.items() if bit(k, d) != bit(key, d)}
        siblings.append(M(d + 1, other) if other else b"")
        pairs = {k: v for k, v in pairs.items() if bit(k, d) == bit(key, d)}
        d += 1
    if not pairs:
        return "empty", [0, None, siblings]
    ((k, v),) = pairs.items()
    return ("present", [1, v, siblings]) if k == key else ("other", [0, [k, v], siblings])


def map_key(kind, id):
    return H(TUP("httpcg-map-key/v1", kind, id))


def flip(key, i):
    b = bytearray(key)
    b[i // 8] ^= 0x80 >> i % 8
    return bytes(b)


def main():
    WADDR = "vcxb5ih4wnwldjkbucka3guzjkod44vgdzrssfzjpthwd4zhmdta32yb"
    ids = [("did", WADDR), ("reg", "app/app.example.com"), ("tlsls-rev", "00" * 32), ("relays", "current"),
           ("policy", "did:bpi:" + WADDR + "/web-default"), ("kem", WADDR), ("reg", "m2m/" + WADDR), ("did", "")]
    ids += [("reg", "app/host%d.example.com" % i) for i in range(56)]
    many = {map_key(*id): H(b"value of ", "/".join(id).encode()) for id in ids}
    base = H(b"deep")
    # Keys that share 1, 7, 8, 9, 15, 16, 17, 250 and 255 bits: within a page, at its end, over many.
    deep = {flip(base, i): H(b"deep %d" % i) for i in (1, 7, 8, 9, 15, 16, 17, 250, 255)}
    deep[base] = H(b"deep itself")
    one = {base: H(b"one")}
    absent = [H(b"absent %d" % i) for i in range(12)]

    def one_set(name, pairs, keys):
        proofs = []
        for key in keys:
            kind, proof = prove(key, pairs)
            proofs.append({"key": key.hex(), "kind": kind, "value": proof[1].hex() if kind == "present" else "",
                           "proof": cbor(proof).hex()})
        return {"name": name, "pairs": [[k.hex(), v.hex()] for k, v in pairs.items()], "root": M(0, pairs).hex(),
                "size": str(len(pairs)), "proofs": proofs}

    # A proof for base over the deep set, then made wrong.
    key, root = base, M(0, deep)
    good = prove(key, deep)[1]
    far = flip(key, 1)
    far_proof = prove(far, deep)[1]
    gap = flip(flip(base, 7), 200)  # nothing there but the pair that parts from base at bit 7
    other = prove(gap, deep)[1]
    lone = flip(base, 3)  # an empty place
    empty = prove(lone, deep)[1]
    assert prove(gap, deep)[0] == "other" and prove(lone, deep)[0] == "empty"

    def bad(why, error, key, proof, root=root):
        return {"why": why, "error": error, "root": root.hex(), "key": key.hex(),
                "proof": (proof if isinstance(proof, bytes) else cbor(proof)).hex()}

    def with_sibling(proof, i, sibling):
        s = list(proof[2])
        s[i] = sibling
        return [proof[0], proof[1], s]

    # A log that puts a pair where it does not belong, and signs that.
    lie = H(b"\2", far, deep[far])
    for i in range(len(other[2]) - 1, -1, -1):
        pair = (lie, other[2][i] or ZERO)
        lie = H(b"\3", *(pair if bit(gap, i) == 0 else pair[::-1]))

    bads = [
        bad("the other pair stands outside the prefix, by the log's lie", "PROOF", gap, [0, [far, deep[far]], other[2]], lie),
        bad("a sibling is changed", "PROOF", key, with_sibling(good, 255, flip(good[2][255], 255))),
        bad("a sibling of an absence is changed", "PROOF", gap, with_sibling(other, 1, flip(other[2][1], 0))),
        bad("a sibling of an empty place is changed", "PROOF", lone, with_sibling(empty, 1, flip(empty[2][1], 9))),
        bad("the key itself stands as the other pair", "PROOF", key, [0, [key, deep[key]], good[2]]),
        bad("the other pair stands outside the prefix", "PROOF", flip(far, 0), [0, [far, deep[far]], far_proof[2]]),
        bad("the other pair parts from the key one bit early", "PROOF", flip(gap, 7), other),
        bad("a present key claimed to be empty", "PROOF", key, [0, None, good[2]]),
        bad("a present key with another value", "PROOF", key, [1, deep[far], good[2]]),
        bad("the proof of another key", "PROOF", key, far_proof),
        bad("an absent key claimed to be present", "PROOF", gap, [1, other[1][1], other[2]]),
        bad("the first sibling left out", "PROOF", key, [1, good[1], good[2][1:]]),
        bad("the last sibling left out", "PROOF", key, [1, good[1], good[2][:-1]]),
        bad("a sibling more", "PROOF", lone, [0, None, empty[2] + [b""]]),
        bad("no siblings", "PROOF", key, [1, good[1], []]),
        bad("an empty sibling written as zeros", "CANONICAL", lone, with_sibling(empty, 0, ZERO)),
        bad("257 siblings", "SCHEMA", key, [1, good[1], good[2] + [ZERO[:0]]]),
        bad("a sibling of 31 bytes", "SCHEMA", key, with_sibling(good, 7, good[2][7][:31])),
        bad("a sibling of 33 bytes", "TOO_LARGE", key, with_sibling(good, 7, good[2][7] + b"\0")),
        bad("a sibling that is text", "SCHEMA", key, with_sibling(good, 0, "x" * 32)),
        bad("neither present nor absent", "SCHEMA", key, [2, good[1], good[2]]),
        bad("neither present nor absent, the place empty", "SCHEMA", lone, [2, None, empty[2]]),
        bad("neither present nor absent, another pair there", "SCHEMA", gap, [2, *other[1:]]),
        bad("present without a value", "SCHEMA", key, [1, None, good[2]]),
        bad("absent with a value", "SCHEMA", key, [0, good[1], good[2]]),
        bad("the other pair without its value", "SCHEMA", gap, [0, [other[1][0]], other[2]]),
        bad("the other pair as three", "SCHEMA", gap, [0, other[1] + [ZERO], other[2]]),
        bad("two members", "SCHEMA", key, good[:2]),
        bad("four members", "SCHEMA", key, good + [0]),
        bad("a byte behind", "EXTRA", key, cbor(good) + b"\0"),
        bad("the last byte left out", "SHORT", key, cbor(good)[:-1]),
        bad("a length not in its shortest form", "CANONICAL", key, b"\x83\x18\x01" + cbor(good)[2:]),
        bad("an array without length", "CANONICAL", key, b"\x9f" + cbor(good)[1:] + b"\xff"),
        bad("a map", "SCHEMA", key, {"v": 1}),
        bad("nothing at all", "SHORT", key, b""),
    ]

    write("map", {
        "note": "State map. kind is of the proof: present, empty, or other (another pair stands there). "
                "error names the class of failure. Made by make/map.py.",
        "keys": [{"kind": kind, "id": id, "key": map_key(kind, id).hex()} for kind, id in ids[:8]],
        "sets": [
            one_set("none", {}, absent[:1]),
            one_set("one", one, [base, absent[0], flip(base, 255)]),
            one_set("many", many, list(many)[::5] + absent),
            one_set("deep", deep, list(deep) + [gap, lone, flip(base, 254), flip(flip(base, 250), 255), absent[0]]),
        ],
        "bad": bads,
    })


if __name__ == "__main__":
    main()
