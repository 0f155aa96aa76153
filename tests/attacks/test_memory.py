"""Whoever gets at a core file or at the swap finds no key: those lie in locked pages that are never dumped,
and what they were made from is wiped."""
import hashlib
import os
import re
import subprocess
import time

import pytest

from client import PROGRAM, Client
from memory import find


def secrets_of(name, key):
    """All that is secret of a hybrid key: what it was made from, and what of ML-DSA's expansion can be told
    by its bytes (FIPS 204, Algorithm 6: rho, rho', K)."""
    expanded = hashlib.shake_256(key.ml_seed + bytes([8, 7])).digest(128)
    return {name + ": seed": key.seed, name + ": Ed25519 seed": key.ed_seed, name + ": ML-DSA seed": key.ml_seed,
            name + ": ML-DSA rho'": expanded[32:96], name + ": ML-DSA K": expanded[96:]}


def scalar_of(path):
    text = subprocess.run(["openssl", "pkey", "-in", path, "-noout", "-text"], check=True, capture_output=True).stdout
    digits = re.search(rb"priv:\s*([0-9a-f:\s]+)pub:", text)[1]
    return bytes.fromhex(re.sub(rb"[:\s]", b"", digits).decode())[-32:]


def may_lock(pid):
    with open("/proc/%d/status" % pid) as status:
        return int(re.search(r"VmLck:\s*(\d+)", status.read())[1]) > 0


def check(pid, secrets, kept):
    """Every place is fit for a key; those of kept are there, so that this test is known to see."""
    found = find(pid, secrets)
    assert {name for name, _ in found} >= set(kept), found
    for name, region in found:
        assert not region.is_dumped, "%s is in %s, which is dumped" % (name, region.name)
        assert region.is_locked or not may_lock(pid), "%s is in %s, which is not locked" % (name, region.name)
    return {name for name, _ in found}


def test_a_gateway_ledger_and_registry_keep_their_keys_to_themselves(world):
    house = world.house
    keys = {"transport": house.transport, "registry": house.registry.key, "log": house.log.key}
    secrets = {}
    for name, key in keys.items():
        secrets.update(secrets_of(name, key))
    scalar = scalar_of(house.path("tls.key"))
    secrets["TLS key, as it is written"] = scalar
    secrets["TLS key, as it is computed with"] = scalar[::-1]
    for mode in ("grant", "ed25519", "hybrid"):
        world.ok(world.granted().sign("GET", world.target("/vault/x"), mode="hybrid"))
    house.publish("memory.test")
    house.reload()  # opens its files once more
    time.sleep(1)
    found = check(house.process.pid, secrets, [name + ": Ed25519 seed" for name in keys] +
                  ["TLS key, as it is computed with"])
    # What they were made from is nowhere.
    assert not {name + ": seed" for name in keys} & found
    assert not {name + ": ML-DSA rho'" for name in keys} & found


@pytest.fixture
def client(world):
    client = Client(world.house)
    yield client
    client.close()


def test_an_agent_keeps_its_wallet_to_itself(world, client):
    path = os.path.join(client.folder, "agent.sock")
    agent = subprocess.Popen(
        [PROGRAM, "--home", client.folder, "agent", "--agent", path, "--passphrase-file",
         os.path.join(client.folder, "passphrase"), "--connect-to", "::127.0.0.1:%d" % world.house.native_port],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert agent.stdout.readline().startswith(b"HTTPCG_AGENT=")
        for mode in ("grant", "ed25519", "hybrid"):
            done = client.run("httpcg://app/" + world.site + "/x", "--agent", path, "--sapi", mode)
            assert done[0] == 0, done
            world.expected += 1
        found = check(agent.pid, secrets_of("wallet", client.wallet.key), ["wallet: seed"])
        # Keys are made of the seed while something is signed, and not kept.
        assert found == {"wallet: seed"}
    finally:
        agent.terminate()
        assert agent.wait(20) == 0, agent.stderr.read()
