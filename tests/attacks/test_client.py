"""The client believes a gateway, a registry and a ledger only as far as they prove what they say. Each
case is honest in everything but what its name says, and an honest one stands before them all."""
import base64
import json
import os
import time

import pytest

import hybrid
from client import Client
from fake import Between, Fake, batch
from forms import H, TUP, cbor
from house import DAY, House, Log, fingerprint_of, vkey
from hybrid import issue
from rogue import Wallet
from test_lies import SUBSTITUTIONS, answer_of, stranger, tell

VERIFIED, RECORD, CERTIFICATE, CHANNEL, ANSWER, LOG, ROLLBACK = 0, 111, 112, 113, 114, 117, 118


@pytest.fixture(scope="module")
def house(backend):
    with House(backend.port, site="truth.test", liars=True) as house:
        yield house


@pytest.fixture
def registry(house):
    yield house.false_registry
    house.false_registry.lie = None


@pytest.fixture
def client(house):
    client = Client(house)
    client.trust(registry_url=house.false_registry.url, ledger_url=house.false_ledger.url)
    yield client
    client.close()


@pytest.fixture
def fakes(house):
    made = []

    def make(**changes):
        made.append(Fake(house, **changes))
        return made[-1]

    yield make
    for fake in made:
        fake.close()
        assert not fake.trouble, fake.trouble


def refuses(client, house, fake, code, *checks):
    """Nothing is believed, nothing written, and no request, maybe no grant, was ever sent."""
    got, out, said = client.get(house.site, fake.port)
    assert got == code, (got, said)
    assert out == b"", out
    for check in checks:
        assert check in client.failed(said), said
    return said


def never_asked(fake, grants=0):
    assert not [target for _, target in fake.asked if target.startswith("httpcg:")], fake.asked
    assert fake.granted == grants, fake.asked


# --- honest ones ---

def test_an_honest_gateway_is_believed(world, client, house):
    code, out, said = client.get(house.site)
    assert (code, out) == (VERIFIED, b"GET /x"), said
    world.expected += 1


def test_an_honest_gateway_of_our_own_making_is_believed(client, house, fakes):
    fake = fakes().log()
    assert client.get(house.site, fake.port)[:2] == (VERIFIED, b"the honest answer")


# --- certificates ---

BAD_CERTIFICATES = {
    "expired": (lambda now: dict(issued_at=now - 2 * DAY, expires_at=now - 1), "is valid now, and for 90 days at most"),
    "from the future": (lambda now: dict(issued_at=now + 400, expires_at=now + DAY), "is valid now, and for 90 days at most"),
    "for too long": (lambda now: dict(issued_at=now - 60, expires_at=now + 90 * DAY), "is valid now, and for 90 days at most"),
    "a relay's": (lambda now: dict(role="relay"), "has the role expected here"),
    "a wallet's": (lambda now: dict(role="wallet"), "has the role expected here"),
    "a registry's": (lambda now: dict(role="registry"), "has the role expected here"),
    "another TLS key's": (lambda now: dict(spki=bytes(32)), "lists this connection's TLS key"),
    "another name's": (lambda now: dict(names=["gw2.test"]), "lists the name asked for"),
    "a wildcard's": (lambda now: dict(names=["*.test"]), None),
    "no name's": (lambda now: dict(names=[]), "lists the name asked for"),
}


@pytest.mark.parametrize("why", BAD_CERTIFICATES)
def test_a_certificate_is_refused_that_is(client, house, fakes, why):
    changes, check = BAD_CERTIFICATES[why]
    fake = fakes(**changes(int(time.time())))
    honest = fakes().log()
    # What the ledger would not take has at least an honest one's staple.
    try:
        fake.log()
    except AssertionError:
        fake.staple = honest.staple
    refuses(client, house, fake, CERTIFICATE, *([check] if check else []))
    never_asked(fake)


def test_a_certificate_that_nobody_logged_is_refused(client, house, fakes):
    fake, honest = fakes(), fakes().log()
    fake.staple = honest.staple
    refuses(client, house, fake, CERTIFICATE, "is logged, not revoked, of its DID's newest keys")
    fake.unprotected = lambda: {"wallet_doc": fake.identity.doc}
    refuses(client, house, fake, CERTIFICATE)
    never_asked(fake)


def revoke(house, fake):
    house.submit(issue(fake.identity.key, "revoke", cbor(
        {"v": 1, "did": fake.identity.did, "time": int(time.time()), "fingerprint": fingerprint_of(fake.payload)})))


