"""A role comes from the owner's list or the owner's credential, for one wallet and one profile, until it ends."""
import os
import time

import pytest

from forms import cbor, u
from h2 import RST_STREAM, frame
from hybrid import body_protected, cose, cose_sigs, issue
from house import profile, rule
from rogue import Wallet

SITE = "staffed.test"
PROFILE = "staffed"
LISTED = Wallet()


def put(house, site, name, rules, roles):
    """A name with a profile of its own."""
    house.route(site, house.backend_port)
    house.submit(issue(house.owner.key, "policy", profile(house.owner, rules, name, roles=roles)))
    house.publish(site, rbac_profile=name)


@pytest.fixture(scope="module")
def staffed(house):
    """A name whose profile knows roles: staff by list or credential, auditor by credential only."""
    roles = [{"role": "staff", "wallets": [LISTED.address]}, {"role": "auditor", "wallets": []},
             {"role": "guest", "wallets": []}]
    rules = [rule("/staff/**", roles=["staff"]), rule("/audit/**", roles=["auditor"]),
             rule("/either/**", roles=["auditor", "staff"]), rule("/**")]
    put(house, SITE, PROFILE, rules, roles)
    house.reload()
    return house


@pytest.fixture
def wallet():
    return Wallet()


def payload(house, wallet, role="auditor", **changes):
    fields = {"v": 1, "owner": house.owner.did, "aud": PROFILE, "role": role, "wallet": wallet.address,
              "until": int(time.time()) + 600, "nonce": os.urandom(16), **changes}
    return cbor(fields)


def credential(house, wallet, role="auditor", signer=None, **changes):
    return issue((signer or house.owner).key, "role", payload(house, wallet, role, **changes))


def ask(world, grant, path):
    return grant.sign("GET", SITE + path)


def told_roles(world):
    return world.backend.seen[-1].values("x-httpcg-roles")


def test_a_credential_gives_its_role_and_the_backend_is_told(world, staffed, alpn, wallet):
    grant = world.granted(wallet, alpn=alpn, creds=[credential(staffed, wallet)])
    world.ok(ask(world, grant, "/audit/x"))
    assert told_roles(world) == ["auditor"]
    world.ok(ask(world, grant, "/either/x"))
    world.ok(ask(world, grant, "/x"))
    assert told_roles(world) == ["auditor"]
    world.refused(ask(world, grant, "/staff/x").send(), "forbidden")


def test_lists_and_credentials_add_up(world, staffed):
    creds = [credential(staffed, LISTED, role) for role in ("auditor", "guest", "staff")]
    grant = world.granted(LISTED, creds=creds)
    for path in ("/staff/x", "/audit/x"):
        world.ok(ask(world, grant, path))
        assert told_roles(world) == ["staff,auditor,guest"], "in the profile's order, each once"


def test_without_a_credential_there_is_no_role(world, staffed, wallet):
    grant = world.granted(wallet)
    world.refused(ask(world, grant, "/audit/x").send(), "forbidden")
    world.ok(ask(world, grant, "/x"))
    assert told_roles(world) == []


def half(key, other, message, keep):
    """One half by the one, one by the other."""
    good, foreign = cose_sigs(key, "role", message), cose_sigs(other, "role", message)
    return cose("role", message, [good[0], foreign[1]] if keep == "ed" else [foreign[0], good[1]])


def bad_credentials(house, wallet):
    stranger, owner, now = Wallet(), house.owner, int(time.time())
    good = credential(house, wallet)
    message = payload(house, wallet)
    ed, ml = cose_sigs(owner.key, "role", message)
    return {
        "the wallet's own": credential(house, wallet, signer=wallet, owner=wallet.did),
        "the wallet's own in the owner's name": credential(house, wallet, signer=wallet),
        "the gateway's": credential(house, wallet, signer=house.gateway),
        "for another profile": credential(house, wallet, aud="web"),
        "for another wallet": credential(house, stranger),
        "over": credential(house, wallet, until=now - 1),
        "over now": credential(house, wallet, until=now),
        "for a role that is not declared": credential(house, wallet, "root"),
        "for another role": credential(house, wallet, "guest"),
        "altered in its role": good.replace(b"gauditor", b"gauditos"),
        "altered in its signature": good[:-1] + bytes([good[-1] ^ 1]),
        "with the owner's Ed25519 half alone": half(owner.key, wallet.key, message, "ed"),
        "with the owner's ML-DSA half alone": half(owner.key, wallet.key, message, "ml"),
        "with one signature": b"\xd8\x62" + cbor([body_protected("role"), {}, message, [[b"\xa1\x01\x32", {}, ed]]]),
        "with its signatures swapped": cose("role", message, [ml, ed]),
        "signed as a policy": issue(owner.key, "policy", message),
        "no document": b"credential",
        "empty": b"",
    }


