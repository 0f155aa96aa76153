"""Nobody's bytes become part of somebody else's request: HTTP/1.1 framing in every doubtful form,
and HTTP/2 that would be one after translation. Behind each of them stands a request that is allowed
to everybody; the backend must never see it."""
import pytest

import h2
from rogue import Wallet

CRLF = "\r\n"


@pytest.fixture
def smuggled(world):
    return "GET httpcg://app/%s/public/smuggled HTTP/1.1\r\nHost: app\r\n\r\n" % world.site


def raw_request(grant, world, fields, rest, line=None, method="POST", host=("Host: app",), end=CRLF, body=b"hello"):
    """A request that is signed rightfully for that body; fields and all that follows are given as text."""
    request = grant.sign(method, world.target("/pay"), body=body)
    line = (line or "{method} {url} HTTP/1.1").format(method=method, url="httpcg://app/" + request.target,
                                                      path="/" + request.target)
    lines = [line, *host, *("%s: %s" % pair for pair in request.head_fields()), *fields]
    return (end.join(lines) + end + end + rest).encode("latin-1")


def chunked(*chunks, last="0\r\n\r\n"):
    return dict(fields=["Transfer-Encoding: chunked"], rest="".join(chunks) + last)


HELLO = "5\r\nhello\r\n"

