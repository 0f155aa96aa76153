"""Whatever form a backend gives its answer, the client gets it signed, and nothing that only a gateway may say."""
import base64
import socket
import threading
import time

import pytest

from forms import H

SITE = "forms.test"


class Script:
    """A backend that says what it is told to say, piece by piece: bytes, seconds to wait, or None: close."""

    def __init__(self):
        self.pieces = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            file = connection.makefile("rb")
            while file.readline():
                while file.readline() not in (b"\r\n", b""):
                    pass
                for piece in self.pieces:
                    if piece is None:
                        return
                    if isinstance(piece, bytes):
                        connection.sendall(piece)
                    else:
                        time.sleep(piece)


@pytest.fixture(scope="module")
def script(house):
    script = Script()
    house.route(SITE, script.port)
    house.reload()
    house.publish(SITE)
    yield script
    script.listener.close()


@pytest.fixture
def ask(world, script, grant):
    def ask_for(*pieces, method="GET"):
        script.pieces = pieces
        request = grant.sign(method, SITE + "/x")
        answer = request.send()
        assert answer.how == "answered" and request.verify(answer), answer
        return answer
    return ask_for


def is_trailed(answer):
    return any(k == "sapi-response" for k, _ in answer.trailers)


def ok(fields=b"", body=b"", status=b"200 OK"):
    return b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s" % (status, fields, len(body), body)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"


def chunk(body):
    return b"%x\r\n%s\r\n" % (len(body), body)


# --- bodies ---

@pytest.mark.parametrize("size", [0, 1, 65535, 65536])
def test_a_small_answer_is_signed_in_its_head(ask, size):
    answer = ask(ok(body=b"x" * size))
    assert answer.body == b"x" * size and not is_trailed(answer)


@pytest.mark.parametrize("size", [65537, 300000])
def test_a_large_answer_is_signed_behind_its_body(ask, size):
    answer = ask(ok(body=b"x" * size))
    assert answer.body == b"x" * size and is_trailed(answer)


def test_an_answer_in_chunks_is_signed_where_its_end_is_seen(ask):
    answer = ask(CHUNKED + b"\r\n" + chunk(b"one") + chunk(b"two") + b"0\r\n\r\n")
    assert answer.body == b"onetwo" and not is_trailed(answer)
    began = time.monotonic()
    answer = ask(CHUNKED + b"\r\n" + chunk(b"one"), 0.4, chunk(b"two") + b"0\r\n\r\n")
    assert answer.body == b"onetwo" and is_trailed(answer)
    assert time.monotonic() - began > 0.35


def test_an_answer_that_only_the_connections_end_ends_is_whole(ask):
    for head in (b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"):
        assert ask(head + b"all of it", None).body == b"all of it"


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_an_answer_without_a_body_is_signed_as_such(ask, status):
    answer = ask(b"HTTP/1.1 %s\r\nETag: \"1\"\r\n\r\n" % status)
    assert (answer.status, answer.body, answer.value("etag")) == (int(status[:3]), b"", '"1"')
    assert answer.value("content-digest") is None


def test_an_answer_to_head_has_the_length_and_no_body(ask):
    answer = ask(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n", method="HEAD")
    assert (answer.body, answer.value("content-length"), answer.value("content-type")) == (b"", "1000", "text/plain")
    assert ask(ok(body=b"x")).body == b"x", "the connection goes on behind it"


def test_interim_answers_are_not_the_answer(ask):
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    assert ask(hints + hints + ok(body=b"final")).body == b"final"


# --- fields ---

def test_trailers_of_a_backend_are_passed_on_and_covered(ask):
    tail = b"0\r\nGrpc-Status: 0\r\nGrpc-Message: fine\r\n\r\n"
    answer = ask(CHUNKED + b"Trailer: Grpc-Status, Grpc-Message\r\n\r\n" + chunk(b"data"), 0.2, tail)
    trailers = dict(answer.trailers)
    assert (trailers.get("grpc-status"), trailers.get("grpc-message")) == ("0", "fine")


def test_what_only_a_gateway_may_say_is_taken_off(ask):
    lies = (b"SAPI-Response: {}\r\nX-HttpCG-Auth: hybrid\r\nQLOCK: {}\r\nAlt-Svc: h2=\":1\"\r\n"
            b"Strict-Transport-Security: max-age=1\r\nSAPI: {}\r\nConnection: X-Private\r\nX-Private: 1\r\nX-Public: 2\r\n")
    answer = ask(ok(lies, b"x"))
    names = [k for k, _ in answer.fields]
    assert names.count("sapi-response") == 1 and answer.value("x-public") == "2"
    for name in ("x-httpcg-auth", "qlock", "alt-svc", "strict-transport-security", "sapi", "x-private"):
        assert name not in names, name


def test_lines_of_one_covered_field_become_one(ask):
    answer = ask(ok(b"Cache-Control: no-store\r\nCache-Control: private\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
                    b"Content-Language: de\r\nContent-Language: en\r\n", b"x"))
    assert answer.value("cache-control") == "no-store, private"
    assert [v for k, v in answer.fields if k == "set-cookie"] == ["a=1", "b=2"]
    assert len([v for k, v in answer.fields if k == "content-language"]) == 2


@pytest.mark.parametrize("name", [b"Content-Type", b"Location", b"ETag", b"Last-Modified", b"Content-Disposition", b"Content-Range"])
def test_a_covered_field_with_two_values_is_a_bad_gateway(ask, name):
    assert ask(ok(b"%s: a\r\n%s: b\r\n" % (name, name), b"x")).code == "bad-gateway"


def test_a_backends_own_digest_is_checked(ask):
    def digest(body):
        return b"Content-Digest: sha-256=:%s:\r\n" % base64.b64encode(H(body))

    assert ask(ok(digest(b"whole"), b"whole")).body == b"whole"
    assert ask(ok(digest(b"other"), b"whole")).code == "bad-gateway"
    large = b"x" * 100000
    assert ask(ok(digest(large), large)).body == large


def test_a_large_body_that_is_not_what_its_backend_announced_never_ends_well(world, script, grant):
    large = b"x" * 100000
    script.pieces = [ok(b"Content-Digest: sha-256=:%s:\r\n" % base64.b64encode(H(b"other")), large)]
    request = grant.sign("GET", SITE + "/x")
    answer = request.send()
    assert answer.how != "answered" or not request.verify(answer) or answer.code == "bad-gateway", answer
