"""What holds of everything that an instance has written, whatever was done to it."""
import json

from house import SECRET


def secrets_of(house):
    """What no line of the log may hold."""
    seeds = [house.registry.key.seed, house.log.key.seed, house.transport.seed]
    with open(house.path("tls.key")) as file:
        pem = file.read().split("\n")[1]
    return [SECRET, pem, *(seed.hex() for seed in seeds), "signature\\\":\\\"", "qlock_hash", "minute_epoch", "sha-256=:"]


def check_log(house):
    """Faults of the logs and of what went to standard error."""
    faults = []
    for name in ("daemon.log", "access.log"):
        with open(house.path(name), "rb") as file:
            text = file.read()
        for line in text.split(b"\n")[:-1]:
            try:
                json.loads(line)
            except ValueError:
                faults.append("a line of %s is no JSON: %r" % (name, line[:300]))
            if any(byte < 0x20 or byte == 0x7f for byte in line):
                faults.append("a line of %s would move a terminal's cursor: %r" % (name, line[:300]))
            if b'"internal_error"' in line:
                faults.append("a fault of ours: %r" % line[:300])
        faults += ["%s tells a secret: %s" % (name, secret[:20]) for secret in secrets_of(house) if secret.encode() in text]
    with open(house.path("errors"), errors="replace") as file:
        errors = file.read()
    if errors:
        faults.append("standard error: " + errors[:6000])
    return faults[:20]
