"""`./dev run`, and httpcgd with everything behind it."""

import json


def test_a_get_is_verified_end_to_end(town):
    done = town.get("/whoami", "--json")
    said = json.loads(done.stdout)
    assert said["auth"] == "grant"
