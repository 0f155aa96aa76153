#!/usr/bin/env python3
"""Makes tests/vectors/merkle.json: tree heads, inclusion and consistency proofs, tile paths.

The functions are RFC 9162's recursive definitions word for word (2.1.1, 2.1.3.1, 2.1.4.1)."""
from forms import H, write


def split(n):
    """The largest power of two below n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def MTH(d):
    if not d:
        return H(b"")
    if len(d) == 1:
        return H(b"\0", d[0])
    k = split(len(d))
    return H(b"\1", MTH(d[:k]), MTH(d[k:]))


def PATH(m, d):
    if len(d) == 1:
        return []
    k = split(len(d))
    if m < k:
        return PATH(m, d[:k]) + [MTH(d[k:])]
    return PATH(m - k, d[k:]) + [MTH(d[:k])]


def SUBPROOF(m, d, whole):
    if m == len(d):
        return [] if whole else [MTH(d)]
    k = split(len(d))
    if m <= k:
        return SUBPROOF(m, d[:k], whole) + [MTH(d[k:])]
    return SUBPROOF(m - k, d[k:], False) + [MTH(d[:k])]


def entry(i):
    return b"entry %d" % i


def tile(path, level, index, width):
    return {"path": path, "level": str(level), "index": str(index), "width": str(width)}


def main():
    entries = [entry(i) for i in range(300)]
    inclusion = [(0, 1), (0, 2), (1, 2), (2, 3), (0, 3), (3, 7), (6, 7), (0, 8), (7, 8), (8, 9),
                 (5, 9), (31, 33), (32, 33), (40, 64), (63, 64), (64, 65), (17, 65), (255, 256), (299, 300)]
    consistency = [(1, 1), (1, 2), (2, 3), (3, 4), (3, 7), (4, 7), (6, 8), (8, 9), (7, 15), (16, 33),
                   (32, 64), (33, 65), (64, 65), (63, 65), (128, 300), (257, 300)]
    write("merkle", {
        "note": "RFC 9162, 2.1. Entry i is the text 'entry <i>'. Made by make/merkle.py.",
        "roots": [MTH(entries[:n]).hex() for n in range(66)],
        "inclusion": [
            {"index": str(m), "size": str(n), "leaf": MTH([entry(m)]).hex(), "root": MTH(entries[:n]).hex(),
             "path": [h.hex() for h in PATH(m, entries[:n])]} for m, n in inclusion],
        "consistency": [
            {"from": str(m), "to": str(n), "from_root": MTH(entries[:m]).hex(), "to_root": MTH(entries[:n]).hex(),
             "path": [h.hex() for h in SUBPROOF(m, entries[:n], True)]} for m, n in consistency],
        "tiles": {
            "note": "C2SP tlog-tiles; level is 'entries' for entry bundles. bad: no path of any tile.",
            "good": [
                tile("tile/0/000", 0, 0, 256), tile("tile/0/001.p/1", 0, 1, 1),
                tile("tile/1/x001/x234/067", 1, 1234067, 256), tile("tile/7/000.p/255", 7, 0, 255),
                tile("tile/2/x001/000.p/17", 2, 1000, 17), tile("tile/entries/x999/999", "entries", 999999, 256),
                tile("tile/entries/000.p/9", "entries", 0, 9),
                tile("tile/0/x018/x446/x744/x073/x709/x551/615", 0, 2**64 - 1, 256)],
            "bad": [
                "", "tile", "tile/", "tile/0", "tile/0/", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/0/x000",
                "tile/0/x000/001", "tile/0/001/002", "tile/0/x001/x002", "tile/0/x01/002", "tile/00/000",
                "tile/01/000", "tile/8/000", "tile/64/000", "tile/-1/000", "tile/0/000.p/0", "tile/0/000.p/256",
                "tile/0/000.p/01", "tile/0/000.p/", "tile/0/000.p", "tile/0/000.p/1/", "tile/0/000/", "tile/0/00a",
                "/tile/0/000", "tile//000", "tile/0//000", "tile/0/X001/000", "tile/entries/0",
                "tile/entries/0/000", "tile/0/000.p/1 ", "tile/0/000?x",
                "tile/0/x018/x446/x744/x073/x709/x551/616", "tile/0/x001/x000/x000/x000/x000/x000/x000/000"],
            "level0_width9_sha256": H(*[MTH([entry(i)]) for i in range(9)]).hex(),
            "level1_tile0_width1": MTH(entries[:256]).hex(),
            "bundle_of_3": b"".join(len(e).to_bytes(2, "big") + e for e in entries[:3]).hex()},
    })


if __name__ == "__main__":
    main()
