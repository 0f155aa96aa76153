"""What every pytest file shares: a time limit for each test, 60 s unless it says otherwise.

    @pytest.mark.limit(5)
    def test_answers_at_once(): ...
"""

import signal

import pytest


def pytest_configure(config):
    config.addinivalue_line("markers", "limit(seconds): this test's own time limit")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    marker = item.get_closest_marker("limit")
    seconds = marker.args[0] if marker else 60

    def expire(_signal, _frame):
        pytest.fail(f"took longer than {seconds} s", pytrace=True)

    before = signal.signal(signal.SIGALRM, expire)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
