"""httpcg publish and unpublish: all of it, or nothing; and each refusal in its own words."""

import contextlib
import http.client
import http.server
import json
import re
import signal
import socket
import stat
import threading
import time

import pytest

from instance import Backend


class Between(http.server.ThreadingHTTPServer):
    """Stands before the real registry: answers["/register"] is (status, fields, body), or a function
    that is given the handler and the real answer; what is not there is passed on."""

    daemon_threads = True

    def __init__(self, town):
        super().__init__(("127.0.0.1", 0), Handler)
        self.town, self.answers, self.asked = town, {}, []
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def tell(self, status, fields, body):
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def pass_on(self, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.town.services, timeout=20)
        with contextlib.closing(connection):
            connection.request(self.command, self.path, body, {"Content-Type": self.headers["Content-Type"]})
            answer = connection.getresponse()
            return answer.status, [], answer.read()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(self.path)
        answer = self.server.answers.get(self.path, None)
        if callable(answer):
            answer(self, body)
        else:
            self.tell(*(answer or self.pass_on(body)))

    do_GET = do_POST


def problem(status, code, **more):
    """A problem document as registries write it."""
    document = {"type": f"httpcg://bpi/problems.httpcg/v1/{code}", "title": "t", "status": status, "instance": "i"}
    fields = [(k.replace("_", "-"), v) for k, v in more.items() if k == "Retry_After"]
    document |= {k: v for k, v in more.items() if k != "Retry_After"}
    return status, fields, json.dumps(document, separators=(",", ":")).encode()


@pytest.fixture
def registry(town):
    between = Between(town)
    yield between
    between.shutdown()
    between.server_close()


names = iter(range(1000))


@pytest.fixture
def name(town):
    """A name that the operator's wallet may have, and nobody has had yet."""
    name = f"app/p{next(names)}.local"
    town.allow(name)
    yield name
    town.httpcg("unpublish", name, "--admin-socket", town.socket, home=town.operator, check=False)


@pytest.fixture
def publish(town):
    def run(name, *words, check=False, home=town.operator):
        return town.httpcg(
            "publish", name, *words, "--gateway", f"localhost:{town.native}", "--admin-socket", town.socket,
            home=home, check=check,
        )  # fmt: skip

    return run


def route_of(town, name):
    path = town.routes / f"{name.replace('/', '-')}.yaml"
    return path.read_text() if path.exists() else None


def secret_of(town, name):
    return town.operator / f"{name.replace('/', '-')}.secret"


BACKEND = "http://127.0.0.1:9"

# --- the secret ---


def test_the_secret_is_put_into_a_file_and_never_shown(town, publish, name):
    done = publish(name, BACKEND, check=True)
    file = secret_of(town, name)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    secret = file.read_text().strip()
    assert re.fullmatch(r"[0-9a-f]{64}", secret)
    assert secret.encode() not in done.stdout + done.stderr
    assert f"secret   {file} (new)".encode() in done.stdout
    assert secret in route_of(town, name)
    assert list(town.operator.glob("*.new")) == []


def test_the_same_name_published_again_keeps_its_secret(town, publish, name):
    publish(name, BACKEND, check=True)
    before = secret_of(town, name).read_text()
    done = publish(name, "http://127.0.0.1:10", check=True)
    assert secret_of(town, name).read_text() == before
    assert b"(new)" not in done.stdout and b"serial 2" in done.stdout
    assert "http://127.0.0.1:10" in route_of(town, name)


def test_the_backend_verifies_with_the_file(town, publish, name, tmp_path):
    done = publish(name, BACKEND, "--secret-file", tmp_path / "s", check=True)
    backend = Backend(tmp_path / "s", tmp_path / "log")
    try:
        publish(name, backend.url, "--secret-file", tmp_path / "s", check=True)
        assert town.get("/", name=name).stdout.startswith(b"Hello")
        assert backend.seen()  # which it tells of what it has verified
    finally:
        backend.stop()
    assert str(tmp_path / "s").encode() in done.stdout


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [("nonsense\n", 0o600, "64 hexadecimal digits"), ("0" * 63, 0o600, "64 hexadecimal"), ("0" * 64, 0o644, "chmod 600")],
)
def test_a_secret_that_will_not_do_changes_nothing(town, publish, name, tmp_path, content, mode, said):
    file = tmp_path / "s"
    file.write_text(content)
    file.chmod(mode)
    done = publish(name, BACKEND, "--secret-file", file)
    assert done.returncode == 26 and said in done.stderr.decode()
    assert file.read_text() == content and route_of(town, name) is None


