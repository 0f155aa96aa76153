"""httpcg in curl's place: what people do every day, and what would surprise them."""

import json
import os
import signal
import stat
import subprocess
import time

import pytest

from instance import environment


def said(done):
    return done.stderr.decode()


def sent(done):
    return [line[2:] for line in said(done).splitlines() if line.startswith("> ")]


# --- silence ---


def test_s_takes_all_notes_away_and_S_gives_failures_back(town):
    assert said(town.get("/")) != ""  # nobody watches the ledger
    assert said(town.get("/", "-s")) == ""
    assert said(town.get("/", "-sS")) == ""
    assert said(town.get("/", "-s", name="app/nobody.local", check=False)) == ""
    done = town.get("/", "-sS", name="app/nobody.local", check=False)
    assert said(done).startswith("httpcg: (110) ") and said(done).count("\n") == 1
    assert said(town.get("/status/404", "-sf", check=False)) == ""
    assert said(town.get("/status/404", "-sSf", check=False)) == "httpcg: (22) the status is 404\n"


# --- descriptors ---


def closed(town, fds, *words, **more):
    def close():
        for fd in fds:
            os.close(fd)

    return subprocess.run(
        [town.programs["httpcg"], "--home", town.home, *words], preexec_fn=close, env=environment(), check=False,
        timeout=60, **{"stdin": subprocess.DEVNULL, "capture_output": True, **more},
    )  # fmt: skip


def test_a_closed_standard_output_is_no_other_files(town):
    """The next file to be opened would have its number, and the answer would be written into that."""
    seen = {p: p.read_bytes() for p in town.home.iterdir() if p.is_file()}
    done = closed(town, [1], town.url("/"))
    assert done.returncode == 23 and b"cannot write the answer" in done.stderr
    assert b"Hello" not in b"".join(p.read_bytes() for p in town.home.iterdir() if p.is_file())
    assert set(seen) <= set(town.home.iterdir())


def test_with_all_descriptors_closed_a_file_is_written_all_the_same(town, tmp_path):
    done = closed(town, [0, 1, 2], town.url("/"), "-o", str(tmp_path / "got"))
    assert done.returncode == 0
    assert (tmp_path / "got").read_bytes().startswith(b"Hello")


def test_a_closed_standard_input_is_no_empty_body(town):
    before = len(town.backend.seen(target="/upload"))
    done = closed(town, [0], "post", town.url("/upload"), "-T", "-")
    assert done.returncode == 26, done.stderr
    assert len(town.backend.seen(target="/upload")) == before
    assert closed(town, [0], town.url("/upload"), "--data-binary", "@-").returncode == 26


# --- cookies and data ---


def test_cookies_are_joined_and_files_of_them_refused(town, tmp_path):
    assert "cookie: a=1; b=2" in sent(town.get("/", "-v", "-b", "a=1", "-b", "b=2"))
    assert not [line for line in sent(town.get("/", "-v", "-b", "")) if line.startswith("cookie")]
    done = town.get("/", "-b", "cookies.txt", check=False)
    assert done.returncode == 2 and "NAME=VALUE" in said(done)
    assert "cookie: c=3" in sent(town.get("/", "-v", "-b", "a=1", "-H", "Cookie: c=3"))


@pytest.mark.parametrize(
    ("word", "body"),
    # What stands before the first = is a name, and sent as it is.
    [("a b&c=d/é", b"a b&c=d%2F%C3%A9"), ("a b/é", b"a%20b%2F%C3%A9"), ("=a=b", b"a%3Db"), ("n=a b", b"n=a%20b"), ("@{file}", b"x%20%0A"),
     ("n@{file}", b"n=x%20%0A"), ("-._~", b"-._~"), ("", b"")],
)  # fmt: skip
def test_data_is_encoded_for_a_query(town, tmp_path, word, body):
    file = tmp_path / "file"
    file.write_bytes(b"x \n")
    assert town.get("/echo", "--data-urlencode", word.format(file=file)).stdout == body


def test_encoded_data_goes_into_the_url(town):
    done = json.loads(town.get("/whoami", "-G", "--data-urlencode", "q=a b/c", "-d", "n=1").stdout)
    assert done["original-url"].endswith("/whoami?q=a%20b%2Fc&n=1")


# --- -w ---


def test_write_out_knows_curls_names_and_leaves_what_it_does_not_know(town, tmp_path):
    form = "%{response_code} %{http_version} %{url_effective} %{filename_effective} %{nonsense} %{http_code}\\n"
    done = town.get("/status/204", "-o", tmp_path / "x", "-w", form)
    assert done.stdout.decode() == f"204 2 {town.url('/status/204')} {tmp_path / 'x'} %{{nonsense}} 204\n"
    assert "there is none of" in said(done)


def test_write_out_comes_from_a_file(town, tmp_path):
    (tmp_path / "form").write_text("%{http_code}\\n")
    assert town.get("/status/204", "-w", f"@{tmp_path / 'form'}").stdout == b"204\n"
    done = town.get("/status/204", "-w", f"@{tmp_path / 'none'}", check=False)
    assert "cannot read" in said(done)


def test_the_message_is_the_one_that_was_told(town):
    done = town.get("/", "-s", "-w", "%{exitcode} %{errormsg}", name="app/nobody.local", check=False)
    assert done.returncode == 110
    done = town.get("/status/500", "-sf", "-w", "%{exitcode} %{errormsg}", check=False)
    assert done.stdout == b"22 the status is 500"