def test_a_revoked_certificate_is_refused(client, house, fakes):
    fake = fakes().log()
    assert client.get(house.site, fake.port)[0] == VERIFIED
    before = fake.asked[:]
    revoke(house, fake)
    other = Client(house)
    try:
        refuses(other, house, fake, CERTIFICATE, "is logged, not revoked, of its DID's newest keys")
    finally:
        other.close()
    assert fake.asked[len(before):] == [("GET", "/.well-known/httpcg/tlsls")]


def test_a_stale_checkpoint_is_refused(client, house, fakes):
    """The certificate was revoked since: the gateway keeps showing what the ledger said before."""
    fake = fakes().log()
    old = fake.staple()
    fake.staple = lambda: old
    revoke(house, fake)
    client.trust(more="max-checkpoint-age 2\n")
    honest = fakes().log()  # fetches a staple for each question, and the ledger signs a head a second
    time.sleep(3)
    assert client.get(house.site, honest.port)[0] == VERIFIED
    refuses(client, house, fake, CERTIFICATE, "is logged, not revoked, of its DID's newest keys")
    never_asked(fake)


def test_a_certificate_of_keys_that_were_rotated_away_is_refused(client, house, fakes, world):
    """The DID may speak for the name; its old keys may not any more."""
    following = hybrid.Key(os.urandom(32))
    owner = Wallet()
    owner.address, owner.doc = owner.key.waddr(following.next_hash()), owner.key.doc(following.next_hash())
    owner.did = "did:bpi:" + owner.address
    name = "rotated.test"
    house.publish(name, gateway_dids=[owner.did])
    fake = fakes(subject_did=owner.did, issuer_did=owner.did)
    fake.identity = owner
    fake.log()
    assert client.get(name, fake.port)[0] == VERIFIED
    house.submit(issue(following, "didop", cbor(
        {"v": 1, "did": owner.did, "seq": 1, "op": "rotate", "ed25519": following.ed, "mldsa87": following.ml,
         "next": bytes(32), "prev": H(owner.doc)})))
    code, out, said = client.get(name, fake.port)
    assert (code, out) == (CERTIFICATE, b""), said


def test_another_gateways_certificate_is_refused(client, house, fakes):
    """Logged, valid, for this name and this key; only its DID is not one of the record's."""
    fake = fakes(subject_did=stranger.did, issuer_did=stranger.did)
    fake.identity = stranger
    fake.log()
    refuses(client, house, fake, CERTIFICATE, "is of a DID that may speak here")
    never_asked(fake)


def flipped(raw, at):
    at %= len(raw)
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1:]


def signed_by(first, second):
    """The certificate with each half by another key."""
    def tell(fake):
        one, two = hybrid.cose_sigs(first(fake), "tlsls", fake.payload), hybrid.cose_sigs(second(fake), "tlsls", fake.payload)
        return hybrid.cose("tlsls", fake.payload, [one[0], two[1]], fake.unprotected())
    return tell


OWN, OTHER = (lambda fake: fake.identity.key), (lambda fake: stranger.key)
DOCUMENTS = {
    "signed by another": signed_by(OTHER, OTHER), "one half by another": signed_by(OWN, OTHER), "the other half by another": signed_by(OTHER, OWN),
    "no ML-DSA half": lambda fake: hybrid.cose("tlsls", fake.payload, hybrid.cose_sigs(fake.identity.key, "tlsls", fake.payload)[:1], fake.unprotected()),
    "an empty ML-DSA half": lambda fake: hybrid.cose("tlsls", fake.payload, [hybrid.cose_sigs(fake.identity.key, "tlsls", fake.payload)[0], bytes(4627)], fake.unprotected()),
    "the halves swapped": lambda fake: hybrid.cose("tlsls", fake.payload, hybrid.cose_sigs(fake.identity.key, "tlsls", fake.payload)[::-1], fake.unprotected()),
    "signed as another document": lambda fake: hybrid.cose("tlsls", fake.payload, hybrid.cose_sigs(fake.identity.key, "policy", fake.payload), fake.unprotected()),
    "another wallet's document": lambda fake: issue(fake.identity.key, "tlsls", fake.payload, {"wallet_doc": stranger.doc, "staple": fake.staple()}),
    "cut": lambda fake: Fake.tell_certificate(fake)[:-1], "longer": lambda fake: Fake.tell_certificate(fake) + b"\0",
    "nothing": lambda fake: b"", "garbage": lambda fake: os.urandom(8000), "too large": lambda fake: bytes(200000),
    "a bit of the payload": lambda fake: flipped(Fake.tell_certificate(fake), -9000),
    "a bit of the staple": lambda fake: issue(fake.identity.key, "tlsls", fake.payload, {"wallet_doc": fake.identity.doc, "staple": flipped(fake.staple(), 5000)}),
    "the real gateway's": lambda fake: fake.house.document,
}