# --- refusals ---


def nothing_is_left(town, name, done):
    assert route_of(town, name) is None
    assert not secret_of(town, name).exists()
    assert b"published" not in done.stdout
    assert town.httpcg("resolve", name, home=town.operator, check=False).returncode == 110


def test_a_name_that_is_not_allotted(town, publish):
    name = "app/notmine.local"
    done = publish(name, BACKEND)
    assert done.returncode == 116
    assert b"not allotted to this wallet" in done.stderr and b"/registry/allow/" in done.stderr
    assert b"is taken back" in done.stderr
    nothing_is_left(town, name, done)


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("app/shop.example", [], b"not under a suffix that this registry allots"),
        ("app/shop.local", ["--proof", "self"], b"only a wallet's own address proves itself"),
        ("app/shop.local", ["--proof", "dns"], b"this registry does not do that"),
        ("app/shop.local", ["--proof", "nonsense"], b"does not understand"),
    ],
)
def test_names_that_the_registry_does_not_give(town, publish, name, words, said):
    done = publish(name, BACKEND, *words)
    assert done.returncode == 116 and said in done.stderr, done.stderr
    nothing_is_left(town, name, done)


REFUSALS = [
    (problem(503, "unavailable", Retry_After="30"), 109, b"not available now; try again in 30 s"),
    (problem(503, "unavailable"), 109, b"not available now"),
    (problem(429, "rate-limited", Retry_After="60"), 109, b"asked too often from this address; try again in 60 s"),
    (problem(409, "conflict"), 116, b"changed by somebody else meanwhile"),
    (problem(403, "forbidden"), 116, b"not allotted to this wallet"),
    (problem(422, "unprocessable", field="bpi_anchor"), 116, b"another ledger"),
    (problem(422, "unprocessable", field="issued_at"), 116, b"by the registry's clock"),
    (problem(422, "unprocessable", field="previous_signature"), 116, b"belongs to another wallet"),
    (problem(422, "unprocessable", field="\x1b[2Jmischief"), 116, b"fails a check there"),
    (problem(500, "internal"), 116, b"does not say why (status 500, internal)"),
    ((404, [], b"<html>nothing here</html>"), 116, b"does not say why (status 404)"),
]


@pytest.mark.parametrize("step", ["/challenge", "/register"])
@pytest.mark.parametrize(("answer", "code", "said"), REFUSALS)
def test_each_refusal_has_its_own_sentence(town, publish, name, registry, step, answer, code, said):
    registry.answers[step] = answer
    done = publish(name, BACKEND, "--registry", registry.url, "--ledger", f"http://127.0.0.1:{town.services}")
    assert done.returncode == code and said in done.stderr, done.stderr
    assert b"\x1b" not in done.stderr
    # Only a registry that said no is said to have said no.
    assert (b"allot" in done.stderr) == (b"allot" in said)
    nothing_is_left(town, name, done)


def ledger(town):
    return ["--ledger", f"http://127.0.0.1:{town.services}"]


def test_a_registry_that_cannot_be_reached(town, publish, name):
    done = publish(name, BACKEND, "--registry", "http://127.0.0.1:1", *ledger(town))
    assert done.returncode == 7
    assert b"cannot ask the registry at http://127.0.0.1:1" in done.stderr and b"allot" not in done.stderr
    nothing_is_left(town, name, done)


def test_a_registry_that_answers_nonsense(town, publish, name, registry):
    registry.answers["/challenge"] = (200, [], b"<html>hello</html>")
    done = publish(name, BACKEND, "--registry", registry.url, *ledger(town))
    assert done.returncode == 56 and b"none of its answers" in done.stderr
    nothing_is_left(town, name, done)


