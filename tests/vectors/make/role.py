#!/usr/bin/env python3
"""Makes tests/vectors/role.json: a role credential, credentials that are refused, and for whom one counts."""
from forms import H, cbor, write
from hybrid import Key, body_protected, cose, cose_sigs, cut, difference, hsig, run, sig_structure

NOW = 1795366003
owner, next_key, wallet, other = (Key(run(s)) for s in (0x40, 0x60, 0x00, 0xE0))
NEXT = next_key.next_hash()
OWNER, STRANGER = ("did:bpi:" + key.waddr(NEXT) for key in (owner, other))
WALLET, NEIGHBOUR = wallet.waddr(Key(run(0x20)).next_hash()), other.waddr(bytes(32))

BASE = {"v": 1, "owner": OWNER, "aud": "web-default", "role": "auditor", "wallet": WALLET, "until": NOW + 3600,
        "nonce": bytes(range(16))}
good = cbor(BASE)
sigs = cose_sigs(owner, "role", good)
document = cose("role", good, sigs)


def payload(**changes):
    return cbor({k: v for k, v in {**BASE, **changes}.items() if v is not None})


def mistyped(text):
    return text[:-1] + ("a" if text[-1] != "a" else "b")


# Signed rightfully, so that nothing but what the name says is wrong.
resigned = {
    "another aud": (payload(aud="web"), "OK"),
    "another role": (payload(role="staff"), "OK"),
    "another wallet": (payload(wallet=NEIGHBOUR), "OK"),
    "over since long": (payload(until=1), "OK"),
    "for ever": (payload(until=2**53 - 1), "OK"),
    "for longer than numbers reach": (payload(until=2**53), "TOO_LARGE"),
    "a time that is text": (payload(until=str(NOW)), "SCHEMA"),
    "a negative time": (payload(until=-1), "SCHEMA"),
    "another owner": (payload(owner=STRANGER), "MISMATCH"),
    "an owner without did:bpi:": (payload(owner=OWNER[8:] + "12345678"), "SYNTAX"),
    "a mistyped owner": (payload(owner=mistyped(OWNER)), "VERSION"),
    "a wallet as DID": (payload(wallet="did:bpi:" + WALLET), "TOO_LARGE"),
    "a mistyped wallet": (payload(wallet=mistyped(WALLET)), "VERSION"),
    "a role in capitals": (payload(role="Auditor"), "SCHEMA"),
    "a role of 63 letters": (payload(role="a" * 63), "OK"),
    "a role of 64 letters": (payload(role="a" * 64), "TOO_LARGE"),
    "no letters in the role": (payload(role=""), "SCHEMA"),
    "an aud with a slash": (payload(aud="web/default"), "SCHEMA"),
    "a nonce of 15 bytes": (payload(nonce=bytes(15)), "SCHEMA"),
    "a nonce that is text": (payload(nonce="0" * 16), "SCHEMA"),
    "version 2": (payload(v=2), "VERSION"),
    "a member more": (payload(note=""), "SCHEMA"),
    "a long member more": (payload(notabene=""), "SCHEMA"),
} | {"no " + key: (payload(**{key: None}), "SCHEMA") for key in BASE} | {
    "unsorted": (good.replace(b"\x61v\x01\x63aud\x6bweb-default", b"\x63aud\x6bweb-default\x61v\x01"), "CANONICAL"),
    "a member twice": (b"\xa8" + good[1:4] + good[1:], "CANONICAL"),
    "a long integer": (good.replace(b"\x61v\x01", b"\x61v\x18\x01"), "CANONICAL"),
    "of indefinite length": (b"\xbf" + good[1:] + b"\xff", "CANONICAL"),
    "an array": (b"\x80", "SCHEMA"),
}

ED_AT, ML_AT = document.index(b"\x83\x43\xa1\x01\x32"), document.index(b"\x83\x44\xa1\x01\x38\x31")
ED, ML = document[ED_AT:ML_AT], document[ML_AT:]
MAP_AT = document.index(body_protected("role")) + len(body_protected("role"))
policy_sigs, other_sigs = cose_sigs(owner, "policy", good), cose_sigs(other, "role", good)
grant_sig = hsig(owner, "grant", good)  # the same keys, for another purpose


def changed(why, error, start, remove, insert):
    return {"why": why, "error": error, **cut(document, start, remove, insert)}


