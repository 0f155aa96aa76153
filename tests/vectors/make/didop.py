#!/usr/bin/env python3
"""Makes tests/vectors/didop.json: a wallet, a chain of its DID's operations, and chains that break."""
from forms import H, cbor, write
from hybrid import Key, body_protected, cose, cose_sigs, issue, run

NONE = bytes(32)
SEEDS = [0x00, 0x20, 0x10, 0x30, 0x50]
g = [Key(run(s)) for s in SEEDS]
thief = Key(run(0x70))
doc = g[0].doc(g[1].next_hash())
did = "did:bpi:" + g[0].waddr(g[1].next_hash())
other_did = "did:bpi:" + thief.waddr(NONE)


def op(key, seq, prev, next, op="rotate", did=did, **more):
    return cbor({"v": 1, "did": did, "seq": seq, "op": op, "ed25519": key.ed, "mldsa87": key.ml,
                 "next": next, "prev": prev, **more})


one = op(g[1], 1, H(doc), g[2].next_hash())
two = op(g[2], 2, H(one), g[3].next_hash())
three = op(g[3], 3, H(two), g[4].next_hash())
off = op(g[4], 4, H(three), NONE, "deactivate")
last = op(g[2], 2, H(one), NONE)
burn = op(g[2], 3, H(last), NONE, "deactivate")

# name: payload, signing key
made = {
    "one": (one, g[1]), "two": (two, g[2]), "three": (three, g[3]), "off": (off, g[4]),
    "last": (last, g[2]), "burn": (burn, g[2]),
    "one by the old keys": (one, g[0]),
    "one of the thief": (op(g[0], 1, H(doc), g[2].next_hash()), g[0]),
    "one with keys nobody committed to": (op(thief, 1, H(doc), g[2].next_hash()), thief),
    "one as number 2": (op(g[1], 2, H(doc), g[2].next_hash()), g[1]),
    "one as number 0": (op(g[1], 0, H(doc), g[2].next_hash()), g[1]),
    "one behind something else": (op(g[1], 1, H(b"else"), g[2].next_hash()), g[1]),
    "one of another DID": (op(g[1], 1, H(doc), g[2].next_hash(), did=other_did), g[1]),
    "one of version 2": (op(g[1], 1, H(doc), g[2].next_hash()).replace(b"\x61v\x01", b"\x61v\x02"), g[1]),
    "one that does nothing known": (op(g[1], 1, H(doc), g[2].next_hash(), "revoke"), g[1]),
    "one with a member more": (op(g[1], 1, H(doc), g[2].next_hash(), note=""), g[1]),
    "after off": (op(g[2], 5, H(off), NONE), g[2]),
    "rotate after last": (op(g[2], 3, H(last), NONE), g[2]),
    "burn by others": (op(g[3], 3, H(last), NONE, "deactivate"), g[3]),
}
documents = {name: issue(key, "didop", payload) for name, (payload, key) in made.items()}
sigs = {name: cose_sigs(key, "didop", payload) for name, (payload, key) in made.items()}
documents["one, one half by the old keys"] = cose("didop", one, [sigs["one"][0], sigs["one by the old keys"][1]])
documents["one, the other half by the old keys"] = cose("didop", one, [sigs["one by the old keys"][0], sigs["one"][1]])
documents["one with a staple beside it"] = cose("didop", one, sigs["one"], {"staple": b"x"})
documents["one as a policy"] = issue(g[1], "policy", one)


def wallet_doc(chain):
    return cbor([doc] + [documents[name] for name in chain]) if chain else doc


def good(chain, newest, seq, keys, next, deactivated=False):
    return {"chain": chain, "wallet_doc_sha256": H(wallet_doc(chain)).hex(), "newest": H(newest).hex(), "seq": str(seq),
            "ed25519": keys.ed.hex(), "next": next.hex(), "deactivated": "yes" if deactivated else "no"}


write("didop", {
    "note": "A wallet_doc is the inception document where the chain is empty, otherwise the CBOR array of it and the "
            "documents named. newest is what the state map must hold. seeds are wallet seeds, in order of their "
            "generations. Made by make/didop.py.",
    "seeds": [key.seed.hex() for key in g],
    "ed_seed": g[0].ed_seed.hex(), "ml_seed": g[0].ml_seed.hex(),
    "inception": doc.hex(), "inception_sha256": H(doc).hex(), "did": did,
    "body_protected": body_protected("didop").hex(),
    "payloads": {"one": one.hex(), "two": two.hex(), "three": three.hex(), "off": off.hex()},
    "documents": {name: wire.hex() for name, wire in documents.items()},
    "good": [
        good([], doc, 0, g[0], g[1].next_hash()),
        good(["one"], one, 1, g[1], g[2].next_hash()),
        good(["one", "two"], two, 2, g[2], g[3].next_hash()),
        good(["one", "two", "three"], three, 3, g[3], g[4].next_hash()),
        good(["one", "two", "three", "off"], off, 4, g[4], NONE, True),
        good(["one", "last"], last, 2, g[2], NONE),
        good(["one", "last", "burn"], burn, 3, g[2], NONE, True)],
    "bad": [{"why": ", then ".join(chain), "chain": chain, "error": error} for chain, error in [
        (["two"], "PROOF"), (["one", "three"], "PROOF"), (["two", "one"], "PROOF"), (["one", "one"], "PROOF"),
        (["one by the old keys"], "SIGNATURE"), (["one, one half by the old keys"], "SIGNATURE"),
        (["one, the other half by the old keys"], "SIGNATURE"), (["one of the thief"], "PROOF"),
        (["one with keys nobody committed to"], "PROOF"), (["one as number 2"], "PROOF"),
        (["one as number 0"], "PROOF"), (["one behind something else"], "PROOF"), (["one of another DID"], "PROOF"),
        (["one of version 2"], "VERSION"), (["one that does nothing known"], "SCHEMA"),
        (["one with a member more"], "SCHEMA"), (["one with a staple beside it"], "SCHEMA"),
        (["one as a policy"], "SCHEMA"), (["one", "two", "three", "off", "after off"], "REVOKED"),
        (["one", "last", "rotate after last"], "PROOF"), (["one", "last", "burn by others"], "PROOF"),
        (["one"] * 9, "SCHEMA")]],
})
