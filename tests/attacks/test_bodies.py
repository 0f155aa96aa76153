"""A backend sees the end of a body only if it is the body that was signed."""
import base64
import json

import pytest

import h2
from forms import H
from house import House, rule
from rogue import Connection, Wallet

LARGE = 1024 * 1024 + 300000  # over what is held whole


def digest_of(body):
    return "sha-256=:%s:" % base64.b64encode(H(body)).decode()


def large():
    return bytes(range(256)) * (LARGE // 256)


def flipped(body, at):
    at %= len(body)
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1:]


@pytest.mark.parametrize("body_mode", [1, 2])
def test_a_changed_body_never_arrives(world, grant, body_mode):
    for body in (b"x", b"100" * 1000, bytes(100000)):
        for at in (0, len(body) // 2, -1):
            request = grant.sign("POST", world.target("/pay"), body=body, body_mode=body_mode)
            request.body = flipped(body, at)
            answer = request.send()
            if body_mode == 2:  # its trailer is signed for another digest than the bytes have
                assert answer.code == "digest-mismatch" and request.verify(answer), answer
            else:
                world.refused(answer, "digest-mismatch")
                assert request.verify(answer)
    world.ok(grant.sign("POST", world.target("/pay"), body=b"100", body_mode=body_mode))


def test_a_body_cut_short_or_longer_never_arrives(world, grant):
    for sent in (b"hell", b"hello!", b""):
        request = grant.sign("POST", world.target("/pay"), body=b"hello")
        request.body = sent
        if not sent:
            request.fields = []
        assert request.send().code == "digest-mismatch", sent


@pytest.mark.parametrize("body_mode", [1, 2])
@pytest.mark.parametrize("at", [-1, -16384, -20000, 0])
def test_the_backend_never_sees_the_end_of_a_large_body_that_was_changed(world, alpn, body_mode, at):
    """Its last 16 KiB are held back until the digest is known; then the backend's connection ends."""
    grant = world.granted(alpn=alpn)
    request = grant.sign("POST", world.target("/upload"), body=large(), body_mode=body_mode)
    request.body = flipped(request.body, at)
    answer = request.send()
    assert answer.code in ("digest-mismatch", "reset", "ended"), answer
    assert world.backend.wait(lambda seen: len(seen) > world.before)
    world.expected += 1
    seen = world.backend.seen[-1]
    assert seen.target == "/upload" and not seen.complete
    assert len(seen.body) <= LARGE - 16384
    # Nothing more comes: neither the rest nor an end.
    assert not world.backend.wait(lambda _: seen.complete or len(seen.body) > LARGE - 16384, 0.3)


def test_a_large_body_as_it_was_signed_arrives(world, grant):
    for body_mode in (1, 2):
        body = large()
        world.ok(grant.sign("POST", world.target("/upload"), body=body, body_mode=body_mode))
        seen = world.backend.seen[-1]
        assert seen.complete and seen.body == body


def test_a_client_that_goes_away_leaves_the_backend_without_an_end(world, alpn):
    grant = world.granted(alpn=alpn)
    body = large()
    request = grant.sign("POST", world.target("/upload"), body=body)
    http = grant.connection.http
    if alpn == "h2":
        stream = http.open([(":method", "POST"), (":scheme", "httpcg"), (":authority", "app"),
                            (":path", "/" + request.target), *request.head_fields()], end=False)
        http.data(stream, body[:-1], end=False)
    else:
        http.send(http.head("POST httpcg://app/%s HTTP/1.1" % request.target,
                            [("Host", "app"), ("Content-Length", len(body)), *request.head_fields()]) + body[:-1])
    assert world.backend.wait(lambda seen: len(seen) > world.before and len(seen[-1].body) > LARGE // 2)
    grant.connection.close()
    world.expected += 1
    seen = world.backend.seen[-1]
    assert not world.backend.wait(lambda _: seen.complete, 0.5)


# --- digests ---

def test_a_digest_has_one_spelling(world, grant):
    good = digest_of(b"hello")
    for bad in (good[:-1], good.replace("sha-256", "sha-512"), good.replace("=:", "="), good + ", " + good,
                good.replace(":", ""), "sha-256=:AAAA:", "", good + ",x", good.replace("=:", "=:%3D")):
        request = grant.sign("POST", world.target("/pay"), body=b"hello")
        request.digest = bad
        assert request.send().code == "bad-request", bad
        if not grant.connection.http.is_h2:  # it ends behind such an answer, sooner or later
            grant = world.granted(alpn="http/1.1")


def test_a_digest_twice_is_malformed(world, grant):
    request = grant.sign("POST", world.target("/pay"), body=b"hello")
    request.fields = [("content-digest", request.digest)]
    world.refused(request.send(), "bad-request")


def test_a_body_without_any_digest_is_malformed(world, alpn):
    grant = world.granted(alpn=alpn)
    request = grant.sign("POST", world.target("/pay"))
    request.body = b"hello"
    assert request.send().code in ("bad-request", "reset", "ended", "digest-mismatch")


def test_a_digest_and_a_trailer_together_are_malformed(world, grant):
    request = grant.sign("POST", world.target("/pay"), body=b"hello", body_mode=2)
    request.fields = [("content-digest", request.digest)]
    world.refused(request.send(), "bad-request")


# --- trailers ---

def trailer(request, **changes):
    fields = {**json.loads(request.trailer), **changes}
    return json.dumps({k: v for k, v in fields.items() if v is not None}, separators=(",", ":"))


def test_a_trailers_signature_is_checked(world, grant):
    other = grant.sign("POST", world.target("/pay"), body=b"other", body_mode=2)
    for change in (lambda r: trailer(r, signature="0" * 64), lambda r: other.trailer,
                   lambda r: trailer(r, signature=json.loads(other.trailer)["signature"]),
                   lambda r: trailer(r, digest=base64.b64encode(H(b"900")).decode())):
        request = grant.sign("POST", world.target("/pay"), body=b"100", body_mode=2)
        request.trailer = change(request)
        assert request.send().code == "auth-failed"
    # And with the body that the changed digest fits.
    request = grant.sign("POST", world.target("/pay"), body=b"100", body_mode=2)
    request.trailer, request.body = trailer(request, digest=base64.b64encode(H(b"900")).decode()), b"900"
    assert request.send().code == "auth-failed"


def test_a_trailer_has_one_spelling(world, alpn):
    grant = world.granted(alpn=alpn)
    request = grant.sign("POST", world.target("/pay"), body=b"100", body_mode=2)
    good = request.trailer
    for bad in ("", "{}", "[]", good[:-1], good + "x", good * 2, good.replace('"', "'"), trailer(request, x=1),
                trailer(request, signature=None), trailer(request, digest=None), trailer(request, signature="00"),
                trailer(request, digest="AAAA"), good.replace("{", '{"digest":"x",')):
        request = grant.sign("POST", world.target("/pay"), body=b"100", body_mode=2)
        request.trailer = bad
        answer = request.send()
        assert answer.code in ("bad-request", "ended", "reset"), (bad, answer)
        if alpn != "h2":  # it ends behind such an answer, sooner or later
            grant = world.granted(alpn=alpn)


def test_a_missing_trailer_is_malformed(world, alpn):
    grant = world.granted(alpn=alpn)
    request = grant.sign("POST", world.target("/pay"), body=b"100", body_mode=2)
    http = grant.connection.http
    if alpn == "h2":
        request.trailer = None
        answer = request.send()
    else:
        http.send(http.head("POST httpcg://app/%s HTTP/1.1" % request.target,
                            [("Host", "app"), ("Transfer-Encoding", "chunked"), *request.head_fields()])
                  + b"3\r\n100\r\n0\r\n\r\n")
        answer = http.answer()
    world.refused(answer, "bad-request")


def test_a_trailer_twice_is_malformed(world):
    grant = world.granted()
    request = grant.sign("POST", world.target("/pay"), body=b"100", body_mode=2)
    http = grant.connection.http
    answer = http.native("POST", "app", request.target, request.head_fields(), b"100",
                         [("sapi-trailer", request.trailer)] * 2)
    assert answer.code in ("bad-request", "reset"), answer


# --- who may send much ---

def test_a_large_body_is_refused_before_it_is_read(world, alpn):
    """A stranger's upload costs nothing: the refusal comes while most of it was not even taken."""
    grant = world.granted(alpn=alpn)
    request = grant.sign("POST", world.target("/upload"), body=b"x")
    request.sapi = request.sapi.replace(request.signature.hex(), "0" * 64)
    http = grant.connection.http
    fields = request.head_fields() + [("content-length", str(1 << 33))]
    if alpn == "h2":
        stream = http.open([(":method", "POST"), (":scheme", "httpcg"), (":authority", "app"),
                            (":path", "/" + request.target), *fields], end=False)
        answer = http.answer(stream)
    else:
        http.send(http.head("POST httpcg://app/%s HTTP/1.1" % request.target, [("Host", "app"), *fields]))
        answer = http.answer()
    assert answer.code in ("auth-failed", "ended"), answer


def test_a_get_has_no_body(world, grant):
    request = grant.sign("GET", world.target("/"), body=b"hello")
    assert request.send().code in ("bad-request", "reset"), request


# --- rules that let bodies stream ---

@pytest.fixture(scope="module")
def streaming(backend):
    house = House(backend.port, site="stream.test", rules=[rule("/**", stream=True)])
    yield house
    house.close()


@pytest.mark.parametrize("body_mode, said", [(1, True), (1, False), (2, True), (2, False)])
@pytest.mark.parametrize("size", [1, 30000, LARGE])
def test_the_backend_never_sees_the_end_of_a_changed_body_that_streams(streaming, backend, body_mode, said, size):
    """Its last byte would be its end for a backend that was told the length."""
    with Connection(streaming) as connection:
        grant = connection.grant(Wallet())
        for change in (True, False):
            request = grant.sign("POST", "stream.test/chat", body=bytes(size), body_mode=body_mode)
            if said:
                request.fields = [("content-length", str(size))]
            if change:
                request.body = flipped(request.body, -1)
            before = len(backend.seen)
            answer = request.send()
            if change:
                assert answer.code in ("digest-mismatch", "reset"), answer
                assert all(not seen.complete for seen in backend.seen[before:]), backend.seen[before:]
                assert not backend.wait(lambda seen: any(s.complete for s in seen[before:]), 0.2)
            else:
                assert answer.status == 200 and request.verify(answer), answer
                assert backend.seen[-1].complete and backend.seen[-1].body == request.body
