"""A gateway believes neither its registry nor its ledger: what does not verify gives no access, and no
connection is made to where a record may not point."""
import base64
import json
import os
import socket
import threading
import time

import pytest

from house import House, b64, free_port, profile, rule
from hybrid import issue
from liar import silent, slow
from rogue import Wallet

GONE = ("bad-gateway", "unavailable", "gateway-timeout")
counter = iter(range(1000))


@pytest.fixture(scope="module")
def house(backend):
    port = free_port()
    with House(backend.port, site="truth.test", liars=True, config="  ports: [%d]\n" % port) as house:
        house.trap_port = port
        yield house


@pytest.fixture
def registry(house):
    yield house.false_registry
    house.false_registry.lie = None


@pytest.fixture
def ledger(house):
    yield house.false_ledger
    house.false_ledger.lie = None


@pytest.fixture
def site(house, backend):
    """A name that is published and routed, and of which the gateway has not heard yet."""
    name = "site%d.test" % next(counter)
    house.route(name, backend.port)
    house.reload()
    house.publish(name)
    return name


def ask(world, name, path="/"):
    return world.granted().sign("GET", name + path).send()


def refuses(world, name, codes=GONE):
    answer = ask(world, name)
    assert answer.code in codes, answer
    return answer


def then_true(world, house, name):
    """Once nobody lies any more, the same name is served."""
    house.false_registry.lie = house.false_ledger.lie = None
    until = time.monotonic() + 10
    while time.monotonic() < until:
        grant = world.granted()
        request = grant.sign("GET", name + "/")
        answer = request.send()
        if answer.status == 200:
            assert request.verify(answer)
            world.expected += 1
            return
        time.sleep(0.2)
    pytest.fail("not served after the truth was told: %r" % answer)


def answer_of(house, name):
    status, body = house.ask("GET", "/resolve/app/" + name)
    assert status == 200, body
    return json.loads(body)


def tell(registry, name, answer):
    body = json.dumps(answer).encode()
    registry.about("/resolve/app/" + name, (200, body))


# --- records ---

def test_a_record_of_another_name_is_refused(world, house, registry, site):
    """Signed by everybody, logged, current: but not what was asked for."""
    tell(registry, site, answer_of(house, house.site))
    refuses(world, site)
    then_true(world, house, site)


def changed(path, value):
    def change(house, name):
        answer = answer_of(house, name)
        at = answer
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value(at[path[-1]]) if callable(value) else value
        return answer
    return change


def flip_hex(text):
    return ("0" if text[0] != "0" else "1") + text[1:]


def flip_b64(at):
    def flip(text):
        raw = bytearray(base64.b64decode(text))
        raw[at] ^= 1
        return b64(bytes(raw))
    return flip


def neighbour(house):
    """The answer about another name of the same owner."""
    if house.ask("GET", "/resolve/app/neighbour.test")[0] != 200:
        house.publish("neighbour.test")
    return answer_of(house, "neighbour.test")


stranger = Wallet()
SUBSTITUTIONS = {
    "another target": changed(("record", "target_host"), "evil.test"), "another port": changed(("record", "target_port"), 8443),
    "another gateway": changed(("record", "gateway_dids"), [stranger.did]), "more gateways": changed(("record", "gateway_dids"), lambda dids: dids + [stranger.did]),
    "another owner": changed(("record", "rp_did"), stranger.did), "no need of a certificate": changed(("record", "tlsls_required"), False),
    "another profile": changed(("record", "rbac_profile"), "open"), "a longer life": changed(("record", "expires_at"), "2099-01-01T00:00:00Z"),
    "a higher serial": changed(("record", "serial"), 2), "a longer ttl": changed(("record", "ttl"), 3600),
    "another plane": changed(("record", "plane"), "wallet"), "another way to know the target": changed(("record", "target_auth"), "spki:" + "0" * 64),
    "another anchor": changed(("record", "bpi_anchor"), lambda a: a[:-1] + ("0" if a[-1] != "0" else "1")),
    "the owner's signature": changed(("record", "owner_signature"), flip_hex),
    "the owner's ML-DSA half": changed(("record", "owner_signature"), lambda s: s[:-1] + ("0" if s[-1] != "0" else "1")),
    "no ML-DSA half of the owner": changed(("record", "owner_signature"), lambda s: s[:128] + "0" * (len(s) - 128)),
    "the registry's signature": changed(("record", "signature"), flip_hex),
    "no ML-DSA half of the registry": changed(("record", "signature"), lambda s: s[:128] + "0" * (len(s) - 128)),
    "the owner's as the registry's": lambda h, n: (lambda a: (a["record"].update(signature=a["record"]["owner_signature"]), a)[1])(answer_of(h, n)),
    "another owner's document": changed(("wallet_doc",), b64(stranger.doc)), "a registry nobody trusts": changed(("operator_did",), stranger.did),
    "another registry's document": changed(("operator_doc",), b64(stranger.doc)),
    "a bit of the staple's beginning": changed(("staple",), flip_b64(30)), "a bit of the staple's middle": changed(("staple",), flip_b64(4000)),
    "a bit of the staple's end": changed(("staple",), flip_b64(-1)), "no staple": changed(("staple",), ""),
    "another name's staple": lambda h, n: {**answer_of(h, n), "staple": neighbour(h)["staple"]},
    "a member more": lambda h, n: {**answer_of(h, n), "more": 1},
    "a member less": lambda h, n: {k: v for k, v in answer_of(h, n).items() if k != "operator_doc"},
    "an answer as the origin had it": lambda h, n: answer_of(h, n)["record"],
}