def test_a_substituted_certificate_is_refused(client, house, fakes):
    fake = fakes().log()
    for why, tell_it in DOCUMENTS.items():
        fake.tell_certificate = lambda: tell_it(fake)
        code, out, said = client.get(house.site, fake.port)
        assert (code, out) == (CERTIFICATE, b""), (why, said)
    never_asked(fake)


def test_a_handshake_that_announces_something_else_or_nothing_is_refused(client, house, fakes):
    fake = fakes().log()
    fake.announced = house.certificate
    refuses(client, house, fake, CERTIFICATE)
    fake.announced, fake.tls = fake.payload, {"reference": "no"}
    refuses(client, house, fake, CERTIFICATE)
    never_asked(fake)


@pytest.mark.parametrize("why, tls", [("another group", dict(groups="X25519")), ("TLS 1.2", dict(version="1.2", groups="X25519")),
                                      ("groups of Web2", dict(groups="P-256:P-384")), ("no protocol", dict(alpn="none"))])
def test_a_handshake_is_refused_with(client, house, fakes, why, tls):
    fake = fakes().log()
    fake.tls = tls
    code, out, said = client.get(house.site, fake.port)
    assert code != VERIFIED and out == b"", said
    never_asked(fake)
    assert fake.asked == []


def test_the_real_certificate_with_another_tls_key_is_refused(client, house, fakes):
    """Whoever talked a Web PKI authority into a certificate for the name."""
    fake = fakes(payload=house.certificate)
    refuses(client, house, fake, CERTIFICATE, "lists this connection's TLS key")
    never_asked(fake)


# --- the channel ---

def test_whoever_has_the_tls_key_and_no_more_gets_nothing(client, house, fakes):
    """The transport keys sign the channel. Their Ed25519 half is not enough either."""
    key, chain = house.path("tls.key"), house.path("tls.pem")
    fake = fakes(payload=house.certificate, tls_key=key, tls_chain=chain)
    thief = hybrid.Key(os.urandom(32))
    for sign in (lambda: thief, lambda: half(house.transport, thief), lambda: half(thief, house.transport)):
        fake.transport = sign()
        refuses(client, house, fake, CHANNEL, "the gateway proves that this connection is its own")
    never_asked(fake, grants=3)


class half:
    """A key whose halves are two persons'."""

    def __init__(self, ed, ml):
        self.sign_ed, self.sign_ml = ed.sign_ed, ml.sign_ml


@pytest.mark.parametrize("alpn", ["h2", "http/1.1"])
def test_whoever_has_the_tls_key_and_sits_between_gets_nothing(world, client, house, alpn):
    """Every byte is passed on. The gateway refuses the grant, for it names the other leg's channel."""
    between = Between(house, alpn)
    try:
        code, out, said = client.get(house.site, between.port)
        assert code != VERIFIED and out == b"", said
        assert between.passed > 10000 and not between.trouble, between.trouble
        assert "the gateway takes the wallet's grant" in client.failed(said), said
    finally:
        between.close()


def proof_over(**changes):
    def proof(fake, channel, grant_hash, answer):
        parts = dict(label="httpcg-channel-proof/v1", cb=channel.cb, grant=grant_hash, answer=H(answer))
        parts.update(changes)
        label = parts.pop("label")
        return batch(fake.transport, changes.get("dom", "channel-proof"), TUP(label, parts["cb"], parts["grant"], parts["answer"]))
    return proof


def raw_proof(change):
    return lambda fake, channel, grant_hash, answer: change(Fake.proof(fake, channel, grant_hash, answer))


PROOFS = {
    "of another channel": proof_over(cb=bytes(32)), "for another grant": proof_over(grant=bytes(32)),
    "of another answer": proof_over(answer=bytes(32)), "for another purpose": proof_over(dom="sapi-response"),
    "none": raw_proof(lambda proof: b""), "garbage": raw_proof(lambda proof: b"\x84" + proof[3:]),
    "a bit": raw_proof(lambda proof: flipped(proof, 100)), "the last bit of the signature": raw_proof(lambda proof: flipped(proof, -5)),
    "an index outside": raw_proof(lambda proof: proof[:-3] + b"\x01\x01\x80"), "a path of its own": raw_proof(lambda proof: proof[:-1] + b"\x81\x58\x20" + bytes(32)),
}


