"""A whole httpcg on this machine: keys, trust file, httpcgd in all its roles, the example backend
and a published name, all in one folder. `./dev run` shows it to people, tests/e2e to tests.

Everything is done with the commands that people have; nothing here knows a format. What goes wrong
is a Trouble with one sentence."""

import contextlib
import ctypes
import http.client
import itertools
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parent.parent
NAME = "app/demo.local"
PATIENCE_S = 20


class Trouble(Exception):
    """What went wrong and what to do, in one sentence."""


# Below the ports that outgoing connections are given. Each of pytest's workers has some of its own and
# takes them in turn: what was promised to one, and is not listened on yet, is given to nobody else.
LANES, LANE_PORTS = 5, 2400
LANE = int("0" + os.environ.get("PYTEST_XDIST_WORKER", "gw4").removeprefix("gw")) % LANES
turns = itertools.count(secrets.randbelow(LANE_PORTS))


def free_port():
    while not is_free(port := 20000 + LANE * LANE_PORTS + next(turns) % LANE_PORTS):
        pass
    return port


def is_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def has_ipv6():
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as s:
        s.bind(("::1", 0))
        return True
    return False


def environment():
    """What is set outside (a home folder, options of a real gateway) has no say here."""
    return {k: v for k, v in os.environ.items() if not k.startswith("HTTPCG_") and k != "NOTIFY_SOCKET"}


def die_with_parent():
    """In the child: a parent that is killed takes it along. PR_SET_PDEATHSIG is 1."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def spawn(command, **more):
    """Starts a process that Ctrl-C at the terminal does not reach by itself."""
    try:
        return subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            env=environment() | more.pop("env", {}),
            start_new_session=True,
            preexec_fn=die_with_parent,
            **more,
        )
    except OSError as error:
        raise Trouble(f"cannot start {command[0]}: {error.strerror}") from None


def end(process, patience=PATIENCE_S):
    """Asks a process to end, and makes it after a while; gives its exit code."""
    if process and process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait() if process else 0


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=PATIENCE_S):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


def ask(connection, method, path, body=None, fields=None):
    """One request over http.client; gives status and body."""
    try:
        connection.request(method, path, body, fields or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Backend:
    """The example backend, with a log of what it saw."""

    def __init__(self, secret, log, listen="127.0.0.1:0"):
        self.log = pathlib.Path(log)
        self.process = spawn(
            [sys.executable, SOURCE / "examples/backend.py", "--secret", secret, "--listen", listen, "--log", log],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            raise Trouble("the example backend did not start: " + self.process.stderr.read().strip())

    def seen(self, **wanted):
        """The log's lines, or those of them with these members."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in lines if wanted.items() <= line.items()]

    def stop(self):
        end(self.process)
        self.process.stdout.close()
        self.process.stderr.close()


