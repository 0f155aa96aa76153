"""httpcg's command line: what it says when asked, and when it is asked the wrong way."""

import json
import subprocess

import pytest

from conftest import SOURCE
from instance import environment


@pytest.fixture
def httpcg(build, tmp_path):
    def run(*words, home=tmp_path / "home", **more):
        more = {"stdin": subprocess.DEVNULL, "env": environment(), "timeout": 60} | more
        if "input" in more:
            del more["stdin"]
        command = [build / "httpcg", *words, "--home", home]
        return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **more)

    return run


def test_help_manual_version_and_completion_are_on_standard_output(httpcg):
    for option, text in [
        ("--help", "usage: httpcg"),
        ("--version", "X25519MLKEM768"),
        ("--manual", ".TH HTTPCG 1"),
        ("--completion", "complete -F"),
    ]:
        done = httpcg(option)
        assert done.returncode == 0 and done.stderr == ""
        assert text in done.stdout


def test_the_manual_page_in_the_tree_is_the_one_the_program_prints(httpcg):
    assert httpcg("--manual").stdout == (SOURCE / "docs/man/httpcg.1").read_text(), (
        "build/dev/httpcg --manual >docs/man/httpcg.1"
    )


def test_each_command_has_its_help(httpcg):
    listed = httpcg("--help").stdout
    commands = [line[2:20].strip() for line in listed.splitlines() if line.startswith("  ") and line[2:3].islower()]
    commands = [c for c in commands if c and not c.startswith("httpcg")]
    assert len(commands) >= 20
    for command in commands:
        done = httpcg(*command.split(), "--help")
        assert done.returncode == 0, command
        assert "For example:" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "nothing to fetch"),
        (["walet", "new"], 2, "did you mean wallet"),
        (["wallet"], 2, "new, show, backup"),
        (["wallet", "now"], 2, "followed by"),
        (["get"], 2, "a URL is missing"),
        (["get", "x"], 3, "written whole"),
        (["app/demo.local/x"], 3, "written whole"),
        (["https://example.org/"], 1, "only scheme"),
        (["HTTP://example.org/"], 1, "only scheme"),
        (["httpcg://nowhere/x/"], 3, "plane"),
        (["httpcg://app/x.y//z"], 3, "empty segment"),
        (["httpcg://app/x.y/", "--outptu", "x"], 2, "--output?"),
        (["httpcg://app/x.y/", "-k"], 2, "no check can be switched off"),
        (["httpcg://app/x.y/", "-L"], 2, "redirects"),
        (["httpcg://app/x.y/", "--json", '{"a":1}'], 2, "--json-data"),
        (["httpcg://app/x.y/", "--days", "3"], 2, "not for httpcg get"),
        (["url", "parse"], 2, "takes URL"),
        (["wallet", "show", "x"], 2, "no further words"),
        (["httpcg://app/x.y/", "-m", "soon"], 2, "no seconds"),
        (["httpcg://app/x.y/", "-m", "-1"], 2, "no seconds"),
        (["httpcg://app/x.y/", "--connect-to", "a:b"], 2, "HOST1:PORT1:HOST2:PORT2"),
        (["httpcg://app/x.y/", "--connect-to", "a:1:b:99999"], 2, "HOST1:PORT1:HOST2:PORT2"),
        (["httpcg://app/x.y/"], 120, "trust file"),
        (["resolve", "app/x.y"], 120, "trust file"),
    ],
)
def test_what_is_wrong_with_the_line_is_said_in_one_sentence(httpcg, words, code, said):
    done = httpcg(*words)
    assert done.returncode == code, done.stderr
    assert done.stdout == "" or "--json" in words
    if "--json" not in words:
        assert done.stderr.startswith(f"httpcg: ({code}) ")
        assert said in done.stderr


def test_silence_and_its_end(httpcg):
    assert httpcg("-s", "https://x/").stderr == ""
    assert httpcg("-sS", "https://x/").stderr != ""