def hang_up(handler, _body):
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def test_a_registry_that_hangs_up_leaves_nothing(town, publish, name, registry):
    registry.answers["/register"] = hang_up
    done = publish(name, BACKEND, "--registry", registry.url, *ledger(town))
    assert done.returncode == 52, done.stderr
    assert b"not certain" in done.stderr
    nothing_is_left(town, name, done)


@pytest.mark.parametrize("how", ["hangs up", "503"])
def test_a_record_that_was_made_without_an_answer_is_found(town, publish, name, registry, how):
    """The registry did it, and its answer was lost: then the route stays, too."""

    def do_it(handler, body):
        assert handler.pass_on(body)[0] == 200
        if how == "503":
            handler.tell(*problem(503, "unavailable", Retry_After="1"))
        else:
            hang_up(handler, body)

    registry.answers["/register"] = do_it
    done = publish(name, BACKEND, "--registry", registry.url, *ledger(town))
    assert done.returncode == 0, done.stderr
    assert b"is published" in done.stdout and route_of(town, name) is not None
    assert town.json("resolve", name, home=town.operator)["serial"] == 1


def test_somebody_elses_name_is_told_before_anything_is_changed(town, publish, name):
    publish(name, BACKEND, check=True)
    before = route_of(town, name)
    done = publish(name, "http://127.0.0.1:10", home=town.home)
    assert done.returncode == 116 and b"belongs to another wallet" in done.stderr
    assert route_of(town, name) == before
    done = town.httpcg("unpublish", name, "--admin-socket", town.socket, check=False)
    assert done.returncode == 116 and b"belongs to another wallet" in done.stderr
    assert route_of(town, name) == before


# --- what was there before ---


def test_a_route_that_was_there_comes_back(town, publish, name, registry):
    assert town.command("PUT", f"/routes/{name.replace('/', '-')}",
                        json.dumps({"name": name, "backend": "http://127.0.0.1:77", "host": "x.internal"}))[0] == 200  # fmt: skip
    before = route_of(town, name)
    registry.answers["/register"] = problem(403, "forbidden")
    done = publish(name, BACKEND, "--registry", registry.url, *ledger(town))
    assert done.returncode == 116 and b"is what it was before" in done.stderr
    assert route_of(town, name) == before
    assert not secret_of(town, name).exists()


def test_a_published_name_is_what_it_was_after_a_change_that_failed(town, publish, name, registry):
    publish(name, BACKEND, check=True)
    before, secret = route_of(town, name), secret_of(town, name).read_text()
    registry.answers["/register"] = problem(503, "unavailable")
    done = publish(name, "http://127.0.0.1:10", "--registry", registry.url, *ledger(town))
    assert done.returncode == 109
    assert route_of(town, name) == before and secret_of(town, name).read_text() == secret
    assert town.json("resolve", name, home=town.operator)["serial"] == 1


@pytest.mark.limit(120)
def test_a_gateway_that_went_away_meanwhile_is_told(boot):
    """The route cannot be taken back: then it is said how."""
    it, name = boot(), "app/other.local"
    it.allow(name)
    registry = Between(it)

    def end_it(handler, _body):
        it.stop_daemon()
        handler.tell(*problem(403, "forbidden"))

    registry.answers["/register"] = end_it
    done = it.httpcg(
        "publish", name, BACKEND, "--gateway", f"localhost:{it.native}", "--admin-socket", it.socket,
        "--registry", registry.url, *ledger(it), home=it.operator, check=False,
    )  # fmt: skip
    assert done.returncode == 116
    assert f"could not be taken back; DELETE /routes/app-other.local on {it.socket} does it".encode() in done.stderr
    assert route_of(it, name) is not None
    registry.shutdown()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_leaves_nothing_half_done(town, name, registry, number):
    registry.answers["/register"] = lambda handler, _body: time.sleep(30)
    process = town.begin(
        "publish", name, BACKEND, "--gateway", f"localhost:{town.native}", "--admin-socket", town.socket,
        "--registry", registry.url, *ledger(town), home=town.operator,
    )  # fmt: skip
    until = time.monotonic() + 20
    while "/register" not in registry.asked and time.monotonic() < until:
        time.sleep(0.02)
    assert route_of(town, name) is not None
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == -number, err
    assert b"interrupted" in err and b"is taken back" in err, err
    assert b"AddressSanitizer" not in err
    assert route_of(town, name) is None and not secret_of(town, name).exists()