def signatures(why, error, *entries, n=None):
    return changed(why, error, ED_AT - 1, len(document) - ED_AT + 1,
                   bytes([0x80 + (len(entries) if n is None else n)]) + b"".join(entries))


def flipped_at(why, error, at):
    return changed(why, error, at, 1, bytes([document[at] ^ 1]))


def place(member):
    """Of a member's last byte."""
    head = bytes([0x60 + len(member)]) + member.encode()
    return document.index(head) + len(head) + len(cbor(BASE[member])) - 1


bad = [
    signatures("the Ed25519 half alone", "SCHEMA", ED), signatures("the ML-DSA half alone", "SCHEMA", ML),
    signatures("the halves swapped", "SCHEMA", ML, ED), signatures("the Ed25519 half twice", "SCHEMA", ED, ED),
    signatures("a third signature", "SCHEMA", ED, ML, ED), signatures("no signature", "SCHEMA"),
    flipped_at("a bit of the Ed25519 half", "SIGNATURE", ED_AT + 8), flipped_at("a bit of the ML-DSA half", "SIGNATURE", ML_AT + 100),
    changed("the Ed25519 half of another's", "SIGNATURE", ED_AT + 8, 64, other_sigs[0]),
    changed("the ML-DSA half of another's", "SIGNATURE", ML_AT + 10, 4627, other_sigs[1]),
    changed("the Ed25519 half of a policy", "SIGNATURE", ED_AT + 8, 64, policy_sigs[0]),
    changed("the ML-DSA half of a policy", "SIGNATURE", ML_AT + 10, 4627, policy_sigs[1]),
    changed("the Ed25519 half of a grant", "SIGNATURE", ED_AT + 8, 64, grant_sig[:64]),
    changed("the ML-DSA half of a grant", "SIGNATURE", ML_AT + 10, 4627, grant_sig[64:]),
    changed("another type", "SCHEMA", document.index(b"role+cose"), 4, b"rule"),
    changed("an unknown unprotected header", "SCHEMA", MAP_AT, 1, b"\xa1\x64note\x40"),
    changed("more than 8 KiB", "TOO_LARGE", MAP_AT, 1, b"\xa1\x66staple\x59\x10\x00" + bytes(4096)),
    changed("a byte more", "EXTRA", len(document), 0, b"\0"), changed("a byte less", "SHORT", len(document) - 1, 1, b""),
    changed("nothing", "SHORT", 0, len(document), b""),
    flipped_at("a bit of aud", "SIGNATURE", place("aud")), flipped_at("a bit of role", "SIGNATURE", place("role")),
    flipped_at("a bit of until", "SIGNATURE", place("until")), flipped_at("a bit of the nonce", "SIGNATURE", place("nonce")),
]


def row(counts, owner=OWNER, aud="web-default", wallet=WALLET, now=NOW):
    return {"profile_owner": owner[8:], "profile": aud, "caller": wallet, "now": str(now), "counts": "yes" if counts else ""}


write("role", {
    "note": "A role credential. Expected by whoever verifies: owner with the key of owner_seed. resigned: `payload` with `remove` bytes "
            "at `at` replaced by `insert`, and both signatures over what it then is. bad: `document` changed likewise. counts: whether "
            "the credential is for that profile, caller and time. Made by make/role.py.",
    "owner_seed": owner.seed.hex(), "next_seed": next_key.seed.hex(), "owner_doc": owner.doc(NEXT).hex(), "owner": OWNER,
    "wallet": WALLET, "aud": "web-default", "role": "auditor", "until": str(NOW + 3600), "nonce": bytes(range(16)).hex(),
    "payload": good.hex(), "document": document.hex(),
    "sig_structure_ed25519_sha256": H(sig_structure("role", good, 0)).hex(),
    "sig_structure_mldsa87_sha256": H(sig_structure("role", good, 1)).hex(),
    "resigned": [{"why": why, "error": error, **difference(good, p), "signature": b"".join(cose_sigs(owner, "role", p)).hex()}
                 for why, (p, error) in resigned.items()],
    "bad": bad,
    "counts": [row(True), row(True, now=NOW + 3599), row(True, now=0), row(False, now=NOW + 3600), row(False, owner=STRANGER),
               row(False, aud="web"), row(False, aud="web-default2"), row(False, wallet=NEIGHBOUR)],
})
