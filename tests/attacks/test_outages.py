"""What was proved stays proved for a while when nobody can be asked, and not longer."""
import time

import pytest

from house import House
from liar import silent, slow

counter = iter(range(1000))


@pytest.fixture(scope="module")
def house(backend):
    """It asks a registry that may fail first, then the real one; and a ledger that may fail."""
    with House(backend.port, site="truth.test", liars=True) as house:
        both = '%s", "%s' % (house.false_registry.url, house.services())
        house.write("httpcgd.yaml", house.config(both, house.false_ledger.url))
        house.stop()
        house.restart()
        yield house


@pytest.fixture
def registry(house):
    yield house.false_registry
    house.false_registry.lie = house.false_ledger.lie = None


def publish(house, **changes):
    """A name that the gateway has not heard of yet."""
    name = "out%d.test" % next(counter)
    house.route(name, house.backend_port)
    house.reload()
    house.publish(name, **changes)
    return name


def all_fail(house, wait=silent):
    house.false_registry.lie = house.false_ledger.lie = wait


def asked(house, name):
    return house.false_registry.heard.count("/resolve/app/" + name)


def test_a_second_registry_answers_where_the_first_fails(world, house, registry):
    grant = world.granted()
    for answer in ((500, b"no"), (200, b"{}"), (404, b"{}"), (200, b""), (302, b"")):
        registry.lie = lambda *_: answer  # noqa: B023 (it is asked before the next one comes)
        name = publish(house)
        world.ok(grant.sign("GET", name + "/"))
        assert asked(house, name) == 1


def test_a_name_is_asked_for_again_before_its_time_is_over(world, house, registry):
    """At four fifths of its time to live, beside the requests that go on."""
    grant = world.granted()
    name = publish(house, ttl=5)
    world.ok(grant.sign("GET", name + "/"))
    began = time.monotonic()
    while time.monotonic() < began + 2.8:
        world.ok(grant.sign("GET", name + "/"))
        time.sleep(0.2)
    assert asked(house, name) == 1
    registry.lie = slow(1)
    while time.monotonic() < began + 7:
        before = time.monotonic()
        world.ok(grant.sign("GET", name + "/"))
        assert time.monotonic() - before < 0.9, "nobody waits for it"
        time.sleep(0.2)
    assert asked(house, name) == 2


def test_a_name_outlives_an_outage_but_not_its_record(world, house, registry):
    grant = world.granted()
    name = publish(house, ttl=1, expires_at=int(time.time()) + 12)
    end = time.monotonic() + 12
    world.ok(grant.sign("GET", name + "/"))
    # The second registry goes on, but without the ledger nobody says which profile is in force.
    all_fail(house)
    time.sleep(1.5)
    while time.monotonic() < end - 2:
        world.ok(grant.sign("GET", name + "/"))
        time.sleep(0.5)
    time.sleep(max(0, end + 1.5 - time.monotonic()))
    answer = grant.sign("GET", name + "/").send()
    assert answer.code in ("name-unresolved", "bad-gateway", "unavailable", "gateway-timeout"), answer
    world.expected = len(world.backend.seen) - world.before


def test_who_hangs_holds_up_one_request_and_only_for_a_moment(world, house, registry):
    grant = world.granted()
    name = publish(house, ttl=1)
    world.ok(grant.sign("GET", name + "/"))
    all_fail(house, slow(8))
    time.sleep(2.1)
    times = []
    for _ in range(20):
        before = time.monotonic()
        world.ok(grant.sign("GET", name + "/"))
        times.append(time.monotonic() - before)
    assert times[0] < 1.9, "the gateway's limit for look-ups is two seconds here"
    assert max(times[1:]) < 0.5, times
    house.false_registry.lie = house.false_ledger.lie = None
    time.sleep(6.5)  # those who hang come back, and the ledger is asked again for grants
