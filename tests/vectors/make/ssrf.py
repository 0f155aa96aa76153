#!/usr/bin/env python3
"""Makes tests/vectors/ssrf.json: which addresses a record's target may have, first and last of each
block of docs/protocol/record.md, "Targets", and their neighbours."""
import ipaddress
import socket

from forms import write

V4 = ["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
      "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"]
v4 = [ipaddress.ip_network(n) for n in V4]


def public4(a):
    return not any(a in n for n in v4)


def edges(network):
    first, last = int(network[0]), int(network[-1])
    top = 2 ** network.max_prefixlen - 1
    return [network[0].__class__(i) for i in (first - 1, first, (first + last) // 2, last, last + 1) if 0 <= i <= top]


def wrap(prefix, a, shift=0):
    return ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | int(a) << shift)


rows = []


def add(address, is_public, why):
    # The C library's spelling: Python's own changed with 3.13.
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    rows.append({"address": socket.inet_ntop(family, address.packed), "bytes": address.packed.hex(), "public": "yes" if is_public else "", "why": why})


for n in v4:
    for a in edges(n):
        add(a, public4(a), str(n) if a in n else "beside " + str(n))
for a in ("8.8.8.8", "1.1.1.1", "93.184.216.34", "192.0.1.1"):
    add(ipaddress.IPv4Address(a), True, "somebody's")
wrapped = [(ipaddress.IPv4Address(a), a) for a in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "100.64.0.1", "8.8.8.8", "93.184.216.34")]
for a, t in wrapped:
    add(wrap("::ffff:0:0", a), public4(a), "mapped " + t)
    add(wrap("64:ff9b::", a), public4(a), "NAT64 of " + t)
    add(wrap("2002::", a, 80), public4(a), "6to4 of " + t)
    client = ipaddress.IPv4Address(~int(a) & 0xffffffff)
    good = int(ipaddress.IPv4Address("65.54.227.120"))
    add(ipaddress.IPv6Address(0x20010000 << 96 | good << 64 | int(client)), public4(a), "Teredo client " + t)
    add(ipaddress.IPv6Address(0x20010000 << 96 | int(a) << 64 | (~good & 0xffffffff)), public4(a), "Teredo server " + t)
for a, ok, why in [
    ("::", False, "unspecified"), ("::1", False, "loopback"), ("::7f00:1", False, "IPv4-compatible"), ("::808:808", False, "IPv4-compatible"),
    ("::fffe:8.8.8.8", False, "beside mapped"), ("64:ff9b:1::808:808", False, "local NAT64"), ("64:ff9b:0:0:0:1:808:808", False, "beside NAT64"),
    ("100::1", False, "discard"), ("1fff:ffff::1", False, "below 2000::/3"), ("2000::1", True, "global unicast"),
    ("2001:1ff:ffff::1", False, "2001::/23"), ("2001:2::1", False, "benchmarks"), ("2001:10::1", False, "ORCHID"), ("2001:200::1", True, "behind 2001::/23"),
    ("2001:db7:ffff::1", True, "below documentation"), ("2001:db8::1", False, "documentation"), ("2001:db8:ffff::1", False, "documentation"),
    ("2001:db9::1", True, "behind documentation"), ("2003::1", True, "behind 6to4"), ("2606:4700:4700::1111", True, "somebody's"),
    ("2a00:1450:4001::200e", True, "somebody's"), ("3ffe::1", True, "below documentation"), ("3fff::1", False, "documentation"),
    ("3fff:fff:ffff::1", False, "documentation"), ("3fff:1000::1", True, "behind documentation"), ("4000::1", False, "behind 2000::/3"),
    ("5f00::1", False, "SRv6"), ("fbff::1", False, "unassigned"), ("fc00::1", False, "unique local"), ("fd00:ec2::254", False, "unique local"),
    ("fe80::1", False, "link-local"), ("fec0::1", False, "site-local"), ("ff02::1", False, "multicast"), ("ffff::1", False, "multicast")]:
    add(ipaddress.IPv6Address(a), ok, why)

hosts = [("backend.example.net", True), ("a", True), ("localhost", True), ("xn--bcher-kva.example", True), ("1a.example", True), ("a.1b", True)]
hosts += [(h, False) for h in ("", ".", "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "[::1]", "::1", "1.2.3.4.", "a.example.",
                               "a..example", "-a.example", "a-.example", "A.example", "a_b.example", "a b", "a/b", "a:80", "user@a", "a.example.1",
                               "a.0x1f", "\x7f", "a" * 64, ("a" * 49 + ".") * 5 + "comm")]
write("ssrf", {
    "note": "Targets of records. Addresses in network order; public: a gateway may connect there. Made by make/ssrf.py.",
    "addresses": rows,
    "hosts": [{"host": h.encode().hex(), "ok": "yes" if ok else ""} for h, ok in hosts],
})
