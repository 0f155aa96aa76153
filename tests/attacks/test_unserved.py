"""What this build does not serve is refused by its name, after everything else was checked, and never forwarded as
something it is not."""
import pytest

from house import profile, rule
from hybrid import issue
from rogue import Wallet

SITE = "near.test"


@pytest.fixture(scope="module")
def near(house):
    """A name with rules that ask how far away the caller is."""
    roles = [{"role": "staff", "wallets": []}]
    rules = [rule("/near/**", max_rtt_us=333), rule("/open/**", roles=["anonymous"], sapi="none", max_rtt_us=333),
             rule("/staff/**", roles=["staff"], max_rtt_us=333), rule("/far/**", max_rtt_us=0), rule("/**")]
    house.route(SITE, house.backend_port)
    house.submit(issue(house.owner.key, "policy", profile(house.owner, rules, "near", roles=roles)))
    house.publish(SITE, rbac_profile="near")
    house.reload()
    return house


def test_a_rule_with_a_distance_is_not_served(world, near, grant):
    world.refused(grant.sign("GET", SITE + "/near/x").send(), "not-implemented")
    world.ok(grant.sign("GET", SITE + "/far/x"))
    world.ok(grant.sign("GET", SITE + "/x"))


def test_who_would_be_refused_anyway_is_refused_for_that(world, near, grant):
    world.refused(grant.sign("GET", SITE + "/staff/x").send(), "forbidden")
    world.refused(world.granted(Wallet(), scope=["app/elsewhere.test"]).sign("GET", SITE + "/near/x").send(), "forbidden")


def test_a_rule_for_everybody_with_a_distance_is_not_served(world, near, grant):
    request = grant.sign("GET", SITE + "/open/x")
    request.qlock = request.sapi = None
    world.refused(request.send(), "not-implemented")


def test_a_websocket_is_not_forwarded_as_an_ordinary_request(world):
    grant = world.granted(alpn="http/1.1")
    for value in ("websocket", "WebSocket"):
        request = grant.sign("GET", world.target("/ws"), fields=[("upgrade", value), ("connection", "upgrade"),
                             ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="), ("sec-websocket-version", "13")])
        world.refused(request.send(), "not-implemented")
    # Another upgrade may be left unanswered (RFC 9110, 7.8).
    world.ok(grant.sign("GET", world.target("/x"), fields=[("upgrade", "h2c"), ("connection", "upgrade")]))
