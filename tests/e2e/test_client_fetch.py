"""httpcg URL: curl's habits, with every check of the protocol, through a real gateway."""

import hashlib
import json
import os
import pty
import socket
import stat
import subprocess
import threading
import time

import pytest

from conftest import finish
from instance import environment

MIB = 1024 * 1024


def text(done):
    return done.stdout.decode()


def said(done):
    return done.stderr.decode()


def test_the_body_alone_is_on_standard_output(town):
    done = town.get("/")
    assert text(done).startswith("Hello from behind the gateway")
    assert "quorum none" in said(done)
    assert said(town.get("/", "-s")) == ""


def test_verbose_shows_each_check_with_the_gateways_word_for_its_step(town):
    lines = said(town.get("/", "-v")).splitlines()
    steps = [line.split()[1] for line in lines if line.startswith("* ")]
    assert [step for i, step in enumerate(steps) if i == 0 or steps[i - 1] != step] == [
        "resolve", "connect", "control", "signed", "answer",
    ]  # fmt: skip
    assert all(line.split()[2] in ("ok", "note") for line in lines if line.startswith("* "))
    assert any("X25519MLKEM768" in line for line in lines)
    assert any(line.startswith("> qlock: ") for line in lines)
    assert any(line.startswith("< sapi-response: ") for line in lines)


@pytest.mark.parametrize("mode", ["grant", "ed25519", "hybrid"])
def test_requests_are_signed_in_the_mode_that_is_asked_for(town, mode):
    assert json.loads(text(town.get("/whoami", "--sapi", mode)))["auth"] == mode


def test_an_unsigned_request_is_refused_where_the_policy_asks_for_more(town):
    done = town.get("/", "--sapi", "none", check=False)
    assert done.returncode == 0  # a status, as curl has it; nothing vouches for it
    assert json.loads(text(done))["type"].endswith("/auth-required")
    assert "not signed" in said(done) and "--sapi grant" in said(done)
    assert town.get("/", "--sapi", "none", "-f", check=False).returncode == 22
    assert town.get("/", "--sapi", "strong", check=False).returncode == 2


def test_data_is_posted(town, tmp_path):
    assert text(town.get("/echo", "-d", "a=1", "-d", "b=2")) == "a=1&b=2"
    file = tmp_path / "file"
    file.write_bytes(b"one\ntwo\r\n\0three")
    assert town.get("/echo", "-d", f"@{file}").stdout == b"onetwothree"
    assert town.get("/echo", "--data-binary", f"@{file}").stdout == file.read_bytes()
    assert town.get("/echo", "--data-raw", f"@{file}").stdout == f"@{file}".encode()
    assert town.get("/echo", "--data-binary", "@-", input=b"from\nstdin").stdout == b"from\nstdin"
    assert text(town.get("/echo", "-d", "")) == ""


def test_json_data_says_what_it_is(town):
    done = town.get("/echo", "--json-data", '{"n":', "--json-data", "1}", "-i")
    head, body = done.stdout.split(b"\r\n\r\n")
    assert body == b'{"n":1}'
    assert b"content-type: application/json" in head


def test_data_goes_into_the_query_with_g(town):
    done = json.loads(text(town.get("/whoami?a=1", "-G", "-d", "b=2")))
    assert done["original-url"].endswith("/whoami?a=1&b=2")


@pytest.mark.parametrize("words", [["post"], ["-X", "POST"]])
def test_the_method_is_what_is_said(town, words):
    done = town.httpcg(*words, town.url("/echo"), "-v")
    assert "> POST httpcg://app/demo.local/echo" in said(done)


def test_methods_follow_from_what_is_sent(town, tmp_path):
    file = tmp_path / "file"
    file.write_text("x")
    assert "> PUT " in said(town.get("/echo", "-T", file, "-v", check=False))
    assert "> HEAD " in said(town.get("/", "-I", "-v"))
    assert "> DELETE " in said(town.httpcg("delete", town.url("/echo"), "-v", check=False))
    assert town.get("/", "-X", "GE T", check=False).returncode == 2
    assert town.httpcg("get", town.url("/"), "-d", "x", check=False).returncode == 2


