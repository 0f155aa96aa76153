#!/usr/bin/env python3
"""Makes tests/vectors/encodings.json: tuples, CBOR, JSON and text forms at their edges."""
import base64

from forms import H, LIST, TUP, cbor, u, write


def run(byte, count):
    """A long field, and how the vectors write it."""
    return bytes([byte]) * count, {"byte": "%02x" % byte, "count": str(count)}


def plain(x):
    return x, {"byte": x.hex(), "count": "1"}


# --- tuples --------------------------------------------------------------------------------------

def tuple_case(why, label, *fields):
    wire = TUP(label, *[x for x, _ in fields])
    return {"why": why, "label": label, "fields": [shown for _, shown in fields], "length": str(len(wire)),
            "sha256": H(wire).hex(), **({"wire": wire.hex()} if len(wire) <= 128 else {})}


def tuples():
    yield tuple_case("no field", "ed25519")
    yield tuple_case("one empty field", "ed25519", plain(b""))
    yield tuple_case("two empty fields", "ed25519", plain(b""), plain(b""))
    yield tuple_case("integers of each width", "t", plain(u(8, 1)), plain(u(16, 1)), plain(u(32, 1)), plain(u(64, 1)))
    yield tuple_case("the largest integers", "t", *[plain(u(n, (1 << n) - 1)) for n in (8, 16, 32, 64)])
    yield tuple_case("bytes that look like a length", "t", plain(u(32, 1)), plain(b"\0"))
    yield tuple_case("ab, c", "t", plain(b"ab"), plain(b"c"))
    yield tuple_case("a, bc", "t", plain(b"a"), plain(b"bc"))
    yield tuple_case("abc", "t", plain(b"abc"))
    yield tuple_case("abc with an empty field behind it", "t", plain(b"abc"), plain(b""))
    yield tuple_case("a long label", "a" * 64, plain(b"x"))
    for n in (255, 256, 65535, 65536, 65537):
        yield tuple_case("a field of %d bytes" % n, "t", run(0x61, n))
    yield tuple_case("255 fields", "t", *[plain(u(8, i)) for i in range(255)])


def list_case(why, items, times=1):
    """The items, so many times over, as the one field of a tuple."""
    wire = TUP("t", LIST(*[x for x, _ in items] * times))
    return {"why": why, "items": [shown for _, shown in items], "times": str(times), "length": str(len(wire)),
            "sha256": H(wire).hex(), **({"wire": wire.hex()} if len(wire) <= 128 else {})}


def lists():
    yield list_case("no item", [])
    yield list_case("one empty item", [plain(b"")])
    yield list_case("three items", [plain(b"a"), plain(b""), plain(b"bc")])
    yield list_case("an item of 65536 bytes", [run(0x62, 65536)])
    for n in (255, 256, 65535):
        yield list_case("%d items" % n, [plain(b"x")], n)


# --- CBOR ----------------------------------------------------------------------------------------

def shown(x):
    if x is None:
        return {"type": "null"}
    if isinstance(x, bool):
        return {"type": "bool", "value": "yes" if x else ""}
    if isinstance(x, int):
        return {"type": "int", "value": str(x)}
    if isinstance(x, bytes):
        return {"type": "bytes", "byte": x[:1].hex(), "count": str(len(x))} if len(x) > 64 else \
            {"type": "bytes", "byte": x.hex(), "count": "1"}
    if isinstance(x, str):
        return {"type": "text", "byte": x[:1].encode().hex(), "count": str(len(x))} if len(x) > 64 else \
            {"type": "text", "byte": x.encode().hex(), "count": "1"}
    if isinstance(x, list):
        return {"type": "array", "items": [shown(y) for y in x]}
    return {"type": "map", "pairs": [{"key": shown(k), "value": shown(v)}
                                     for k, v in sorted(x.items(), key=lambda pair: cbor(pair[0]))]}


def cbor_case(why, x):
    wire = cbor(x)
    return {"why": why, "item": shown(x), "length": str(len(wire)), "sha256": H(wire).hex(),
            **({"wire": wire.hex()} if len(wire) <= 128 else {})}