FRAMING = {
    "length and chunked": dict(fields=["Content-Length: 5", "Transfer-Encoding: chunked"], rest=HELLO + "0\r\n\r\n"),
    "chunked and length": dict(fields=["Transfer-Encoding: chunked", "Content-Length: 5"], rest=HELLO + "0\r\n\r\n"),
    "two lengths": dict(fields=["Content-Length: 5", "Content-Length: 6"], rest="hello"),
    "one length twice": dict(fields=["Content-Length: 5", "Content-Length: 5"], rest="hello"),
    "a list of lengths": dict(fields=["Content-Length: 5, 5"], rest="hello"),
    "a length with a sign": dict(fields=["Content-Length: +5"], rest="hello"),
    "a negative length": dict(fields=["Content-Length: -5"], rest="hello"),
    "a length in hexadecimal": dict(fields=["Content-Length: 0x5"], rest="hello"),
    "a length with a space": dict(fields=["Content-Length: 5 5"], rest="hello"),
    "a length with an underscore": dict(fields=["Content-Length: 0_5"], rest="hello"),
    "an empty length": dict(fields=["Content-Length:"], rest="hello"),
    "a length with a letter": dict(fields=["Content-Length: 5a"], rest="hello"),
    "a length over 2^64": dict(fields=["Content-Length: 18446744073709551621"], rest="hello"),
    "a length that ends in a vertical tab": dict(fields=["Content-Length: 5\x0b"], rest="hello"),
    "chunked twice": dict(fields=["Transfer-Encoding: chunked, chunked"], rest=HELLO + "0\r\n\r\n"),
    "chunked on two lines": dict(fields=["Transfer-Encoding: chunked"] * 2, rest=HELLO + "0\r\n\r\n"),
    "chunked and identity": dict(fields=["Transfer-Encoding: chunked, identity"], rest=HELLO + "0\r\n\r\n"),
    "identity": dict(fields=["Transfer-Encoding: identity"], rest="hello"),
    "gzip, chunked": dict(fields=["Transfer-Encoding: gzip, chunked"], rest=HELLO + "0\r\n\r\n"),
    "xchunked": dict(fields=["Transfer-Encoding: xchunked"], rest=HELLO + "0\r\n\r\n"),
    "chunked with a parameter": dict(fields=["Transfer-Encoding: chunked;q=1"], rest=HELLO + "0\r\n\r\n"),
    "chunked in quotes": dict(fields=['Transfer-Encoding: "chunked"'], rest=HELLO + "0\r\n\r\n"),
    "chunked behind a vertical tab": dict(fields=["Transfer-Encoding: \x0bchunked"], rest=HELLO + "0\r\n\r\n"),
    "an empty encoding": dict(fields=["Transfer-Encoding:", "Content-Length: 5"], rest="hello"),
    "a space before the colon": dict(fields=["Content-Length : 5"], rest="hello"),
    "a tab before the colon": dict(fields=["Transfer-Encoding\t: chunked", "Content-Length: 5"], rest="hello"),
    "a folded line": dict(fields=["Content-Length: 5", "X-A: b\r\n c"], rest="hello"),
    "a folded encoding": dict(fields=["Content-Length: 5", "Transfer-Encoding:\r\n chunked"], rest="hello"),
    "a line that begins with a space": dict(fields=["Content-Length: 5", " X-A: b"], rest="hello"),
    "a line without colon": dict(fields=["Content-Length: 5", "X-A"], rest="hello"),
    "an empty name": dict(fields=["Content-Length: 5", ": b"], rest="hello"),
    "a name with a space": dict(fields=["Content-Length: 5", "X A: b"], rest="hello"),
    "a name with a quote": dict(fields=["Content-Length: 5", 'X"A: b'], rest="hello"),
    "a bare CR": dict(fields=["Content-Length: 5", "X-A: b\rX-B: c"], rest="hello"),
    "a bare LF": dict(fields=["Content-Length: 5", "X-A: b\nX-B: c"], rest="hello"),
    "a NUL": dict(fields=["Content-Length: 5", "X-A: b\0c"], rest="hello"),
    "an escape": dict(fields=["Content-Length: 5", "X-A: b\x1b[2J"], rest="hello"),
    "a DEL": dict(fields=["Content-Length: 5", "X-A: b\x7f"], rest="hello"),
    "lines that end in LF alone": dict(fields=["Content-Length: 5"], rest="hello", end="\n"),
    "a chunk size in 0x": chunked("0x5\r\nhello\r\n"), "a chunk size with a sign": chunked("+5\r\nhello\r\n"),
    "a negative chunk size": chunked("-5\r\nhello\r\n"), "a chunk size with an underscore": chunked("0_5\r\nhello\r\n"),
    "a chunk size with a space before": chunked(" 5\r\nhello\r\n"),
    "a chunk size over 2^64": chunked("10000000000000005\r\nhello\r\n"), "an empty chunk size": chunked("\r\nhello\r\n"),
    "a chunk size that is none": chunked("hello\r\n"), "a chunk that ends in LF": chunked("5\r\nhello\n"),
    "a chunk size that ends in LF": chunked("5\nhello\r\n"), "a chunk size that ends in CR": chunked("5\rhello\r\n"),
    "a chunk longer than it says": chunked("4\r\nhello\r\n"), "a chunk without its end": chunked("5\r\nhello"),
    "a long chunk extension": chunked("5;" + "a" * 300 + "\r\nhello\r\n"),
    "a chunk extension with a CR": chunked("5;a\rb\r\nhello\r\n"),
    "a chunk extension with a LF": chunked("5;a\nb\r\nhello\r\n"),
    "a trailer nobody announced": chunked(HELLO, last="0\r\nX-A: b\r\n\r\n"),
    "a length in the trailer": chunked(HELLO, last="0\r\nContent-Length: 0\r\n\r\n"),
    "a last chunk that ends in LF": chunked(HELLO, last="0\n\n"),
    "two hosts": dict(host=["Host: app", "Host: app"], fields=["Content-Length: 5"], rest="hello"),
    "no host": dict(host=[], fields=["Content-Length: 5"], rest="hello"),
    "another host": dict(host=["Host: gw"], fields=["Content-Length: 5"], rest="hello"),
    "the site as host": dict(host=["Host: shop.test"], fields=["Content-Length: 5"], rest="hello"),
    "an empty host": dict(host=["Host:"], fields=["Content-Length: 5"], rest="hello"),
    "HTTP/1.0": dict(line="{method} {url} HTTP/1.0", fields=["Content-Length: 5"], rest="hello"),
    "HTTP/1.2": dict(line="{method} {url} HTTP/1.2", fields=["Content-Length: 5"], rest="hello"),
    "HTTP/2.0": dict(line="{method} {url} HTTP/2.0", fields=["Content-Length: 5"], rest="hello"),
    "HTTP/0.9": dict(line="{method} {url}", fields=["Content-Length: 5"], rest="hello"),
    "http in small letters": dict(line="{method} {url} http/1.1", fields=["Content-Length: 5"], rest="hello"),
    "two spaces": dict(line="{method}  {url} HTTP/1.1", fields=["Content-Length: 5"], rest="hello"),
    "a tab in the first line": dict(line="{method}\t{url} HTTP/1.1", fields=["Content-Length: 5"], rest="hello"),
    "a space at the first line's end": dict(line="{method} {url} HTTP/1.1 ", fields=["Content-Length: 5"], rest="hello"),
    "a space before the first line": dict(line=" {method} {url} HTTP/1.1", fields=["Content-Length: 5"], rest="hello"),
    "a colon in the method": dict(line="{method}: {url} HTTP/1.1", fields=["Content-Length: 5"], rest="hello"),
    "an asterisk": dict(line="{method} * HTTP/1.1", fields=["Content-Length: 5"], rest="hello"),
    "origin form": dict(line="{method} {path} HTTP/1.1", fields=["Content-Length: 5"], rest="hello"),
    "authority form": dict(line="{method} shop.test:443 HTTP/1.1", fields=["Content-Length: 5"], rest="hello"),
    "another scheme": dict(line="{method} http://app{path} HTTP/1.1", fields=["Content-Length: 5"], rest="hello"),
}