# --- the gateway's side ---


def test_a_backend_that_the_gateway_does_not_take(town, publish, name):
    done = publish(name, "http://127.0.0.1:9/with/a/path")
    assert done.returncode == 116
    assert b"has a path" in done.stderr and b"{" not in done.stderr
    nothing_is_left(town, name, done)


def test_no_gateway_here(town, name, tmp_path):
    done = town.httpcg(
        "publish", name, BACKEND, "--gateway", "localhost:1", "--admin-socket", tmp_path / "none",
        home=town.operator, check=False,
    )  # fmt: skip
    assert done.returncode == 7 and b"--admin-socket" in done.stderr
    nothing_is_left(town, name, done)


def test_a_long_name_has_a_route_too(town, publish):
    name = "app/" + "a" * 60 + "." + "b" * 60 + "." + "c" * 60 + ".local"
    town.allow(name)
    publish(name, BACKEND, check=True)
    assert route_of(town, name)
    town.httpcg("unpublish", name, "--admin-socket", town.socket, home=town.operator)
    assert route_of(town, name) is None


# --- unpublish ---


@pytest.fixture
def unpublish(town):
    def run(name, *words, socket=town.socket, check=False):
        return town.httpcg("unpublish", name, *words, "--admin-socket", socket, home=town.operator, check=check)

    return run


def test_a_name_is_taken_back_with_its_route(town, publish, unpublish, name):
    publish(name, BACKEND, check=True)
    done = unpublish(name, check=True)
    assert b"serial 2" in done.stdout and b"removed from the gateway" in done.stdout
    assert route_of(town, name) is None
    assert town.get("/", name=name, check=False).returncode == 110
    # Again is no failure: there is nothing left to do.
    done = unpublish(name, check=True)
    assert b"was taken back before" in done.stdout and b"the gateway had none" in done.stdout


def test_a_name_can_be_published_again(town, publish, unpublish, name):
    publish(name, BACKEND, check=True)
    unpublish(name, check=True)
    done = publish(name, BACKEND, check=True)
    assert b"serial 3" in done.stdout


def test_where_the_tombstone_fails_the_route_stays(town, publish, unpublish, name, registry):
    publish(name, BACKEND, check=True)
    before = route_of(town, name)
    registry.answers["/register"] = problem(503, "unavailable", Retry_After="5")
    done = unpublish(name, "--registry", registry.url, *ledger(town))
    assert done.returncode == 109
    assert b"still published" in done.stderr and b"still has its route" in done.stderr
    assert route_of(town, name) == before
    assert town.json("resolve", name, home=town.operator)["serial"] == 1


def test_where_the_route_fails_the_name_is_gone_and_again_finishes_it(town, publish, unpublish, name, tmp_path):
    publish(name, BACKEND, check=True)
    done = unpublish(name, socket=tmp_path / "none")
    assert done.returncode == 7
    assert b"the name is gone, but the gateway still has its route" in done.stderr
    assert route_of(town, name) is not None
    assert town.get("/", name=name, check=False).returncode == 110
    done = unpublish(name, check=True)
    assert b"removed from the gateway" in done.stdout and route_of(town, name) is None


def test_a_name_that_never_was(town, unpublish):
    done = unpublish("app/never.local")
    assert done.returncode == 110 and b"never was" in done.stderr


def test_json_tells_where_the_secret_is_and_not_what(town, publish, name):
    done = publish(name, BACKEND, "--json", check=True)
    said = json.loads(done.stdout)
    assert said["secret_file"] == str(secret_of(town, name)) and said["serial"] == 1
    assert secret_of(town, name).read_text().strip().encode() not in done.stdout
