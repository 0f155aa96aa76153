"""A grant is one wallet's word for one channel, believed once."""
import os
import time

import pytest

import hybrid
from hybrid import hsig, issue
from forms import H, cbor
from rogue import Wallet

# Small-order points and encodings that are not canonical (RFC 8032, 5.1.3); y >= p last.
BAD_KEYS = [
    "00" * 32, "01" + "00" * 31, "ec" + "ff" * 30 + "7f", "ed" + "ff" * 30 + "7f", "ee" + "ff" * 30 + "7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", "00" * 31 + "80", "ff" * 32]


@pytest.fixture
def connection(world, alpn):
    return world.connect(alpn=alpn)


@pytest.fixture
def wallet():
    return Wallet()


class Chances:
    """Before its first grant a connection has ten requests; each of these comes on one that has some left."""

    def __init__(self, world, alpn):
        self.world, self.alpn, self.left = world, alpn, 0

    def connection(self):
        if self.left == 0:
            self.last, self.left = self.world.connect(alpn=self.alpn), 8
        self.left -= 1
        return self.last


@pytest.fixture
def chances(world, alpn):
    return Chances(world, alpn)


def try_grant(connection, wallet, fields=None, **changes):
    """Posts a grant with these fields changed, signed rightfully."""
    return connection.post(connection.sealed(wallet, fields or connection.draft(wallet, **changes)).body)


def flipped(raw, at=0):
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1:]


def then_serves(world, connection, wallet):
    """What was refused left nothing behind on the connection."""
    world.ok(connection.grant(wallet).sign("GET", world.target("/")))


# --- of this channel ---

@pytest.mark.parametrize("name", ["cb", "tlsls_fpr", "spki_hash"])
def test_a_grant_for_another_channel_is_refused(world, connection, wallet, name):
    for value in (flipped(connection.draft(wallet)[name]), bytes(32)):
        world.refused(try_grant(connection, wallet, **{name: value}), "auth-failed")
    then_serves(world, connection, wallet)


def test_a_grant_for_another_session_is_refused(world, connection, wallet):
    other = world.connect()
    world.refused(try_grant(connection, wallet, session_id=other.session_id), "auth-failed")
    world.refused(try_grant(connection, wallet, cb=other.cb), "auth-failed")
    then_serves(world, connection, wallet)


def test_a_request_for_a_relayed_grant_needs_the_channels_secret(world, connection, wallet):
    """Between a victim and the gateway: two channels, and the victim's grant fits neither leg."""
    victim = world.connect()  # the leg of the victim, which ends at somebody else's
    grant = victim.sealed(wallet, victim.draft(wallet))
    world.refused(connection.post(grant.body), "auth-failed")
    request = grant.sign("GET", world.target("/"))
    world.refused(request.send(connection), "auth-required")


# --- by this wallet ---

SIGNATURES = {
    "no ML-DSA half": lambda good, other, foreign: good[:64] + bytes(4627),
    "no Ed25519 half": lambda good, other, foreign: bytes(64) + good[64:],
    "the ML-DSA half of another grant": lambda good, other, foreign: good[:64] + other[64:],
    "the Ed25519 half of another grant": lambda good, other, foreign: other[:64] + good[64:],
    "the ML-DSA half of another wallet": lambda good, other, foreign: good[:64] + foreign[64:],
    "the Ed25519 half of another wallet": lambda good, other, foreign: foreign[:64] + good[64:],
    "another wallet's": lambda good, other, foreign: foreign,
    "another grant's": lambda good, other, foreign: other,
    "the last bit": lambda good, other, foreign: flipped(good, 4690),
    "the first bit": lambda good, other, foreign: flipped(good),
}


def test_a_grant_needs_both_halves_of_its_signature(world, chances, wallet):
    stranger = Wallet()
    for change in SIGNATURES.values():
        connection = chances.connection()
        wire, other = cbor(connection.draft(wallet)), cbor(connection.draft(wallet))
        signature = change(*(hsig(key, "grant", message) for key, message in
                             ((wallet.key, wire), (wallet.key, other), (stranger.key, wire))))
        world.refused(connection.post(cbor([wire, wallet.doc, signature])), "auth-failed")
    then_serves(world, connection, wallet)