def test_doubtful_framing_is_refused_and_ends_the_connection(world, smuggled):
    for why, how in FRAMING.items():
        grant = world.granted(alpn="http/1.1")
        http = grant.connection.http
        http.send(raw_request(grant, world, **how) + smuggled.encode())
        answer = http.answer()
        assert answer.code in ("bad-request", "misdirected", "method-not-allowed", "ended"), (why, answer)
        if answer.code == "misdirected":  # well framed, wrongly addressed; what is behind it came too early
            answer = http.answer()
            assert answer.code in ("bad-request", "ended"), (why, answer)
        assert grant.connection.wire.has_ended(5), why
        assert not grant.connection.wire.held, (why, bytes(grant.connection.wire.held))
        grant.connection.close()


def test_the_same_requests_in_good_framing_are_served(world):
    """Or the ones above would be refused for something else."""
    for how in (dict(fields=["Content-Length: 5"], rest="hello"), chunked(HELLO), chunked("2\r\nhe\r\n", "3;a=b\r\nllo\r\n")):
        grant = world.granted(alpn="http/1.1")
        grant.connection.http.send(raw_request(grant, world, **how))
        assert grant.connection.http.answer().status == 200, how
        world.expected += 1
        assert world.backend.seen[-1].body == b"hello"


def test_a_body_shorter_than_its_length_waits_and_is_never_forwarded(world):
    grant = world.granted(alpn="http/1.1")
    grant.connection.http.send(raw_request(grant, world, ["Content-Length: 6"], "hello"))
    grant.connection.wire.end()
    assert grant.connection.http.answer(5).code in ("bad-request", "ended", "digest-mismatch")


def test_a_request_before_the_answer_to_the_last_one_ends_the_connection(world, smuggled):
    connection = world.connect(alpn="http/1.1")
    connection.http.send(smuggled.encode() * 3)
    answers = [connection.http.answer()]
    while answers[-1].how == "answered":
        answers.append(connection.http.answer(5))
    assert answers[-1].how == "ended"
    codes = [answer.code for answer in answers[:-1]]
    assert codes in (["bad-request"], [200, "bad-request"]), codes
    world.backend.wait(lambda seen: False, 0.2)
    arrived = len(world.backend.seen) - world.before
    assert arrived <= 1
    world.expected += arrived


@pytest.mark.parametrize("fields", [["Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABk"],
                                    ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]])
def test_an_upgrade_is_never_passed_on(world, fields):
    connection = world.connect(alpn="http/1.1")
    connection.http.send(("GET httpcg://app/%s/public/x HTTP/1.1\r\nHost: app\r\n%s\r\n\r\n"
                          % (world.site, CRLF.join(fields))).encode())
    answer = connection.http.answer()
    assert answer.status != 101, answer
    if answer.status == 200:
        world.expected += 1
        seen = world.backend.seen[-1]
        assert not seen.values("upgrade") and not seen.values("http2-settings")


def test_a_connect_opens_no_tunnel(world):
    for target in ("127.0.0.1:%d" % world.backend.port, "app:443"):
        connection = world.connect(alpn="http/1.1")
        connection.http.send(("CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\nGET / HTTP/1.1\r\n\r\n" % (target, target)).encode())
        assert connection.http.answer().status in (400, 405, 421)


def test_an_expectation_is_answered_only_after_verification(world):
    grant = world.granted(alpn="http/1.1")
    http = grant.connection.http
    request = grant.sign("POST", world.target("/pay"), body=b"hello")
    request.method = "PUT"
    fields = [("Host", "app"), *request.head_fields(), ("Content-Length", 5), ("Expect", "100-continue")]
    http.send(http.head("PUT httpcg://app/%s HTTP/1.1" % request.target, fields))
    got = grant.connection.wire.take(lambda held: len(held) if b"\r\n\r\n" in held else None, 10)
    assert got.startswith(b"HTTP/1.1 401 "), got