def test_a_substituted_record_is_refused(world, house, registry, site):
    for why, change in SUBSTITUTIONS.items():
        tell(registry, site, change(house, site))
        answer = ask(world, site)
        assert answer.code in GONE, (why, answer)
    then_true(world, house, site)


def test_a_record_that_nobody_logged_is_refused(world, house, registry, site):
    """Both signatures are right. The ledger has never seen it."""
    tell(registry, site, house.forge(site, serial=2, log=False))
    refuses(world, site)
    then_true(world, house, site)


def test_a_record_by_one_of_the_two_is_refused(world, house, registry, site):
    for how in (dict(registry=stranger, operator=house.registry), dict(registry=stranger), dict(owner=stranger)):
        tell(registry, site, house.forge(site, log=False, **how))
        refuses(world, site)
    then_true(world, house, site)


def test_a_record_that_ran_out_is_refused(world, house, registry, backend):
    name = "short.test"
    house.route(name, backend.port)
    house.reload()
    house.publish(name, expires_at=int(time.time()) + 2)
    old = answer_of(house, name)
    time.sleep(2.1)
    tell(registry, name, old)
    refuses(world, name)


def test_a_record_of_the_future_is_refused(world, house, registry, site):
    now = int(time.time())
    tell(registry, site, house.forge(site, serial=2, log=False, issued_at=now + 400, expires_at=now + 5000))
    refuses(world, site)


def test_a_record_that_was_rolled_back_is_refused_after_a_restart_too(world, house, registry, backend):
    name = "rolled.test"
    house.route(name, backend.port)
    house.reload()
    house.publish(name, ttl=0)
    first = answer_of(house, name)
    house.publish(name, serial=2, ttl=0)
    then_true(world, house, name)
    tell(registry, name, first)
    house.kill()
    world.restart()
    refuses(world, name)
    then_true(world, house, name)


def test_a_record_of_the_same_serial_and_another_content_is_refused(world, house, registry, backend):
    name = "twice.test"
    house.route(name, backend.port)
    house.reload()
    house.publish(name, ttl=0)
    then_true(world, house, name)
    tell(registry, name, house.forge(name, log=False, ttl=1))
    house.kill()
    world.restart()
    refuses(world, name)


def test_another_gateways_name_is_not_served_here(world, house, registry, backend):
    name = "theirs.test"
    house.route(name, backend.port)
    house.reload()
    house.publish(name, gateway_dids=[stranger.did])
    world.refused(ask(world, name), "misdirected")


# --- denials ---

def test_a_name_cannot_be_hidden(world, house, registry, site):
    """A denial without proof, with another name's, or with a proof of presence is a failed registry."""
    nobody = "nobody%d.test" % next(counter)
    _, denial = house.ask("GET", "/resolve/app/" + nobody)
    denial = json.loads(denial)
    for lie in (denial, {**denial, "staple": answer_of(house, site)["staple"]}, {**denial, "staple": ""},
                {k: v for k, v in denial.items() if k != "staple"}, {}):
        registry.about("/resolve/app/" + site, (404, json.dumps(lie).encode()))
        refuses(world, site)
    registry.about("/resolve/app/" + site, (404, b""))
    refuses(world, site)
    then_true(world, house, site)


def test_a_name_that_is_not_there_is_denied_with_a_proof(world, house):
    answer = ask(world, "nobody%d.test" % next(counter))
    world.refused(answer, "name-unresolved")
    assert len(base64.b64decode(answer.problem["staple"])) > 1000


# --- answers that are none ---