# --- -o ---


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_a_file_keeps_its_mode(town, tmp_path, mode):
    got = tmp_path / "got"
    got.write_text("before")
    got.chmod(mode)
    town.get("/", "-o", got)
    assert got.read_bytes().startswith(b"Hello") and stat.S_IMODE(got.stat().st_mode) == mode


def test_a_name_may_be_as_long_as_a_files(town, tmp_path):
    got = tmp_path / ("n" * 255)
    town.get("/", "-o", got)
    assert got.read_bytes().startswith(b"Hello") and os.listdir(tmp_path) == [got.name]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_takes_no_files_is_told(town, tmp_path):
    (tmp_path / "got").write_text("before")
    tmp_path.chmod(0o500)
    done = town.get("/", "-o", tmp_path / "got", check=False)
    tmp_path.chmod(0o700)
    assert done.returncode == 23 and "folder must be writable" in said(done)


def test_the_heads_of_several_urls_stand_one_behind_the_other(town, tmp_path):
    town.httpcg(town.url("/"), town.url("/status/404"), "-D", tmp_path / "heads", "-o", "/dev/null", "-o", "/dev/null")
    assert (tmp_path / "heads").read_text().count("HTTP/2 ") == 2
    done = town.get("/", "-D", "-", "-s")
    assert done.stdout.startswith(b"HTTP/2 200\r\n") and b"\r\n\r\nHello" in done.stdout


def test_head_asks_for_the_head_alone(town):
    done = town.get("/download?bytes=100000", "-I", "-s")
    assert done.stdout.startswith(b"HTTP/2 200\r\n") and b"content-length: 100000" in done.stdout.lower()
    assert done.stdout.endswith(b"\r\n\r\n")
    assert town.get("/status/404", "-I", "-sf", check=False).returncode == 22
    assert town.get("/", "-I", "-d", "x", check=False).returncode == 2


# --- interruptions ---


def interrupt(town, number, *words, folder=None, **more):
    """Once it has a file under way in that folder; or after a while."""
    process = town.begin(*words, **more)
    until = time.monotonic() + (20 if folder else 1.5)
    while time.monotonic() < until and not (folder and list(folder.glob("*.part"))):
        time.sleep(0.05)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    return process.returncode, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_download_leaves_the_file_as_it_was(town, tmp_path, number):
    got = tmp_path / "got"
    code, err = interrupt(town, number, town.url("/sse?events=50"), "-o", got, folder=tmp_path)
    assert code == -number and f"interrupted: {got} is as it was before".encode() in err
    assert os.listdir(tmp_path) == []
    got.write_text("before")
    code, err = interrupt(town, number, town.url("/sse?events=50"), "-o", got, folder=tmp_path)
    assert code == -number and got.read_text() == "before" and os.listdir(tmp_path) == ["got"]


@pytest.mark.parametrize("path", ["/sse?events=50", "/slow?seconds=20"])
def test_an_interruption_ends_it_at_once(town, path):
    before = time.monotonic()
    code, err = interrupt(town, signal.SIGINT, town.url(path))
    assert code == -signal.SIGINT and time.monotonic() - before < 6
    assert b"ERROR" not in err


def test_an_interruption_ends_the_urls_that_follow_too(town, tmp_path):
    code, err = interrupt(
        town, signal.SIGINT, town.url("/sse?events=50"), "-o", tmp_path / "1", town.url("/"), "-o", tmp_path / "2",
        folder=tmp_path,
    )  # fmt: skip
    assert code == -signal.SIGINT and os.listdir(tmp_path) == []


def test_what_was_told_to_be_ignored_stays_ignored(town, tmp_path):
    """As nohup tells it."""
    got = tmp_path / "got"
    process = subprocess.Popen(
        [town.programs["httpcg"], "--home", town.home, town.url("/sse?events=3"), "-o", got],
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN), env=environment(), stderr=subprocess.PIPE,
    )  # fmt: skip
    time.sleep(1)
    process.send_signal(signal.SIGHUP)
    assert process.wait(20) == 0 and got.exists()
    process.stderr.close()


def test_an_interrupted_upload_is_none(town):
    before = len(town.backend.seen(target="/upload"))
    read, write = os.pipe()
    with os.fdopen(write, "wb") as pipe:
        process = subprocess.Popen(
            [town.programs["httpcg"], "--home", town.home, "post", town.url("/upload"), "-T", "-"],
            stdin=read, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
        )  # fmt: skip
        os.close(read)
        pipe.write(b"x" * 100000)
        pipe.flush()
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == -signal.SIGINT
    assert not [line for line in town.backend.seen(target="/upload")[before:] if line["ended"]]


# --- what there is not ---


@pytest.mark.parametrize(
    ("option", "word"),
    [("-N", "at once"), ("-C", "verified as a whole"), ("-c", "not kept"), ("-n", "wallet"), ("-g", "never a pattern"),
     ("-F", "--data-binary"), ("-z", "If-Modified-Since"), ("-#", "progress"), ("-E", "wallet new"), ("-R", "time"),
     ("-J", "-O names"), ("-Z", "one after the other"), ("-4", "--connect-to"), ("-k", "no check"), ("-L", "redirects"),
     ("-u", "-H"), ("-x", "--connect-to"), ("--no-buffer", "at once"), ("--resolve", "--connect-to"), ("--url", "by itself"),
     ("--limit-rate", "pv"), ("--trace", "-v"), ("--retry", "not repeated")],
)  # fmt: skip
def test_what_curl_has_and_we_have_not_is_told_with_what_to_do(town, option, word):
    done = town.get("/", option, "x", check=False)
    assert done.returncode == 2 and word in said(done), said(done)
