"""Grants cost a verification each. Strangers of one address have a rate together; a wallet that was granted before
has one of its own, and nobody behind the same address takes it away."""
import subprocess
import time

import pytest

from conftest import World
from forms import cbor
from hybrid import hsig
from house import House
from rogue import Connection, Wallet

RATE = 1  # a second: slow enough for a machine that is busy with other things
BURST = 4 * RATE
MANY = 30  # a known wallet has ten times as much


@pytest.fixture
def own(backend):
    """With the rate that gateways have, all of it left."""
    house = House(backend.port)
    with open(house.path("httpcgd.yaml")) as file:
        config = file.read()
    house.write("httpcgd.yaml", config.replace("limits: {grants: 100000, ", "limits: {grants: %d, " % RATE))
    house.stop()
    house.start()
    known = Wallet()
    house.wait_until_serving(known)
    world = World(house, backend)
    world.known = known
    yield world
    for connection in world.connections:
        connection.close()
    code, words = house.stop(), house.words()
    house.close()
    assert code == 0, words


def ask(world, wallet, signature=None, keep=None, **options):
    """A grant on a connection of its own; what the gateway says to it."""
    with Connection(world.house, keep=keep, **options) as connection:
        wire = cbor(connection.draft(wallet))
        body = cbor([wire, wallet.doc, signature or hsig(wallet.key, "grant", wire)])
        code = connection.post(body).code
        if keep:
            time.sleep(0.1)  # the ticket comes behind the answer
        return code


def until_refused(world, most=4 * BURST):
    """Strangers, until they are too many; how many got in."""
    for n in range(most):
        code = ask(world, Wallet())
        if code != 200:
            assert code == "rate-limited", code
            return n
    raise AssertionError("nobody was refused")


def test_strangers_of_one_address_have_a_rate(own):
    began = time.monotonic()
    n = until_refused(own)
    assert BURST - 2 <= n <= BURST + RATE * (time.monotonic() - began) + 1, n
    time.sleep(1.1 / RATE)
    assert ask(own, Wallet()) == 200


def test_a_known_wallet_is_not_locked_out_by_strangers(own):
    until_refused(own)
    for _ in range(MANY):
        assert ask(own, own.known) == 200


def test_a_known_wallet_uses_up_nothing_of_strangers(own):
    for _ in range(MANY):
        assert ask(own, own.known) == 200
    assert ask(own, Wallet()) == 200


def test_bad_signatures_cost_ten(own):
    stranger = Wallet()
    assert ask(own, stranger, bytes(4691)) == "auth-failed"
    assert until_refused(own) < BURST - 1


def test_who_claims_to_be_a_known_wallet_takes_nothing_from_its_tickets(own, tmp_path):
    """Somebody behind the same address who knows the wallet's address, and its document."""
    ticket, newer = str(tmp_path / "ticket"), str(tmp_path / "newer")
    assert ask(own, own.known, keep=ticket) == 200
    codes = [ask(own, own.known, bytes(4691)) for _ in range(3 * BURST)]
    assert codes[0] == "auth-failed" and "rate-limited" in codes, codes
    # By its address alone the wallet may be nobody special here for a moment; by its ticket it is.
    assert ask(own, own.known, session=ticket, fingerprint=own.house.fingerprint, keep=newer) == 200
    assert ask(own, own.known, session=newer, fingerprint=own.house.fingerprint) == 200


def test_a_ticket_is_worth_nothing_to_another_wallet(own, tmp_path):
    ticket = str(tmp_path / "ticket")
    assert ask(own, own.known, keep=ticket) == 200
    assert ask(own, own.known, bytes(4691)) == "auth-failed"  # costs the address all that it has
    assert ask(own, Wallet(), session=ticket, fingerprint=own.house.fingerprint) == "rate-limited"


def test_a_shell_loop_of_the_program_is_never_refused(own):
    """One wallet, a new process and a new connection each time."""
    from client import Client

    client = Client(own.house)
    try:
        assert client.get(own.site)[0] == 0
        processes = []
        for _ in range(8):
            words = ["sh", "-c", 'for i in 1 2 3 4; do "$@" || exit 1; done', "-", *client.words(own.site)]
            processes.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        for process in processes:
            out, err = process.communicate(timeout=50)
            assert process.returncode == 0, (out, err)
    finally:
        client.close()
