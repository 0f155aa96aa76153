#!/usr/bin/env python3
"""A small HTTP service behind an httpcg gateway, and what such a service has to check.

    backend.py --secret FILE [--listen HOST:PORT | --listen unix:PATH] [--log FILE]

The gateway has verified the caller. It says who that is in X-HttpCG-* fields, and signs them with
method, URL and body digest (RFC 9421, hmac-sha256) under a secret that it shares with this service:
64 hexadecimal digits in FILE, the same as `secret:` of the route. A request without that signature
did not come through the gateway and is answered 401, whatever it says about itself.

To protect a service of your own, take the class Gate. Python 3's standard library is all it needs.

    GET  /                 hello, and who asks
    GET  /whoami           what the gateway says about the caller, as JSON
    POST /echo             the body again, with its type
    POST /upload           counts the body's bytes and their SHA-256, as JSON
    GET  /download?bytes=N N bytes, as fast as they are taken
    GET  /slow?seconds=N   answers late
    GET  /sse?events=N     an event stream, one a second, or ?interval=SECONDS
    GET  /status/N         answers with that status
"""

import argparse
import base64
import hashlib
import hmac
import http.server
import json
import os
import re
import socket
import socketserver
import sys
import threading
import time
import urllib.parse


class Refused(Exception):
    """Why a request is not the gateway's. For the log: whoever asks is told nothing."""


class Gate:
    """Verifies the gateway's signature (RFC 9421, sections 2.5 and 3.2)."""

    TAG = "httpcg-gw"
    SKEW_S = 5  # how far two clocks of one operator may be apart
    LIFE_MAX_S = 300  # nonces are kept as long as a signature may live
    SEEN_MAX = 1_000_000

    # httpcg=("@method" "@target-uri" ...);created=1;expires=2;nonce="...";keyid="...";alg="...";tag="..."
    INPUT = re.compile(r'httpcg=(\((?:"[a-z0-9@-]+"(?: "[a-z0-9@-]+")*)?\)((?:;[a-z]+=(?:\d{1,15}|"[ !#-\[\]-~]*"))*))')
    PARAM = re.compile(r';([a-z]+)=(?:(\d+)|"([^"]*)")')
    SIGNATURE = re.compile(r"httpcg=:([A-Za-z0-9+/]+={0,2}):")

    def __init__(self, secret, key_id="gateway", clock=time.time):
        self.secret, self.key_id, self.clock = secret, key_id, clock
        self.lock = threading.Lock()
        self.seen = {}  # nonce -> when it is forgotten

    def check(self, method, target_uri, fields):
        """Verifies a request's head; fields are its (name, value) pairs. Gives what the gateway
        says about it, by lower-case name without "x-httpcg-".

        The body is vouched for by Content-Digest, which check_body compares; a request whose
        signature comes behind its body has none, and then x-httpcg-auth says "body=trailer" (it is
        not ended before it verified) or "body=stream"."""
        lines = {}
        for name, value in fields:
            lines.setdefault(name.lower(), []).append(value.strip(" \t"))
        values = {name: ", ".join(those) for name, those in lines.items()}

        covered, params, tag = self._read(values)
        ours = [name for name in values if name.startswith("x-httpcg-")]
        if any(len(lines[name]) != 1 for name in ours):
            raise Refused("a field of the gateway's stands there twice")
        for name in ["@method", "@target-uri", *ours, *(n for n in ["content-digest"] if n in values)]:
            if name not in covered:
                raise Refused(f"{name} is not signed")

        derived = {"@method": method, "@target-uri": target_uri}
        base = ""
        for name in covered:
            value = derived.get(name, values.get(name))
            if value is None:
                raise Refused(f"{name} is signed and missing")
            base += f'"{name}": {value}\n'
        base += f'"@signature-params": {params}'
        if not hmac.compare_digest(tag, hmac.digest(self.secret, base.encode("latin-1"), "sha256")):
            raise Refused("the signature is wrong")

        # Only now: a nonce is worth keeping when the gateway has made it.
        self._check_moment(params)
        return {name[len("x-httpcg-") :]: values[name] for name in ours}

    def check_body(self, fields, digest):
        """Compares a whole body's SHA-256 with the Content-Digest that the gateway has signed."""
        for name, value in fields:
            if name.lower() != "content-digest":
                continue
            for member in value.split(","):
                if member.strip() == f"sha-256=:{base64.b64encode(digest).decode()}:":
                    return
            raise Refused("the body is not the one that was signed")

    def _read(self, values):
        found = self.INPUT.fullmatch(values.get("signature-input", ""))
        signature = self.SIGNATURE.fullmatch(values.get("signature", ""))
        if not found or not signature:
            raise Refused("there is no signature of a gateway's")
        covered = re.findall(r'"([^"]+)"', found[1][: found[1].index(")")])
        if len(set(covered)) != len(covered):
            raise Refused("a component is signed twice")
        return covered, found[1], base64.b64decode(signature[1] + "==")

    def _check_moment(self, params):
        pairs = self.PARAM.findall(params[params.index(")") :])
        given = {name: int(number) if number else text for name, number, text in pairs}
        if len(given) != len(pairs):
            raise Refused("a parameter stands there twice")
        wanted = {"tag": self.TAG, "alg": "hmac-sha256", "keyid": self.key_id}
        if any(given.get(name) != value for name, value in wanted.items()):
            raise Refused("the signature is for another purpose, or made with another key")
        now, created, expires, nonce = self.clock(), given.get("created"), given.get("expires"), given.get("nonce")
        if not isinstance(created, int) or not isinstance(expires, int) or not isinstance(nonce, str):
            raise Refused("created, expires or nonce is missing")
        if created > now + self.SKEW_S or expires <= now - self.SKEW_S or expires - created > self.LIFE_MAX_S:
            raise Refused("the signature is too old, or from the future")
        with self.lock:
            if len(self.seen) >= self.SEEN_MAX:
                self.seen = {n: until for n, until in self.seen.items() if until > now}
            if nonce in self.seen or len(self.seen) >= self.SEEN_MAX:
                raise Refused("the signature was used before")
            self.seen[nonce] = expires + self.SKEW_S + 1


