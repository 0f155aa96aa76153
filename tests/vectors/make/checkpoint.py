#!/usr/bin/env python3
"""Makes tests/vectors/checkpoint.json: vkeys, a note with every kind of line, and what is refused.

Cases name their lines, so that each signature stands in the file once."""
import json
import os

import ed25519
from forms import H, TUP, u, write
from keys import Hybrid, seed
from notes import TYPES, Log, Witness, b64, key_id, line, text, vkey

NOW = 1795366063
TIME = NOW - 60
v1 = json.load(open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "v1.json")))
SIZE, ROOT = 3, bytes.fromhex(v1["ledger"]["roots"][2])

log = Log("ledger.example/bpi1", Hybrid(seed(0xa0)))
body = text(log.origin, SIZE, ROOT)
assert body == v1["ledger"]["checkpoint_text"]
w1 = Witness("witness.example/w1", "cosign-ed25519", H(b"witness 1"))
w2 = Witness("witness.example/w2", "cosign-ml-dsa-44", H(b"witness 2"))
w3 = Witness("witness.example/w3", "cosign-ed25519", H(b"witness 3"))
foreign_seed = H(b"a stranger")


def flipped(l, i):
    """The line with one bit of its signature changed."""
    name, sig = l[2:-1].split(" ")
    import base64
    raw = bytearray(base64.b64decode(sig))
    raw[i] ^= 1
    return "\u2014 %s %s\n" % (name, b64(bytes(raw)))


def cut(l, n):
    name, sig = l[2:-1].split(" ")
    import base64
    return "\u2014 %s %s\n" % (name, b64(base64.b64decode(sig)[:n]))


def respelt(l):
    """The same bytes once more, with a bit set that base64 does not use."""
    assert l.endswith("=\n") and not l.endswith("==\n")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return l[:-3] + alphabet[alphabet.index(l[-3]) + 1] + "=\n"


ed, ml = log.lines(body)
other_size = text(log.origin, SIZE + 1, ROOT)
other_ed, other_ml = log.lines(other_size)
cosigned = {w.name: w.line(log.origin, SIZE, ROOT, TIME) for w in (w1, w2, w3)}
lines = {
    "ed": ed, "ml": ml, "w1": cosigned[w1.name], "w2": cosigned[w2.name], "w3": cosigned[w3.name],
    "w1 at the skew's end": w1.line(log.origin, SIZE, ROOT, NOW + 300),
    "w1 in the future": w1.line(log.origin, SIZE, ROOT, NOW + 301),
    "w1 old": w1.line(log.origin, SIZE, ROOT, NOW - 21601),
    "w1 just fresh": w1.line(log.origin, SIZE, ROOT, NOW - 21600),
    "w2 old": w2.line(log.origin, SIZE, ROOT, NOW - 21601),
    "w2 without time": w2.line(log.origin, SIZE, ROOT, 0),
    "foreign": line("foreign.example/x", key_id("foreign.example/x", "ed25519", ed25519.public(foreign_seed)),
                    ed25519.sign(foreign_seed, body.encode())),
    "foreign, other script": "\u2014 \u03b6\u03ae\u03c4\u03b1 " + b64(b"\0\1\2\3" + bytes(64)) + "\n",
    "foreign, of a large scheme": "\u2014 foreign.example/y " + b64(b"\0\1\2\3" + bytes(range(256)) * 31) + "\n",
    "the log's name, an unknown id": line(log.origin, b"\xde\xad\xbe\xef", ed25519.sign(foreign_seed, body.encode())),
    "an unknown name, w1's id": line("witness.example/nobody", w1.id, bytes(72)),
    "ed with a bit changed": flipped(ed, 40),
    "ml with a bit changed": flipped(ml, 4000),
    "ml's last bit changed": flipped(ml, 4 + 4626),
    "w1 with a bit changed": flipped(cosigned[w1.name], 50),
    "w1 with its time changed": flipped(cosigned[w1.name], 11),
    "w2 with its time changed": flipped(cosigned[w2.name], 11),
    "w2 with a bit changed": flipped(cosigned[w2.name], 2000),
    "ed cut": cut(ed, 67), "ml cut": cut(ml, 4630), "w1 cut": cut(cosigned[w1.name], 11), "w2 cut": cut(cosigned[w2.name], 2431),
    "ed of 6000 bytes": line(log.origin, key_id(log.origin, "ed25519", log.keys.ed), bytes(6000)),
    "ed of one byte": cut(ed, 5), "w1 of its time alone": cut(cosigned[w1.name], 12),
    "ed over another size": other_ed, "ml over another size": other_ml,
    "ml without context": line(log.origin, key_id(log.origin, "ml-dsa-87", log.keys.ml), log.keys.ml_key.sign(body.encode(), b"")),
    "ed by a stranger": line(log.origin, key_id(log.origin, "ed25519", log.keys.ed), ed25519.sign(foreign_seed, body.encode())),
    "w1 over the bare text": line(w1.name, w1.id, w1.sign(body.encode(), TIME)),
    "w1 over another size": w1.line(log.origin, SIZE + 1, ROOT, TIME),
    "w2 over another size": w2.line(log.origin, SIZE + 1, ROOT, TIME),
    "w2 for another log": w2.line("other.example/log", SIZE, ROOT, TIME),
    "w2's signature under w1's name and id": line(w1.name, w1.id, w2.sign(w2.message(log.origin, SIZE, ROOT, TIME), TIME)),
}


