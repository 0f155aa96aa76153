"""C2SP signed notes, checkpoints and cosignatures, for the makers of vectors beside this file."""
import base64

import ed25519
import mldsa44
from forms import H, u

TYPES = {"ed25519": b"\1", "ml-dsa-87": b"\xffhttpcg/ml-dsa-87/v1", "cosign-ed25519": b"\4", "cosign-ml-dsa-44": b"\6"}


def b64(x):
    return base64.b64encode(x).decode()


def key_id(name, type, public):
    return H(name.encode(), b"\n", TYPES[type], public)[:4]


def vkey(name, type, public):
    return "%s+%s+%s" % (name, key_id(name, type, public).hex(), b64(TYPES[type] + public))


def line(name, id, sig):
    return "\u2014 %s %s\n" % (name, b64(id + sig))


def text(origin, size, root):
    return "%s\n%d\n%s\n" % (origin, size, b64(root))


class Log:
    """A log's two hands; keys is a keys.Hybrid."""

    def __init__(self, origin, keys):
        self.origin, self.keys = origin, keys

    def vkeys(self):
        return [vkey(self.origin, "ed25519", self.keys.ed), vkey(self.origin, "ml-dsa-87", self.keys.ml)]

    def lines(self, body):
        body = body.encode()
        ml = self.keys.ml_key.sign(body, b"httpcg/ml-dsa-87/v1")
        return [line(self.origin, key_id(self.origin, "ed25519", self.keys.ed), ed25519.sign(self.keys.ed_seed, body)),
                line(self.origin, key_id(self.origin, "ml-dsa-87", self.keys.ml), ml)]

    def note(self, size, root):
        body = text(self.origin, size, root)
        return body + "\n" + "".join(self.lines(body))


class Witness:
    def __init__(self, name, type, seed):
        self.name, self.type, self.seed = name, type, seed
        self.ml = mldsa44.Key(seed) if type == "cosign-ml-dsa-44" else None
        self.public = self.ml.public if self.ml else ed25519.public(seed)
        self.id = key_id(name, type, self.public)

    def vkey(self):
        return vkey(self.name, self.type, self.public)

    def message(self, origin, size, root, time):
        if not self.ml:
            return b"cosignature/v1\ntime %d\n" % time + text(origin, size, root).encode()
        name, origin = self.name.encode(), origin.encode()
        return (b"subtree/v1\n\0" + u(8, len(name)) + name + u(64, time) + u(8, len(origin)) + origin
                + u(64, 0) + u(64, size) + root)

    def sign(self, message, time):
        return u(64, time) + (self.ml.sign(message, b"") if self.ml else ed25519.sign(self.seed, message))

    def line(self, origin, size, root, time):
        return line(self.name, self.id, self.sign(self.message(origin, size, root, time), time))
