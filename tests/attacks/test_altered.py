"""What is signed cannot be changed, added to or taken away on the way."""
import base64
import hmac
import time

import pytest

import hybrid
from rogue import COVERED, Wallet, hsig
from forms import H, u


def flipped(raw, at):
    at %= len(raw)
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1:]


@pytest.fixture(params=["grant", "ed25519", "hybrid"])
def mode(request):
    return request.param


# --- the request line ---

@pytest.mark.parametrize("signed, sent", [("GET", "DELETE"), ("POST", "PUT"), ("HEAD", "GET")])
def test_the_method_is_signed(world, grant, mode, signed, sent):
    request = grant.sign(signed, world.target("/item"), mode=mode)
    request.method = sent
    world.refused(request.send(), "auth-failed")


def test_a_get_is_no_head(world, grant):
    request = grant.sign("GET", world.target("/item"))
    request.method = "HEAD"
    answer = request.send()
    assert (answer.status, answer.body) == (401, b"")


def test_methods_are_told_apart_by_case(world, grant):
    request = grant.sign("GET", world.target("/item"))
    request.method = "get"
    world.refused(request.send(), "auth-failed" if grant.connection.http.is_h2 else "not-implemented")


def test_the_path_is_signed(world, grant, mode):
    for sent in ("/items", "/item/", "/", "/Item", "/item/..%3B"):
        request = grant.sign("GET", world.target("/item"), mode=mode)
        request.target = world.target(sent)
        world.refused(request.send(), "auth-failed")


def test_the_query_is_signed_and_an_empty_one_is_not_an_absent_one(world, grant):
    for signed, sent in (("", "?"), ("?", ""), ("?a=1", ""), ("", "?a=1"), ("?a=1", "?a=2"), ("?a=1", "?a=1&b=2"),
                         ("?a=1&b=2", "?b=2&a=1"), ("?a", "?a="), ("?a=%41", "?a=A")):
        request = grant.sign("GET", world.target("/item" + signed))
        request.target = world.target("/item" + sent)
        world.refused(request.send(), "auth-failed")
        world.ok(grant.sign("GET", world.target("/item" + signed)))
        assert world.backend.seen[-1].target == "/item" + signed


def test_the_name_is_signed(world, grant):
    for sent in ("bank.test", "shop.test.evil", "shop", "xn--shop-0qa.test"):
        request = grant.sign("GET", world.target("/item"))
        request.target = sent + "/item"
        world.refused(request.send(), "auth-failed")


def test_the_plane_is_signed(world, grant):
    request = grant.sign("GET", world.target("/item"), plane="wallet")
    request.plane = "app"
    world.refused(request.send(), "auth-failed")


def test_a_path_is_forwarded_as_it_was_verified(world, grant):
    request = grant.sign("GET", world.target("/honest~/caf%C3%A9"))
    request.target = world.target("/%68onest%7e/caf%c3%a9")
    world.ok(request)
    assert world.backend.seen[-1].target == "/honest~/caf%C3%A9"


def test_a_path_that_two_readers_may_read_differently_is_refused(world, grant):
    for path in ("//a", "/a//b", "/a/../b", "/a/./b", "/..", "/a/%2e%2e/b", "/a/.%2E/b", "/a%2Fb", "/a%5Cb", "/a\\b",
                 "/a%00", "/a%0d%0aX:1", "/a%7F", "/a%", "/a%4", "/a%zz", "/a#b", "/a<b", "/a|b", "?%00", "?a%0Ab",
                 "?%", "?a#b"):
        answer = grant.sign("GET", world.target(path)).send()
        assert answer.code == "bad-request", (path, answer)
        if answer.value("connection") == "close":
            grant = world.granted(alpn="http/1.1")


def test_bytes_that_no_path_has_are_refused(world, alpn):
    for path in ("/a\x7f", "/caf\xe9", "/a b", "/a\tb", "/a\x01"):
        answer = world.granted(alpn=alpn).sign("GET", world.target(path)).send()
        assert answer.code in (("bad-request", "reset") if alpn == "h2" else ("bad-request",)), (path, answer)


# --- fields ---

FIELDS = {"content-type": "text/plain", "content-encoding": "gzip", "range": "bytes=0-9", "if-match": '"a"',
          "if-none-match": '"b"', "idempotency-key": '"k"', "authorization": "Bearer x", "cookie": "a=1; b=2",
          "if-range": '"c"'}
assert list(FIELDS) == COVERED