def test_a_channel_proof_is_refused_that_is(client, house, fakes):
    fake = fakes().log()
    for why, proof in PROOFS.items():
        fake.proof = lambda *about: proof(fake, *about)
        code, out, said = client.get(house.site, fake.port)
        assert (code, out) == (CHANNEL, b""), (why, said)
    never_asked(fake, grants=len(PROOFS))


def test_an_answer_to_a_grant_is_refused_that_is_not_what_was_agreed(client, house, fakes):
    fake = fakes().log()
    cases = {
        "for longer": dict(epochs=60), "with a mode more": dict(modes=["grant", "ed25519", "hybrid"]), "another server": dict(server_did=stranger.did),
        "of another grant": dict(grant_hash=bytes(32)), "version 2": dict(v=2), "a member more": dict(more=1), "no modes": dict(modes=["none"]),
        "a clock an hour off": dict(server_time=int(time.time()) - 3600)}
    for why, changes in cases.items():
        fake.terms = lambda grant_hash: {**Fake.terms(fake, grant_hash), **changes}
        code, out, said = client.get(house.site, fake.port)
        assert code != VERIFIED and out == b"", (why, said)
    fake.terms = lambda grant_hash: Fake.terms(fake, grant_hash)
    fake.confirm = lambda key, answer: bytes(32)
    refuses(client, house, fake, CHANNEL)
    never_asked(fake, grants=len(cases) + 1)


# --- answers ---

def changed_field(name, value):
    return lambda status, fields, body: (status, [(k, value if k == name else v) for k, v in fields if k != name or value is not None], body)


def changed_sapi(**changes):
    def change(status, fields, body):
        sapi = {**json.loads(dict(fields)["sapi-response"]), **changes}
        return changed_field("sapi-response", json.dumps(sapi, separators=(",", ":")))(status, fields, body)
    return change


ANSWERS = {
    "no signature": changed_field("sapi-response", None), "an empty signature": changed_field("sapi-response", ""),
    "another signature": changed_sapi(signature="0" * 64), "another request's": changed_sapi(nonce="0" * 32), "another mode's": changed_sapi(alg="none"),
    "another time": changed_sapi(timestamp=1), "another status": lambda status, fields, body: (201, fields, body),
    "an error as success": lambda status, fields, body: (404, fields, body), "another type": changed_field("content-type", "text/html"),
    "another tag": changed_field("etag", '"2"'), "a cookie more": lambda status, fields, body: (status, fields + [("set-cookie", "a=1")], body),
    "a location more": lambda status, fields, body: (status, fields + [("location", "https://evil.test")], body),
    "a covered field twice": lambda status, fields, body: (status, fields + [("etag", '"1"')], body),
    "two signatures": lambda status, fields, body: (status, fields + [f for f in fields if f[0] == "sapi-response"], body),
    "another body": lambda status, fields, body: (status, fields, b"the hostile answer"), "a body cut short": lambda status, fields, body: (status, fields, body[:-1]),
    "a longer body": lambda status, fields, body: (status, fields, body + b"!"), "no body": lambda status, fields, body: (status, fields, b""),
    "no digest": changed_field("content-digest", None),
    "another body and its digest": lambda status, fields, body: changed_field("content-digest", "sha-256=:%s:" % base64.b64encode(H(b"evil")).decode())(status, fields, b"evil"),
}


def test_an_answer_that_was_changed_is_not_believed(client, house, fakes):
    fake = fakes().log()
    for why, change in ANSWERS.items():
        fake.change = change
        code, out, said = client.get(house.site, fake.port, "-o", os.path.join(client.folder, "saved"))
        assert code not in (VERIFIED, 22), (why, code, said)
        assert not os.path.exists(os.path.join(client.folder, "saved")), why


def test_an_unsigned_refusal_is_only_a_hint(client, house, fakes):
    """Nobody vouches for it, so it is shown as what it is, never as the gateway's word."""
    fake = fakes().log()
    problem = b'{"type":"httpcg://bpi/problems.httpcg/v1/forbidden","title":"Forbidden","status":403,"instance":"urn:uuid:%s"}' % (b"0" * 8 + b"-0000-0000-0000-000000000000")
    for status in (200, 302, 403, 500):
        fake.change = lambda s, fields, body: (status, [("content-type", "application/problem+json")], problem)
        code, _, said = client.get(house.site, fake.port)
        assert code != VERIFIED, (status, said)


# --- records and the ledger ---

