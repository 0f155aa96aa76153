"""Bodies of 1 GiB, both ways and in both body modes, through a gateway that holds none of them;
tests/all runs this with the programs that are released, whose memory is what counts."""

import hashlib
import json
import os
import socket
import threading

import pytest

from run_test import backend_of

GIB = 1 << 30
HELD_BACK = 16 * 1024
RESIDENT_MAX_KIB = 64 * 1024

pytestmark = pytest.mark.limit(240)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """1 GiB without a pattern that a window's length could hide, and its SHA-256."""
    path = tmp_path_factory.mktemp("large") / "file"
    digest = hashlib.sha256()
    piece = os.urandom(1 << 20)
    with path.open("wb") as out:
        for number in range(GIB // len(piece)):
            whole = number.to_bytes(8, "big") + piece[8:]
            out.write(whole)
            digest.update(whole)
    yield path, digest.hexdigest()
    path.unlink()


@pytest.mark.parametrize("mode", ["digest", "trailer"])
def test_an_upload_of_1_gib_arrives_and_is_not_held(town, file, mode):
    path, digest = file
    if mode == "digest":
        done = town.httpcg("post", town.url("/upload"), "-s", "-T", path)
    else:
        with path.open("rb") as pipe:  # its length is not told, so the signature comes behind it
            done = town.httpcg("post", town.url("/upload"), "-s", "-T", "-", stdin=pipe)
    assert json.loads(done.stdout) == {"bytes": GIB, "sha256": digest}
    assert town.resident_kib() < RESIDENT_MAX_KIB


def test_a_download_of_1_gib_arrives_and_is_not_held(town, tmp_path):
    done = town.get(f"/download?bytes={GIB}", "-s", "-o", tmp_path / "got", "-w", "%{verified} %{size_download}")
    assert done.stdout == f"1 {GIB}".encode()
    assert (tmp_path / "got").stat().st_size == GIB
    (tmp_path / "got").unlink()
    assert town.resident_kib() < RESIDENT_MAX_KIB


def test_the_backend_never_sees_the_end_of_1_gib_whose_last_byte_is_wrong(town, file):
    """The client signs the file's digest; its last byte changes while it is being sent."""
    path, _ = file
    begun, changed, over = threading.Event(), threading.Event(), threading.Event()
    came = {"bytes": 0}

    def count(connection):
        head, _, first = read_head(connection)
        assert b"content-length: %d" % GIB in head.lower()
        came["bytes"] = len(first)
        begun.set()
        changed.wait(60)
        try:
            while piece := connection.recv(1 << 20):
                came["bytes"] += len(piece)
        except OSError:
            pass
        over.set()

    with backend_of(town, count):
        process = town.begin("post", town.url("/upload"), "-s", "-S", "-T", path)
        assert begun.wait(60)
        flip_last_byte(path)
        try:
            changed.set()
            out, err = process.communicate(timeout=120)
            assert over.wait(20)
        finally:
            flip_last_byte(path)
    assert b"digest-mismatch" in out + err
    assert GIB // 2 < came["bytes"] <= GIB - HELD_BACK
    assert town.resident_kib() < RESIDENT_MAX_KIB


def read_head(connection: socket.socket):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        assert piece
        data += piece
    return data.partition(b"\r\n\r\n")


def flip_last_byte(path):
    with path.open("r+b") as f:
        f.seek(-1, os.SEEK_END)
        last = f.read(1)[0]
        f.seek(-1, os.SEEK_END)
        f.write(bytes([last ^ 1]))