class Instance:
    """Made by make(), started by start(), ended by stop(); may be started again on what is there.

    folder    keeps everything; private
    build     where httpcg and httpcgd were built
    ports     native, services and admin; free ones where None
    settings  options of httpcgd that differ, such as {"gateway.timeouts.answer": "2s"}"""

    def __init__(self, folder, build, ports=None, settings=None):
        self.folder = pathlib.Path(folder).resolve()
        self.programs = {"httpcg": build / "httpcg", "httpcgd": build / "httpcgd/httpcgd", "replay": build / "replay"}
        self.native, self.services, self.admin = ports or (free_port(), free_port(), free_port())
        self.settings = settings or {}
        self.operator = self.folder / "operator"  # whose gateway, ledger, registry and name it is
        self.home = self.folder / "home"  # of somebody who asks
        self.trust = self.folder / "trust.conf"
        self.config = self.folder / "httpcgd.yaml"
        self.log = self.folder / "httpcgd.log"
        self.secret = self.folder / "backend.secret"
        self.routes = self.folder / "routes.d"
        self.process = self.backend = self.short = None
        self.code, self.said = None, ""  # once httpcgd has ended: its exit code and standard error

    # --- commands --------------------------------------------------------------------------------

    def httpcg(self, *words, home=None, check=True, **more):
        """Runs the client; with check a failure is a Trouble."""
        command = [self.programs["httpcg"], "--home", home or self.home, *words]
        more = {"capture_output": True, "stdin": subprocess.DEVNULL, "timeout": 120} | more
        if "input" in more:
            del more["stdin"]
        try:
            env = environment() | more.pop("env", {})
            done = subprocess.run([str(word) for word in command], env=env, check=False, **more)
        except OSError as error:
            raise Trouble(f"cannot start {command[0]}: {error.strerror}; ./dev build release makes it") from None
        if check and done.returncode != 0:
            what = " ".join(str(word) for word in words)
            said = done.stderr.decode(errors="replace").strip() if done.stderr else "nothing"
            raise Trouble(f"httpcg {what} ended with {done.returncode} and said: {said}")
        return done

    def begin(self, *words, home=None, **more):
        """Starts the client and gives its process, for requests that last."""
        more = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
        return spawn([self.programs["httpcg"], "--home", home or self.home, *words], **more)

    def replay(self, path, body, *words):
        """Makes a POST and sends its bytes again, twice: how each was answered (support/replay.c)."""
        command = [
            self.programs["replay"], "--home", self.home, "--trust", self.trust,
            "--passphrase-file", self.home / "passphrase", self.url(path), body, *words,
        ]  # fmt: skip
        done = subprocess.run(command, env=environment(), capture_output=True, check=False, timeout=120)
        if done.returncode != 0:
            raise Trouble(f"replay ended with {done.returncode} and said: {done.stderr.decode(errors='replace')}")
        return json.loads(done.stdout)

    def json(self, *words, **more):
        return json.loads(self.httpcg(*words, "--json", **more).stdout)

    # --- files -----------------------------------------------------------------------------------

    def make(self):
        """Makes what is not there yet; what is there stays."""
        os.umask(0o077)
        self.folder.mkdir(parents=True, exist_ok=True)
        for folder in [self.operator, self.home]:
            self.make_home(folder)
        self.routes.mkdir(exist_ok=True)
        self.make_keys()
        self.owner = self.did("wallet")
        registry = self.did("registry")
        self.httpcg(
            "trust", "make", "--log", self.operator / "log.vkey",
            "--trust-registry", f"{registry}=http://127.0.0.1:{self.services}", "-o", self.trust,
        )  # fmt: skip
        self.make_certificate()
        self.write_config(registry)

    def make_home(self, folder):
        """A passphrase of 256 random bits needs no stretching: so keys open at once."""
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)
        passphrase = folder / "passphrase"
        if not passphrase.exists():
            passphrase.write_text(secrets.token_hex(32) + "\n")
        (folder / "httpcg.conf").write_text(
            f"# Options of httpcg --home {folder.name}, one a line.\n"
            f"passphrase-file = {passphrase}\nkdf-memory = 1\ntrust = {self.trust}\n"
        )

    def make_keys(self):
        wanted = [
            (self.operator / "log.hck", ["--role", "log", "--origin", "localhost/demo"]),
            (self.operator / "registry.hck", ["--role", "registry"]),
            (self.operator / "wallet.hck", []),
            (self.home / "wallet.hck", []),
        ]
        for file, options in wanted:
            if not file.exists():
                self.httpcg("wallet", "new", *options, "--folder", file.parent, home=file.parent)

    def did(self, name):
        return self.json("wallet", "show", "--wallet", self.operator / f"{name}.hck", home=self.operator)["did"]

    def make_certificate(self):
        """The gateway's certificate; a new one where the old one ends within a week."""
        policy, folder = self.operator / "gateway.policy", self.operator / "gateway"
        self.certificate = folder / "gateway.tlsls"
        if not policy.exists():
            self.httpcg("policy", "sign", "--role", "gateway", "-o", policy, home=self.operator)
        if self.certificate.exists():
            if self.json("cert", "show", self.certificate)["expires_at"] > time.time() + 7 * 86400:
                return
            shutil.rmtree(folder)
        self.httpcg(
            "cert", "issue", "--name", "localhost", "--policy", policy, "--folder", folder, home=self.operator
        )

    def socket_path(self):
        """In the folder, unless that is deeper than a socket's path may be long (108 bytes)."""
        path = self.folder / "admin.sock"
        if len(str(path)) > 100:
            self.short = self.short or tempfile.mkdtemp(prefix="httpcg-")
            path = pathlib.Path(self.short) / "admin.sock"
        return path

    def write_config(self, registry):
        self.socket = self.socket_path()
        addresses = ["127.0.0.1", "[::1]"] if has_ipv6() else ["127.0.0.1"]
        native = ", ".join(f'"{address}:{self.native}"' for address in addresses)
        self.config.write_text(f"""\
# Written anew by each start; httpcgd --sample-config tells what else there is.
roles: [gateway, registry, ledger]
state: state
trust: trust.conf

listen:
  native: [{native}]
  services: ["127.0.0.1:{self.services}"]

admin:
  listen: ["127.0.0.1:{self.admin}"]
  socket: {self.socket}

log:
  file: httpcgd.log

gateway:
  names: [localhost]
  certificate: operator/gateway/gateway.tlsls
  key: operator/gateway/transport.hck
  passphrase: operator/passphrase
  tls_certificate: operator/gateway/tls.pem
  tls_key: operator/gateway/tls.key
  policy: operator/gateway.policy
  registry: [local:registry]
  ledger: local:ledger
  # Everybody here comes from one address: a script that calls httpcg in a loop is no attack.
  limits: {{grants: 1000}}

registry:
  key: operator/registry.hck
  passphrase: operator/passphrase
  wallet_doc: operator/registry.doc
  suffixes: [.local]
  allow:
    - name: {NAME}
      did: {self.owner}

ledger:
  origin: localhost/demo
  key: operator/log.hck
  passphrase: operator/passphrase
  registries: ["{registry}"]
  publish_interval: 100ms
""")

    # --- processes -------------------------------------------------------------------------------

    def start(self, backend=None):
        """Starts backend and daemon and publishes the name; backend is another service's URL."""
        if not backend and not self.backend:
            self.start_backend()
        self.start_daemon()
        self.httpcg("ledger", "submit", self.certificate, home=self.operator)
        self.wait_ready()
        self.publish(NAME, backend or self.backend.url)

    def start_backend(self, **how):
        if not self.secret.exists():
            self.secret.write_text(secrets.token_hex(32) + "\n")
        self.backend = Backend(self.secret, self.folder / "backend.log", **how)

    def start_daemon(self):
        """Starts httpcgd and waits until it answers."""
        sets = [word for item in self.settings.items() for word in ("--set", "=".join(item))]
        self.process = spawn(
            [self.programs["httpcgd"], "--config", self.config, *sets], stderr=subprocess.PIPE, text=True
        )
        self.wait(lambda: self.page("/livez")[0] == 200, "does not answer")

    def wait_ready(self):
        self.wait(lambda: self.page("/readyz")[0] == 200, "is not ready")

    def wait(self, is_so, what):
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if self.process.poll() is not None:
                code = self.stop_daemon()
                raise Trouble(self.said or f"httpcgd ended with {code} and without a word; {self.log} says more")
            with contextlib.suppress(OSError, http.client.HTTPException):
                if is_so():
                    return
            time.sleep(0.02)
        raise Trouble(f"httpcgd {what} after {PATIENCE_S} s; {self.log} says more")

    def allow(self, name):
        """Allots a further name under .local to the operator's wallet."""
        status, said = self.command("PUT", f"/registry/allow/{name}", self.owner)
        if status != 204:
            raise Trouble(f"{name} cannot be allotted: {said.decode(errors='replace')}")

    def publish(self, name, backend):
        self.httpcg(
            "publish", name, backend, "--gateway", f"localhost:{self.native}", "--proof", "operator",
            "--secret-file", self.secret, "--admin-socket", self.socket, home=self.operator,
        )  # fmt: skip

    def stop_daemon(self):
        """Gives httpcgd's exit code; None if it does not run."""
        if not self.process:
            return None
        self.code = end(self.process)
        with self.process.stderr as stderr:
            self.said = stderr.read().strip()
        self.process = None
        return self.code

    def restart(self):
        self.stop_daemon()
        self.start_daemon()
        self.wait_ready()

    def stop(self):
        """Ends all processes; may be called at any time, and again."""
        try:
            self.stop_daemon()
            if self.backend:
                self.backend.stop()
                self.backend = None
            return self.code
        finally:
            if self.short:
                shutil.rmtree(self.short, ignore_errors=True)
                self.short = None

    # --- asking ----------------------------------------------------------------------------------

    def url(self, path="/", name=NAME):
        return f"httpcg://{name}{path}"

    def get(self, path="/", *words, name=NAME, **more):
        return self.httpcg(self.url(path, name), *words, **more)

    def page(self, path):
        """A page of the admin listener, such as /metrics: status and body."""
        return ask(http.client.HTTPConnection("127.0.0.1", self.admin, timeout=PATIENCE_S), "GET", path)

    def command(self, method, path, body=None):
        """A command on the admin socket: status and body."""
        return ask(UnixConnection(self.socket), method, path, body)

    def service(self, method, path, body=None, kind="application/json"):
        """A request to registry or ledger: status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.services, timeout=PATIENCE_S)
        return ask(connection, method, path, body, {"Content-Type": kind} if body else None)

    def events(self, event=None, **wanted):
        """Lines of httpcgd's log."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        wanted |= {"event": event} if event else {}
        return [line for line in lines if wanted.items() <= line.items()]

    def resident_kib(self, field="VmHWM"):
        """httpcgd's memory: VmHWM is the highest so far, VmRSS the present."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
        raise Trouble(f"/proc tells no {field}")