def case(why, error, names, cosigned=0, body=body, quorum="two"):
    return {"why": why, "error": error, "text": body, "lines": names, "quorum": quorum, "cosigned": str(cosigned)}


base = ["ed", "ml"]
cases = [
    case("both of the log's lines, two witnesses", "OK", base + ["w1", "w2"], TIME),
    case("all three witnesses, strangers between", "OK",
         ["foreign", "w3", "ml", "foreign, other script", "w1", "ed", "foreign, of a large scheme", "w2"], TIME),
    case("a known name with an unknown id, an unknown name with a known id", "OK",
         base + ["the log's name, an unknown id", "an unknown name, w1's id", "w1", "w3"], TIME),
    case("no witness asked for", "OK", base, 0, quorum="none"),
    case("no witness asked for, one there", "OK", base + ["w1"], 0, quorum="none"),
    case("a witness 300 s ahead", "OK", base + ["w1 at the skew's end", "w2"], NOW + 300),
    case("one of two is old", "OK", base + ["w1 old", "w2"], TIME),
    case("just fresh", "OK", base + ["w1 just fresh", "w2 without time"], NOW - 21600),
    case("a line twice", "OK", base + ["ed", "w1", "w1", "w3"], TIME),
    case("without the Ed25519 line", "SIGNATURE", ["ml", "w1", "w2"]),
    case("without the ML-DSA line", "SIGNATURE", ["ed", "w1", "w2"]),
    case("without the log", "SIGNATURE", ["w1", "w2", "w3"]),
    case("strangers alone", "SIGNATURE", ["foreign"]),
    case("one witness of two", "QUORUM", base + ["w1"]),
    case("no witness", "QUORUM", base),
    case("one witness twice", "QUORUM", base + ["w1", "w1"]),
    case("a witness under another name", "QUORUM", base + ["w1", "an unknown name, w1's id"]),
    case("both witnesses old", "STALE", base + ["w1 old", "w2 old"]),
    case("an old witness and one without time", "STALE", base + ["w1 old", "w2 without time"]),
    case("another log", "MISMATCH", base + ["w1", "w2"], body=body.replace("bpi1", "bpi2")),
    case("another size", "SIGNATURE", base + ["w1", "w2"], body=other_size),
    case("another root", "SIGNATURE", base + ["w1", "w2"], body=text(log.origin, SIZE, H(b"other"))),
] + [case(bad, "SIGNATURE", [bad if n == bad.split(" ")[0] else n for n in base + ["w1", "w2", "w3"]])
     for bad in ("ed with a bit changed", "ml with a bit changed", "ml's last bit changed", "w1 with a bit changed",
                 "w1 with its time changed", "w2 with its time changed", "w2 with a bit changed", "ed cut", "ml cut",
                 "ed of 6000 bytes", "ed of one byte", "w1 of its time alone", "w1 cut", "w2 cut", "ed over another size", "ml over another size", "ml without context",
                 "ed by a stranger", "w1 over the bare text", "w1 over another size", "w2 over another size",
                 "w2 for another log", "w1 in the future", "w2's signature under w1's name and id")] + [
    case("a bad line beside a good one of the same key", "SIGNATURE", base + ["ed by a stranger", "w1", "w2"]),
    case("a line too long for any signature beside a good one", "SIGNATURE", base + ["ed of 6000 bytes", "w1", "w2"]),
    case("a bad witness where none is asked for", "SIGNATURE", base + ["w1 with a bit changed"], quorum="none"),
]
for c in cases:
    assert all(n in lines for n in c["lines"]), c
    if c["why"].startswith("ml's last"):
        c["lines"][1] = "ml's last bit changed"
    if c["why"].startswith("w2's sig"):
        c["lines"][2:4] = ["w2's signature under w1's name and id", "w2"]

BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
small = "\u2014 a.example/x AAAAAAE=\n"
root = b64(ROOT)
reads = [(w, e, t) for w, e, t in [
    ("good", "OK", "a.example/x\n0\n%s\n\n" % root + small),
    ("many lines", "OK", "a.example/x\n1\n%s\n\n" % root + small * 32),
    ("largest size", "OK", "a.example/x\n9223372036854775807\n%s\n\n" % root + small),
    ("too many lines", "TOO_LARGE", "a.example/x\n1\n%s\n\n" % root + small * 33),
    ("size over 2^63-1", "TOO_LARGE", "a.example/x\n9223372036854775808\n%s\n\n" % root + small),
    ("size over 2^64", "TOO_LARGE", "a.example/x\n18446744073709551617\n%s\n\n" % root + small),
    ("leading zero", "CANONICAL", "a.example/x\n01\n%s\n\n" % root + small),
    ("zeros", "CANONICAL", "a.example/x\n00\n%s\n\n" % root + small),
    ("negative size", "SYNTAX", "a.example/x\n-1\n%s\n\n" % root + small),
    ("size with a sign", "SYNTAX", "a.example/x\n+1\n%s\n\n" % root + small),
    ("size with a space", "SYNTAX", "a.example/x\n1 \n%s\n\n" % root + small),
    ("no size", "SYNTAX", "a.example/x\n\n%s\n\n" % root + small),
    ("no origin", "SYNTAX", "\n1\n%s\n\n" % root + small),
    ("space in the origin", "SYNTAX", "a.example x\n1\n%s\n\n" % root + small),
    ("plus in the origin", "SYNTAX", "a.example+x\n1\n%s\n\n" % root + small),
    ("longest origin", "OK", "a" * 255 + "\n1\n%s\n\n" % root + small),
    ("origin too long", "SYNTAX", "a" * 256 + "\n1\n%s\n\n" % root + small),
    ("root of 31 bytes", "SYNTAX", "a.example/x\n1\n%s\n\n" % b64(ROOT[:31]) + small),
    ("root of 33 bytes", "TOO_LARGE", "a.example/x\n1\n%s\n\n" % b64(ROOT + b"x") + small),
    ("root without padding", "SYNTAX", "a.example/x\n1\n%s\n\n" % root[:-1] + small),
    ("root with unused bits set", "CANONICAL", "a.example/x\n1\n%s\n\n" % (root[:-2] + chr(ord(root[-2]) + 1) + "=") + small),
    ("an extension line", "SYNTAX", "a.example/x\n1\n%s\nmore\n\n" % root + small),
    ("two blank lines", "SYNTAX", "a.example/x\n1\n%s\n\n\n" % root + small),
    ("no blank line", "SYNTAX", "a.example/x\n1\n%s\n" % root + small),
    ("CR LF", "SYNTAX", ("a.example/x\n1\n%s\n\n" % root + small).replace("\n", "\r\n")),
    ("no signature lines", "SHORT", "a.example/x\n1\n%s\n\n" % root),
    ("text alone", "SHORT", "a.example/x\n1\n%s\n" % root),
    ("last line without its end", "SHORT", "a.example/x\n1\n%s\n\n" % root + small[:-1]),
    ("hyphen for the dash", "SYNTAX", "a.example/x\n1\n%s\n\n" % root + small.replace("\u2014", "-")),
    ("en dash", "SYNTAX", "a.example/x\n1\n%s\n\n" % root + small.replace("\u2014", "\u2013")),
    ("no space behind the dash", "SYNTAX", "a.example/x\n1\n%s\n\n" % root + small.replace("\u2014 ", "\u2014")),
    ("two spaces behind the dash", "SYNTAX", "a.example/x\n1\n%s\n\n" % root + small.replace("\u2014 ", "\u2014  ")),
    ("plus in a key's name", "SYNTAX", "a.example/x\n1\n%s\n\n" % root + small.replace("a.example", "a+example")),
    ("three words", "SYNTAX", "a.example/x\n1\n%s\n\n" % root + small[:-1] + " x\n"),
    ("id without signature", "SYNTAX", "a.example/x\n1\n%s\n\n\u2014 a.example/x AAAAAA==\n" % root),
    ("base64 without padding", "SYNTAX", "a.example/x\n1\n%s\n\n\u2014 a.example/x AAAAAAE\n" % root),
    ("URL base64", "SYNTAX", "a.example/x\n1\n%s\n\n\u2014 a.example/x AAAA_-E=\n" % root),
    ("text behind the signatures", "SHORT", "a.example/x\n1\n%s\n\n" % root + small + "x"),
    ("a blank line behind", "SYNTAX", "a.example/x\n1\n%s\n\n" % root + small + "\n"),
    ("unused bits of three set", "SYNTAX", "a.example/x\n1\n%s\n\n\u2014 a.example/x AAAAAAAAAAF=\n" % root),
    ("unused bits of two set", "SYNTAX", "a.example/x\n1\n%s\n\n\u2014 a.example/x AAAAAAAAAB==\n" % root),
    ("the log's own line spelt otherwise", "SYNTAX", body + "\n" + respelt(ed) + ml),
    ("the log's own lines", "OK", body + "\n" + ed + ml),
    ("padding of one", "OK", "a.example/x\n1\n%s\n\n\u2014 a.example/x AAAAAAAAAAA=\n" % root),
    ("padding of two", "OK", "a.example/x\n1\n%s\n\n\u2014 a.example/x AAAAAAAAAA==\n" % root),
    ("padding too much", "SYNTAX", "a.example/x\n1\n%s\n\n\u2014 a.example/x AAAAA===\n" % root),
    ("padding before the end", "SYNTAX", "a.example/x\n1\n%s\n\n\u2014 a.example/x AAAAAA=A\n" % root),
    ("every character of base64", "OK", "a.example/x\n1\n%s\n\n\u2014 a.example/x %s\n" % (root, BASE64)),
] + [
    ("base64 with '%s' in it" % c, "SYNTAX", "a.example/x\n1\n%s\n\n\u2014 a.example/x %s\n" % (root, BASE64[:40] + c + BASE64[41:]))
    for c in "@[`{*,-.:;=_"
] + [
    ("a name with U+%04X" % ord(c), "OK", "a.example/x\n1\n%s\n\n\u2014 %s AAAAAAE=\n" % (root, c))
    for c in "\u0080\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff"
] + [
    ("a control character in a name", "SYNTAX", "a.example/x\n1\n%s\n\n" % root + small.replace("a.ex", "a\x01ex")),
    ("nothing", "SHORT", ""),
]]
bad_utf8 = [b"\xff", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf0\x80\x80\x80", b"\x80", b"\xe2\x82",
            b"\xf8\x88\x80\x80\x80", b"\xed\xbf\xbf", b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xf5\x80\x80\x80", b"\xe0\xa0\xc0",
            b"\xe0\xa0"]