def test_a_signature_for_another_purpose_is_refused(world, connection, wallet):
    wire = cbor(connection.draft(wallet))
    for signature in (hsig(wallet.key, "sapi-request", wire), wallet.key.sign_ed(wire) + wallet.key.sign_ml(wire),
                      wallet.key.sign_ed(wire) + wallet.key.sign_ml(wire, b"HSIG1:grant")):
        world.refused(connection.post(cbor([wire, wallet.doc, signature])), "auth-failed")
    then_serves(world, connection, wallet)


def test_a_signature_of_another_length_is_malformed(world, connection, wallet):
    wire = cbor(connection.draft(wallet))
    good = hsig(wallet.key, "grant", wire)
    for signature in (good[:64], good[64:], good[:-1], good + b"\0", b""):
        world.refused(connection.post(cbor([wire, wallet.doc, signature])), "bad-request")
    then_serves(world, connection, wallet)


def test_another_wallets_document_is_refused(world, connection, wallet):
    stranger = Wallet()
    wire = cbor(connection.draft(wallet))
    for doc, key in ((stranger.doc, stranger.key), (stranger.doc, wallet.key),
                     (wallet.key.doc(os.urandom(32)), wallet.key)):
        world.refused(connection.post(cbor([wire, doc, hsig(key, "grant", wire)])), "auth-failed")
    then_serves(world, connection, wallet)


def test_keys_that_sign_anything_are_refused(world, chances, wallet):
    for bad in BAD_KEYS:
        connection = chances.connection()
        world.refused(try_grant(connection, wallet, session_key=bytes.fromhex(bad)), "auth-failed")
    then_serves(world, connection, wallet)


def test_a_wallet_whose_ed25519_key_signs_anything_is_refused(world, connection, wallet):
    """Under the neutral element R = it, S = 0 verifies for every message; the rest is honest."""
    neutral = bytes([1]) + bytes(31)
    wallet.key.ed = neutral
    wallet.address, wallet.doc = wallet.key.waddr(bytes(32)), wallet.key.doc(bytes(32))
    wire = cbor(connection.draft(wallet))
    good = hsig(wallet.key, "grant", wire)
    world.refused(connection.post(cbor([wire, wallet.doc, neutral + bytes(32) + good[64:]])), "auth-failed")


def test_one_connection_has_one_wallet(world, connection, wallet):
    first = connection.grant(wallet)
    world.refused(try_grant(connection, Wallet()), "auth-failed")
    world.ok(first.sign("GET", world.target("/")))


def test_a_request_names_its_grants_wallet(world, connection, wallet):
    grant = connection.grant(wallet)
    world.refused(grant.sign("GET", world.target("/"), wallet=Wallet()).send(), "auth-failed")


def with_next(wallet):
    """The wallet's next generation; its address commits to it."""
    following = hybrid.Key(os.urandom(32))
    wallet.address, wallet.doc = wallet.key.waddr(following.next_hash()), wallet.key.doc(following.next_hash())
    wallet.did = "did:bpi:" + wallet.address
    return following


def operation(wallet, key, op):
    return issue(key, "didop", cbor({"v": 1, "did": wallet.did, "seq": 1, "op": op, "ed25519": key.ed, "mldsa87": key.ml,
                                     "next": bytes(32), "prev": H(wallet.doc)}))


def test_keys_that_were_rotated_away_are_refused(world, connection, wallet):
    following = with_next(wallet)
    rotation = operation(wallet, following, "rotate")
    world.house.submit(wallet.doc)
    world.house.submit(rotation)
    world.refused(try_grant(connection, wallet), "auth-failed")
    wire = cbor(connection.draft(wallet))
    chain = cbor([wallet.doc, rotation])
    # The thief's keys, with the document that took them away.
    world.refused(connection.post(cbor([wire, chain, hsig(wallet.key, "grant", wire)])), "auth-failed")
    wallet.key, wallet.doc = following, chain
    then_serves(world, connection, wallet)


