"""httpcg wallet: key files and what may be wrong with them. Nothing of a gateway is needed."""

import json
import os
import pty
import re
import stat
import subprocess

import pytest

from instance import environment

KDF = ["--kdf-memory", "1"]


@pytest.fixture
def run(build, tmp_path):
    """Runs httpcg with a home of its own and a passphrase file in it."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    passphrase = tmp_path / "pass"
    passphrase.write_text("correct horse\n")
    passphrase.chmod(0o600)

    def run_it(*words, passphrase=passphrase, home=home, **more):
        options = ["--passphrase-file", passphrase] if passphrase else []
        more = {"stdin": subprocess.DEVNULL, "env": environment(), "timeout": 60} | more
        if "input" in more:
            del more["stdin"]
        command = [build / "httpcg", "--home", home, *options, *words]
        return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **more)

    run_it.home = home
    run_it.passphrase = passphrase
    return run_it


@pytest.fixture
def wallet(run):
    done = run("wallet", "new", *KDF, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_new_wallet_is_three_files_that_nobody_else_may_read(run, wallet):
    assert re.fullmatch(r"did:bpi:[a-z2-7]{56}", wallet["did"])
    for name in ["wallet.hck", "next.hck", "wallet.doc"]:
        assert stat.S_IMODE((run.home / name).stat().st_mode) == 0o600
    assert (run.home / "wallet.doc").stat().st_size == 2688
    assert "correct" not in (run.home / "wallet.hck").read_bytes().decode("latin1")


def test_nothing_is_overwritten(run, wallet):
    before = (run.home / "wallet.hck").read_bytes()
    done = run("wallet", "new", *KDF)
    assert done.returncode == 23
    assert "is there already" in done.stderr
    assert (run.home / "wallet.hck").read_bytes() == before


def test_show_asks_for_no_passphrase(run, wallet):
    done = run("wallet", "show", "--json", passphrase=None)
    assert done.returncode == 0
    said = json.loads(done.stdout)
    assert said["did"] == wallet["did"]
    assert said["role"] == "identity"
    assert said["did_document"]["id"] == wallet["did"]


def test_a_backup_restores_the_same_files(run, wallet, tmp_path):
    backup = run("wallet", "backup", "--next").stdout
    assert wallet["wallet_address"] in backup
    other = tmp_path / "other"
    # People group digits, and end lines as their editor does.
    grouped = re.sub(r"([0-9a-f]{8})(?=[0-9a-f])", r"\1 ", backup).replace("\n", "\r\n")
    done = run("wallet", "restore", *KDF, home=other, input=grouped)
    assert done.returncode == 0, done.stderr
    assert (other / "wallet.doc").read_bytes() == (run.home / "wallet.doc").read_bytes()
    assert run("wallet", "backup", "--next", home=other).stdout == backup


def test_a_backup_without_the_next_seed_restores_the_wallet_alone(run, wallet, tmp_path):
    backup = run("wallet", "backup").stdout
    assert "next-seed" not in backup
    other = tmp_path / "other"
    assert run("wallet", "restore", *KDF, home=other, input=backup).returncode == 0
    assert not (other / "next.hck").exists()


@pytest.mark.parametrize("line", range(5))
def test_a_backup_with_a_wrong_digit_is_refused(run, wallet, tmp_path, line):
    lines = run("wallet", "backup", "--next").stdout.splitlines()
    if line == 0:
        lines.append(lines[2])  # a line twice
    else:
        last = lines[line][-1]
        lines[line] = lines[line][:-1] + ("0" if last != "0" else "1")
    done = run("wallet", "restore", *KDF, home=tmp_path / "other", input="\n".join(lines) + "\n")
    assert done.returncode in (26, 121)
    assert not (tmp_path / "other" / "wallet.hck").exists()


@pytest.mark.parametrize("text", ["", "seed x\n", "address " + "a" * 56 + "\n", "nonsense\n", "seed " + "0" * 63 + "\n"])
def test_what_is_no_backup_is_refused(run, tmp_path, text):
    done = run("wallet", "restore", *KDF, home=tmp_path / "other", input=text)
    assert done.returncode == 26
    assert done.stderr.startswith("httpcg: (26)")


def test_the_passphrase_can_be_changed(run, wallet):
    new = run.passphrase.with_name("new")
    new.write_text("battery staple")
    new.chmod(0o600)
    done = run("wallet", "passwd", "--new-passphrase-file", new, *KDF)
    assert done.returncode == 0, done.stderr
    assert run("wallet", "backup").returncode == 121
    assert run("wallet", "backup", passphrase=new).returncode == 0


def test_a_wrong_passphrase_is_told_from_nothing_else(run, wallet):
    wrong = run.passphrase.with_name("wrong")
    wrong.write_text("incorrect horse\n")
    wrong.chmod(0o600)
    done = run("wallet", "backup", passphrase=wrong)
    assert done.returncode == 121
    assert "does not open" in done.stderr
    assert done.stdout == ""


def test_a_passphrase_comes_from_a_descriptor(run, wallet, tmp_path):
    read, write = os.pipe()
    os.write(write, b"correct horse")
    os.close(write)
    done = run("wallet", "backup", "--passphrase-fd", str(read), passphrase=None, pass_fds=[read])
    os.close(read)
    assert done.returncode == 0, done.stderr


def test_a_passphrase_comes_from_a_systemd_credential(run, wallet, tmp_path):
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "httpcg.passphrase").write_text("correct horse")
    (folder / "httpcg.passphrase").chmod(0o600)
    env = environment() | {"CREDENTIALS_DIRECTORY": str(folder)}
    assert run("wallet", "backup", passphrase=None, env=env).returncode == 0


def test_without_a_terminal_and_without_options_it_says_what_to_do(run, wallet):
    done = run("wallet", "backup", passphrase=None, start_new_session=True)
    assert done.returncode == 121
    assert "--passphrase-file" in done.stderr


def typed(build, home, words, answers):
    """Runs httpcg on a terminal of its own and types the answers; gives exit code and what it showed."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(build / "httpcg", ["httpcg", "--home", str(home), *words], environment())
    shown = b""
    try:
        for answer in answers:
            while not shown.rstrip().endswith(b":"):
                shown += os.read(fd, 4096)
            shown += b"|"
            os.write(fd, answer)
        while True:
            shown += os.read(fd, 4096)
    except OSError:
        pass  # the terminal is gone with its process
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def test_the_terminal_asks_and_shows_nothing_of_what_is_typed(build, run):
    code, shown = typed(build, run.home, ["wallet", "new", *KDF], [b"tell nobody\n", b"tell nobody\n"])
    assert code == 0, shown
    assert "tell nobody" not in shown
    code, shown = typed(build, run.home, ["wallet", "backup"], [b"tell nobody\n"])
    assert code == 0 and "seed " in shown