def cbor_good():
    for bits in (0, 5, 8, 16, 31, 32, 53, 63, 64):
        for v in sorted({(1 << bits) - 1, 1 << bits} - {1 << 64}):
            yield cbor_case("the integer %d" % v, v)
    for v in (23, 24):
        yield cbor_case("the integer %d" % v, v)
    for v in (-1, -24, -25, -256, -257, -65536, -65537, -(1 << 32), -(1 << 32) - 1, -19, -50):
        yield cbor_case("the integer %d" % v, v)
    for n in (0, 1, 23, 24, 64, 255, 256, 65535, 65536):
        yield cbor_case("%d bytes" % n, b"\x5a" * n)
        yield cbor_case("%d characters" % n, "z" * n)
    yield cbor_case("the first and the last printable character", " ~")
    for n in (0, 1, 23, 24):
        yield cbor_case("an array of %d" % n, [0] * n)
        yield cbor_case("a map of %d" % n, {"%02d" % i: i for i in range(n)})
    yield cbor_case("true, false and null", [True, False, None])
    yield cbor_case("shorter keys first, then bytewise", {"b": 1, "a": 2, "aa": 3, "": 4, "B": 5, "Z": 6, "ab": 7})
    yield cbor_case("integer keys before text ones", {"hsig": [-19, -50], 2: ["hsig"], 16: "application/x+cose", -1: 0})
    yield cbor_case("a key of 23 characters before one of 24", {"a" * 24: 1, "b" * 23: 2})
    yield cbor_case("six deep", [[[[[0]]]]])
    yield cbor_case("six deep, in maps", {"a": {"a": {"a": {"a": {"a": 1}}}}})


def cbor_bad():
    for why, hex, error in [
            ("23 in two bytes", "1817", "CANONICAL"), ("255 in three", "1900ff", "CANONICAL"),
            ("65535 in five", "1a0000ffff", "CANONICAL"), ("2^32 - 1 in nine", "1b00000000ffffffff", "CANONICAL"),
            ("-1 in two", "3800", "CANONICAL"), ("a length of 1 in two", "580161", "CANONICAL"),
            ("a count of 1 in two", "980100", "CANONICAL"), ("a tag of 2 in two", "d80200", "CANONICAL"),
            ("bytes of no stated length", "5f4161ff", "CANONICAL"), ("text of no stated length", "7f6161ff", "CANONICAL"),
            ("an array of no stated length", "9f01ff", "CANONICAL"), ("a map of no stated length", "bf616101ff", "CANONICAL"),
            ("a reserved head, 28", "1c", "CANONICAL"), ("a reserved head, 29", "1d", "CANONICAL"),
            ("a reserved head, 30", "1e", "CANONICAL"), ("an end without a beginning", "ff", "SCHEMA"),
            ("keys in falling order", "a2616201616102", "CANONICAL"), ("a longer key first", "a262616101616202", "CANONICAL"),
            ("a key twice", "a2616101616102", "CANONICAL"), ("a text key before an integer", "a26161010102", "CANONICAL"),
            ("an integer key twice", "a201010102", "CANONICAL"), ("keys in falling order, further in", "81a2616201616102", "CANONICAL"),
            ("half of a float", "f90000", "SCHEMA"), ("a float", "fa47c35000", "SCHEMA"),
            ("a long float", "fb3ff199999999999a", "SCHEMA"), ("undefined", "f7", "SCHEMA"),
            ("a simple value", "e0", "SCHEMA"), ("a simple value in two bytes", "f8ff", "SCHEMA"),
            ("false in two bytes", "f814", "SCHEMA"), ("DEL in a text", "617f", "SYNTAX"), ("a line feed in a text", "610a", "SYNTAX"),
            ("an umlaut in a text", "62c3bc", "SYNTAX"), ("a text that is not UTF-8", "61ff", "SYNTAX"),
            ("seven deep", "81818181818100", "TOO_LARGE"), ("seven deep, a tag counting", "d86281818181d8628100", "TOO_LARGE"),
            ("seven deep, in maps", "a16161a16161a16161a16161a16161a1616100", "TOO_LARGE"),
            ("bytes that end early", "4361", "SHORT"), ("more bytes than there can be", "5bffffffffffffffff", "SHORT"),
            ("an array that ends early", "8200", "SHORT"), ("an array of more than there can be", "9bffffffffffffffff", "SHORT"),
            ("a map without its last value", "a26161016162", "SHORT"), ("a map of more than there can be", "bbffffffffffffffff", "SHORT"),
            ("a tag of nothing", "d862", "SHORT"), ("an integer that ends early", "1901", "SHORT"),
            ("nothing", "", "SHORT"), ("a second item", "0000", "EXTRA")]:
        yield {"why": why, "error": error, "wire": hex}


