"""QLOCK and SAPI have one spelling each, and everything else a client may not say is refused or
never reaches the backend."""
import time

import pytest

from rogue import Wallet
from forms import u

STRANGER = "0" * 64


def spellings(good, number, hexadecimal, name):
    """Ways to write the same header that two readers may read differently."""
    first = good[1:].split(",")[0]
    return {
        "a member twice": "{" + first + "," + good[1:], "the last member twice": good[:-1] + "," + good[1:-1].split(",")[-1] + "}",
        "an unknown member": good[:-1] + ',"x":1}', "no members": "{}", "an empty value": "", "a list": "[" + good + "]",
        "text": '"x"', "two objects": good + good, "two objects, as a list": good + ", " + good, "bytes after it": good + "x",
        "a comma after it": good + ",", "a comma inside": good[:-1] + ",}", "unclosed": good[:-1], "not opened": good[1:],
        "a float": good.replace(str(number), "%d.0" % number), "an exponent": good.replace(str(number), "%de0" % number),
        "a sign": good.replace(str(number), "+%d" % number), "a negative": good.replace(str(number), "-%d" % number),
        "a leading zero": good.replace(str(number), "0%d" % number), "a number as text": good.replace(str(number), '"%d"' % number),
        "a number over 2^53": good.replace(str(number), str(2**53)), "a number over 2^64": good.replace(str(number), str(2**64 + number)),
        "a null": good.replace(str(number), "null"), "true": good.replace(str(number), "true"),
        "capitals": good.replace(hexadecimal, hexadecimal.upper()), "a digit less": good.replace(hexadecimal, hexadecimal[1:]),
        "a digit more": good.replace(hexadecimal, hexadecimal + "0"), "no digits": good.replace(hexadecimal, ""),
        "not hexadecimal": good.replace(hexadecimal, "g" + hexadecimal[1:]), "0x": good.replace(hexadecimal, "0x" + hexadecimal[2:]),
        "an escape": good.replace('"' + name, '"\\u00%02x' % ord(name[0]) + name[1:]),
        "an escaped slash": good.replace(hexadecimal, "\\/" + hexadecimal[2:]),
        "the name in capitals": good.replace('"' + name, '"' + name.upper()), "a tab": good.replace(",", ",\t"),
        "single quotes": good.replace('"', "'"), "a comment": good.replace(",", "/**/,", 1), "an object inside": good.replace(str(number), "{}"),
        "depth": good.replace(str(number), "[" * 50 + "]" * 50)}


def refuse_all(world, grant, send, alpn):
    for why, wrong, put in send:
        request = grant.sign("GET", world.target("/"))
        put(request, wrong)
        answer = request.send()
        assert answer.code == "bad-request", (why, answer)
    world.ok(grant.sign("GET", world.target("/")))


def test_the_lock_has_one_spelling(world, grant, alpn):
    request = grant.sign("GET", world.target("/"))
    wrong = spellings(request.qlock, request.epoch, request.lock.hex(), "qlock_hash")
    assert all(text != request.qlock for text in wrong.values()), [k for k, v in wrong.items() if v == request.qlock]
    refuse_all(world, grant, [(why, text, lambda r, text: setattr(r, "qlock", text)) for why, text in wrong.items()], alpn)


def test_the_signature_has_one_spelling(world, grant, alpn):
    request = grant.sign("GET", world.target("/"))
    wrong = spellings(request.sapi, request.timestamp, request.signature.hex(), "signature")
    wrong.update({
        "another mode": request.sapi.replace('"grant"', '"none"'), "a mode in capitals": request.sapi.replace('"grant"', '"GRANT"'),
        "no mode": request.sapi.replace(',"alg":"grant"', ""), "a mac as an ed25519 signature": request.sapi.replace('"grant"', '"ed25519"'),
        "a mac as a hybrid signature": request.sapi.replace('"grant"', '"hybrid"'),
        "a nonce of 15 bytes": request.sapi.replace(request.nonce.hex(), request.nonce.hex()[2:]),
        "a wallet with a broken checksum": request.sapi.replace(grant.wallet.address, "a" * 56),
        "a wallet in capitals": request.sapi.replace(grant.wallet.address, grant.wallet.address.upper()),
        "a DID": request.sapi.replace(grant.wallet.address, grant.wallet.did)})
    assert all(text != request.sapi for text in wrong.values()), [k for k, v in wrong.items() if v == request.sapi]
    refuse_all(world, grant, [(why, text, lambda r, text: setattr(r, "sapi", text)) for why, text in wrong.items()], alpn)


