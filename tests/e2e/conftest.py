"""A whole httpcg for the tests: the one that `./dev run` boots (scripts/instance.py).

    def test_something(town): ...            one for the whole session; leave it as it was
    def test_other(boot):                    one of the test's own
        it = boot(settings={"gateway.timeouts.answer": "1s"})

Both end with the daemon's exit code and what the sanitizers said looked at. HTTPCG_BUILD names
another build than build/dev."""

import os
import pathlib
import sys

import pytest

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(SOURCE / "scripts"))
from instance import Instance  # noqa: E402 (it lies there)

# What was freed is kept a while to be caught in use; kept without end it would hide how much memory
# a program really holds.
os.environ.setdefault("ASAN_OPTIONS", "quarantine_size_mb=4:thread_local_quarantine_size_kb=64")


@pytest.fixture(scope="session")
def build():
    return pathlib.Path(os.environ.get("HTTPCG_BUILD", SOURCE / "build/dev")).resolve()


def finish(it):
    """What was started must end well by itself: no leak, no crash, no lock held for ever."""
    it.stop()
    assert it.said == "", it.said
    assert it.code in (0, None)


@pytest.fixture(scope="session")
def town(build, tmp_path_factory):
    it = Instance(tmp_path_factory.mktemp("town"), build)
    try:
        it.make()
        it.start()
        yield it
    finally:
        finish(it)


@pytest.fixture
def boot(build, tmp_path):
    """Makes and starts instances; whatever the test leaves running is ended behind it."""
    booted = []

    def boot_one(start=True, name="town", **how):
        it = Instance(tmp_path / name, build, **how)
        booted.append(it)
        it.make()
        if start:
            it.start()
        return it

    yield boot_one
    for it in booted:
        if it.process and it.process.poll() is None:
            finish(it)
        it.stop()
