"""Bytes that were accepted once are accepted nowhere a second time."""
import pytest

from house import House
from backend import Backend
from rogue import Connection, Wallet


@pytest.fixture(params=["grant", "ed25519", "hybrid"])
def mode(request):
    return request.param


def test_a_request_is_accepted_once_on_its_connection(world, grant, mode):
    request = grant.sign("POST", world.target("/pay"), body=b"100", mode=mode)
    world.ok(request)
    world.refused(request.send(), "auth-failed")
    world.refused(request.send(), "auth-failed")
    world.ok(grant.sign("POST", world.target("/pay"), body=b"100", mode=mode))


def test_a_request_is_refused_on_another_connection(world, grant, mode, alpn):
    request = grant.sign("POST", world.target("/pay"), body=b"100", mode=mode)
    other = world.granted(alpn=alpn)
    world.refused(request.send(other.connection), "auth-failed")
    world.ok(request)
    world.refused(request.send(other.connection), "auth-failed")


def test_a_request_is_refused_on_another_connection_of_the_same_wallet(world, alpn):
    wallet = Wallet()
    one, two = world.granted(wallet, alpn=alpn), world.granted(wallet, alpn=alpn)
    request = one.sign("GET", world.target("/balance"))
    world.refused(request.send(two.connection), "auth-failed")
    world.ok(request)


def test_a_request_is_refused_where_no_grant_was_made(world, grant, alpn):
    request = grant.sign("GET", world.target("/balance"))
    world.refused(request.send(world.connect(alpn=alpn)), "auth-required")
    world.ok(request)


def test_a_grant_and_its_request_are_refused_on_another_connection(world, grant, alpn):
    thief = world.connect(alpn=alpn)
    world.refused(thief.post(grant.body), "auth-failed")
    world.refused(grant.sign("GET", world.target("/balance")).send(thief), "auth-required")


def test_a_grant_posted_again_does_not_empty_the_memory_of_nonces(world, grant):
    request = grant.sign("POST", world.target("/pay"), body=b"100")
    world.ok(request)
    world.refused(grant.connection.post(grant.body), "auth-failed")
    world.refused(request.send(), "auth-failed")


def test_a_second_grant_does_not_empty_the_memory_of_nonces(world, grant):
    request = grant.sign("POST", world.target("/pay"), body=b"100")
    world.ok(request)
    second = grant.connection.grant(grant.wallet)
    world.refused(request.send(), "auth-failed")
    world.ok(second.sign("GET", world.target("/")))
    world.ok(grant.sign("GET", world.target("/")))


def test_requests_out_of_order_are_accepted_once_each(world, grant):
    requests = [grant.sign("GET", world.target("/%d" % i)) for i in range(4)]
    for request in (requests[3], requests[1], requests[2], requests[0]):
        world.ok(request)
    for request in requests:
        world.refused(request.send(), "auth-failed")


def test_a_counter_below_the_window_is_refused(world, grant):
    world.ok(grant.sign("GET", world.target("/"), counter=5000))
    world.ok(grant.sign("GET", world.target("/"), counter=5000 - 1023))
    world.refused(grant.sign("GET", world.target("/"), counter=5000 - 1024).send(), "auth-failed")
    world.refused(grant.sign("GET", world.target("/"), counter=1).send(), "auth-failed")


def test_a_counter_of_0_is_refused(world, grant):
    world.refused(grant.sign("GET", world.target("/"), counter=0).send(), "auth-failed")


def test_the_highest_counter_leaves_the_ones_below_it_in_the_window(world, grant):
    world.ok(grant.sign("GET", world.target("/"), counter=2**64 - 1))
    world.refused(grant.sign("GET", world.target("/"), counter=2**64 - 1).send(), "auth-failed")
    world.refused(grant.sign("GET", world.target("/"), counter=1).send(), "auth-failed")
    world.ok(grant.sign("GET", world.target("/"), counter=2**64 - 2))


def test_a_nonce_of_another_grant_is_refused(world, grant):
    world.refused(grant.sign("GET", world.target("/"), prefix=bytes(8)).send(), "auth-failed")


def test_a_failed_signature_does_not_spend_the_nonce(world, grant):
    """Otherwise whoever can add requests to a connection could lock its owner out."""
    request = grant.sign("GET", world.target("/"))
    good, request.sapi = request.sapi, request.sapi.replace(request.signature.hex(), "00" * 32)
    world.refused(request.send(), "auth-failed")
    request.sapi = good
    world.ok(request)


def test_a_lock_from_before_a_resumption_is_refused_after_it(world, grant, alpn):
    session = world.house.path("session.pem")
    first = world.granted(alpn=alpn, keep=session)
    world.ok(first.sign("GET", world.target("/")))
    request = first.sign("GET", world.target("/balance"))
    resumed = world.connect(alpn=alpn, session=session, fingerprint=first.connection.fingerprint)
    assert resumed.wire.facts["resumed"]
    assert resumed.exporter != first.connection.exporter
    world.refused(resumed.post(first.body), "auth-failed")
    second = resumed.grant(first.wallet)
    world.refused(request.send(resumed), "auth-failed")
    world.ok(second.sign("GET", world.target("/")))


def test_early_data_is_never_taken(world, alpn):
    session = world.house.path("session.pem")
    first = world.granted(alpn=alpn, keep=session)
    world.ok(first.sign("GET", world.target("/")))
    request = b"GET httpcg://app/%s/early HTTP/1.1\r\nHost: app\r\n\r\n" % world.site.encode()
    resumed = world.connect(alpn=alpn, session=session, early=request.hex(),
                            fingerprint=first.connection.fingerprint)
    assert resumed.wire.facts["early"] == "refused"
    assert resumed.wire.has_ended(5), "bytes that came before the handshake's end end the connection"
    assert not resumed.wire.held


@pytest.fixture
def own_house():
    """An instance that may be killed."""
    backend = Backend()
    house = House(backend.port)
    yield house, backend
    house.close()
    backend.close()


@pytest.mark.parametrize("ends", ["kill", "stop"])
def test_nothing_from_before_a_restart_is_accepted_after_it(own_house, ends):
    house, backend = own_house
    wallet = Wallet()
    with Connection(house) as connection:
        grant = connection.grant(wallet)
        spent, unspent = (grant.sign("POST", house.site + "/pay", body=b"1") for _ in range(2))
        assert spent.send().status == 200
    getattr(house, ends)()
    house.restart()
    seen = len(backend.seen)
    with Connection(house) as connection:
        for request in (spent, unspent):
            assert request.send(connection).code == "auth-required"
        assert connection.post(grant.body).code == "auth-failed"
        connection.grant(wallet)
        for request in (spent, unspent):
            assert request.send(connection).code == "auth-failed"
        assert len(backend.seen) == seen
