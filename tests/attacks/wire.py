"""One end of a connection, by the program `attacker`: TLS and nothing above it."""
import json
import os
import socket
import subprocess
import threading
import time

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build/dev/tests/attacker")


class Refused(Exception):
    """The handshake failed."""


class Wire:
    """Bytes in and out. What comes in is read at once, so a peer never waits for this test.

    where: (address, port) to connect to, or a socket to serve as the other side;
    options: those of the program, such as name, alpn, groups."""

    def __init__(self, where, **options):
        serves = isinstance(where, socket.socket)
        first = ["serve", str(where.fileno())] if serves else [where[0], str(where[1])]
        words = ["%s=%s" % (key, value) for key, value in options.items() if value is not None]
        self.process = subprocess.Popen([PROGRAM, *first, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, bufsize=0,
                                        pass_fds=[where.fileno()] if serves else [])
        if serves:
            where.close()  # it is the program's alone
        self.held = bytearray()
        self.ended = False
        self.news = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.facts = self._first_line()
        self.reader.start()
        if not self.facts["up"]:
            self.close()
            raise Refused(self.facts["why"])

    def _first_line(self):
        line = b""
        while not line.endswith(b"\n"):
            byte = self.process.stdout.read(1)
            if not byte:
                raise RuntimeError(self.process.stderr.read().decode())
            line += byte
        return json.loads(line)

    def _read(self):
        piece = True
        while piece:
            piece = self.process.stdout.read(65536)
            with self.news:
                self.held += piece
                self.ended = not piece
                self.news.notify_all()

    def send(self, data):
        """Whether the server was still there to take it all."""
        view = memoryview(data)
        try:
            while view:
                view = view[self.process.stdin.write(view):]
        except (BrokenPipeError, ValueError):
            return False
        return True

    def take(self, enough, seconds):
        """The first enough(held) bytes, once that is not None; None when the server ended or time is
        over before."""
        until = time.monotonic() + seconds
        with self.news:
            while True:
                n = enough(self.held)
                if n is not None:
                    out = bytes(self.held[:n])
                    del self.held[:n]
                    return out
                left = until - time.monotonic()
                if self.ended or left <= 0:
                    return None
                self.news.wait(left)

    def has_ended(self, seconds=0):
        """Whether the server ended the connection within that time."""
        with self.news:
            return self.news.wait_for(lambda: self.ended, seconds)

    def end(self):
        """Says that nothing more will come."""
        self.process.stdin.close()

    def close(self):
        self.process.kill()
        self.process.wait()
        if self.reader.is_alive():
            self.reader.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                pipe.close()
            except BrokenPipeError:
                pass
