"""httpcg agent: keys and verified connections that are kept, for this user alone."""

import hashlib
import json
import os
import random
import re
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest

from instance import environment

MIB = 1024 * 1024


class Agent:
    def __init__(self, town, socket_path, *words, home=None, env=None):
        self.socket = socket_path
        self.process = subprocess.Popen(
            [town.programs["httpcg"], "--home", home or town.home, "agent", "--agent", socket_path, *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment() | (env or {}),
        )  # fmt: skip
        self.first = self.process.stdout.readline().strip()

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, err


@pytest.fixture
def agent(town, tmp_path):
    it = Agent(town, tmp_path / "agent.sock")
    assert it.first == f"HTTPCG_AGENT={it.socket}"
    yield it
    code, err = it.stop()
    assert code == 0, err
    assert "ERROR" not in err, err  # the sanitizers' word
    assert not it.socket.exists()


@pytest.fixture
def ask(town, agent, tmp_path):
    """A fetch by somebody who could not do it himself: he has no wallet."""
    home = tmp_path / "visitor"
    home.mkdir(mode=0o700)
    (home / "httpcg.conf").write_text(f"trust = {town.trust}\nagent = {agent.socket}\n")
    return lambda path="/", *words, **more: town.get(path, *words, home=home, **more)


def test_the_socket_is_for_this_user_alone(agent):
    assert stat.S_IMODE(agent.socket.stat().st_mode) == 0o600


def grants(town):
    """How many the gateway has given."""
    line = re.search(rb"^httpcg\w*grants\w* (\d+)", town.page("/metrics")[1], re.M)
    return int(line[1])


def test_a_second_call_costs_one_request(town, ask):
    first = ask("/", "-v")
    assert b"TLS handshake" in first.stderr
    before = grants(town)
    second = ask("/whoami", "-v")
    assert b"TLS handshake" not in second.stderr
    assert b"had this connection" in second.stderr
    sessions = {json.loads(ask("/whoami").stdout)["session-id"] for _ in range(5)}
    assert len(sessions) == 1
    assert grants(town) == before


def test_every_check_is_told_as_if_one_had_made_it(ask):
    document = json.loads(ask("/", "--json").stderr)
    assert {check["step"] for check in document["checks"]} == {"resolve", "connect", "control", "signed", "answer"}
    transfer = document["transfers"][0]
    assert transfer["verified"] and transfer["tls_group"] == "X25519MLKEM768"
    assert re.fullmatch(r"[a-z2-7]{56}", transfer["wallet"])
    assert transfer["peer_identity"].startswith("did:bpi:")


@pytest.mark.parametrize("mode", ["grant", "ed25519", "hybrid"])
@pytest.mark.parametrize("size", [0, 1, 70000, 3 * MIB])
def test_bodies_pass_both_ways(ask, tmp_path, mode, size):
    file = tmp_path / "file"
    file.write_bytes(os.urandom(size))
    for source in [["-T", file], ["-T", "-"], ["--data-binary", f"@{file}"]]:
        more = {"input": file.read_bytes()} if source[1] == "-" else {}
        done = ask("/upload", "-X", "POST", "--sapi", mode, *source, **more)
        assert json.loads(done.stdout) == {"bytes": size, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    got = tmp_path / "got"
    ask(f"/download?bytes={size}", "--sapi", mode, "-o", got)
    assert got.stat().st_size == size


def test_many_at_a_time(ask, tmp_path):
    codes = []

    def one(n):
        done = ask(f"/download?bytes={n * 100000}", "-w", "%{stderr}%{size_download} %{verified}", check=False)
        codes.append((done.returncode, len(done.stdout), done.stderr.decode().split("\n")[-1]))

    threads = [threading.Thread(target=one, args=(n,)) for n in range(1, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == sorted((0, n * 100000, f"{n * 100000} 1") for n in range(1, 13))


def test_a_slow_reader_does_not_fill_the_agents_memory(ask, agent, town, tmp_path):
    command = [town.programs["httpcg"], "--home", tmp_path / "visitor", town.url("/download?bytes=500000000")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()) as slow:
        slow.stdout.read(1000)
        before = resident_kib(agent)
        time.sleep(2)
        assert resident_kib(agent) < before + 32 * 1024
        assert ask("/").stdout.startswith(b"Hello")  # nobody else is held up
        slow.kill()


def resident_kib(agent):
    with open(f"/proc/{agent.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def test_clients_that_die_leave_nothing_behind(ask, agent, town, tmp_path):
    for path in ["/slow?seconds=20", "/download?bytes=500000000", "/sse?events=100"]:
        command = [town.programs["httpcg"], "--home", tmp_path / "visitor", town.url(path)]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()
        ) as process:
            time.sleep(0.5)
            process.kill()
    assert ask("/").stdout.startswith(b"Hello")
    assert agent.process.poll() is None


def test_failures_are_told_with_their_own_codes(town, ask):
    assert ask("/status/404", "-f", check=False).returncode == 22
    done = ask("/", name="app/nobody.local", check=False)
    assert done.returncode == 110 and b"proved" in done.stderr
    done = ask("/slow?seconds=20", "-m", "1", check=False)
    assert done.returncode == 28


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"GET / HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 100,
        random.Random(1).randbytes(1000),
    ],
    ids=["nothing", "another HTTP", "a preface", "a preface and noise", "noise"],
)
def test_nonsense_on_the_socket_hurts_nobody(ask, agent, text):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(agent.socket))
        s.sendall(text)
        s.settimeout(0.2)
        try:
            while s.recv(4096):
                pass
        except OSError:
            pass
    assert ask("/").stdout.startswith(b"Hello")


@pytest.mark.skipif(os.geteuid() != 0, reason="takes another user")
def test_another_user_is_not_served(agent, ask):
    agent.socket.chmod(0o666)
    for folder in [*agent.socket.parents][:-1]:
        folder.chmod(folder.stat().st_mode | 0o011)
    script = (
        "import os, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX); s.settimeout(5);"
        f"s.connect({str(agent.socket)!r}); s.sendall(b'PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n');"
        "sys.exit(len(s.recv(100)))"
    )
    done = subprocess.run(["python3", "-c", script], capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode in (0, 1), done.stderr
    assert done.returncode == 0 or "Reset" in done.stderr or "Broken" in done.stderr
    agent.socket.chmod(0o600)
    assert ask("/").stdout.startswith(b"Hello")


def test_there_is_one_agent_at_a_socket(town, agent):
    second = Agent(town, agent.socket)
    code, err = second.stop()
    assert code == 23 and "runs already" in err


def test_an_abandoned_socket_is_no_agent_and_is_taken_over(town, tmp_path):
    first = Agent(town, tmp_path / "agent.sock")
    first.process.kill()
    first.stop()
    assert first.socket.exists()
    done = town.get("/", "--agent", first.socket)  # and does it without
    assert done.stdout.startswith(b"Hello")
    second = Agent(town, first.socket)
    assert second.first
    assert second.stop()[0] == 0


def test_it_can_be_switched_off(town, agent):
    done = town.get("/", "-v", "--agent", "off")
    assert b"TLS handshake" in done.stderr


def test_a_wrong_passphrase_starts_no_agent(town, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong")
    wrong.chmod(0o600)
    agent = Agent(town, tmp_path / "agent.sock", "--passphrase-file", wrong)
    code, err = agent.stop()
    assert code == 121 and not agent.socket.exists()


@pytest.mark.limit(120)
def test_connections_that_were_lost_are_made_again(boot, tmp_path):
    it = boot()
    agent = Agent(it, tmp_path / "agent.sock")
    ask = lambda: it.get("/", "--agent", agent.socket, check=False)  # noqa: E731
    assert ask().stdout.startswith(b"Hello")
    it.restart()
    assert ask().stdout.startswith(b"Hello")
    it.stop_daemon()
    assert ask().returncode == 7
    it.start_daemon()
    it.wait_ready()
    assert ask().stdout.startswith(b"Hello")
    code, err = agent.stop()
    assert code == 0 and "ERROR" not in err, err


# --- the wallet ---


@pytest.fixture
def home(town, tmp_path):
    """A wallet of one's own, to be changed."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    shutil.copy(town.home / "passphrase", home / "passphrase")
    (home / "httpcg.conf").write_text(
        f"trust = {town.trust}\npassphrase-file = {home / 'passphrase'}\nkdf-memory = 1\n"
    )
    town.httpcg("wallet", "new", home=home)
    return home


def wallet_of(town, home, *words):
    return json.loads(town.get("/whoami", *words, home=home).stdout)["wallet-address"]


def address(town, home):
    return town.json("wallet", "show", home=home)["did"].removeprefix("did:bpi:")


@pytest.mark.parametrize("how", ["another wallet", "another passphrase", "no wallet"])
def test_an_agent_whose_wallet_changes_signs_nothing_more(town, home, tmp_path, how):
    agent = Agent(town, tmp_path / "agent.sock", "--home", home)
    old = address(town, home)
    assert wallet_of(town, home, "--agent", agent.socket) == old
    if how == "another wallet":
        for file in ["wallet.hck", "wallet.doc", "next.hck"]:
            (home / file).unlink()
        town.httpcg("wallet", "new", home=home)
        # At once, whether it has seen it already or not: the new one signs.
        assert wallet_of(town, home, "--agent", agent.socket) == address(town, home) != old
    elif how == "another passphrase":
        town.httpcg("wallet", "passwd", home=home)
        assert wallet_of(town, home, "--agent", agent.socket) == old
    else:
        (home / "wallet.hck").unlink()
        assert town.get("/", "--agent", agent.socket, home=home, check=False).returncode == 119
    out, err = agent.process.communicate(timeout=20)
    assert agent.process.returncode == 0
    assert "files have changed" in err and "ERROR" not in err
    assert not agent.socket.exists()


def test_what_was_begun_with_the_old_wallet_may_end(town, home, tmp_path):
    agent = Agent(town, tmp_path / "agent.sock", "--home", home)
    process = town.begin(town.url("/slow?seconds=3"), "--agent", agent.socket, home=home)
    time.sleep(1)
    os.utime(home / "wallet.hck")
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert agent.process.wait(20) == 0
    agent.stop()


def test_a_body_from_a_pipe_is_sent_whole_or_its_loss_is_told(town, home, tmp_path):
    agent = Agent(town, tmp_path / "agent.sock", "--home", home)
    assert wallet_of(town, home, "--agent", agent.socket) == address(town, home)
    before = len(town.backend.seen(target="/upload"))
    os.utime(home / "wallet.hck")
    done = town.get("/upload", "-X", "POST", "-T", "-", "--agent", agent.socket, home=home, input=b"x" * 500000, check=False)
    if done.returncode == 0:
        assert json.loads(done.stdout)["bytes"] == 500000
    else:
        assert done.returncode == 55 and b"cannot be sent again" in done.stderr, done.stderr
        assert len(town.backend.seen(target="/upload")) == before
    agent.stop()