def test_an_unknown_expectation_is_not_passed_on(world, grant):
    request = grant.sign("GET", world.target("/"), fields=[("expect", "200-maybe")])
    answer = request.send()
    if answer.status == 200:
        world.expected += 1
        assert not world.backend.seen[-1].values("expect")
    else:
        assert answer.status in (400, 417), answer


# --- HTTP/2 that HTTP/1.1 would read differently ---

def pseudo(world, path="/public/x", method="GET"):
    return [(":method", method), (":scheme", "httpcg"), (":authority", "app"), (":path", "/" + world.site + path)]


BAD_FIELDS = {
    "transfer-encoding": ("transfer-encoding", "chunked"), "connection": ("connection", "close"),
    "keep-alive": ("keep-alive", "1"), "upgrade": ("upgrade", "h2c"), "proxy-connection": ("proxy-connection", "x"),
    "te other than trailers": ("te", "gzip"), "capitals": ("X-A", "b"), "an empty name": ("", "b"),
    "a name with a colon": ("x:a", "b"), "a name with a space": ("x a", "b"), "a name with a CR": ("x\r\na", "b"),
    "a name with a NUL": ("x\0a", "b"), "a name with 8 bits": ("x\xe9", "b"), "a value with CR LF": ("x", "b\r\nx-httpcg-auth: hybrid"),
    "a value with LF": ("x", "b\nc"), "a value with CR": ("x", "b\rc"), "a value with NUL": ("x", "b\0c"),
    "a second method": (":method", "GET"), "a second path": (":path", "/"), "an unknown pseudo-field": (":x", "y"),
    "a status": (":status", "200"), "a protocol": (":protocol", "websocket"), "a host": ("host", "shop.test"),
    "a length that is none": ("content-length", "x"), "a length of a body that never comes": ("content-length", "5"),
    "two lengths": ("content-length", "0, 0")}


def test_an_http2_head_that_is_no_http_is_refused(world):
    for why, field in BAD_FIELDS.items():
        http = world.connect().http
        answer = http.answer(http.open(pseudo(world) + [field], end=True))
        assert answer.code in ("bad-request", "reset", "not-implemented", "ended"), (why, answer)
        http.wire.close()


def test_an_http2_request_without_its_parts_is_refused(world):
    whole = pseudo(world)
    for i in range(4):
        http = world.connect().http
        answer = http.answer(http.open(whole[:i] + whole[i + 1:], end=True))
        assert answer.code in ("bad-request", "reset", "ended"), (whole[i], answer)
    for fields in (whole[:3] + [(":path", "")], [("x", "y")] + whole, whole[:2] + [("x", "y")] + whole[2:], []):
        http = world.connect().http
        answer = http.answer(http.open(fields, end=True))
        assert answer.code in ("bad-request", "reset", "ended"), (fields, answer)


def test_an_http2_body_has_the_length_it_says(world):
    for length, body in ((5, b"hell"), (5, b"hello!"), (0, b"h"), (2**63, b"hello")):
        grant = world.granted()
        request = grant.sign("POST", world.target("/pay"), body=body)
        request.fields = [("content-length", str(length))]
        assert request.send().code in ("bad-request", "reset", "ended", "too-large"), (length, body)


def test_a_second_head_or_odd_trailers_end_a_request(world):
    cases = {
        "trailers that do not end": lambda http, s: http.wire.send(h2.head(s, [("x", "y")], False)),
        "a pseudo-field in trailers": lambda http, s: http.wire.send(h2.head(s, [(":path", "/x")], True)),
        "a field nobody announced": lambda http, s: http.wire.send(h2.head(s, [("x-httpcg-auth", "hybrid")], True))}
    for why, rest in cases.items():
        grant = world.granted()
        request = grant.sign("POST", world.target("/pay"), body=b"hello")
        http = grant.connection.http
        stream = http.open([(":method", "POST"), (":scheme", "httpcg"), (":authority", "app"),
                            (":path", "/" + request.target), *request.head_fields()], end=False)
        http.data(stream, b"hello", end=False)
        rest(http, stream)
        answer = http.answer(stream)
        if answer.status == 200 and why == "a field nobody announced":
            world.expected += 1
            assert world.backend.seen[-1].values("x-httpcg-auth") == ["grant;body=verified"]
        else:
            assert answer.code in ("bad-request", "reset", "ended"), (why, answer)