def test_a_substituted_record_is_refused_by_the_client_too(client, house, registry):
    for why, change in SUBSTITUTIONS.items():
        tell(registry, house.site, change(house, house.site))
        code, out, said = client.get(house.site)
        assert code in (RECORD, ROLLBACK) and out == b"", (why, code, said)


def test_a_record_of_another_name_is_refused_by_the_client(client, house, registry):
    house.publish("other.test")
    tell(registry, "other.test", answer_of(house, house.site))
    code, out, said = client.get("other.test")
    assert (code, out) == (RECORD, b""), said
    assert "the record is for the name that was asked" in client.failed(said)


def test_a_stale_record_is_refused_by_the_client(client, house, registry):
    old = answer_of(house, house.site)
    client.trust(registry_url=registry.url, more="max-checkpoint-age 2\n")
    time.sleep(3)
    tell(registry, house.site, old)
    code, out, said = client.get(house.site)
    assert (code, out) == (RECORD, b""), said
    assert "the log's head is signed, witnessed and fresh" in client.failed(said)


def test_a_record_that_was_rolled_back_is_refused_by_the_client(world, client, house, registry):
    name = "back.test"
    house.route(name, house.backend_port)
    house.reload()
    house.publish(name)
    first = answer_of(house, name)
    house.publish(name, serial=2)
    assert client.get(name)[0] == VERIFIED
    world.expected += 1
    tell(registry, name, first)
    code, out, said = client.get(name)
    assert (code, out) == (ROLLBACK, b""), said


def test_a_name_cannot_be_hidden_from_the_client(client, house, registry):
    _, denial = house.ask("GET", "/resolve/app/nobody.test")
    for lie in (denial, json.dumps({**json.loads(denial), "staple": answer_of(house, house.site)["staple"]}).encode(), b"{}", b""):
        registry.about("/resolve/app/" + house.site, (404, lie))
        code, out, said = client.get(house.site)
        assert code not in (VERIFIED, 110) and out == b"", (code, said)
    registry.lie = None
    assert client.get("nobody.test")[0] == 110


def test_a_witness_that_is_missing_is_missed(client, house):
    """The trust file asks for one; the log shows none."""
    trust = house.trust().replace("quorum none\n", "witness w %s\nquorum w\n" % vkey("witness.test", b"\x04", stranger.key.ed))
    client.put("trust.conf", trust.encode())
    code, out, said = client.get(house.site)
    assert (code, out) == (RECORD, b""), said
    assert "the log's head is signed, witnessed and fresh" in client.failed(said)


@pytest.mark.parametrize("floor, below", [("sapi grant", None), ("sapi none", None), ("padding 1", None), ("sapi ed25519", "sapi"),
                                          ("sapi hybrid", "sapi"), ("padding 2", "padding"), ("group X25519MLKEM768", "group")])
def test_a_gateway_whose_policy_promises_too_little_gets_no_grant(client, house, fakes, floor, below):
    """The house's gateway promises sapi_min grant, padding 1 because that is the default, and no group."""
    fake = fakes().log()
    client.put("trust.conf", (client.trust_text() + "floor %s\n" % floor).encode())
    code, out, said = client.get(house.site, fake.port)
    if below is None:
        assert code == VERIFIED, said
        return
    assert (code, out) == (CERTIFICATE, b""), said
    assert client.failed(said) == ["its policy promises what the trust file asks for"], said
    assert [check["detail"] for check in said["checks"] if not check["ok"]] == [below], said
    never_asked(fake)


def test_another_policy_than_the_one_promised_is_refused(client, house, fakes):
    """One that promises everything, in place of the one whose hash stands in the certificate."""
    better = cbor({"v": 1, "kind": "gateway", "name": "gateway", "owner": house.gateway.did, "version": 2, "sapi_min": "hybrid",
                   "padding": 3, "tls": {"min": "1.3", "groups": ["X25519MLKEM768"]}})
    fake = fakes().log()
    client.put("trust.conf", (client.trust_text() + "floor sapi grant\n").encode())
    kept, house.policy_document = house.policy_document, issue(house.gateway.key, "policy", better)
    try:
        refuses(client, house, fake, CERTIFICATE, "its policy promises what the trust file asks for")
    finally:
        house.policy_document = kept
    never_asked(fake)


def test_another_log_is_not_believed(client, house):
    """The same name, other keys: whoever runs a ledger under somebody's name."""
    mine = house.log
    house.log = Log(hybrid.Key(os.urandom(32)))
    try:
        client.trust()
    finally:
        house.log = mine
    code, out, said = client.get(house.site)
    assert (code, out) == (RECORD, b""), said