def test_a_wallet_that_was_given_up_is_refused(world, connection, wallet):
    following = with_next(wallet)
    end = operation(wallet, following, "deactivate")
    world.house.submit(wallet.doc)
    world.house.submit(end)
    world.refused(try_grant(connection, wallet), "auth-failed")
    wire = cbor(connection.draft(wallet))
    for key in (wallet.key, following):
        world.refused(connection.post(cbor([wire, cbor([wallet.doc, end]), hsig(key, "grant", wire)])), "auth-failed")


def test_a_rotation_that_nobody_logged_is_refused(world, connection, wallet):
    """Whoever found the next keys too early must first be seen in public."""
    following = with_next(wallet)
    wire = cbor(connection.draft(wallet))
    chain = cbor([wallet.doc, operation(wallet, following, "rotate")])
    world.refused(connection.post(cbor([wire, chain, hsig(following, "grant", wire)])), "auth-failed")
    then_serves(world, connection, wallet)


# --- what it asks for ---

def test_a_grant_for_too_long_is_malformed(world, connection, wallet):
    for epochs in (0, 61, 2**32, 2**63):
        world.refused(try_grant(connection, wallet, epochs=epochs), "bad-request")
    then_serves(world, connection, wallet)


def test_a_grant_from_another_time_is_refused(world, connection, wallet):
    epoch = int(time.time()) // 60
    for start in (epoch - 2, epoch + 1, 0, 2**53 - 1):
        answer = world.refused(try_grant(connection, wallet, epoch_start=start), "clock-skew")
        assert abs(answer.problem["server_time"] - time.time()) < 3
    for skew in (-303, 303, -2**30, 2**40):
        world.refused(try_grant(connection, wallet, timestamp=int(time.time()) + skew), "clock-skew")
    then_serves(world, connection, wallet)


def test_a_scope_is_kept(world, connection, wallet):
    grant = connection.grant(wallet, scope=["app/elsewhere.test"])
    world.refused(grant.sign("GET", world.target("/")).send(), "forbidden")


def test_a_mode_that_was_not_granted_is_refused(world, connection, wallet):
    grant = connection.grant(wallet, modes=["grant"])
    world.refused(grant.sign("GET", world.target("/"), mode="ed25519").send(), "auth-failed")
    world.ok(grant.sign("GET", world.target("/")))
    world.ok(grant.sign("GET", world.target("/"), mode="hybrid"))


MALFORMED = {
    "another version": dict(v=2), "no version": dict(v=None), "an unknown member": dict(more=1),
    "a wallet with a broken checksum": dict(wallet_address="a" * 56), "a wallet that is no text": dict(wallet_address=1),
    "a session key of 31 bytes": dict(session_key=bytes(31)), "a cb of 33 bytes": dict(cb=bytes(33)),
    "a nonce of 15 bytes": dict(nonce=bytes(15)), "no nonce": dict(nonce=None), "an unknown mode": dict(modes=["none"]),
    "hybrid among the modes": dict(modes=["grant", "hybrid"]), "a mode twice": dict(modes=["grant", "grant"]),
    "no scope": dict(scope=[]), "33 scopes": dict(scope=["app/%d.test" % i for i in range(33)]),
    "a star among names": dict(scope=["*", "app/shop.test"]), "a wildcard": dict(scope=["app/*"]),
    "a scope without plane": dict(scope=["shop.test"]), "a negative time": dict(timestamp=-1),
    "epochs as text": dict(epochs="10"), "five credentials": dict(creds=[b"x"] * 5), "no credential": dict(creds=[]),
    "a null": dict(scope=[None]), "a session id in capitals": dict(session_id="0F0D13B8-A56F-861F-A8D3-85F9EF52C3D2"),
}