class Cut(Exception):
    """The body ended before its end."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "httpcg-example"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024  # a head and a small body leave in one segment
    timeout = 300
    BODY_MAX_BYTES = 16 << 20  # of what is kept; /upload keeps nothing

    # --- the life of a request ---------------------------------------------------------------

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError, Cut):
            self.close_connection = True

    def respond(self):
        self.fields = [(name, value) for name, value in self.headers.items()]
        self.counted, self.hash, self.ended, self.status, self.why = 0, hashlib.sha256(), False, 0, ""
        self.pieces = self.read_body()
        self.caller = {}
        try:
            self.caller = self.server.gate.check(self.command, self.target_uri(), self.fields)
            self.route()
        except Refused as refused:
            self.why = str(refused)
            self.close_connection = True  # what may follow is nobody's either
            self.answer(401, "This service answers its gateway only.\n")
        except Cut:
            self.why = "the body was cut off"
            raise
        finally:
            self.note()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = respond

    def target_uri(self):
        return f"http://{self.headers.get('Host', '')}{self.path}"

    def route(self):
        path, _, query = self.path.partition("?")
        query = dict(urllib.parse.parse_qsl(query))
        page = {
            "/": self.hello,
            "/whoami": self.whoami,
            "/echo": self.echo,
            "/upload": self.upload,
            "/download": self.download,
            "/slow": self.slow,
            "/sse": self.sse,
        }.get(path)
        try:
            if page:
                page(query)
            elif re.fullmatch(r"/status/[2-5]\d\d", path):
                self.read_all()
                self.answer(int(path[-3:]), f"{path[-3:]}\n")
            else:
                self.read_all()
                self.answer(404, "There is no such page.\n")
        except ValueError as error:
            self.answer(400, f"{error}\n")

    # --- pages -------------------------------------------------------------------------------

    def hello(self, _query):
        self.read_all()
        wallet = self.caller.get("wallet-address")
        who = f"Your wallet {wallet} was verified" if wallet else "You did not say who you are"
        self.answer(200, f"Hello from behind the gateway. {who} ({self.caller.get('auth', 'none')}).\n")

    def whoami(self, _query):
        self.read_all()
        self.answer_json(200, self.caller)

    def echo(self, _query):
        body = self.read_all()
        self.answer(200, body, self.headers.get("Content-Type", "application/octet-stream"))

    def upload(self, _query):
        for _ in self.pieces:
            pass
        self.server.gate.check_body(self.fields, self.hash.digest())
        self.answer_json(200, {"bytes": self.counted, "sha256": self.hash.hexdigest()})

    def download(self, query):
        self.read_all()
        left = number(query, "bytes", 1024, 1 << 40)
        self.begin(200, "application/octet-stream", [("Content-Length", str(left))])
        block = bytes(range(256)) * 256
        while left > 0 and self.command != "HEAD":
            left -= self.wfile.write(block if left >= len(block) else block[:left])

    def slow(self, query):
        self.read_all()
        time.sleep(number(query, "seconds", 5, 3600))
        self.answer(200, "At last.\n")

    def sse(self, query):
        self.read_all()
        interval = float(query.get("interval", "1"))
        self.begin(200, "text/event-stream", [("Transfer-Encoding", "chunked"), ("Cache-Control", "no-store")])
        for n in range(1, number(query, "events", 3, 100_000) + 1):
            self.chunk(f"id: {n}\ndata: event {n}\n\n".encode())
            if n < int(query.get("events", 3)):
                time.sleep(min(interval, 3600))
        self.chunk(b"")

    # --- bodies ------------------------------------------------------------------------------

    def read_body(self):
        """Gives the body in pieces; raises Cut where it ends before its end."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            pieces = self.read_chunks()
        else:
            pieces = self.read_length(int(self.headers.get("Content-Length") or 0))
        for piece in pieces:
            self.counted += len(piece)
            self.hash.update(piece)
            yield piece
        self.ended = True

    def read_length(self, left):
        while left > 0:
            piece = self.rfile.read1(min(left, 65536))
            if not piece:
                raise Cut
            left -= len(piece)
            yield piece

    def read_chunks(self):
        while True:
            line = self.rfile.readline(4096)
            if not line.endswith(b"\n"):
                raise Cut
            size = int(line.split(b";")[0], 16)
            if size == 0:
                break
            yield from self.read_length(size)
            if self.rfile.readline(3) != b"\r\n":
                raise Cut
        while (line := self.rfile.readline(65536)) != b"\r\n":
            if not line.endswith(b"\n"):
                raise Cut

    def read_all(self):
        body = bytearray()
        for piece in self.pieces:
            body += piece
            if len(body) > self.BODY_MAX_BYTES:
                self.close_connection = True
                raise ValueError("That is too much for this page; /upload takes any size.")
        self.server.gate.check_body(self.fields, self.hash.digest())
        return bytes(body)

    # --- answers -----------------------------------------------------------------------------

    def begin(self, status, kind, more=()):
        self.status = status
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in more:
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def answer(self, status, body, kind="text/plain; charset=utf-8"):
        body = body.encode() if isinstance(body, str) else body
        if status in (204, 304):
            self.begin(status, kind)
            return
        self.begin(status, kind, [("Content-Length", str(len(body)))])
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_json(self, status, value):
        self.answer(status, json.dumps(value, indent=2) + "\n", "application/json")

    def chunk(self, piece):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.flush()

    # --- the log -----------------------------------------------------------------------------

    def note(self):
        self.server.note(
            time=round(time.time(), 3),
            method=self.command,
            target=self.path,
            status=self.status,
            refused=self.why,
            fields=self.fields,
            bytes=self.counted,
            ended=self.ended,
            sha256=self.hash.hexdigest(),
        )

    def log_message(self, *_):
        pass


