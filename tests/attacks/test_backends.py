"""A backend that breaks the rules is answered for with 502 or a visible reset, its connection is never used again, and
what it says reaches nobody but the one who asked."""
import socket
import ssl
import struct
import threading
import time

import pytest

from actor import Actor, honest as serve
from house import House, rule
from rogue import Connection, Wallet

SITE = "actor.test"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LARGE = 1024 * 1024 + 300000


class Impatient(House):
    def config(self, *args):
        return super().config(*args).replace("{lookup: 2s}", "{lookup: 2s, connect: 1s, answer: 1s, stall: 1s}")


@pytest.fixture(scope="module")
def actor():
    actor = Actor(serve)
    yield actor
    actor.close()


@pytest.fixture(scope="module")
def stage(actor):
    with Impatient(actor.port, site=SITE, rules=[
        rule("/public/**", roles=["anonymous"], sapi="none"), rule("/vault/**", sapi="hybrid"),
        rule("/receipt/**", receipt=True), rule("/**")]) as house:
        yield house


@pytest.fixture(params=["h2", "http/1.1"])
def grant(stage, actor, request):
    """And afterwards an honest request gets its own answer, on a connection that nobody spoilt."""
    with Connection(stage, alpn=request.param) as connection:
        yield connection.grant(Wallet())
    actor.play = serve
    with Connection(stage) as connection:
        honest = connection.grant(Wallet())
        for path in ("/honest", "/honest", "/public/honest"):
            ask = honest.sign("GET", SITE + path)
            answer = ask.send()
            assert answer.status == 200 and answer.body == b"ok" and ask.verify(answer), answer
    assert not stage.has_ended(0), stage.words()


def says(actor, raw, then=None):
    """Lets the actor say that, once; a second request on the same connection is what must not be."""
    reused, spoilt = [], set()

    def play(talk):
        if talk in spoilt:
            reused.append(talk.first)
        spoilt.add(talk)
        if talk.take_body() is None:
            return False
        talk.send(raw)
        if then:
            then(talk)
            return False
        return True

    actor.play = play
    return reused


def reset(talk):
    talk.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    talk.file.close()
    talk.sock.close()


def finish(talk):
    talk.sock.shutdown(socket.SHUT_WR)
    assert talk.ends_within(5)


def soon(condition, seconds=5):
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)
    return condition()


def again(grant):
    """A grant on a connection like that of the one given, which may have ended."""
    if grant.connection.http.is_h2 and not grant.connection.wire.ended:
        return grant
    return Connection(grant.connection.gateway, alpn="h2" if grant.connection.http.is_h2 else "http/1.1").grant(Wallet())


HEADS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nok", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok", b"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok", b"HTTP/1.1 200 OK\r\n Content-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", b"HTTP/1.1 200 OK\r\nA: b\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nA: b\r c\r\nContent-Length: 2\r\n\r\nok", b"HTTP/1.1 200 OK\r\nA: b\0\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\nok", b"HTTP/1.1 200 OK\r\nA\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\n: b\r\nContent-Length: 2\r\n\r\nok", b"HTTP/1.1 200 OK\r\nA b: c\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok", b"HTTP/1.1 600 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 000 OK\r\nContent-Length: 2\r\n\r\nok", b"HTTP/1.1 -20 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1  200 OK\r\nContent-Length: 2\r\n\r\nok", b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nok", b"http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ICY 200 OK\r\n\r\nok", b"\x00", b"\x16\x03\x01\x02\x00", b"ok",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 100 Continue\r\n\r\n" * 17 + OK, b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 10000 + OK,
    b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nConnection: content-type\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\n" + b"A: " + b"x" * 40000 + b"\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 2000 + b"Content-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 " + b"x" * 100000 + b"\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok", b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Digest: sha-256=:%s=:\r\n\r\nok" % (b"A" * 43),
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Digest: sha-256=:AAAA:\r\n\r\nok"]


@pytest.mark.limit(120)
def test_a_head_that_two_readers_may_read_differently_is_no_answer(grant, actor):
    for raw in HEADS:
        reused = says(actor, raw)
        grant = again(grant)
        for path in ("/x", "/public/x"):
            request = grant.sign("POST", SITE + path, body=b"x")
            answer = request.send()
            assert answer.status in (502, 504), (raw, answer)
            if path == "/x":
                assert request.verify(answer), (raw, answer)
        assert not reused, raw


