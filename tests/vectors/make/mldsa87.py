"""ML-DSA-87 key generation, deterministic signing and verification (FIPS 204), plain and slow, for the
makers of vectors beside this file and for tests that believe nobody's library."""
import hashlib

Q, N, D, TAU, ETA, K, L, OMEGA = 8380417, 256, 13, 60, 2, 8, 7, 75
GAMMA1, GAMMA2, BETA, C_BYTES = 1 << 19, (Q - 1) // 32, TAU * ETA, 64
Z_BITS, W1_BITS = 20, 4  # of a packed coefficient; mldsa44.py has other numbers for all of these


def shake256(data, n):
    return hashlib.shake_256(data).digest(n)


ZETAS = [pow(1753, int(f"{i:08b}"[::-1], 2), Q) for i in range(N)]


def ntt(w):  # Algorithm 41
    w, m, length = list(w), 0, 128
    while length >= 1:
        for start in range(0, N, 2 * length):
            m += 1
            z = ZETAS[m]
            for j in range(start, start + length):
                t = z * w[j + length] % Q
                w[j + length] = (w[j] - t) % Q
                w[j] = (w[j] + t) % Q
        length //= 2
    return w


def inverse_ntt(w):  # Algorithm 42
    w, m, length = list(w), N, 1
    while length < N:
        for start in range(0, N, 2 * length):
            m -= 1
            z = -ZETAS[m]
            for j in range(start, start + length):
                t = w[j]
                w[j] = (t + w[j + length]) % Q
                w[j + length] = z * (t - w[j + length]) % Q
        length *= 2
    return [x * 8347681 % Q for x in w]


def times(a, b):
    return [x * y % Q for x, y in zip(a, b)]


def plus(a, b):
    return [(x + y) % Q for x, y in zip(a, b)]


def minus(a, b):
    return [(x - y) % Q for x, y in zip(a, b)]


def centred(x, m):
    x %= m
    return x - m if x > m // 2 else x


def norm(polys):
    return max(abs(centred(x, Q)) for p in polys for x in p)


