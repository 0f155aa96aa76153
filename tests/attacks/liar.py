"""A registry or ledger that lies: what it is asked it asks the real one, and changes the answer."""
import http.client
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Liar:
    """lie(path, status, body) gives the (status, body) to answer; None says the truth. A lie may sleep,
    or raise to answer nothing at all. heard keeps what was asked, told each path's last true answer."""

    def __init__(self, port):
        self.lie, self.heard, self.told = None, [], {}
        liar = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
                connection.request(self.command, self.path, body or None,
                                   {k: v for k, v in self.headers.items() if k.lower() == "content-type"})
                true = connection.getresponse()
                status, said, type = true.status, true.read(), true.getheader("Content-Type")
                connection.close()
                liar.heard.append(self.path)
                liar.told[self.path] = (status, said)
                lie = liar.lie and liar.lie(self.path, status, said)
                status, said = lie or (status, said)
                self.send_response(status)
                self.send_header("Content-Type", type or "application/octet-stream")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

            def handle(self):
                try:
                    super().handle()
                except Exception:  # a lie that answers nothing, or a reader that had enough
                    self.close_connection = True

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def about(self, path, answer):
        """Lies about this path alone; answer is what lie gives, or a function of the true answer."""
        def lie(asked, status, body):
            if not asked.startswith(path):
                return None
            return answer(status, body) if callable(answer) else answer

        self.lie = lie

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def silent(*_):
    raise ConnectionAbortedError


def slow(seconds):
    def wait(*_):
        time.sleep(seconds)
        return None
    return wait