good_vkey = log.vkeys()[0]
name, hexid, material = good_vkey.split("+", 2)
vkeys_bad = [
    ("another id", "MISMATCH", "%s+%s+%s" % (name, "5d228a76", material)),
    ("another name", "MISMATCH", "other.example+%s+%s" % (hexid, material)),
    ("another key", "MISMATCH", "%s+%s+%s" % (name, hexid, b64(b"\1" + ed25519.public(foreign_seed)))),
    ("upper-case id", "SYNTAX", good_vkey.replace(hexid, hexid.upper())),
    ("id of 7 digits", "SYNTAX", "%s+%s+%s" % (name, hexid[:7], material)),
    ("id of 9 digits", "SYNTAX", "%s+0%s+%s" % (name, hexid, material)),
    ("no name", "SYNTAX", "+%s+%s" % (hexid, material)),
    ("space in the name", "SYNTAX", "a b+%s+%s" % (hexid, material)),
    ("no material", "SYNTAX", "%s+%s" % (name, hexid)),
    ("empty material", "UNSUPPORTED", "%s+%s+" % (name, hexid)),
    ("base64 without padding", "SYNTAX", good_vkey.rstrip("=") + "A"),
    ("type 2", "UNSUPPORTED", vkey(name, "ed25519", log.keys.ed).replace(material, b64(b"\2" + log.keys.ed))),
    ("type 5", "UNSUPPORTED", "%s+%s+%s" % (name, hexid, b64(b"\5" + log.keys.ed))),
    ("type 0xff with another identifier", "UNSUPPORTED", "%s+%s+%s" % (name, hexid, b64(b"\xffhttpcg/ml-dsa-87/v2" + log.keys.ml))),
    ("type 0xff alone", "UNSUPPORTED", "%s+%s+%s" % (name, hexid, b64(b"\xff" + log.keys.ml))),
    ("Ed25519 key of 31 bytes", "KEY", vkey(name, "ed25519", log.keys.ed[:31])),
    ("Ed25519 key of 33 bytes", "KEY", vkey(name, "ed25519", log.keys.ed + b"\0")),
    ("Ed25519 key of small order", "KEY", vkey(name, "ed25519", b"\1" + bytes(31))),
    ("witness key of small order", "KEY", vkey(name, "cosign-ed25519", bytes(32))),
    ("ML-DSA-87 key of 2591 bytes", "KEY", vkey(name, "ml-dsa-87", log.keys.ml[:-1])),
    ("ML-DSA-44 key of 1311 bytes", "KEY", vkey(w2.name, w2.type, w2.public[:-1])),
    ("nothing", "SYNTAX", ""),
]

