#!/usr/bin/env python3
"""Makes tests/vectors/record.json: records, their signed bytes and objects, the answers of a registry
and what is refused of them.  An answer is put together from parts, each of which stands here once."""
import calendar
import json
import os
import time

from forms import H, LIST, TUP, cbor, u, write
from keys import Hybrid, next_hash, seed, waddr
from ledgers import Ledger, cut, did, object_digest
from notes import Log

v1 = json.load(open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "v1.json")))
T = 1795366003  # of the newest head
DAY = 86400

owner_keys, operator_keys, zero_keys = Hybrid(seed(0)), Hybrid(seed(0xe0)), Hybrid(bytes(32))
gateway, owner = v1["gateway"]["did"], did(v1["wallet"]["waddr"])
operator = did(waddr(operator_keys, next_hash(zero_keys)))


def doc(keys, following):
    return cbor({"v": 1, "ed25519": keys.ed, "mldsa87": keys.ml, "next": following})


docs = {"owner": bytes.fromhex(v1["wallet"]["walletdoc"]), "operator": doc(operator_keys, next_hash(zero_keys)),
        "gateway": bytes.fromhex(v1["gateway"]["walletdoc"])}
assert docs["owner"] == doc(owner_keys, next_hash(Hybrid(seed(0x20))))
# The owner's DID once more, after operations (didop.json has the same wallet).
didop = json.load(open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "didop.json")))
assert bytes.fromhex(didop["inception"]) == docs["owner"]


def chain(*names):
    return cbor([docs["owner"]] + [bytes.fromhex(didop["documents"][name]) for name in names])


docs.update({"rotated": chain("one"), "rotated by the old keys": chain("one by the old keys"), "a link missing": chain("two"),
             "deactivated": chain("one", "two", "three", "off")})
one, two = (H(bytes.fromhex(didop["payloads"][name])) for name in ("one", "two"))
rotated_keys = Hybrid(seed(0x20))
hand = Log("ledger.example/bpi1", Hybrid(seed(0xa0)))
LOG_ID = H(TUP("httpcg-log-id/v1", hand.origin, hand.keys.ed, H(hand.keys.ml)))[:8]


def date(s):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(s))


