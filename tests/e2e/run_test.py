"""`./dev run`, and httpcgd with everything around it: how it starts, serves, drains and ends."""

import contextlib
import hashlib
import http.server
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from instance import NAME, PATIENCE_S, SOURCE, Backend, Instance, environment, free_port, spawn

RUN = SOURCE / "scripts/run"
MIB = 1 << 20


def wait_until(is_so, seconds=PATIENCE_S):
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


def running_in(folder):
    """Processes whose command line names the folder."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(folder).encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


# --- ./dev run ------------------------------------------------------------------------------------


def run(build, *words, **more):
    return subprocess.run(
        [sys.executable, RUN, "--build", build, *words], capture_output=True, text=True, timeout=50, check=False, **more
    )


def test_check_passes_and_leaves_nothing_behind(build, tmp_path):
    done = run(build, "--check", env=environment() | {"TMPDIR": str(tmp_path)})
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "ok"
    assert all(line.startswith("ok ") for line in lines[:-2])
    assert "quorum none" in lines[-2]
    assert sum(": refused" in line for line in lines) == 3
    assert list(tmp_path.iterdir()) == []
    assert running_in(tmp_path) == []


def test_check_saves_what_others_need_to_verify_it(build, tmp_path):
    saved = tmp_path / "saved"
    assert run(build, "--check", "--save", saved).returncode == 0
    assert {path.name for path in saved.iterdir()} == {
        "answer.json", "backend.json", "checkpoint.txt", "connection.json", "denial.json", "entries",
        "gateway.policy", "gateway.tlsls", "grant-answer.cbor", "grant.cbor", "request.json",
        "resolve.json", "trust.conf", "web-default.policy", "web-default.state.cbor",
    }  # fmt: skip
    assert all(path.stat().st_size > 100 for path in saved.iterdir() if path.is_file())


class Shown:
    """`./dev run` with its pages read: the first URL and the commands it says to try."""

    def __init__(self, build, folder, *words):
        self.process = spawn(
            [sys.executable, RUN, "--build", build, "--folder", folder, *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if "Ctrl-C" in line:
                break
        self.commands = [line.split() for line in self.lines if line.startswith("    ")]

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=PATIENCE_S)
        assert self.process.returncode == 0, said


def test_the_commands_it_says_to_try_work_as_printed(build, tmp_path):
    shown = Shown(build, tmp_path / "run")
    assert len(shown.commands) == 3, shown.lines
    said = []
    for words in shown.commands:
        words = [word.strip("'") for word in words]
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
        said.append(done)
    assert "answer verified to its last byte" in said[0].stderr
    assert said[1].stdout.endswith("hello")
    assert '"auth": "hybrid"' in said[2].stdout
    shown.end()
    assert running_in(tmp_path) == []


def test_what_it_made_is_kept_and_used_again(build, tmp_path):
    folder = tmp_path / "run"

    def document():
        return (folder / "home/wallet.doc").read_bytes()

    shown = Shown(build, folder)
    first = document()
    shown.end(signal.SIGTERM)
    shown = Shown(build, folder)
    assert document() == first
    done = subprocess.run(shown.commands[1], capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    shown.end(signal.SIGHUP)
    assert running_in(tmp_path) == []


def test_nothing_runs_on_when_it_is_killed(build, tmp_path):
    shown = Shown(build, tmp_path / "run")
    assert running_in(tmp_path)
    shown.process.kill()
    shown.process.communicate(timeout=PATIENCE_S)
    wait_until(lambda: running_in(tmp_path) == [])


class Own(http.server.BaseHTTPRequestHandler):
    """Somebody's own service, which knows nothing of all this."""

    def do_GET(self):
        body = b"my own service\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_a_service_of_ones_own_is_put_behind_the_gateway(build, tmp_path):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Own) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        shown = Shown(build, tmp_path / "run", "--backend", url)
        done = subprocess.run(shown.commands[0], capture_output=True, timeout=30, check=False)
        shown.end()
        server.shutdown()
    assert done.stdout == b"my own service\n"


@pytest.mark.parametrize("url", ["127.0.0.1:3000", "ftp://127.0.0.1", "http://127.0.0.1:3000/path", "http://"])
def test_a_backend_that_is_no_url_is_refused_in_one_sentence(build, tmp_path, url):
    done = run(build, "--folder", tmp_path / "run", "--backend", url)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "--backend" in done.stderr


def test_without_programs_it_says_how_to_make_them(tmp_path):
    done = run(tmp_path / "nothing", "--folder", tmp_path / "run")
    assert done.returncode == 1
    assert "./dev build" in done.stderr and "Traceback" not in done.stderr