# --- JSON ----------------------------------------------------------------------------------------

def json_good():
    """Documents, and the CBOR of the same data."""
    for why, text, x in [
            ("members in any order", '{"b":1,"a":{"d":[true,false,"x"],"c":0}}', {"b": 1, "a": {"d": [True, False, "x"], "c": 0}}),
            ("white space between all tokens", ' \t\r\n{ \t"a"\r:\n[ 1 , 2 ] }\n', {"a": [1, 2]}),
            ("nothing inside", '[{},[],""]', [{}, [], ""]),
            ("the largest number", "[9007199254740991,0]", [2**53 - 1, 0]),
            ("four deep", "[[[[1]]]]", [[[[1]]]]),
            ("four deep, in objects", '{"a":{"a":{"a":{"a":1}}}}', {"a": {"a": {"a": {"a": 1}}}}),
            ("each character that may be", '"%s"' % "".join(chr(c) for c in range(32, 127) if chr(c) not in '"\\'),
             "".join(chr(c) for c in range(32, 127) if chr(c) not in '"\\')),
            ("what looks like JSON in a text", '{"a":"}],:{["}', {"a": "}],:{["}),
            ("a solidus", '"a/b"', "a/b")]:
        yield {"why": why, "json": text, "cbor": cbor(x).hex()}


def json_bad():
    for why, text, error in [
            ("a member twice", '{"a":1,"a":1}', "SCHEMA"), ("a member twice, further in", '[{"a":1,"b":2,"a":1}]', "SCHEMA"),
            ("a leading zero", "[01]", "CANONICAL"), ("minus", "[-1]", "SYNTAX"), ("minus zero", "[-0]", "SYNTAX"),
            ("plus", "[+1]", "SYNTAX"), ("a fraction", "[1.0]", "SYNTAX"), ("an exponent", "[1e3]", "SYNTAX"),
            ("2^53", "[9007199254740992]", "TOO_LARGE"), ("2^64", "[18446744073709551616]", "TOO_LARGE"),
            ("null", "[null]", "SYNTAX"), ("NaN", "[NaN]", "SYNTAX"), ("a word in capitals", "[True]", "SYNTAX"),
            ("a word and more", "[truey]", "SYNTAX"),
            ("a word mistyped", "[trux]", "SYNTAX"), ("another word mistyped", "[falsy]", "SYNTAX"), ("a word cut", "[fals]", "SYNTAX"), ("an escape", '"a\\n"', "SYNTAX"), ("a needless escape", '"a\\/b"', "SYNTAX"),
            ("an escaped character", '"\\u0061"', "SYNTAX"), ("an escape in a name", '{"\\u0061":1}', "SYNTAX"),
            ("an umlaut", '"\u00fc"', "SYNTAX"), ("DEL", '"\x7f"', "SYNTAX"), ("a tab in a text", '"\t"', "SYNTAX"),
            ("a byte order mark", '\ufeff{}', "SYNTAX"), ("a comma behind the last", "[1,]", "SYNTAX"),
            ("a comma behind the last member", '{"a":1,}', "SYNTAX"), ("a comma before the first", "[,1]", "SYNTAX"),
            ("two commas", "[1,,2]", "SYNTAX"), ("no comma", "[1 2]", "SYNTAX"), ("no colon", '{"a" 1}', "SYNTAX"),
            ("a number for a name", "{1:1}", "SYNTAX"), ("a remark", "[1/* */]", "SYNTAX"), ("single quotes", "['a']", "SYNTAX"),
            ("the other bracket", "[1}", "SYNTAX"), ("five deep", "[[[[[1]]]]]", "TOO_LARGE"),
            ("five deep, in objects", '{"a":{"a":{"a":{"a":{}}}}}', "TOO_LARGE"),
            ("a vertical tab between tokens", "[1,\x0b2]", "SYNTAX"), ("no end", "[1", "SHORT"), ("no end of a text", '["a', "SHORT"),
            ("nothing", "", "SHORT"), ("white space alone", " \n", "SHORT"), ("a second value", "[][]", "EXTRA")]:
        yield {"why": why, "error": error, "json": text}


