#!/usr/bin/env python3
"""Makes tests/vectors/staple.json: staples of the four uses, and what is refused, with the step that
refuses it.  A case is a base staple, perhaps cut, judged at a time against what was seen before."""
import json
import os

from forms import H, TUP, cbor, write
from keys import Hybrid, next_hash, seed, waddr
from ledgers import Ledger, cut, did, object_digest
from map import M, flip, map_key, prove
from notes import Log, Witness

v1 = json.load(open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "v1.json")))
T = 1795366003  # of the newest head


def unhex(*path):
    at = v1
    for name in path:
        at = at[name]
    return bytes.fromhex(at)


owner, gateway, operator = v1["wallet"]["waddr"], v1["gateway"]["did"][8:], waddr(Hybrid(seed(0xe0)), next_hash(Hybrid(bytes(32))))
fpr = v1["tlsls"]["fingerprint"]
anchor, commitment = (bytes.fromhex(v1[k]["anchor"][-64:]) for k in ("tlsls", "registry"))
tlsls_digest = object_digest(unhex("tlsls", "body_protected"), unhex("tlsls", "payload"))
record_digest = object_digest(b"", unhex("registry", "owner_tbs"))
wallet_doc = unhex("wallet", "walletdoc")
other_fpr, op, rotated = H(b"another fingerprint"), H(b"a DidOp's payload"), waddr(Hybrid(seed(0x20)), bytes(32))


def ledger():
    l = Ledger(Log("ledger.example/bpi1", Hybrid(seed(0xa0))),
               [Witness("witness.example/w1", "cosign-ed25519", H(b"witness 1")),
                Witness("witness.example/w3", "cosign-ed25519", H(b"witness 3"))])
    t = T - 9000
    l.add("did", H(wallet_doc), did(owner), object_digest(b"", wallet_doc), t)
    l.set("did", owner, H(wallet_doc))
    l.add("tlsls", anchor, did(gateway), tlsls_digest, t)
    for i in range(8):
        l.add("registry", H(b"record %d" % i), "app/host%d.example.com" % i, H(b"object %d" % i), t + i)
        l.set("reg", "app/host%d.example.com" % i, H(b"record %d" % i))
    l.add("registry", commitment, "app/app.example.com", record_digest, t + 9)
    l.set("reg", "app/app.example.com", commitment)
    l.add("did", op, did(rotated), H(b"op object"), t + 10)
    l.set("did", rotated, op)
    l.add("tlsls", H(b"another anchor"), did(gateway), H(b"another object"), t + 11)
    rev = l.add("tlsls-rev", other_fpr, did(gateway), H(b"statement"), t + 12)
    l.set("tlsls-rev", other_fpr.hex(), H(l.entries[rev]))
    return l


CERT, RECORD, DID_OF, OTHER_CERT = 1, 10, 0, 12
asks = {
    "cert": [("tlsls-rev", fpr), ("did", gateway)],
    "record": [("reg", "app/app.example.com"), ("did", owner), ("did", operator)],
    "denial": [("reg", "app/nobody.example.com")],
    "did": [("did", owner)],
    "rotated": [("did", rotated)],
    "revoked": [("tlsls-rev", other_fpr.hex()), ("did", gateway)],
}
incl = {"cert": CERT, "record": RECORD, "denial": None, "did": None, "rotated": None, "revoked": OTHER_CERT}

l = ledger()
OLD = l.head(T - 3601)    # an earlier head, more than an hour before
MID = l.head(T - 3600)    # just an hour before
l.add("registry", H(b"record 9"), "app/host9.example.com", H(b"object 9"), T - 5)
l.set("reg", "app/host9.example.com", H(b"record 9"))
NEW = l.head(T)
bases, answers = {}, {}


def base(name, use, staple):
    bases[name] = (use, cbor(staple))
    return staple


for use in asks:
    base(use, use, l.staple(NEW, incl[use], asks[use]))
    answers[use] = l.answers(NEW, asks[use])
for name, size in (("old", OLD), ("mid", MID)):
    base(name, "did", l.staple(size, None, asks["did"]))