@pytest.mark.parametrize("mode", ["grant", "ed25519", "hybrid"])
@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 3 * MIB + 7])
def test_uploads_of_any_size_arrive(town, tmp_path, mode, size):
    file = tmp_path / "file"
    file.write_bytes(os.urandom(size))
    want = {"bytes": size, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    for source in [["-T", file], ["-T", "-"]]:
        more = {"input": file.read_bytes()} if source[1] == "-" else {}
        done = json.loads(town.httpcg("post", town.url("/upload"), *source, "--sapi", mode, **more).stdout)
        assert done == want


def test_a_pipe_is_sent_as_it_comes(town):
    """The first bytes are at the gateway long before the last are written."""
    read, write = os.pipe()
    with os.fdopen(write, "wb") as pipe:
        done = {}
        thread = threading.Thread(
            target=lambda: done.update(it=town.httpcg("post", town.url("/echo"), "-T", "-", stdin=read))
        )
        thread.start()
        for word in [b"one ", b"two ", b"three"]:
            pipe.write(word)
            pipe.flush()
            time.sleep(0.3)
    thread.join()
    os.close(read)
    assert done["it"].stdout == b"one two three"


@pytest.mark.parametrize("size", [0, 1, 65536, 20 * MIB])
def test_downloads_of_any_size_are_verified(town, tmp_path, size):
    done = town.get(f"/download?bytes={size}", "-o", tmp_path / "got", "-w", "%{verified} %{size_download}")
    assert (tmp_path / "got").stat().st_size == size
    assert text(done) == f"1 {size}"


def test_a_file_keeps_its_old_content_until_the_new_one_is_verified(town, tmp_path):
    got = tmp_path / "got"
    got.write_text("before")
    done = town.get("/nope-there-is-none", "-f", "-o", got, check=False)
    assert done.returncode == 22
    assert got.read_text() == "before"
    assert os.listdir(tmp_path) == ["got"]
    town.get("/", "-o", got)
    assert got.read_text().startswith("Hello")


def test_remote_name_and_folders(town, tmp_path):
    folder = tmp_path / "a/b"
    done = town.get("/", "-o", "x", "--output-dir", folder, check=False)
    assert done.returncode == 23 and "--create-dirs" in said(done)
    town.get("/whoami", "-O", "--output-dir", folder, "--create-dirs")
    assert json.loads((folder / "whoami").read_text())["auth"] == "grant"
    assert town.get("/", "-O", check=False).returncode == 23
    assert stat.S_IMODE((folder / "whoami").stat().st_mode) & 0o111 == 0


def test_heads_are_shown_where_asked_for(town, tmp_path):
    done = town.get("/", "-i")
    assert done.stdout.startswith(b"HTTP/2 200\r\n") and b"\r\n\r\nHello" in done.stdout
    done = town.get("/", "-I")
    assert done.stdout.startswith(b"HTTP/2 200\r\n") and done.stdout.endswith(b"\r\n\r\n")
    town.get("/", "-D", tmp_path / "head")
    assert (tmp_path / "head").read_bytes().startswith(b"HTTP/2 200\r\n")
    assert town.get("/", "-D", tmp_path / "none/head", check=False).returncode in (23, 26)


def test_headers_are_sent_and_ours_are_not_to_be_written(town):
    done = town.get("/", "-v", "-H", "X-Mine: 1", "-H", "Accept:", "-H", "Empty;", "-A", "me", "-e", "there", "-b", "c=1")
    sent = [line[2:] for line in said(done).splitlines() if line.startswith("> ")]
    assert "x-mine: 1" in sent and "empty: " in sent
    assert "user-agent: me" in sent and "referer: there" in sent and "cookie: c=1" in sent
    for name in ["QLOCK", "SAPI", "Content-Digest", "Content-Length", "Host", "Transfer-Encoding"]:
        assert town.get("/", "-H", f"{name}: x", check=False).returncode == 2
    assert town.get("/", "-H", "no colon", check=False).returncode == 2
    assert town.get("/", "-H", "bad name: x", check=False).returncode != 0


def test_statuses_fail_only_where_asked(town):
    done = town.get("/status/404", check=False)
    assert done.returncode == 0
    done = town.get("/status/404", "-f", check=False)
    assert done.returncode == 22 and done.stdout == b""
    done = town.get("/status/503", "--fail-with-body", check=False)
    assert done.returncode == 22 and done.stdout != b""
    assert town.get("/status/204", "-f").stdout == b""


def test_write_out_tells_what_happened(town):
    form = "%{http_code} %{method} %{scheme} %{tls_group} %{verified} %{exitcode} 100%% \\t%{url}\\n"
    done = town.get("/status/404", "-o", "/dev/null", "-w", form, check=False)
    assert text(done) == f"404 GET httpcg X25519MLKEM768 1 0 100% \t{town.url('/status/404')}\n"
    times = text(town.get("/", "-s", "-o", "/dev/null", "-w", "%{time_namelookup} %{time_connect} %{time_appconnect} "
                          "%{time_pretransfer} %{time_starttransfer} %{time_total}")).split()
    assert [float(t) for t in times] == sorted(float(t) for t in times) and float(times[0]) > 0
    assert "%{stderr}" not in said(town.get("/", "-w", "%{stderr}to-stderr"))
    assert "there is none of" in said(town.get("/", "-w", "%{nonsense}"))


def test_json_is_one_document_beside_the_body(town, tmp_path):
    done = town.get("/", "--json")
    assert text(done).startswith("Hello")
    document = json.loads(said(done))
    assert document["ok"] and document["exit"] == 0
    assert document["transfers"][0]["verified"] and document["transfers"][0]["http_code"] == 200
    assert {check["step"] for check in document["checks"]} == {"resolve", "connect", "control", "signed", "answer"}
    assert all(check["ok"] for check in document["checks"])
    done = town.get("/", "--json", "-o", tmp_path / "x")
    assert json.loads(text(done))["ok"] and said(done) == ""


def test_two_urls_share_a_connection(town, tmp_path):
    done = town.httpcg(town.url("/"), town.url("/whoami"), "-v")
    assert said(done).count("TLS handshake") == 1
    assert text(done).count("Hello") == 1 and text(done).count('"auth": "grant"') == 1
    town.httpcg(town.url("/"), "-o", tmp_path / "1", town.url("/whoami"), "-o", tmp_path / "2")
    assert (tmp_path / "1").exists() and (tmp_path / "2").exists()


def test_ranges_are_asked_for(town):
    assert "> range: bytes=0-4" in said(town.get("/", "-r", "0-4", "-v"))


def test_names_that_do_not_exist_are_proved_not_to(town):
    done = town.get("/", name="app/nobody.local", check=False)
    assert done.returncode == 110
    assert "proved" in said(done)


def test_time_is_limited(town):
    before = time.monotonic()
    done = town.get("/slow?seconds=20", "-m", "1", check=False)
    assert done.returncode == 28 and time.monotonic() - before < 10
    assert "--max-time" in said(done)


def test_a_gateway_that_is_not_there(town):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))  # and not listening
        done = town.get("/", "--connect-to", f"::127.0.0.1:{s.getsockname()[1]}", check=False)
    assert done.returncode == 7
    assert "doctor" in said(done)