def pack(values, bits):
    total = 0
    for i, v in enumerate(values):
        total |= v << (bits * i)
    return total.to_bytes(len(values) * bits // 8, "little")


def expand_a(rho):  # Algorithms 30, 32
    def poly(r, s):
        stream, out, at = hashlib.shake_128(rho + bytes([s, r])).digest(2048), [], 0
        while len(out) < N:
            v = stream[at] | stream[at + 1] << 8 | (stream[at + 2] & 0x7F) << 16
            at += 3
            if v < Q:
                out.append(v)
        return out

    return [[poly(r, s) for s in range(L)] for r in range(K)]


def expand_s(rho, first, n):  # Algorithms 31, 33
    def poly(i):
        out = []
        for byte in shake256(rho + i.to_bytes(2, "little"), 1024):
            out += [(2 - v % 5) % Q for v in (byte & 15, byte >> 4) if v < 15]
        return out[:N]

    return [poly(first + i) for i in range(n)]


def matrix_times(a, v):
    out = []
    for row in a:
        total = [0] * N
        for x, y in zip(row, v):
            total = plus(total, times(x, y))
        out.append(inverse_ntt(total))
    return out


class Key:
    def __init__(self, xi):  # Algorithm 6
        seed = shake256(xi + bytes([K, L]), 128)
        rho, rho1, self.K = seed[:32], seed[32:96], seed[96:]
        self.a = expand_a(rho)
        s1, s2 = expand_s(rho1, 0, L), expand_s(rho1, L, K)
        t = [plus(x, y) for x, y in zip(matrix_times(self.a, [ntt(s) for s in s1]), s2)]
        t0 = [[centred(x, 1 << D) for x in p] for p in t]
        t1 = [[(x - y) >> D for x, y in zip(p, p0)] for p, p0 in zip(t, t0)]
        self.public = rho + b"".join(pack(p, 10) for p in t1)
        self.tr = shake256(self.public, 64)
        self.s1, self.s2 = [ntt(s) for s in s1], [ntt(s) for s in s2]
        self.t0 = [ntt([x % Q for x in p]) for p in t0]

    def sign(self, message, context):  # Algorithms 2, 7; rnd is all zero
        mu = shake256(self.tr + bytes([0, len(context)]) + context + message, 64)
        seed, kappa = shake256(self.K + bytes(32) + mu, 64), 0
        while True:
            y = [mask(seed, kappa + i) for i in range(L)]
            kappa += L
            w = matrix_times(self.a, [ntt(p) for p in y])
            w1 = [[decompose(x)[0] for x in p] for p in w]
            c_hash = shake256(mu + b"".join(pack(p, W1_BITS) for p in w1), C_BYTES)
            c = ntt(ball(c_hash))
            z = [plus(p, inverse_ntt(times(c, s))) for p, s in zip(y, self.s1)]
            low = [minus(p, inverse_ntt(times(c, s))) for p, s in zip(w, self.s2)]
            r0 = max(abs(decompose(x)[1]) for p in low for x in p)
            if norm(z) >= GAMMA1 - BETA or r0 >= GAMMA2 - BETA:
                continue
            ct0 = [inverse_ntt(times(c, t)) for t in self.t0]
            hints = [[decompose(x)[0] != decompose((x + y) % Q)[0] for x, y in zip(p, q)]
                     for p, q in zip(low, ct0)]
            if norm(ct0) < GAMMA2 and sum(map(sum, hints)) <= OMEGA:
                break
        packed = [pack([GAMMA1 - centred(x, Q) for x in p], Z_BITS) for p in z]
        return c_hash + b"".join(packed) + pack_hints(hints)


def mask(seed, i):  # Algorithm 34
    bits = int.from_bytes(shake256(seed + i.to_bytes(2, "little"), N * Z_BITS // 8), "little")
    return [(GAMMA1 - (bits >> (Z_BITS * j) & (1 << Z_BITS) - 1)) % Q for j in range(N)]


def ball(seed):  # Algorithm 29
    stream, at, c = shake256(seed, 1024), 8, [0] * N
    signs = int.from_bytes(stream[:8], "little")
    for i in range(N - TAU, N):
        while stream[at] > i:
            at += 1
        j, at = stream[at], at + 1
        c[i], c[j] = c[j], Q - 1 if signs >> (i + TAU - N) & 1 else 1
    return c


def decompose(r):  # Algorithm 36
    r0 = centred(r, 2 * GAMMA2)
    return (0, r0 - 1) if r - r0 == Q - 1 else ((r - r0) // (2 * GAMMA2), r0)


def pack_hints(hints):  # Algorithm 20
    places, ends = [], []
    for p in hints:
        places += [i for i, bit in enumerate(p) if bit]
        ends.append(len(places))
    return bytes(places + [0] * (OMEGA - len(places)) + ends)


def unpack_hints(data):  # Algorithm 21; None where it is malformed
    hints, begin = [], 0
    for end in data[OMEGA:]:
        places = data[begin:end]
        if end < begin or end > OMEGA or any(a >= b for a, b in zip(places, places[1:])):
            return None
        hints.append([i in places for i in range(N)])
        begin = end
    return hints if not any(data[begin:OMEGA]) else None


def unpack(data, bits):
    total = int.from_bytes(data, "little")
    return [total >> (bits * i) & (1 << bits) - 1 for i in range(len(data) * 8 // bits)]


def use_hint(hint, r):  # Algorithm 40
    m, (r1, r0) = (Q - 1) // (2 * GAMMA2), decompose(r)
    return r1 if not hint else (r1 + (1 if r0 > 0 else -1)) % m


def verify(public, message, context, signature):  # Algorithms 3, 8
    z_bytes, t_bytes = N * Z_BITS // 8, N * 10 // 8
    if len(public) != 32 + K * t_bytes or len(signature) != C_BYTES + L * z_bytes + OMEGA + K or len(context) > 255:
        return False
    c_hash, packed = signature[:C_BYTES], signature[C_BYTES:]
    z = [[(GAMMA1 - x) % Q for x in unpack(packed[i * z_bytes:(i + 1) * z_bytes], Z_BITS)] for i in range(L)]
    hints = unpack_hints(packed[L * z_bytes:])
    if hints is None or norm(z) >= GAMMA1 - BETA:
        return False
    t1 = [unpack(public[32 + i * t_bytes:32 + (i + 1) * t_bytes], 10) for i in range(K)]
    mu = shake256(shake256(public, 64) + bytes([0, len(context)]) + context + message, 64)
    c = ntt(ball(c_hash))
    az = matrix_times(expand_a(public[:32]), [ntt(p) for p in z])
    ct = [inverse_ntt(times(c, ntt([x << D for x in p]))) for p in t1]
    w1 = [[use_hint(h, x) for h, x in zip(hint, minus(p, q))] for hint, p, q in zip(hints, az, ct)]
    return c_hash == shake256(mu + b"".join(pack(p, W1_BITS) for p in w1), C_BYTES)
