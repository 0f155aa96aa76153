"""Changing a wallet's keys, and taking back what they have signed: wallet rotate, cert revoke."""

import json
import os
import random
import shutil
import signal
import stat
import time

import pytest

from test_client_publish import Between, problem


@pytest.fixture
def home(town, tmp_path):
    """A wallet of one's own."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    shutil.copy(town.home / "passphrase", home / "passphrase")
    (home / "httpcg.conf").write_text(
        f"trust = {town.trust}\npassphrase-file = {home / 'passphrase'}\nkdf-memory = 1\nagent = off\n"
    )
    town.httpcg("wallet", "new", home=home)
    return home


@pytest.fixture
def registry(town):
    between = Between(town)
    yield between
    between.shutdown()
    between.server_close()


@pytest.fixture
def rotate(town, home):
    return lambda *words, check=True, home=home: town.httpcg("wallet", "rotate", *words, home=home, check=check)


def files(home):
    return {p.name: p.read_bytes() for p in home.iterdir() if p.suffix in (".hck", ".doc", ".rotating")}


def whoami(town, home, check=True):
    done = town.get("/whoami", home=home, check=check)
    return json.loads(done.stdout)["wallet-address"] if done.returncode == 0 else done


def shown(town, home):
    return town.json("wallet", "show", home=home)


def test_the_next_keys_become_the_wallets(town, home, rotate):
    before, did = files(home), shown(town, home)["did"]
    assert "did:bpi:" + whoami(town, home) == did
    done = rotate()
    assert f"did      {did}, as before".encode() in done.stdout and b"rotated  1 time by now" in done.stdout
    after = files(home)
    assert sorted(after) == ["next.hck", "wallet.doc", "wallet.hck"]
    assert after["wallet.hck"] == before["next.hck"]
    assert after["next.hck"] not in before.values()
    for name in after:
        assert stat.S_IMODE((home / name).stat().st_mode) == 0o600
    now = shown(town, home)
    assert now["did"] == did and now["operations"] == 1
    assert "did:bpi:" + whoami(town, home) == did


def test_a_thief_of_the_former_keys_has_nothing(town, home, rotate, tmp_path):
    stolen = tmp_path / "stolen"
    shutil.copytree(home, stolen)
    (stolen / "next.hck").unlink()  # that lies elsewhere
    rotate()
    deadline = time.monotonic() + 40  # a gateway keeps what the ledger said for half a minute at most
    while (done := whoami(town, stolen, check=False)) and isinstance(done, str) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert not isinstance(done, str) and done.returncode == 119, done


def test_a_wallet_rotates_again_and_again_and_then_no_more(town, home, rotate):
    for n in range(1, 9):
        rotate()
        assert shown(town, home)["operations"] == n
    assert whoami(town, home)
    before = files(home)
    done = rotate(check=False)
    assert done.returncode == 119 and b"as often as a document can say" in done.stderr
    assert files(home) == before


def test_the_present_key_need_not_be_there(town, home, rotate):
    """It was lost: that is what the next one is for."""
    (home / "wallet.hck").unlink()
    rotate()
    assert whoami(town, home)


def test_the_next_seed_comes_from_where_it_is_kept(town, home, rotate, tmp_path):
    stick = tmp_path / "stick"
    stick.mkdir(mode=0o700)
    shutil.move(home / "next.hck", stick / "next.hck")
    done = rotate(check=False)
    assert done.returncode == 119 and b"kept apart" in done.stderr
    before = (stick / "next.hck").read_bytes()
    rotate(stick / "next.hck")
    assert (home / "wallet.hck").read_bytes() == before != (stick / "next.hck").read_bytes()
    assert os.listdir(stick) == ["next.hck"] and not (home / "next.hck").exists()
    assert whoami(town, home)


@pytest.mark.parametrize("whose", ["another wallet's", "its own present"])
def test_another_seed_is_not_the_next_one(town, home, rotate, whose):
    source = town.operator / "next.hck" if whose == "another wallet's" else home / "wallet.hck"
    pass_file = town.operator / "passphrase" if whose == "another wallet's" else home / "passphrase"
    (home / "other.hck").write_bytes(source.read_bytes())
    (home / "other.hck").chmod(0o600)
    before = files(home)
    done = rotate(home / "other.hck", "--passphrase-file", pass_file, "--new-passphrase-file", pass_file, check=False)
    assert done.returncode == 121 and b"is not the seed that this wallet commits to" in done.stderr
    assert files(home) == before


def test_a_wrong_passphrase_changes_nothing(town, home, rotate, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong")
    wrong.chmod(0o600)
    before = files(home)
    assert rotate("--passphrase-file", wrong, check=False).returncode == 121
    assert files(home) == before


# --- ledgers that do not do it ---


def test_a_ledger_that_refuses_changes_nothing(town, home, rotate, registry):
    before = files(home)
    registry.answers["/submit"] = problem(422, "unprocessable", field="prev")
    done = rotate("--ledger", registry.url, check=False)
    assert done.returncode == 116 and b"nothing was changed" in done.stderr
    assert files(home) == before and whoami(town, home)


@pytest.mark.parametrize("answer", [problem(503, "unavailable"), problem(429, "rate-limited", Retry_After="60"), None])
def test_where_the_ledger_cannot_do_it_now_the_same_command_goes_on(town, home, rotate, registry, answer):
    before = files(home)
    if answer:
        registry.answers["/submit"] = answer
    url = registry.url if answer else "http://127.0.0.1:1"
    done = rotate("--ledger", url, check=False)
    assert done.returncode in (7, 109) and b"goes on with it" in done.stderr
    # The wallet is what it was; only what was begun lies beside it.
    staged = files(home)
    assert {k: v for k, v in staged.items() if not k.endswith(".rotating")} == before
    assert whoami(town, home)
    done = rotate()
    assert b"going on" in done.stdout
    assert files(home)["next.hck"] == staged["next.hck.rotating"]
    assert shown(town, home)["operations"] == 1 and whoami(town, home)


# --- interruptions, at each point there is ---


def begun(town, home, registry, is_logged):
    """Killed while the ledger is asked: before it has logged the operation, or just after."""

    def hold(handler, body):
        asked.append(body)
        if is_logged or len(asked) == 1:
            answer = handler.pass_on(body)
            if len(asked) == 1:  # the inception
                handler.tell(*answer)
                return
        time.sleep(30)

    asked = []
    registry.answers["/submit"] = hold
    process = town.begin("wallet", "rotate", "--ledger", registry.url, home=home)
    until = time.monotonic() + 20
    while len(asked) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(1 if is_logged else 0)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    return files(home)


@pytest.mark.parametrize("is_logged", [False, True])
@pytest.mark.parametrize("point", ["asked", "wallet.hck", "next.hck", "next.hck.rotating", "wallet.doc"])
def test_a_rotation_goes_on_from_wherever_it_was_killed(town, home, rotate, registry, is_logged, point):
    before = files(home)
    staged = begun(town, home, registry, is_logged)
    assert sorted(staged) == ["next.hck", "next.hck.rotating", "wallet.doc", "wallet.doc.rotating", "wallet.hck"]
    # What the rest does, one file after the other, up to that point; only once the ledger has it.
    if is_logged and point != "asked":
        (home / "wallet.hck").write_bytes(staged["next.hck"])
        if point != "wallet.hck":
            (home / "next.hck").write_bytes(staged["next.hck.rotating"])
        if point in ("next.hck.rotating", "wallet.doc"):
            (home / "next.hck.rotating").unlink()
        if point == "wallet.doc":
            (home / "wallet.doc").write_bytes(staged["wallet.doc.rotating"])
        done = town.get("/", home=home, check=False)
        assert done.returncode in (0, 119, 121)
        assert done.returncode != 121 or b"wallet rotate" in done.stderr  # it says what to do
    done = rotate()
    assert b"going on with a rotation" in done.stdout
    after = files(home)
    assert sorted(after) == ["next.hck", "wallet.doc", "wallet.hck"]
    assert after["wallet.hck"] == before["next.hck"] and after["next.hck"] == staged["next.hck.rotating"]
    assert after["wallet.doc"] == staged["wallet.doc.rotating"]
    assert whoami(town, home)
    rotate()  # and the new next seed is good
    assert shown(town, home)["operations"] == 2


def test_a_next_seed_that_was_staged_alone_is_made_anew(town, home, rotate):
    (home / "next.hck.rotating").write_bytes(b"cut off")
    rotate()
    assert sorted(files(home)) == ["next.hck", "wallet.doc", "wallet.hck"] and whoami(town, home)


def test_going_on_with_another_next_seed_is_refused(town, home, rotate, registry, tmp_path):
    begun(town, home, registry, True)
    before = files(home)
    done = rotate(tmp_path / "none.hck", check=False)
    assert done.returncode == 121 and b"that the rotation was begun with" in done.stderr
    assert files(home) == before
    rotate()
    assert whoami(town, home)


@pytest.mark.limit(120)
def test_kills_at_any_moment_lose_nothing(town, home, rotate):
    chance = random.Random(1)
    for n in range(1, 6):
        for _ in range(4):
            process = town.begin("wallet", "rotate", home=home)
            time.sleep(chance.uniform(0, 0.4))
            process.kill()
            process.communicate()
            if shown(town, home)["operations"] >= n:
                break
        if shown(town, home)["operations"] < n:
            rotate()
        left = [name for name in files(home) if name.endswith(".rotating")]
        if left:
            rotate()
        assert not [name for name in files(home) if name.endswith(".rotating")]
        assert whoami(town, home)
        if shown(town, home)["operations"] > 7:
            break


# --- what was signed before ---


@pytest.mark.limit(120)
def test_names_are_published_anew_after_a_rotation(town, home, rotate):
    name, gateway = "app/rotating.local", town.owner
    did = shown(town, home)["did"]
    assert town.command("PUT", f"/registry/allow/{name}", did)[0] == 204
    words = [name, town.backend.url, "--gateway", f"localhost:{town.native}", "--gateway-did", gateway,
             "--secret-file", town.secret, "--admin-socket", town.socket]  # fmt: skip
    town.httpcg("publish", *words, home=home)
    assert town.get("/", name=name).stdout.startswith(b"Hello")
    rotate()
    done = town.get("/", name=name, check=False)
    assert done.returncode == 111  # the record is signed with the former keys
    done = town.httpcg("publish", *words, home=home)
    assert b"serial 2" in done.stdout
    until = time.monotonic() + 40  # what a gateway knew of the name
    while (done := town.get("/", name=name, check=False)).returncode != 0 and time.monotonic() < until:
        time.sleep(0.5)
    assert done.stdout.startswith(b"Hello"), done.stderr
    done = town.httpcg("unpublish", name, "--admin-socket", town.socket, home=home)
    assert b"serial 3" in done.stdout


# --- certificates ---


@pytest.fixture
def certificate(town, home, tmp_path):
    town.httpcg("policy", "sign", "--role", "gateway", "-o", tmp_path / "gw.policy", home=home)
    town.httpcg(
        "cert", "issue", "--name", "localhost", "--policy", tmp_path / "gw.policy", "--folder", tmp_path / "cert",
        "--submit", home=home,
    )  # fmt: skip
    return tmp_path / "cert/gateway.tlsls"


def fingerprint(town, certificate):
    return town.json("cert", "show", certificate)["fingerprint"]


@pytest.mark.parametrize("how", ["file", "fingerprint", "next keys"])
def test_a_certificate_is_revoked(town, home, certificate, how):
    assert town.httpcg("cert", "verify", certificate, home=home).returncode == 0
    words = ["--fingerprint", fingerprint(town, certificate)] if how == "fingerprint" else [certificate]
    if how == "next keys":
        (home / "wallet.hck").unlink()  # stolen, say
        words += ["--next"]
    done = town.httpcg("cert", "revoke", *words, home=home)
    assert b"for good" in done.stdout and fingerprint(town, certificate).encode() in done.stdout
    done = town.httpcg("cert", "verify", certificate, home=home, check=False)
    assert done.returncode == 112
    assert town.httpcg("cert", "revoke", *words, home=home).returncode == 0  # again is no failure


def test_what_cannot_be_revoked_is_told(town, home, certificate, tmp_path):
    run = lambda *words: town.httpcg("cert", "revoke", *words, home=home, check=False)  # noqa: E731
    done = run(town.certificate)
    assert done.returncode == 119 and b"of another DID" in done.stderr
    done = run("--fingerprint", fingerprint(town, town.certificate))
    assert done.returncode == 116 and b"no certificate of this wallet" in done.stderr
    done = run("--fingerprint", "00" * 32)
    assert done.returncode == 116 and b"no certificate of this wallet" in done.stderr
    assert run("--fingerprint", "00").returncode == 2
    assert run().returncode == 2
    assert run(certificate, "--fingerprint", "00" * 32).returncode == 2
    assert run(tmp_path / "gw.policy").returncode == 112
    assert run(certificate, "--wallet", tmp_path / "none.hck").returncode == 119
    assert town.httpcg("cert", "verify", certificate, home=home).returncode == 0


@pytest.mark.limit(120)
def test_a_gateway_whose_certificate_is_revoked_serves_nobody(boot):
    it = boot()
    assert it.get("/").stdout.startswith(b"Hello")
    it.httpcg("cert", "revoke", it.certificate, home=it.operator)
    until = time.monotonic() + 60
    while (done := it.get("/", check=False)).returncode == 0 and time.monotonic() < until:
        time.sleep(0.5)
    assert done.returncode != 0
    assert it.events("certificate_revoked")