def test_spaces_between_tokens_change_nothing(world, grant):
    request = grant.sign("GET", world.target("/"))
    request.qlock = request.qlock.replace(",", " , ").replace(":", " : ")
    request.sapi = request.sapi.replace(",", ", ")
    world.ok(request)


@pytest.mark.parametrize("name", ["qlock", "sapi"])
def test_a_header_on_two_lines_is_malformed(world, grant, name):
    request = grant.sign("GET", world.target("/"))
    for extra in (getattr(request, name), "{}", ""):
        request.fields = [(name, extra)]
        world.refused(request.send(), "bad-request")
    request.fields = []
    world.ok(request)


@pytest.mark.parametrize("name, size", [("qlock", 513), ("sapi", 10241)])
def test_an_overlong_header_is_refused(world, grant, name, size):
    request = grant.sign("GET", world.target("/"))
    setattr(request, name, getattr(request, name).ljust(size))
    # Trailing spaces are no part of a field's value: put them inside.
    value = getattr(request, name).rstrip()
    setattr(request, name, value[0] + " " * (size - len(value)) + value[1:])
    answer = request.send()
    assert answer.code in ("header-too-large", "reset"), answer


def test_heads_and_targets_have_limits(world, alpn):
    for fields, target in (([("x-%d" % i, "v" * 4000) for i in range(9)], "/"), ([("x", "v" * 33000)], "/"),
                           ([("x%d" % i, "") for i in range(2000)], "/")):
        request = world.granted(alpn=alpn).sign("GET", world.target(target), fields=fields)
        assert request.send().code in ("header-too-large", "reset", "ended")
    for target in ("/" + "a" * 4096, "/?" + "a" * 8193, "/" + "a" * 20000):
        request = world.granted(alpn=alpn).sign("GET", world.target(target))
        assert request.send().code in ("uri-too-long", "reset", "ended"), len(target)
    for target in ("/" + "a" * 4095, "/?" + "a" * 8192, "/" + "a" * 4095 + "?" + "a" * 8000):
        world.ok(world.granted(alpn=alpn).sign("GET", world.target(target)))
    for fields in ([("x-%d" % i, "v" * 4000) for i in range(7)], [("x%d" % i, "") for i in range(200)]):
        world.ok(world.granted(alpn=alpn).sign("GET", world.target("/"), fields=fields))


# --- time ---

def test_a_lock_of_another_minute_is_refused_before_any_cryptography(world, alpn):
    grant = world.granted(alpn=alpn)
    for epoch in (-2, -10, 2, 60):
        request = grant.sign("GET", world.target("/"), epoch=epoch)
        request.sapi = request.sapi.replace(request.signature.hex(), STRANGER)
        answer = world.refused(request.send(), "clock-skew")
        assert abs(answer.problem["server_time"] - request.timestamp) <= 5
    for epoch in (0, 1, 2**53 - 1):
        request = grant.sign("GET", world.target("/"))
        request.qlock = request.qlock.replace(str(request.epoch), str(epoch))
        world.refused(request.send(), "clock-skew")
    world.ok(grant.sign("GET", world.target("/")))


def test_a_timestamp_more_than_five_minutes_off_is_refused(world, grant):
    for skew in (-303, 303, -86400, 2**40):
        world.refused(grant.sign("GET", world.target("/"), timestamp=skew).send(), "clock-skew")
    for skew in (-297, 297):
        world.ok(grant.sign("GET", world.target("/"), timestamp=skew))