CHUNKS = [b"x\r\nok\r\n0\r\n\r\n", b"2\r\nokk\r\n0\r\n\r\n", b"2\nok\n0\n\n", b"0x2\r\nok\r\n0\r\n\r\n", b"+2\r\nok\r\n0\r\n\r\n",
          b"2 \r\nok\r\n0\r\n\r\n", b"\r\n2\r\nok\r\n0\r\n\r\n", b"ffffffffffffffffff\r\nok", b"1_0\r\nok", b"2;" + b"a" * 300 + b"\r\nok\r\n0\r\n\r\n",
          b"2;a=\"\r\nok\r\n0\r\n\r\n", b"1\r\na\r\n" + b"1;a=b\r\na\r\n" * 20000, b"2\r\nok\r\n0\r\nSecret: x\r\n\r\n",
          b"2\r\nok\r\n0\r\nContent-Length: 5\r\n\r\n", b"2\r\nok\r\n0\r\nA: b\n\r\n"]


@pytest.mark.limit(120)
def test_a_malformed_body_is_never_whole(grant, actor):
    for chunks in CHUNKS:
        reused = says(actor, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
        for path in ("/x", "/public/x"):
            grant = again(grant)
            answer = grant.sign("GET", SITE + path).send()
            assert answer.code in ("bad-gateway", "reset", "ended"), (chunks[:40], answer)
        assert not reused, chunks


@pytest.mark.parametrize("end", [finish, reset], ids=["fin", "rst"])
def test_an_answer_cut_short_is_never_whole(grant, actor, end):
    for raw in (b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
                b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + bytes(150000),
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n",
                b"HTTP/1.1 100 Continue\r\n\r\n"):
        says(actor, raw, end)
        for path in ("/x", "/public/x"):
            grant = again(grant)
            answer = grant.sign("GET", SITE + path).send()
            assert answer.code in ("bad-gateway", "reset", "ended"), (raw[:60], answer)


def test_an_answer_without_length_ends_with_its_connection_and_not_with_a_reset(grant, actor):
    for version in (b"1.0", b"1.1"):
        raw = b"HTTP/%s 200 OK\r\n\r\nok" % version
        says(actor, raw, finish)
        request = grant.sign("GET", SITE + "/x")
        answer = request.send()
        assert answer.status == 200 and answer.body == b"ok" and request.verify(answer), answer
        says(actor, raw, reset)
        answer = grant.sign("GET", SITE + "/x").send()
        assert answer.code in ("bad-gateway", "reset", "ended"), answer
        grant = again(grant)


def test_bytes_behind_an_answer_reach_nobody(grant, actor):
    poison = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
    for behind in (poison, b"x", b"\r\n", OK * 100):
        for first in (OK, b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n",
                      b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"):
            reused = says(actor, first + behind)
            for _ in range(3):
                answer = grant.sign("GET", SITE + "/x").send()
                assert answer.status in (200, 204, 304) and answer.body in (b"", b"ok"), (first, behind, answer)
            assert not reused, (first, behind)


def test_bytes_behind_the_answer_to_a_head_reach_nobody(grant, actor):
    reused = says(actor, b"HTTP/1.1 200 OK\r\nContent-Length: 37\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    for _ in range(3):
        answer = grant.sign("HEAD", SITE + "/x").send()
        assert answer.status == 200 and not answer.body, answer
    assert not reused


def test_an_answer_before_its_request_is_none(grant, actor):
    """Bytes on a connection that waits for its next request spoil it."""
    def play(talk):
        talk.take_body()
        talk.send(OK)
        time.sleep(0.05)
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
        return True

    actor.play = play
    for _ in range(5):
        assert grant.sign("GET", SITE + "/x").send().body == b"ok"
        time.sleep(0.2)


def test_a_backend_cannot_speak_for_the_gateway(grant, actor):
    says(actor, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSAPI-Response: {}\r\nSAPI-X: y\r\nQLOCK: {}\r\nX-HttpCG-Roles: a\r\n"
         b"Alt-Svc: h3=\":1\"\r\nStrict-Transport-Security: max-age=1\r\nKeep-Alive: x\r\nProxy-Authenticate: x\r\n"
         b"Connection: x-gone\r\nX-Gone: 1\r\nUpgrade: h2c\r\nX-Stays: 1\r\n\r\nok")
    request = grant.sign("GET", SITE + "/x")
    answer = request.send()
    assert answer.status == 200 and request.verify(answer), answer
    names = [k for k, _ in answer.fields]
    assert "x-stays" in names and names.count("sapi-response") == 1
    for name in ("sapi-x", "qlock", "x-httpcg-roles", "alt-svc", "strict-transport-security", "keep-alive",
                 "proxy-authenticate", "x-gone", "upgrade", "connection"):
        assert name not in names, answer.fields


# --- answers that come before their time ---

def upload(grant, body, path="/upload"):
    """Begins a large upload, without its end; gives how to go on."""
    request = grant.sign("POST", SITE + path, body=body)
    http = grant.connection.http
    if http.is_h2:
        stream = http.open([(":method", "POST"), (":scheme", "httpcg"), (":authority", "app"),
                            (":path", "/" + request.target), *request.head_fields()], end=False)
        http.data(stream, body[:-100], end=False)
        return request, lambda: http.answer(stream), lambda: http.data(stream, body[-100:])
    http.send(http.head("POST httpcg://app/%s HTTP/1.1" % request.target,
                        [("Host", "app"), ("Content-Length", len(body)), *request.head_fields()]) + body[:-100])
    return request, http.answer, lambda: http.send(body[-100:])


@pytest.mark.parametrize("ends", [True, False])
def test_an_answer_before_the_end_of_its_request_is_passed_on_and_the_rest_forgotten(grant, actor, ends):
    reused, gone, spoilt = [], [], set()

    def play(talk):
        if talk in spoilt:
            reused.append(talk.first)
        if talk.target == "/honest":
            return serve(talk)
        spoilt.add(talk)
        talk.file.read1(65536)
        talk.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
        gone.append(talk.ends_within(5))
        return False

    actor.play = play
    request, answer, go_on = upload(grant, bytes(LARGE))
    got = answer()
    assert got.status == 413 and got.body == b"no" and request.verify(got), got
    if ends:
        go_on()
    honest = again(grant).sign("GET", SITE + "/honest")
    assert honest.send().body == b"ok"
    assert not reused
    assert soon(lambda: gone) == [True]


@pytest.mark.parametrize("good", [True, False])
def test_an_early_answer_that_never_ends_lets_the_upload_go_on(grant, actor, good):
    """Both directions at once, and the digest still decides whether the backend sees the end."""
    begun, whole = threading.Event(), []

    def play(talk):
        talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
        begun.set()
        whole.append(talk.take_body() is not None)
        if whole[0]:
            talk.send(b"0\r\n\r\n")
        return whole[0]

    actor.play = play
    body = bytes(LARGE)
    request, answer, go_on = upload(grant, body)
    assert begun.wait(5)
    if good:
        go_on()
        got = answer()
        assert got.status == 200 and got.body == b"ok" and request.verify(got), got
    else:
        http = grant.connection.http
        http.data(http.stream, b"x" * 100) if http.is_h2 else http.send(b"x" * 100)
        got = answer()
        assert got.code in ("reset", "ended", "digest-mismatch"), got
    assert soon(lambda: whole) == [good]


# --- whom a route believes ---

def test_a_route_with_another_pin_gets_no_connection_of_this_one(stage, actor):
    """Both lead to the same backend; one of them says that it is somebody else's key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(stage.path("tls.pem"), stage.path("tls.key"))

    secure = Actor(serve, context)
    pins = {"right.test": stage.spki.hex(), "wrong.test": "00" * 32}
    for name, pin in pins.items():
        stage.write("routes.d/%s.yaml" % name, "name: app/%s\nbackend: https://127.0.0.1:%d\npin: %s\n"
                    % (name, secure.port, pin))
        stage.publish(name)
    stage.reload()
    with Connection(stage) as connection:
        grant = connection.grant(Wallet())
        assert soon(lambda: grant.sign("GET", "right.test/").send().status == 200)
        for _ in range(3):
            assert grant.sign("GET", "wrong.test/").send().status == 502
            assert grant.sign("GET", "right.test/").send().status == 200
    assert len([head for head in secure.heads if "right.test" in str(head)]) == len(secure.heads)
    secure.close()


# --- time ---

@pytest.mark.parametrize("path", ["/x", "/public/x", "/vault/x", "/receipt/x"])
def test_a_backend_that_says_nothing_is_given_up(grant, actor, path):
    ended = []
    actor.play = lambda talk: ended.append(talk.ends_within(10))
    began = time.monotonic()
    request = grant.sign("GET", SITE + path, mode="hybrid" if path == "/vault/x" else "grant")
    answer = request.send()
    assert answer.status == 504, answer
    assert time.monotonic() - began < 3
    assert soon(lambda: ended) == [True]


@pytest.mark.parametrize("raw", [b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\nok",
                                 b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
                                 b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"])
def test_an_answer_that_stops_is_given_up(grant, actor, raw):
    ended = []
    says(actor, raw, lambda talk: ended.append(talk.ends_within(10)))
    answer = grant.sign("GET", SITE + "/x").send()
    assert answer.code in ("reset", "ended", "bad-gateway"), answer
    assert soon(lambda: ended) == [True]


def test_a_backend_that_takes_nothing_is_given_up(grant, actor):
    actor.play = lambda talk: threading.Event().wait(8) and False
    request = grant.sign("POST", SITE + "/upload", body=bytes(32 << 20))
    answer = request.send()
    assert answer.status in (502, 504) or answer.how in ("ended", "reset"), answer


def test_a_backend_that_is_not_there_is_told_soon(grant, actor):
    house = grant.connection.gateway
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    house.route(SITE, port)
    house.reload()
    try:
        assert soon(lambda: again(grant).sign("GET", SITE + "/x").send().status in (502, 503))
    finally:
        house.route(SITE, actor.port)
        house.reload()
        assert soon(lambda: again(grant).sign("GET", SITE + "/x").send().status == 200)