def stamp(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def R(r, anchor, osig):
    return TUP("httpcg-registry-record/v1", r["httpcg_host"], r["target_host"], u(16, r["target_port"]), r["rp_did"],
               u(8, r["tlsls_required"]), r["rbac_profile"], anchor, u(64, stamp(r["expires_at"])), r["plane"],
               u(64, r["serial"]), u(64, stamp(r["issued_at"])), u(32, r["ttl"]), LIST(*r["gateway_dids"]),
               LIST(*r["gateways"]), r["target_auth"], osig)


def commitment(r):
    return H(TUP("httpcg-anchor/v1", "registry", R(r, "", "")))


def sign(r, owner_by=owner_keys, operator_by=operator_keys):
    r = dict(r)
    r["bpi_anchor"] = "bpi1:%s:%s" % (LOG_ID.hex(), commitment(r).hex())
    osig = owner_by.hsig("registry-owner", R(r, r["bpi_anchor"], ""))
    sig = operator_by.hsig("registry-operator", R(r, r["bpi_anchor"], H(osig)))
    out = {k: r[k] for k in ("httpcg_host", "target_host", "target_port", "rp_did", "tlsls_required", "rbac_profile",
                             "bpi_anchor", "expires_at")}
    out["signature"] = sig.hex()
    out.update({k: r[k] for k in ("plane", "serial", "issued_at", "ttl", "gateway_dids", "gateways", "target_auth")})
    out["owner_signature"] = osig.hex()
    return out


def text(r):
    return json.dumps(r, separators=(",", ":"))


plain = {"httpcg_host": "app.example.com", "target_host": "backend.example.net", "target_port": 443, "rp_did": owner,
         "tlsls_required": True, "rbac_profile": "web-default", "expires_at": date(T + DAY), "plane": "app", "serial": 7,
         "issued_at": date(T), "ttl": 300, "gateway_dids": [gateway], "gateways": ["gw1.example.com:443"],
         "target_auth": "webpki"}
records = {
    "good": sign(plain),
    "spki": sign({**plain, "target_auth": "spki:" + H(b"a key").hex(), "tlsls_required": False}),
    "tlsls": sign({**plain, "target_auth": "tlsls:" + gateway, "ttl": 0}),
    "many": sign({**plain, "gateway_dids": [gateway, owner], "gateways": ["gw%d.example.com:8443" % i for i in range(16)],
                  "ttl": 3600, "expires_at": date(T + 30 * DAY)}),
    "tombstone": sign({**plain, "target_host": "", "target_port": 0, "gateway_dids": [], "gateways": [], "serial": 8}),
    "lapsed": sign({**plain, "issued_at": date(T - 2 * DAY), "expires_at": date(T - DAY)}),
    "newer": sign({**plain, "serial": 8}),
    "older": sign({**plain, "serial": 6}),
    "twin": sign({**plain, "ttl": 301}),
    "other name": sign({**plain, "httpcg_host": "other.example.com"}),
    "other plane": sign({**plain, "plane": "bpi"}),
    "metadata": sign({**plain, "target_host": "169.254.169.254"}),
    "ssh": sign({**plain, "target_port": 22}),
    "by the registry alone": sign(plain, owner_by=operator_keys),
    "by the owner alone": sign(plain, operator_by=owner_keys),
    "by the rotated owner": sign(plain, owner_by=rotated_keys),
}
for name, anchor in (("anchored elsewhere", "bpi1:%s:%s" % ("00" * 8, commitment(plain).hex())),
                     ("anchored wrongly", "bpi1:%s:%s" % (LOG_ID.hex(), H(b"other").hex()))):
    r = dict(records["good"], bpi_anchor=anchor)
    r["owner_signature"] = owner_keys.hsig("registry-owner", R(r, anchor, "")).hex()
    r["signature"] = operator_keys.hsig("registry-operator", R(r, anchor, H(bytes.fromhex(r["owner_signature"])))).hex()
    records[name] = r
assert records["good"]["owner_signature"] == v1["registry"]["owner_signature"]
assert records["good"]["signature"] == v1["registry"]["operator_signature"]


def obj(r):
    return cbor([R(r, r["bpi_anchor"], ""), bytes.fromhex(r["owner_signature"]), bytes.fromhex(r["signature"])])


assert obj(records["good"]) == bytes.fromhex(v1["registry"]["object"])


def enter(l, name, t):
    r = records[name]
    c = commitment(r)
    subject = r["plane"] + "/" + r["httpcg_host"]
    index = l.add("registry", c, subject, object_digest(b"", R(r, r["bpi_anchor"], "")), t)
    l.set("reg", subject, c)
    return index


def ledger(*names):
    """A log that holds those records of the name, one after the other; the last is the current one."""
    l = Ledger(hand, [])
    l.add("did", H(docs["owner"]), owner, object_digest(b"", docs["owner"]), T - 100)
    l.set("did", owner[8:], H(docs["owner"]))
    for i in range(5):
        l.add("registry", H(b"record %d" % i), "app/host%d.example.com" % i, H(b"object %d" % i), T - 90)
        l.set("reg", "app/host%d.example.com" % i, H(b"record %d" % i))
    index = {name: enter(l, name, T - 50) for name in names}
    return l, index


ASKS = [("reg", "app/app.example.com"), ("did", owner[8:]), ("did", operator[8:])]
staples = {}


def staple(name, of, *names, rotate=None, to=H(b"a newer operation")):
    l, index = ledger(*names)
    if rotate:
        l.set("did", rotate[8:], to)
    size = l.head(T)
    staples[name] = cbor(l.staple(size, index.get(of), ASKS if of else ASKS[:1], witnessed=False))


staple("good", "good", "good")
staple("tombstone", "tombstone", "good", "tombstone")
staple("lapsed", "lapsed", "lapsed")
staple("superseded", "good", "good", "newer")
staple("of the twin", "twin", "good", "twin")
staple("owner rotated", "good", "good", rotate=owner)
staple("owner rotated once", "good", "good", rotate=owner, to=one)
staple("owner rotated twice", "good", "good", rotate=owner, to=two)
staple("registry rotated", "good", "good", rotate=operator)
staple("denial", None)
staple("metadata", "metadata", "metadata")
staple("ssh", "ssh", "ssh")
staple("entry of another", "older", "older", "good")
# Who may log may log any name with any commitment; the state map knows nothing of it.
l, index = ledger("good")
elsewhere = l.add("registry", commitment(records["good"]), "app/elsewhere.example.com", H(b"their object"), T - 40)
staples["the commitment under another name"] = cbor(l.staple(l.head(T), elsewhere, ASKS, witnessed=False))
# The map's proofs stand before the entry, so the first time the commitment is there it is a proof's value.
at = staples["good"].index(commitment(records["good"])) + 31
staples["a proof of another value"] = staples["good"][:at] + bytes([staples["good"][at] ^ 1]) + staples["good"][at + 1:]


def case(why, error, step, status=200, record="good", staple="good", wallet="owner", operator_did=operator, operator_doc="operator",
         now=T + 60, seen="", local=False, max_age=0):
    c = commitment(records[seen]).hex() if seen else ""
    return {"why": why, "error": error, "step": step, "status": str(status), "record": record, "staple": staple,
            "wallet_doc": wallet, "operator_did": operator_did, "operator_doc": operator_doc, "now": str(now),
            "seen_serial": str(records[seen]["serial"] if seen else 0), "seen_commitment": c,
            "local": "yes" if local else "", "max_age": str(max_age)}


cases = [
    case("good", "OK", ""),
    case("good, seen before", "OK", "", seen="good"),
    case("good, an older one seen", "OK", "", seen="older"),
    case("a valid record for another name", "MISMATCH", "name", record="other name"),
    case("a valid record in another plane", "MISMATCH", "name", record="other plane"),
    case("a clock 300 s behind", "OK", "", now=T - 300),
    case("from the future", "EARLY", "times", now=T - 301),
    case("expired", "EXPIRED", "times", now=T + DAY),
    case("lower serial", "ROLLBACK", "serial", record="older", staple="entry of another", seen="good"),
    case("same serial, other content", "CONFLICT", "serial", record="twin", staple="of the twin", seen="good"),
    case("a registry that nobody named", "UNKNOWN", "operator", operator_did=gateway, operator_doc="gateway"),
    case("the owner's document is another's", "MISMATCH", "keys", wallet="gateway"),
    case("the registry's document is another's", "MISMATCH", "keys", operator_doc="gateway"),
    case("operator only", "SIGNATURE", "signatures", record="by the registry alone"),
    case("owner only", "SIGNATURE", "signatures", record="by the owner alone"),
    case("anchored in a log unknown here", "UNKNOWN", "anchor", record="anchored elsewhere"),
    case("anchored as something else", "PROOF", "anchor", record="anchored wrongly"),
    case("stale checkpoint", "STALE", "checkpoint", now=T + 21601),
    case("stale for the policy", "STALE", "checkpoint", now=T + 601, max_age=600),
    case("no staple", "SHORT", "checkpoint", staple=""),
    case("the staple of a denial", "SCHEMA", "checkpoint", staple="denial"),
    case("the entry of an older record", "MISMATCH", "inclusion", staple="entry of another"),
    case("an entry of another name with this commitment", "MISMATCH", "inclusion", staple="the commitment under another name"),
    case("a proof of another value", "PROOF", "current", staple="a proof of another value"),
    case("superseded", "STALE", "current", staple="superseded"),
    case("the owner's keys are no longer the newest", "STALE", "current", staple="owner rotated"),
    case("the registry's keys are no longer the newest", "STALE", "current", staple="registry rotated"),
    case("an owner that rotated", "OK", "", record="by the rotated owner", wallet="rotated", staple="owner rotated once"),
    case("the old keys, after a rotation", "SIGNATURE", "signatures", wallet="rotated", staple="owner rotated once"),
    case("the newest operation is not the last of the chain", "STALE", "current", record="by the rotated owner", wallet="rotated",
         staple="owner rotated twice"),
    case("an operation that the ledger does not know", "STALE", "current", record="by the rotated owner", wallet="rotated"),
    case("an operation signed by the old keys", "SIGNATURE", "keys", record="by the rotated owner", wallet="rotated by the old keys"),
    case("a link missing in the chain", "PROOF", "keys", record="by the rotated owner", wallet="a link missing"),
    case("a deactivated owner", "REVOKED", "keys", wallet="deactivated"),
    case("a target that is an address", "TARGET", "target", record="metadata", staple="metadata"),
    case("a port that nobody allowed", "TARGET", "target", record="ssh", staple="ssh"),
    case("the same, mapped by the operator", "OK", "", record="ssh", staple="ssh", local=True),
    case("a tombstone", "NOT_FOUND", "target", record="tombstone", staple="tombstone"),
    case("never registered", "OK", "", status=404, record="", staple="denial"),
    case("never registered, but seen before", "ROLLBACK", "serial", status=404, record="", staple="denial", seen="good"),
    case("404 without proof", "SCHEMA", "form", status=404, record="", staple=""),
    case("404 with the staple of a record", "SCHEMA", "checkpoint", status=404, record="", staple="good"),
    case("404 with a stale denial", "STALE", "checkpoint", status=404, record="", staple="denial", now=T + 21601),
    case("a name that is gone", "OK", "", status=404, record="tombstone", staple="tombstone", seen="good"),
    case("a name that has run out", "OK", "", status=404, record="lapsed", staple="lapsed"),
    case("a name that lives", "CONFLICT", "times", status=404),
    case("gone, with the entry of another", "MISMATCH", "inclusion", status=404, record="tombstone", staple="good"),
    case("gone, for another name", "MISMATCH", "name", status=404, record="other name"),
    case("gone, but an older serial", "ROLLBACK", "serial", status=404, record="lapsed", staple="lapsed", seen="newer"),
    case("gone, by an unknown registry", "UNKNOWN", "operator", status=404, record="lapsed", staple="lapsed",
         operator_did=gateway, operator_doc="gateway"),
]

good_text = text(records["good"]).encode()


def read(why, error, **members):
    r = dict(records["good"])
    for k, v in members.items():
        if v is None:
            del r[k]
        else:
            r[k] = v
    return {"why": why, "error": error, **cut(good_text, text(r).encode())}


def raw(why, error, t):
    return {"why": why, "error": error, **cut(good_text, t)}


spaced = json.dumps(dict(reversed(list(records["good"].items()))), indent=2).encode()
reads = [
    raw("good", "OK", good_text),
    raw("other order and white space", "OK", spaced),
    read("no signature", "SCHEMA", signature=None),
    read("no serial", "SCHEMA", serial=None),
    read("a member more", "SCHEMA", descriptor="x"),
    raw("a member twice", "SCHEMA", good_text[:-1] + b',"ttl":300}'),
    read("serial 0", "SCHEMA", serial=0),
    raw("serial as text", "SCHEMA", good_text.replace(b'"serial":7', b'"serial":"7"')),
    raw("serial 7.0", "SYNTAX", good_text.replace(b'"serial":7', b'"serial":7.0')),
    raw("serial 7e0", "SYNTAX", good_text.replace(b'"serial":7', b'"serial":7e0')),
    raw("serial 07", "CANONICAL", good_text.replace(b'"serial":7', b'"serial":07')),
    raw("serial -7", "SCHEMA", good_text.replace(b'"serial":7', b'"serial":-7')),
    read("serial 2^53", "TOO_LARGE", serial=2**53),
    read("largest serial", "OK", serial=2**53 - 1),
    read("port 0", "SCHEMA", target_port=0),
    read("largest port", "OK", target_port=65535),
    read("port 65536", "SCHEMA", target_port=65536),
    read("ttl 3600", "OK", ttl=3600),
    read("ttl 3601", "SCHEMA", ttl=3601),
    read("30 days", "OK", expires_at=date(T + 30 * DAY)),
    read("30 days and a second", "EXPIRED", expires_at=date(T + 30 * DAY + 1)),
    read("expires as it is issued", "EXPIRED", expires_at=date(T)),
    read("expires before it is issued", "EXPIRED", expires_at=date(T - 1)),
    read("date with an offset", "EXTRA", issued_at="2026-11-22T16:46:43+00:00"),
    read("date with a fraction", "EXTRA", issued_at="2026-11-22T16:46:43.0Z"),
    read("unknown plane", "SCHEMA", plane="web"),
    read("plane in capitals", "SCHEMA", plane="APP"),
    read("plane gw", "UNSUPPORTED", plane="gw"),
    read("host in capitals", "SCHEMA", httpcg_host="App.example.com"),
    read("host with a trailing dot", "SCHEMA", httpcg_host="app.example.com."),
    read("host that is an address", "SCHEMA", httpcg_host="192.0.2.1"),
    read("no host", "SCHEMA", httpcg_host=""),
    read("target of 253 characters", "OK", target_host=("a" * 49 + ".") * 5 + "com"),
    read("target of 254 characters", "SCHEMA", target_host=("a" * 49 + ".") * 5 + "comm"),
    read("DID with a mistyped character", "MISMATCH", rp_did=owner[:20] + ("a" if owner[20] != "a" else "b") + owner[21:]),
    read("DID of another method", "SYNTAX", rp_did="did:web:example.com"),
    read("DID cut", "SHORT", rp_did=owner[:-1]),
    read("profile with a slash", "SCHEMA", rbac_profile="web/default"),
    read("profile in capitals", "SCHEMA", rbac_profile="Web"),
    read("no profile", "SCHEMA", rbac_profile=""),
    read("profile of 63 characters", "OK", rbac_profile="p" * 63),
    read("profile of 64 characters", "SCHEMA", rbac_profile="p" * 64),
    read("anchor cut", "SHORT", bpi_anchor=records["good"]["bpi_anchor"][:-1]),
    read("anchor in capitals", "SYNTAX", bpi_anchor=records["good"]["bpi_anchor"].upper()),
    read("no gateway DID", "SCHEMA", gateway_dids=[]),
    read("no gateway", "SCHEMA", gateways=[]),
    read("16 gateways", "OK", gateways=["gw%d.example.com:1" % i for i in range(16)]),
    read("17 gateways", "SCHEMA", gateways=["gw%d.example.com:1" % i for i in range(17)]),
    read("a gateway without port", "SCHEMA", gateways=["gw1.example.com"]),
    read("a gateway with port 0", "SCHEMA", gateways=["gw1.example.com:0"]),
    read("a gateway with port 65536", "SCHEMA", gateways=["gw1.example.com:65536"]),
    read("a gateway with port 0443", "SCHEMA", gateways=["gw1.example.com:0443"]),
    read("a gateway with port 44x", "SCHEMA", gateways=["gw1.example.com:44x"]),
    read("a gateway with port 4:4", "SCHEMA", gateways=["gw1.example.com:4:4"]),
    read("a gateway with an empty port", "SCHEMA", gateways=["gw1.example.com:"]),
    read("a gateway with port 10", "OK", gateways=["gw1.example.com:10"]),
    read("a gateway with port 65535", "OK", gateways=["gw1.example.com:65535"]),
    read("a gateway with port 100000", "SCHEMA", gateways=["gw1.example.com:100000"]),
    read("a tombstone without gateways", "OK", target_host="", target_port=0, gateways=[], gateway_dids=[]),
    read("a tombstone whose gateway is a number", "SCHEMA", target_host="", target_port=0, gateways=[1], gateway_dids=[]),
    read("a tombstone whose gateway DID is a number", "SCHEMA", target_host="", target_port=0, gateways=[], gateway_dids=[1]),
    read("a tombstone of 16 gateways", "OK", target_host="", target_port=0, gateways=["g.example:1"] * 16, gateway_dids=[]),
    read("a tombstone of 17 gateways", "SCHEMA", target_host="", target_port=0, gateways=["g.example:1"] * 17, gateway_dids=[]),
    read("16 gateway DIDs", "OK", gateway_dids=[gateway] * 16),
    read("17 gateway DIDs", "SCHEMA", gateway_dids=[gateway] * 17),
    read("the last second there is", "OK", expires_at="9999-12-31T23:59:59Z", issued_at="9999-12-02T00:00:00Z"),
    read("a gateway that is an address", "SCHEMA", gateways=["192.0.2.1:443"]),
    read("a gateway that is a number", "SCHEMA", gateways=[1]),
    read("target_auth unknown", "SCHEMA", target_auth="none"),
    read("target_auth spki cut", "SHORT", target_auth="spki:" + "00" * 31),
    read("target_auth spki in capitals", "SYNTAX", target_auth="spki:" + "AA" * 32),
    read("target_auth tlsls without DID", "SYNTAX", target_auth="tlsls:x"),
    read("tlsls_required as number", "SCHEMA", tlsls_required=1),
    read("signature a byte short", "SHORT", signature=records["good"]["signature"][:-2]),
    read("signature a byte long", "EXTRA", signature=records["good"]["signature"] + "00"),
    read("signature in capitals", "SYNTAX", signature=records["good"]["signature"][:-2] + "AA"),
    read("owner_signature a byte short", "SHORT", owner_signature=records["good"]["owner_signature"][:-2]),
    read("an escape", "SYNTAX", rbac_profile="web\\default"),
    read("a character beyond ASCII", "SYNTAX", rbac_profile="w\u00e9b"),
    raw("text behind", "EXTRA", good_text + b"x"),
    raw("cut", "SHORT", good_text[:-1]),
    raw("an array", "SYNTAX", b"[" + good_text + b"]"),
    raw("nothing", "SHORT", b""),
]

good_object = obj(records["good"])
signed = R(records["good"], records["good"]["bpi_anchor"], "")
sigs = [bytes.fromhex(records["good"][k]) for k in ("owner_signature", "signature")]


def object_case(why, error, bad):
    return {"why": why, "error": error, **cut(good_object, bad if isinstance(bad, bytes) else cbor(bad))}


def fields(**changed):
    """R with some of its fields replaced, by number from 0."""
    r = records["good"]
    f = [r["httpcg_host"], r["target_host"], u(16, 443), r["rp_did"], u(8, 1), r["rbac_profile"], r["bpi_anchor"],
         u(64, T + DAY), r["plane"], u(64, 7), u(64, T), u(32, 300), LIST(gateway), LIST("gw1.example.com:443"), "webpki", ""]
    for k, v in changed.items():
        f[int(k[1:])] = v
    return TUP("httpcg-registry-record/v1", *f)


assert fields() == signed
objects = [
    object_case("good", "OK", good_object),
    object_case("two members", "SCHEMA", [signed, sigs[0]]),
    object_case("four members", "SCHEMA", [signed, *sigs, b""]),
    object_case("a signature a byte short", "SCHEMA", [signed, sigs[0][:-1], sigs[1]]),
    object_case("another label", "SCHEMA", [signed.replace(b"record/v1", b"record/v2"), *sigs]),
    object_case("another count", "SCHEMA", [signed[:29] + b"\x0f" + signed[30:], *sigs]),
    object_case("with the owner's hash", "SCHEMA", [fields(_15=bytes(32)), *sigs]),
    object_case("a port of one byte", "SCHEMA", [fields(_2=b"\1"), *sigs]),
    object_case("a port of three bytes", "SCHEMA", [fields(_2=b"\0\1\xbb"), *sigs]),
    object_case("tlsls_required 2", "SCHEMA", [fields(_4=b"\2"), *sigs]),
    object_case("the last second there is", "OK", [fields(_7=u(64, 253402300799), _10=u(64, 253402300799 - DAY)), *sigs]),
    object_case("issued in the year 10000", "SCHEMA", [fields(_7=u(64, 253402300799), _10=u(64, 253402300800)), *sigs]),
    object_case("30 days", "OK", [fields(_7=u(64, T + 30 * DAY)), *sigs]),
    object_case("30 days and a second", "EXPIRED", [fields(_7=u(64, T + 30 * DAY + 1)), *sigs]),
    object_case("expires in the year 10000", "SCHEMA", [fields(_7=u(64, 253402300800)), *sigs]),
    object_case("expires at 2^64-1", "SCHEMA", [fields(_7=u(64, 2**64 - 1)), *sigs]),
    object_case("serial 2^53", "SCHEMA", [fields(_9=u(64, 2**53)), *sigs]),
    object_case("a target with a quote", "SCHEMA", [fields(_1="a\"b"), *sigs]),
    object_case("17 gateways", "SCHEMA", [fields(_13=LIST(*["g:1"] * 17)), *sigs]),
    object_case("a list longer than it says", "EXTRA", [fields(_13=LIST("gw1.example.com:443") + b"\0"), *sigs]),
    object_case("a list shorter than it says", "SHORT", [fields(_13=LIST("gw1.example.com:443")[:-1]), *sigs]),
    object_case("signed bytes that go on", "EXTRA", [signed + b"\0", *sigs]),
    object_case("signed bytes that end early", "SHORT", [signed[:-1], *sigs]),
    object_case("a byte behind", "EXTRA", good_object + b"\0"),
    object_case("nothing", "SHORT", b""),
]

dates = [(s, date(s)) for s in (0, 1, 59, 86399, 86400, 951782399, 951782400, 951868800, 1078012800, 4107542399, 4107542400,
                                T, 2**31 - 1, 2**31, 253402300799)]
dates_bad = ["", "2026-11-22T16:46:43", "2026-11-22T16:46:43z", "2026-11-22t16:46:43Z", "2026-11-22 16:46:43Z", "2026-11-22T16:46:60Z",
             "2026-11-22T24:00:00Z", "2026-11-22T16:60:43Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
             "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "1969-12-31T23:59:59Z", "2026-1-22T16:46:43ZZ",
             "+026-11-22T16:46:43Z", "2026-11-22T16:46:4 Z", "20261122T164643Z    ", "2026-11-22T16:46:43.5Z"]

write("record", {
    "note": "Registry records. A read and an object take the good one, cut `remove` bytes at `at` and insert there (hex). A "
            "case's answer is put together from its parts and judged at now, with the trust file given. Made by make/record.py.",
    "trust": "".join("log %s\n" % k for k in hand.vkeys()) + "quorum none\nregistry %s https://registry.example\n" % operator,
    "time": str(T), "owner": owner, "operator": operator, "log_id": LOG_ID.hex(),
    "records": {name: text(r) for name, r in records.items()},
    "commitments": {name: commitment(r).hex() for name, r in records.items()},
    "signed": {name: R(r, r["bpi_anchor"], "").hex() for name, r in records.items()},
    "staples": {name: s.hex() for name, s in staples.items()} | {"empty": ""},
    "docs": {name: d.hex() for name, d in docs.items()},
    "cases": cases,
    "reads": reads,
    "objects": objects,
    "dates": [{"seconds": str(s), "text": d} for s, d in dates],
    "dates_bad": dates_bad,
})