GARBAGE = {
    "nothing": (200, b""), "not JSON": (200, b"<html>"), "too large": (200, b'{"record":"' + b"x" * 300000 + b'"}'),
    "much too large": (200, b"x" * (5 << 20)), "deep": (200, b"[" * 100000), "an error": (500, b"{}"), "a redirect": (302, b""),
    "half of it": lambda status, body: (200, body[:len(body) // 2]), "twice": lambda status, body: (200, body * 2),
    "no content": (204, b""), "silence": silent, "too late": slow(3)}


@pytest.mark.limit(90)
def test_a_registry_that_answers_garbage_gives_no_access(world, house, registry, site):
    for why, lie in GARBAGE.items():
        registry.about("/resolve/app/" + site, lie)
        answer = ask(world, site)
        assert answer.code in GONE, (why, answer)
    then_true(world, house, site)


# --- the ledger ---

def test_a_ledger_that_lies_about_a_policy_gives_no_access(world, house, ledger, site):
    """Another policy under the same name: an owner's rules are the owner's."""
    open_rules = issue(stranger.key, "policy", profile(stranger, [rule("/**", roles=["anonymous"], sapi="none")]))
    owner, name = Wallet(), "ruled%d.test" % next(counter)
    house.submit(issue(owner.key, "policy", profile(owner, [rule("/**")]), {"wallet_doc": owner.doc}))
    house.route(name, house.backend_port)
    house.reload()
    house.publish(name, owner=owner)
    for why, path, lie in (
            ("another object", "/object/", (200, open_rules)), ("no object", "/object/", (404, b"")),
            ("a changed object", "/object/", lambda status, body: (status, body[:500] + bytes([body[500] ^ 1]) + body[501:])),
            ("one half of a signature", "/object/", lambda status, body: (status, body[:-4627] + bytes(4627))),
            ("garbage", "/object/", (200, os.urandom(3000))), ("silence", "/object/", silent),
            ("another state", "/staple?kind=policy", lambda status, body: (status, body[:-40] + bytes(40))),
            ("another key's state", "/staple?kind=policy", (200, house.ask("GET", "/staple?name=app/" + house.site)[1])),
            ("no state", "/staple?kind=policy", (404, b"")), ("an empty state", "/staple?kind=policy", (200, b""))):
        ledger.about(path, lie)
        answer = ask(world, name)
        assert answer.code in GONE, (why, answer)
    then_true(world, house, name)


def test_a_ledger_that_lies_about_a_wallet_gives_no_grant(world, house, ledger):
    true = house.ask("GET", "/staple?did=" + stranger.did)[1]
    for why, lie in (
            ("another wallet's state", (200, true)), ("a changed checkpoint", lambda status, body: (status, body.replace(b"ledger.test", b"ledger.evil"))),
            ("a changed proof", lambda status, body: (status, body[:-2] + bytes([body[-2] ^ 1]) + body[-1:])),
            ("cut", lambda status, body: (status, body[:-100])), ("longer", lambda status, body: (status, body + b"\0")),
            ("garbage", (200, b"x" * 5000)), ("nothing", (200, b"")), ("an error", (500, b"")), ("silence", silent)):
        ledger.about("/staple?did=", lie)
        wallet = Wallet()
        connection = world.connect()
        grant = connection.sealed(wallet, connection.draft(wallet))
        answer = connection.post(grant.body)
        assert answer.code in ("unavailable",), (why, answer)
        world.refused(grant.sign("GET", world.target("/")).send(), "auth-required")
        connection.close()


# --- where a record may not point ---

@pytest.fixture
def trap():
    """A port that must never be connected to."""
    listener = socket.create_server(("127.0.0.1", 0))
    came = []

    def accept():
        while True:
            try:
                came.append(listener.accept())
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    time.sleep(0.1)
    listener.close()
    assert not came, came


HERE = socket.gethostname().lower()


@pytest.mark.parametrize("host", [
    "localhost", "LOCALHOST", "localhost.", "ip6-localhost", HERE, "127.0.0.1", "127.1", "2130706433", "0x7f000001",
    "017700000001", "0177.0.0.1", "127.0.0.1.", "0.0.0.0", "::1", "[::1]", "::ffff:127.0.0.1", "[::ffff:7f00:1]", "64:ff9b::7f00:1",
    "169.254.169.254", "10.0.0.1", "localhost:80", "user@localhost", "localhost/", "localhost#", "", " ", "-"])
def test_a_record_cannot_send_the_gateway_inside(world, house, registry, host):
    """Owner and registry conspire: everything is signed and logged. The gateway still decides."""
    port = house.trap_port
    name = "inside%d.test" % next(counter)
    listener = socket.create_server(("127.0.0.1", port))
    listener.settimeout(0.2)
    try:
        try:
            answer = house.forge(name, target_host=host, target_port=port)
        except AssertionError:
            return  # the ledger itself does not take it
        tell(registry, name, answer)
        refuses(world, name, GONE + ("name-unresolved",))
        with pytest.raises(TimeoutError):
            listener.accept()
    finally:
        listener.close()


@pytest.mark.parametrize("port", [22, 25, 80, 8080, 65535, 1])
def test_a_record_cannot_choose_a_port(world, house, registry, port):
    name = "port%d.test" % next(counter)
    tell(registry, name, house.forge(name, target_host="example.com", target_port=port))
    refuses(world, name)


def test_a_record_that_points_at_itself_needs_a_route(world, house, registry):
    name = "self%d.test" % next(counter)
    house.publish(name)
    refuses(world, name)


def test_a_redirect_of_a_backend_is_not_followed(world, house, backend, trap):
    to = "http://127.0.0.1:%d/latest/meta-data" % trap
    backend.redirect = to
    try:
        answer = ask(world, house.site, "/redirect")
    finally:
        backend.redirect = None
    world.expected += 1
    assert answer.status == 302 and answer.value("location") == to