def test_a_request_outside_of_its_grants_minutes_is_refused(world, alpn):
    grant = world.granted(alpn=alpn)
    request = grant.sign("GET", world.target("/"), epoch=-1)
    world.refused(request.send(), "auth-required")


# --- what strangers may know ---

def test_strangers_cannot_tell_what_exists(world, alpn):
    """One answer for every route that needs a signature, and for those that are not there."""
    http = world.connect(alpn=alpn).http
    for target in ("/", "/vault/x", "/no/such/thing", "/public"):
        if target == "/public":
            continue
        for method in ("GET", "DELETE"):
            world.refused(http.native(method, "app", world.target(target), []), "auth-required")


def test_a_refusal_tells_nothing_of_what_was_expected(world, grant):
    request = grant.sign("GET", world.target("/"))
    request.qlock = request.qlock.replace(request.lock.hex(), STRANGER)
    answer = world.refused(request.send(), "auth-failed")
    assert set(answer.problem) == {"type", "title", "status", "instance"}
    assert request.lock.hex() not in str(answer.fields) + answer.body.decode()


def test_a_refusal_before_verification_is_unsigned_and_one_after_it_is_signed(world, grant):
    request = grant.sign("GET", world.target("/"), counter=0)
    assert request.send().value("sapi-response") is None
    request = grant.sign("PATCH", world.target("/"))
    answer = request.send()
    world.refused(answer, "method-not-allowed")
    assert request.verify(answer)


# --- fields that say who calls ---

IDENTITY = ["x-httpcg-wallet-address", "x-httpcg-auth", "x-httpcg-session-id", "x-httpcg-roles", "x-httpcg-gateway-did",
            "x-httpcg-request-id", "x-httpcg-original-url", "x-httpcg-evidence", "x-httpcg-anything", "X-HttpCG-Auth",
            "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "signature",
            "signature-input", "sapi-response", "sapi-anything"]


def test_what_a_client_says_about_its_identity_never_arrives(world, grant):
    for name in IDENTITY:
        if grant.connection.http.is_h2 and name != name.lower():
            continue
        world.ok(grant.sign("GET", world.target("/"), fields=[(name, STRANGER)]))
        seen = world.backend.seen[-1]
        assert STRANGER not in [v for _, v in seen.fields], (name, seen)
        assert seen.values("x-httpcg-wallet-address") == [grant.wallet.address]
        assert seen.values("x-httpcg-auth") == ["grant"]


def test_an_unsigned_request_arrives_without_identity(world, alpn):
    http = world.connect(alpn=alpn).http
    answer = http.native("GET", "app", world.target("/public/x"), [(name.lower(), STRANGER) for name in IDENTITY[:9]])
    assert answer.status == 200
    world.expected += 1
    seen = world.backend.seen[-1]
    assert not seen.values("x-httpcg-wallet-address") and seen.values("x-httpcg-auth") == ["none"]
    assert STRANGER not in str(seen.fields)


def test_a_lock_and_a_signature_are_not_forwarded(world, grant):
    world.ok(grant.sign("GET", world.target("/")))
    seen = world.backend.seen[-1]
    assert not [k for k, _ in seen.fields if k.lower() in ("qlock", "sapi", "sapi-trailer", "content-digest")]


def test_a_name_with_an_underscore_is_refused(world, grant):
    """CGI-like backends read it as a dash."""
    for name in ("x_httpcg_wallet_address", "x-httpcg_auth", "x_httpcg-auth", "a_b", "content_type"):
        world.refused(grant.sign("GET", world.target("/"), fields=[(name, STRANGER)]).send(), "bad-request")


def test_a_second_method_or_target_is_refused(world, grant):
    for name in ("x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-rewrite-url"):
        world.refused(grant.sign("POST", world.target("/"), fields=[(name, "DELETE")]).send(), "bad-request")


