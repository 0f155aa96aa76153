"""httpcg doctor: whatever is broken here is found, named, and what it says to do is right."""

import json
import os
import shutil
import socket
import subprocess

import pytest

from instance import environment, free_port
from test_client_agent import Agent
from test_client_clock import clock  # noqa: F401 (a fixture)
from test_client_publish import Between, problem


@pytest.fixture
def home(town, tmp_path):
    """A copy of a good home, to be broken."""
    home = tmp_path / "home"
    shutil.copytree(town.home, home)
    conf = home / "httpcg.conf"
    conf.write_text(conf.read_text().replace(str(town.home), str(home)))
    return home


@pytest.fixture
def doctor(town, home):
    def look(*words, code, home=home, **more):
        done = town.httpcg("doctor", *words, "--json", home=home, check=False, **more)
        assert done.returncode == code, done.stdout + done.stderr
        findings = json.loads(done.stdout)["findings"]
        look.found = findings
        # What is bad says what to do.
        assert all("remedy" in f for f in findings if f["finding"] == "BAD"), findings
        assert b"Sanitizer" not in done.stderr
        return findings

    return look


def bad(findings):
    return {f["what"]: (f["detail"], f["remedy"]) for f in findings if f["finding"] == "BAD"}


def test_all_is_well_and_says_what_was_looked_at(doctor, town, home):
    findings = doctor("app/demo.local", code=0)
    assert {f["what"] for f in findings} >= {"clock", "memory", "home", "wallet", "passphrase", "agent", "trust",
                                             "registry", "ledger", "gateway"}  # fmt: skip
    done = town.httpcg("doctor", home=home)
    assert b"all is well" in done.stdout and b"wallet new" not in done.stdout
    assert done.stderr == b""


# --- files ---


def test_no_wallet(doctor, home):
    for name in ["wallet.hck", "wallet.doc", "next.hck"]:
        (home / name).unlink()
    assert bad(doctor(code=123)) == {
        "wallet": (f"there is no {home}/wallet.doc", "httpcg wallet new makes a wallet; --wallet names another")
    }
    # And what it says to do does it.
    assert subprocess_of(home, "wallet", "new") == 0
    assert bad(doctor(code=0)) == {}


def subprocess_of(home, *words):
    from conftest import SOURCE

    build = os.environ.get("HTTPCG_BUILD", SOURCE / "build/dev")
    return subprocess.run([f"{build}/httpcg", "--home", home, *words], env=environment(), capture_output=True).returncode


def test_no_key_file(doctor, home):
    (home / "wallet.hck").unlink()
    detail, remedy = bad(doctor(code=123))["wallet"]
    assert detail == f"there is no {home}/wallet.hck" and "wallet restore" in remedy


@pytest.mark.parametrize("mode", [0o644, 0o620, 0o666])
def test_a_key_file_that_others_may_read(doctor, home, mode):
    (home / "wallet.hck").chmod(mode)
    assert bad(doctor(code=123))["wallet"] == (f"others may read or write {home}/wallet.hck", "chmod 600 the file")
    (home / "wallet.hck").chmod(0o600)
    doctor(code=0)


def test_a_key_file_that_was_spoilt(doctor, home):
    (home / "wallet.hck").write_bytes(b"nonsense")
    (home / "wallet.hck").chmod(0o600)
    detail, remedy = bad(doctor(code=123))["wallet"]
    assert "wallet.hck: " in detail and "wallet restore" in remedy


def test_a_document_that_was_spoilt(doctor, home):
    raw = bytearray((home / "wallet.doc").read_bytes())
    raw[100] ^= 1
    (home / "wallet.doc").write_bytes(raw[:-1])
    detail, remedy = bad(doctor(code=123))["wallet"]
    assert "is no wallet document" in detail and "wallet restore" in remedy


def test_files_of_two_wallets(doctor, home, town):
    shutil.copy(town.operator / "wallet.hck", home / "wallet.hck")
    detail, remedy = bad(doctor(code=123))["wallet"]
    assert "two wallets" in detail


def test_the_next_seed_beside_the_wallet_is_remarked(doctor, home):
    findings = doctor(code=0)
    assert any(f["finding"] == "note" and "next.hck" in f["detail"] for f in findings)
    (home / "next.hck").unlink()
    assert not any("next.hck" in f["detail"] for f in doctor(code=0))


def test_a_passphrase_file_that_is_gone_or_open(doctor, home):
    (home / "passphrase").chmod(0o640)
    assert bad(doctor(code=123))["passphrase"][1] == "chmod 600 the file"
    (home / "passphrase").unlink()
    detail, remedy = bad(doctor(code=123))["passphrase"]
    assert "No such file" in detail and "httpcg.conf" in remedy


