#!/usr/bin/env python3
"""Makes tests/vectors/keyfile.json: encrypted seeds, and files that are refused or do not open."""
from forms import cbor, write
from hybrid import ask, cut, run

SALT, NONCE = bytes(range(16)), bytes(range(0x20, 0x2C))
HINT = "vcxb5ih4wnwldjkbucka3guzjkod44vgdzrssfzjpthwd4zhmdta32yb"


def parts(seed, role, hint, created, passphrase, m, t, p, inner_role=None, plain=None):
    outer = {"v": 1, "kdf": "argon2id", "m": m, "t": t, "p": p, "salt": SALT, "aead": "A256GCM", "nonce": NONCE,
             "role": role, "hint": hint}
    key = ask("argon2id", m, t, p, passphrase.encode(), SALT)
    plain = plain or cbor({"seed": seed, "role": inner_role or role, "created": created})
    ct = ask("aes256gcm", key, NONCE, cbor(outer), plain)
    return key, cbor(outer), plain, cbor({**outer, "ct": ct})


def good(name, first, role, hint, created, passphrase, m, t, p):
    key, aad, plain, file = parts(run(first), role, hint, created, passphrase, m, t, p)
    return {"name": name, "seed": run(first).hex(), "role": role, "hint": hint, "created": str(created),
            "passphrase": passphrase, "m": str(m), "t": str(t), "p": str(p), "salt": SALT.hex(), "nonce": NONCE.hex(),
            "key": key.hex(), "aad": aad.hex(), "plain": plain.hex(), "file": file.hex()}


SMALL = (run(0x40), "identity", HINT, 1795366003, "passphrase", 8, 1, 1)
base = parts(*SMALL)[3]


def after(key):
    return base.index(bytes([0x60 + len(key)]) + key.encode()) + 1 + len(key)


def changed(why, error, at, remove, insert):
    return {"why": why, "error": error, **cut(base, at, remove, bytes.fromhex(insert))}


def replaced(why, error, file):
    return {"why": why, "error": error, **cut(base, 0, len(base), file)}


write("keyfile", {
    "note": "Key files. bad: the file named 'small' with `remove` bytes at `at` replaced by `insert`; the error comes "
            "from reading it or from opening it with its passphrase. Made by make/keyfile.py.",
    "good": [
        good("small", 0x40, "identity", HINT, 1795366003, "passphrase", 8, 1, 1),
        good("four lanes", 0x80, "transport", "", 0, "correct horse battery staple", 1024, 2, 4),
        good("an empty passphrase", 0xA0, "log", "", 2**40, "", 64, 10, 2),
        good("64 MiB", 0x00, "identity", HINT, 1795366003, "passphrase", 65536, 3, 1)],
    "wrong_passphrases": ["", "Passphrase", "passphrase ", "passphras"],
    "bad": [
        changed("m over 1 GiB", "TOO_LARGE", after("m"), 1, "1a00100001"),
        changed("m of 2^32 + 8", "TOO_LARGE", after("m"), 1, "1b0000000100000008"),
        changed("m under 8 for each lane", "SCHEMA", after("m"), 1, "07"),
        changed("m written long", "CANONICAL", after("m"), 1, "1808"),
        changed("p over 4", "TOO_LARGE", after("p"), 1, "05"),
        changed("p of 0", "SCHEMA", after("p"), 1, "00"),
        changed("t over 10", "TOO_LARGE", after("t"), 1, "0b"),
        changed("t of 0", "SCHEMA", after("t"), 1, "00"),
        changed("another m", "MISMATCH", after("m"), 1, "09"),
        changed("another t", "MISMATCH", after("t"), 1, "02"),
        changed("version 2", "VERSION", after("v"), 1, "02"),
        changed("another kdf", "SCHEMA", after("kdf") + 8, 1, "69"),
        changed("another aead", "SCHEMA", after("aead") + 1, 1, "42"),
        changed("another role", "MISMATCH", after("role") + 1, 1, "49"),
        changed("another hint", "MISMATCH", after("hint") + 2, 1, "61"),
        changed("another salt", "MISMATCH", after("salt") + 1, 1, "ff"),
        changed("a salt of 15 bytes", "SCHEMA", after("salt"), 2, "4f"),
        changed("another nonce", "MISMATCH", after("nonce") + 1, 1, "ff"),
        changed("a nonce of 13 bytes", "TOO_LARGE", after("nonce"), 1, "4d00"),
        changed("another ct", "MISMATCH", after("ct") + 2, 1, "00"),
        changed("a member fewer", "SCHEMA", 0, 1, "aa"),
        changed("an indefinite length", "CANONICAL", 0, 1, "bf"),
        changed("a byte more", "EXTRA", len(base), 0, "00"),
        changed("1024 bytes", "EXTRA", len(base), 0, "00" * (1024 - len(base))),
        changed("1025 bytes", "TOO_LARGE", len(base), 0, "00" * (1025 - len(base))),
        changed("a byte less", "SHORT", len(base) - 1, 1, ""),
        replaced("another role inside", "SCHEMA", parts(*SMALL, inner_role="transport")[3]),
        replaced("a plaintext that is none", "SCHEMA", parts(*SMALL, plain=b"\xa0")[3]),
        replaced("a seed of 31 bytes inside", "SCHEMA",
                 parts(*SMALL, plain=cbor({"seed": bytes(31), "role": "identity", "created": 0}))[3]),
        replaced("nothing", "SHORT", b"")],
})