def test_a_bad_credential_gives_nothing_and_takes_nothing(world, staffed, wallet):
    """Each beside a good one of another role, which goes on counting."""
    for why, bad in bad_credentials(staffed, wallet).items():
        with world.granted(wallet, creds=[bad, credential(staffed, wallet, "staff")]).connection as connection:
            grant = connection.grant(wallet, creds=[bad, credential(staffed, wallet, "staff")])
            answer = ask(world, grant, "/audit/x").send()
            assert answer.code == "forbidden", (why, answer)
            world.refused(answer, "forbidden")
            world.ok(ask(world, grant, "/staff/x"))
            assert "auditor" not in told_roles(world)[0], why


def test_five_credentials_or_one_that_is_too_large_make_no_grant(world, staffed, wallet):
    connection = world.connect()
    one = credential(staffed, wallet)
    large = issue(staffed.owner.key, "role", payload(staffed, wallet), {"staple": bytes(4096)})
    assert len(large) > 8192
    for creds in ([one] * 5, [large], []):
        fields = connection.draft(wallet, creds=creds)
        world.refused(connection.post(connection.sealed(wallet, fields).body), "bad-request")
    world.ok(ask(world, connection.grant(wallet, creds=[one] * 4), "/audit/x"))


def test_a_role_ends_with_its_credential_on_a_connection_that_goes_on(world, staffed, wallet):
    until = int(time.time()) + 3
    grant = world.granted(wallet, creds=[credential(staffed, wallet, until=until)])
    world.ok(ask(world, grant, "/audit/x"))
    while time.time() < until + 0.01:
        time.sleep(0.05)
    world.refused(ask(world, grant, "/audit/x").send(), "forbidden")
    world.ok(ask(world, grant, "/x"))
    assert told_roles(world) == []


def test_a_credential_is_the_grants_that_presented_it(world, staffed, wallet):
    connection = world.connect()
    with_one = connection.grant(wallet, creds=[credential(staffed, wallet)])
    without = connection.grant(wallet)
    world.ok(ask(world, with_one, "/audit/x"))
    world.refused(ask(world, without, "/audit/x").send(), "forbidden")
    world.ok(ask(world, with_one, "/audit/x"))


def test_credentials_of_one_name_are_nothing_at_another(world, staffed, wallet):
    """Another profile of the same owner's declares the same role."""
    rules, roles = [rule("/**", roles=["auditor"])], [{"role": "auditor", "wallets": []}]
    put(staffed, "elsewhere.test", "elsewhere", rules, roles)
    staffed.reload()
    grant = world.granted(wallet, creds=[credential(staffed, wallet)])
    world.refused(grant.sign("GET", "elsewhere.test/audit/x").send(), "forbidden")
    world.ok(ask(world, grant, "/audit/x"))
    both = world.granted(wallet, creds=[credential(staffed, wallet), credential(staffed, wallet, aud="elsewhere")])
    world.ok(both.sign("GET", "elsewhere.test/audit/x"))
    world.ok(ask(world, both, "/audit/x"))


def begin(world, grant, path):
    """A request whose answer is not waited for; gives its stream."""
    request = ask(world, grant, path)
    fields = [(":method", "GET"), (":scheme", "httpcg"), (":authority", "app"), (":path", "/" + request.target)]
    return grant.connection.http.open([*fields, *request.head_fields()])


def test_requests_that_come_together_wait_for_one_verification(world, staffed, wallet):
    """Streams of one connection, all there before the first answer; the one that asked first gives up."""
    for _ in range(3):
        grant = world.granted(wallet, creds=[credential(staffed, wallet)])
        http = grant.connection.http
        streams = [begin(world, grant, "/audit/%d" % i) for i in range(8)]
        http.wire.send(frame(RST_STREAM, 0, streams[0], u(32, 8)))
        for stream in streams[1:]:
            answer = http.answer(stream)
            assert answer.status == 200, answer
        # The first may have been through before it was given up.
        time.sleep(0.1)
        world.expected = len(world.backend.seen) - world.before
        world.ok(ask(world, grant, "/audit/x"))


def test_a_connection_may_end_while_its_credentials_are_verified(world, staffed, wallet):
    for _ in range(12):
        with world.granted(wallet, creds=[credential(staffed, wallet)] * 4).connection as connection:
            grant = connection.grant(wallet, creds=[credential(staffed, wallet)] * 4)
            begin(world, grant, "/audit/x")
    time.sleep(0.3)
    world.expected = len(world.backend.seen) - world.before  # one or the other was fast


def test_more_profiles_than_are_remembered_are_verified_anew(world, staffed, wallet):
    names = ["many%d" % i for i in range(18)]
    rules, roles = [rule("/**", roles=["auditor"])], [{"role": "auditor", "wallets": []}]
    for name in names:
        put(staffed, name + ".test", name, rules, roles)
    staffed.reload()
    grant = world.granted(wallet, creds=[credential(staffed, wallet, aud=name) for name in names[:4]])
    for _ in range(2):
        for i, name in enumerate(names):
            request = grant.sign("GET", name + ".test/x")
            if i < 4:
                world.ok(request)
            else:
                world.refused(request.send(), "forbidden")