def test_a_covered_field_cannot_be_changed_added_or_removed(world, grant):
    for name in COVERED:
        covered_field(world, grant, name)


def covered_field(world, grant, name):
    request = grant.sign("GET", world.target("/"), fields=[(name, FIELDS[name])])
    for sent in ([(name, FIELDS[name] + "0")], [], [(name, "")], [(name, FIELDS[name].upper())]):
        request.fields = sent
        world.refused(request.send(), "auth-failed")
    request.fields = [(name, FIELDS[name])]
    world.ok(request)
    bare = grant.sign("GET", world.target("/"))
    bare.fields = [(name, FIELDS[name])]
    world.refused(bare.send(), "auth-failed")


def test_a_covered_field_twice_is_malformed(world, grant):
    for name in COVERED:
        request = grant.sign("GET", world.target("/"), fields=[(name, FIELDS[name])])
        request.fields = request.fields * 2
        world.refused(request.send(), "auth-failed" if name == "cookie" else "bad-request")


def test_cookies_keep_their_order(world, grant):
    request = grant.sign("GET", world.target("/"), fields=[("cookie", "a=1"), ("cookie", "b=2")])
    request.fields = [("cookie", "b=2"), ("cookie", "a=1")]
    world.refused(request.send(), "auth-failed")
    request.fields = [("cookie", "a=1; b=2")]
    world.ok(request)


# --- what the headers themselves say ---

