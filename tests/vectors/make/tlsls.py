#!/usr/bin/env python3
"""Makes tests/vectors/tlsls.json: a certificate in all its forms, and certificates that are refused."""
from forms import H, TUP, cbor, write
from hybrid import Key, body_protected, cose, cose_sigs, cut, difference, run, sig_structure

NOW, DAY = 1795366003, 86400
ORIGIN = "ledger.example/bpi1"
identity, next_key, transport, log, wallet = (Key(run(s)) for s in (0x40, 0x60, 0x80, 0xA0, 0x00))
NEXT = next_key.next_hash()
did = "did:bpi:" + identity.waddr(NEXT)
wallet_did = "did:bpi:" + wallet.waddr(Key(run(0x20)).next_hash())
spki = H(b"example SubjectPublicKeyInfo DER")
POLICY = "094132bd634296bbeb316b18cdc98feb2a5f6ea5c77660369931e453ef77bdc1"


def log_id(origin):
    return H(TUP("httpcg-log-id/v1", origin, log.ed, H(log.ml)))[:8]


BASE = {"v": 1, "role": "gateway", "subject_did": did, "issuer_did": did, "public_key_ed25519": transport.ed,
        "public_key_dilithium": transport.ml, "policy_hash": POLICY, "bpi_anchor": "", "issued_at": NOW,
        "expires_at": NOW + 30 * DAY, "spki": [spki], "names": ["gw1.example.com"], "serial": bytes(range(16))}


def anchor(fields, origin=ORIGIN):
    commitment = H(TUP("httpcg-anchor/v1", "tlsls", cbor({**fields, "bpi_anchor": ""})))
    return "bpi1:%s:%s" % (log_id(origin).hex(), commitment.hex())


def payload(origin=ORIGIN, **changes):
    """A payload whose anchor fits it, unless the changes say another one."""
    fields = {**BASE, **changes}
    return cbor({**fields, "bpi_anchor": changes.get("bpi_anchor", anchor(fields, origin))})


good = payload()
sigs = cose_sigs(identity, "tlsls", good)
document = cose("tlsls", good, sigs)
fingerprint = H(TUP("httpcg-tlsls-fpr/v1", body_protected("tlsls"), good))
reference = cbor({"v": 1, "certificate_id": fingerprint, "bpi_anchor": anchor(BASE), "policy_hash": POLICY,
                  "issuer_did": did})
policy_sigs = cose_sigs(identity, "policy", good)

# Signed rightfully, so that nothing but what the name says is wrong.
resigned = {
    "role relay": (payload(role="relay"), "ROLE"),
    "90 days": (payload(expires_at=NOW + 90 * DAY), "OK"),
    "90 days and a second": (payload(expires_at=NOW + 90 * DAY + 1), "TOO_LARGE"),
    "issued in 300 seconds": (payload(issued_at=NOW + 300), "OK"),
    "issued in 301 seconds": (payload(issued_at=NOW + 301), "EARLY"),
    "expires now": (payload(issued_at=NOW - DAY, expires_at=NOW), "EXPIRED"),
    "expires in a second": (payload(issued_at=NOW - DAY, expires_at=NOW + 1), "OK"),
    "expires as it is issued": (payload(expires_at=NOW), "SCHEMA"),
    "issued at 2^63": (payload(issued_at=2**63), "SCHEMA"),
    "expires at 2^63": (payload(expires_at=2**63), "SCHEMA"),
    "issued and expires at 2^53 - 1 and so": (payload(issued_at=2**53 - 1 - DAY, expires_at=2**53 - 1), "EARLY"),
    "issued and expires at 2^64 - 1 and so": (payload(issued_at=2**64 - 1 - DAY, expires_at=2**64 - 1), "SCHEMA"),
    "another issuer": (payload(issuer_did=wallet_did), "MISMATCH"),
    "another subject": (payload(subject_did=wallet_did, issuer_did=wallet_did), "DENIED"),
    "another TLS key": (payload(spki=[H(b"another")]), "BINDING"),
    "this TLS key among four": (payload(spki=[H(b"1"), H(b"2"), H(b"3"), spki]), "OK"),
    "five TLS keys": (payload(spki=[spki] * 5), "SCHEMA"),
    "no TLS key": (payload(spki=[]), "SCHEMA"),
    "another name": (payload(names=["gw2.example.com"]), "MISMATCH"),
    "a wildcard": (payload(names=["*.example.com"]), "SYNTAX"),
    "no name": (payload(names=[]), "MISMATCH"),
    "seventeen names": (payload(names=["gw1.example.com"] * 17), "SCHEMA"),
    "an unknown role": (payload(role="root"), "SCHEMA"),
    "version 2": (payload(v=2), "VERSION"),
    "a member more": (cbor({**BASE, "bpi_anchor": anchor(BASE), "note": ""}), "SCHEMA"),
    "a serial of 15 bytes": (payload(serial=bytes(15)), "SCHEMA"),
    "another log": (payload("ledger.example/bpi2"), "UNKNOWN"),
    "an anchor of other content": (payload(bpi_anchor=anchor({**BASE, "serial": bytes(16)})), "PROOF"),
    "no anchor": (payload(bpi_anchor=""), "SHORT"),
    "a policy hash in upper case": (payload(policy_hash=POLICY.upper()), "SYNTAX"),
    "a transport key of small order": (payload(public_key_ed25519=bytes(32)), "KEY"),
    "a payload that is unsorted": (good.replace(b"\x61v\x01\x64role\x67gateway", b"\x64role\x67gateway\x61v\x01"), "CANONICAL"),
    "a payload with a member twice": (b"\xae" + good[1:4] + good[1:], "CANONICAL"),
    "a payload of indefinite length": (b"\xbf" + good[1:] + b"\xff", "CANONICAL"),
    "a payload with a long integer": (good.replace(b"\x61v\x01", b"\x61v\x18\x01"), "CANONICAL"),
    "a payload with a float": (good.replace(b"\x61v\x01", b"\x61v\xf9\x3c\x00"), "SCHEMA"),
}