# --- starting -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(build, tmp_path_factory):
    """An instance that is made and does not run, for starts that must fail."""
    it = Instance(tmp_path_factory.mktemp("made"), build)
    it.make()
    yield it
    it.stop()


def start_badly(it, *sets, **more):
    """Starts httpcgd, which must end with 1 and one sentence; gives that."""
    words = [word for text in sets for word in ("--set", text)]
    done = subprocess.run(
        [it.programs["httpcgd"], "--config", it.config, *words],
        capture_output=True, text=True, timeout=20, check=False, env=environment(), **more,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert done.stdout == "" and len(done.stderr.splitlines()) == 1, done.stdout + done.stderr
    return done.stderr


@pytest.mark.parametrize("which", ["native", "services", "admin"])
def test_a_port_that_is_taken_is_told_with_its_setting(made, which):
    port = getattr(made, which)
    with socket.create_server(("127.0.0.1", port)):
        said = start_badly(made)
    assert f"127.0.0.1:{port}" in said and "choose another port" in said
    assert ("admin.listen" if which == "admin" else f"listen.{which}") in said


def test_a_port_is_not_shared_with_another_httpcgd(made, boot):
    other = boot()
    said = start_badly(made, f"listen.native=127.0.0.1:{other.native}")
    assert "listen.native" in said and "the port is taken" in said


def test_a_state_folder_is_not_shared_with_another_httpcgd(boot):
    it = boot()
    ports = [f"{key}=127.0.0.1:{free_port()}" for key in ("listen.native", "listen.services", "admin.listen")]
    said = start_badly(it, *ports, f"admin.socket={it.folder}/other.sock")
    assert "in use by another httpcgd" in said
    assert it.get().returncode == 0


@contextlib.contextmanager
def changed(path, content=None, mode=None, gone=False):
    """A file that is wrong for a while."""
    path = pathlib.Path(path)
    kept, before = path.read_bytes(), path.stat().st_mode & 0o777
    if gone:
        path.unlink()
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    if mode is not None:
        path.chmod(mode)
    try:
        yield kept
    finally:
        path.write_bytes(kept)
        path.chmod(before)


@pytest.mark.parametrize(
    "name, setting",
    [
        ("operator/gateway/transport.hck", "gateway.key"),
        ("operator/log.hck", "ledger.key"),
        ("operator/registry.hck", "registry.key"),
        ("operator/gateway/tls.key", "gateway.tls_key"),
        ("operator/passphrase", "passphrase"),
    ],
)
def test_keys_that_others_may_read_are_refused(made, name, setting):
    with changed(made.folder / name, mode=0o644):
        said = start_badly(made)
    assert "chmod 600" in said and setting in said and name in said


@pytest.mark.parametrize(
    "name",
    [
        "operator/gateway/transport.hck",
        "operator/log.hck",
        "operator/registry.doc",
        "operator/gateway.policy",
        "operator/gateway/gateway.tlsls",
        "trust.conf",
    ],
)
def test_files_that_are_missing_cut_or_nonsense_are_told_by_name(made, name):
    path = made.folder / name
    with changed(path, gone=True):
        assert name in start_badly(made)
    with changed(path) as whole:
        for content in [b"", whole[: len(whole) // 2], b"\xff" * 1000, whole + b"\x00"]:
            path.write_bytes(content)
            assert name in start_badly(made)


def test_a_wrong_passphrase_is_told_as_such(made):
    with changed(made.operator / "passphrase", "something else\n"):
        assert "does not open" in start_badly(made)


@pytest.mark.parametrize(
    "add, place, words",
    [
        ("\nledgr:\n  origin: x\n", ":{last}:1: ", 'did you mean "ledger"'),
        ("  publish_interwal: 1s\n", ":{last}:3: ", 'did you mean "publish_interval"'),
        ("  wait: soon\n", ":{last}:9: ", "10s"),
        ("  wait: 10\n", ":{last}:9: ", "unit"),
        ("  origin: twice\n", ":{last}:3: ", "already set in line"),
        ("\tx: 1\n", ":{last}:", "tab"),
    ],
)
def test_a_bad_configuration_is_told_with_line_and_column(made, add, place, words):
    with changed(made.config) as good:
        made.config.write_text(good.decode() + add)
        last = len(made.config.read_text().splitlines())
        said = start_badly(made)
        assert place.format(last=last - (1 if add.startswith("\nledgr") else 0)) in said, said
        assert words in said.lower() or words in said, said
        check = subprocess.run(
            [made.programs["httpcgd"], "--config", made.config, "--check-config"],
            capture_output=True, text=True, timeout=20, check=False, env=environment(),
        )  # fmt: skip
        assert (check.returncode, check.stderr) == (1, said)


def test_certificate_names_and_policy_must_belong_together(made):
    assert "gateway.names" in start_badly(made, "gateway.names=other.example")


def test_a_disk_that_takes_nothing_is_told(made):
    def full():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    said = start_badly(made, f"state={made.folder}/full", preexec_fn=full)
    assert "full/httpcg.db" in said


def test_a_database_that_is_none_is_told(made):
    (made.folder / "strange").mkdir(mode=0o700)
    (made.folder / "strange/httpcg.db").write_bytes(b"nonsense" * 1000)
    assert "strange/httpcg.db" in start_badly(made, f"state={made.folder}/strange")


def test_a_log_does_not_go_on_under_another_name(boot):
    it = boot()
    it.stop_daemon()
    assert "ledger.origin" in start_badly(it, "ledger.origin=other.example/log")


# --- the operator's pages and commands ------------------------------------------------------------


def test_pages_tell_health_readiness_and_metrics(town):
    for page in ["/livez", "/health", "/readyz", "/ready"]:
        assert town.page(page)[0] == 200
    said = town.page("/readyz?verbose")[1].decode()
    assert all(f"[+]{name} ok" in said for name in ["gateway", "registry", "ledger"])
    before = metric(town, 'httpcg_requests_total{plane="app",status="200"}')
    assert town.get().returncode == 0
    wait_until(lambda: metric(town, 'httpcg_requests_total{plane="app",status="200"}') == before + 1)
    assert town.page("/status")[0] == 404


def metric(it, name):
    for line in it.page("/metrics")[1].decode().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    return 0


def test_commands_are_on_the_socket_and_hide_secrets(town):
    status, said = town.command("GET", "/status")
    assert status == 200 and json.loads(said)["ready"] is True
    assert (os.stat(town.socket).st_mode & 0o777) == 0o600
    status, said = town.command("GET", "/config")
    assert status == 200 and town.secret.read_text().strip().encode() not in said
    assert b"(hidden)" in said


def test_routes_are_put_and_removed_while_it_runs(town):
    name = "app/second.local"
    town.allow(name)
    town.publish(name, town.backend.url)
    assert b"Hello" in town.get("/", name=name).stdout
    route = town.routes / "app-second.local.yaml"
    assert route.stat().st_mode & 0o777 == 0o600
    assert town.command("DELETE", "/routes/app-second.local")[0] in (200, 204)
    assert not route.exists()
    assert problem_of(town, "/", name=name) == (502, "bad-gateway")  # its record leads nowhere
    assert town.command("DELETE", "/routes/app-second.local")[0] == 404
    assert town.get().returncode == 0


@pytest.mark.parametrize(
    "body",
    [
        "name: nothing\nbackend: http://127.0.0.1:1\n",
        "name: app/x.local\nbackend: gopher://127.0.0.1\n",
        "name: app/x.local\nbackend: http://127.0.0.1:1/path\n",
        "name: app/x.local\n",
        "name: app/demo.local\nbackend: http://127.0.0.1:1\n",
        "name: [\n",
        "",
    ],
)
def test_a_route_that_is_refused_leaves_no_trace(town, body):
    before = {path: path.read_bytes() for path in town.routes.iterdir()}
    status, said = town.command("PUT", "/routes/bad", body)
    assert status == 422, said
    assert {path: path.read_bytes() for path in town.routes.iterdir()} == before
    assert town.get().returncode == 0


def test_reload_takes_what_is_good_and_keeps_what_was_where_it_is_not(boot):
    it = boot()
    generation = json.loads(it.command("GET", "/status")[1])["config_generation"]
    with changed(it.config) as good:
        it.config.write_bytes(good + b"nonsense: 1\n")
        status, said = it.command("POST", "/reload")
        assert status == 422 and b"nonsense" in said
        it.config.write_bytes(good.replace(b"names: [localhost]", b"names: [localhost, other.example]"))
        status, said = it.command("POST", "/reload")
        assert status == 422 and b"restart" in said
        assert it.get().returncode == 0
    it.config.write_text(it.config.read_text() + "\n")
    assert it.command("POST", "/reload")[0] == 200
    assert json.loads(it.command("GET", "/status")[1])["config_generation"] > generation


def test_reload_keeps_connections_and_what_is_under_way(town):
    process = town.begin("-s", town.url("/sse?events=4&interval=0.5"))
    said = process.stdout.readline()
    for _ in range(3):
        town.process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
    said += process.stdout.read()
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    assert said.count(b"event ") == 4


def test_a_changed_route_counts_for_connections_that_are_there(town):
    before = metric(town, "httpcg_grants_total")
    process = town.begin("-s", town.url("/slow?seconds=2"), town.url("/"))
    wait_until(lambda: metric(town, "httpcg_grants_total") == before + 1)
    time.sleep(0.5)

    def answer(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nthe new one")

    with backend_of(town, answer):
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out) == (0, b"At last.\nthe new one"), err
    assert metric(town, "httpcg_grants_total") == before + 1


# --- ending ---------------------------------------------------------------------------------------


def test_a_request_under_way_ends_well_when_it_is_asked_to_stop(boot):
    it = boot()
    process = it.begin("-s", it.url("/slow?seconds=2"))
    wait_until(lambda: it.backend.process.poll() is None and metric(it, "httpcg_connections_open") == 1)
    time.sleep(0.5)
    it.process.terminate()
    wait_until(lambda: it.events("stopping"))
    refused = it.get("/", "-s", check=False)
    assert refused.returncode != 0
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out) == (0, b"At last.\n"), err
    assert it.process.wait(PATIENCE_S) == 0
    assert not it.events("drain_cut")


def test_what_does_not_end_within_the_limit_is_cut(boot):
    it = boot(settings={"drain.stop": "1s"})
    process = it.begin("-s", it.url("/slow?seconds=15"))
    wait_until(lambda: metric(it, "httpcg_connections_open") == 1)
    time.sleep(0.5)
    began = time.monotonic()
    it.process.terminate()
    assert it.process.wait(PATIENCE_S) == 3
    assert time.monotonic() - began < 5
    assert it.events("drain_cut")
    assert process.wait(PATIENCE_S) != 0
    process.communicate()


def test_a_second_signal_stops_at_once(boot):
    it = boot()
    process = it.begin("-s", it.url("/slow?seconds=15"))
    wait_until(lambda: metric(it, "httpcg_connections_open") == 1)
    time.sleep(0.5)
    it.process.terminate()
    wait_until(lambda: it.events("stopping"))
    it.process.terminate()
    assert it.process.wait(5) == 3
    process.wait(PATIENCE_S)
    process.communicate()


def test_the_drain_command_is_the_same(boot):
    it = boot()
    assert it.command("POST", "/drain")[0] in (200, 202, 204)
    assert it.process.wait(PATIENCE_S) == 0


def test_names_and_wallets_survive_restarts_and_kills(boot):
    it = boot()
    said = it.get("/whoami").stdout
    it.restart()
    it.process.kill()
    it.process.wait()
    it.stop_daemon()
    it.start_daemon()
    it.wait_ready()
    wallet = json.loads(said)["wallet-address"]
    assert json.loads(it.get("/whoami").stdout)["wallet-address"] == wallet


# --- bodies ---------------------------------------------------------------------------------------


def grown_kib(it, action):
    """By how much httpcgd's memory grew while something was done, at its highest."""
    pathlib.Path(f"/proc/{it.process.pid}/clear_refs").write_text("5")
    before = it.resident_kib("VmRSS")
    action()
    return it.resident_kib("VmHWM") - before


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    path = tmp_path_factory.mktemp("big") / "64MiB"
    block = bytes(range(256)) * 4096
    with path.open("wb") as file:
        for _ in range(64):
            file.write(block)
    return path


def test_an_upload_passes_in_bounded_memory(town, big):
    digest = hashlib.sha256(big.read_bytes()).hexdigest()

    def upload(*words, **more):
        said = json.loads(town.get("/upload", "-s", *words, **more).stdout)
        assert said == {"bytes": 64 * MIB, "sha256": digest}

    with big.open("rb") as file:
        assert grown_kib(town, lambda: upload("-T", big)) < 32 * 1024
        assert grown_kib(town, lambda: upload("-T", "-", stdin=file)) < 32 * 1024


def test_an_upload_passes_to_a_backend_that_reads_in_bursts(town, big):
    """All buffers are full; then the backend takes all of its own at once, again and again."""

    def read(connection):
        head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
        left = 64 * MIB - len(body)
        assert b"content-length: %d" % (64 * MIB) in head.lower()
        while left > 0:
            time.sleep(0.02)
            for _ in range(64):
                left -= len(connection.recv(min(left, 65536))) if left else 0
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nread")

    with backend_of(town, read):
        assert town.get("/", "-s", "-m", "40", "-X", "POST", "-T", big).stdout == b"read"


def test_a_download_passes_in_bounded_memory_however_slowly_it_is_taken(town):
    def download():
        process = town.begin("-s", town.url(f"/download?bytes={64 * MIB}"))
        taken = 0
        time.sleep(1)  # the backend is held back, nothing is kept
        while piece := process.stdout.read(MIB):
            taken += len(piece)
        assert process.wait(PATIENCE_S) == 0
        process.communicate()
        assert taken == 64 * MIB

    assert grown_kib(town, download) < 32 * 1024


@pytest.mark.parametrize("size", [1, 20_000, 16 * MIB])
def test_a_wrong_last_byte_never_ends_a_request_at_the_backend(town, tmp_path, size):
    body = tmp_path / "body"
    body.write_bytes(b"x" * size)
    before = len(town.backend.seen())
    told = town.replay("/upload", f"@{body}", "lie")
    assert told == {"status": 400, "problem": "digest-mismatch"}
    time.sleep(0.2)
    assert not any(line.get("ended") for line in town.backend.seen()[before:])


# --- backends that fail ---------------------------------------------------------------------------


@contextlib.contextmanager
def backend_of(it, handle):
    """Puts a service behind the name for which handle(connection) answers each connection."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(PATIENCE_S)
                    handle(connection)

    threading.Thread(target=serve, daemon=True).start()
    route = it.routes / "app-demo.local.yaml"
    kept = route.read_text()
    secret = it.secret.read_text().strip()
    port = server.getsockname()[1]
    try:
        status, said = it.command(
            "PUT", "/routes/app-demo.local", f"name: {NAME}\nbackend: http://127.0.0.1:{port}\nsecret: {secret}\n"
        )
        assert status in (200, 201, 204), said
        yield server
    finally:
        server.close()
        assert it.command("PUT", "/routes/app-demo.local", kept)[0] in (200, 201, 204)


def status_of(it, path="/", **more):
    """The answer's status and body; the client has verified it."""
    done = it.get(path, "-s", "-S", "-w", "\n%{http_code}", check=False, **more)
    assert done.returncode == 0, done.stderr
    body, _, status = done.stdout.rpartition(b"\n")
    return int(status), body


def problem_of(it, path="/", **more):
    status, body = status_of(it, path, **more)
    problem = json.loads(body)
    assert problem["status"] == status
    return status, problem["type"].rsplit("/", 1)[1]


def test_a_backend_that_is_down_is_a_bad_gateway(town):
    with backend_of(town, lambda connection: None) as server:
        server.close()
        assert problem_of(town) == (502, "bad-gateway")
    assert status_of(town)[0] == 200


def test_a_backend_that_closes_without_a_word_is_a_bad_gateway(town):
    with backend_of(town, lambda connection: connection.recv(65536)):
        assert problem_of(town) == (502, "bad-gateway")


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ],
    ids=["no-http", "two-lengths", "length-and-chunked", "huge-head", "bad-status", "unasked-upgrade"],
)
def test_a_backend_that_lies_is_a_bad_gateway(town, answer):
    def lie(connection):
        connection.recv(65536)
        connection.sendall(answer)

    with backend_of(town, lie):
        assert problem_of(town) == (502, "bad-gateway")


def test_an_answer_that_breaks_off_is_never_taken_for_a_whole_one(town):
    def break_off(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 300_000)

    with backend_of(town, break_off):
        done = town.get("/", "-s", check=False)
    assert done.returncode != 0


def test_a_backend_that_takes_too_long_is_a_gateway_timeout(boot):
    it = boot(settings={"gateway.timeouts.answer": "1s"})
    began = time.monotonic()
    assert problem_of(it, "/slow?seconds=10") == (504, "gateway-timeout")
    assert time.monotonic() - began < 5
    assert status_of(it)[0] == 200


def test_a_backend_on_a_unix_socket_is_served(town, tmp_path):
    path = f"{os.path.relpath(tmp_path)}/b.sock" if len(str(tmp_path)) > 90 else f"{tmp_path}/b.sock"
    backend = Backend(town.secret, tmp_path / "log", listen=f"unix:{path}")
    try:
        name = "app/unix.local"
        town.allow(name)
        town.publish(name, f"unix:{pathlib.Path(path).resolve()}")
        assert json.loads(town.get("/whoami", name=name).stdout)["auth"] == "grant"
    finally:
        backend.stop()