base("unwitnessed", "did", l.staple(NEW, None, asks["did"], witnessed=False))

# Logs that misbehave; each signs, so only the rule it breaks gives it away.
last = ledger()
for time in (T - 3601, T - 3600):
    last.head(time)
last.add("registry", H(b"record 9"), "app/host9.example.com", H(b"object 9"), T - 5)
last.set("reg", "app/host9.example.com", H(b"record 9"))
last.head(T)
last.add("registry", H(b"record 10"), "app/host10.example.com", H(b"object 10"), T)
size = last.sign(T)
s = base("map-head not last", "did", {**last.staple(size, None, []), "map": [prove(map_key(*asks["did"][0]), last.map)[1]],
                                      "map_head": last.leaf(NEW - 1, size)})
base("last leaf is no map-head", "did", {**s, "map_head": last.leaf(size - 1, size)})

fork = ledger()
for time in (T - 3601, T - 3600):
    fork.head(time)
fork.add("registry", H(b"record 9, otherwise"), "app/host9.example.com", H(b"object 9"), T - 5)
assert fork.head(T) == NEW
base("fork", "did", fork.staple(NEW, None, asks["did"]))
assert fork.head(T - 1) == NEW + 1
base("time runs backwards", "did", fork.staple(NEW + 1, None, asks["did"]))

lying = ledger()
lying.add("map-head", M(0, lying.map), "", b"", T, 99, len(lying.map))
size = lying.sign(T)
base("map-head with another log size", "did", {**lying.staple(size, None, []), "map": [prove(map_key(*asks["did"][0]), lying.map)[1]]})

# One entry, at index 0, which is also what its absent log_size reads as.
alone = Ledger(l.hand, l.witnesses)
alone.add("did", M(0, {}), did(owner), object_digest(b"", wallet_doc), T)
size = alone.sign(T)
base("one entry, no map-head", "denial", {**alone.staple(size, None, asks["denial"])})


def case(why, error, step, use, bad=None, now=T + 60, quorum="two", seen=None, max_age=0, wants=None):
    good_use, good = bases[use]
    size, root, time = seen or (0, bytes(32), 0)
    return {"why": why, "error": error, "step": step, "base": use, "use": wants or good_use, "now": str(now),
            "quorum": quorum, "max_age": str(max_age), "seen_size": str(size), "seen_root": root.hex(),
            "seen_time": str(time), **cut(good, good if bad is None else bad)}


def seen(l, size):
    return size, l.heads[size][2], l.heads[size][3]


def changed(use, **members):
    """The base staple of a use with some members replaced."""
    s = l.staple(NEW, incl[use], asks[use])
    return cbor({**s, **members})


def with_map(use, i, proof):
    m = l.staple(NEW, incl[use], asks[use])["map"]
    m[i] = proof
    return changed(use, map=m)


def flip_line(use, which, i):
    import base64
    lines = l.note(NEW).split("\n")
    name, sig = lines[4 + which][2:].split(" ")
    raw = bytearray(base64.b64decode(sig))
    raw[i] ^= 1
    lines[4 + which] = "\u2014 %s %s" % (name, base64.b64encode(bytes(raw)).decode())
    return changed(use, checkpoint="\n".join(lines))