def test_each_value_of_the_lock_is_checked(world, alpn):
    grant = world.granted(alpn=alpn, epoch_start=int(time.time()) // 60 - 1)
    request = grant.sign("GET", world.target("/"))
    good = request.qlock
    session, lock = grant.connection.session_id, request.lock
    for bad in (good.replace(session, ("1" if session[0] == "0" else "0") + session[1:]),
                good.replace(lock.hex(), flipped(lock, 0).hex()), good.replace(lock.hex(), flipped(lock, -1).hex()),
                good.replace(lock.hex(), "00" * 32),
                good.replace(str(request.epoch), str(request.epoch - 1))):
        assert bad != good
        request.qlock = bad
        world.refused(request.send(), "auth-failed")
    request.qlock = good
    world.ok(request)


def test_each_value_of_the_signature_is_checked(world, grant):
    request = grant.sign("GET", world.target("/"))
    good = request.sapi
    for was, sent in ((grant.wallet.address, Wallet().address), (str(request.timestamp), str(request.timestamp - 1)),
                      (request.nonce.hex(), (request.nonce[:8] + u(64, 77)).hex()),
                      (request.nonce.hex(), flipped(request.nonce, 0).hex()),
                      (request.signature.hex(), flipped(request.signature, 0).hex()),
                      (request.signature.hex(), flipped(request.signature, -1).hex())):
        assert was in good
        request.sapi = good.replace(was, sent)
        world.refused(request.send(), "auth-failed")
    request.sapi = good
    world.ok(request)


def test_a_lock_alone_gives_no_access(world, grant):
    request = grant.sign("GET", world.target("/"))
    request.sapi = None
    world.refused(request.send(), "auth-required")


def test_a_signature_without_its_lock_gives_no_access(world, grant):
    request = grant.sign("GET", world.target("/"))
    request.qlock = None
    world.refused(request.send(), "auth-failed")


def test_a_lock_of_another_path_is_refused(world, grant):
    """Everything but the lock is signed for /b."""
    one, two = grant.sign("GET", world.target("/a")), grant.sign("GET", world.target("/b"))
    two.qlock = one.qlock
    world.refused(two.send(), "auth-failed")


@pytest.mark.parametrize("wrong", ["spki", "fingerprint", "exporter"])
def test_a_lock_derived_from_another_channel_is_refused(world, grant, wrong):
    connection = grant.connection
    good = getattr(connection, wrong)
    setattr(connection, wrong, flipped(good, 5))
    if wrong == "exporter":
        prk, connection.prk = connection.prk, hybrid.extract(b"httpcg-qlock/v1", connection.exporter)
    request = grant.sign("GET", world.target("/"), fingerprint=connection.fingerprint)
    setattr(connection, wrong, good)
    if wrong == "exporter":
        connection.prk = prk
    world.refused(request.send(), "auth-failed")


# --- signatures of another kind ---

def test_a_mac_is_no_ed25519_signature(world, grant):
    def mac_twice(tbs):
        return hmac.digest(grant.mac_key("c2s", int(time.time()) // 60), tbs, "sha256") * 2

    world.refused(grant.sign("GET", world.target("/"), mode="ed25519", signer=mac_twice).send(), "auth-failed")


def test_a_mac_under_the_key_of_answers_is_refused(world, grant):
    request = grant.sign("GET", world.target("/"))
    wrong = hmac.digest(grant.mac_key("s2c", request.epoch), request.tbs, "sha256")
    request.sapi = request.sapi.replace(request.signature.hex(), wrong.hex())
    world.refused(request.send(), "auth-failed")


def test_ed25519_by_the_wallet_itself_is_refused(world, grant):
    """The identity key signs nothing alone; requests have the session key."""
    world.refused(grant.sign("GET", world.target("/"), mode="ed25519", signer=grant.wallet.key.sign_ed).send(),
                  "auth-failed")


def test_ed25519_with_an_S_that_is_too_large_is_refused(world, grant):
    """S + L verifies where a verifier is careless (RFC 8032, 8.4)."""
    order = 2**252 + 27742317777372353535851937790883648493
    request = grant.sign("GET", world.target("/"), mode="ed25519")
    s = int.from_bytes(request.signature[32:], "little") + order
    other = request.signature[:32] + s.to_bytes(32, "little")
    good = request.sapi
    request.sapi = good.replace(request.signature.hex(), other.hex())
    world.refused(request.send(), "auth-failed")
    request.sapi = good
    world.ok(request)


HALVES = {
    "the ML-DSA half of another message": lambda good, other, foreign: good[:64] + other[64:],
    "the Ed25519 half of another message": lambda good, other, foreign: other[:64] + good[64:],
    "the ML-DSA half of another wallet": lambda good, other, foreign: good[:64] + foreign[64:],
    "the Ed25519 half of another wallet": lambda good, other, foreign: foreign[:64] + good[64:],
    "no ML-DSA half": lambda good, other, foreign: good[:64] + bytes(4627),
    "no Ed25519 half": lambda good, other, foreign: bytes(64) + good[64:],
    "the halves swapped": lambda good, other, foreign: good[64:] + good[:64],
    "one bit of the ML-DSA half": lambda good, other, foreign: flipped(good, -1),
}


def test_a_hybrid_signature_needs_both_halves(world, grant):
    key, stranger = grant.wallet.key, Wallet().key

    for change in HALVES.values():
        def signer(tbs):
            return change(hsig(key, "sapi-request", tbs), hsig(key, "sapi-request", tbs + b"."),
                          hsig(stranger, "sapi-request", tbs))

        world.refused(grant.sign("GET", world.target("/vault/x"), mode="hybrid", signer=signer).send(), "auth-failed")


def test_a_hybrid_signature_of_another_domain_is_refused(world, grant):
    world.refused(grant.sign("GET", world.target("/vault/x"), mode="hybrid",
                             signer=lambda tbs: hsig(grant.wallet.key, "grant", tbs)).send(), "auth-failed")


def test_a_weaker_signature_than_the_rule_asks_for_steps_up(world, grant):
    for weak in ("grant", "ed25519"):
        answer = grant.sign("GET", world.target("/vault/x"), mode=weak).send()
        world.refused(answer, "step-up")
        assert answer.problem["sapi"] == "hybrid"
    world.ok(grant.sign("GET", world.target("/vault/x"), mode="hybrid"))


# --- bodies, as far as the head tells ---

def test_a_body_and_its_digest_cannot_be_changed_together(world, grant, mode):
    request = grant.sign("POST", world.target("/pay"), body=b"100", mode=mode)
    request.body = b"900"
    request.digest = "sha-256=:%s:" % base64.b64encode(H(b"900")).decode()
    world.refused(request.send(), "auth-failed")


def test_a_body_cannot_be_added_to_a_request_without_one(world, grant):
    request = grant.sign("POST", world.target("/pay"))
    request.body, request.body_mode = b"100", 1
    request.digest = "sha-256=:%s:" % base64.b64encode(H(b"100")).decode()
    world.refused(request.send(), "auth-failed")


def test_a_body_cannot_be_taken_away_with_its_digest(world, grant):
    request = grant.sign("POST", world.target("/pay"), body=b"100")
    request.body, request.body_mode = b"", 0
    world.refused(request.send(), "auth-failed")


def test_a_trailer_cannot_take_the_place_of_a_digest(world, grant):
    """A signature made for a known body, sent as one whose digest follows."""
    request = grant.sign("POST", world.target("/pay"), body=b"100")
    request.body_mode, request.body = 2, b"900"
    request.trailer = request._trailer()
    world.refused(request.send(), "auth-failed")