write("checkpoint", {
    "note": "C2SP notes. A case's note is its text, an empty line, and its lines in order; now is the time of checking, "
            "max_age the largest age of a cosignature, quorum 'two' two of the three witnesses. Made by make/checkpoint.py.",
    "now": str(NOW), "max_age": "21600",
    "log": {"origin": log.origin, "seed": seed(0xa0).hex(), "ed25519": log.keys.ed.hex(), "mldsa87": log.keys.ml.hex(),
            "vkey_ed25519": log.vkeys()[0], "vkey_mldsa87": log.vkeys()[1],
            "log_id": H(TUP("httpcg-log-id/v1", log.origin, log.keys.ed, H(log.keys.ml)))[:8].hex()},
    "size": str(SIZE), "root": ROOT.hex(),
    "witnesses": [{"name": w.name, "type": w.type, "seed": w.seed.hex(), "public": w.public.hex(), "vkey": w.vkey(),
                   "time": str(TIME), "message": w.message(log.origin, SIZE, ROOT, TIME).hex(), "line": cosigned[w.name]}
                  for w in (w1, w2, w3)],
    "lines": lines,
    "cases": cases,
    "reads": [{"why": w, "error": e, "note": t.encode().hex()} for w, e, t in reads]
    + [{"why": "not UTF-8", "error": "SYNTAX",
        "note": (b"a.example/x\n1\n" + root.encode() + b"\n\n" + small.encode().replace(b"a.ex", b)).hex()} for b in bad_utf8],
    "vkeys_bad": [{"why": w, "error": e, "vkey": v} for w, e, v in vkeys_bad],
    "c2sp": {"note": "signed-note, 'Example'", "text": "This is an example message.\n",
             "vkey": "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
             "line": "\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"},
})