def test_a_home_that_others_may_write_to(doctor, home):
    home.chmod(0o770)
    detail, remedy = bad(doctor(code=123))["home"]
    assert "is not private" in detail and "chmod go-w" in remedy
    home.chmod(0o700)
    doctor(code=0)


def test_no_home(doctor, tmp_path):
    detail, remedy = bad(doctor(code=123, home=tmp_path / "none"))["home"]
    assert "No such file" in detail and "wallet new makes it" in remedy


# --- trust ---


def test_a_trust_file_that_is_not_there(doctor, tmp_path):
    detail, remedy = bad(doctor("--trust", tmp_path / "none", code=123))["trust"]
    assert detail == f"there is no trust file {tmp_path}/none" and "get it from who runs them" in remedy


def test_a_trust_file_that_cannot_be_read(doctor, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    detail, remedy = bad(doctor("--trust", folder, code=123))["trust"]
    assert detail.startswith(f"cannot read the trust file {folder}") and "--trust" in remedy


@pytest.mark.skipif(os.geteuid() != 0, reason="takes another user")
def test_a_trust_file_that_this_user_may_not_read(town, home, tmp_path, monkeypatch):
    trust = tmp_path / "trust.conf"
    shutil.copy(town.trust, trust)
    # The tree may lie where nobody but root gets in.
    monkeypatch.setitem(town.programs, "httpcg", shutil.copy(town.programs["httpcg"], tmp_path))
    trust.chmod(0o600)
    for folder in [*home.parents][:-1]:
        folder.chmod(folder.stat().st_mode | 0o011)
    for path in [home, *home.iterdir()]:
        os.chown(path, 65534, 65534)

    def become_nobody():
        os.setgid(65534)
        os.setuid(65534)

    done = town.httpcg("doctor", "--trust", trust, "--json", home=home, check=False, preexec_fn=become_nobody)
    findings = json.loads(done.stdout)["findings"]
    assert done.returncode == 123
    assert bad(findings)["trust"][0].startswith(f"cannot read the trust file {trust}")


def test_a_trust_file_with_a_line_that_is_none(doctor, town, tmp_path):
    trust = tmp_path / "trust.conf"
    trust.write_text(town.trust.read_text() + "nonsense here\n")
    line = len(trust.read_text().splitlines())
    detail, remedy = bad(doctor("--trust", trust, code=123))["trust"]
    assert detail.startswith(f"{trust}:{line}: ")
    assert remedy


def test_a_trust_file_of_another_registry(doctor, town, tmp_path):
    trust = tmp_path / "trust.conf"
    trust.write_text(town.trust.read_text().replace(town.did("registry"), town.owner))
    found = bad(doctor("--trust", trust, code=123))
    assert "of another DID than the trust file says" in found["registry"][0]


def test_a_trust_file_of_another_ledger(doctor, town, home, tmp_path):
    """The same names, another log's keys."""
    town.httpcg("wallet", "new", "--role", "log", "--origin", "localhost/demo", "--folder", tmp_path / "log", home=home)
    trust = tmp_path / "trust.conf"
    town.httpcg(
        "trust", "make", "--log", tmp_path / "log/log.vkey", "--trust-registry",
        f"{town.did('registry')}=http://127.0.0.1:{town.services}", "-o", trust,
    )  # fmt: skip
    found = bad(doctor("--trust", trust, code=123))
    assert "registry" not in found
    assert "the trust file is another ledger's" in found["ledger"][1], found


def test_what_was_seen_that_cannot_be_opened(doctor, home):
    (home / "seen.db").unlink(missing_ok=True)
    (home / "seen.db").write_bytes(b"no database, but bytes of one's own" * 100)
    found = bad(doctor(code=123))
    assert "trust" not in found  # that is not what is wrong
    assert "seen.db" in found["seen"][0]


# --- whom to ask ---


def test_a_registry_that_does_not_run(doctor, town, tmp_path):
    trust = tmp_path / "trust.conf"
    trust.write_text(town.trust.read_text().replace(str(town.services), str(free_port())))
    found = bad(doctor("--trust", trust, "app/demo.local", code=123))
    assert set(found) == {"registry", "ledger", "name"}
    assert all("cannot be reached" in detail for detail, _ in found.values())
    assert "is it running" in found["registry"][1] and "is it running" in found["ledger"][1]
    assert "no registry of the trust file could be asked" in found["name"][1]


@pytest.fixture
def registry(town):
    between = Between(town)
    yield between
    between.shutdown()
    between.server_close()


@pytest.mark.parametrize(
    ("answer", "said"),
    [(problem(503, "unavailable"), "says not now"), (problem(429, "rate-limited"), "says too often"),
     ((404, [], b""), "status 404"), ((200, [], b"<html>"), "another DID")],
)  # fmt: skip
def test_a_registry_that_is_not_well(doctor, town, registry, tmp_path, answer, said):
    trust = tmp_path / "trust.conf"
    trust.write_text(town.trust.read_text().replace(str(town.services), str(registry.server_port)))
    registry.answers["/operator"] = answer
    found = bad(doctor("--trust", trust, "--ledger", f"http://127.0.0.1:{town.services}", code=123))
    assert set(found) == {"registry"} and said in found["registry"][0]


def test_a_ledger_that_does_not_run(doctor):
    found = bad(doctor("--ledger", "http://127.0.0.1:1", code=123))
    assert set(found) == {"ledger"} and "is it running" in found["ledger"][1]


def test_a_ledger_that_is_none(doctor, town, registry):
    registry.answers[f"/staple?did={town.did('registry')}"] = (200, [], b"nonsense")
    found = bad(doctor("--ledger", registry.url, code=123))
    assert set(found) == {"ledger"} and "is it a ledger?" in found["ledger"][1]


# --- names and gateways ---


def test_a_gateway_that_does_not_run(doctor):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))  # and not listening
        found = bad(doctor("app/demo.local", "--connect-to", f"::127.0.0.1:{s.getsockname()[1]}", code=123))
    assert set(found) == {"gateway"}
    assert "cannot be reached" in found["gateway"][0] and "is it running" in found["gateway"][1]


