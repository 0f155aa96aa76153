"""A backend that says whatever a test wants it to say, and counts."""
import socket
import threading


class Actor:
    """An HTTP/1.1 service on loopback. play(connection) is called for each request once its head has
    come; it sends what it likes and returns whether the connection goes on."""

    def __init__(self, play=None, tls=None, port=None):
        self.play, self.tls = play, tls
        self.n_connections, self.heads, self.lock = 0, [], threading.Lock()
        self.open = set()
        self.listener = socket.create_server(("127.0.0.1", port or 0), backlog=4096)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.n_connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            talk = Talk(self, self.tls.wrap_socket(sock, server_side=True) if self.tls else sock)
        except OSError:
            return
        with self.lock:
            self.open.add(talk)
        try:
            while talk.take_head() and self.play(talk):
                pass
        except (OSError, ValueError):
            pass
        with self.lock:
            self.open.discard(talk)
        talk.close()

    def drop(self):
        """Ends all connections."""
        with self.lock:
            for talk in self.open:
                talk.close()

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # else it lives on in accept
        except OSError:
            pass
        self.listener.close()
        self.drop()


def honest(talk):
    """Plays by the rules."""
    if talk.take_body() is None:
        return False
    talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    return True


class Talk:
    """One connection of an actor's."""

    def __init__(self, actor, sock):
        self.actor, self.sock, self.file = actor, sock, sock.makefile("rb")
        self.first, self.fields = "", []

    def take_head(self):
        lines = []
        while not lines or lines[-1]:
            line = self.file.readline()
            if not line:
                return False
            lines.append(line.decode("latin-1").rstrip("\r\n"))
        self.first, self.fields = lines[0], [tuple(p.strip() for p in line.split(":", 1)) for line in lines[1:-1]]
        with self.actor.lock:
            self.actor.heads.append(lines[:-1])
        return True

    @property
    def target(self):
        return self.first.split(" ")[1]

    def value(self, name):
        values = [v for k, v in self.fields if k.lower() == name]
        return values[0] if values else None

    def take_body(self):
        """The body, or None where it broke off."""
        try:
            return self._take_body()
        except OSError:
            return None

    def _take_body(self):
        if self.value("transfer-encoding"):
            body = b""
            while True:
                line = self.file.readline()
                if not line:
                    return None
                piece = self.file.read(int(line, 16))
                end = self.file.readline()
                if not end:
                    return None
                if not piece:
                    return body
                body += piece
        n = int(self.value("content-length") or 0)
        body = self.file.read(n)
        return body if len(body) == n else None

    def send(self, raw):
        self.sock.sendall(raw)

    def ends_within(self, seconds):
        """Whether the gateway ends the connection in that time; what it sends until then is dropped."""
        self.sock.settimeout(seconds)
        try:
            while self.sock.recv(65536):
                pass
            return True
        except TimeoutError:
            return False
        except OSError:
            return True

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.file.close()
        self.sock.close()