def at(part, behind=0):
    return document.index(part, behind)


ED_AT = at(b"\x83\x43\xa1\x01\x32")
ML_AT = at(b"\x83\x44\xa1\x01\x38\x31")
MAP_AT = document.index(body_protected("tlsls")) + len(body_protected("tlsls"))
ED, ML = document[ED_AT:ML_AT], document[ML_AT:]


def changed(why, error, start, remove, insert):
    return {"why": why, "error": error, **cut(document, start, remove, insert)}


def signatures(why, error, *entries, n=None):
    return changed(why, error, ED_AT - 1, len(document) - ED_AT + 1,
                   bytes([0x80 + (len(entries) if n is None else n)]) + b"".join(entries))


def flipped(b, i):
    return b[:i] + bytes([b[i] ^ 1]) + b[i + 1:]


bad = [
    signatures("Ed25519 only", "SCHEMA", ED), signatures("ML-DSA only", "SCHEMA", ML),
    signatures("the signatures swapped", "SCHEMA", ML, ED), signatures("Ed25519 twice", "SCHEMA", ED, ED),
    signatures("ML-DSA twice", "SCHEMA", ML, ML), signatures("a third signature", "SCHEMA", ED, ML, ED),
    signatures("no signature", "SCHEMA"), signatures("a signature announced and missing", "SHORT", ED, n=2),
    changed("the Ed25519 signature altered", "SIGNATURE", ED_AT + 8, 1, flipped(ED, 8)[8:9]),
    changed("the ML-DSA signature altered", "SIGNATURE", ML_AT + 100, 1, flipped(ML, 100)[100:101]),
    changed("ML-DSA's of another document type", "SIGNATURE", ML_AT + 10, 4627, policy_sigs[1]),
    changed("Ed25519's of another document type", "SIGNATURE", ED_AT + 8, 64, policy_sigs[0]),
    changed("another tag", "SCHEMA", 1, 1, b"\x61"), changed("no tag", "SCHEMA", 0, 2, b""),
    changed("a tag written long", "CANONICAL", 0, 2, b"\xd9\x00\x62"),
    changed("an array of indefinite length", "CANONICAL", 2, 1, b"\x9f"),
    changed("a fifth member", "EXTRA", len(document), 0, b"\xf6"),
    changed("another type", "SCHEMA", at(b"tlsls+cose"), 5, b"relay"),
    changed("hsig not critical", "SCHEMA", at(b"\x02\x81\x64hsig"), 7, b"\x02\x81\x64typ "),
    changed("hsig lists other algorithms", "SCHEMA", at(b"\x82\x32\x38\x31"), 4, b"\x82\x32\x38\x30"),
    changed("hsig lists them in another order", "SCHEMA", at(b"\x82\x32\x38\x31"), 4, b"\x82\x38\x31\x32"),
    changed("a signer's unprotected header", "SCHEMA", ED_AT + 5, 1, b"\xa1\x04\x40"),
    changed("an unknown unprotected header", "SCHEMA", MAP_AT, 1, b"\xa1\x64note\x40"),
    changed("an empty staple", "SCHEMA", MAP_AT, 1, b"\xa1\x66staple\x40"),
    changed("unprotected headers unsorted", "SCHEMA", MAP_AT, 1, b"\xa2\x6awallet_doc\x41x\x66staple\x41x"),
    changed("one unprotected header twice", "SCHEMA", MAP_AT, 1, b"\xa2\x66staple\x41x\x66staple\x41x"),
    changed("a signature of 63 bytes", "SCHEMA", ED_AT + 6, 3, b"\x58\x3f"),
    changed("a byte more", "EXTRA", len(document), 0, b"\0"), changed("a byte less", "SHORT", len(document) - 1, 1, b""),
    changed("nothing", "SHORT", 0, len(document), b""),
]
# Each member with one bit of its value changed, unsigned: both signatures, or what is read before, tell.
for key in BASE:
    head = bytes([0x60 + len(key)]) + key.encode()
    place = at(head) + len(head)
    for value in [cbor(BASE[key] if key != "bpi_anchor" else anchor(BASE))]:
        where = place + len(value) - 1
        error = {"v": "VERSION", "role": "SCHEMA", "spki": "BINDING", "names": "MISMATCH", "subject_did": "VERSION",
                 "issuer_did": "VERSION", "issued_at": "SIGNATURE", "expires_at": "SIGNATURE"}.get(key, "SIGNATURE")
        insert = b"\x03" if key == "v" else flipped(document, where)[where:where + 1]
        bad.append(changed("%s with its last byte changed" % key, error, where, 1, insert))