def test_a_gateway_that_says_nothing(town):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        done = town.get(
            "/", "--connect-to", f"::127.0.0.1:{s.getsockname()[1]}", "--connect-timeout", "1", check=False
        )
    assert done.returncode == 28


def test_a_server_that_is_no_gateway(town):
    done = town.get("/", "--connect-to", f"::127.0.0.1:{town.services}", check=False)
    assert done.returncode in (35, 52, 56)


def test_a_reader_who_goes_away_is_no_failure(town):
    command = [town.programs["httpcg"], "--home", town.home, town.url("/download?bytes=50000000")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as process:
        process.stdout.read(1000)
        process.stdout.close()
        assert process.wait(20) == 0
        assert b"quorum" in process.stderr.read()


def test_a_pipe_is_written_into_and_stays_one(town, tmp_path):
    """Were it replaced by a file, as files are, -o /dev/null would take that from the whole system."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        town.get("/", "-o", pipe)
        assert reader.stdout.read().startswith(b"Hello")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_link_stays_one_and_its_file_is_replaced(town, tmp_path):
    (tmp_path / "file").write_text("before")
    (tmp_path / "link").symlink_to("file")
    town.get("/", "-o", tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text().startswith("Hello")


def test_a_full_disk_is_told(town):
    with open("/dev/full", "wb") as full:
        done = town.get("/download?bytes=100000", check=False, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 23 and "No space left" in said(done)


def test_max_filesize_is_kept(town):
    assert town.get("/download?bytes=1024", "--max-filesize", "1K", "-s").returncode == 0
    done = town.get("/download?bytes=1025", "--max-filesize", "1K", check=False)
    assert done.returncode == 63
    assert town.get("/", "--max-filesize", "x", check=False).returncode == 2


def on_terminal(town, *words):
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(town.programs["httpcg"], ["httpcg", "--home", str(town.home), *words], environment())
    shown = b""
    try:
        while True:
            shown += os.read(fd, 65536)
    except OSError:
        pass
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown


def test_what_is_no_text_is_kept_from_the_terminal(town, tmp_path):
    file = tmp_path / "binary"
    file.write_bytes(b"\0\x1b[2J" * 10)
    words = ["post", town.url("/echo"), "--data-binary", f"@{file}"]
    code, shown = on_terminal(town, *words)
    assert code == 23 and b"\x1b[2J" not in shown and b"-o FILE" in shown
    code, shown = on_terminal(town, *words, "-o", "-")
    assert code == 0 and b"\x1b[2J" in shown


def test_progress_is_for_terminals_and_long_transfers(town):
    code, shown = on_terminal(town, town.url("/sse?events=4&interval=0.6"), "-o", "/dev/null")
    assert code == 0 and b"received" in shown
    code, shown = on_terminal(
        town, town.url("/sse?events=4&interval=0.6"), "-o", "/dev/null", "--no-progress-meter"
    )
    assert code == 0 and b"received" not in shown
    assert b"received" not in town.get("/sse?events=4&interval=0.6").stderr


def test_a_wallet_is_needed_and_named_when_missing(town, tmp_path):
    done = town.get("/", "--wallet", tmp_path / "none.hck", check=False)
    assert done.returncode == 119
    assert "wallet new" in said(done)


@pytest.mark.limit(120)
def test_another_gateways_certificate_is_refused(town, boot):
    """A name's record says whose gateway may answer; another town's is somebody else's."""
    other = boot(name="other")
    done = town.get("/", "--connect-to", f"::127.0.0.1:{other.native}", check=False)
    assert done.returncode == 112
    assert "control:" in said(done)
    assert done.stdout == b""


@pytest.mark.limit(120)
def test_a_trust_file_of_another_ledger_is_refused(town, boot):
    other = boot(name="other")
    done = town.get("/", "--trust", other.trust, check=False)
    assert done.returncode == 117  # the same serial with other content: an alarm
    assert "Hello" not in text(done)


@pytest.mark.limit(120)
def test_a_backend_that_dies_in_the_middle_gives_no_file(boot, tmp_path):
    it = boot()
    got = tmp_path / "got"
    process = subprocess.Popen(
        [it.programs["httpcg"], "--home", it.home, it.url("/sse?events=100&interval=0.1"), "-o", got],
        stderr=subprocess.PIPE, env=environment(),
    )  # fmt: skip
    time.sleep(2)
    it.backend.process.kill()
    assert process.wait(20) in (18, 92, 114)
    process.stderr.close()
    assert list(tmp_path.glob("got*")) == []
    finish(it)
