"""A backend that remembers what it was sent, from the first byte of a head on."""
import socket
import threading


class Seen:
    """One request as far as it came."""

    def __init__(self, first, fields):
        self.method, self.target = first.split(" ")[:2]
        self.fields, self.body, self.complete = fields, b"", False

    def values(self, name):
        return [v for k, v in self.fields if k.lower() == name]

    def __repr__(self):
        return "<%s %s %s>" % (self.method, self.target, self.fields)


class Backend:
    """An HTTP/1.1 service on loopback. It answers everything with 200 and what it was asked for, or
    with a redirect where one is set."""

    def __init__(self):
        self.seen, self.connections, self.redirect = [], 0, None
        self.changed = threading.Condition()
        # A flood may open hundreds at once; one that finds no place is tried again after a second.
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _note(self, change):
        with self.changed:
            change()
            self.changed.notify_all()

    def _serve(self, connection):
        file = connection.makefile("rb")
        try:
            while self._one(file, connection):
                pass
        except (OSError, ValueError):
            pass
        connection.close()

    def _one(self, file, connection):
        first = file.readline().decode("latin-1").rstrip("\r\n")
        fields = []
        while first:
            line = file.readline().decode("latin-1").rstrip("\r\n")
            if not line:
                break
            name, _, value = line.partition(":")
            fields.append((name, value.strip()))
        if not first:
            return False
        seen = Seen(first, fields)
        self._note(lambda: self.seen.append(seen))
        if not self._body(file, seen):
            return False
        self._note(lambda: setattr(seen, "complete", True))
        if self.redirect:
            connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % self.redirect.encode())
            return True
        body = ("%s %s" % (seen.method, seen.target)).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s"
                           % (len(body), b"" if seen.method == "HEAD" else body))
        return True

    def _body(self, file, seen):
        """Reads the body to its end; False where it broke off."""
        def take(n):
            while n:
                piece = file.read1(min(n, 65536))
                if not piece:
                    return False
                n -= len(piece)
                self._note(lambda: setattr(seen, "body", seen.body + piece))
            return True

        if seen.values("transfer-encoding"):
            while True:
                line = file.readline()
                size = int(line.split(b";")[0], 16) if line else None
                if size is None or not take(size):
                    return False
                if size == 0:
                    while file.readline().rstrip(b"\r\n"):
                        pass
                    return True
                file.readline()
        return take(int((seen.values("content-length") or ["0"])[0]))

    def wait(self, condition, seconds=5):
        with self.changed:
            return self.changed.wait_for(lambda: condition(self.seen), seconds)

    def close(self):
        self.listener.close()