pairs = l.heads[NEW][0]
reg = map_key(*asks["record"][0])
nobody = map_key(*asks["denial"][0])
present = prove(reg, pairs)[1]
absent = prove(nobody, pairs)[1]
other_key = next(k for k in sorted(pairs) if k[0] >> 7 != nobody[0] >> 7)
rev_leaf = l.leaf(13, NEW)
cases = [case("good", "OK", "", use) for use in asks]
cases += [
    case("no witness asked for", "OK", "", "unwitnessed", quorum="none"),
    case("just fresh", "OK", "", "unwitnessed", quorum="none", now=T + 21600),
    case("just fresh for the policy", "OK", "", "unwitnessed", quorum="none", now=T + 600, max_age=600),
    case("the log's age counts beside a policy's larger one", "STALE", "age", "unwitnessed", quorum="none", now=T + 21601, max_age=99999),
    case("stale checkpoint", "STALE", "age", "unwitnessed", quorum="none", now=T + 21601),
    case("stale for the policy", "STALE", "age", "unwitnessed", quorum="none", now=T + 601, max_age=600),
    case("a clock 300 s behind", "OK", "", "unwitnessed", quorum="none", now=T - 300),
    case("from the future", "EARLY", "age", "unwitnessed", quorum="none", now=T - 301),
    case("the head seen before", "OK", "", "did", seen=seen(l, NEW)),
    case("a larger head than seen", "OK", "", "did", seen=seen(l, MID)),
    case("a smaller head than seen, an hour older", "OK", "", "mid", seen=seen(l, NEW)),
    case("a smaller head than seen, over an hour older", "STALE", "age", "old", seen=seen(l, NEW)),
    case("another root for the size seen", "CONFLICT", "age", "fork", seen=seen(l, NEW)),
    case("a larger head with an earlier time", "CONFLICT", "age", "time runs backwards", seen=seen(l, NEW)),
    case("a smaller head with a later time", "CONFLICT", "age", "did", seen=(NEW + 5, H(b"later"), T - 1)),
    case("missing quorum", "QUORUM", "checkpoint", "unwitnessed"),
    case("Ed25519 signature of the log bad", "SIGNATURE", "checkpoint", "did", flip_line("did", 0, 20)),
    case("ML-DSA signature of the log bad", "SIGNATURE", "checkpoint", "did", flip_line("did", 1, 3000)),
    case("a witness's signature bad", "SIGNATURE", "checkpoint", "did", flip_line("did", 2, 30)),
    case("map_head not last", "PROOF", "head", "map-head not last"),
    case("the last leaf is no map-head", "PROOF", "head", "last leaf is no map-head"),
    case("a log of one entry that is no map-head", "PROOF", "head", "one entry, no map-head"),
    case("a map-head that names another log size", "PROOF", "head", "map-head with another log size"),
    case("an earlier map-head", "PROOF", "head", "did", changed("did", map_head=l.leaf(OLD - 1, NEW))),
    case("the map-head's path changed", "PROOF", "head", "did",
         changed("did", map_head=[NEW - 1, l.entries[NEW - 1], [flip(h, 7) for h in l.leaf(NEW - 1, NEW)[2]]])),
    case("the map-head's entry changed", "PROOF", "head", "did",
         changed("did", map_head=[NEW - 1, cbor([1, "map-head", H(b"y"), "", b"", T, NEW - 1, 12]), l.leaf(NEW - 1, NEW)[2]])),
    case("the entry at another index", "PROOF", "inclusion", "cert", changed("cert", incl=[CERT + 1] + l.leaf(CERT, NEW)[1:])),
    case("the entry behind the log", "PROOF", "inclusion", "cert", changed("cert", incl=[NEW] + l.leaf(CERT, NEW)[1:])),
    case("another entry", "PROOF", "inclusion", "cert", changed("cert", incl=[CERT, l.entries[2], l.leaf(CERT, NEW)[2]])),
    case("the entry's path a hash short", "PROOF", "inclusion", "cert", changed("cert", incl=[CERT, l.entries[CERT], l.leaf(CERT, NEW)[2][:-1]])),
    case("an entry that is none", "SCHEMA", "inclusion", "cert", changed("cert", incl=[CERT, cbor([1, "no"]), l.leaf(CERT, NEW)[2]])),
    case("absence with a changed sibling", "PROOF", "map", "denial", with_map("denial", 0, [0, absent[1], [flip(absent[2][0], 5)] + absent[2][1:]])),
    case("absence with the key itself as the other pair", "PROOF", "map", "record", with_map("record", 0, [0, [reg, commitment], present[2]])),
    case("absence with a pair outside the prefix", "PROOF", "map", "denial",
         with_map("denial", 0, [0, [other_key, pairs[other_key]], prove(other_key, pairs)[1][2]])),
    case("absence claimed of what is there", "PROOF", "map", "record", with_map("record", 0, [0, None, present[2]])),
    case("presence of another value", "PROOF", "map", "record", with_map("record", 0, [1, H(b"z"), present[2]])),
    case("presence under the map before", "PROOF", "map", "record",
         with_map("record", 0, prove(reg, {k: v for k, v in pairs.items() if v != H(b"record 9")})[1])),
    case("proofs in another order", "PROOF", "map", "record", changed("record", map=l.staple(NEW, RECORD, asks["record"])["map"][::-1])),
    case("a proof missing", "SCHEMA", "form", "record", changed("record", map=l.staple(NEW, RECORD, asks["record"])["map"][:2])),
    case("a proof more", "SCHEMA", "form", "did", changed("did", map=[prove(reg, pairs)[1]] * 2)),
    case("four proofs", "SCHEMA", "form", "did", changed("did", map=[prove(reg, pairs)[1]] * 4)),
    case("a denial for a record", "SCHEMA", "form", "denial", wants="record"),
    case("an entry where none belongs", "SCHEMA", "form", "denial", changed("denial", incl=l.leaf(RECORD, NEW))),
    case("no entry where one belongs", "SCHEMA", "form", "record", changed("record", incl=None)),
    case("a log not known here", "UNKNOWN", "form", "did", changed("did", checkpoint=l.note(NEW).replace("bpi1", "bpi9"))),
    case("version 2", "VERSION", "form", "did", changed("did", v=2)),
    case("a member more", "SCHEMA", "form", "did", changed("did", x=1)),
    case("a checkpoint as bytes", "SCHEMA", "form", "did", changed("did", checkpoint=l.note(NEW).encode())),
    case("a checkpoint that is none", "SYNTAX", "form", "did", changed("did", checkpoint=l.note(NEW).replace("\n\n", "\nmore\n\n"))),
    case("an entry over 1 KiB", "TOO_LARGE", "form", "cert", changed("cert", incl=[CERT, bytes(1025), []])),
    case("a path of 66 hashes", "SCHEMA", "form", "cert", changed("cert", incl=[CERT, l.entries[CERT], [H(b"p")] * 66])),
    case("a byte behind", "EXTRA", "form", "did", bases["did"][1] + b"\0"),
    case("nothing", "SHORT", "form", "did", b""),
]

