"""httpcg role, and --cred: a role that the owner of a name gives to a wallet, through a real gateway."""

import json
import time

import pytest

from instance import end

NAME = "app/staffed.local"
PROFILE = {
    "v": 1, "kind": "rbac", "name": "staffed", "version": 1, "default": "deny",
    "roles": [{"role": "staff", "wallets": []}, {"role": "auditor", "wallets": []}],
    "rules": [
        {"methods": ["GET"], "path": "/whoami", "roles": ["staff"], "sapi": "grant"},
        {"methods": ["GET"], "path": "/**", "roles": ["any-wallet"], "sapi": "grant"},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def staffed(town, tmp_path_factory):
    folder = tmp_path_factory.mktemp("staffed")
    (folder / "profile.json").write_text(json.dumps(PROFILE | {"owner": town.owner}))
    town.httpcg("policy", "publish", folder / "profile.json", home=town.operator)
    town.allow(NAME)
    town.httpcg(
        "publish", NAME, town.backend.url, "--gateway", f"localhost:{town.native}", "--proof", "operator",
        "--secret-file", town.secret, "--admin-socket", town.socket, "--profile", "staffed", home=town.operator,
    )  # fmt: skip
    town.address = town.json("wallet", "show")["did"].removeprefix("did:bpi:")
    return town


def grant(it, path, role="staff", wallet=None, *words, **more):
    words = words or ("--profile", "staffed")
    return it.httpcg("role", "grant", role, wallet or it.address, "-o", path, *words, home=it.operator, **more)


def test_a_role_is_given_shown_and_used(staffed, tmp_path):
    file = tmp_path / "staff.role"
    assert "role     staff" in grant(staffed, file).stdout.decode()
    said = staffed.json("role", "show", file)
    assert (said["role"], said["profile"], said["owner"], said["wallet"]) == (
        "staff", "staffed", staffed.owner, staffed.address,
    )  # fmt: skip
    assert abs(said["until"] - time.time() - 30 * 86400) < 60

    assert staffed.get("/whoami", "-f", name=NAME, check=False).returncode == 22
    seen = json.loads(staffed.get("/whoami", "--cred", file, name=NAME).stdout)
    assert (seen["roles"], seen["wallet-address"]) == ("staff", staffed.address)
    auditor = tmp_path / "auditor.role"
    grant(staffed, auditor, "auditor")
    seen = json.loads(staffed.get("/whoami", "--cred", auditor, "--cred", file, name=NAME).stdout)
    assert seen["roles"] == "staff,auditor"


def test_an_agent_shows_its_own_credentials(staffed, tmp_path):
    file = tmp_path / "staff.role"
    grant(staffed, file)
    socket = tmp_path / "agent.sock"
    agent = staffed.begin("agent", "--agent", socket, "--cred", file)
    try:
        until = time.monotonic() + 20
        while not socket.exists():
            assert time.monotonic() < until and agent.poll() is None
            time.sleep(0.02)
        seen = json.loads(staffed.get("/whoami", "--agent", socket, name=NAME).stdout)
        assert seen["roles"] == "staff"
    finally:
        end(agent)
        agent.communicate()


@pytest.mark.parametrize(
    "words, code, sentence",
    [
        (["staff", "nobody"], 2, "no wallet's address"),
        (["Staff", None], 2, "no name of a role"),
        (["staff", None, "--profile", "a/b"], 2, "no name of a role"),
        (["staff", None, "--days", "0"], 2, "--days"),
        (["staff"], 2, ""),
    ],
)
def test_what_cannot_be_granted_is_told_and_leaves_no_file(staffed, tmp_path, words, code, sentence):
    words = [staffed.address if word is None else word for word in words]
    done = staffed.httpcg("role", "grant", *words, "-o", tmp_path / "x", home=staffed.operator, check=False)
    assert done.returncode == code and sentence in done.stderr.decode(), done.stderr
    assert not (tmp_path / "x").exists()
    assert staffed.httpcg("role", "grant", "staff", staffed.address, home=staffed.operator, check=False).returncode == 2


def test_credentials_that_could_not_count_are_told_before_anybody_is_asked(staffed, tmp_path):
    other, good, junk = tmp_path / "other.role", tmp_path / "good.role", tmp_path / "junk"
    grant(staffed, other, wallet=staffed.owner)  # as a DID; the operator's own wallet
    grant(staffed, good)
    junk.write_bytes(good.read_bytes()[:-1])
    for file, code, sentence in [(other, 119, "not this one"), (junk, 26, "no role credential"), ("/nowhere", 26, "")]:
        done = staffed.get("/whoami", "--cred", file, name=NAME, check=False)
        assert done.returncode == code and sentence in done.stderr.decode(), done.stderr
    done = staffed.get("/whoami", *["--cred", good] * 5, name=NAME, check=False)
    assert done.returncode == 2 and "more than 4" in done.stderr.decode()
    assert staffed.get("/whoami", *["--cred", good] * 4, name=NAME).returncode == 0
