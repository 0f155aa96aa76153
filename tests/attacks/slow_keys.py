"""What takes a while by design: tests/all runs it."""
import time

import pytest

from rogue import Wallet
from test_grants import operation, then_serves, try_grant, with_next


@pytest.mark.limit(90)
def test_keys_stop_working_soon_after_they_are_rotated_away(world):
    """A gateway keeps what the ledger said for 30 s at most, and less where a new head appears."""
    wallet = Wallet()
    following = with_next(wallet)
    world.house.submit(wallet.doc)
    then_serves(world, world.connect(), wallet)
    world.house.submit(operation(wallet, following, "rotate"))
    until = time.monotonic() + 35
    answer = try_grant(world.connect(), wallet)
    while answer.status == 200 and time.monotonic() < until:
        time.sleep(0.5)
        answer = try_grant(world.connect(), wallet)
    world.refused(answer, "auth-failed")
