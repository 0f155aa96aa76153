"""The encodings of docs/protocol/encodings.md once more, plainly, and sharing nothing with the C
code: what the makers of vectors beside this file are written with.  Standard library only."""
import hashlib
import json
import os


def H(*pieces):
    return hashlib.sha256(b"".join(pieces)).digest()


def lp(x):
    x = x.encode() if isinstance(x, str) else x
    return len(x).to_bytes(4, "big") + x


def u(bits, v):
    return v.to_bytes(bits // 8, "big")


def TUP(label, *fields):
    return lp(label) + u(8, len(fields)) + b"".join(lp(f) for f in fields)


def LIST(*items):
    return u(16, len(items)) + b"".join(lp(x) for x in items)


def cbor(x):
    """Deterministic CBOR (RFC 8949, 4.2.1) of None, bool, int, bytes, str, list and dict."""

    def head(major, v):
        if v < 24:
            return bytes([major << 5 | v])
        for info, n in ((24, 1), (25, 2), (26, 4), (27, 8)):
            if v < 1 << (8 * n):
                return bytes([major << 5 | info]) + v.to_bytes(n, "big")
        raise ValueError(v)

    if x is None:
        return b"\xf6"
    if isinstance(x, bool):
        return b"\xf5" if x else b"\xf4"
    if isinstance(x, int):
        return head(0, x) if x >= 0 else head(1, -1 - x)
    if isinstance(x, bytes):
        return head(2, len(x)) + x
    if isinstance(x, str):
        return head(3, len(x.encode())) + x.encode()
    if isinstance(x, (list, tuple)):
        return head(4, len(x)) + b"".join(map(cbor, x))
    pairs = sorted((cbor(k), cbor(v)) for k, v in x.items())
    return head(5, len(pairs)) + b"".join(k + v for k, v in pairs)


def write(name, content):
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    with open(os.path.join(os.environ.get("VECTORS_OUT", beside), name + ".json"), "w", encoding="ascii") as f:
        json.dump(content, f, indent=1, ensure_ascii=True)
        f.write("\n")