def number(query, name, default, limit):
    text = query.get(name, str(default))
    if not re.fullmatch(r"\d{1,15}", text) or int(text) > limit:
        raise ValueError(f"{name} is a number from 0 to {limit}.")
    return int(text)


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 512

    def __init__(self, listen, gate, log):
        self.gate, self.log, self.log_lock = gate, log, threading.Lock()
        if listen.startswith("unix:"):
            self.address_family, address = socket.AF_UNIX, listen[5:]
            self.allow_reuse_address = False
        else:
            host, _, port = listen.rpartition(":")
            self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
            address = (host.strip("[]"), int(port))
        super().__init__(address, Handler)

    def get_request(self):
        connection, address = super().get_request()
        if self.address_family == socket.AF_UNIX:
            Handler.disable_nagle_algorithm = False  # there is none
        return connection, address

    def handle_error(self, _request, _address):
        self.note(time=round(time.time(), 3), error=repr(sys.exc_info()[1]))

    def note(self, **line):
        if self.log:
            with self.log_lock:
                self.log.write(json.dumps(line) + "\n")


def read_secret(path):
    with open(path, encoding="ascii") as file:
        text = file.read().strip()
    if not re.fullmatch("[0-9a-f]{64}", text):
        sys.exit(f"{path} does not hold 64 hexadecimal digits; openssl rand -hex 32 makes some")
    return bytes.fromhex(text)


def main():
    parser = argparse.ArgumentParser(description="An example service behind an httpcg gateway.")
    parser.add_argument("--secret", required=True, help="file with the secret shared with the gateway")
    parser.add_argument("--key-id", default="gateway", help="the secret's name in signatures")
    parser.add_argument("--listen", default="127.0.0.1:3000", help="host:port (0: any free one) or unix:path")
    parser.add_argument("--log", help="append a JSON line for each request to this file")
    args = parser.parse_args()

    gate = Gate(read_secret(args.secret), args.key_id)
    log = open(args.log, "a", buffering=1, encoding="utf-8") if args.log else None
    try:
        server = Server(args.listen, gate, log)
    except OSError as error:
        sys.exit(f"cannot listen on {args.listen}: {error.strerror}")
    # Whoever started it with port 0 reads here which one it is.
    where = args.listen
    if server.address_family != socket.AF_UNIX:
        host, port = server.server_address[:2]
        where = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    print(where, flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        if args.listen.startswith("unix:"):
            os.unlink(args.listen[5:])


if __name__ == "__main__":
    main()
