"""A ledger in a few lines, for the makers of vectors beside this file: entries, map, proofs, staples."""
from forms import H, TUP, cbor
from map import M, map_key, prove
from merkle import MTH, PATH


def did(waddr):
    return "did:bpi:" + waddr


def object_digest(body_protected, signed):
    return H(TUP("httpcg-object/v1", body_protected, signed))


class Ledger:
    def __init__(self, hand, witnesses):
        self.hand, self.witnesses = hand, witnesses  # notes.Log, [notes.Witness]
        self.entries, self.map, self.heads = [], {}, {}

    def add(self, kind, commitment, subject, digest, time, *more):
        self.entries.append(cbor([1, kind, commitment, subject, digest, time, *more]))
        return len(self.entries) - 1

    def set(self, kind, id, value):
        self.map[map_key(kind, id)] = value

    def head(self, time):
        """Appends a map-head and signs; gives the size."""
        self.add("map-head", M(0, self.map), "", b"", time, len(self.entries), len(self.map))
        return self.sign(time)

    def sign(self, time):
        size = len(self.entries)
        root = MTH(self.entries)
        self.heads[size] = (dict(self.map), self.hand.note(size, root), root, time)
        return size

    def note(self, size, witnessed=True):
        _, note, root, time = self.heads[size]
        return note + "".join(w.line(self.hand.origin, size, root, time) for w in self.witnesses if witnessed)

    def leaf(self, index, size):
        return [index, self.entries[index], PATH(index, self.entries[:size])]

    def staple(self, size, incl, asks, witnessed=True):
        """As a dict, so that it can be made wrong; cbor() of it is the staple."""
        return {"v": 1, "checkpoint": self.note(size, witnessed), "map_head": self.leaf(size - 1, size),
                "incl": None if incl is None else self.leaf(incl, size),
                "map": [prove(map_key(kind, id), self.heads[size][0])[1] for kind, id in asks]}

    def answers(self, size, asks):
        return [{"kind": kind, "id": id, "value": self.heads[size][0].get(map_key(kind, id), b"").hex()}
                for kind, id in asks]


def cut(good, bad):
    """How bad comes from good: at a byte (from 0), remove some, insert some."""
    n = min(len(good), len(bad))
    a = next((i for i in range(n) if good[i] != bad[i]), n)
    b = next((i for i in range(n - a) if good[-1 - i] != bad[-1 - i]), n - a)
    return {"at": str(a), "remove": str(len(good) - a - b), "insert": bad[a:len(bad) - b].hex()}