def test_what_the_schema_refuses_is_malformed(world, chances, wallet):
    for why, changes in MALFORMED.items():
        connection = chances.connection()
        fields = {**connection.draft(wallet), **changes}
        answer = try_grant(connection, wallet, {k: v for k, v in fields.items() if v is not None})
        assert answer.code == "bad-request", (why, answer)
        world.refused(answer, "bad-request")
    then_serves(world, connection, wallet)


def test_cbor_has_one_form(world, chances, wallet):
    connection = chances.connection()
    good = cbor(connection.draft(wallet))
    body = cbor([good, wallet.doc, hsig(wallet.key, "grant", good)])

    def signed(wire):
        return cbor([wire, wallet.doc, hsig(wallet.key, "grant", wire)])

    v = b"\x61v\x01"
    assert good[1:4] == v
    others = {
        "a long integer": signed(good.replace(v, b"\x61v\x18\x01")), "a float": signed(good.replace(v, b"\x61v\xf9\x3c\x00")),
        "a member twice": signed(bytes([good[0] + 1]) + v + good[1:]), "unsorted": signed(good[:1] + good[4:] + v),
        "indefinite": signed(b"\xbf" + good[1:] + b"\xff"), "a byte more": signed(good + b"\0"), "cut": signed(good[:-1]),
        "a tag": signed(b"\xc1" + good), "empty": b"", "cut outside": body[:-1], "a byte more outside": body + b"\0",
        "an array of four": b"\x84" + body[1:] + b"\0", "an indefinite array": b"\x9f" + body[1:] + b"\xff",
        "JSON": b"{}", "a long array": b"\x98\x03" + body[1:], "deep": b"\x81" * 5000, "a huge length": b"\x9b" + b"\xff" * 8,
        "a huge string": b"\x83\x5b" + b"\xff" * 8}
    for why, wire in others.items():
        answer = chances.connection().post(wire)
        assert answer.code == "bad-request", (why, answer)
    then_serves(world, chances.last, wallet)


def test_a_grant_is_limited_in_size(world, connection, wallet):
    answer = connection.post(cbor([b"x" * (96 * 1024 + 1), wallet.doc, bytes(4691)]))
    assert answer.code in ("too-large", "ended"), answer


def test_a_grant_of_another_type_or_method_is_no_grant(world, connection, wallet):
    grant = connection.sealed(wallet, connection.draft(wallet))
    for method, fields in (("POST", [("content-type", "application/cbor")]), ("POST", []),
                           ("PUT", [("content-type", "application/httpcg-grant+cbor")])):
        answer = connection.http.control(method, world.house.name, "/.well-known/httpcg/grant", fields, grant.body)
        assert answer.status in (400, 405, 415, 421), answer
        world.refused(grant.sign("GET", world.target("/")).send(), "auth-required")
    then_serves(world, connection, wallet)


# --- how often ---

def test_a_third_grant_evicts_the_oldest(world, connection, wallet):
    grants = [connection.grant(wallet) for _ in range(3)]
    world.refused(grants[0].sign("GET", world.target("/")).send(), "auth-failed")
    world.ok(grants[1].sign("GET", world.target("/")))
    world.ok(grants[2].sign("GET", world.target("/")))


def test_a_grant_that_begins_like_a_live_one_is_refused(world, connection, wallet):
    """The first 8 bytes of its hash select a grant; two alike cannot both live. The same grant is
    such a one, and nobody can make another in reasonable time."""
    grant = connection.grant(wallet)
    world.refused(connection.post(grant.body), "auth-failed")
    world.refused(connection.post(grant.body), "auth-failed")
    world.ok(grant.sign("GET", world.target("/")))


def test_a_connection_that_never_gets_a_grant_may_not_ask_for_ever(world, connection, wallet):
    """Before a first grant a stranger has ten questions."""
    answers = []
    for _ in range(40):
        answers.append(connection.http.control("GET", world.house.name, "/.well-known/httpcg/time").code)
        if answers[-1] in ("ended", "silence"):
            break
    assert answers[:10] == [200] * 10, answers
    assert answers[-1] != 200, answers