def test_two_passphrases_that_differ_make_no_wallet(build, run):
    code, shown = typed(build, run.home, ["wallet", "new", *KDF], [b"one\n", b"two\n"])
    assert code == 121 and "differ" in shown
    assert not (run.home / "wallet.hck").exists()


@pytest.mark.parametrize("key", [b"\x03", b"\x04", b"\n"])
def test_ctrl_c_at_the_prompt_ends_it_and_so_does_an_empty_line(build, run, wallet, key):
    code, shown = typed(build, run.home, ["wallet", "backup"], [key + (b"\n" if key == b"\x03" else b"")])
    assert code == 121, shown
    assert "seed " not in shown


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_files_that_others_may_touch_are_not_used(run, wallet, mode):
    (run.home / "wallet.hck").chmod(mode)
    done = run("wallet", "backup")
    assert done.returncode == 121 and "chmod 600" in done.stderr
    (run.home / "wallet.hck").chmod(0o600)
    run.passphrase.chmod(mode)
    done = run("wallet", "backup")
    assert done.returncode == 121 and "chmod 600" in done.stderr


def test_a_key_file_that_was_cut_or_changed_is_refused(run, wallet):
    whole = (run.home / "wallet.hck").read_bytes()
    for n in [0, 1, 17, len(whole) // 2, len(whole) - 1]:
        (run.home / "wallet.hck").write_bytes(whole[:n])
        assert run("wallet", "backup").returncode == 121
    for at in range(0, len(whole), 23):
        changed = bytearray(whole)
        changed[at] ^= 1
        (run.home / "wallet.hck").write_bytes(changed)
        done = run("wallet", "backup")
        assert done.returncode == 121, at
        assert done.stdout == ""
    (run.home / "wallet.hck").write_bytes(whole + b"\0")
    assert run("wallet", "backup").returncode == 121


def test_key_file_and_document_of_two_wallets_do_not_go_together(run, wallet, tmp_path):
    other = tmp_path / "other"
    assert run("wallet", "new", *KDF, home=other).returncode == 0
    (run.home / "wallet.doc").write_bytes((other / "wallet.doc").read_bytes())
    done = run("wallet", "backup")
    assert done.returncode == 121
    assert "two different wallets" in done.stderr


def test_an_empty_passphrase_is_refused(run):
    run.passphrase.write_text("\n")
    done = run("wallet", "new", *KDF)
    assert done.returncode == 121 and "empty" in done.stderr
    assert list(run.home.iterdir()) == []


@pytest.mark.parametrize("role", ["registry", "transport", "log"])
def test_other_roles_have_their_keys(run, tmp_path, role):
    folder = tmp_path / "keys"
    done = run("wallet", "new", "--role", role, "--origin", "ledger.example/log1", "--folder", folder, *KDF, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (folder / f"{role}.hck").exists()
    if role == "log":
        lines = (folder / "log.vkey").read_text().splitlines()
        assert [line.split("+")[0] for line in lines] == ["log ledger.example/log1"] * 2
    if role == "registry":
        assert said["did"].startswith("did:bpi:")


def test_a_log_needs_an_origin_and_a_role_must_exist(run):
    assert run("wallet", "new", "--role", "log", *KDF).returncode == 2
    assert run("wallet", "new", "--role", "log", "--origin", "a b", *KDF).returncode == 2
    done = run("wallet", "new", "--role", "king", *KDF)
    assert done.returncode == 2 and "transport" in done.stderr


@pytest.mark.parametrize("memory", ["0", "x", "1025", "-1"])
def test_a_cost_outside_its_limits_makes_no_key(run, memory):
    done = run("wallet", "new", "--kdf-memory", memory)
    assert done.returncode == 121
    assert not (run.home / "wallet.hck").exists()


def test_a_home_that_others_may_write_to_is_refused(run, tmp_path):
    run.home.chmod(0o777)
    done = run("wallet", "new", *KDF)
    assert done.returncode == 23 and "nobody else" in done.stderr
