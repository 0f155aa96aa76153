"""httpcg cert issue, and whatever else makes several files: all of them, or none."""

import json
import os
import resource
import signal
import stat
import subprocess
import time

import pytest

from instance import environment
from test_client_publish import Between, problem

FILES = ["transport.hck", "gateway.tlsls", "tls.key", "tls.pem"]


@pytest.fixture
def issue(town):
    def run(folder, *words, name="localhost", **more):
        return town.httpcg(
            "cert", "issue", "--name", name, "--policy", town.operator / "gateway.policy", "--folder", folder, *words,
            home=town.operator, check=False, **more,
        )  # fmt: skip

    return run


@pytest.fixture
def registry(town):
    between = Between(town)
    yield between
    between.shutdown()
    between.server_close()


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_four_files_that_nobody_else_may_read(issue, town, tmp_path):
    done = issue(tmp_path / "a/b", "--submit")
    assert done.returncode == 0, done.stderr
    assert sorted(content(tmp_path / "a/b")) == sorted(FILES)
    for name in FILES:
        assert stat.S_IMODE((tmp_path / "a/b" / name).stat().st_mode) == 0o600
    assert town.httpcg("cert", "verify", tmp_path / "a/b/gateway.tlsls").returncode == 0


def test_again_is_refused_and_changes_nothing(issue, tmp_path):
    assert issue(tmp_path / "x").returncode == 0
    before = content(tmp_path / "x")
    done = issue(tmp_path / "x")
    assert done.returncode == 23 and b"is there already" in done.stderr and b"--folder" in done.stderr
    assert content(tmp_path / "x") == before


@pytest.mark.parametrize("name", FILES)
def test_one_file_that_is_there_is_enough_to_refuse(issue, tmp_path, name):
    (tmp_path / name).write_text("mine")
    done = issue(tmp_path, "--passphrase-file", tmp_path / "none")  # before anybody is asked for anything
    assert done.returncode == 23 and f"{tmp_path / name} is there already".encode() in done.stderr
    assert content(tmp_path) == {name: b"mine"}


def test_a_link_that_leads_nowhere_is_a_file_too(issue, tmp_path):
    (tmp_path / "x").mkdir(mode=0o700)
    (tmp_path / "x/tls.key").symlink_to(tmp_path / "elsewhere")
    assert issue(tmp_path / "x").returncode == 23
    assert not (tmp_path / "elsewhere").exists()


FAILURES = {
    "a name that is none": (["--name", "UPPER.example"], 2),
    "too many days": (["--days", "91"], 2),
    "no policy": (["--policy", "/nonexistent"], 26),
    "no TLS certificate": (["--tls-certificate", "/nonexistent"], 26),
    "what is no TLS certificate": (["--tls-certificate", __file__], 26),
    "a passphrase that does not open the wallet": (["--passphrase-file", "/dev/null"], 121),
    "a cost that cannot be": (["--kdf-memory", "99999999"], 121),
    "a ledger that cannot be reached": (["--submit", "--ledger", "http://127.0.0.1:1"], 7),
}


@pytest.mark.parametrize("why", FAILURES)
def test_nothing_is_left_behind_by(issue, tmp_path, why):
    words, code = FAILURES[why]
    done = issue(tmp_path / "a/b/c", *words)
    assert done.returncode == code, done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("answer", "code"), [(problem(422, "unprocessable", field="x"), 116), (problem(429, "rate-limited", Retry_After="60"), 109)]
)
def test_nothing_is_left_behind_where_the_ledger_refuses(issue, registry, tmp_path, answer, code):
    registry.answers["/submit"] = answer
    done = issue(tmp_path / "x", "--submit", "--ledger", registry.url)
    assert done.returncode == code and b"nothing is kept" in done.stderr, done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("n_bytes", [0, 200, 400, 3000])
def test_nothing_is_left_behind_by_a_full_disk(issue, tmp_path, n_bytes):
    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))

    (tmp_path / "x").mkdir(mode=0o700)
    (tmp_path / "x/mine").write_text("mine")
    done = issue(tmp_path / "x", preexec_fn=small_files)
    assert done.returncode == 23, done.stderr
    assert content(tmp_path / "x") == {"mine": b"mine"}
    done = issue(tmp_path / "y/z", preexec_fn=small_files)
    assert done.returncode == 23 and os.listdir(tmp_path) == ["x"]


def test_an_interruption_leaves_nothing_behind(town, registry, tmp_path):
    registry.answers["/submit"] = lambda handler, _body: time.sleep(30)
    process = town.begin(
        "cert", "issue", "--name", "localhost", "--policy", town.operator / "gateway.policy",
        "--folder", tmp_path / "x", "--submit", "--ledger", registry.url, home=town.operator,
    )  # fmt: skip
    until = time.monotonic() + 20
    while "/submit" not in registry.asked and time.monotonic() < until:
        time.sleep(0.02)
    assert sorted(content(tmp_path / "x")) == sorted(FILES)  # on the disk before it is logged
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGINT, err
    assert list(tmp_path.iterdir()) == []


def test_an_operators_own_tls_certificate_is_left_where_it_is(issue, town, tmp_path):
    done = issue(tmp_path / "x", "--tls-certificate", town.operator / "gateway/tls.pem")
    assert done.returncode == 0
    assert sorted(content(tmp_path / "x")) == ["gateway.tlsls", "transport.hck"]


# --- wallets are made in the same way ---


@pytest.fixture
def run(build, tmp_path):
    passphrase = tmp_path / "pass"
    passphrase.write_text("correct horse\n")
    passphrase.chmod(0o600)

    def run_it(*words, home=tmp_path / "home", **more):
        command = [build / "httpcg", "--home", home, "--passphrase-file", passphrase, *words]
        return subprocess.run(
            [str(word) for word in command], capture_output=True, env=environment(), timeout=60, check=False,
            **({"stdin": subprocess.DEVNULL} if "input" not in more else {}), **more,
        )  # fmt: skip

    return run_it


@pytest.mark.parametrize("name", ["wallet.hck", "next.hck", "wallet.doc"])
def test_a_wallet_is_whole_or_not_there(run, tmp_path, name):
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "home" / name).write_text("mine")
    done = run("wallet", "new", "--kdf-memory", "1")
    assert done.returncode == 23 and b"is there already" in done.stderr
    assert content(tmp_path / "home") == {name: b"mine"}


def test_a_log_key_without_a_good_name_is_not_made(run, tmp_path):
    done = run("wallet", "new", "--role", "log", "--origin", "no good", "--kdf-memory", "1")
    assert done.returncode == 2
    assert not (tmp_path / "home").exists()


def test_a_restored_wallet_is_whole_or_not_there(run, tmp_path):
    assert run("wallet", "new", "--kdf-memory", "1").returncode == 0
    backup = run("wallet", "backup", "--next").stdout
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    (other / "wallet.doc").write_text("mine")
    done = run("wallet", "restore", "--kdf-memory", "1", home=other, input=backup)
    assert done.returncode == 23
    assert content(other) == {"wallet.doc": b"mine"}


def test_json_says_why_nothing_was_made(issue, tmp_path):
    done = issue(tmp_path / "x", "--submit", "--ledger", "http://127.0.0.1:1", "--json")
    said = json.loads(done.stdout)
    assert said["exit"] == 7 and any("nothing is kept" in warning for warning in said["warnings"])