write("tlsls", {
    "note": "A certificate. Expected by whoever verifies: now, role gateway, the one spki, the one name, the one "
            "subject, the log of `origin` with the keys of seed a0..bf, wallet_doc. bad: `document` with `remove` "
            "bytes at `at` replaced by `insert`. resigned: `payload` changed likewise, and "
            "both signatures over what it then is. Made by "
            "make/tlsls.py.",
    "now": str(NOW), "identity_seed": identity.seed.hex(), "next_seed": next_key.seed.hex(),
    "transport_seed": transport.seed.hex(), "log_seed": log.seed.hex(), "origin": ORIGIN,
    "log_id": log_id(ORIGIN).hex(), "did": did, "wallet_doc": identity.doc(NEXT).hex(), "spki": spki.hex(),
    "name": "gw1.example.com",
    "commitment": anchor(BASE)[-64:], "bpi_anchor": anchor(BASE), "payload_without_anchor": cbor(BASE).hex(),
    "payload": good.hex(), "body_protected": body_protected("tlsls").hex(),
    "sig_structure_ed25519_sha256": H(sig_structure("tlsls", good, 0)).hex(),
    "sig_structure_mldsa87_sha256": H(sig_structure("tlsls", good, 1)).hex(),
    "document": document.hex(), "fingerprint": fingerprint.hex(), "reference": reference.hex(),
    "json": '{"v":1,"role":"gateway","subject_did":"%s","issuer_did":"%s","public_key_ed25519":"%s",'
            '"public_key_dilithium":"%s","policy_hash":"%s","bpi_anchor":"%s","issued_at":%d,"expires_at":%d,'
            '"spki":["%s"],"names":["gw1.example.com"],"serial":"%s","signature":"%s"}'
            % (did, did, transport.ed.hex(), transport.ml.hex(), POLICY, anchor(BASE), NOW, NOW + 30 * DAY, spki.hex(),
               bytes(range(16)).hex(), b"".join(sigs).hex()),
    "with_unsigned_sha256": H(cose("tlsls", good, sigs, {"wallet_doc": identity.doc(NEXT), "staple": b"staple"})).hex(),
    "resigned": [{"why": why, "error": error, **difference(good, p),
                  "signature": b"".join(cose_sigs(identity, "tlsls", p)).hex()}
                 for why, (p, error) in resigned.items()],
    "bad": bad,
})
