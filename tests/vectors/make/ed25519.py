"""Ed25519 signing and verification (RFC 8032, 5.1), plain and slow, for the makers of vectors beside this
file and for tests that believe nobody's library."""
import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    A, B = (y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2)
    C, E = 2 * D * t1 * t2, 2 * z1 * z2
    e, f, g, h = B - A, E - C, E + C, B + A
    return e * f % P, g * h % P, f * g % P, e * h % P


def mul(n, point):
    total = (0, 1, 1, 0)
    while n:
        if n & 1:
            total = add(total, point)
        point = add(point, point)
        n >>= 1
    return total


def decompress(data):  # None where it is no point in its one form
    y, sign_bit = int.from_bytes(data, "little") & (1 << 255) - 1, data[31] >> 7
    if len(data) != 32 or y >= P:
        return None
    xx = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if x * x % P != xx:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != xx or (x == 0 and sign_bit):
        return None
    x = P - x if x & 1 != sign_bit else x
    return x, y, 1, x * y % P


B = decompress((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def compress(point):
    x, y, z, _ = point
    inverse = pow(z, -1, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def expand(seed):
    h = hashlib.sha512(seed).digest()
    a = int.from_bytes(h[:32], "little") & ((1 << 254) - 8) | 1 << 254
    return a, h[32:]


def public(seed):
    return compress(mul(expand(seed)[0], B))


def sign(seed, message):
    a, prefix = expand(seed)
    key = compress(mul(a, B))
    r = int.from_bytes(hashlib.sha512(prefix + message).digest(), "little") % L
    R = compress(mul(r, B))
    k = int.from_bytes(hashlib.sha512(R + key + message).digest(), "little") % L
    return R + ((r + k * a) % L).to_bytes(32, "little")


def verify(key, message, signature):
    point, s = decompress(key), int.from_bytes(signature[32:], "little")
    if point is None or len(signature) != 64 or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    minus = (P - point[0], point[1], 1, P - point[3])
    return compress(add(mul(s, B), mul(k, minus))) == signature[:32]