def test_json_says_what_failed(httpcg):
    done = httpcg("resolve", "app/x.y", "--json")
    said = json.loads(done.stdout)
    assert done.returncode == said["exit"] == 120 and said["ok"] is False
    assert "trust file" in said["failure"]["text"]
    assert done.stderr == ""


def test_standard_error_goes_where_it_is_told(httpcg, tmp_path):
    done = httpcg("https://x/", "--stderr", tmp_path / "err")
    assert done.stderr == "" and "only scheme" in (tmp_path / "err").read_text()
    assert httpcg("https://x/", "--stderr", tmp_path / "none/err").returncode == 23


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTPCG://App/Shop.Example/a%2db?x=%c3#f", "httpcg://app/shop.example/a-b?x=%C3#f"),
        ("httpcg://app/x.y", "httpcg://app/x.y/"),
        ("httpcg://bpi/hash.bpi/", "httpcg://bpi/hash.bpi/"),
    ],
)
def test_a_url_has_one_canonical_form(httpcg, url, canonical):
    said = json.loads(httpcg("url", "parse", url, "--json").stdout)
    assert said["urls"][0]["url"] == canonical
    assert httpcg("url", "parse", url).stdout.splitlines()[0] == canonical


@pytest.mark.parametrize(
    ("url", "part", "code"),
    [
        ("http://app/x.y/", "scheme", 1),
        ("httpcg://web/x.y/", "plane", 3),
        ("httpcg://app/x..y/", "authority", 3),
        ("httpcg://app/127.0.0.1/", "authority", 3),
        ("httpcg://app/x.y/../z", "path", 3),
        ("httpcg://app/x.y/%2e%2e/z", "path", 3),
        ("httpcg://app/x.y/%2Fz", "path", 3),
        ("httpcg://app/x.y/\\z", "path", 3),
        ("httpcg://app/x.y/a?b=%zz", "query", 3),
        ("httpcg://app/x.y/a b", "path", 3),
    ],
)
def test_what_is_no_url_is_refused_with_its_place(httpcg, url, part, code):
    done = httpcg("url", "parse", url, "--json")
    assert done.returncode == code
    said = json.loads(done.stdout)
    assert said["fault"]["part"] == part
    done = httpcg("url", "parse", url)
    assert done.returncode == code
    assert done.stderr.splitlines()[-1].strip() == "^"


def test_options_come_from_a_file_and_the_line_wins(httpcg, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "httpcg.conf").write_text("# mine\ntrust = /from/the/file\n")
    assert "/from/the/file" in httpcg("resolve", "app/x.y").stderr
    assert "/from/the/line" in httpcg("resolve", "app/x.y", "--trust", "/from/the/line").stderr
    assert "/from/the/file" not in httpcg("-q", "resolve", "app/x.y").stderr
    other = tmp_path / "other.conf"
    other.write_text("trust /another\n")
    assert "/another" in httpcg("resolve", "app/x.y", "-K", other).stderr
    assert "/piped" in httpcg("resolve", "app/x.y", "-K", "-", input="trust: /piped\n").stderr


@pytest.mark.parametrize("text", ["verbsoe\n", "verbose yes\n", "output\n", "trust = x\nnonsense = 1\n", "a\0b\n"])
def test_a_file_of_options_that_is_wrong_says_where(httpcg, tmp_path, text):
    home = tmp_path / "home"
    home.mkdir()
    (home / "httpcg.conf").write_text(text)
    done = httpcg("url", "parse", "httpcg://app/x.y/")
    assert done.returncode in (2, 26)
    assert "httpcg.conf" in done.stderr


def test_a_missing_file_of_options_is_told_only_where_it_was_named(httpcg, tmp_path):
    assert httpcg("url", "parse", "httpcg://app/x.y/").returncode == 0
    assert httpcg("url", "parse", "httpcg://app/x.y/", "-K", tmp_path / "none").returncode == 26


def test_a_full_disk_is_told(build):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [build / "httpcg", "--help"],
            stdout=full, stderr=subprocess.PIPE, check=False, env=environment(),
        )  # fmt: skip
    assert done.returncode == 23