# --- text forms ----------------------------------------------------------------------------------

def text_forms():
    write_as = {"hex": bytes.hex, "base64": lambda b: base64.b64encode(b).decode(),
                "base64url": lambda b: base64.urlsafe_b64encode(b).decode().rstrip("="),
                "base32": lambda b: base64.b32encode(b).decode().lower().rstrip("=")}
    samples = [b"foobar"[:n] for n in range(7)] + [b"\xfb\xff\xbf\xfe", bytes(range(256))]
    for form, spell in write_as.items():
        for b in samples:
            yield {"form": form, "bytes": b.hex(), "text": spell(b)}


def text_forms_bad():
    """bytes: how many the reader expects, where the form is read so."""
    for form, why, text, n, error in [
            ("hex", "upper case", "6A", 1, "SYNTAX"), ("hex", "no digit", "6g", 1, "SYNTAX"), ("hex", "half a byte", "6", 1, "SHORT"),
            ("hex", "a byte more", "6a6a", 1, "EXTRA"), ("hex", "a blank", "6 ", 1, "SYNTAX"),
            ("base32", "upper case", "MZXW6", 3, "SYNTAX"), ("base32", "a digit it lacks", "mzxw1", 3, "SYNTAX"),
            ("base32", "padding", "mzxw6===", 3, "EXTRA"), ("base32", "unused bits", "mzxw7", 3, "CANONICAL"),
            ("base32", "a character less", "mzxw", 3, "SHORT"), ("base32", "a blank", "mzx 6", 3, "SYNTAX"),
            ("base64", "no padding", "Zg", 9, "SYNTAX"), ("base64", "padding too little", "Zg=", 9, "SYNTAX"),
            ("base64", "padding too much", "Zg===", 9, "SYNTAX"), ("base64", "padding in the middle", "Zg==Zg==", 9, "SYNTAX"),
            ("base64", "padding alone", "====", 9, "SYNTAX"), ("base64", "three characters of padding", "Z===", 9, "SYNTAX"),
            ("base64", "padding without need", "Zm9v====", 9, "SYNTAX"), ("base64", "unused bits of two", "Zh==", 9, "CANONICAL"),
            ("base64", "unused bits of three", "Zm9=", 9, "CANONICAL"), ("base64", "the other alphabet", "-_-_", 9, "SYNTAX"),
            ("base64", "a line feed", "Zm9v\n", 9, "SYNTAX"), ("base64", "a line feed inside", "Zm9\nZm8=", 9, "SYNTAX"),
            ("base64", "a blank", "Zm9 ", 9, "SYNTAX"), ("base64", "one character", "Z", 9, "SYNTAX"),
            ("base64url", "padding", "Zg==", 9, "SYNTAX"), ("base64url", "one character", "Z", 9, "SYNTAX"),
            ("base64url", "five characters", "Zm9vZ", 9, "SYNTAX"), ("base64url", "unused bits of two", "Zh", 9, "CANONICAL"),
            ("base64url", "unused bits of three", "Zm9", 9, "CANONICAL"), ("base64url", "the other alphabet", "+/+/", 9, "SYNTAX")]:
        yield {"form": form, "why": why, "bytes": str(n), "text": text, "error": error}


write("encodings", {
    "note": "A long field, byte string or text is `byte` (in hex) `count` times over; where the whole is longer than 128 "
            "bytes it is told by length and SHA-256. The items of a list are `items`, `times` over. bad: items, documents "
            "and texts that must be refused. Made by make/encodings.py.",
    "tuples": list(tuples()), "lists": list(lists()),
    "cbor": list(cbor_good()), "cbor_bad": list(cbor_bad()),
    "json": list(json_good()), "json_bad": list(json_bad()),
    "texts": list(text_forms()), "texts_bad": list(text_forms_bad()),
})