def test_connection_cannot_take_the_identity_away(world, grant):
    """Fields that Connection names are removed before ours are set (CVE-2025-48865)."""
    for value in ("x-httpcg-wallet-address", "X-HttpCG-Auth, close", "signature", "signature-input, x-httpcg-auth",
                  "content-digest", "host", "content-length"):
        request = grant.sign("GET", world.target("/"), fields=[("connection", value)])
        answer = request.send()
        if answer.status == 200:
            world.expected += 1
            seen = world.backend.seen[-1]
            assert seen.values("x-httpcg-wallet-address") == [grant.wallet.address]
            assert seen.values("x-httpcg-auth") == ["grant"] and seen.values("signature-input") and seen.values("host")
        else:
            assert answer.code in ("bad-request", "reset"), answer
        if not grant.connection.http.is_h2:  # it may end behind such an answer, sooner or later
            grant = world.granted(alpn="http/1.1")


def test_the_target_is_named_once(world, grant):
    host = grant.sign("GET", world.target("/"), fields=[("host", world.site)])
    answer = host.send()
    assert answer.code in ("bad-request", "reset"), answer


def test_other_schemes_planes_and_names_are_misdirected(world):
    connection = world.granted().connection

    def ask(scheme, authority, path, method="GET"):
        return connection.http._exchange([(":method", method), (":scheme", scheme), (":authority", authority),
                                          (":path", path)], b"", None)

    for scheme, authority, path, code in (
            ("https", world.site, "/", "misdirected"), ("https", "evil.test", "/.well-known/httpcg/tlsls", "misdirected"),
            ("http", "app", world.target("/"), "misdirected"), ("ftp", "app", "/" + world.target("/"), "misdirected"),
            ("httpcg", "nowhere", "/" + world.target("/"), "bad-request"), ("httpcg", world.site, "/", "bad-request"),
            ("httpcg", "app", "/", "bad-request"), ("httpcg", "app", "/127.0.0.1/", "bad-request"),
            ("httpcg", "app", "/shop.test:443/", "bad-request"), ("httpcg", "app", "/user@shop.test/", "bad-request"),
            ("httpcg", "app", "/shop..test/", "bad-request"), ("httpcg", "app", "/-shop.test/", "bad-request"),
            ("httpcg", "app", "/shop.test./", "bad-request"), ("https", world.house.name, "/", "misdirected"),
            ("httpcg", "app:443", "/" + world.target("/"), "bad-request")):
        answer = ask(scheme, authority, path)
        assert answer.code in (code, "reset"), (scheme, authority, path, answer)
    for method in ("TRACE", "CONNECT"):
        answer = ask("httpcg", "app", "/" + world.target("/"), method)
        assert answer.code in ("method-not-allowed", "reset"), answer


def test_nothing_that_a_peer_says_makes_a_line_of_the_log(world, alpn):
    """What ends lines, moves cursors or closes a quote: refused or escaped. The log is looked at when the instance ends."""
    grant = world.granted(alpn=alpn)
    forged = '{"time":"2026-01-01T00:00:00Z","level":"info","event":"request"}'
    for path in ('/a"b', "/a%0d%0ab", "/a%1b[2Jb", "/a\\b", "/%e2%80%ae", "/" + forged, "/a\x1b[2J", "/a\nb", "/\xe2\x80\xa8", "/%00"):
        for method in ("GET", 'G"T', "GE\x1bT"):
            request = grant.sign("GET", world.target("/"))
            request.method, request.target = method, world.site + path
            request.send()
            if grant.connection.wire.ended:
                grant = world.granted(alpn=alpn)
    for name in ("user-agent", "x-" + "y" * 60, "cookie"):
        for value in (forged, '"', "\x7f", "\x1b[2J", "\xc2\x9b"):
            request = grant.sign("GET", world.target("/"))
            request.fields = [(name, value)]
            if request.send().status == 200:
                world.expected += 1
            if grant.connection.wire.ended or alpn != "h2":
                grant = world.granted(alpn=alpn)
    time.sleep(0.3)
    with open(world.house.path("access.log"), "rb") as log:
        lines = log.readlines()
    assert any(b"%0d%0a" in line.lower() for line in lines)
    assert not any(line.startswith(b'{"time":"2026-01-01T00:00:00Z') for line in lines)
