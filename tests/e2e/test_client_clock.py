"""A client whose clock is wrong: made up for by the gateway's where that is near enough, once, for that
connection, and told where it is not (docs/protocol/qlock.md)."""

import hashlib
import json
import os

import pytest

from test_client_agent import Agent

NOTE = b"this machine's clock differs from the gateway's; once more"


@pytest.fixture
def clock(build, tmp_path):
    """Sets the clock of processes that are given its env: clock(240) is four minutes ahead."""
    library = build / "tests/otherclock.so"
    if not library.exists():
        pytest.skip("this build has no tests/otherclock.so")
    file = tmp_path / "seconds"

    def set_it(seconds):
        file.with_suffix(".new").write_text(str(seconds))
        file.with_suffix(".new").rename(file)

    set_it.env = {
        "LD_PRELOAD": str(library),
        "OTHERCLOCK": str(file),
        # The sanitizer minds what comes before it; there is nothing of it in there.
        "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0",
    }
    return set_it


def test_the_clock_can_be_set_here(town, clock):
    """Else all the rest would test nothing."""
    clock(-40 * 86400)
    done = town.get("/", env=clock.env, check=False)
    assert done.returncode == 111 and b"from the future" in done.stderr
    assert b"is this machine's clock right?" in done.stderr


@pytest.mark.parametrize("seconds", [-9, 9])
def test_a_few_seconds_are_nothing(town, clock, seconds):
    clock(seconds)
    done = town.get("/", "-v", env=clock.env)
    assert NOTE not in done.stderr


@pytest.mark.parametrize("seconds", [-280, -240, 240, 590])
def test_minutes_are_made_up_for_with_one_grant_more(town, clock, seconds):
    clock(seconds)
    done = town.get("/whoami", "-v", env=clock.env)
    assert json.loads(done.stdout)["auth"] == "grant"
    assert done.stderr.count(NOTE) == 1 and done.stderr.count(b"TLS handshake") == 1
    assert b"FAILED" not in done.stderr


@pytest.mark.parametrize("seconds", [660, 4000])
def test_more_than_ten_minutes_are_not(town, clock, seconds):
    clock(seconds)
    done = town.get("/", "-v", env=clock.env, check=False)
    assert done.returncode == 122, done.stderr
    told = [int(word) for word in done.stderr.split() if word.isdigit() and int(word) > 600]
    assert b"this machine's clock is " in done.stderr and b" s ahead of the gateway's" in done.stderr
    assert any(abs(number - seconds) <= 2 for number in told), done.stderr
    assert NOTE not in done.stderr and done.stdout == b""
    assert json.loads(town.get("/", "--json", env=clock.env, check=False).stderr)["failure"]["text"]


def test_a_clock_far_behind_finds_what_is_from_the_future(town, clock):
    """Records, certificates and heads are judged by this machine's clock: no gateway's word counts there."""
    clock(-660)
    done = town.get("/", env=clock.env, check=False)
    assert done.returncode == 111 and b"is this machine's clock right?" in done.stderr
    assert done.stdout == b""


@pytest.mark.parametrize("mode", ["grant", "ed25519", "hybrid"])
@pytest.mark.parametrize("seconds", [-240, 240])
def test_bodies_arrive_whole(town, clock, tmp_path, seconds, mode):
    clock(seconds)
    body = os.urandom(200000)
    file = tmp_path / "body"
    file.write_bytes(body)
    want = {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    for source in [["-T", file], ["-T", "-"], ["--data-binary", f"@{file}"], ["--data-binary", "@-"]]:
        more = {"input": body} if source[1] in ("-", "@-") else {}
        done = town.get("/upload", "-X", "POST", "--sapi", mode, *source, env=clock.env, **more)
        assert json.loads(done.stdout) == want


# --- a clock that is set while a connection lives ---


@pytest.fixture
def agent(town, clock, tmp_path):
    clock(0)
    it = Agent(town, tmp_path / "agent.sock", env=clock.env)
    assert it.first
    assert town.get("/", "--agent", it.socket).stdout.startswith(b"Hello")
    yield it
    code, err = it.stop()
    assert code == 0 and "ERROR" not in err, err


@pytest.mark.parametrize("seconds", [-240, 240])
def test_a_clock_that_is_set_is_found_out_and_corrected(town, agent, clock, seconds):
    clock(seconds)
    done = town.get("/", "-v", "--agent", agent.socket)
    assert done.stdout.startswith(b"Hello") and b"TLS handshake" not in done.stderr


@pytest.mark.parametrize("source", ["-T", "--data-binary"])
def test_a_body_that_can_be_read_again_is_sent_again_whole(town, agent, clock, tmp_path, source):
    clock(240)
    file = tmp_path / "body"
    file.write_bytes(os.urandom(300000))
    word = file if source == "-T" else f"@{file}"
    done = town.get("/upload", "-X", "POST", source, word, "-v", "--agent", agent.socket)
    assert json.loads(done.stdout) == {"bytes": 300000, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    assert done.stderr.count(NOTE) == 1


def test_a_body_from_a_pipe_is_not_sent_in_halves(town, agent, clock):
    """It cannot be read twice: that is said, nothing reaches the backend, and the next call works."""
    clock(240)
    before = len(town.backend.seen(target="/upload"))
    ask = lambda: town.get(  # noqa: E731
        "/upload", "-X", "POST", "-T", "-", "--agent", agent.socket, input=b"x" * 300000, check=False
    )
    done = ask()
    assert done.returncode == 122, done.stderr
    assert b"cannot be sent again" in done.stderr and b"the same command once more will do" in done.stderr
    assert len(town.backend.seen(target="/upload")) == before
    done = ask()
    assert json.loads(done.stdout)["bytes"] == 300000


@pytest.mark.parametrize("seconds", [660, -660])
def test_a_clock_that_is_set_too_far_is_told(town, agent, clock, seconds):
    clock(seconds)
    done = town.get("/", "--agent", agent.socket, check=False)
    # Behind, the connection's certificate and record are from the future, or the minute is refused.
    assert done.returncode in (111, 112, 122), done.stderr
    assert b"clock" in done.stderr and done.stdout == b""
