"""HTTP/2 by hand: frames are packed here, header lists are written without any compression, so that
a test can send what no library would.  Only Huffman codes and the dynamic table of what a server
sends are read by a library."""
import ctypes

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED = 0x1, 0x1, 0x4, 0x8


def frame(type, flags=0, stream=0, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([type, flags]) + stream.to_bytes(4, "big") + payload


def integer(value, bits, first=0):
    """RFC 7541, 5.1."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out = [first | most]
    value -= most
    while value >= 128:
        out.append(value % 128 | 128)
        value //= 128
    return bytes(out + [value])


def text(value):
    value = value.encode("latin-1") if isinstance(value, str) else value
    return integer(len(value), 7) + value


def block(fields):
    """A header block of literals that are never indexed (RFC 7541, 6.2.3)."""
    return b"".join(b"\x10" + text(name) + text(value) for name, value in fields)


def settings(pairs):
    return b"".join(key.to_bytes(2, "big") + value.to_bytes(4, "big") for key, value in pairs)


def head(stream, fields, end, piece=16384):
    """HEADERS and as many CONTINUATIONs as that piece size needs."""
    whole = block(fields)
    pieces = [whole[i:i + piece] for i in range(0, len(whole), piece)] or [b""]
    out = b""
    for i, part in enumerate(pieces):
        flags = (END_STREAM if end and i == 0 else 0) | (END_HEADERS if i == len(pieces) - 1 else 0)
        out += frame(CONTINUATION if i else HEADERS, flags, stream, part)
    return out


class _Pair(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("value", ctypes.c_void_p), ("name_len", ctypes.c_size_t),
                ("value_len", ctypes.c_size_t), ("flags", ctypes.c_uint8)]


_nghttp2 = ctypes.CDLL("libnghttp2.so.14")
_nghttp2.nghttp2_hd_inflate_hd2.restype = ctypes.c_ssize_t
_nghttp2.nghttp2_hd_inflate_hd2.argtypes = [ctypes.c_void_p, ctypes.POINTER(_Pair), ctypes.POINTER(ctypes.c_int),
                                            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]


class Inflater:
    """Reads the header blocks of one connection, in order."""

    def __init__(self):
        self.at = ctypes.c_void_p()
        assert _nghttp2.nghttp2_hd_inflate_new(ctypes.byref(self.at)) == 0

    def __del__(self):
        _nghttp2.nghttp2_hd_inflate_del(self.at)

    def read(self, whole):
        fields, pair, flags = [], _Pair(), ctypes.c_int()
        while True:
            used = _nghttp2.nghttp2_hd_inflate_hd2(self.at, pair, flags, whole, len(whole), 1)
            assert used >= 0, "the server's header block is broken"
            whole = whole[used:]
            if flags.value & 2:
                fields.append(tuple(ctypes.string_at(at, n).decode("latin-1") for at, n in
                                    ((pair.name, pair.name_len), (pair.value, pair.value_len))))
            if flags.value & 1:
                _nghttp2.nghttp2_hd_inflate_end_headers(self.at)
                return fields
            assert used or flags.value