def test_a_gateway_that_is_none(doctor, town):
    found = bad(doctor("app/demo.local", "--connect-to", f"::127.0.0.1:{town.services}", code=123))
    assert set(found) == {"gateway"} and "is that a gateway" in found["gateway"][1]


def test_a_name_that_does_not_exist(doctor):
    found = bad(doctor("app/nobody.local", code=123))
    assert found["name"][0] == "app/nobody.local: the registry proved that there is no such name"
    assert "spelt" in found["name"][1]


def test_what_is_no_name(doctor):
    assert "is no name" in bad(doctor("app//", code=123))["name"][0]


# --- the clock ---


@pytest.mark.parametrize(
    ("seconds", "code", "finding", "said"),
    [(240, 0, "note", "240 s ahead of the gateway's"), (-240, 123, "BAD", "behind the ledger's newest head"),
     (660, 123, "BAD", "660 s ahead of the gateway's"), (-2 * 365 * 86400, 123, "BAD", "before 2025")],
)  # fmt: skip
def test_a_wrong_clock(doctor, clock, seconds, code, finding, said):  # noqa: F811
    clock(seconds)
    findings = doctor("app/demo.local", code=code, env=clock.env)
    words = [f for f in findings if f["what"] == "clock" and f["finding"] == finding]
    number = said.split()[0]
    near = [str(int(number) + n) for n in (-1, 0, 1, 2)] if number.isdigit() else [number]
    assert any(said.replace(number, n, 1) in f["detail"] for f in words for n in near), findings
    assert finding == "note" or any("set it" in f["remedy"] for f in words)


def test_a_clock_far_behind_is_what_the_ledger_check_says(doctor, clock):  # noqa: F811
    clock(-660)
    found = bad(doctor("app/demo.local", code=123, env=clock.env))
    assert "clock is behind" in found["ledger"][1] and "clock right?" in found["name"][1]


def test_a_clock_far_ahead_is_what_the_ledger_check_says(doctor, clock):  # noqa: F811
    clock(7 * 3600)
    found = bad(doctor(code=123, env=clock.env))
    assert "clock is ahead" in found["ledger"][1]


# --- the agent ---


def test_an_agent(doctor, town, home):
    agent = Agent(town, home / "agent.sock")
    try:
        found = next(f for f in doctor(code=0) if f["what"] == "agent")
        assert found["finding"] == "ok" and str(home / "agent.sock") in found["detail"]
        agent.socket.chmod(0o666)
        detail, remedy = bad(doctor(code=123))["agent"]
        assert "others may use the socket" in detail and "start it again" in remedy
        agent.socket.chmod(0o600)
    finally:
        agent.process.kill()
        agent.stop()
    found = next(f for f in doctor(code=0) if f["what"] == "agent")
    assert found["finding"] == "note" and "nobody listens" in found["detail"]
    again = Agent(town, home / "agent.sock")  # takes it over, as was said
    assert again.first and again.stop()[0] == 0