# The log has entries with a certificate's own commitment that are none of its.
STRANGE = [("of another kind", ("policy", anchor, did(gateway))), ("of another DID", ("tlsls", anchor, did(owner))),
           ("of another certificate", ("tlsls", H(b"another anchor"), did(gateway)))]
strange = ledger()
for why, (kind, c, subject) in STRANGE:
    strange.add(kind, c, subject, H(b"their object"), T - 1)
first = len(strange.entries) - len(STRANGE)
size = strange.head(T)
others = [{"why": why, "error": "MISMATCH", "staple": cbor(strange.staple(size, first + i, asks["cert"])).hex()}
          for i, (why, _) in enumerate(STRANGE)]
others.append({"why": "its own", "error": "OK", "staple": cbor(strange.staple(size, CERT, asks["cert"])).hex()})

write("staple", {
    "note": "Staples. A case takes its base, cuts `remove` bytes at `at` and inserts there; it is judged at now, with the "
            "policy's max_age (0: the log's, 21600), against the head seen before (size 0: none), for a use: the order of "
            "asks. entries: staples for the certificate of v1.json that prove some entry. The log and the witnesses are "
            "checkpoint.json's. Made by make/staple.py.",
    "time": str(T), "size": str(NEW), "root": l.heads[NEW][2].hex(),
    "owner": owner, "gateway": gateway, "operator": operator, "rotated": rotated, "fingerprint": fpr,
    "asks": answers,
    "incl": {use: str(-1 if i is None else i) for use, i in incl.items()},
    "bases": {name: staple.hex() for name, (use, staple) in bases.items()},
    "cases": cases,
    "entries": others,
})
